// nmap as the peer: the same cells, asked from the same machines over SSH. Pure but for `askNmap` and `carryNmap`.
import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { run } from '../../lab/inside.ts';
import { vmNames } from '../../lab/topology.ts';
import { grouped } from '../../lib/grouped.ts';
import type { Cell } from '../lab/harness.ts';

/** Where the machines have it: those of Alpine have another libc, so that it brings its own. */
const folder = '/opt/nmap';

/** One nmap: the same ports on all its addresses, which are of one kind. */
export type Scan = Readonly<{ from: string; v6: boolean; tcp: readonly number[]; udp: readonly number[]; addresses: readonly string[] }>;

/** A whole command, and the machine that it is typed on. */
export type Call = Readonly<{ from: string; words: readonly string[] }>;

type Asked = Pick<Cell, 'from' | 'address' | 'proto' | 'port' | 'sourcePort' | 'by' | 'family'>;

/** Can nmap's -sT or -sU ask it: a port of an address, from any port, by the way that the routes say? */
export const canAsk = ({ address, proto, sourcePort, by, family }: Asked): boolean =>
  address !== null && (proto === 'tcp' || proto === 'udp') && sourcePort === null && by === null && family !== 'no path';

/** The cells that nmap can ask, in as few calls as ask no other. */
export function scansOf(cells: readonly Asked[]): readonly Scan[] {
  const each = [...grouped(cells.filter(canAsk), ({ from, address }) => `${from} ${address}`).values()].flatMap((own): Scan[] => {
    const [first] = own;
    if (first?.address == null) return [];
    const ports = (proto: string): readonly number[] => [...new Set(own.filter((cell) => cell.proto === proto).map(({ port }) => port))].toSorted((a, b) => a - b);
    return [{ from: first.from, v6: first.address.includes(':'), tcp: ports('tcp'), udp: ports('udp'), addresses: [first.address] }];
  });
  const alike = grouped(each, ({ from, v6, tcp, udp }) => JSON.stringify([from, v6, tcp, udp]));
  return [...alike.values()].flatMap((some) => (some[0] === undefined ? [] : [{ ...some[0], addresses: some.flatMap(({ addresses }) => addresses) }]));
}

/** How many cells these calls ask: nmap's open ports are counted of as many. */
export const cellsOf = (scans: readonly Scan[]): number => scans.reduce((sum, { tcp, udp, addresses }) => sum + (tcp.length + udp.length) * addresses.length, 0);

/** The words of one call; its output is nmap's grepable one. */
export function words({ v6, tcp, udp, addresses }: Scan): readonly string[] {
  const ports = [...(tcp.length > 0 ? [`T:${tcp.join(',')}`] : []), ...(udp.length > 0 ? [`U:${udp.join(',')}`] : [])].join(',');
  return [...prefix, '-Pn', '-n', '-T4', ...(v6 ? ['-6'] : []), ...(tcp.length > 0 ? ['-sT'] : []), ...(udp.length > 0 ? ['-sU'] : []), '-p', ports, '-oG', '-', ...addresses];
}

/** The program, before its arguments. */
export const prefix: readonly string[] = [`${folder}/ld.so`, '--library-path', `${folder}/lib`, `${folder}/nmap`, '--datadir', folder];

/** The open ports that a call's output names, as `address proto/port`; `open|filtered`, which is nmap's word for silence, is none. */
export const openOf = (output: string): readonly string[] =>
  output.split('\n').flatMap((line) => {
    const [, address, ports] = /^Host: (\S+) .*\tPorts: ([^\t]*)/.exec(line) ?? [];
    return (ports ?? '').split(', ').flatMap((port) => {
      const [number, state, proto] = port.split('/');
      return state === 'open' ? [`${address} ${proto}/${number}`] : [];
    });
  });

/** From all machines at once, and all calls of a machine at once: what they wait for is silence. @returns the open ports, each after the machine that found it */
export async function askNmap(calls: readonly Call[]): Promise<readonly string[]> {
  const each = await Promise.all(vmNames.map(async (machine) => {
    // Each says all at once at its end: what several say at a time into one pipe is a mixture.
    const own = calls.filter(({ from }) => from === machine).map(({ words: typed }) => `{ said=$($as ${typed.join(' ')} 2>&1) ; printf '%s\\n' "$said"; } & `);
    const target = machine === 'gateway' ? ['gateway'] : ['-J', 'gateway', machine];
    const { exitCode, stdout, stderr } = await run('operator', ['ssh', ...target, `as=; [ "$(id -u)" = 0 ] || as='sudo -n'; ${own.join('')}wait`]);
    const done = stdout.split('# Nmap done at ').length - 1;
    if (exitCode !== 0 || done !== own.length) throw new Error(`bench: of ${own.length} calls of nmap on ${machine} ${done} came to their end (exit code ${exitCode}): ${stderr}${stdout}`);
    return openOf(stdout).map((port) => `${machine} ${port}`);
  }));
  return each.flat();
}

/** Puts the host's own nmap into a machine, with all that it needs. Gone with the lab. */
export async function carryNmap(machine: (typeof vmNames)[number]): Promise<void> {
  const binary = realpathSync('/usr/bin/nmap');
  const libraries = [...execFileSync('ldd', [binary], { encoding: 'utf8' }).matchAll(/(\/\S+\.so[.\d]*) \(0x/g)].map(([, path = '']) => path);
  const loader = libraries.find((path) => path.includes('/ld-'));
  if (loader === undefined) throw new Error(`bench: ${binary} has no loader that ldd would name`);
  const bring = async (path: string, to: string): Promise<void> => {
    const text = execFileSync('base64', ['-w', '0', realpathSync(path)], { encoding: 'utf8', maxBuffer: 1e9 });
    const { exitCode, stderr } = await run(machine, ['sh', '-c', 'mkdir -p "${1%/*}" && base64 -d >"$1" && chmod 755 "$1"', 'sh', `${folder}/${to}`], { input: text });
    if (exitCode !== 0) throw new Error(`bench: ${machine} did not take ${path}: ${stderr}`);
  };
  await bring(loader, 'ld.so');
  await bring(binary, 'nmap');
  for (const path of libraries) await bring(path, `lib/${path.split('/').at(-1)}`);
  for (const file of ['nmap-services', 'nmap-protocols', 'nmap-payloads', 'nmap-mac-prefixes']) await bring(`/usr/share/nmap/${file}`, file);
}
