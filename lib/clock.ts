// The operator's clock against the answer of a time server that the matrix allows. Pure.
import type { Clock, Finding } from './model.ts';
import { packetBytes, serverTimeOf } from './protocols/ntp.ts';

/**
 * The answer that bounds the local clock most closely. The server read its clock after our request left and before our look was over;
 * the offset is taken for the middle of that time, and `withinMs` is half of it.
 * @returns null where no allowed NTP flow answered
 */
export function clockOf(findings: readonly Finding[]): Clock | null {
  return findings.flatMap(clocks).toSorted((a, b) => a.withinMs - b.withinMs)[0] ?? null;
}

function clocks({ flow, observation }: Finding): readonly Clock[] {
  const { outcome, replies, startedAt, durationMs } = observation;
  const data = replies.findLast((reply) => reply.event === 'data' && reply.hex.length >= 2 * packetBytes);
  if (flow.protocol !== 'ntp' || flow.expected !== 'allowed' || outcome.seen !== 'answered' || data?.event !== 'data') return [];
  const sent = replies.findLast((reply) => reply.event === 'sent' && reply.try <= data.try);
  // By the vantage's own count; it may be wrong, yet not outside the look.
  const begin = Date.parse(startedAt) + Math.min(durationMs, Math.max(0, sent?.event === 'sent' ? (sent.ms ?? 0) : 0));
  const end = Date.parse(startedAt) + durationMs;
  const server = serverTimeOf(Buffer.from(data.hex, 'hex'));
  const local = (begin + end) / 2;
  const iso = (ms: number): string => new Date(ms).toISOString();
  return [{ cell: flow.id, localTime: iso(local), serverTime: iso(server), offsetMs: Math.round(server - local), withinMs: Math.max(1, Math.ceil((end - begin) / 2)) }];
}
