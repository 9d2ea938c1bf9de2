// What a host says of itself, and what is found out before the plan.
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
  /** Its own Ethernet addresses. */
  links: readonly Readonly<{ interface: string; mac: string }>[];
  /** Those of its neighbours, as far as it knows them. */
  neighbours: readonly Readonly<{ address: string; interface: string; mac: string }>[];
  /** The ranges of ports that its rules take out of connection tracking (`notrack`); all: any, or it could not be told. Older evidence has none. */
  untracked?: 'all' | readonly Readonly<{ transport: 'tcp' | 'udp'; first: number; last: number }>[];
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
  /** Hosts whose prober may use source ports below 1024. */
  privileged: readonly string[];
  /** Hosts whose prober can send raw packets and frames past their own firewall. */
  raw: readonly string[];
  /** The address of each beacon, where it is known: a host outside that witnesses and is no vantage. */
  beacons: Readonly<Record<string, string | null>>;
  /** Addresses that the beacons see our site under. */
  seenAs: readonly string[];
}>;
