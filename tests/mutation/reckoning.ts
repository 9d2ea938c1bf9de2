// What the lab's kernels do with a packet, reckoned without lib: each machine sends every packet itself, and sets behind all
// firewalls say which of them left, got in anywhere, and were answered. Shares no code with the probers or the judge.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { initOf } from '../../lab/inside.ts';
import { forgetConnections } from '../../lab/phase.ts';
import { host } from '../../lab/shell.ts';
import { innerNames, type InnerName, machines, namespaceOf, vmNames, wan } from '../../lab/topology.ts';

/**
 * `address` may carry a scope (`%eth0`); `sport` 0: one that no other packet has; `by`: a frame to that neighbour instead of the
 * router; `source`: a forged one, for frames.
 */
export type Packet = Readonly<{ id: string; from: InnerName; address: string; protocol: number; sport: number; dport: number; payload: string; by: InnerName | null; source?: string }>;

/**
 * `got`: the first machine, other than the sender, whose INPUT let it in; `passed`: the neighbour `by` forwards it; `untracked`: the
 * machines that it came to, or left, past their connection tracking.
 */
export type Fate = Readonly<{ left: boolean; got: InnerName | null; passed: boolean; answered: boolean; untracked: readonly InnerName[] }>;

/** Through the source's own firewall, or past it. */
export type Way = 'as a user' | 'as a frame';

const table = readFileSync(join(import.meta.dirname, 'reckoning.nft'), 'utf8');
/** internet has no firewall, but an echo that takes what is for other ports: there it counts what comes to the door. */
const atTheDoor = table.replace('type filter hook input priority 1000; policy accept;', 'type filter hook prerouting priority -150; policy accept; fib daddr type != local return');
const program = readFileSync(join(import.meta.dirname, 'send.py'), 'utf8');
const icmp = [1, 58];
const firstPort = 20_001;

/** Each packet is sent twice: the first finds its neighbour. */
export async function reckon(packets: readonly Packet[], way: Way): Promise<ReadonlyMap<string, Fate>> {
  const numbered = packets.map((packet, index) => ({ ...packet, sport: packet.sport === 0 ? firstPort + index : packet.sport, own: packet.sport === 0 }));
  await forgetConnections();
  await Promise.all(innerNames.map((name) => nft(name, name === 'internet' ? atTheDoor : table)));
  try {
    const neighbours = await neighboursOf();
    const sources = [...new Set(packets.map(({ from }) => from))];
    const sent = await Promise.all(sources.map((from) => send(from, numbered.filter((packet) => packet.from === from), way, neighbours)));
    const records = new Map(await Promise.all(innerNames.map(async (name) => [name, await recordsOf(name)] as const)));
    const taken = new Set(numbered.map(({ sport }) => sport));
    return new Map(sent.flat().map((packet) => [packet.id, fateOf(packet, records, way, taken)]));
  } finally {
    await Promise.all(innerNames.map((name) => nft(name, 'delete table inet reckoning')));
    await forgetConnections();
  }
}

/** The machines whose connection tracking records a datagram to themselves, as `mesh ipv4`: it sleeps where no rule asks for it. */
export async function awakeMachines(): Promise<ReadonlySet<string>> {
  const shown = await Promise.all(vmNames.flatMap((name) => ([['ipv4', '127.0.0.1', 31_990], ['ipv6', '::1', 31_991]] as const).map(async ([family, address, port]) => {
    const { exitCode } = await host({ nothrow: true })`nsenter --net=/run/netns/${namespaceOf(name)} bash -c ${`exec 3<>/dev/udp/${address}/${port}; echo >&3; grep -q dport=${port} /proc/net/nf_conntrack`}`;
    return exitCode === 0 ? [`${name} ${family}`] : [];
  })));
  return new Set(shown.flat());
}

const nft = (name: InnerName, input: string): Promise<unknown> => host({ input })`nsenter --net=/run/netns/${namespaceOf(name)} nft -f -`;

type Numbered = Packet & Readonly<{ own: boolean }>;
type Sent = Numbered & Readonly<{ sender: string | null }>;
type Route = Readonly<{ device: string; via: string | null; source: string }>;

async function send(from: InnerName, packets: readonly Numbered[], way: Way, neighbours: ReadonlyMap<string, string>): Promise<readonly Sent[]> {
  const routes = await routesOf(from, [...new Set(packets.map(({ address }) => address))]);
  const bridge = machines[from].interfaces.find((one) => one.bridge === 'vmbr1');
  const ready = packets.map((packet) => {
    const frame = way === 'as a frame' || packet.by !== null;
    const route = packet.by === null ? routes.get(packet.address) : { device: bridge?.name ?? '', via: machines[packet.by].interfaces.find((one) => one.bridge === 'vmbr1')?.address.split('/')[0] ?? null, source: bridge?.address.split('/')[0] ?? '' };
    return { ...packet, route, frame };
  });
  const lines = ready.flatMap(({ route, frame, address, protocol, sport, dport, payload, source }) =>
    route === undefined ? [] : [{ source: source ?? route.source, target: address, device: route.device, protocol, sport, dport, payload: payload.replace('CIADDR', ipv4Hex(route.source)), frame, mac: neighbours.get((route.via ?? address).split('%')[0] ?? '') ?? null }]);
  const input = JSON.stringify({ rounds: 2, packets: lines });
  await host({ input })`nsenter --net=/run/netns/${namespaceOf(from)} chroot /proc/${initOf('internet')}/root python3 -c ${program}`;
  return ready.map(({ route, ...packet }) => ({ ...packet, sender: packet.source ?? route?.source ?? null }));
}

/** DHCP alone has the sender's own address in its payload. */
const ipv4Hex = (address: string): string => Buffer.from(address.split('.').map(Number)).toString('hex');

/** The routing table's own word; an address that has no route is not in it. */
async function routesOf(from: InnerName, addresses: readonly string[]): Promise<ReadonlyMap<string, Route>> {
  const input = addresses.map((address) => `route get ${address.replace('%', ' dev ')}`).join('\n');
  const { stdout } = await host({ input, nothrow: true })`ip -n ${namespaceOf(from)} -force -batch -`;
  const found = [...stdout.matchAll(/^(?:local )?(\S+)(?: from \S+)?(?: via (\S+))? dev (\S+).*? src (\S+)/gm)];
  return new Map(addresses.flatMap((address) => {
    const [plain = '', scope] = address.split('%');
    const one = found.find(([, target, , device]) => target === plain && (scope === undefined || scope === device));
    return one === undefined ? [] : [[address, { device: one[3] ?? '', via: one[2] ?? null, source: one[4] ?? '' }] as const];
  }));
}

/** Ethernet address by IP address, of all machines. */
async function neighboursOf(): Promise<ReadonlyMap<string, string>> {
  const all = await Promise.all(innerNames.map(async (name) => {
    const { stdout } = await host`ip -n ${namespaceOf(name)} -j addr`;
    const links = JSON.parse(stdout) as readonly { readonly link_type: string; readonly address?: string; readonly addr_info: readonly { readonly local: string }[] }[];
    return links.flatMap(({ link_type: type, address, addr_info: own }) => (type === 'ether' ? own.map(({ local }) => [local, address ?? ''] as const) : []));
  }));
  return new Map(all.flat());
}

type Kind = 'left' | 'got' | 'passed' | 'answer' | 'untracked';
/** What a kernel recorded, the newest form of it: ports for most, the identifier of an echo as its source port, none for others. */
type Entry = Readonly<{ source: string; target: string; protocol: number; sport: number; dport: number }>;

async function recordsOf(name: InnerName): Promise<ReadonlyMap<Kind, ReadonlyMap<string, readonly Entry[]>>> {
  const { stdout } = await host`nsenter --net=/run/netns/${namespaceOf(name)} nft -nj list table inet reckoning`;
  const { nftables } = JSON.parse(stdout) as { nftables: readonly { readonly set?: { readonly name: string; readonly elem?: readonly Element[] } }[] };
  const kinds = new Map<Kind, Map<string, Entry[]>>([['left', new Map()], ['got', new Map()], ['passed', new Map()], ['answer', new Map()], ['untracked', new Map()]]);
  for (const { set } of nftables) {
    const [, kind, echo, version] = /^(left|got|passed|answer|untracked)(echo)?(4|6|bare)$/.exec(set?.name ?? '') ?? [];
    if (kind === undefined) continue;
    for (const element of set?.elem ?? []) {
      const [source, target, third, sport, dport] = ('elem' in element ? element.elem.val : element).concat as readonly [string, string, number, number, number];
      const entry: Entry = echo === undefined ? { source, target, protocol: third, sport, dport } : { source, target, protocol: version === '6' ? 58 : 1, sport: third, dport: 0 };
      const own = kinds.get(kind as Kind);
      own?.set(keyOf(entry), [...(own.get(keyOf(entry)) ?? []), entry]);
    }
  }
  return kinds;
}

type Concat = Readonly<{ concat: readonly unknown[] }>;
type Element = Concat | Readonly<{ elem: Readonly<{ val: Concat }> }>;

const isBare = (protocol: number): boolean => ![6, 17, ...icmp].includes(protocol);
const keyOf = ({ protocol, sport }: Readonly<{ protocol: number; sport: number }>): string => `${protocol} ${isBare(protocol) ? '-' : sport}`;

function fateOf(packet: Sent, records: ReadonlyMap<InnerName, ReadonlyMap<Kind, ReadonlyMap<string, readonly Entry[]>>>, way: Way, taken: ReadonlySet<number>): Fate {
  const { from, address, protocol, sport, dport, own, sender, by } = packet;
  const target = address.split('%')[0];
  const entries = (machine: InnerName, kind: Kind, key = keyOf(packet)): readonly Entry[] => records.get(machine)?.get(kind)?.get(key) ?? [];
  const isIts = (entry: Entry): boolean =>
    (own && !isBare(protocol)) || ((entry.source === sender || (from === 'joi' && entry.source === wan.gateway)) && entry.target === target && (isBare(protocol) || entry.dport === dport));
  const left = entries(from, 'left').some((entry) => entry.source === sender && entry.target === target && (icmp.includes(protocol) || isBare(protocol) || entry.dport === dport));
  // The gateway gives joi's low source ports another number (nf_nat_core.c: a port that something local may use is not lent out).
  const isLent = ({ source: seen, target: asked, protocol: kind, sport: lent, dport: port }: Entry): boolean =>
    from === 'joi' && !own && seen === wan.gateway && asked === target && kind === protocol && port === dport && !taken.has(lent);
  const got = innerNames.find((name) => name !== from && (entries(name, 'got').some(isIts) || [...(records.get(name)?.get('got')?.values() ?? [])].flat().some(isLent))) ?? null;
  // What never left has no answer: a server may still say SYN-ACK to the frames of a run before, for a minute.
  const replies = icmp.includes(protocol) ? entries(from, 'answer') : entries(from, 'answer', `${protocol} ${dport}`).filter((entry) => entry.dport === sport);
  const untracked = innerNames.filter((name) => entries(name, 'untracked').some(isIts));
  return { untracked, left, got: left || way === 'as a frame' || by !== null ? got : null, passed: by !== null && entries(by, 'passed').length > 0, answered: left && replies.some((entry) => entry.source === target) };
}
