// What a prober at the far end of a stream can do: each of its commands, and what it says to them as a value.
import type { Duplex } from 'node:stream';
import pLimit from 'p-limit';
import { mostHeard, openDialogue, slackMs, type Dialogue } from './dialogue.ts';
import { listenBy, type Listening } from './listener.ts';
import type { Bounds, Exchange, Failure, Frame, Listener, RawLook, Reply, Scan, Scanned, SweepLook, Swept, Timing } from './model.ts';
import { sparing } from './pace.ts';
import { boundsOf, scannedOf, sweepOf } from './swept.ts';
import { exchangeCommand, frameCommand, rawCommand, scanCommand, sweepCommand, type Line } from './wire.ts';

export type Looked = Readonly<{ replies: readonly Reply[]; failure: Failure | null }>;

export type Vantage = Readonly<{
  kind: 'python' | 'sh';
  /** Whether the prober runs as root, by login or by sudo. */
  root: boolean;
  /** Never rejects: what goes wrong is the failure. `isLetOut`: it is known that a datagram may leave; sh need not find out. */
  exchange(exchange: Exchange, isLetOut?: boolean): Promise<Looked>;
  /** Many looks as one; sh alone. `onBegun`: when all of them have sent. */
  scan(scan: Scan, onBegun: () => void): Promise<Scanned | Failure>;
  /** Through the source's own firewall, which says EPERM; python as root alone, the others say so by `unprobed`. */
  raw(look: RawLook): Promise<Looked>;
  /** Past the source's own firewall, in both directions; python as root alone. */
  frame(frame: Frame): Promise<Looked>;
  /** All ports of a range; past the source's own firewall: python as root alone. `onPackets`: how many packets so far, now and then. */
  sweep(sweep: SweepLook, onPackets: (count: number) => void): Promise<Swept | Failure>;
  facts(): Promise<Told | Failure>;
  /** What ties the evidence to the host's configuration, as lib/configuration.ts reads it; takes some tenths of a second. */
  configuration(): Promise<Told | Failure>;
  /** The entries of connection tracking that come from one of these addresses. */
  conntrack(addresses: readonly string[]): Promise<Table | Failure>;
  /** How many TCP resets the host's kernel has sent since it started: one more for each SYN that reached a closed port. */
  resets(): Promise<number | Failure>;
  /** How much there is of what the host and its prober are bounded by. */
  bounds(): Promise<Bounds | Failure>;
  /** Holds an address of the host's loopback network until the prober ends; null: held. `lockOf` says which a run has. */
  lock(address: string): Promise<Failure | null>;
  unlock(address: string): Promise<void>;
  /** A listener on the host, which only the given sources get through to. Resolves once it stands. */
  listen(listener: Listener, sources: readonly string[]): Promise<Listening | Failure>;
  /** Whether the prober has ended, or the connection to it broke. */
  ended(): boolean;
  close(): void;
}>;

/** Lines as /proc/net/nf_conntrack has them, and how many entries and packets were dropped since the host started because its table was full; null: not told. */
export type Table = Readonly<{ rows: readonly string[]; dropped: number | null }>;

/** By name: what a host says of itself. */
export type Told = Readonly<{ told: Readonly<Record<string, string>> }>;

/** Looks at once. Each prober lets those wait that it has no room for: python by its descriptors (three for a look of three tries), sh by its machine's memory. */
const inFlight = { python: 1_000, sh: 640 } as const;
/**
 * Frames at once: they share one socket a device, so memory and descriptors are no bound, but their answers are read by one
 * thread: a thousand with three tries each cost python 0.1 s of its processor. The four machines have some 1,100 a vantage.
 */
const framesInFlight = 2_000;

/** Starts the prober that `bootCommand(mark)` awaits at the far end of `stream`. */
export async function openVantage(stream: Duplex, mark: string): Promise<Vantage | Failure> {
  const dialogue = await openDialogue(stream, mark);
  return 'operation' in dialogue ? dialogue : vantageOf(dialogue);
}

function vantageOf({ kind, root, ask, ended, close }: Dialogue): Vantage {
  const limit = pLimit(inFlight[kind]);
  const limitFrames = pLimit(framesInFlight);
  const look = async (write: (id: number) => string, { attempts, intervalMs, windowMs }: Timing): Promise<Looked> => {
    const { lines, failure } = await ask(write, attempts * intervalMs + windowMs + slackMs, { most: mostHeard.look });
    return { replies: lines.flatMap((line) => (line.is === 'reply' ? [line.reply] : [])), failure };
  };
  const tell = async (what: 'facts' | 'configuration'): Promise<Told | Failure> => {
    const { lines, failure } = await ask((id) => `${id} ${what}`);
    const told: Record<string, string> = {};
    // The sh prober breaks a long one into several of one name: its lines must fit into a pipe's atomic write.
    for (const line of lines) if (line.is === 'fact') told[line.name] = (told[line.name] ?? '') + line.text;
    return failure ?? { told };
  };
  const refusal = (lines: readonly Line[]): string | null => lines.flatMap((line) => (line.is === 'reply' && line.reply.event === 'unprobed' ? [line.reply.errno] : []))[0] ?? null;
  const numberIn = (lines: readonly Line[], name: string): number | null => {
    const told = lines.flatMap((line) => (line.is === 'fact' && line.name === name ? [line.text] : [])).join('');
    return /^\d{1,15}$/.test(told) ? Number(told) : null;
  };
  return {
    kind,
    root,
    exchange: (asked, isLetOut) => {
      const exchange = kind === 'sh' ? sparing(asked) : asked;
      return limit(() => look((id) => exchangeCommand(id, exchange, isLetOut), exchange));
    },
    scan: (scan, onBegun) => scannedOf(scan, onBegun, (heard) => ask((id) => scanCommand(id, scan), slackMs, { most: mostHeard.look, onLine: heard })),
    raw: (raw) => limit(() => look((id) => rawCommand(id, raw), raw)),
    frame: (frame) => limitFrames(() => look((id) => frameCommand(id, frame), frame)),
    sweep: (sweep, onPackets) => sweepOf(sweep, onPackets, (timeoutMs, heard) => ask((id) => sweepCommand(id, sweep), timeoutMs, { most: mostHeard.sweep, onLine: heard })),
    facts: () => tell('facts'),
    configuration: () => tell('configuration'),
    conntrack: async (addresses) => {
      const { lines, failure } = await ask((id) => `${id} conntrack ${addresses.join(',')}`);
      if (refusal(lines) !== null) return { operation: 'exchange', cause: 'connection tracking cannot be read there: no root, or none in the kernel' };
      return failure ?? { rows: lines.flatMap((line) => (line.is === 'row' ? [line.text] : [])), dropped: numberIn(lines, 'dropped') };
    },
    resets: async () => {
      const { lines, failure } = await ask((id) => `${id} resets`);
      if (failure !== null) return failure;
      return numberIn(lines, 'resets') ?? { operation: 'exchange', cause: `the count of resets cannot be read there: ${refusal(lines) ?? 'it is no number'}` };
    },
    bounds: async () => {
      const { lines, failure } = await ask((id) => `${id} bounds`);
      return failure ?? boundsOf(lines.flatMap((line) => (line.is === 'fact' && line.name === 'bounds' ? [line.text] : [])).join(''));
    },
    lock: async (address) => {
      const { lines, failure } = await ask((id) => `${id} lock ${address}`);
      if (failure !== null || lines.some((line) => line.is === 'fact' && line.name === 'lock' && line.text === 'held')) return failure;
      const refused = refusal(lines) ?? 'it did not say why';
      const cause = refused === 'EADDRINUSE' ? 'another run of flowproof is under way on this host: wait for its end' : `the lock against a second run could not be had on this host: ${refused}`;
      return { operation: 'start-prober', cause };
    },
    unlock: async (address) => void (await ask((id) => `${id} unlock ${address}`)),
    listen: (listener, sources) => listenBy(ask, listener, sources),
    ended,
    close,
  };
}
