// The local clock against an NTP answer: an offset and its bounds, from an allowed flow that answered and from nothing else.
import { expect } from 'chai';
import { clockOf } from '../../lib/clock.ts';
import type { Finding, Flow, Observation } from '../../lib/model.ts';
import { aFinding, passed } from '../fixtures/flows.ts';

/** A server's packet that was sent at this time (RFC 5905: seconds since 1900 and their fraction). */
function packetAt(iso: string): string {
  const ms = Date.parse(iso);
  const packet = Buffer.alloc(48);
  packet.writeUInt32BE(Math.floor(ms / 1000) + 2_208_988_800, 40);
  packet.writeUInt32BE(Math.floor(((ms % 1000) / 1000) * 2 ** 32), 44);
  return packet.toString('hex');
}

const ntp: Partial<Flow> = { protocol: 'ntp', expected: 'allowed', transport: 'udp', port: 123 };
const answered = (server: string, over: Partial<Observation> = {}): Partial<Observation> => ({
  startedAt: '2026-11-23T04:05:42.000Z', durationMs: 50, outcome: { seen: 'answered', detail: 'NTP', rttMs: 10 },
  replies: [{ event: 'sent', try: 1, sourcePort: 40_001, ms: 10 }, { event: 'data', try: 1, hex: packetAt(server), ms: 20, from: null }], ...over,
});
const of = (observation: Partial<Observation>, over: Partial<Flow> = {}, id = 'joi -> ntp vmbr1 udp/123'): Finding => aFinding(id, passed, { ...ntp, ...over }, observation);

describe('clock', () => {
  it('gives the offset to the middle of the time that the server could have answered in, and half of that time', () =>
    expect(clockOf([of(answered('2026-11-23T04:05:44.030Z'))])).to.deep.equal({
      cell: 'joi -> ntp vmbr1 udp/123', localTime: '2026-11-23T04:05:42.030Z', serverTime: '2026-11-23T04:05:44.030Z', offsetMs: 2000, withinMs: 20,
    }));
  it('is negative where the local clock is ahead', () => expect(clockOf([of(answered('2026-11-23T04:05:40.030Z'))])?.offsetMs).to.equal(-2000));
  it('is of the answer that bounds it most closely', () => {
    const clock = clockOf([of(answered('2026-11-23T04:05:44.030Z', { durationMs: 3000 }), {}, 'far'), of(answered('2026-11-23T04:05:42.030Z'), {}, 'near'), of(answered('2026-11-23T04:05:42.030Z', { durationMs: 900 }), {}, 'middling')]);
    expect(clock).to.include({ cell: 'near', offsetMs: 0 });
  });
  const none: readonly (readonly [sentence: string, finding: Finding])[] = [
    ['a denied server, whatever it says', of(answered('2026-11-23T04:05:44.030Z'), { expected: 'denied' })],
    ['another protocol', of(answered('2026-11-23T04:05:44.030Z'), { protocol: 'dns' })],
    ['one that is not synchronised', of(answered('2026-11-23T04:05:44.030Z', { outcome: { seen: 'garbled', detail: 'not synchronised' } }))],
    ['a reply cut short', of(answered('2026-11-23T04:05:44.030Z', { replies: [{ event: 'data', try: 1, hex: '24', ms: 1, from: null }] }))],
    ['silence', of({})],
  ];
  for (const [sentence, finding] of none) it(`takes nothing from ${sentence}`, () => expect(clockOf([finding])).to.equal(null));
  it('is not led outside the look by what a vantage says of its own time', () => {
    const clock = clockOf([of(answered('2026-11-23T04:05:42.030Z', { replies: [{ event: 'sent', try: 1, sourcePort: 1, ms: 1e9 }, { event: 'data', try: 1, hex: packetAt('2026-11-23T04:05:42.030Z'), ms: 20, from: null }] }))]);
    expect(clock?.localTime).to.equal('2026-11-23T04:05:42.050Z');
  });
});
