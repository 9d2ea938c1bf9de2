// A prober at the far end of a stream: exchanges in, replies out, close. Does not know that the stream is SSH.
import type { Duplex } from 'node:stream';
import pLimit from 'p-limit';
import type { Arrival, Bounds, Exchange, Failure, Frame, Listener, RawLook, Reply, Scan, Scanned, SweepLook, Swept, Timing } from './model.ts';
import { lifetimeS } from './boot.ts';
import { program } from './prober/program.ts';
import { boundsOf, scannedOf, sweepOf } from './swept.ts';
import { exchangeCommand, frameCommand, listenCommand, longestLine, parseLine, rawCommand, scanCommand, sweepCommand, type Line } from './wire.ts';

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

/** A standing listener. `hush` ends it and gives all that came, or why it heard no longer. */
export type Listening = Readonly<{ arrivals: () => readonly Arrival[]; hush: () => Promise<readonly Arrival[] | Failure> }>;

/** A look may wait in the prober for a free descriptor or process; one that has said nothing of any look for so long is stuck. */
const slackMs = 45_000;
/** And no longer than this, however much it says: a machine may be in other hands. */
const patienceMs = 60_000;
/** A login shell's profile on a slow machine, and the program over a line that stalls; the same patience as the session's own. */
const bootTimeoutMs = 30_000;
/** How often a prober hears that we are still there, if it hears nothing else: it ends after two minutes without a word. */
const beatMs = 20_000;
/** As long as the prober lives: a run may ask again for lost packets, or be slow on purpose; a listener ends with its prober anyway. */
const listenMs = lifetimeS * 1_000;
/** Of one listener: a host under someone else's control could send without end. */
const mostArrivals = 500;
/**
 * The most that is heard of one command, in characters, since a run keeps it all: a look has 20 tries at most and 4 KB of data
 * in an answer, a table some 400 for each connection of our own hosts, a sweep two lines a port. However short a line is, what is kept of it is not.
 */
const mostHeard = { look: 1 << 16, other: 1 << 24, sweep: 1 << 26, aLine: 256 } as const;
/** Looks at once. Each prober lets those wait that it has no room for: python by its descriptors (three for a look of three tries), sh by its machine's memory. */
const inFlight = { python: 1_000, sh: 640 } as const;
/**
 * Frames at once: they share one socket a device, so memory and descriptors are no bound, but their answers are read by one
 * thread: a thousand with three tries each cost python 0.1 s of its processor. The four machines have some 1,100 a vantage.
 */
const framesInFlight = 2_000;

type Pending = { lines: Line[]; left: number; settle: (failure: Failure | null) => void; onLine?: ((line: Line) => void) | undefined };

/**
 * Each try of the sh prober is a process. Where it is silence that is expected of a handshake, the first and the last try are all that it
 * makes, at their times: a third of a small machine's work is spared, and nobody waits for the second SYN of the kernel.
 */
export function sparing(exchange: Exchange): Exchange {
  const { transport, send, sourcePort, attempts, intervalMs, windowMs } = exchange;
  const waitsMs = (attempts - 1) * intervalMs + windowMs;
  return transport === 'tcp' && send === '' && sourcePort === 0 && attempts > 2 && waitsMs <= briefMs ? { ...exchange, attempts: 2, intervalMs: (attempts - 1) * intervalMs } : exchange;
}
/** An allowed flow's looks take longer, and those that are made again for lost packets. */
const briefMs = 1_500;

/** Starts the prober that `bootCommand(mark)` awaits at the far end of `stream`. */
export async function openVantage(stream: Duplex, mark: string): Promise<Vantage | Failure> {
  const pending = new Map<number, Pending>();
  const boot: { kind: 'python' | 'sh' | null; ready: (vantage: Vantage | Failure) => void } = { kind: null, ready: () => undefined };
  let lost: Failure | null = null;
  let lastId = 0;
  let heardMs = Date.now();

  // What is asked at once goes out at once: each write is a packet of its own, enciphered and authenticated by itself.
  let unsent: string[] = [];
  const send = (line: string): void => {
    if (unsent.push(line) > 1) return;
    setImmediate(() => {
      const lines = unsent;
      unsent = [];
      stream.write(lines.map((one) => `${one}\n`).join(''));
    });
  };

  const command = (write: (id: number) => string, timeoutMs: number, { onLine, most = onLine === undefined ? mostHeard.other : Number.POSITIVE_INFINITY }: { most?: number; onLine?: (line: Line) => void } = {}): Promise<{ lines: Line[]; failure: Failure | null }> =>
    new Promise((resolve) => {
      const id = ++lastId;
      const lines: Line[] = [];
      const begun = Date.now();
      // A busy machine takes its turn; one whose prober says nothing at all is stopped, and waiting for each look would take minutes.
      const expire = (): void => {
        const leftMs = Math.min(Math.max(begun + timeoutMs, heardMs + slackMs), begun + timeoutMs + patienceMs) - Date.now();
        if (leftMs > 0) return void (timer = setTimeout(expire, leftMs));
        if (Date.now() - heardMs >= slackMs) lose(`the prober has said nothing for ${slackMs / 1000} s: it or its machine was stopped or cut off, or is too busy. Look at it there, then run again`);
        settle({ operation: 'exchange', cause: 'the prober did not answer in time' });
      };
      let timer = setTimeout(expire, timeoutMs);
      const settle = (failure: Failure | null): void => {
        clearTimeout(timer);
        pending.delete(id);
        resolve({ lines, failure });
      };
      if (lost !== null) return settle(lost);
      pending.set(id, { lines, left: most, settle, onLine });
      send(write(id));
    });
  let beat: NodeJS.Timeout | undefined;
  const lose = (cause: string): void => {
    clearInterval(beat);
    lost ??= { operation: 'exchange', cause };
    boot.ready({ operation: 'start-prober', cause });
    for (const { settle } of pending.values()) settle(lost);
  };

  const onLine = (line: string): void => {
    heardMs = Date.now();
    const said = `FLOWPROOF-BOOT ${mark} `;
    const started = line.startsWith(said) ? line.slice(said.length) : null;
    const ready = boot.kind === null ? null : /^FLOWPROOF-1 (python|sh) uid=(\d+)/.exec(line); // before it there is noise alone
    if (boot.kind === null && started === 'none') boot.ready({ operation: 'start-prober', cause: 'neither python3 nor nc is on the host; install one of them' });
    else if (boot.kind === null && (started === 'python' || started === 'sh')) {
      boot.kind = started;
      stream.write(program(started));
    } else if (ready !== null) {
      beat ??= setInterval(() => send(''), beatMs).unref();
      boot.ready(vantageOf(ready[1] === 'python' ? 'python' : 'sh', ready[2] === '0'));
    }
    const parsed = parseLine(line);
    const waiting = parsed === null ? undefined : pending.get(parsed.id);
    if (parsed === null || waiting === undefined) return; // banners, noise, or a hostile host
    waiting.left -= line.length + mostHeard.aLine;
    if (parsed.is === 'end') waiting.settle(null);
    else if (waiting.left < 0) waiting.settle({ operation: 'exchange', cause: 'the prober says more than it can have to say: is the machine still yours?' });
    else if (waiting.onLine !== undefined) waiting.onLine(parsed);
    else waiting.lines.push(parsed);
  };

  const vantageOf = (kind: 'python' | 'sh', root: boolean): Vantage => {
    const limit = pLimit(inFlight[kind]);
    const limitFrames = pLimit(framesInFlight);
    const look = async (write: (id: number) => string, { attempts, intervalMs, windowMs }: Timing): Promise<Looked> => {
      const { lines, failure } = await command(write, attempts * intervalMs + windowMs + slackMs, { most: mostHeard.look });
      return { replies: lines.flatMap((line) => (line.is === 'reply' ? [line.reply] : [])), failure };
    };
    const tell = async (what: 'facts' | 'configuration'): Promise<Told | Failure> => {
      const { lines, failure } = await command((id) => `${id} ${what}`, slackMs);
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
      scan: (scan, onBegun) => scannedOf(scan, onBegun, (heard) => command((id) => scanCommand(id, scan), slackMs, { most: mostHeard.look, onLine: heard })),
      raw: (raw) => limit(() => look((id) => rawCommand(id, raw), raw)),
      frame: (frame) => limitFrames(() => look((id) => frameCommand(id, frame), frame)),
      sweep: (sweep, onPackets) => sweepOf(sweep, onPackets, (timeoutMs, heard) => command((id) => sweepCommand(id, sweep), timeoutMs, { most: mostHeard.sweep, onLine: heard })),
      facts: () => tell('facts'),
      configuration: () => tell('configuration'),
      conntrack: async (addresses) => {
        const { lines, failure } = await command((id) => `${id} conntrack ${addresses.join(',')}`, slackMs);
        if (refusal(lines) !== null) return { operation: 'exchange', cause: 'connection tracking cannot be read there: no root, or none in the kernel' };
        return failure ?? { rows: lines.flatMap((line) => (line.is === 'row' ? [line.text] : [])), dropped: numberIn(lines, 'dropped') };
      },
      resets: async () => {
        const { lines, failure } = await command((id) => `${id} resets`, slackMs);
        if (failure !== null) return failure;
        return numberIn(lines, 'resets') ?? { operation: 'exchange', cause: `the count of resets cannot be read there: ${refusal(lines) ?? 'it is no number'}` };
      },
      bounds: async () => {
        const { lines, failure } = await command((id) => `${id} bounds`, slackMs);
        return failure ?? boundsOf(lines.flatMap((line) => (line.is === 'fact' && line.name === 'bounds' ? [line.text] : [])).join(''));
      },
      lock: async (address) => {
        const { lines, failure } = await command((id) => `${id} lock ${address}`, slackMs);
        if (failure !== null || lines.some((line) => line.is === 'fact' && line.name === 'lock' && line.text === 'held')) return failure;
        const refused = refusal(lines) ?? 'it did not say why';
        const cause = refused === 'EADDRINUSE' ? 'another run of flowproof is under way on this host: wait for its end' : `the lock against a second run could not be had on this host: ${refused}`;
        return { operation: 'start-prober', cause };
      },
      unlock: async (address) => void (await command((id) => `${id} unlock ${address}`, slackMs)),
      listen: (listener, sources) =>
        new Promise((resolve) => {
          const arrivals: Arrival[] = [];
          let own = 0;
          let broken: Failure | null = null;
          const hear = (line: Line): void => {
            if (line.is === 'arrival' && arrivals.length < mostArrivals) arrivals.push(line.arrival);
            if (line.is === 'reply' && line.reply.event === 'unprobed') broken = { operation: 'exchange', cause: `${listener.id}: ${line.reply.errno}` };
            if (line.is === 'listening') resolve({ arrivals: () => arrivals, hush });
          };
          const ended = command((id) => listenCommand((own = id), listener, sources, listenMs), listenMs + slackMs, { onLine: hear });
          // At its end it says what had come and was not told yet.
          const hush = async (): Promise<readonly Arrival[] | Failure> => {
            const { failure } = await command((id) => `${id} hush ${own}`, slackMs);
            // Its window is half an hour; nobody waits for one that goes on talking.
            const last = await Promise.race([ended, notEnded(listener)]);
            return failure ?? last.failure ?? broken ?? arrivals;
          };
          void ended.then(({ failure }) => resolve(failure ?? broken ?? { operation: 'exchange', cause: `${listener.id} ended before its time` }));
        }),
      ended: () => lost !== null,
      close: () => {
        clearInterval(beat);
        setImmediate(() => void stream.end());
      }, // after what is still to be sent
    };
  };

  readLines(stream, onLine);
  stream.on('error', (error: Error) => lose(`the connection to the prober broke: ${error.message}`));
  stream.on('close', () => lose('the prober ended, or the connection to it broke'));
  return new Promise((resolve) => {
    const timer = setTimeout(() => boot.ready({ operation: 'start-prober', cause: 'the prober did not start in time' }), bootTimeoutMs);
    boot.ready = (result) => {
      clearTimeout(timer);
      resolve(result);
    };
    if (lost !== null) boot.ready(lost);
  });
}

async function notEnded({ id }: Listener): Promise<{ failure: Failure }> {
  await new Promise((resolve) => setTimeout(resolve, slackMs).unref());
  return { failure: { operation: 'exchange', cause: `${id} did not end when it was told to` } };
}

/** Splits a stream into lines; a line without end is cut off rather than kept. */
function readLines(stream: Duplex, onLine: (line: string) => void): void {
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const [first = '', ...more] = chunk.toString('latin1').split('\n'); // what there was is not searched again
    const parts = [rest + first, ...more];
    rest = parts.pop() ?? '';
    if (rest.length > longestLine) rest = '';
    for (const line of parts) onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  });
}
