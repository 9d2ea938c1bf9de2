// A prober at the far end of a stream: exchanges in, replies out, close. Does not know that the stream is SSH.
import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import pLimit from 'p-limit';
import type { Arrival, Exchange, Failure, Listener, Reply } from './model.ts';
import { exchangeCommand, listenCommand, longestLine, parseLine, type Line } from './wire.ts';

export type Looked = Readonly<{ replies: readonly Reply[]; failure: Failure | null }>;

export type Vantage = Readonly<{
  kind: 'python' | 'sh';
  /** Whether the prober runs as root, by login or by sudo. */
  root: boolean;
  /** Never rejects: what goes wrong is the failure. */
  exchange(exchange: Exchange): Promise<Looked>;
  facts(): Promise<Readonly<{ told: Readonly<Record<string, string>> }> | Failure>;
  /** The entries of connection tracking that come from one of these addresses, as /proc/net/nf_conntrack has them. */
  conntrack(addresses: readonly string[]): Promise<readonly string[] | Failure>;
  /** A listener on the host, which only the given sources get through to. Resolves once it stands. */
  listen(listener: Listener, sources: readonly string[]): Promise<Listening | Failure>;
  close(): void;
}>;

/** A standing listener. `hush` ends it and gives all that came, or why it heard no longer. */
export type Listening = Readonly<{ arrivals: () => readonly Arrival[]; hush: () => Promise<readonly Arrival[] | Failure> }>;

/** A look may wait in the prober for a free descriptor or process; beyond this it is stuck. */
const slackMs = 15_000;
/** A login shell's profile on a slow machine; the same bound as a login's. */
const bootTimeoutMs = 15_000;
/** The prober ends by itself when its stdin does; this is for a connection that died without a word (30 min > any run). */
const lifetimeS = 1_800;
/** Looks at once: python holds a socket each (well under 1,024 descriptors with three tries); sh forks, on machines of 256 MB. */
/** A run takes seconds; a listener that outlives its run's connection ends with it anyway. */
const listenMs = 60_000;
/** Of one listener: a host under someone else's control could send without end. */
const mostArrivals = 500;
const inFlight = { python: 300, sh: 100 } as const;

const source = (file: string): Buffer => readFileSync(new URL(`./prober/${file}`, import.meta.url));
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * The command that starts a prober: python3 where there is one, else sh with nc; as root where sudo lets us without a
 * password. The program itself follows on stdin, so nothing is written on the host.
 */
export function bootCommand(): string {
  const bytes = source('prober.py').length;
  const python = `import os;n=${bytes};b=b""\nwhile len(b)<n:\n c=os.read(0,n-len(b))\n if not c: os._exit(0)\n b+=c\nexec(compile(b,"prober","exec"))`;
  const shell = `p=; while IFS= read -r l; do [ "$l" = "#END" ] && break; p="$p$l\n"; done; eval "$p"`.replace('\\n', '\n');
  const script = [
    'PATH=$PATH:/usr/sbin:/sbin; export PATH; as=',
    '[ "$(id -u)" = 0 ] || { sudo -n true </dev/null >/dev/null 2>&1 && as="sudo -n"; }',
    `if command -v python3 >/dev/null 2>&1; then printf '\\nFLOWPROOF-BOOT python\\n'; exec $as timeout ${lifetimeS} python3 -c ${quote(python)}`,
    `elif command -v nc >/dev/null 2>&1; then printf '\\nFLOWPROOF-BOOT sh\\n'; exec $as timeout ${lifetimeS} sh -c ${quote(shell)}`,
    `else printf '\\nFLOWPROOF-BOOT none\\n'; fi`,
  ].join('\n');
  return `exec sh -c ${quote(script)}`;
}

type Pending = { lines: Line[]; settle: (failure: Failure | null) => void; onLine?: ((line: Line) => void) | undefined };

/** Starts the prober that `bootCommand()` awaits at the far end of `stream`. */
export async function openVantage(stream: Duplex): Promise<Vantage | Failure> {
  const pending = new Map<number, Pending>();
  const boot: { kind: 'python' | 'sh' | null; ready: (vantage: Vantage | Failure) => void } = { kind: null, ready: () => undefined };
  let lost: Failure | null = null;
  let lastId = 0;

  const command = (write: (id: number) => string, timeoutMs: number, onLine?: (line: Line) => void): Promise<{ lines: Line[]; failure: Failure | null }> =>
    new Promise((resolve) => {
      const id = ++lastId;
      const lines: Line[] = [];
      const timer = setTimeout(() => settle({ operation: 'exchange', cause: 'the prober did not answer in time' }), timeoutMs);
      const settle = (failure: Failure | null): void => {
        clearTimeout(timer);
        pending.delete(id);
        resolve({ lines, failure });
      };
      if (lost !== null) return settle(lost);
      pending.set(id, { lines, settle, onLine });
      stream.write(`${write(id)}\n`);
    });
  const lose = (cause: string): void => {
    lost ??= { operation: 'exchange', cause };
    boot.ready({ operation: 'start-prober', cause });
    for (const { settle } of pending.values()) settle(lost);
  };

  const onLine = (line: string): void => {
    const started = /^FLOWPROOF-BOOT (python|sh|none)$/.exec(line)?.[1];
    const ready = /^FLOWPROOF-1 (python|sh) uid=(\d+)/.exec(line);
    if (boot.kind === null && started === 'none') boot.ready({ operation: 'start-prober', cause: 'neither python3 nor nc is on the host; install one of them' });
    else if (boot.kind === null && (started === 'python' || started === 'sh')) {
      boot.kind = started;
      stream.write(started === 'python' ? source('prober.py') : `${source('prober.sh').toString()}#END\n`);
    } else if (ready !== null) boot.ready(vantageOf(ready[1] === 'python' ? 'python' : 'sh', ready[2] === '0'));
    const parsed = parseLine(line);
    const waiting = parsed === null ? undefined : pending.get(parsed.id);
    if (parsed === null || waiting === undefined) return; // banners, noise, or a hostile host
    if (parsed.is === 'end') waiting.settle(null);
    else if (waiting.onLine !== undefined) waiting.onLine(parsed);
    else waiting.lines.push(parsed);
  };

  const vantageOf = (kind: 'python' | 'sh', root: boolean): Vantage => {
    const limit = pLimit(inFlight[kind]);
    return {
      kind,
      root,
      exchange: (exchange) =>
        limit(async () => {
          const boundMs = exchange.attempts * exchange.intervalMs + exchange.windowMs + slackMs;
          const { lines, failure } = await command((id) => exchangeCommand(id, exchange), boundMs);
          return { replies: lines.flatMap((line) => (line.is === 'reply' ? [line.reply] : [])), failure };
        }),
      facts: async () => {
        const { lines, failure } = await command((id) => `${id} facts`, slackMs);
        const told: Record<string, string> = {};
        // prober.sh breaks a long one into several of one name: its lines must fit into a pipe's atomic write.
        for (const line of lines) if (line.is === 'fact') told[line.name] = (told[line.name] ?? '') + line.text;
        return failure ?? { told };
      },
      conntrack: async (addresses) => {
        const { lines, failure } = await command((id) => `${id} conntrack ${addresses.join(',')}`, slackMs);
        const refused = lines.find((line) => line.is === 'reply' && line.reply.event === 'unprobed');
        if (refused !== undefined) return { operation: 'exchange', cause: 'connection tracking cannot be read there: no root, or none in the kernel' };
        return failure ?? lines.flatMap((line) => (line.is === 'row' ? [line.text] : []));
      },
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
          const ended = command((id) => listenCommand((own = id), listener, sources, listenMs), listenMs + slackMs, hear);
          // At its end it says what had come and was not told yet.
          const hush = async (): Promise<readonly Arrival[] | Failure> => {
            const { failure } = await command((id) => `${id} hush ${own}`, slackMs);
            const last = await ended;
            return failure ?? last.failure ?? broken ?? arrivals;
          };
          void ended.then(({ failure }) => resolve(failure ?? broken ?? { operation: 'exchange', cause: `${listener.id} ended before its time` }));
        }),
      close: () => void stream.end(),
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

/** Splits a stream into lines; a line without end is cut off rather than kept. */
function readLines(stream: Duplex, onLine: (line: string) => void): void {
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString('latin1')).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > longestLine) rest = '';
    for (const line of parts) onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  });
}
