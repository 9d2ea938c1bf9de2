// A listener on a host, as its prober stands it up, tells what arrives, and ends it.
import { lifetimeS } from './boot.ts';
import { slackMs, type Dialogue } from './dialogue.ts';
import type { Arrival, Failure, Listener } from './model.ts';
import { listenCommand, type Line } from './wire.ts';

/** A standing listener. `hush` ends it and gives all that came, or why it heard no longer. */
export type Listening = Readonly<{ arrivals: () => readonly Arrival[]; hush: () => Promise<readonly Arrival[] | Failure> }>;

/** As long as the prober lives: a run may ask again for lost packets, or be slow on purpose; a listener ends with its prober anyway. */
const listenMs = lifetimeS * 1_000;
/** Of one listener: a host under someone else's control could send without end. */
const mostArrivals = 500;

/** Resolves once it stands, or has failed to. @param sources the only ones that get through to it */
export const listenBy = (ask: Dialogue['ask'], listener: Listener, sources: readonly string[]): Promise<Listening | Failure> =>
  new Promise((resolve) => {
    const arrivals: Arrival[] = [];
    let own = 0;
    let broken: Failure | null = null;
    const hear = (line: Line): void => {
      if (line.is === 'arrival' && arrivals.length < mostArrivals) arrivals.push(line.arrival);
      if (line.is === 'reply' && line.reply.event === 'unprobed') broken = { operation: 'exchange', cause: `${listener.id}: ${line.reply.errno}` };
      if (line.is === 'listening') resolve({ arrivals: () => arrivals, hush });
    };
    const ended = ask((id) => listenCommand((own = id), listener, sources, listenMs), listenMs + slackMs, { onLine: hear });
    // At its end it says what had come and was not told yet.
    const hush = async (): Promise<readonly Arrival[] | Failure> => {
      const { failure } = await ask((id) => `${id} hush ${own}`);
      // Its window is half an hour; nobody waits for one that goes on talking.
      const last = await Promise.race([ended, notEnded(listener)]);
      return failure ?? last.failure ?? broken ?? arrivals;
    };
    void ended.then(({ failure }) => resolve(failure ?? broken ?? { operation: 'exchange', cause: `${listener.id} ended before its time` }));
  });

async function notEnded({ id }: Listener): Promise<{ failure: Failure }> {
  await new Promise((resolve) => setTimeout(resolve, slackMs).unref());
  return { failure: { operation: 'exchange', cause: `${id} did not end when it was told to` } };
}

