// What the times are held to, as ratios: whether each is met, by how much it is not, and what takes longest. Pure.
import { median } from '../lab/growth.ts';
import { seconds, times } from './turns.ts';

/** `atMost` or `atLeast` so many times. */
type Aim = Readonly<{ what: string } & ({ atMost: number } | { atLeast: number })>;

export const aims = {
  overLogin: { what: 'npm test / login', atMost: 3 },
  nmapOverUs: { what: 'nmap / npm test', atLeast: 10 },
  sweepNmapOverUs: { what: 'nmap -sS / npm run sweep', atLeast: 5 },
} as const satisfies Readonly<Record<string, Aim>>;

export const aimsHead = ['ratio', 'aim', 'median', 'result'] as const;

/** A row of the table. @param ratio the median of the turns */
export function aimed(aim: Aim, ratio: number): readonly string[] {
  const [bound, missed] = 'atMost' in aim ? [`at most ${times(aim.atMost)}`, ratio / aim.atMost] : [`at least ${times(aim.atLeast)}`, aim.atLeast / ratio];
  return [aim.what, bound, times(ratio), missed <= 1 ? 'met' : `missed by a factor of ${missed.toFixed(1)}`];
}

/** The part that takes longest, of all. @param profile by part, the ms that it took in each turn */
export function longest(profile: ReadonlyMap<string, readonly number[]>, whole: readonly number[]): string {
  const [name = '', all = [0]] = [...profile].toSorted(([, a], [, b]) => median(b) - median(a))[0] ?? [];
  return `the longest part of npm test: "${name}", ${seconds(median(all))} of ${seconds(median(whole))}`;
}
