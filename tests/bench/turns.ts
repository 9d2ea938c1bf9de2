// Several ways timed in turns, each turn beginning with another one: the machine is shared, and a second of it is not the next one's second.
import { median } from '../lab/growth.ts';

/** ms each way took in one turn. */
export type Turn<Way extends string> = Readonly<Record<Way, number>>;

/** @param tell is given each turn at its end. @returns the turns that came to their end: fewer than asked for where it was stopped */
export async function inTurns<Way extends string>(ways: Readonly<Record<Way, () => Promise<void>>>, turns: number, stop: AbortSignal, tell: (turn: Turn<Way>, number: number) => void): Promise<readonly Turn<Way>[]> {
  const names = Object.keys(ways) as Way[];
  const took: Turn<Way>[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const times = new Map<Way, number>();
    for (const index of names.keys()) {
      const name = names[(index + turn) % names.length] as Way;
      const began = performance.now();
      await ways[name]();
      if (stop.aborted) return took;
      times.set(name, performance.now() - began);
    }
    took.push(Object.fromEntries(times) as Turn<Way>);
    tell(Object.fromEntries(times) as Turn<Way>, turn + 1);
  }
  return took;
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

/** The least, the median and the most of them. */
export const spread = (numbers: readonly number[], told: (one: number) => string): readonly string[] => [Math.min(...numbers), median(numbers), Math.max(...numbers)].map(told);

export const times = (one: number): string => `${one.toFixed(1)} x`;
