// What the verdicts must be, reckoned from what the kernels did with the packets (reckoning.ts): pure, and none of lib.
import { docker, nebula, type InnerName, vmNames } from '../../lab/topology.ts';
import type { Cell } from '../lab/harness.ts';
import type { Fate, Packet } from './reckoning.ts';

/** `awake`: the machines whose connection tracking records, as `mesh ipv4`. */
export type Fates = Readonly<{ user: ReadonlyMap<string, Fate>; frame: ReadonlyMap<string, Fate>; awake: ReadonlySet<string> }>;

/**
 * `shown`: green by a proof, or inconclusive where a witness is out of reach · `blind`: inconclusive, or no cell at all, as some
 * are about what the source alone can tell · `any`: not for the packets to say.
 */
export type Must = 'pass' | 'fail' | 'blind' | 'red' | 'shown' | 'any';

const numbers: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132 };

/** What a service answers to, where it must; hex. NTP: RFC 5905, 7.3 · DNS: RFC 1035, 4.1 · DHCP: RFC 2131, INFORM · Nebula: header/header.go, a message of an unknown tunnel. */
const payloads: Readonly<Record<number, string>> = {
  53: '123401000001000000000000076578616d706c6503636f6d0000010001',
  67: `01010600aabbccdd00000000CIADDR${'00'.repeat(12)}02${'00'.repeat(15)}${'00'.repeat(192)}63825363350108ff`,
  123: `23${'00'.repeat(47)}`,
  [nebula.udpPort]: `110000007fffffff0000000000000001${'00'.repeat(16)}`,
};

/** The packet of a cell; none for those that no packet tells of. */
export function packetOf(cell: Cell): Packet | null {
  const { id, from, address, proto, port, sourcePort, by } = cell;
  if (address === null || cell.family === 'no path' || cell.family === 'surviving session') return null;
  const protocol = proto === 'ip' ? port : proto === 'icmp' ? (address.includes(':') ? 58 : 1) : (numbers[proto] ?? 0);
  const payload = protocol === 17 ? (payloads[port] ?? '00'.repeat(8)) : '';
  const sport = sourcePort ?? (protocol === 17 && port === 67 ? 68 : 0);
  return { id, from: from as InnerName, address, protocol, sport, dport: proto === 'ip' || proto === 'icmp' ? 0 : port, payload, by: by as InnerName | null };
}

/** What docker-proxy sends on of a cell to joi's own Ollama: it takes the handshake itself, so that an answer needs this one, too. */
export function passedOnOf(cell: Cell): Packet | null {
  const packet = packetOf(cell);
  return packet === null || cell.port !== docker.ollamaPort || cell.address !== '127.0.0.1' ? null : { ...packet, id: onward(cell), address: docker.ollama };
}

const onward = ({ id }: Cell): string => `${id}, by docker-proxy`;

/** The cells that the suite also looks at past the source's own firewall. */
const hasWalls = ({ walls }: Cell): boolean => walls !== null;

export function expectations(cells: readonly Cell[], { user, frame, awake }: Fates, confined: readonly string[]): ReadonlyMap<string, Must> {
  const answered = (fits: (cell: Cell) => boolean): boolean => cells.some((cell) => cell.expected === 'allowed' && fits(cell) && user.get(cell.id)?.answered === true);
  const login = (from: string, to: string): boolean => answered((cell) => cell.from === from && cell.to === to && cell.proto === 'tcp' && cell.port === 22);
  const gatewayIn = login('operator', 'gateway');
  const isIn = (host: string): boolean => (host === 'gateway' ? gatewayIn : !vmNames.some((name) => name === host) || (gatewayIn && login('gateway', host)));
  /** The source has nothing to show that it can send there: our login comes by vmbr1, to the gateway by the WAN. */
  const isMute = ({ from, network }: Cell): boolean =>
    (network === 'nebula' || (network === 'wan' && ['mesh', 'ntp'].includes(from))) && !answered((cell) => cell.from === from && cell.network === network);
  /** Seen to work from a machine that can be entered. */
  const overlay = ({ from, to }: Cell): boolean => answered((cell) => isIn(cell.from) && cell.network === 'nebula' && [cell.from, cell.to].includes(from) && [cell.from, cell.to].includes(to));

  // What is sent to one machine and translated to another gets there by no path of its own: a look may see that, none must.
  const strays = new Set(cells.flatMap((cell) => {
    const got = user.get(cell.id)?.got ?? null;
    return got === null || got === cell.to ? [] : [strayOf(cell, got)];
  }));

  // Where one packet to a port was not tracked, none is: what is kept out already on the way is then nobody's to show.
  const untracked = new Set(cells.flatMap((cell) => [user, frame].flatMap((fates) => fates.get(cell.id)?.untracked.map((name) => portOf(cell, name)) ?? [])));

  /** Whether a machine that may ask for names can be entered: without, a target that is named has no address. */
  const isResolved = cells.some((cell) => cell.expected === 'allowed' && cell.proto === 'udp' && cell.port === 53 && isIn(cell.from));

  const must = (cell: Cell): Must => {
    const fate = user.get(cell.id);
    if (cell.family === 'surviving session') return isIn(cell.from) ? 'any' : 'blind';
    const isLogin = cell.expected === 'allowed' && cell.proto === 'tcp' && cell.port === 22;
    if (isLogin) return cell.from === 'gateway' && !gatewayIn ? 'red' : fate?.answered === true ? 'pass' : 'fail';
    if (!isIn(cell.from)) return 'blind';
    if (!isResolved && /\.[a-z]+$/.test(cell.to)) return 'shown';
    // Of a machine that cannot be entered its further addresses are not known.
    if (fate === undefined) return strays.has(strayOf(cell, cell.to)) || (cell.family === 'no path' && !isIn(cell.to)) ? 'any' : 'pass';
    if (cell.expected === 'allowed') return (fate.answered && user.get(onward(cell))?.answered !== false) || (cell.proto === 'udp' && cell.port === nebula.udpPort && overlay(cell)) ? 'pass' : 'fail';
    const through = frame.get(cell.id)?.got ?? null;
    const isAwake = isIn(cell.to) && !untracked.has(portOf(cell, cell.to)) && (!vmNames.some((name) => name === cell.to) || awake.has(`${cell.to} ${familyOf(cell)}`));
    const isWitnessed = isAwake || fate.answered;
    // Who passes it on is a witness of it alone; if it came no further, its sleep leaves those behind it, who rightly have nothing.
    if (fate.passed) return fate.got !== null || awake.has(`${cell.by} ${familyOf(cell)}`) ? 'fail' : 'any';
    if (fate.got !== null || fate.answered) return isWitnessed ? 'fail' : 'red';
    // Whether the far wall stands is then not told, which the line on who takes the machine over says.
    if (through !== null && hasWalls(cell) && confined.includes(cell.from)) return isAwake ? 'fail' : 'any';
    return !isWitnessed || !gatewayIn || isMute(cell) ? 'shown' : 'pass';
  };
  return new Map(cells.map((cell) => [cell.id, must(cell)]));
}

const familyOf = ({ address }: Cell): string => (address?.includes(':') === true ? 'ipv6' : 'ipv4');

const strayOf = ({ from, proto, port }: Cell, to: string): string => `${from} ${portOf({ proto, port }, to)}`;
const portOf = ({ proto, port }: Pick<Cell, 'proto' | 'port'>, to: string): string => `${to} ${proto}/${port}`;

export type Compared = Readonly<{ expectedRed: readonly string[]; seenRed: readonly string[]; missed: readonly string[]; surplus: readonly string[] }>;

/** Cell by cell: what must be red and is not, or is so in the wrong way, and what is red and must not be. */
export function compare(must: ReadonlyMap<string, Must>, seen: readonly Cell[]): Compared {
  const now = new Map(seen.map((cell) => [cell.id, cell]));
  const line = (id: string): string => `${now.get(id)?.verdict ?? 'none'}: ${id}`;
  const isRed = (id: string): boolean => now.get(id)?.verdict !== 'pass';
  const ids = [...must.keys()];
  const wanted = (kinds: readonly Must[]): string[] => ids.filter((id) => kinds.includes(must.get(id) ?? 'pass'));
  const missed = [
    ...wanted(['fail']).filter((id) => now.get(id)?.verdict !== 'fail'),
    ...wanted(['blind']).filter((id) => (now.get(id)?.verdict ?? 'inconclusive') !== 'inconclusive'),
    ...wanted(['red']).filter((id) => !isRed(id)),
  ];
  // What cannot be asked of a machine that cannot be entered, such as its WAN address, adds cells from it and to it.
  const blind = new Set(wanted(['blind']).map((id) => id.split(' ')[0]));
  const surplus = [
    ...wanted(['pass']).filter(isRed),
    ...wanted(['shown']).filter((id) => now.get(id)?.verdict === 'fail'),
    ...seen.filter(({ id, from, to, verdict }) => !must.has(id) && verdict !== 'pass' && !(verdict === 'inconclusive' && (blind.has(from) || blind.has(to)))).map(({ id }) => id),
  ];
  return {
    expectedRed: wanted(['fail', 'blind', 'red']).map((id) => `${must.get(id) === 'blind' ? 'inconclusive' : must.get(id)}: ${id}`),
    seenRed: seen.filter(({ verdict }) => verdict !== 'pass').map(({ id }) => line(id)),
    missed: missed.map(line),
    surplus: surplus.map((id) => `${line(id)}: ${now.get(id)?.reason}`),
  };
}
