// What a prober says of the places that it scans, and of a range of ports that it sweeps, line by line -> their states.
import type { Bounds, Failure, Reply, Scan, Scanned, SweepLook, Swept } from './model.ts';
import type { Line } from './wire.ts';

/** A prober waits on purpose while its machine has too many connections to track, which are forgotten after two minutes. */
const sweepPatienceMs = 300_000;

/** @param ask sends the command, and resolves at its end. @param onBegun told when all places have been sent to, if that is said at all */
export async function scannedOf({ places }: Scan, onBegun: () => void, ask: (onLine: (line: Line) => void) => Promise<{ failure: Failure | null }>): Promise<Scanned | Failure> {
  const asked = new Set(places.map(({ address, port }) => `${address} ${port}`));
  const states = new Map<string, string>();
  const { failure } = await ask((line) => {
    if (line.is === 'begun') onBegun();
    // Who says two things of one place says nothing of it.
    else if (line.is === 'at' && asked.has(line.place)) states.set(line.place, states.has(line.place) ? 'error-TWICE' : line.state);
  });
  return failure ?? { states };
}

/** @param ask sends the command, and resolves at its end */
export async function sweepOf({ first, last, attempts, rate, windowMs }: SweepLook, onPackets: (count: number) => void, ask: (timeoutMs: number, onLine: (line: Line) => void) => Promise<{ failure: Failure | null }>): Promise<Swept | Failure> {
  const states = new Map<number, string>();
  const icmp = new Map<number, Extract<Reply, { event: 'icmp' }>>();
  const counts = { silent: 0, swept: 0 };
  const refused: string[] = [];
  const { failure } = await ask((((last - first + 1) * attempts) / rate) * 3_000 + attempts * windowMs + sweepPatienceMs, (line) => {
    // Of ports that nobody asked for, nothing is kept: however much a prober says, that is the range's own.
    if (line.is === 'ports') for (let port = Math.max(first, line.first); port <= Math.min(last, line.last); port += 1) states.set(port, line.state);
    else if (line.is === 'count') counts[line.of] = line.count;
    else if (line.is === 'reply' && line.reply.event === 'icmp' && line.reply.try >= first && line.reply.try <= last) icmp.set(line.reply.try, line.reply);
    else if (line.is === 'reply' && line.reply.event === 'unprobed' && refused.length === 0) refused.push(`${line.reply.operation}: ${line.reply.errno}`);
    if (line.is === 'count' && line.of === 'swept') onPackets(line.count);
  });
  if (refused[0] !== undefined) return { operation: 'exchange', cause: refused[0] };
  return failure ?? { states, icmp, silent: counts.silent, packets: counts.swept };
}

/** `conntrack 12 262144`, a line each; what does not fit is not known. */
export function boundsOf(text: string): Bounds {
  const of = (name: string): Bounds['conntrack'] => {
    const [, most, bound] = new RegExp(`^${name} (\\d{1,12}) (\\d{1,12})$`, 'm').exec(text) ?? [];
    return most === undefined ? undefined : { most: Number(most), of: Number(bound) };
  };
  return { conntrack: of('conntrack'), descriptors: of('descriptors'), processes: of('processes') };
}
