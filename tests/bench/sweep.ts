// The sweep beside nmap -sS: the same range of TCP ports, between the same machines, from all of them at once. Pure but for `sweepOnce`.
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { begin } from '../../lab/inside.ts';
import { vmNames } from '../../lab/topology.ts';
import { repository } from '../../lab/up.ts';
import { grouped } from '../../lib/grouped.ts';
import { descendantsOf, shipped, type Cell } from '../lab/harness.ts';
import { canAsk, prefix, type Call } from './nmap.ts';

/** Packets a second a machine. What the sweep does unasked is for networks that have other users; nmap's -T4 spares none either. */
export const rate = 20_000;

/** Who asks which address. */
export type Place = Readonly<{ from: string; address: string }>;

/** A pair as sweep.json has it, as far as it is read here. */
export type SweptPair = Readonly<{ id: string; result: string; open: readonly number[]; red: readonly Readonly<{ port: number; result: string }>[] }>;

type Asked = Pick<Cell, 'id' | 'from' | 'to' | 'address' | 'proto' | 'port' | 'sourcePort' | 'by' | 'family' | 'expected'>;

/** The pairs of the four machines that both can ask, by the sweep's name of each: those with a denied TCP cell, whose address the run has found out. */
export function placesOf(cells: readonly Asked[]): ReadonlyMap<string, Place> {
  const isVm = (name: string): boolean => (vmNames as readonly string[]).includes(name);
  const denied = cells.filter((cell) => cell.proto === 'tcp' && cell.expected === 'denied' && cell.from !== cell.to && isVm(cell.from) && isVm(cell.to) && canAsk(cell));
  const first = [...grouped(denied, ({ from, address }) => `${from} ${address}`).values()].flatMap(([cell]) => cell ?? []);
  return new Map(first.map(({ id, from, address }) => [id.replace(/ tcp\/\d+$/, ' tcp'), { from, address: address ?? '' }]));
}

/** In as few calls as there are machines and IP versions: nmap asks the addresses of one call side by side. */
export function synScansOf(places: ReadonlyMap<string, Place>, ports: string): readonly Call[] {
  const alike = grouped([...places.values()], ({ from, address }) => `${from} ${address.includes(':')}`);
  return [...alike.values()].map((own) => {
    const [{ from, address }] = own as readonly [Place, ...Place[]];
    return { from, words: [...prefix, '-Pn', '-n', '-T4', ...(address.includes(':') ? ['-6'] : []), '-sS', '-p', ports, '-oG', '-', ...own.map((one) => one.address)] };
  });
}

/** Both lists of open ports, pair by pair; what was not blocked of ours is open, too. @param found as `openOf` says it, after the machine's name */
export function differencesOf(places: ReadonlyMap<string, Place>, pairs: readonly SweptPair[], found: readonly string[]): readonly string[] {
  const bare = (address: string): string => address.split('%')[0] ?? ''; // nmap says it with or without the interface
  const theirs = grouped(found.map((line) => line.split(/[ /]/)), ([from = '', address = '']) => `${from} ${bare(address)}`);
  const ours = new Map(pairs.map((pair) => [pair.id, pair]));
  return [...places].flatMap(([id, { from, address }]) => {
    const pair = ours.get(id);
    if (pair === undefined) return [`DIFFERS: ${id}: asked of nmap, not swept by us`];
    const own = new Set([...pair.open, ...pair.red.filter(({ result }) => result === 'fail').map(({ port }) => port)]);
    const other = new Set((theirs.get(`${from} ${bare(address)}`) ?? []).map((words) => Number(words.at(-1))));
    const one = [...own].filter((port) => !other.has(port)).map((port) => `DIFFERS: ${id}/${port}: open to us, not to nmap -sS`);
    return [...one, ...[...other].filter((port) => !own.has(port)).map((port) => `DIFFERS: ${id}/${port}: open to nmap -sS, not to us`)];
  });
}

/** `npm run sweep` typed at the operator's seat, over the pairs of the four machines; TCP alone, as nmap -sS. */
export async function sweepOnce(stop: AbortSignal, ports: string): Promise<Readonly<{ exitCode: number | null; output: string; pairs: readonly SweptPair[] }>> {
  mkdirSync(join(repository, 'reports'), { recursive: true });
  const reports = mkdtempSync(join(repository, 'reports/bench-'));
  const chosen = vmNames.flatMap((name) => ['--from', name, '--to', name]);
  const child = begin('operator', ['setsid', 'npm', 'run', '-s', 'sweep', '--', ...chosen, '--ports', ports, '--transport', 'tcp', '--rate', String(rate)], { dir: repository, env: { ...shipped, FLOWPROOF_REPORTS: reports, CI: 'true' } });
  const interrupt = (): void => {
    for (const pid of descendantsOf(child.pid).slice(0, 1)) process.kill(-pid, 'SIGINT'); // the leader of its session
  };
  stop.addEventListener('abort', interrupt);
  try {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [exitCode] = (await once(child, 'close')) as [number | null];
    const file = join(reports, readdirSync(reports)[0] ?? '', 'sweep.json');
    const { pairs } = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { pairs: SweptPair[] }) : { pairs: [] };
    return { exitCode, output, pairs };
  } finally {
    stop.removeEventListener('abort', interrupt);
    rmSync(reports, { recursive: true, force: true });
  }
}
