// What is asked of a prober and what it says to it, over one stream: its start, commands and replies told apart by their ids, how
// long it is waited for, its end. Does not know that the stream is SSH.
import type { Duplex } from 'node:stream';
import type { Failure } from './model.ts';
import { program } from './prober/program.ts';
import { longestLine, parseLine, type Line } from './wire.ts';

/** All that was said to a command up to its end; with a failure, up to that. */
export type Said = Readonly<{ lines: readonly Line[]; failure: Failure | null }>;

export type Dialogue = Readonly<{
  kind: 'python' | 'sh';
  /** Whether the prober runs as root, by login or by sudo. */
  root: boolean;
  /**
   * Never rejects: what goes wrong is the failure.
   * @param write the command, by the id that it is given
   * @param timeoutMs a prober that says something to others may take a minute more
   * @param most characters that are heard of it
   * @param onLine gets each line as it comes; none of them is kept then
   */
  ask(write: (id: number) => string, timeoutMs?: number, options?: Readonly<{ most?: number; onLine?: (line: Line) => void }>): Promise<Said>;
  ended(): boolean;
  close(): void;
}>;

/** A look may wait in the prober for a free descriptor or process; one that has said nothing of any look for so long is stuck. */
export const slackMs = 45_000;
/** And no longer than this, however much it says: a machine may be in other hands. */
const patienceMs = 60_000;
/** A login shell's profile on a slow machine, and the program over a line that stalls; the same patience as the session's own. */
const bootTimeoutMs = 30_000;
/** How often a prober hears that we are still there, if it hears nothing else: it ends after two minutes without a word. */
const beatMs = 20_000;
/**
 * The most that is heard of one command, in characters, since a run keeps it all: a look has 20 tries at most and 4 KB of data
 * in an answer, a table some 400 for each connection of our own hosts, a sweep two lines a port. However short a line is, what is kept of it is not.
 */
export const mostHeard = { look: 1 << 16, other: 1 << 24, sweep: 1 << 26, aLine: 256 } as const;

type Pending = { lines: Line[]; left: number; settle: (failure: Failure | null) => void; onLine?: ((line: Line) => void) | undefined };

/** Starts the prober that `bootCommand(mark)` awaits at the far end of `stream`. */
export async function openDialogue(stream: Duplex, mark: string): Promise<Dialogue | Failure> {
  const pending = new Map<number, Pending>();
  const boot: { kind: 'python' | 'sh' | null; ready: (opened: Dialogue | Failure) => void } = { kind: null, ready: () => undefined };
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

  const ask: Dialogue['ask'] = (write, timeoutMs = slackMs, { onLine, most = onLine === undefined ? mostHeard.other : Number.POSITIVE_INFINITY } = {}) =>
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
  const close = (): void => {
    clearInterval(beat);
    setImmediate(() => void stream.end()); // after what is still to be sent
  };
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
      boot.ready({ kind: ready[1] === 'python' ? 'python' : 'sh', root: ready[2] === '0', ask, ended: () => lost !== null, close });
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
    const [first = '', ...more] = chunk.toString('latin1').split('\n'); // what there was is not searched again
    const parts = [rest + first, ...more];
    rest = parts.pop() ?? '';
    if (rest.length > longestLine) rest = '';
    for (const line of parts) onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  });
}
