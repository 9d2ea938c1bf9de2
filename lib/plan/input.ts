// What all parts of the plan work from, and the few questions that several of them ask.
import { routeTo } from '../facts.ts';
import type { Discovery, Facts, Flow, Inventory, Outcome, Phase, Look, Probe, Row, Timing } from '../model.ts';
import { holds } from '../rows.ts';
import { isAddressOf } from './destinations.ts';

export type Input = Readonly<{
  inventory: Inventory;
  discovery: Discovery;
  phase: Phase;
  /** Fresh random bytes, 32 hex digits, each time it is called: the plan draws none itself. */
  newToken: () => string;
  /** Whose cells that are not planned are counted; all vantages', unless given. */
  sources?: readonly string[] | undefined;
}>;

/** What the plan itself adds for its parts. */
export type Drawn = Input & Readonly<{
  /** A source port that nothing else in this run has: ours to draw, below those that the kernel gives (32768 and above). */
  newPort: () => number;
  /** Families that the inventory goes without: their cells are counted, and their looks not made. */
  unwanted: ReadonlySet<string>;
}>;

const ownPorts = { first: 20_000, count: 12_768 } as const;

/** Begins at a port of chance and goes round, so that none comes twice before all have come. */
export function drawing(input: Input): Drawn {
  let next = Number.parseInt(input.newToken().slice(0, 8), 16);
  return { ...input, unwanted: new Set(input.inventory.site.without ?? []), newPort: () => ownPorts.first + (next++ % ownPorts.count) };
}

/** A cell and the look at it, before anybody has asked what would prove it. */
export type Cell = Readonly<{ flow: Flow; probe: Probe }>;

/** Of a look; the window of a denied one is made shorter by what the run measures. */
export function timingOf({ site }: Inventory, expected: Flow['expected']): Timing {
  const { attempts, intervalMs, windowMs } = site.timing[expected];
  return { attempts, intervalMs, windowMs };
}

/** The first row decides, a lasting one before a temporary one. */
export function isAllowed(row: Row | undefined, phase: Phase): row is Row {
  return row !== undefined && holds(row, phase);
}

/** A scoped link-local address names its interface itself. */
export function routeOf(facts: Facts, address: string): Flow['route'] {
  const [bare = address, device] = address.split('%');
  return device === undefined ? routeTo(facts, bare) : { destination: 'fe80::/64', kind: 'unicast', interface: device };
}

export function settled(outcome: Outcome): Look {
  return { by: 'facts', outcome };
}

/** A host of the inventory whose address it is by the inventory, or by its own word where the inventory leaves that to it. */
export function hostAt({ inventory, discovery }: Pick<Input, 'inventory' | 'discovery'>, address: string): string | null {
  return Object.keys(inventory.matrix.hosts).find((host) => isAddressOf(inventory, discovery, host, address)) ?? null;
}

/**
 * A port that nobody could have meant by a rule, drawn from a token: 61000 to 65499. Above those that services and IANA take, and above those that
 * Linux gives to who names none (32768 to 60999, net.ipv4.ip_local_port_range in its ip-sysctl): an answer to a program's own question, from such
 * a port, would let in what the cell says is denied.
 */
export function highPort(token: string): number {
  return 61_000 + (Number.parseInt(token.slice(0, 6), 16) % 4_500);
}

/** Stateless rules for replies are written for these: DNS, DHCP, Kerberos, NTP, HTTPS. */
export const replyPorts: readonly (readonly [transport: 'tcp' | 'udp', port: number])[] = [
  ['tcp', 53], ['tcp', 88], ['tcp', 443], ['udp', 53], ['udp', 67], ['udp', 88], ['udp', 123], ['udp', 443],
];
