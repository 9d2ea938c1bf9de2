// A vantage that makes many looks as one where each by itself would cost a process or more: the denied ones of the sh prober.
import type { Exchange, Failure, Reply, Scan, Scanned } from './model.ts';
import { isScannable } from './pace.ts';
import type { Looked, Vantage } from './vantage.ts';

/** A command is a line that must fit into a pipe's atomic write; and nc's own time begins before all of them have sent. */
const [mostPlaces, mostCharacters] = [64, 3_800];

type Asked = Readonly<{ exchange: Exchange; told: (looked: Promise<Looked>) => void }>;

/** Scans begin one after the other, so that each has sent before much of its time is over; they are silent side by side. */
export function scanning(vantage: Vantage): Vantage {
  if (vantage.kind !== 'sh') return vantage;
  let waiting: Asked[] = [];
  let begun: Promise<void> = Promise.resolve();
  const begin = (batch: readonly Asked[]): void => {
    begun = begun.then(() => new Promise((onBegun) => {
      const scan = scanOf(batch.map(({ exchange }) => exchange));
      const scanned = vantage.scan(scan, onBegun).finally(onBegun);
      for (const { exchange, told } of batch) told(scanned.then((states) => lookedOf(exchange, states, vantage)));
    }));
  };
  return {
    ...vantage,
    exchange: (exchange, isLetOut) => isLetOut === true || !isScannable(exchange) ? vantage.exchange(exchange, isLetOut) : new Promise((resolve) => {
      // What is asked at once is scanned at once.
      if (waiting.push({ exchange, told: resolve }) > 1) return;
      setImmediate(() => {
        const all = waiting;
        waiting = [];
        for (const batch of batchesOf(all)) begin(batch);
      });
    }),
  };
}

/** Of one transport each, in their order; no address and port twice in one. */
export function batchesOf<T extends Readonly<{ exchange: Exchange }>>(asked: readonly T[]): readonly (readonly T[])[] {
  const batches: { of: T[]; places: Set<string>; characters: number; transport: string }[] = [];
  for (const one of asked) {
    const { transport, sourcePort, address, port } = one.exchange;
    const [place, characters] = [`${address} ${port}`, `${sourcePort} ${address} ${port} `.length];
    let batch = batches.findLast((other) => other.transport === transport && other.of.length < mostPlaces && other.characters + characters <= mostCharacters && !other.places.has(place));
    if (batch === undefined) batches.push((batch = { of: [], places: new Set(), characters: 0, transport }));
    batch.of.push(one);
    batch.places.add(place);
    batch.characters += characters;
  }
  return batches.map(({ of }) => of);
}

function scanOf(exchanges: readonly Exchange[]): Scan {
  return { transport: exchanges[0]?.transport === 'udp' ? 'udp' : 'tcp', windowMs: Math.max(...exchanges.map(({ windowMs }) => windowMs)), places: exchanges };
}

/** The look as it would have gone by itself; what a scan cannot tell, or tells of no place, is asked by itself. */
function lookedOf(exchange: Exchange, scanned: Scanned | Failure, vantage: Vantage): Looked | Promise<Looked> {
  const state = 'states' in scanned ? scanned.states.get(`${exchange.address} ${exchange.port}`) : undefined;
  if (exchange.transport === 'udp' && state === 'silent') return vantage.exchange(exchange, true);
  const replies = state === undefined ? null : repliesOf(exchange, state);
  return replies === null ? vantage.exchange(exchange) : { replies, failure: null };
}

/** Of what else there is, the prober looks into why: a broadcast address, a port that is taken, an address that there is not. */
const plain: ReadonlySet<string> = new Set(['EPERM', 'ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH']);

function repliesOf({ transport, sourcePort }: Exchange, state: string): readonly Reply[] | null {
  const sent = (ordinal: number, ms: number): Reply => ({ event: 'sent', try: ordinal, sourcePort: sourcePort || null, ms });
  if (state === 'connected') return [sent(1, 0), { event: 'connected', try: 1, ms: null }];
  // The kernel's second SYN, a second after the first (RFC 6298, section 2.1).
  if (state === 'silent') return [sent(1, 0), sent(2, 1_000)];
  const errno = state.slice('error-'.length);
  return plain.has(errno) ? [sent(1, 0), { event: 'error', try: 1, errno, operation: transport === 'tcp' ? 'connect' : 'send' }] : null;
}
