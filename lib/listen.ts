// Our listeners at the far end: put up before the probes, shown to hear before and after them, and taken down.
import type { Heard } from './backing.ts';
import type { Arrival, Control, Facts, Failure, Listener } from './model.ts';
import { canonical } from './address.ts';
import { isFailure } from './facts.ts';
import type { Listening } from './listener.ts';
import type { Vantage } from './vantage.ts';

export type Listeners = Readonly<{ finish: () => Promise<ReadonlyMap<string, Heard>> }>;

type Input = Readonly<{ listeners: readonly Listener[]; hosts: Readonly<Record<string, Facts | Failure>>; newToken: () => string }>;

/** Resolves once each of them stands, or cannot; only our own vantages get through to them. */
export async function startListening({ listeners, hosts, newToken }: Input, vantages: ReadonlyMap<string, Vantage>): Promise<Listeners> {
  const everyAddress = Object.values(hosts).flatMap((facts) => (isFailure(facts) ? [] : facts.addresses.map((own) => canonical(own.address))));
  const sources = [...new Set(everyAddress)];
  const up = await Promise.all(listeners.map(async (listener) => {
    const vantage = vantages.get(listener.host);
    if (vantage === undefined) return [];
    const listening = await vantage.listen(listener, sources);
    if ('cause' in listening) return []; // another program is there: then connection tracking alone is the witness
    return [{ listener, vantage, listening, before: await hears(listener, 'before', vantage, listening, newToken()) }];
  }));
  const finish = async (): Promise<ReadonlyMap<string, Heard>> => {
    const heard = await Promise.all(up.flat().map(async ({ listener, vantage, listening, before }) => {
      const after = await hears(listener, 'after', vantage, listening, newToken());
      const arrivals = await listening.hush();
      if ('cause' in arrivals) return [listener.id, { before, after: { ...after, held: false, detail: arrivals.cause }, arrivals: [] }] as const;
      return [listener.id, { before, after, arrivals: withoutOwn(arrivals, hosts[listener.host]) }] as const;
    }));
    return new Map(heard);
  };
  return { finish };
}

/** The host sends a token to its own listener, which must say so. */
async function hears(listener: Listener, when: string, vantage: Vantage, listening: Listening, token: string): Promise<Control> {
  const id = `${listener.id} ${when}`;
  const { transport, address, port } = listener;
  await vantage.exchange({ transport, address, port, sourcePort: 0, send: token, attempts: 1, intervalMs: 10, windowMs: 300 });
  const held = listening.arrivals().some(({ hex }) => hex.startsWith(token));
  return { id, held, detail: held ? 'it got the token that its own machine sent' : 'it did not get the token that its own machine sent' };
}

function withoutOwn(arrivals: readonly Arrival[], facts: Facts | Failure | undefined): readonly Arrival[] {
  const own = new Set(facts === undefined || isFailure(facts) ? [] : facts.addresses.map(({ address }) => canonical(address)));
  return arrivals.filter(({ source }) => !own.has(canonical(source)));
}
