// How many connections may be begun before a machine on their way is half full with those that it tracks: one whose table is full drops its users'
// connections. What is begun at the same time by others counts from when it is begun.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pair, Turn } from '../model.ts';
import type { Vantage } from '../vantage.ts';
import { sharedBy } from './batch.ts';
import { freeIn, readBounds } from './bounds.ts';

export type Room = Readonly<{
  /** Waits until one of the pairs has any, or patience ends. @returns by pair, ports that it may begin with; less than one: none */
  of: (pairs: readonly Pair[]) => Promise<ReadonlyMap<string, number>>;
  /** Waits until all of these have room for their units. @returns whether they have */
  has: (turns: readonly Turn[]) => Promise<boolean>;
  /** They begin now. @returns to be called when they are over, and the machines' own tables tell of them */
  take: (turns: readonly Turn[]) => () => void;
}>;

/** Connections that nobody answers are forgotten after two minutes. */
const patienceMs = 300_000;
const everyMs = 1_000;

/** @param hostsOf the machines of ours that see a pair's packets · @param isOver whether nobody waits any more */
export function makeRoom(vantages: ReadonlyMap<string, Pick<Vantage, 'bounds'>>, hostsOf: (pair: Pair) => readonly string[], isOver: () => boolean, pause: () => Promise<unknown> = () => sleep(everyMs)): Room {
  const begun = new Map<string, number>();
  const note = (turns: readonly Turn[], sign: 1 | -1): void => {
    for (const { pair, unit } of turns) for (const host of hostsOf(pair)) begun.set(host, (begun.get(host) ?? 0) + sign * (unit.last - unit.first + 1));
  };
  const free = async (pairs: readonly Pair[]): Promise<(pair: Pair, among: ReadonlyMap<string, number>) => number> => {
    const byHost = freeIn(await readBounds([...new Set(pairs.flatMap(hostsOf))], vantages), begun);
    return (pair, among) => Math.min(...hostsOf(pair).map((host) => (byHost.get(host) ?? Number.POSITIVE_INFINITY) / (among.get(host) ?? 1)), Number.POSITIVE_INFINITY);
  };
  const until = async <T>(look: () => Promise<T>, isEnough: (seen: T) => boolean): Promise<T> => {
    for (let left = patienceMs / everyMs; ; left -= 1) {
      const seen = await look();
      if (isEnough(seen) || left <= 0 || isOver()) return seen;
      await pause();
    }
  };
  return {
    of: (pairs) => until(async () => {
      const [shared, freeFor] = [sharedBy(pairs, hostsOf), await free(pairs)];
      return new Map(pairs.map((pair) => [pair.id, Math.floor(freeFor(pair, shared) / 2)])); // the other half is for whoever comes meanwhile
    }, (rooms) => [...rooms.values()].some((room) => room >= 1)),
    has: (turns) => until(async () => {
      const wanted = new Map<string, number>();
      for (const { pair, unit } of turns) for (const host of hostsOf(pair)) wanted.set(host, (wanted.get(host) ?? 0) + unit.last - unit.first + 1);
      const freeFor = await free(turns.map(({ pair }) => pair));
      return turns.every(({ pair }) => freeFor(pair, wanted) >= 1);
    }, (enough) => enough),
    take: (turns) => {
      note(turns, 1);
      return () => note(turns, -1);
    },
  };
}
