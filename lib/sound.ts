// Round trips without a packet of their own: how long the vantages take for an answer that they are asked for anyway.
import type { Vantage } from './vantage.ts';

/**
 * The same vantages, their readings of the count of RSTs timed. A machine that is busy answers late, and is so given more time.
 * @param now ms of any clock that never goes back
 * @returns roundTrips: by host, the longest so far in whole ms, rounded up; none of a host that could not tell its count
 */
export function sounding(vantages: ReadonlyMap<string, Vantage>, now: () => number = () => performance.now()): Readonly<{ vantages: ReadonlyMap<string, Vantage>; roundTrips: ReadonlyMap<string, number> }> {
  const roundTrips = new Map<string, number>();
  const timed = (host: string, vantage: Vantage): Vantage => ({
    ...vantage,
    resets: async () => {
      const begun = now();
      const count = await vantage.resets();
      if (typeof count === 'number') roundTrips.set(host, Math.max(roundTrips.get(host) ?? 0, Math.ceil(now() - begun)));
      return count;
    },
  });
  return { vantages: new Map([...vantages].map(([host, vantage]) => [host, timed(host, vantage)])), roundTrips };
}
