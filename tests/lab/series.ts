// Many runs in a row from the command line: how many, in a lab that is there for the time, and Ctrl-C between and within them.
import { parseArgs } from 'node:util';
import { isHealthy } from '../../lab/status.ts';
import { down } from '../../lab/down.ts';
import { machineNames } from '../../lab/topology.ts';
import { up } from '../../lab/up.ts';
import { probersOn } from './faults.ts';
import { typeNpmTest, type Ran, type Typed } from './harness.ts';

/** Makes the runs; `true`: all is well. */
type Perform = (count: number, stop: AbortSignal) => Promise<boolean>;

/** Makes them in so many labs side by side. */
type PerformApart = (count: number, labs: number) => Promise<boolean>;

/** `words` null: they were wrong. */
type Own = Readonly<{ words: readonly string[] | null; usage: string; about: string }>;

/**
 * Sets the exit code: 0 all is well, 1 it is not, 2 nothing was done, 130 stopped.
 * @param performApart where runs do not heed what else the machine does
 * @param own what was typed, without a command's own options, and the usage of these
 */
export async function series(command: string, usual: number, perform: Perform, performApart: PerformApart | null = null, own: Own = { words: process.argv.slice(2), usage: '', about: '' }): Promise<void> {
  const asked = askedFrom(own.words, usual);
  if (asked === null || (asked.labs > 1 && performApart === null)) return refuse(`usage: npm run ${command} -- [RUNS]${performApart === null ? '' : ' [--labs N]'}${own.usage}   (a whole number above 0; ${usual} unless said${performApart === null ? '' : '; in up to 9 labs side by side'}${own.about})`);
  const { count, labs } = asked;
  if (labs > 1 && performApart !== null) {
    process.exitCode = (await performApart(count, labs)) ? 0 : 1;
    return;
  }
  const standing = await isHealthy();
  if (standing && machineNames.some((name) => probersOn(name).length > 0)) return refuse(`${command}: a run is under way in the lab: wait for its end`);
  const stop = new AbortController();
  // Each time: npm hands a signal on that the terminal has sent us already.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  await up({ phase: 'steady' });
  try {
    const well = await perform(count, stop.signal);
    process.exitCode = stop.signal.aborted ? 130 : well ? 0 : 1;
  } finally {
    if (!standing) await down();
  }
}

function askedFrom(words: readonly string[] | null, usual: number): Readonly<{ count: number; labs: number }> | null {
  if (words === null) return null;
  try {
    const { values, positionals } = parseArgs({ args: [...words], options: { labs: { type: 'string', default: '1' } }, allowPositionals: true });
    const [count = String(usual), ...more] = positionals;
    return /^[1-9]\d{0,4}$/.test(count) && /^[1-9]$/.test(values.labs) && more.length === 0 ? { count: Number(count), labs: Number(values.labs) } : null;
  } catch {
    return null; // an option that there is not
  }
}

function refuse(sentence: string): void {
  console.error(sentence);
  process.exitCode = 2;
}

/** One `npm test`, which a stop ends early; `watch` is told of it every now and then. */
export async function runOnce(stop: AbortSignal, how: Parameters<typeof typeNpmTest>, watch: (typed: Typed) => void = () => undefined): Promise<Ran> {
  const typed = typeNpmTest(...how);
  const timer = setInterval(() => watch(typed), watchEveryMs);
  const interrupt = (): void => typed.interrupt();
  stop.addEventListener('abort', interrupt);
  try {
    return await typed.ended;
  } finally {
    stop.removeEventListener('abort', interrupt);
    clearInterval(timer);
  }
}

const watchEveryMs = 200;

export const table = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]?.map((_head, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => row.map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0))).join('  ')).join('\n');
};
