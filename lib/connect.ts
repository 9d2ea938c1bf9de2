// TCP connections to an sshd, from here or through the gateway's session: by fresh tries, so that lost packets are no "blocked".
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { hedged } from './hedge.ts';
import { roundTripMiss, triesFor, wrongChance } from './loss.ts';

type Place = Readonly<{ hostName: string; port: number }>;

/** What of a session this needs. */
type Through = Readonly<{
  login: Readonly<{ name: string }>;
  exec: (command: string) => Promise<Duplex>;
  forward: (host: string, port: number) => Promise<Duplex>;
  closed: Promise<string>;
}>;

/** Connections, a fresh one each second until one stands: as many as any allowed flow is tried with. */
const connects = { tries: triesFor(roundTripMiss, wrongChance.allowed), everyMs: 1_000 } as const;
/** For the gateway's session to say anything at all: rather a long wait than a "blocked" that only the session was. */
const sessionMs = 30_000;

/** Straight from here. */
export function connectFromHere({ hostName, port }: Place): Promise<Duplex> {
  const attempt = (): Promise<Duplex> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: hostName, port, noDelay: true });
      socket.once('connect', () => resolve(socket)).on('error', reject);
      setTimeout(() => socket.connecting && socket.destroy(new Error('timed out')), connects.tries * connects.everyMs).unref();
    });
  return hedged(attempt, { ...connects, isFinal: ({ code }: Error & { code?: string }) => code !== 'EHOSTUNREACH' && code !== undefined, drop: (socket) => void socket.destroy() });
}

/**
 * Through the gateway's session. @param pace the tries, of which one a moment is begun
 * @throws `timed out`: no connection stood, though the session could be heard all the while · that the session stalls · what sshd says
 */
export async function connectThrough({ hostName, port }: Place, through: Through, pace: Readonly<{ tries: number; everyMs: number }> = connects): Promise<Duplex> {
  let heard = 0;
  const attempt = (): Promise<Duplex> => {
    // The session's own packets are lost as well: a try that waits in its stream has asked nobody, and is answered by nothing.
    void isHeard(through, 2 * pace.everyMs).then((soon) => (heard += soon ? 1 : 0));
    return through.forward(hostName, port);
  };
  try {
    return await hedged(attempt, { ...pace, isFinal: ({ message }) => !/No route to host|timed out/i.test(message), drop: (channel) => void channel.destroy() });
  } catch (error) {
    // A session's answers come in order: once it says anything after all this time, no connection stood.
    const stalls = /timed out/.test((error as Error).message) && (!(await isHeard(through, sessionMs)) || heard < pace.tries * heardShare);
    if (stalls) throw new Error(`the session on ${through.login.name} stalls`, { cause: error });
    throw error;
  }
}

/** Of its questions, one each second, so many are answered within two by a session that loses a fifth of its packets each way, and by none that stands still. */
const heardShare = 0.75;

function isHeard(session: Through, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), withinMs).unref();
    void session.closed.then(() => resolve(false));
    session.exec('true').then((channel) => channel.destroy(), () => undefined).then(() => resolve(true), () => resolve(true));
  });
}
