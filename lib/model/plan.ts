// The plan: cells, how they are looked at, and what must hold for their silence to mean anything.
import type { Route } from './hosts.ts';
import type { Outcome } from './outcome.ts';
import type { Family, Phase, Protocol, Timing, Transport } from './site.ts';

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
  /** Where the cell is about a source port: that one. */
  sourcePort?: number;
  /** In phase setup, where the row is a TEMP row whose last day is over: that day. */
  ended?: string;
  /** Where the cell is about another way: the neighbour that gets the frame. */
  by?: string;
}>;

/** What the prober puts on the wire: it knows transports, never protocols. Bytes are hex. */
export type Exchange = Timing & Readonly<{
  transport: Exclude<Transport, 'ip'>;
  address: string;
  port: number;
  /** 0: any. */
  sourcePort: number;
  send: string;
}>;

/** A packet by a raw socket: the source's firewall sees it, no transport of the source's kernel does. Payload: transport header and on. */
export type RawLook = Timing & Readonly<{ address: string; ipProtocol: number; payload: string }>;

/** A whole IP packet in an Ethernet frame, past the source's own firewall. */
export type Frame = Timing & Readonly<{ device: string; mac: string; packet: string }>;

/**
 * How a flow is looked at: by an exchange, a raw packet or a frame, by our own SSH login, by the connection tracking of
 * `hosts`, or not at all since the facts settle it. `sourcePort` is the one within the packet (ICMP: its identifier; 0: none).
 */
export type Look = Readonly<
  | { by: 'exchange'; exchange: Exchange }
  | { by: 'raw'; raw: RawLook; sourcePort: number }
  | { by: 'frame'; frame: Frame; sourcePort: number }
  | { by: 'login' }
  | { by: 'sessions'; hosts: readonly string[] }
  | { by: 'facts'; outcome: Outcome }>;

export type Probe = Readonly<{ id: string; vantage: string; flow: Flow; look: Look; token: string }>;

/** A listener of ours at the far end of denied flows: exactly one address of the host, scoped where it is link-local. */
export type Listener = Readonly<{ id: string; host: string; transport: 'tcp' | 'udp'; address: string; port: number }>;

/**
 * A cell with its looks, and what must hold before silence means anything: the hosts whose connection tracking would have
 * it (the destination, routers of ours on the way), the listener, probes by id.
 */
export type PlannedFlow = Readonly<{
  flow: Flow;
  probe: Probe;
  witnesses: readonly string[];
  listener: string | null;
  aliveBy: readonly string[];
  /** The source's own firewall by itself: a packet that it alone would stop. null: the probe tells, or nothing can. */
  nearWall: Probe | null;
  /** All other firewalls by themselves: a frame past the source's own. */
  farWall: Probe | null;
}>;

/** One of several machines that make a run together: `2/5` is number 2 of 5. */
export type Shard = Readonly<{ number: number; of: number }>;

export type Gap = Readonly<{ reason: string; cells: number; example: string }>;

export type Plan = Readonly<{
  phase: Phase;
  flows: readonly PlannedFlow[];
  /** Probes that are no cell: the operator's looks at external targets, and frames on allowed flows. */
  controls: readonly Probe[];
  listeners: readonly Listener[];
  /** Every cell that section "everything else" of DESIGN.md spans; flows + gaps add up to it. Of a shard: from its sources. */
  universe: number;
  gaps: readonly Gap[];
  /** Of a shard: flows that another looks at in the same run, and that out there its own could be taken for. */
  elsewhere?: readonly Flow[];
}>;
