// What is swept at once: the pairs to one destination whose packets can be told apart, and what they share divided among them. Pure.
import { grouped } from '../grouped.ts';
import type { Pair, Turn } from '../model.ts';
import { unitOf, type Range } from './units.ts';

/** Pairs of one source, which share its rate and its processes; and sources, whose rates add up at the destination. */
export const atOnce = { pairs: 8, sources: 5 } as const;

/** The machines of ours that pass a pair's packets on. */
export type PassedBy = (pair: Pair) => readonly string[];

/**
 * The next pairs to be swept at once, to one destination, which those that are `running` do not disturb, nor they these: a machine that sweeps sends
 * RSTs of its own for what answers, so none is counted of it meanwhile; and what a router sends itself looks like what it passes on.
 * @param refused whether the destination was seen to answer a pair by RSTs: such a pair would be swept by itself in the end, so that it is from then on
 * @param rate packets a second: a pair has one of them at least
 * @returns none where all wait for those that are running
 */
export function nextBatch(waiting: readonly Pair[], running: readonly Pair[], { passedBy, refused, rate }: Readonly<{ passedBy: PassedBy; refused: (pair: Pair) => boolean; rate: number }>): readonly Pair[] {
  const busy = new Set(running.flatMap(({ from, to }) => [from, to]));
  const [sending, passing] = [new Set(running.map(({ from }) => from)), new Set(running.flatMap(passedBy))];
  const isFree = (pair: Pair): boolean => !busy.has(pair.from) && !busy.has(pair.to) && !passing.has(pair.from) && !passedBy(pair).some((host) => sending.has(host));
  const destination = waiting.find(isFree)?.to;
  const batch: Pair[] = [];
  const own = new Map<string, number>();
  const passed = new Set<string>();
  const free = waiting.filter((one) => one.to === destination && isFree(one));
  if (free.every(refused)) return free.slice(0, 1);
  // What nobody passes on first: else the first pair that comes by a router would keep all of the router's own out.
  for (const pair of free.filter((one) => !refused(one)).toSorted((a, b) => passedBy(a).length - passedBy(b).length)) {
    const count = own.get(pair.from) ?? 0;
    const isApart = !passed.has(pair.from) && !passedBy(pair).some((host) => own.has(host));
    if (!isApart || count >= Math.min(atOnce.pairs, rate) || (count === 0 && own.size >= atOnce.sources)) continue;
    batch.push(pair);
    own.set(pair.from, count + 1);
    for (const host of passedBy(pair)) passed.add(host);
  }
  return batch;
}

/** By host: how many of these pairs have packets there. */
export function sharedBy(batch: readonly Pair[], hostsOf: (pair: Pair) => readonly string[]): ReadonlyMap<string, number> {
  return new Map([...grouped(batch.flatMap(hostsOf), (host) => host)].map(([host, all]) => [host, all.length]));
}

/**
 * Of each pair its next unit. @param rate packets a second of each source · @param room ports that a pair's machines may remember · @param speed
 * ports a second that a pair was seen to be swept at, or is likely to be as one of so many of its source
 */
export function turnsOf(batch: readonly Pair[], { rate, room, left, speed, attempts }: Readonly<{ rate: number; room: (pair: Pair) => number; left: (pair: Pair) => readonly Range[]; speed: (pair: Pair, ofSource: number) => number; attempts: (pair: Pair) => number }>): readonly Turn[] {
  const shares = sharedBy(batch, ({ from }) => [from]);
  return batch.flatMap((pair) => {
    const [range] = left(pair);
    const ofSource = shares.get(pair.from) ?? 1;
    const own = Math.floor(rate / ofSource);
    return range === undefined ? [] : [{ pair, rate: own, unit: unitOf(pair, range, Math.min(speed(pair, ofSource), own / attempts(pair)), room(pair)) }];
  });
}

/** Two parts of what cannot be told of all together: those that were refused, and the others; or halves. What the rest does not send meanwhile is theirs. */
export function partsOf(turns: readonly Turn[], wasRefused: (turn: Turn) => boolean): readonly (readonly Turn[])[] {
  const refused = turns.filter(wasRefused);
  const half = Math.ceil(turns.length / 2);
  const parts = refused.length > 0 && refused.length < turns.length ? [turns.filter((turn) => !refused.includes(turn)), refused] : [turns.slice(0, half), turns.slice(half)];
  const ofSource = (some: readonly Turn[], { pair: { from } }: Turn): readonly Turn[] => some.filter(({ pair }) => pair.from === from);
  const rateOf = (some: readonly Turn[]): number => some.reduce((sum, { rate }) => sum + rate, 0);
  return parts.map((part) => part.map((turn) => ({ ...turn, rate: Math.floor(rateOf(ofSource(turns, turn)) / ofSource(part, turn).length) })));
}
