// One address for each machine and each target, for families that need not ask the whole universe again. Pure.
import type { Failure, Flow } from '../model.ts';
import { destinationsOf } from './cells.ts';
import { networksOf, type Destination } from './destinations.ts';
import type { Input } from './input.ts';

/** `address`: or why it is not known. */
export type Peer = Pick<Flow, 'to' | 'network'> & Readonly<{ label: string; address: string | Failure; external: boolean }>;

/** Machines by a network that both are on, else by the first that has a way to them; the first address of each external target. */
export function peersOf(input: Input, vantage: string): readonly Peer[] {
  const found = new Map<string, Peer>();
  const mine = networksOf(input.inventory, vantage);
  const all = destinationsOf(input, vantage);
  for (const destination of [...all.filter(({ network }) => mine.includes(network)), ...all]) {
    const { kind, to, network, way, label } = destination;
    const address = addressOf(destination);
    if (address === null || (way !== 'send' && 'noPath' in way) || kind === 'link-local' || to === vantage) continue;
    const peer: Peer = { to: kind === 'external' ? label : to, network, label, address, external: kind === 'external' };
    for (const key of keysOf(destination)) if (!found.has(key)) found.set(key, peer);
  }
  return [...new Set(found.values())];
}

/** null: it is known to have none. */
function addressOf({ address, way }: Destination): string | Failure | null {
  if (typeof address !== 'string') return 'absent' in address ? null : address.unknown;
  return way !== 'send' && 'unknown' in way ? way.unknown : address;
}

/** A target that another vantage's row names still is an address of the internet. */
function keysOf({ kind, to, targets, label }: Destination): readonly string[] {
  if (kind !== 'external') return [to];
  const names = Object.keys(targets);
  return names.length > 0 ? names : [label];
}
