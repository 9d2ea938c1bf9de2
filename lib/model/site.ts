// The inventory: the matrix as data, and the site it is tested at.
export type Phase = 'setup' | 'steady';
/** `ip`: any other IP protocol; the port is its number. */
export type Transport = 'tcp' | 'udp' | 'icmp' | 'ip';

/** The kinds of cells, each counted by itself. */
export type Family =
  | 'row' | 'machine' | 'neighbour port' | 'link-local' | 'icmp' | 'external' | 'outside' | 'no path'
  /** What is meant for the overlay, asked of the same machine by another network. */
  | 'overlay by underlay'
  /** From the ports that careless rules take for replies. */
  | 'source port'
  /** By a neighbour that is no router of ours: does it forward? */
  | 'another way'
  /** IP protocols other than TCP, UDP and ICMP. */
  | 'ip protocol'
  /** Connections that live on although no row allows them any more. */
  | 'surviving session';

/** What is spoken on a flow; `protocols/index.ts` has one module for each. */
export type Protocol = 'tcp' | 'udp' | 'icmp' | 'ip' | 'ssh' | 'tls' | 'ollama' | 'dns' | 'ntp' | 'dhcp' | 'nebula';

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
  /** The last day of a TEMP row, YYYY-MM-DD in UTC: after it, the row allows nothing in phase setup either. */
  until?: string | undefined;
  /** That day is over: set by `endRows`, never in the file. */
  ended?: true | undefined;
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
  /** true: denied flows out of it must be stopped by others, should somebody take it over as root. */
  confined?: boolean | undefined;
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

/** Cells (a pattern over their ids, `*` for anything) whose violation somebody has accepted, until the end of a day (YYYY-MM-DD, UTC). */
export type Waiver = Readonly<{ cells: string; reason: string; acceptedBy: string; until: string }>;

export type Inventory = Readonly<{
  matrix: Readonly<{
    /** The Markdown that this is the data of, by its path from the inventory. */
    document?: string | undefined;
    networks: Readonly<Record<string, Network>>;
    hosts: Readonly<Record<string, Host>>;
    flows: readonly Row[];
  }>;
  site: Readonly<{
    gateway: string;
    /** Name for `ssh` by host. */
    logins: Readonly<Record<string, string>>;
    /** Hosts outside that we can log in to, straight: name for `ssh` by name. They witness what gets out. */
    beacons?: Readonly<Record<string, string>> | undefined;
    targets: Readonly<Record<string, Target>>;
    /** Ports that no row lists and that are probed all the same. */
    watch: Readonly<{ tcp: readonly number[]; udp: readonly number[] }>;
    /** `denied`: its window is the longest that silence is waited for, `floorMs` the shortest. `rate`: at most so many packets a second from each vantage. */
    timing: Readonly<{ allowed: Timing; denied: Timing & Readonly<{ floorMs?: number | undefined }>; rate?: number | undefined }>;
    /** Families of cells, and the looks past the hosts' own firewalls, that are not wanted here. */
    without?: readonly Exclude<Family | 'walls', 'row'>[] | undefined;
  }>;
  waivers?: readonly Waiver[] | undefined;
}>;
