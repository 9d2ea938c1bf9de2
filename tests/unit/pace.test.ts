// The bound on what a vantage sends: no second has more packets than it may, whatever is asked for and whatever the kernel repeats.
import { expect } from 'chai';
import fc from 'fast-check';
import type { Timing } from '../../lib/model.ts';
import { fastestRate, kindOf, makeCalendar, packetTimes, readRate, slotMsOf, spread, withRate, type Kind } from '../../lib/pace.ts';
import { inventory } from '../fixtures/site.ts';

const denied: Timing = { attempts: 3, intervalMs: 150, windowMs: 700 };
const kinds: readonly Kind[] = ['handshake', 'led datagram', 'packet'];

describe('pace: the packets of a look', () => {
  const rows: readonly (readonly [sentence: string, timing: Timing, kind: Kind, times: readonly number[]])[] = [
    ['are one a try', denied, 'packet', [0, 150, 300]],
    ['of a handshake are repeated by the kernel after a second, if it is open for so long', { ...denied, windowMs: 701 }, 'handshake', [0, 150, 300, 1000]],
    ['of a handshake are not repeated once it is over', denied, 'handshake', [0, 150, 300]],
    ['of a patient handshake are those of any kernel', { attempts: 1, intervalMs: 10, windowMs: 7_500 }, 'handshake', [0, 1000, 2000, 3000, 4000, 5000, 7000]],
    ['of nc begin with one more', denied, 'led datagram', [0, 150, 300, 0]],
  ];
  for (const [sentence, timing, kind, times] of rows) it(sentence, () => expect(packetTimes(timing, kind)).to.deep.equal(times));
  it('are by nc led by one where they are datagrams', () => expect([kindOf('sh', { transport: 'udp' }), kindOf('python', { transport: 'udp' }), kindOf('sh', { transport: 'tcp' }), kindOf('sh', { transport: 'icmp' })]).to.deep.equal(['led datagram', 'packet', 'handshake', 'packet']));
});

describe('pace: a look', () => {
  it('that fits is left as it is', () => expect(spread(denied, 'packet', 10)).to.deep.equal({ look: denied, slots: [0, 15, 30] }));
  it('has its tries further apart where the rate is low, and no fewer of them', () => expect(spread(denied, 'packet', 1000)).to.deep.equal({ look: { ...denied, intervalMs: 1000 }, slots: [0, 1, 2] }));
  it('never has two packets in one slot', () =>
    fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 10, max: 5000 }), fc.integer({ min: 100, max: 10_000 }), fc.constantFrom(...kinds), fc.integer({ min: 1, max: fastestRate }), (attempts, intervalMs, windowMs, kind, rate) => {
      const { look, slots } = spread({ attempts, intervalMs, windowMs }, kind, slotMsOf(rate));
      expect(look).to.include({ attempts, windowMs });
      expect(look.intervalMs).to.be.at.least(intervalMs);
      expect(new Set(slots).size).to.equal(slots.length);
      expect(slots.length).to.equal(packetTimes(look, kind).length);
    })));
});

describe('pace: all looks together', () => {
  it('have no more packets in any second than the rate, nor begin before they were asked for', () =>
    fc.assert(fc.property(fc.integer({ min: 1, max: fastestRate }), fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 10, max: 500 }), fc.constantFrom(...kinds), fc.integer({ min: 0, max: 300 })), { minLength: 1, maxLength: 60 }), (rate, asked) => {
      const slotMs = slotMsOf(rate);
      const { take } = makeCalendar(slotMs);
      let nowMs = 1_700_000_000_123;
      const sent: number[] = [];
      for (const [attempts, intervalMs, kind, laterMs] of asked) {
        nowMs += laterMs;
        const { slots } = spread({ attempts, intervalMs, windowMs: 700 }, kind, slotMs);
        const begins = take(slots, nowMs);
        expect(begins).to.be.at.least(nowMs);
        sent.push(...slots.map((slot) => begins + slot * slotMs));
      }
      sent.sort((a, b) => a - b);
      for (const [index, ms] of sent.entries()) expect(sent[index + rate] ?? Infinity).to.be.at.least(ms + 1000);
    })));
  it('begin at once where nothing is under way', () => expect(makeCalendar(20).take([0, 1], 5000)).to.equal(5000));
  it('use the gaps of those before', () => {
    const { take } = makeCalendar(100);
    expect([take([0, 5], 0), take([0, 1], 0), take([0, 1], 0), take([0, 1], 0)]).to.deep.equal([0, 100, 300, 600]);
  });
  it('use what an early end gives back, but nothing that is over', () => {
    const { take, free } = makeCalendar(100);
    take([0, 1, 2, 3], 0);
    free([0, 1, 2, 3], 0, 150);
    expect(take([0], 150)).to.equal(200);
    expect(take([0], 150)).to.equal(300);
  });
});

describe('pace: the rate', () => {
  const rows: readonly (readonly [argv: readonly string[], env: string | undefined, rate: number | undefined])[] = [
    [[], undefined, undefined], [[], '', undefined], [[], '50', 50], [['--rate=20'], '50', 20], [['node', 'mocha', '--rate=1'], undefined, 1], [['--rate=1000'], undefined, 1000],
  ];
  for (const [argv, env, rate] of rows) it(`of ${argv.join(' ') || 'no option'} and ${env ?? 'no variable'} is ${rate ?? 'none'}`, () => expect(readRate(argv, env)).to.equal(rate));
  for (const text of ['0', '-1', '1.5', '1001', 'fast', '', '5 ', '1e3', '99999'])
    it(`"${text}" is an error that says what it may be`, () => expect(() => readRate([`--rate=${text}`], undefined)).to.throw(`--rate is "${text}"; it must be a whole number of packets a second, 1 to 1000, as in --rate=50. Nothing was sent`));
  it('without its number is an error', () => expect(() => readRate(['--rate'], undefined)).to.throw('--rate is ""'));
  it('of the variable is an error by its own name', () => expect(() => readRate([], '0')).to.throw('FLOWPROOF_RATE is "0"'));
  it('goes over that of the inventory, and none leaves it', () => {
    const slow = withRate(inventory, 5);
    expect(slow.site.timing.rate).to.equal(5);
    expect([withRate(slow, undefined).site.timing.rate, withRate(slow, 7).site.timing.rate]).to.deep.equal([5, 7]);
  });
});
