// A pair's ports -> units that take about the same time, however fast the prober is. Pure.
import type { Pair, Unit } from '../model.ts';

export type Range = readonly [first: number, last: number];

/** Connection tracking keeps a SYN that got in for 60 s, one that is unanswered for 120 (nf_conntrack_proto_tcp.c); it is read after each unit. */
const unitSeconds = 30;

/** Before a prober has shown how fast it is: python keeps any rate, a process a port is slow on small machines, which the pairs of it share. */
const unknownSpeed = { python: Number.POSITIVE_INFINITY, sh: 100 } as const;

/** What is still to be swept of a range, in its order. */
export function leftOf([first, last]: Range, done: readonly Readonly<{ first: number; last: number }>[]): readonly Range[] {
  const left: Range[] = [];
  let next = first;
  for (const one of done.toSorted((a, b) => a.first - b.first)) {
    if (one.first > next) left.push([next, Math.min(last, one.first - 1)]);
    next = Math.max(next, one.last + 1);
    if (next > last) break;
  }
  if (next <= last) left.push([next, last]);
  return left;
}

export const portsOf = (ranges: readonly Range[]): number => ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);

/**
 * The first unit of what is left. Of a pair with named ports it is all: they are few.
 * @param speed ports a second · @param room ports that may be remembered at once by the machines that they pass
 */
export function unitOf({ id, named }: Pair, [first, last]: Range, speed: number, room: number): Unit {
  const size = named === null ? Math.max(1, Math.floor(Math.min(speed * unitSeconds, room))) : 65_535;
  return { pair: id, first, last: Math.min(last, first + size - 1) };
}

/** The ports a second of each pair, one of `ofSource` at once: what was measured since the beginning. */
export type Pace = Readonly<{ of: (pair: Pair, kind: 'python' | 'sh', ofSource: number) => number; measured: (pair: Pair, kind: 'python' | 'sh', ports: number, ms: number) => void }>;

export function paceOf(): Pace {
  const byPair = new Map<string, number>();
  const slowest = new Map<string, number>(); // by source: ports that answer at once say little of those of the next pair, which may be silent
  return {
    of: ({ id, from }, kind, ofSource) => byPair.get(id) ?? slowest.get(from) ?? unknownSpeed[kind] / ofSource,
    measured: (pair, kind, ports, ms) => {
      const [before, now] = [byPair.get(pair.id) ?? slowest.get(pair.from) ?? unknownSpeed[kind], (ports * 1_000) / Math.max(1, ms)];
      // One that is over early is no reason to slow down, however few its ports were.
      const speed = ms < unitSeconds * 1_000 ? Math.min(Math.max(before, now), 2 * before) : now;
      byPair.set(pair.id, speed);
      slowest.set(pair.from, Math.min(slowest.get(pair.from) ?? Number.POSITIVE_INFINITY, speed));
    },
  };
}
