// What was seen, what stands behind it, and what is made of it.
import type { Discovery, Facts, Failure } from './hosts.ts';
import type { Outcome, Reply } from './outcome.ts';
import type { Flow, Gap, Plan, Shard } from './plan.ts';
import type { Inventory, Phase, Waiver } from './site.ts';

export type Observation = Readonly<{
  id: string;
  vantage: string;
  startedAt: string;
  durationMs: number;
  outcome: Outcome;
  replies: readonly Reply[];
  /** Where the exchange was made again: how many of the last replies the outcome was read from. */
  decisive?: number;
  /** What a second look at the same flow with another program said (NTP through ntp-client). */
  note?: string;
}>;

/** A look whose answer is known beforehand; `held` says whether it came out so. */
export type Control = Readonly<{ id: string; held: boolean; detail: string }>;

/** What came to a listener: a connection or a datagram, or a handshake that did not get its end (`half`). */
export type Arrival = Readonly<{ how: 'arrived' | 'half'; source: string; sourcePort: number; hex: string }>;

/** The far end's own account, by its connection tracking or by our listener: alive before and after, and what it saw. */
export type Witness = Readonly<{ id: string; before: Control; after: Control; saw: string | null }>;

/**
 * Whether the target's own kernel sent a RST while it was asked: it does so for a SYN to a closed port, whatever becomes of
 * that RST; a firewall's is not counted. null: nothing tells. `counted`: by the target's own counter, not by another's look.
 */
export type Resets = Readonly<{ id: string; sent: boolean | null; counted: boolean; detail: string }>;

/** All that stands behind one verdict. */
export type Backing = Readonly<{
  sender: Control | null;
  alive: Control | null;
  /** A raw packet for the source's own firewall alone; held: it would not let it out. */
  near: Control | null;
  /** The source's own connection tracking: whether it ever left. */
  left: Witness | null;
  /** Connection tracking, of the destination and of what is on the way. */
  witnesses: readonly Witness[];
  listener: Witness | null;
  resets: Resets | null;
  /** For Nebula's underlay: the overlay between the same two hosts. */
  overlay: Control | null;
}>;

export type Grade = 'proven' | 'inferred' | 'no path';
export type Verdict = Readonly<
  | { result: 'pass'; reason: string; grade: Grade; controls: readonly string[] }
  | { result: 'fail'; reason: string; controls: readonly string[] }
  | { result: 'inconclusive'; reason: string; controls: readonly string[] }>;

/** One of the two firewalls that could stop a flow, looked at by itself. `stands: null`: that could not be told, or was not asked. */
export type Wall = Readonly<{ stands: boolean | null; grade: Grade | null; reason: string; controls: readonly string[]; observation: Observation | null }>;
/** near: the source's own · far: all others. */
export type Walls = Readonly<{ near: Wall; far: Wall }>;

/**
 * What became of a waiver in a run. waives: violations, which do not fail the run · stale: all its cells pass · unsettled: none
 * fails, yet some could not be told · expired: its day is over, `violations` fail again · unknown: no cell has such an id.
 */
export type WaiverUse = Waiver & Readonly<{ state: 'waives' | 'stale' | 'unsettled' | 'expired' | 'unknown'; cellCount: number; violations: readonly string[] }>;

/** walls: of a denied flow whose source can be looked at past its own firewall; waiver: of a violation, which stays one. */
export type Finding = Readonly<{ flow: Flow; observation: Observation; backing: Backing; walls: Walls | null; verdict: Verdict; waiver: Waiver | null }>;

/** What an allowed NTP flow's answer said of the local clock: server minus local, known to within so much either way. */
export type Clock = Readonly<{ cell: string; localTime: string; serverTime: string; offsetMs: number; withinMs: number }>;

/**
 * What ties a run's evidence to a host's configuration. `rules`: SHA-256 of all rules that ran; null: they cannot be read there.
 * `boot`: whether the host's next boot would load the same, and by what; the lines that only one of the two has, 40 at most.
 */
export type Configuration = Readonly<{
  sysctls: readonly Readonly<{ name: string; value: string }>[];
  rules: string | null;
  boot: Readonly<{ is: 'same' | 'differs' | 'unknown'; detail: string; runningAlone: readonly string[]; bootAlone: readonly string[] }>;
  /** Nebula's. notAfter: ISO 8601; null: nebula-cert could not tell. */
  certificates: readonly Readonly<{ file: string; name: string; notAfter: string | null }>[];
}>;

export type HostRecord = Readonly<{ name: string; prober: string | null; hostKey: string | null; failure: Failure | null; facts: Facts | null; configuration: Configuration | Failure | null }>;

/**
 * What the run's own round trips, on flows that answer, say of lost packets. `atMost`: one way, by the worst vantage;
 * `tries`: of each look that was asked again for it (0: none had to be, null: none would have done); `extraTries`: in all.
 */
export type Loss = Readonly<{ roundTrips: number; missed: number; atMost: number; tries: number | null; extraTries: number }>;

/**
 * How long silence was waited for at denied TCP looks. `to`: a host, or the beacon that holds the address; null: any other, of which
 * nobody tells. roundTripMs: at most so long, by way of the operator's seat; null: not measured.
 */
export type Window = Readonly<{ from: string; to: string | null; network: string; roundTripMs: number | null; windowMs: number }>;

export type ShardRecord = Readonly<{ number: number; sources: readonly string[]; operator: string; startedAt: string; endedAt: string }>;

/** A part of a run, and how long it took. */
export type Step = Readonly<{ name: string; ms: number }>;

export type RunRecord = Readonly<{
  schema: 1;
  run: Readonly<{
    id: string;
    phase: Phase;
    startedAt: string;
    endedAt: string;
    inventoryHash: string;
    /** SHA-256 of the document that the inventory names, in hex. */
    matrixHash: string | null;
    /** user@host of the seat. */
    operator: string;
    /** What selects the cells of a run that looked at some only; null: at all of them. */
    selection: string | null;
    /** Where it is one of a run's shards: which, and the sources that it looked from. */
    shard: (Shard & Readonly<{ sources: readonly string[] }>) | null;
    /** Where it was merged from shards: who looked from where, and when; null also where one machine looked in batches, which are then its `parts`. */
    shards: readonly ShardRecord[] | null;
    /** null: no allowed NTP flow answered. */
    clock: Clock | null;
    version: string;
    node: string;
    hosts: readonly HostRecord[];
    /** Hosts whose denied flows must be stopped by others, too. */
    confined: readonly string[];
    universe: number;
    gaps: readonly Gap[];
    loss: Loss;
    /** Of each source, destination and network; older evidence has none, and of a merged run each shard has its own. */
    windows?: readonly Window[];
    /** In their order, from the start of the process to the last verdict; none of a merged run. */
    steps: readonly Step[];
    /** Why the run ended before its time, if it did. */
    stopped: string | null;
    /** What was found out before the plan, beside the facts of `hosts`: with these, the same inventory gives the same cells. */
    discovered: Omit<Discovery, 'hosts'>;
    /** The bound on the packets a second of each vantage, if there was one. */
    rate: number | null;
    /** What became of each waiver of the inventory, in its order. */
    waivers: readonly WaiverUse[];
    /** Things the reader should know that are no finding (a `Match exec` in the ssh config). */
    warnings: readonly string[];
  }>;
  controls: readonly Observation[];
  findings: readonly Finding[];
  /** What the verdicts were made from, beside the observations; a record made by hand has none. */
  account?: Account;
  /** Of a merged record: those of its shards, each with an account of its own, in their order. */
  parts?: readonly RunRecord[];
  /** Of a run that looked at its cells in batches: these stand on the disk, and `findings` have no more of a pass than sums and causes ask for. */
  spooled?: Spooled;
}>;

/** What the reports of a run in batches are put together from. */
export type Spooled = Readonly<{
  /** Each cell's line of evidence.json, in the order of the plan. */
  lines: () => Iterable<string>;
  /** By source, in that order: its findings, whole. */
  findings: () => Iterable<readonly [source: string, findings: readonly Finding[]]>;
  /** Of each batch, what stands in `parts` of evidence.json, in pieces. */
  parts: () => Iterable<Iterable<string>>;
  /** Once the reports are written, or cannot be. */
  remove: () => void;
}>;

/**
 * A host's connection tracking, read from `atMs` to `endMs` (ms since 1970). `dropped`: how much a full table has cost since the host started,
 * null where it was not told. Older evidence has neither.
 */
export type Reading = Readonly<{ atMs: number; endMs?: number; dropped?: number | null; rows: readonly string[] }>;

/** Whether one address family was shown to be recorded: a firewall for IPv4 alone leaves IPv6 untracked. */
type Shown = Readonly<{ before: Control; after: Control }>;

/**
 * What was read of one host's connection tracking in this run, and whether it was shown to record. `keepsMs`: for how long it keeps an
 * unanswered datagram, by that of its own (older evidence has none).
 */
export type Tracked = Readonly<{ ipv4: Shown; ipv6: Shown; first: Reading; later: readonly Reading[]; keepsMs?: number | null }>;

/** What one listener heard, and whether it was shown to hear. */
export type Heard = Readonly<{ before: Control; after: Control; arrivals: readonly Arrival[] }>;

/** All that the verdicts of a run were made from but the observations: with these, they can be made again. */
export type Account = Readonly<{
  inventory: Inventory;
  discovery: Discovery;
  plan: Plan;
  tracked: ReadonlyMap<string, Tracked>;
  /** By the listener's id. */
  heard: ReadonlyMap<string, Heard>;
  /** By the probe's id: whether the target's own kernel reset it. */
  resets: ReadonlyMap<string, Resets>;
  /** By host: the address that our login stands on. */
  sessions: ReadonlyMap<string, string>;
}>;
