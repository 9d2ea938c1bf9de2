// What a host's connection tracking tells: an entry is confirmed only after INPUT has let the packet in (or POSTROUTING out),
// so an entry means passage, with no listener needed. Pure.
import { canonical } from './address.ts';
import type { Flow, Reading, Transport } from './model.ts';

export type { Reading } from './model.ts';

/** The original direction of one entry. */
export type Entry = Readonly<{
  transport: Transport;
  source: string;
  destination: string;
  /** ICMP: the echo's identifier. */
  sourcePort: number | null;
  /** Transport `ip`: the protocol's number. */
  port: number | null;
  icmpType: number | null;
  /** When it will be forgotten, unless another packet comes. */
  expiresMs: number;
  /** TCP's state, as ESTABLISHED; null where the transport has none. */
  state: string | null;
  replied: boolean;
  line: string;
}>;

const transports: Readonly<Record<number, Transport>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmp' };
/** Two readings tell the same timer with a second's difference; a packet sets it back to its whole length. */
const timerSlackMs = 2_000;

/** Each field of a row by its name; made once, as a row is read by all of them. */
const fields = { src: /\bsrc=(\S+)/, dst: /\bdst=(\S+)/, sport: /\bsport=(\S+)/, dport: /\bdport=(\S+)/, id: /\bid=(\S+)/, type: /\btype=(\S+)/ } as const;

/** Reads lines of /proc/net/nf_conntrack: `ipv4 2 tcp 6 117 SYN_RECV src=… dst=… sport=… dport=… src=…`. */
export function parseEntries({ atMs, rows }: Reading): readonly Entry[] {
  return rows.flatMap((row) => {
    const [, protocol, seconds, state] = /^ipv[46]\s+\d+\s+\S+\s+(\d+)\s+(\d+)(?:\s+([A-Z_0-9]+))?\s/.exec(row) ?? [];
    // The first of each field is the original direction's, the second the reply's.
    const field = (name: keyof typeof fields): string | undefined => fields[name].exec(row)?.[1];
    const number = (name: keyof typeof fields): number | null => (/^\d+$/.test(field(name) ?? '') ? Number(field(name)) : null);
    const [source, destination] = [field('src'), field('dst')];
    if (protocol === undefined || source === undefined || destination === undefined) return [];
    const transport = transports[Number(protocol)] ?? 'ip';
    return [{
      transport, source: canonical(source), destination: canonical(destination),
      sourcePort: transport === 'icmp' ? number('id') : number('sport'), port: transport === 'ip' ? Number(protocol) : number('dport'), icmpType: number('type'),
      expiresMs: atMs + Number(seconds) * 1000, state: state ?? null, replied: !row.includes('[UNREPLIED]'), line: row.trim().replace(/\s+/g, ' '),
    }];
  });
}

/** What the first reading knew: when each entry would be forgotten, by its identity. */
export function knownEntries(first: Reading): ReadonlyMap<string, number> {
  return new Map(parseEntries(first).map((entry) => [identity(entry), entry.expiresMs]));
}

/** Whether a packet came since the first reading: the entry is new, or its timer was set back. */
const isFresh = (entry: Entry, known: ReadonlyMap<string, number>): boolean => (known.get(identity(entry)) ?? Number.NEGATIVE_INFINITY) + timerSlackMs < entry.expiresMs;

/**
 * A function that takes from each later reading the rows that tell something new. A row that has been met as fresh, in the same state,
 * shows that packets passed each time that it would be looked for; met again, it shows no more, whatever its timer says. Rows that are
 * no entries tell nothing.
 */
export function newsSince(first: Reading): (reading: Reading) => Reading {
  const known = knownEntries(first);
  const met = new Set<string>();
  return ({ rows, ...when }) => ({
    ...when,
    rows: rows.filter((row) => {
      const [entry] = parseEntries({ ...when, rows: [row] });
      if (entry === undefined) return false;
      const told = `${identity(entry)} ${entry.state} ${entry.replied} ${isFresh(entry, known)}`;
      if (met.has(told)) return false;
      met.add(told);
      return true;
    }),
  });
}

/**
 * For how long (ms) the kernel keeps an entry at the least: nf_conntrack_proto_udp.c and _icmp.c (unanswered), _tcp.c (SYN_RECV; a RST ends
 * an entry at once, so TCP's silence proves nothing where one can have been, see judge.ts), _gre.c (the shortest of other protocols).
 */
const keptMs: Readonly<Record<Transport, number>> = { tcp: 60_000, udp: 30_000, icmp: 30_000, ip: 30_000 };

/** The longest time (ms) that no reading covers: from when one began to when the next had ended. */
export function longestGapMs(readings: readonly Reading[]): number {
  return Math.max(0, ...readings.slice(1).map(({ atMs, endMs = atMs }, index) => endMs - (readings[index]?.atMs ?? 0)));
}

/**
 * Why an entry may have come and gone between two readings; null: none can have.
 * @param keepsMs for how long the host showed to keep an unanswered datagram, null where it did not
 */
export function missable(transport: Transport, gapMs: number, keepsMs: number | null): string | null {
  const kept = Math.min(keptMs[transport], keepsMs ?? Infinity);
  return gapMs < kept ? null : `was not read for ${(gapMs / 1000).toFixed(1)} s, and may keep what got no answer for ${kept / 1000} s alone`;
}

/** Why a table may have forgotten entries before their time, or kept packets out; null: it was never full, by its host's own count. */
export function overfull(readings: readonly Reading[]): string | null {
  const [first, last] = [readings[0]?.dropped, readings.at(-1)?.dropped];
  if (first === undefined || last === undefined) return null; // of an older run
  if (first === null || last === null) return 'may have been full: its host does not say';
  if (last < first) return 'began anew';
  return last === first ? null : `was full, and ${last - first} entries or packets were dropped for it`;
}

/** Echo requests: RFC 792, RFC 4443. */
const echoTypes: ReadonlySet<number | null> = new Set([8, 128]);
/** What sockets are given that ask for no port (Linux: 32768 and above; others: 1024). */
const firstEphemeralPort = 1024;

export type Ours = Readonly<{
  /** The vantage's own addresses. */
  sources: ReadonlySet<string>;
  /** Addresses that the source may have been masqueraded to (null: any): believed for our own source ports alone. */
  translators: ReadonlySet<string> | null;
  /** Those of our tries, or the identifier of the echo; empty where the prober cannot know them. */
  sourcePorts: ReadonlySet<number>;
  /** Those that packets of other vantages were given: a machine that passes them on and translates them shows them as its own. */
  others: Pick<ReadonlySet<number>, 'has'>;
}>;

/** The entry, among those of later readings, that shows that a look's packets passed. */
export function findArrival(flow: Flow, entries: readonly Entry[], { sources, translators, sourcePorts, others }: Ours, known: ReadonlyMap<string, number>): Entry | null {
  const address = canonical(flow.address ?? '');
  const found = entries.find((entry) => {
    if (entry.transport !== flow.transport || entry.destination !== address) return false;
    if (flow.transport === 'icmp' ? !echoTypes.has(entry.icmpType) : entry.port !== flow.port) return false;
    if (!isFresh(entry, known)) return false;
    const named = entry.sourcePort !== null && sourcePorts.has(entry.sourcePort);
    if (sources.has(entry.source)) return named || flow.transport === 'ip' || (sourcePorts.size === 0 && (flow.transport === 'icmp' || isEphemeral(entry.sourcePort, others)));
    // An entry of the translator's own may have one of our ports by chance: nothing on the link itself goes through it.
    return (named || flow.transport === 'ip') && flow.route?.via !== undefined && (translators === null || translators.has(entry.source));
  });
  return found ?? null;
}

/** Whether a socket that asked for no port may have this one. */
const isEphemeral = (port: number | null, others: Ours['others']): boolean => port !== null && port >= firstEphemeralPort && !others.has(port);

/** Connections that live: what `ct state established` lets through without asking any rule again. */
export function isLive({ transport, state, replied }: Entry): boolean {
  return transport === 'tcp' ? state === 'ESTABLISHED' : replied && transport !== 'icmp';
}

/** What makes two readings of an entry the same one: its state and its timer change. */
function identity(entry: Entry): string {
  return [entry.transport, entry.source, entry.destination, entry.sourcePort, entry.port, entry.icmpType].join(' ');
}
