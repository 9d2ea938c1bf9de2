// Where a vantage could go: every address of every other machine on every network, and every external target. Pure.
import { isIPv4 } from 'node:net';
import { sameAddress, within } from '../address.ts';
import { factsOf, interfaceOf, isFailure, isOnLink, operator, routeTo } from '../facts.ts';
import type { Discovery, Facts, Failure, Inventory, Network, Target } from '../model.ts';

/** Why there is no address to probe: the destination could not be asked, or its own list shows that it has none. */
type Missing = Readonly<{ unknown: Failure } | { absent: string }>;

export type Destination = Readonly<{
  /** As in flow ids: `joi vmbr1`, `mesh wan/ll`, `chat.signal.org`, `1.1.1.1`. */
  label: string;
  to: string;
  network: string;
  kind: 'machine' | 'link-local' | 'external';
  address: string | Missing;
  /** `send`: on-link, or by a next hop of ours, or external · otherwise why nothing is ever sent there. */
  way: 'send' | Readonly<{ noPath: string } | { unknown: Failure }>;
  /** External: the targets that this address stands for, as seen from this vantage, each with the name it has there. */
  targets: Readonly<Record<string, string>>;
  /** External: what it is known to serve. */
  serves: readonly string[];
  serverName: string | null;
}>;

/** Networks a machine has an address on; the operator's seat stands outside, on the WAN side. */
export function networksOf(inventory: Inventory, host: string): readonly string[] {
  if (host !== operator) return Object.keys(inventory.matrix.hosts[host]?.addresses ?? {});
  return Object.entries(inventory.matrix.networks).flatMap(([name, { kind }]) => (kind === 'wan' ? [name] : []));
}

/**
 * A host's address on a network: the inventory's, or what the host itself tells. An address that its host does not hold
 * would be silent for everybody, so it is not known.
 */
export function addressOn(inventory: Inventory, discovery: Discovery, host: string, network: string): string | Missing {
  const byDiscovery = foundAddresses.get(inventory) ?? new WeakMap<Discovery, Map<string, string | Missing>>();
  const known = byDiscovery.get(discovery) ?? new Map<string, string | Missing>();
  foundAddresses.set(inventory, byDiscovery.set(discovery, known));
  const key = `${host} ${network}`;
  const address = known.get(key) ?? findAddress(inventory, discovery, host, network);
  known.set(key, address);
  return address;
}

/** Asked some ten thousand times for a plan; neither the inventory nor what was discovered changes. */
const foundAddresses = new WeakMap<Inventory, WeakMap<Discovery, Map<string, string | Missing>>>();

function findAddress(inventory: Inventory, discovery: Discovery, host: string, network: string): string | Missing {
  const given = inventory.matrix.hosts[host]?.addresses[network] ?? 'discover';
  const facts = factsOf(discovery, host);
  if (given !== 'discover') {
    const held = isFailure(facts) || interfaceOf(facts, given) !== null;
    return held ? given : { unknown: { operation: 'facts', cause: `${host} does not hold ${given}, its address on ${network}: mend the inventory or the host` } };
  }
  if (isFailure(facts)) return { unknown: facts };
  const device = discoveredInterface(inventory, facts, network);
  if (device === null) return { unknown: { operation: 'facts', cause: `${host} has no default route that leads outside, so its address on ${network} is not known` } };
  const own = facts.addresses.find((one) => one.interface === device && one.scope === 'global' && isIPv4(one.address));
  return own?.address ?? { absent: `${host} has no IPv4 address on ${network}` };
}

/** `local`: the interface of that name · `wan`: the one with the default route, unless that leads over a network of ours. */
function discoveredInterface(inventory: Inventory, facts: Facts, network: string): string | null {
  if (inventory.matrix.networks[network]?.kind === 'local') return network;
  const device = facts.routes.find((route) => route.destination === '0.0.0.0/0' && route.kind === 'unicast')?.interface ?? null;
  const ranges = Object.values(inventory.matrix.networks).flatMap(({ cidr }) => cidr ?? []);
  const ours = facts.addresses.some((own) => own.interface === device && ranges.some((range) => within(own.address, range)));
  return ours ? null : device;
}

/** The interface by which a host takes part in a network; null: unknown, or none. */
function interfaceOn(inventory: Inventory, discovery: Discovery, host: string, network: string): string | null {
  const facts = factsOf(discovery, host);
  const address = addressOn(inventory, discovery, host, network);
  return isFailure(facts) || typeof address !== 'string' ? null : interfaceOf(facts, address);
}

/** Every destination of a vantage among our own machines, in the inventory's order. */
export function machineDestinations(inventory: Inventory, discovery: Discovery, vantage: string): readonly Destination[] {
  const others = [...Object.keys(inventory.matrix.hosts), operator].filter((host) => host !== vantage);
  return others.flatMap((to) =>
    networksOf(inventory, to).flatMap((network): Destination[] => {
      const base = { to, network, targets: {}, serves: [], serverName: null };
      const address = addressOn(inventory, discovery, to, network);
      const way = typeof address === 'string' ? wayTo(inventory, discovery, vantage, address) : 'send';
      const plain: Destination = { ...base, label: `${to} ${network}`, kind: 'machine', address, way };
      const shared = networksOf(inventory, vantage).includes(network) && hasNeighbours(inventory.matrix.networks[network]);
      return shared ? [plain, { ...base, ...linkLocal(inventory, discovery, vantage, to, network), label: `${to} ${network}/ll`, kind: 'link-local' }] : [plain];
    }),
  );
}

/** Overlays such as Nebula carry IPv4 alone, a `local` network has one machine. */
function hasNeighbours(network: Network | undefined): boolean {
  return network?.kind === 'link' || network?.kind === 'wan';
}

function linkLocal(inventory: Inventory, discovery: Discovery, vantage: string, to: string, network: string): Pick<Destination, 'address' | 'way'> {
  const theirs = factsOf(discovery, to);
  if (isFailure(theirs)) return { address: { unknown: theirs }, way: 'send' };
  const theirDevice = interfaceOn(inventory, discovery, to, network);
  if (theirDevice === null) return { address: { unknown: { operation: 'facts', cause: `which of ${to}'s interfaces is on ${network} is not known` } }, way: 'send' };
  const found = theirs.addresses.find((own) => own.scope === 'link' && own.interface === theirDevice);
  if (found === undefined) return { address: { absent: `${to} has no IPv6 link-local address on ${network}` }, way: 'send' };
  const device = interfaceOn(inventory, discovery, vantage, network);
  const ours = factsOf(discovery, vantage);
  if (isFailure(ours)) return { address: found.address, way: 'send' };
  if (device === null) return { address: { unknown: { operation: 'facts', cause: `which of ${vantage}'s interfaces is on ${network} is not known` } }, way: 'send' };
  if (!ours.addresses.some((own) => own.interface === device && own.scope === 'link'))
    return { address: { absent: `${vantage} has no IPv6 link-local address on ${network}` }, way: 'send' };
  return { address: `${found.address}%${device}`, way: onLinkFor(inventory, discovery, vantage, to, network) ? 'send' : { noPath: `${vantage} and ${to} are not on one link of ${network}` } };
}

/** Two machines that both have a WAN side need not be on the same link there. */
function onLinkFor(inventory: Inventory, discovery: Discovery, vantage: string, to: string, network: string): boolean {
  const address = addressOn(inventory, discovery, to, network);
  const facts = factsOf(discovery, vantage);
  if (isFailure(facts) || typeof address !== 'string') return true;
  const route = routeTo(facts, address);
  return route !== null && isOnLink(route);
}

/** An address of ours must never leave by a next hop that is not ours: an off-link private address would go to the internet. */
function wayTo(inventory: Inventory, discovery: Discovery, vantage: string, address: string): Destination['way'] {
  const facts = factsOf(discovery, vantage);
  if (isFailure(facts)) return 'send';
  const route = routeTo(facts, address);
  if (route === null || route.kind !== 'unicast' || isOnLink(route)) return 'send';
  if (route.via === undefined) return { noPath: `its only way is ${route.destination} with no next hop that is known to be ours` };
  const { via } = route;
  const next = Object.keys(inventory.matrix.hosts).find((host) => isAddressOf(inventory, discovery, host, via));
  if (next === undefined) return { noPath: `its only way is ${route.destination} via ${via}, which is not ours` };
  const beyond = factsOf(discovery, next);
  if (isFailure(beyond)) return { unknown: beyond };
  const onward = routeTo(beyond, address);
  const delivers = onward !== null && isOnLink(onward);
  return delivers || interfaceOf(beyond, address) !== null ? 'send' : { noPath: `its only way is by ${next}, which has no link to it` };
}

/**
 * Whether an address is a host's on a network that others are on, too. A host may say that it holds anything; whose an
 * address is, the inventory says, and the host itself only where the inventory has "discover".
 */
export function isAddressOf(inventory: Inventory, discovery: Discovery, host: string, address: string): boolean {
  return networksOf(inventory, host).some((network) => inventory.matrix.networks[network]?.kind !== 'local' && isSame(addressOn(inventory, discovery, host, network), address));
}

function isSame(address: string | Missing, other: string): boolean {
  return typeof address === 'string' && sameAddress(address, other);
}

/** Every external address once, in the inventory's order; a name that did not resolve stands for itself. */
export function externalDestinations(inventory: Inventory, discovery: Discovery, vantage: string): readonly Destination[] {
  const hosts = Object.keys(inventory.matrix.hosts);
  const wan = Object.entries(inventory.matrix.networks).find(([, { kind }]) => kind === 'wan')?.[0] ?? 'wan';
  const found: (Omit<Destination, 'targets' | 'serves'> & { targets: Record<string, string>; serves: string[] })[] = [];
  const add = (target: string, label: string, address: string | Missing, serverName: string | null, mine: boolean): void => {
    const serves = inventory.site.targets[target]?.serves ?? [];
    // One of our own machines: those are cells of that machine already.
    if (typeof address === 'string' && isOurs(inventory, discovery, address)) return;
    const known = typeof address === 'string' ? found.find((other) => isSame(other.address, address)) : undefined;
    if (known === undefined)
      found.push({ label, to: label, network: wan, kind: 'external', address, way: 'send', targets: mine ? { [target]: label } : {}, serves: [...serves], serverName });
    else {
      if (mine) known.targets[target] ??= label;
      known.serves.push(...serves);
    }
  };
  const numbered = (label: string, index: number): string => (index === 0 ? label : `${label}#${index + 1}`);
  for (const [target, { names, addresses, discover }] of Object.entries(inventory.site.targets)) {
    for (const address of addresses ?? []) add(target, address, address, null, true);
    for (const name of names ?? []) {
      const resolved = discovery.names[name] ?? { operation: 'resolve' as const, cause: `${name} was not resolved` };
      if (isFailure(resolved)) add(target, name, { unknown: resolved }, name, true);
      else resolved.forEach((address, index) => add(target, numbered(name, index), address, name, true));
    }
    if (discover === undefined) continue;
    const told = new Map(hosts.map((host) => [host, discovered(factsOf(discovery, host), discover)]));
    const all = [...new Set([...told.values()].flat())].filter((address) => !isOurs(inventory, discovery, address));
    // An address goes by the target's name where a row of this vantage does so too: `mesh -> dns`, `joi -> 198.51.100.1`.
    const named = inventory.matrix.flows.some((row) => row.from === vantage && row.to === target);
    // Where the vantage could not be asked, any of them may be the one that its row means, but for those that the inventory names.
    const isNamed = (address: string): boolean => found.some((other) => other.label === address && isSame(other.address, address));
    const own = isFailure(factsOf(discovery, vantage)) ? all.filter((address) => !isNamed(address)) : (told.get(vantage) ?? []);
    for (const address of all) {
      const index = own.indexOf(address);
      add(target, named && index !== -1 ? numbered(target, index) : address, address, null, index !== -1);
    }
  }
  for (const [name, address] of Object.entries(discovery.beacons)) if (address !== null) add(name, address, address, null, true);
  return found;
}

/** Of what a host tells, its own addresses are none: they lead nowhere from elsewhere. */
function discovered(facts: Facts | Failure, what: NonNullable<Target['discover']>): readonly string[] {
  if (isFailure(facts)) return [];
  const told = what === 'resolvers' ? facts.resolvers.filter(isIPv4) : facts.routes.flatMap((route) => (route.destination === '0.0.0.0/0' && route.via !== undefined ? [route.via] : [])).slice(0, 1);
  return told.filter((address) => !address.startsWith('127.') && interfaceOf(facts, address) === null);
}

function isOurs(inventory: Inventory, discovery: Discovery, address: string): boolean {
  const here = factsOf(discovery, operator);
  const given = Object.values(inventory.matrix.hosts).flatMap(({ addresses }) => Object.values(addresses)).filter((one) => one !== 'discover');
  return (!isFailure(here) && interfaceOf(here, address) !== null) || given.some((one) => sameAddress(one, address)) || Object.keys(inventory.matrix.hosts).some((host) => isAddressOf(inventory, discovery, host, address));
}
