// A vantage that sends no more packets a second than it may: each look waits for its turn, and its tries are spread. One without a
// bound may make many looks as one.
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { canonical } from './address.ts';
import { isFailure } from './facts.ts';
import type { Facts, Failure, Timing } from './model.ts';
import { kindOf, makeCalendar, slotMsOf, sparing, spread, type Kind } from './pace.ts';
import { scanning } from './scan.ts';
import type { Looked, Vantage } from './vantage.ts';

/** Fewer than a vantage has in flight itself: one that is begun must not wait there, or its slot is over when it is sent. */
const atOnce = 250;
/** A run that is stopped is not kept for longer. */
const lookUpMs = 250;

/**
 * @param facts whose addresses are the vantage's own: what it sends to itself is on no wire, and not counted
 * @param rate packets a second; undefined: no bound
 */
export function paced(vantage: Vantage, facts: Facts | Failure, rate: number | undefined): Vantage {
  if (rate === undefined) return scanning(vantage);
  const slotMs = slotMsOf(rate);
  const { take, free } = makeCalendar(slotMs);
  const limit = pLimit(atOnce);
  const own = new Set(['127.0.0.1', '::1', ...(isFailure(facts) ? [] : facts.addresses.map(({ address }) => canonical(address)))]);

  const waitUntil = async (ms: number): Promise<void> => {
    for (let left = ms - Date.now(); left > 0 && !vantage.ended(); left = ms - Date.now()) await sleep(Math.min(left, lookUpMs));
  };
  const turn = <T extends Timing>(look: T, kind: Kind, send: (look: T) => Promise<Looked>): Promise<Looked> =>
    limit(async () => {
      const { look: slower, slots } = spread(look, kind, slotMs);
      const begins = take(slots, Date.now());
      await waitUntil(begins);
      try {
        return await send(slower);
      } finally {
        free(slots, begins, Date.now());
      }
    });
  return {
    ...vantage,
    exchange: (asked) => {
      if (own.has(canonical(asked.address))) return vantage.exchange(asked);
      const exchange = vantage.kind === 'sh' ? sparing(asked) : asked;
      return turn(exchange, kindOf(vantage.kind, exchange), vantage.exchange);
    },
    raw: (look) => (own.has(canonical(look.address)) ? vantage.raw(look) : turn(look, 'packet', vantage.raw)),
    frame: (frame) => turn(frame, 'packet', vantage.frame),
  };
}
