// `npm run mutate`: would the suite see a broken firewall? Each mutant of the lab's firewalls is made, what must turn red is
// reckoned from the kernels, and the suite's verdicts are held to it, cell by cell.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { down, takeDown } from '../../lab/down.ts';
import { setPhase } from '../../lab/phase.ts';
import { untilReady } from '../../lab/ready.ts';
import { up, repository } from '../../lab/up.ts';
import { shareFile, sideBySide } from '../lab/apart.ts';
import { labState } from '../lab/state.ts';
import { type Intact, intactIn, judged, type Result, undecided } from './judged.ts';
import { bothWalls, type Mutant, mutantsOf, onBothWalls } from './mutants.ts';
import { sample } from './sample.ts';

const usage = `usage: npm run mutate -- [--only REGEXP] [--sample] [--again] [--labs N] [--part I/N]
  --only    the mutants whose name fits
  --sample  the few that \`npm run verify\` tries
  --again   those that survived when they were tried last; the score is of all that were tried
  --labs    so many labs side by side (default 1)
  --part    a share of the mutants`;

/** `again`: the mutants that survived the last time, and the results of all others. */
type Wanted = Readonly<{ only: RegExp; isSample: boolean; again: Readonly<{ ids: ReadonlySet<string>; others: readonly Result[] }> | null; labs: number; part: readonly [number, number] }>;

function wanted(): Wanted {
  const { values } = parseArgs({ options: { only: { type: 'string' }, sample: { type: 'boolean' }, again: { type: 'boolean' }, labs: { type: 'string' }, part: { type: 'string' } } });
  const labs = values.labs ?? '1';
  if (!/^[1-9]$/.test(labs)) throw new Error(`--labs takes a number from 1 to 9, not ${labs}`);
  const [, index = '1', count = '1'] = /^([1-9]\d?)\/([1-9]\d?)$/.exec(values.part ?? '1/1') ?? ['', '2', '1'];
  if (Number(index) > Number(count)) throw new Error(`--part takes a share as 2/5, not ${values.part}`);
  return { only: new RegExp(values.only ?? ''), isSample: values.sample === true, again: values.again === true ? lastTime() : null, labs: Number(labs), part: [Number(index), Number(count)] };
}

function lastTime(): NonNullable<Wanted['again']> {
  const { mutants } = JSON.parse(readFileSync(join(reports, 'mutation.json'), 'utf8')) as { mutants: readonly Result[] };
  const own = (id: string): string => id.replace(bothWalls, '');
  const ids = new Set(mutants.filter(({ result }) => result === 'survived').map(({ id }) => own(id)));
  if (ids.size === 0) throw new Error('none survived the last time');
  return { ids, others: mutants.filter(({ id }) => !ids.has(own(id))) };
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

async function runHere({ only, isSample, again, part: [index, count] }: Wanted): Promise<readonly Result[]> {
  const results: Result[] = [];
  // Each time: tsx hands a signal on that the terminal has sent us already.
  let leaving: Promise<void> | null = null;
  for (const signal of signals) process.on(signal, () => void (leaving ??= takeDown().finally(() => process.exit(130))));
  await up({ phase: 'steady' });
  try {
    for (const phase of ['steady', 'setup'] as const) {
      await setPhase(phase);
      await untilReady();
      const fits = ({ id }: Mutant): boolean => only.test(id) && (!isSample || sample.includes(id)) && (again === null || again.ids.has(id));
      const mutants = (await mutantsOf(phase)).filter(fits).filter((_, place) => place % count === index - 1);
      if (mutants.length === 0) continue;
      const state = await labState();
      const intact = await intactIn(phase);
      for (const mutant of mutants) {
        results.push(...(await both(mutant, intact, state)));
        write([...(isPart ? [] : (again?.others ?? [])), ...results]);
      }
    }
  } finally {
    await down();
  }
  return results;
}

async function both(mutant: Mutant, intact: Intact, state: readonly string[]): Promise<readonly Result[]> {
  const one = await tried(mutant, intact, state);
  const other = one.result === 'masked' ? onBothWalls(mutant) : null;
  return other === null ? [one] : [one, await tried(other, intact, state)];
}

async function tried(mutant: Mutant, intact: Intact, state: readonly string[]): Promise<Result> {
  const began = Date.now();
  const result = await judged(mutant, intact).catch((error: Error) => undecided(mutant, error.message));
  const left = await leftIn(state).catch((error: Error) => [error.message]);
  if (left.length > 0) {
    console.log(`    a lab anew, since this one is not as it was: ${left.join('; ')}`);
    await down();
    await up({ phase: mutant.phase });
  }
  console.log(`${result.result}${result.byWalls ? ' (killed by walls)' : ''}: ${result.id}: ${result.reason} (${Math.round((Date.now() - began) / 1000)} s)`);
  for (const line of [...result.missed.map((cell) => `missed ${cell}`), ...result.surplus.map((cell) => `surplus ${cell}`)].slice(0, 10)) console.log(`    ${line}`);
  return result;
}

async function leftIn(state: readonly string[]): Promise<readonly string[]> {
  await untilReady();
  const now = await labState();
  return [...state.filter((line) => !now.includes(line)), ...now.filter((line) => !state.includes(line))];
}

async function runApart(labs: number): Promise<readonly Result[]> {
  const own = process.argv.slice(2).filter((word, index, all) => word !== '--labs' && all[index - 1] !== '--labs' && !word.startsWith('--labs='));
  const argvs = Array.from({ length: labs }, (_, index) => [...own, '--part', `${index + 1}/${labs}`]);
  return (await sideBySide<{ mutants: readonly Result[] }>(join(import.meta.dirname, 'cli.ts'), 'mutation', argvs)).flatMap(({ mutants }) => mutants);
}

const reports = join(repository, 'reports');
const isPart = shareFile() !== undefined;
const write = (mutants: readonly Result[]): void => writeFileSync(shareFile() ?? join(reports, 'mutation.json'), `${JSON.stringify({ mutants }, null, 1)}\n`);

/** @returns whether every mutant that can be seen was seen, and nothing else turned red */
function tell(results: readonly Result[]): boolean {
  const count = (fits: (result: Result) => boolean): number => results.filter(fits).length;
  const killed = count(({ result }) => result === 'killed');
  const survived = count(({ result }) => result === 'survived');
  const walls = count(({ byWalls }) => byWalls);
  const masked = count(({ result }) => result === 'masked') - walls;
  const equivalent = count(({ result }) => result === 'equivalent');
  const surplus = results.reduce((sum, one) => sum + one.surplus.length, 0);
  console.log(`mutation score: ${killed + walls} of ${killed + walls + survived} killed (${killed} end to end, ${walls} by the walls alone), ${survived} survived; ${masked} masked, ${equivalent} equivalent; ${results.length} mutants; ${surplus} cells red that should not be`);
  return survived === 0 && surplus === 0 && results.length > 0;
}

try {
  const asked = wanted();
  mkdirSync(reports, { recursive: true });
  const fresh = asked.labs > 1 ? await runApart(asked.labs) : await runHere(asked);
  const results = [...(isPart ? [] : (asked.again?.others ?? [])), ...fresh];
  write(results);
  process.exitCode = tell(results) ? 0 : 1;
} catch (error) {
  console.error(`mutate: ${(error as Error).message}\n${usage}`);
  process.exitCode = 2;
}
