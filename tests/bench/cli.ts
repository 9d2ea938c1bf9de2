// `npm run bench -- [TURNS]`: how long `npm test` takes in the lab, beside two others in the same minutes: one login through the gateway, than which
// nothing that goes by SSH is faster, and nmap, asked the same ports of the same addresses. In turns, each turn beginning with another one,
// and told as ratios: the machine is shared, and a second of it is not the next one's second.
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
import { canAsk, carryNmap, cellsOf, openOf, scansOf, words, type Scan } from './nmap.ts';

const usual = 5;

/** ms each took in one turn. */
type Turn = Readonly<{ login: number; ours: number; nmap: number }>;
type Peer = keyof Turn;
/** By the name of a part of `npm test`, the ms it took in each turn. */
type Profile = Map<string, number[]>;

async function bench(turns: number, stop: AbortSignal): Promise<boolean> {
  for (const machine of vmNames) await carryNmap(machine);
  const first = await ours(stop); // warms the caches, and says what nmap is to ask
  if (stop.aborted) return false;
  const asked = first.cells.filter((cell) => (vmNames as readonly string[]).includes(cell.from) && canAsk(cell));
  const scans = scansOf(asked);
  console.log(`${first.cells.length} cells; nmap can ask ${cellsOf(scans)} of them, in ${scans.length} calls from ${vmNames.length} machines\n`);
  const took: Turn[] = [];
  const profile: Profile = new Map();
  let same = true;
  const ways: Readonly<Record<Peer, () => Promise<void>>> = {
    login: () => login(),
    ours: async () => {
      const began = performance.now();
      const { steps } = await ours(stop);
      const within = steps.reduce((sum, { ms }) => sum + ms, 0);
      for (const { name, ms } of [...steps, { name: 'npm, reports and the end', ms: performance.now() - began - within }]) profile.set(name, [...(profile.get(name) ?? []), ms]);
    },
    nmap: async () => {
      const differing = compare(asked, await nmap(scans));
      if (differing.length === 0) return;
      same = false;
      console.log(differing.join('\n'));
    },
  };
  const peers = Object.keys(ways) as Peer[];
  for (let turn = 0; turn < turns && !stop.aborted; turn += 1) {
    const times: Partial<Record<Peer, number>> = {};
    for (const index of peers.keys()) {
      const peer = peers[(index + turn) % peers.length] as Peer;
      const began = performance.now();
      await ways[peer]();
      times[peer] = performance.now() - began;
      if (stop.aborted) return false;
    }
    const { login: floor = NaN, ours: own = NaN, nmap: other = NaN } = times;
    took.push({ login: floor, ours: own, nmap: other });
    console.log(`turn ${turn + 1} of ${turns}: login ${seconds(floor)}, npm test ${seconds(own)}, nmap ${seconds(other)}`);
  }
  told(took, profile, first.cells.length, cellsOf(scans), same);
  return same;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

async function login(): Promise<void> {
  const { exitCode, stderr } = await run('operator', ['ssh', '-J', 'gateway', 'joi', 'true']);
  if (exitCode !== 0) throw new Error(`bench: the login failed: ${stderr}`);
}

async function ours(stop: AbortSignal): Promise<Ran> {
  const ran = await runOnce(stop, [shipped, null]);
  if (ran.exitCode !== 0 && !stop.aborted) throw new Error(`bench: npm test is not green, so its time says nothing:\n${ran.output}`);
  return ran;
}

/** From all machines at once, and all calls of a machine at once: what they wait for is silence. */
async function nmap(scans: readonly Scan[]): Promise<readonly string[]> {
  const each = await Promise.all(vmNames.map(async (machine) => {
    // Each says all at once at its end: what several say at a time into one pipe is a mixture.
    const calls = scans.filter(({ from }) => from === machine).map((scan) => `{ said=$($as ${words(scan).join(' ')} 2>&1) ; printf '%s\\n' "$said"; } & `);
    const target = machine === 'gateway' ? ['gateway'] : ['-J', 'gateway', machine];
    const { exitCode, stdout, stderr } = await run('operator', ['ssh', ...target, `as=; [ "$(id -u)" = 0 ] || as='sudo -n'; ${calls.join('')}wait`]);
    const done = stdout.split('# Nmap done at ').length - 1;
    if (exitCode !== 0 || done !== calls.length) throw new Error(`bench: of ${calls.length} calls of nmap on ${machine} ${done} came to their end (exit code ${exitCode}): ${stderr}${stdout}`);
    return openOf(stdout).map((port) => `${machine} ${port}`);
  }));
  return each.flat();
}

/** The two must tell the same ports open, or one of the times is that of a wrong answer. nmap's `open` of UDP is a reply that it knows. */
function compare(cells: readonly Cell[], found: readonly string[]): readonly string[] {
  const open = new Map(cells.filter(({ proto }) => proto === 'tcp').map(({ from, address, proto, port, outcome }) => [`${from} ${address} ${proto}/${port}`, outcome.seen === 'answered'] as const));
  const theirs = new Set(found);
  return [...open].filter(([port, toUs]) => theirs.has(port) !== toUs).map(([port, toUs]) => `DIFFERS: ${port}: ${toUs ? 'open to us, not to nmap' : 'open to nmap, not to us'}`);
}

function told(took: readonly Turn[], profile: Profile, cells: number, nmapCells: number, same: boolean): void {
  const ratios = { overLogin: took.map(({ ours: own, login: floor }) => own / floor), nmapOverUs: took.map(({ ours: own, nmap: other }) => other / own) };
  const spread = (numbers: readonly number[], digits: number, unit = ''): readonly string[] => [Math.min(...numbers), median(numbers), Math.max(...numbers)].map((one) => `${one.toFixed(digits)}${unit}`);
  const inSeconds = (peer: Peer): readonly string[] => spread(took.map((turn) => turn[peer] / 1000), 2, ' s');
  console.log(`\n${table([
    ['', 'least', 'median', 'most'],
    ['ssh -J gateway joi true', ...inSeconds('login')],
    [`npm test, ${cells} cells`, ...inSeconds('ours')],
    [`nmap, ${nmapCells} of these cells`, ...inSeconds('nmap')],
    ['npm test / login', ...spread(ratios.overLogin, 1, ' x')],
    ['nmap / npm test', ...spread(ratios.nmapOverUs, 1, ' x')],
  ])}\n`);
  console.log(`${table([['where the time of npm test goes', 'least', 'median', 'most'], ...[...profile].map(([name, all]) => [name, ...spread(all.map((ms) => ms / 1000), 2, ' s')])])}\n`);
  console.log(same ? 'the same TCP ports are open to both' : 'NOT the same TCP ports are open to both');
  const machine = { processor: cpus()[0]?.model ?? 'unknown', processors: cpus().length, node: process.version, nmap: execFileSync('nmap', ['--version'], { encoding: 'utf8' }).split('\n')[0] };
  console.log(`on ${machine.processors} x ${machine.processor}, node ${machine.node}, ${machine.nmap}`);
  const medians = Object.fromEntries(Object.entries(ratios).map(([name, all]) => [name, median(all)]));
  writeFileSync(join(repository, 'reports/bench.json'), `${JSON.stringify({ machine, cells, nmapCells, same, turns: took, profile: Object.fromEntries(profile), ratios: medians }, null, 1)}\n`);
}

execFileSync('sh', [join(import.meta.dirname, 'setup.sh')], { stdio: 'inherit' }); // before the lab is up, whose operator sees the host's own programs
await series('bench', usual, bench);
