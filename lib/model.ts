// The nouns of flowproof. Types only; imports nothing. Times are in ms, moments are ISO 8601 in UTC.

export type Phase = 'setup' | 'steady';
export type Transport = 'tcp' | 'udp' | 'icmp';

/** What is spoken on a flow; `protocols/index.ts` has one module for each. */
export type Protocol = 'tcp' | 'udp' | 'icmp' | 'ssh' | 'tls' | 'ollama' | 'dns' | 'ntp' | 'dhcp' | 'nebula';

// ---- The inventory: the matrix as data, and the site it is tested at.

/** One row of the communication matrix (a row with several ports is several flows). */
export type Row = Readonly<{
  id: string;
  /** Where the document says so, in words that a reader can find there. */
  reference: string;
  from: string;
  /** A host, a target, or `any`: every external target. */
  to: string;
  network: string;
  transport: 'tcp' | 'udp';
  ports: readonly number[];
  speaks: Protocol;
  purpose: string;
  /** Allowed in phase setup alone. */
  temp?: boolean | undefined;
  /** The sentence of the document that implies this row, where it is not listed. */
  implied?: string | undefined;
  /** The address to probe where it is not the destination's on that network (127.0.0.1 for localhost). */
  address?: string | undefined;
}>;

export type Network = Readonly<{
  /** `link`: ours, hosts are neighbours · `overlay`: carried inside another network · `wan`: the way out · `local`: inside one host. */
  kind: 'link' | 'overlay' | 'wan' | 'local';
  cidr?: string | undefined;
}>;

export type Host = Readonly<{
  /** Address by network; `discover` where the host itself must tell (DHCP). */
  addresses: Readonly<Record<string, string>>;
  /** false: no listener of ours may stand on it, even for the seconds of a run. */
  listen?: boolean | undefined;
}>;

/** An external destination. Its addresses: literal, resolved from names, or told by the vantage itself. */
export type Target = Readonly<{
  names?: readonly string[] | undefined;
  addresses?: readonly string[] | undefined;
  /** `resolvers`: those of the vantage · `router`: the next hop of its default route. */
  discover?: 'resolvers' | 'router' | undefined;
  /** What it is known to serve, as `tcp/443`: an allowed flow to `any` is tested on these alone. */
  serves: readonly string[];
}>;

export type Timing = Readonly<{ attempts: number; intervalMs: number; windowMs: number }>;

export type Inventory = Readonly<{
  matrix: Readonly<{
    networks: Readonly<Record<string, Network>>;
    hosts: Readonly<Record<string, Host>>;
    flows: readonly Row[];
  }>;
  site: Readonly<{
    gateway: string;
    /** Name for `ssh` by host. */
    logins: Readonly<Record<string, string>>;
    targets: Readonly<Record<string, Target>>;
    /** Ports that no row lists and that are probed all the same. */
    watch: Readonly<{ tcp: readonly number[]; udp: readonly number[] }>;
    timing: Readonly<{ allowed: Timing; denied: Timing }>;
  }>;
}>;

// ---- What a host says of itself.

export type Address = Readonly<{ interface: string; address: string; prefix: number; scope: 'global' | 'link' | 'host' }>;
export type Route = Readonly<{
  destination: string; // CIDR, or `default`
  kind: 'unicast' | 'prohibit' | 'blackhole' | 'unreachable';
  via?: string;
  interface?: string;
}>;
export type Facts = Readonly<{
  kernel: string;
  addresses: readonly Address[];
  routes: readonly Route[];
  resolvers: readonly string[];
}>;

/** Why a look did not happen. */
export type Failure = Readonly<{
  operation: 'known-hosts' | 'login' | 'start-prober' | 'facts' | 'resolve' | 'exchange' | 'interrupted';
  cause: string;
}>;

/** Everything found out before the plan: per host its facts or why there are none; names resolved. */
export type Discovery = Readonly<{
  hosts: Readonly<Record<string, Facts | Failure>>;
  names: Readonly<Record<string, readonly string[] | Failure>>;
  /** Hosts whose connection tracking can be read, hence may witness. */
  witnesses: readonly string[];
  /** Hosts whose prober can listen. */
  listeners: readonly string[];
}>;

// ---- The plan.

export type Family = 'row' | 'machine' | 'neighbour port' | 'link-local' | 'icmp' | 'external' | 'outside' | 'no path';

/** One cell: source, destination, network, transport and port. */
export type Flow = Readonly<{
  id: string;
  family: Family;
  from: string;
  to: string;
  network: string;
  /** null: not known, since the destination could not be asked. */
  address: string | null;
  transport: Transport;
  port: number;
  protocol: Protocol;
  expected: 'allowed' | 'denied';
  /** The id of the row that allows it, or whose TEMP has ended; `everything else` otherwise. */
  row: string;
  /** The source's route to the address, by its own table; null: none, or the source could not be asked. */
  route: Route | null;
}>;

/** What the prober puts on the wire: it knows transports, never protocols. Bytes are hex. */
export type Exchange = Timing & Readonly<{
  transport: Transport;
  address: string;
  port: number;
  /** 0: any. */
  sourcePort: number;
  send: string;
}>;

/** How a flow is looked at: by an exchange, by our own SSH login, or not at all since the facts settle it. */
export type Look = Readonly<
  | { by: 'exchange'; exchange: Exchange }
  | { by: 'login' }
  | { by: 'facts'; outcome: Outcome }>;

export type Probe = Readonly<{ id: string; vantage: string; flow: Flow; look: Look; token: string }>;

/** A listener of ours at the far end of denied flows: exactly one address of the host, scoped where it is link-local. */
export type Listener = Readonly<{ id: string; host: string; transport: 'tcp' | 'udp'; address: string; port: number }>;

/** What must hold before silence on a denied flow means anything: the witness's host, the listener and the probes by id. */
export type PlannedFlow = Readonly<{ flow: Flow; probe: Probe; witness: string | null; listener: string | null; aliveBy: readonly string[] }>;

export type Gap = Readonly<{ reason: string; cells: number; example: string }>;

export type Plan = Readonly<{
  phase: Phase;
  flows: readonly PlannedFlow[];
  /** Probes that are no cell: the operator's looks at external targets. */
  controls: readonly Probe[];
  listeners: readonly Listener[];
  /** Every cell that section "everything else" of DESIGN.md spans; flows + gaps add up to it. */
  universe: number;
  gaps: readonly Gap[];
}>;

// ---- What was seen.

/** One event of a prober, raw. `try` counts from 1; `ms` is since the exchange began. */
export type Reply = Readonly<
  | { event: 'sent'; try: number; sourcePort: number | null; ms: number | null }
  | { event: 'connected'; try: number; ms: number | null }
  | { event: 'data'; try: number; hex: string; ms: number | null; from: string | null }
  | { event: 'closed'; try: number }
  | { event: 'error'; try: number; errno: string; operation: string }
  | { event: 'icmp'; try: number; version: 4 | 6; type: number; code: number; from: string }
  | { event: 'unprobed'; errno: string; operation: string }>;

/** What a look saw; never what was hoped for. */
export type Outcome = Readonly<
  | { seen: 'answered'; detail: string; rttMs: number | null }
  | { seen: 'garbled'; detail: string }
  | { seen: 'refused'; by: 'rst' | 'port-unreachable' }
  | { seen: 'rejected'; detail: string; from: string; prohibited: boolean }
  | { seen: 'barred'; detail: string }
  | { seen: 'unrouted'; detail: string }
  | { seen: 'absent'; detail: string }
  | { seen: 'dead'; detail: string }
  | { seen: 'silent' }
  | { seen: 'no path'; detail: string }
  | { seen: 'unprobed'; failure: Failure }>;

export type Observation = Readonly<{
  id: string;
  vantage: string;
  startedAt: string;
  durationMs: number;
  outcome: Outcome;
  replies: readonly Reply[];
  /** What a second look at the same flow with another program said (NTP through ntp-client). */
  note?: string;
}>;

/** A look whose answer is known beforehand; `held` says whether it came out so. */
export type Control = Readonly<{ id: string; held: boolean; detail: string }>;

/** What came to a listener: a connection or a datagram, or a handshake that did not get its end (`half`). */
export type Arrival = Readonly<{ how: 'arrived' | 'half'; source: string; sourcePort: number; hex: string }>;

/** The far end's own account, by its connection tracking or by our listener: alive before and after, and what it saw. */
export type Witness = Readonly<{ id: string; before: Control; after: Control; saw: string | null }>;

/** All that stands behind one verdict. */
export type Backing = Readonly<{
  sender: Control | null;
  alive: Control | null;
  witness: Witness | null;
  listener: Witness | null;
  /** For Nebula's underlay: the overlay between the same two hosts. */
  overlay: Control | null;
}>;

export type Grade = 'proven' | 'inferred' | 'no path';
export type Verdict = Readonly<
  | { result: 'pass'; reason: string; grade: Grade; controls: readonly string[] }
  | { result: 'fail'; reason: string; controls: readonly string[] }
  | { result: 'inconclusive'; reason: string; controls: readonly string[] }>;

export type Finding = Readonly<{ flow: Flow; observation: Observation; backing: Backing; verdict: Verdict }>;

export type HostRecord = Readonly<{ name: string; prober: string | null; hostKey: string | null; failure: Failure | null; facts: Facts | null }>;

export type RunRecord = Readonly<{
  schema: 1;
  run: Readonly<{
    id: string;
    phase: Phase;
    startedAt: string;
    endedAt: string;
    inventoryHash: string;
    version: string;
    node: string;
    hosts: readonly HostRecord[];
    universe: number;
    gaps: readonly Gap[];
    /** Why the run ended before its time, if it did. */
    stopped: string | null;
    /** Things the reader should know that are no finding (a `Match exec` in the ssh config). */
    warnings: readonly string[];
  }>;
  controls: readonly Observation[];
  findings: readonly Finding[];
}>;
