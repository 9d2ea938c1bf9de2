// The sweep: all TCP ports between two machines, asked as ranges and told as one case a pair.
import type { Reply } from './outcome.ts';
import type { PlannedFlow } from './plan.ts';

/** A range of ports for a prober to sweep; `rate`: packets a second at most, `attempts`: of a port that says nothing. */
export type SweepLook = Readonly<{ address: string; first: number; last: number; sourcePort: number; attempts: number; rate: number; windowMs: number }>;

type Icmp = Extract<Reply, { event: 'icmp' }>;

/** What a prober says of a range: each port that says something (`open`, `reset`, `refused`, `barred`, `error-ERRNO`), and how many say nothing. */
export type Swept = Readonly<{ states: ReadonlyMap<number, string>; icmp: ReadonlyMap<number, Icmp>; silent: number; packets: number }>;

/** A source and one address of a destination. `template`: a denied TCP cell between them, whose port is the sweep's to choose. */
export type Pair = Readonly<{ id: string; from: string; to: string; address: string; allowed: readonly number[]; template: PlannedFlow }>;

/** A share of a pair's ports, as many as are swept before connection tracking forgets the first. */
export type Unit = Readonly<{ pair: string; first: number; last: number }>;

/** A port that did not pass, and why. */
export type Port = Readonly<{ port: number; result: 'fail' | 'inconclusive'; reason: string }>;

/**
 * What came of a unit. `passed`: denied ports that are blocked, by grade; `open`: allowed ones that answer; `red`: those that did not pass, the
 * first hundred, and `more` how many there are beyond.
 */
export type UnitResult = Unit & Readonly<{ passed: Readonly<Record<string, number>>; open: readonly number[]; red: readonly Port[]; more: number; packets: number; ms: number }>;
