// `npm run sweep`: all 65,535 TCP ports from every machine to every other and to every external target. A case a pair; it can be stopped and
// gone on with.
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { z } from 'zod';
import { sha256 } from '../lib/hash.ts';
import { parseInventory } from '../lib/inventory.ts';
import type { Pair, Unit, UnitResult } from '../lib/model.ts';
import { printable } from '../lib/reports/console.ts';
import { counted, pairResults, renderJunit, told, type PairResult } from '../lib/sweep/report.ts';
import { sweep } from '../lib/sweep/run.ts';

const usage = `usage: npm run sweep -- [--from HOST]... [--to HOST]... [--ports FIRST-LAST] [--rate N] [--phase steady|setup] [--resume FOLDER]
  --from, --to   these sources and destinations alone, by the names in the reports
  --ports        a range of ports, 1-65535 unless said
  --rate         packets a second that each machine sends at most, 1000 unless said
  --resume       goes on with a sweep that was stopped: its folder under reports/`;

const root = join(import.meta.dirname, '..');

class UsageError extends Error {}

const text = z.string();
const header = z.strictObject({ schema: z.literal(1), plan: text, startedAt: text });
const unitResult = z.strictObject({
  pair: text, first: z.int(), last: z.int(), passed: z.record(text, z.int()), open: z.array(z.int()), more: z.int(), packets: z.int(), ms: z.number(),
  red: z.array(z.strictObject({ port: z.int(), result: z.enum(['fail', 'inconclusive']), reason: text })),
});

type Asked = Readonly<{ from: readonly string[]; to: readonly string[]; ports: readonly [number, number]; rate: number; phase: 'steady' | 'setup'; resume: string | null }>;

function ask(): Asked {
  const { values } = (() => {
    try {
      return parseArgs({ options: { from: { type: 'string', multiple: true, default: [] }, to: { type: 'string', multiple: true, default: [] }, ports: { type: 'string', default: '1-65535' }, rate: { type: 'string', default: '1000' }, phase: { type: 'string' }, resume: { type: 'string' } } });
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
  })();
  const phase = values.phase ?? process.env.FLOWPROOF_PHASE ?? 'steady';
  if (phase !== 'steady' && phase !== 'setup') throw new UsageError(`the phase is "${phase}"; it can be setup or steady`);
  const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(values.ports) ?? [];
  if (first === undefined || last === undefined || Number(first) < 1 || Number(last) > 65_535 || Number(first) > Number(last)) throw new UsageError(`--ports is "${values.ports}"; it must be a range from 1-65535, the lower port first`);
  if (!/^[1-9]\d{0,4}$/.test(values.rate)) throw new UsageError(`--rate is "${values.rate}"; it must be a whole number of packets a second from 1 to 99999`);
  return { from: values.from, to: values.to, ports: [Number(first), Number(last)], rate: Number(values.rate), phase, resume: values.resume === undefined ? null : resolve(values.resume) };
}

/** What an earlier sweep has found. A last line that is cut off was not finished: that unit is swept anew. */
function readProgress(folder: string): Readonly<{ plan: string; startedAt: string; results: readonly UnitResult[] }> {
  const file = join(folder, 'sweep.jsonl');
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const parsed = <T>(schema: z.ZodType<T>, line: string, index: number): T => {
    try {
      return schema.parse(JSON.parse(line));
    } catch (error) {
      throw new UsageError(`${file}, line ${index + 1}: no line of a sweep (${(error as Error).message.split('\n')[0]}). Nothing was sent: begin a new sweep`);
    }
  };
  const [first = '', ...rest] = lines;
  const { plan, startedAt } = parsed(header, first, 0);
  const results = rest.map((line, index) => parsed(unitResult, line, index + 1));
  return { plan, startedAt, results: results.filter(({ red }) => red.every(({ result }) => result === 'fail')) }; // what could not be told is asked again
}

const keyOf = ({ pair, first, last }: Unit): string => `${pair} ${first}-${last}`;

async function main(): Promise<number> {
  const asked = ask();
  const file = process.env.FLOWPROOF_INVENTORY ?? join(root, 'inventory.json');
  const source = readFileSync(file, 'utf8');
  const inventory = parseInventory(source, file);
  const known = asked.resume === null ? null : readProgress(asked.resume);
  const startedAt = known?.startedAt ?? new Date().toISOString();
  const folder = asked.resume ?? join(process.env.FLOWPROOF_REPORTS ?? join(root, 'reports'), `sweep-${startedAt.replace(/[:.]/g, '-')}`);
  const results = new Map((known?.results ?? []).map((one) => [keyOf(one), one]));
  const work: { pairs: readonly Pair[]; units: readonly Unit[] } = { pairs: [], units: [] };
  const done = (unit: Unit): boolean => results.has(keyOf(unit));
  const portsOf = ({ first, last }: Unit): number => last - first + 1;

  let begun: string | null = null;
  let cause: string | null = null;
  let leave = (): void => undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      cause ??= `stopped by ${signal}`;
      leave();
    });
  const watched = process.stdout.isTTY && (process.env.CI ?? '') === '';
  const bar = watched ? new SingleBar({ format: 'sweep {bar} {percentage}% | {value} of {total} ports | {rate} packets/s | {eta_formatted} left', hideCursor: true }) : null;
  const began = Date.now();
  const under = new Map<string, number>();
  let sent = 0;
  const rate = (): number => Math.round(((sent + [...under.values()].reduce((sum, one) => sum + one, 0)) * 1000) / Math.max(1, Date.now() - began));

  const failures = await sweep({
    inventory, phase: asked.phase, rate: asked.rate, ports: asked.ports, done,
    wanted: ({ from, to }) => (asked.from.length === 0 || asked.from.includes(from)) && (asked.to.length === 0 || asked.to.includes(to)),
    planned: (pairs, units) => {
      if (pairs.length === 0) throw new UsageError(`--from ${asked.from.join(' ')} --to ${asked.to.join(' ')} selects no pair: no port was swept`);
      const plan = sha256(JSON.stringify([sha256(source), asked.phase, asked.rate, pairs.map(({ id, address }) => [id, address]), units]));
      const agreed = known?.plan ?? begun;
      begun = plan;
      if (agreed !== null && agreed !== plan) throw new UsageError(`${folder} is of another sweep (other machines, addresses, ports, rate, phase or inventory): no port was swept${results.size > 0 && known === null ? ' any more' : ''}. Give it the same arguments, or begin a new one`);
      if (work.units.length > 0) return; // a shift begins
      Object.assign(work, { pairs, units });
      mkdirSync(folder, { recursive: true });
      if (known === null) writeFileSync(join(folder, 'sweep.jsonl'), `${JSON.stringify({ schema: 1, plan, startedAt })}\n`);
      const left = units.filter((unit) => !done(unit)).reduce((sum, unit) => sum + portsOf(unit), 0);
      process.stdout.write(`${pairs.length} pairs, ${units.reduce((sum, unit) => sum + portsOf(unit), 0)} ports${known === null ? '' : `, of which ${left} are left`}; at most ${asked.rate} packets a second a machine\n`);
      bar?.start(left, 0, { rate: 0 });
    },
    packets: (unit, count) => {
      under.set(keyOf(unit), count);
      bar?.update({ rate: rate() });
    },
    swept: (result) => {
      under.delete(keyOf(result));
      sent += result.packets;
      results.set(keyOf(result), result);
      appendFileSync(join(folder, 'sweep.jsonl'), `${JSON.stringify(result)}\n`);
      bar?.increment(portsOf(result), { rate: rate() });
      const own = work.units.filter(({ pair }) => pair === result.pair);
      if (bar === null && own.every(done)) process.stdout.write(`${pairResults(work.pairs.filter(({ id }) => id === result.pair), own, own.flatMap((unit) => results.get(keyOf(unit)) ?? [])).flatMap(told)[0] ?? ''}\n`);
    },
    stoppable: (stop) => (leave = stop),
    stopped: () => cause,
  }).finally(() => bar?.stop());

  const pairs = pairResults(work.pairs, work.units, work.units.flatMap((unit) => results.get(keyOf(unit)) ?? []));
  report(folder, pairs, { startedAt, phase: asked.phase, rate: String(asked.rate), ports: asked.ports.join('-') });
  for (const { cause: why } of failures) process.stdout.write(`could not look: ${printable(why)}\n`);
  const { pass, fail, inconclusive } = counted(pairs);
  process.stdout.write(`${pass} pairs blocked, ${fail} not, ${inconclusive} could not be told; ${sent} packets in ${Math.round((Date.now() - began) / 1000)} s\nreport: ${relative(process.cwd(), folder)}\n`);
  if (cause !== null) process.stdout.write(`${cause as string}; to go on: npm run sweep -- --resume ${relative(process.cwd(), folder)} and the same arguments\n`);
  return cause === null ? (fail + inconclusive + failures.length === 0 ? 0 : 1) : cause === 'stopped by SIGINT' ? 130 : 143;
}

function report(folder: string, pairs: readonly PairResult[], properties: Readonly<Record<string, string>>): void {
  process.stdout.write(`\n${pairs.filter(({ result }) => result !== 'pass').flatMap(told).join('\n')}\n`);
  const put = (name: string, content: string): void => {
    writeFileSync(join(folder, `${name}.part`), content);
    renameSync(join(folder, `${name}.part`), join(folder, name));
  };
  put('junit.xml', renderJunit(pairs, properties));
  put('sweep.json', `${JSON.stringify({ schema: 1, ...properties, pairs }, null, 1)}\n`);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`sweep: ${printable((error as Error).message).replaceAll('\uFFFD', '\n')}\n${error instanceof UsageError ? `${usage}\n` : ''}`);
  process.exitCode = 2;
}
