// What a destination's connection tracking tells: an entry is confirmed only after INPUT has let the packet in, so an
// entry means arrival, with no listener needed. Pure.
import { canonical } from './address.ts';
import type { Flow } from './model.ts';

/** The original direction of one entry. */
export type Entry = Readonly<{ transport: string; source: string; destination: string; sourcePort: number | null; port: number | null; icmpType: number | null; line: string }>;

/** Reads lines of /proc/net/nf_conntrack: `ipv4 2 tcp 6 117 SYN_RECV src=… dst=… sport=… dport=… src=…`. */
export function parseEntries(lines: readonly string[]): readonly Entry[] {
  return lines.flatMap((line) => {
    const transport = /\b(tcp|udp|icmp|icmpv6)\b/.exec(line)?.[1];
    // The first of each field is the original direction's, the second the reply's.
    const field = (name: string): string | undefined => new RegExp(`\\b${name}=(\\S+)`).exec(line)?.[1];
    const number = (name: string): number | null => (/^\d+$/.test(field(name) ?? '') ? Number(field(name)) : null);
    const [source, destination] = [field('src'), field('dst')];
    if (transport === undefined || source === undefined || destination === undefined) return [];
    return [{
      transport: transport === 'icmpv6' ? 'icmp' : transport, source: canonical(source), destination: canonical(destination),
      sourcePort: number('sport'), port: number('dport'), icmpType: number('type'), line: line.trim().replace(/\s+/g, ' '),
    }];
  });
}

/** Echo requests: RFC 792, RFC 4443. */
const echoTypes: ReadonlySet<number | null> = new Set([8, 128]);

/**
 * The entry that shows that a flow arrived.
 * @param sources the vantage's own addresses
 * @param translators addresses that the source may have been masqueraded to: believed for our own source ports alone
 * @param sourcePorts those of our tries, where the prober knows them
 * @param known entries that were there before the first probe
 */
export function findArrival(
  flow: Flow,
  entries: readonly Entry[],
  { sources, translators, sourcePorts, known }: Readonly<{ sources: ReadonlySet<string>; translators: ReadonlySet<string>; sourcePorts: ReadonlySet<number>; known: ReadonlySet<string> }>,
): Entry | null {
  const address = canonical(flow.address ?? '');
  const found = entries.find((entry) => {
    if (entry.transport !== flow.transport || entry.destination !== address) return false;
    if (flow.transport === 'icmp' ? !echoTypes.has(entry.icmpType) : entry.port !== flow.port) return false;
    const ours = entry.sourcePort !== null && sourcePorts.has(entry.sourcePort);
    if (sources.has(entry.source)) return ours || !known.has(identity(entry));
    return ours && translators.has(entry.source);
  });
  return found ?? null;
}

/** What makes two readings of an entry the same one: its state and its timer change. */
export function identity(entry: Entry): string {
  return [entry.transport, entry.source, entry.destination, entry.sourcePort, entry.port, entry.icmpType].join(' ');
}
