// Many places at once: the scan of some, and the sweep of all ports between two machines, asked as ranges and told as one case a pair.
import type { Reply } from './outcome.ts';
import type { Exchange, Frame, PlannedFlow } from './plan.ts';
import type { Account, Observation, Resets } from './seen.ts';
import type { Phase } from './site.ts';

/** Handshakes, or whether a datagram may leave; each address and port once. `windowMs`: what is called silent has been so for that long at least. */
export type Scan = Readonly<{ transport: 'tcp' | 'udp'; windowMs: number; places: readonly Pick<Exchange, 'sourcePort' | 'address' | 'port'>[] }>;

/** By `address port`: `connected`, `silent` (a datagram may leave) or `error-ERRNO`. A place that is not there was not looked at. */
export type Scanned = Readonly<{ states: ReadonlyMap<string, string> }>;

/**
 * A range of ports for a prober to sweep; `rate`: packets a second at most, `attempts`: of a port that says nothing. `past`: the packet that goes
 * past the source's own firewall, whole but for its port; null: through it, from `sourcePort`.
 */
export type SweepLook = Readonly<{
  transport: 'tcp' | 'udp'; address: string; first: number; last: number; sourcePort: number; attempts: number; rate: number; windowMs: number;
  past: Pick<Frame, 'device' | 'mac' | 'packet'> | null;
}>;

type Icmp = Extract<Reply, { event: 'icmp' }>;

/** What a prober says of a range: each port that says something (`open`, `reset`, `refused`, `barred`, `error-ERRNO`), and how many say nothing. */
export type Swept = Readonly<{ states: ReadonlyMap<number, string>; icmp: ReadonlyMap<number, Icmp>; silent: number; packets: number }>;

/** A source, one address of a destination, and a transport. */
export type Pair = Readonly<{
  /** `joi -> ntp vmbr1 udp`; past the source's own firewall: `joi -> ntp vmbr1 past joi's own firewall udp`. */
  id: string;
  from: string;
  to: string;
  transport: 'tcp' | 'udp';
  address: string;
  /** Whether it leads to an external target. */
  outside: boolean;
  allowed: readonly number[];
  /** A denied cell between them, whose port is the sweep's to choose. */
  template: PlannedFlow;
  /** The plan's own denied cells between them, by port. */
  own: ReadonlyMap<number, PlannedFlow>;
  /** The only ports that are asked, each in its own protocol: of no other would anybody know whether a datagram arrived. null: all. */
  named: readonly number[] | null;
  /** What goes past the source's own firewall; null: it goes through it. */
  past: Pick<Frame, 'device' | 'mac' | 'packet'> | null;
  /** Whether a port that is open here is a failure: not where it takes root on a source that the inventory does not call confined. */
  counts: boolean;
}>;

/** A share of a pair's ports, as many as are swept before connection tracking forgets the first. */
export type Unit = Readonly<{ pair: string; first: number; last: number }>;

/** A unit that is about to be swept, beside others: what they share is divided. `rate`: its own packets a second. */
export type Turn = Readonly<{ pair: Pair; unit: Unit; rate: number }>;

/** A port that did not pass, and why. */
export type Port = Readonly<{ port: number; result: 'fail' | 'inconclusive'; reason: string }>;

/** How much there is of what a machine bounds, and its bound. */
export type Bound = Readonly<{ most: number; of: number }>;
/** Connections tracked by the machine; descriptors and processes of the prober. What cannot be read there is missing. */
export type Bounds = Readonly<{ conntrack?: Bound | undefined; descriptors?: Bound | undefined; processes?: Bound | undefined }>;

/**
 * What came of a unit. `passed`: denied ports that are blocked, by grade; `open`: allowed ones that answer; `red`: those that did not pass, the
 * first hundred, and `more` how many there are beyond; `told`: those that are open where that is no failure; `bounds`: the most that was seen, by host.
 */
export type UnitResult = Unit & Readonly<{ passed: Readonly<Record<string, number>>; open: readonly number[]; red: readonly Port[]; more: number; told: readonly Port[]; packets: number; ms: number; bounds: Readonly<Record<string, Bounds>> }>;

/**
 * By port, what an earlier sweep of the same unit found: open, which stays so (`fail`), or refused by whom nobody could tell, which is no proof of
 * anything once the port is silent (`inconclusive`).
 */
export type Found = ReadonlyMap<number, Port>;

/**
 * What a unit's verdicts are made from beside what the prober said. `base`: the run's plan with its allowed flows alone, and what was seen of
 * them; `resets`: the target's own count of the RSTs that it sent meanwhile, null where it is not known; `settled`: what was found of single ports
 * where that count says nothing; `sourcePort`: the packets' own, null where the prober cannot choose it.
 */
export type SweepSeen = Readonly<{
  base: Omit<Account, 'heard' | 'resets'>; observations: ReadonlyMap<string, Observation>; phase: Phase;
  resets: number | null; settled: ReadonlyMap<string, Resets>; found: Found; sourcePort: number | null; startedAt: string; ms: number; token: string;
}>;
