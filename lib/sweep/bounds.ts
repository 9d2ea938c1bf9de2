// How much of what a machine bounds a sweep takes: read while it goes on, so that it waits in time and can say so in the end.
import { isFailure } from '../facts.ts';
import type { Bound, Bounds } from '../model.ts';
import type { Vantage } from '../vantage.ts';

type ByHost = Readonly<Record<string, Bounds>>;
type Vantages = ReadonlyMap<string, Pick<Vantage, 'bounds'>>;

const names = ['conntrack', 'descriptors', 'processes'] as const;

/** The most that was seen of each, host by host. */
export function mostOf(all: readonly ByHost[]): ByHost {
  const hosts = [...new Set(all.flatMap((one) => Object.keys(one)))];
  const higher = (a: Bound | undefined, b: Bound | undefined): Bound | undefined => (a === undefined || (b !== undefined && b.most > a.most) ? b : a);
  return Object.fromEntries(hosts.map((host) => {
    const own = all.flatMap((one) => one[host] ?? []);
    return [host, Object.fromEntries(names.flatMap((name) => {
      const most = own.map((one) => one[name]).reduce(higher, undefined);
      return most === undefined ? [] : [[name, most]];
    }))];
  }));
}

/** What these hosts say of themselves now; one that cannot tell is left out. */
export async function readBounds(hosts: readonly string[], vantages: Vantages): Promise<ByHost> {
  const read = await Promise.all(hosts.map(async (host) => [host, await vantages.get(host)?.bounds()] as const));
  return Object.fromEntries(read.flatMap(([host, bounds]) => (bounds === undefined || isFailure(bounds) ? [] : [[host, bounds]])));
}

/** By host: the connections that may be begun before it is half full with those that it tracks. @param begun those that it does not tell of yet */
export function freeIn(bounds: ByHost, begun: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  return new Map(Object.entries(bounds).flatMap(([host, { conntrack }]) => (conntrack === undefined ? [] : [[host, conntrack.of / 2 - conntrack.most - (begun.get(host) ?? 0)] as const])));
}

const everyMs = 2_000;

/** @returns a function that ends it and tells the most that was seen */
export function watchBounds(hosts: readonly string[], vantages: Vantages): () => Promise<ByHost> {
  const seen: ByHost[] = [];
  const note = async (): Promise<void> => void seen.push(await readBounds(hosts, vantages));
  const first = note();
  const timer = setInterval(() => void note(), everyMs);
  return async () => {
    clearInterval(timer);
    await Promise.all([first, note()]);
    return mostOf(seen);
  };
}
