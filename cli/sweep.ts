// `npm run sweep`: all ports from every machine to every other and to every external target. A case a pair; it can be stopped and gone on with.
import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { SingleBar } from 'cli-progress';
import { parseInventory } from '../lib/inventory.ts';
import type { Pair, Unit, UnitResult } from '../lib/model.ts';
import { printable } from '../lib/reports/console.ts';
import { root } from '../lib/root.ts';
import { mostOf } from '../lib/sweep/bounds.ts';
import { beginProgress, noteResult, planHash, put, readProgress } from '../lib/sweep/folder.ts';
import { askedFor, usage, UsageError } from '../lib/sweep/options.ts';
import { counted, pairResults, renderJunit, told, toldBounds } from '../lib/sweep/report.ts';
import { sweep } from '../lib/sweep/run.ts';
import { leftOf, portsOf, type Range } from '../lib/sweep/units.ts';

/** What ended it before its time. */
type Over = Readonly<{ cause: string; exitCode: number; goesOn: boolean }>;

async function main(): Promise<number> {
  const asked = askedFor(process.argv.slice(2), process.env.FLOWPROOF_PHASE);
  const file = process.env.FLOWPROOF_INVENTORY ?? join(root, 'inventory.json');
  const source = readFileSync(file, 'utf8');
  const inventory = parseInventory(source, file);
  const resume = asked.resume === null ? null : resolve(asked.resume);
  const known = resume === null ? null : readProgress(resume);
  const startedAt = known?.startedAt ?? new Date().toISOString();
  const folder = resume ?? join(process.env.FLOWPROOF_REPORTS ?? join(root, 'reports'), `sweep-${startedAt.replace(/[:.]/g, '-')}`);
  const results = new Map<string, UnitResult[]>();
  const note = (result: UnitResult): void => void results.set(result.pair, [...(results.get(result.pair) ?? []), result]);
  for (const result of known?.results ?? []) note(result);
  const of = ({ id }: Pair): readonly UnitResult[] => results.get(id) ?? [];
  const leftOfPair = (pair: Pair): readonly Range[] => leftOf(asked.ports, of(pair));

  let pairs: readonly Pair[] = [];
  let agreed = known?.plan ?? null;
  let over: Over | null = null;
  let leave = (): void => undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      over ??= { cause: `stopped by ${signal}`, exitCode: signal === 'SIGINT' ? 130 : 143, goesOn: true };
      leave();
    });
  const watched = process.stdout.isTTY && (process.env.CI ?? '') === '';
  const bar = watched ? new SingleBar({ format: 'sweep {bar} {percentage}% | {value} of {total} ports | {rate} packets/s | {eta_formatted} left', hideCursor: true }) : null;
  const began = Date.now();
  const under = new Map<string, number>();
  let sent = 0;
  const rate = (): number => Math.round(((sent + [...under.values()].reduce((sum, one) => sum + one, 0)) * 1000) / Math.max(1, Date.now() - began));
  const keyOf = ({ pair, first }: Unit): string => `${pair} ${first}`;

  const failures = await sweep({
    inventory, phase: asked.phase, rate: asked.rate, transports: asked.transports, left: leftOfPair,
    wanted: ({ from, to, named = null }) => (named?.some((port) => asked.ports[0] <= port && port <= asked.ports[1]) ?? true) && (asked.from.length === 0 || asked.from.includes(from)) && (asked.to.length === 0 || asked.to.includes(to)),
    planned: (found) => {
      const isShift = pairs.length > 0;
      if (found.length === 0 && !isShift) throw new UsageError(`--from ${asked.from.join(' ')} --to ${asked.to.join(' ')} selects no pair: no port was swept`);
      const plan = planHash({ inventory: source, phase: asked.phase, rate: asked.rate, ports: asked.ports, pairs: found });
      if (agreed !== null && agreed !== plan) {
        if (!isShift) throw new UsageError(`${folder} is of another sweep (other machines, addresses, transports, ports, rate, phase or inventory): no port was swept. Give it the same arguments, or begin a new one`);
        over ??= { cause: 'ended: machines have other addresses than when it began, or cannot be entered any more', exitCode: 1, goesOn: false };
        return leave(); // what was found until then is told all the same
      }
      agreed = plan;
      pairs = found;
      if (isShift) return;
      if (known === null) beginProgress(folder, plan, startedAt);
      const left = pairs.reduce((sum, pair) => sum + portsOf(leftOfPair(pair)), 0);
      process.stdout.write(`${pairs.length} pairs, ${pairs.length * portsOf([asked.ports])} ports${known === null ? '' : `, of which ${left} are left`}; at most ${asked.rate} packets a second a machine\n`);
      bar?.start(left, 0, { rate: 0 });
    },
    packets: (unit, count) => {
      under.set(keyOf(unit), count);
      bar?.update({ rate: rate() });
    },
    swept: (result) => {
      under.delete(keyOf(result));
      sent += result.packets;
      note(result);
      noteResult(folder, result);
      bar?.increment(result.last - result.first + 1, { rate: rate() });
      const own = pairs.filter(({ id }) => id === result.pair);
      if (bar === null && own.every((pair) => leftOfPair(pair).length === 0)) process.stdout.write(`${pairResults(own, asked.ports, own.flatMap(of)).flatMap(told)[0] ?? ''}\n`);
    },
    stoppable: (stop) => (leave = stop),
    stopped: () => over?.cause ?? null,
  }).finally(() => bar?.stop());

  const all = pairs.flatMap(of);
  const found = pairResults(pairs, asked.ports, all);
  const bounds = mostOf(all.map((one) => one.bounds));
  const properties = { startedAt, phase: asked.phase, transports: asked.transports.join(' '), rate: String(asked.rate), ports: asked.ports.join('-') };
  put(folder, 'junit.xml', renderJunit(found, properties));
  put(folder, 'sweep.json', `${JSON.stringify({ schema: 1, ...properties, bounds, pairs: found }, null, 1)}\n`);

  const say = (lines: readonly string[]): void => void process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  say(['', ...found.filter((one) => one.result !== 'pass' || one.told.length > 0).flatMap(told), ...toldBounds(bounds), ...failures.map(({ cause: why }) => `could not look: ${printable(why)}`)]);
  const { pass, fail, inconclusive } = counted(found);
  say([`${pass} pairs blocked, ${fail} not, ${inconclusive} could not be told; ${sent} packets in ${Math.round((Date.now() - began) / 1000)} s`, `report: ${relative(process.cwd(), folder)}`]);
  const ended = over as Over | null;
  if (ended !== null) say([!ended.goesOn ? ended.cause : `${ended.cause}; to go on: npm run sweep -- --resume ${relative(process.cwd(), folder)} and the same arguments`]);
  return ended?.exitCode ?? (fail + inconclusive + failures.length === 0 ? 0 : 1);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`sweep: ${printable((error as Error).message).replaceAll('\uFFFD', '\n')}\n${error instanceof UsageError ? `${usage}\n` : ''}`);
  process.exitCode = 2;
}
