// `npm run bench -- [TURNS] [--ports FIRST-LAST]`: how long `npm test` takes in the lab, beside two others in the same minutes: one login through the
// gateway, than which nothing that goes by SSH is faster, and nmap, asked the same ports of the same addresses; then the sweep beside nmap -sS. Told as ratios.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { run } from '../../lab/inside.ts';
import { vmNames } from '../../lab/topology.ts';
import { repository } from '../../lab/up.ts';
import { median } from '../lab/growth.ts';
import { shipped, type Cell, type Ran } from '../lab/harness.ts';
import { runOnce, series, table } from '../lab/series.ts';
import { aimed, aims, aimsHead, longest } from './aims.ts';
import { askNmap, canAsk, carryNmap, cellsOf, scansOf, words } from './nmap.ts';
import { portsFrom, usualPorts } from './ports.ts';
import { differencesOf, placesOf, rate, sweepOnce, synScansOf } from './sweep.ts';
import { inTurns, seconds, spread, times } from './turns.ts';

const usual = 5;

async function bench(turns: number, stop: AbortSignal, ports: string): Promise<boolean> {
  for (const machine of vmNames) await carryNmap(machine);
  const first = await ours(stop); // warms the caches, and says what nmap is to ask
  if (stop.aborted) return false;
  const machine = { processor: cpus()[0]?.model ?? 'unknown', processors: cpus().length, node: process.version, nmap: execFileSync('nmap', ['--version'], { encoding: 'utf8' }).split('\n')[0] };
  console.log(`on ${machine.processors} x ${machine.processor}, node ${machine.node}, ${machine.nmap}`);
  const test = await benchTest(turns, stop, first.cells);
  if (stop.aborted) return false;
  write({ machine, ...test });
  const swept = await benchSweep(turns, stop, first.cells, ports); // its tables come last: a fault in it has lost none of the others
  if (stop.aborted) return false;
  write({ machine, ...test, sweep: swept, ratios: { ...test.ratios, ...swept.ratios } });
  return test.same && swept.same;
}

const write = (told: object): void => writeFileSync(join(repository, 'reports/bench.json'), `${JSON.stringify(told, null, 1)}\n`);

const medians = <Name extends string>(ratios: Readonly<Record<Name, readonly number[]>>): Readonly<Record<Name, number>> =>
  Object.fromEntries(Object.entries<readonly number[]>(ratios).map(([name, all]) => [name, median(all)])) as Record<Name, number>;

const head = ['least', 'median', 'most'] as const;

async function benchTest(turns: number, stop: AbortSignal, cells: readonly Cell[]) {
  const asked = cells.filter((cell) => (vmNames as readonly string[]).includes(cell.from) && canAsk(cell));
  const scans = scansOf(asked);
  console.log(`${cells.length} cells; nmap can ask ${cellsOf(scans)} of them, in ${scans.length} calls from ${vmNames.length} machines\n`);
  /** By the name of a part of `npm test`, the ms it took in each turn. */
  const profile = new Map<string, number[]>();
  const differing: string[] = [];
  const took = await inTurns({
    login: () => login(),
    ours: async () => {
      const began = performance.now();
      const { steps } = await ours(stop);
      const within = steps.reduce((sum, { ms }) => sum + ms, 0);
      for (const { name, ms } of [...steps, { name: 'npm, reports and the end', ms: performance.now() - began - within }]) profile.set(name, [...(profile.get(name) ?? []), ms]);
    },
    nmap: async () => void differing.push(...compare(asked, await askNmap(scans.map((scan) => ({ from: scan.from, words: words(scan) }))))),
  }, turns, stop, (turn, number) => console.log(`turn ${number} of ${turns}: login ${seconds(turn.login)}, npm test ${seconds(turn.ours)}, nmap ${seconds(turn.nmap)}`));
  const ratios = { overLogin: took.map((turn) => turn.ours / turn.login), nmapOverUs: took.map((turn) => turn.nmap / turn.ours) };
  const told = { cells: cells.length, nmapCells: cellsOf(scans), same: differing.length === 0, turns: took, profile: Object.fromEntries(profile), ratios: medians(ratios) };
  if (stop.aborted) return told;
  console.log(`\n${table([
    ['', ...head],
    ['ssh -J gateway joi true', ...spread(took.map((turn) => turn.login), seconds)],
    [`npm test, ${told.cells} cells`, ...spread(took.map((turn) => turn.ours), seconds)],
    [`nmap, ${told.nmapCells} of these cells`, ...spread(took.map((turn) => turn.nmap), seconds)],
    ['npm test / login', ...spread(ratios.overLogin, times)],
    ['nmap / npm test', ...spread(ratios.nmapOverUs, times)],
  ])}\n`);
  console.log(`${table([['where the time of npm test goes', ...head], ...[...profile].map(([name, all]) => [name, ...spread(all, seconds)])])}\n`);
  console.log(`${table([aimsHead, aimed(aims.overLogin, told.ratios.overLogin), aimed(aims.nmapOverUs, told.ratios.nmapOverUs)])}\n${longest(profile, took.map((turn) => turn.ours))}\n`);
  console.log([...new Set(differing), differing.length === 0 ? 'the same TCP ports are open to both' : 'NOT the same TCP ports are open to both', ''].join('\n'));
  return told;
}

async function benchSweep(turns: number, stop: AbortSignal, cells: readonly Cell[], ports: string) {
  const places = placesOf(cells);
  const calls = synScansOf(places, ports);
  const differing: string[] = [];
  let pairs: Awaited<ReturnType<typeof sweepOnce>>['pairs'] = [];
  let found: readonly string[] = [];
  const took = await inTurns({
    ours: async () => {
      const swept = await sweepOnce(stop, ports);
      if (swept.exitCode !== 0 && !stop.aborted) differing.push(`the sweep is not green (exit code ${swept.exitCode}):\n${swept.output}`);
      ({ pairs } = swept);
    },
    nmap: async () => void (found = await askNmap(calls)),
  }, turns, stop, (turn, number) => {
    differing.push(...differencesOf(places, pairs, found));
    console.log(`turn ${number} of ${turns}: npm run sweep ${seconds(turn.ours)}, nmap -sS ${seconds(turn.nmap)}`);
  });
  const ratios = { sweepNmapOverUs: took.map((turn) => turn.nmap / turn.ours) };
  const told = { ports, rate, pairs: places.size, same: differing.length === 0, turns: took, ratios: medians(ratios) };
  if (stop.aborted) return told;
  console.log(`\n${table([
    [`ports ${ports} of ${places.size} pairs`, ...head],
    [`npm run sweep, --rate ${rate} (a lab's)`, ...spread(took.map((turn) => turn.ours), seconds)],
    ['nmap -sS -T4', ...spread(took.map((turn) => turn.nmap), seconds)],
    ['nmap -sS / npm run sweep', ...spread(ratios.sweepNmapOverUs, times)],
  ])}\n`);
  console.log(`${table([aimsHead, aimed(aims.sweepNmapOverUs, told.ratios.sweepNmapOverUs)])}\n`);
  console.log([...new Set(differing), differing.length === 0 ? 'the same TCP ports are open to both' : 'NOT the same TCP ports are open to both'].join('\n'));
  return told;
}

async function login(): Promise<void> {
  const { exitCode, stderr } = await run('operator', ['ssh', '-J', 'gateway', 'joi', 'true']);
  if (exitCode !== 0) throw new Error(`bench: the login failed: ${stderr}`);
}

async function ours(stop: AbortSignal): Promise<Ran> {
  const ran = await runOnce(stop, [shipped, null]);
  if (ran.exitCode !== 0 && !stop.aborted) throw new Error(`bench: npm test is not green, so its time says nothing:\n${ran.output}`);
  return ran;
}

/** The two must tell the same ports open, or one of the times is that of a wrong answer. nmap's `open` of UDP is a reply that it knows. */
function compare(cells: readonly Cell[], found: readonly string[]): readonly string[] {
  const open = new Map(cells.filter(({ proto }) => proto === 'tcp').map(({ from, address, proto, port, outcome }) => [`${from} ${address} ${proto}/${port}`, outcome.seen === 'answered'] as const));
  const theirs = new Set(found);
  return [...open].filter(([port, toUs]) => theirs.has(port) !== toUs).map(([port, toUs]) => `DIFFERS: ${port}: ${toUs ? 'open to us, not to nmap' : 'open to nmap, not to us'}`);
}

const asked = portsFrom(process.argv.slice(2));
if (asked.words !== null) execFileSync('sh', [join(import.meta.dirname, 'setup.sh')], { stdio: 'inherit' }); // before the lab is up, whose operator sees the host's own programs
await series('bench', usual, (turns, stop) => bench(turns, stop, asked.ports), null, { words: asked.words, usage: ' [--ports FIRST-LAST]', about: `; of the sweep the ports from FIRST to LAST, ${usualPorts} unless said` });
