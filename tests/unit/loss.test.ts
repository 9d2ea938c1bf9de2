// Lost packets: how many tries make up for them, what round trips say of them, which looks are in doubt and how they are
// made again.
import { expect } from 'chai';
import fc from 'fast-check';
import { inDoubt, isRepeatable, joined, lossOf, roundTripMiss, roundTripsOf, singlePacket, triesFor, upperBound, withTries, wrongChance, type RoundTrips } from '../../lib/loss.ts';
import type { Exchange, Finding, Flow, Observation, Outcome, Plan, PlannedFlow, Probe, Reply } from '../../lib/model.ts';
import { aBacking, aFinding, aFlow, anObservation, aWitness, failed, held, passed, reached, token } from '../fixtures/flows.ts';
import { inventory } from '../fixtures/site.ts';

const exchange: Exchange = { transport: 'tcp', address: '172.22.22.3', port: 25, sourcePort: 0, send: '', attempts: 3, intervalMs: 150, windowMs: 700 };
const aProbe = (over: Partial<Exchange> = {}, flow: Partial<Flow> = {}): Probe => ({ id: aFlow(flow).id, vantage: 'joi', token, flow: aFlow(flow), look: { by: 'exchange', exchange: { ...exchange, ...over } } });
const frame = (id: string): Probe => ({ id, vantage: 'joi', token, flow: aFlow(), look: { by: 'frame', sourcePort: 20_000, frame: { device: 'eth0', mac: '02:00:00:00:00:03', packet: '45', attempts: 3, intervalMs: 150, windowMs: 700 } } });
const answered: Outcome = { seen: 'answered', detail: 'NTP', rttMs: 1 };

describe('loss: the tries', () => {
  it('for an allowed flow at a fifth lost each way are sixteen, and the inventory has them', () => {
    expect(triesFor(roundTripMiss, wrongChance.allowed)).to.equal(16);
    expect(inventory.site.timing.allowed.attempts).to.equal(16);
  });
  it('all fail as seldom as is wanted, and one less would not do', () =>
    fc.assert(fc.property(fc.double({ min: 0.01, max: 0.9, noNaN: true }), fc.double({ min: 1e-12, max: 1e-2, noNaN: true }), (miss, wrong) => {
      const tries = triesFor(miss, wrong);
      return miss ** tries <= wrong * 1.0001 && (tries === 1 || miss ** (tries - 1) > wrong * 0.9999);
    })));
  it('are one where nothing is lost', () => expect(triesFor(0, 1e-6)).to.equal(1));
  it('are without end where all is lost', () => expect(triesFor(1, 1e-6)).to.equal(Infinity));
});

describe('loss: the round trips of a look', () => {
  const data = (number: number): Reply => ({ event: 'data', try: number, hex: '00', ms: 3, from: null });
  const rows: readonly (readonly [sentence: string, replies: readonly Reply[], trips: RoundTrips])[] = [
    ['that the first try answered are one, none missed', [data(1)], { asked: 1, missed: 0 }],
    ['that the fourth answered are four, three missed', [data(4)], { asked: 4, missed: 3 }],
    ['of a handshake are its tries as well', [{ event: 'connected', try: 2, ms: 1 }], { asked: 2, missed: 1 }],
    ['of a handshake by busybox are not known', [{ event: 'connected', try: 2, ms: null }], { asked: 0, missed: 0 }],
    ['that nothing answered tell nothing: it may be blocked', [{ event: 'sent', try: 3, sourcePort: 1, ms: 0 }], { asked: 0, missed: 0 }],
  ];
  for (const [sentence, replies, trips] of rows) it(sentence, () => expect(roundTripsOf(aProbe(), anObservation({ replies }))).to.deep.equal(trips));
});

describe('loss: a flow', () => {
  const allowed = { expected: 'allowed', transport: 'udp', protocol: 'dns' } as const;
  const rows: readonly (readonly [sentence: string, over: Partial<Exchange>, flow: Partial<Flow>, outcome: Outcome, may: boolean])[] = [
    ['that answered is asked again', {}, allowed, answered, true],
    ['that did not answer is not', {}, allowed, { seen: 'silent' }, false],
    ['that is denied is not, though it answered', {}, { ...allowed, expected: 'denied' }, answered, false],
    ['from a fixed source port is not', { sourcePort: 68 }, allowed, answered, false],
    ["to a stranger's NTP server is not: those limit the rate", {}, { ...allowed, protocol: 'ntp', route: { destination: 'default', kind: 'unicast', via: '198.51.100.1' } }, answered, false],
    ['to an NTP server of ours is', {}, { ...allowed, protocol: 'ntp' }, answered, true],
  ];
  for (const [sentence, over, flow, outcome, may] of rows) it(sentence, () => expect(isRepeatable(aProbe(over, flow), anObservation({ outcome }))).to.equal(may));
  it('is asked by a single packet, answered before the kernel sends a second SYN', () => expect(singlePacket({ ...exchange, send: '1603' })).to.include({ attempts: 1, send: '', windowMs: 900 }));
});

describe('loss: of a run', () => {
  const of = (...trips: readonly (readonly [asked: number, missed: number])[]): ReturnType<typeof lossOf> => lossOf(new Map(trips.map(([asked, missed], index) => [`vantage ${index}`, { asked, missed }])));
  it('without a miss asks for nothing more', () => expect(of([50, 0], [50, 0])).to.deep.equal({ roundTrips: 100, missed: 0, atMost: 0, tries: 0, extraTries: 0 }));
  it('is as bad as the worst vantage', () => {
    expect(of([50, 0], [50, 18]).tries).to.equal(of([50, 18]).tries);
    expect(of([50, 18]).tries).to.be.within(16, 30);
  });
  it('of one packet in fifty asks for some tries', () => expect(of([50, 1]).tries).to.be.within(4, 8));
  it('that no tries within reason make up for is told', () => expect(of([50, 48]).tries).to.equal(null));
  for (const asked of [1, 9, 50]) it(`of all ${asked} that were sent is told, too`, () => expect(of([asked, asked])).to.include({ atMost: 1, tries: null }));
  it('is bounded from above, and by certainty', () =>
    fc.assert(fc.property(fc.integer({ min: 1, max: 400 }), fc.nat(400), (asked, missed) => missed > asked || (upperBound({ asked, missed }) >= missed / asked - 1e-9 && upperBound({ asked, missed }) <= 1))));
});

describe('loss: in doubt', () => {
  type Case = Readonly<{ flow?: Partial<Flow>; finding?: Partial<Finding>; seen?: Outcome; far?: Outcome }>;
  const doubted = ({ flow = {}, finding = {}, seen = { seen: 'silent' }, far }: Case): readonly string[] => {
    const probe = aProbe({}, flow);
    const farWall = far === undefined ? null : frame('frame');
    const planned: PlannedFlow = { flow: probe.flow, probe, witnesses: [], listener: null, aliveBy: [], nearWall: null, farWall };
    const observations = new Map<string, Observation>([[probe.id, anObservation({ outcome: seen })], ...(far === undefined ? [] : [['frame', anObservation({ outcome: far })] as const])]);
    const plan: Plan = { phase: 'steady', flows: [planned], controls: [], listeners: [], universe: 1, gaps: [] };
    return inDoubt(plan, [{ ...aFinding(probe.id, passed, flow), ...finding }], observations).map(({ id }) => id);
  };
  const cell = aFlow().id;
  const near = { backing: aBacking({ near: held('near') }) };
  const rows: readonly (readonly [sentence: string, of: Case, ids: readonly string[]])[] = [
    ['is a denied cell that is silent', {}, [cell]],
    ['is one whose neighbour was not found', { seen: { seen: 'dead', detail: 'EHOSTUNREACH' } }, [cell]],
    ['is none that was refused', { seen: { seen: 'refused', by: 'rst' } }, []],
    ["is none that the source's own firewall bars", { finding: near }, []],
    ["is none of which the source's own connection tracking has nothing", { finding: { backing: aBacking({ left: aWitness() }) } }, []],
    ['is one that left the source', { finding: { backing: aBacking({ left: aWitness({ saw: 'an entry' }) }) } }, [cell]],
    ['is one whose own connection tracking was not shown to record', { finding: { backing: aBacking({ left: aWitness({ after: failed('after') }) }) } }, [cell]],
    ['is none that was reached after all', { finding: { verdict: reached } }, []],
    ['is no allowed cell', { flow: { expected: 'allowed' } }, []],
    ['is a silent frame, whatever the own firewall does', { finding: near, far: { seen: 'silent' } }, ['frame']],
    ['is no frame that was answered', { finding: near, far: answered }, []],
  ];
  for (const [sentence, of, ids] of rows) it(sentence, () => expect(doubted(of)).to.deep.equal(ids));
});

describe('loss: asked again', () => {
  const timing = (probe: Probe): unknown => (probe.look.by === 'exchange' ? [probe.look.exchange.attempts, probe.look.exchange.windowMs] : probe.look.by === 'frame' ? [probe.look.frame.attempts, probe.look.frame.windowMs] : null);
  it('a handshake takes a quarter of the tries, since the kernel sends four SYNs in their window', () => expect(timing(withTries(aProbe(), 25))).to.deep.equal([7, 7_500]));
  it('a handshake from a fixed port takes them all: each ends the one before', () => expect(timing(withTries(aProbe({ sourcePort: 443 }), 25))).to.deep.equal([25, 700]));
  it('a handshake from a fixed port has more than a scan makes of it', () => expect(timing(withTries(aProbe({ sourcePort: 443 }), 3))).to.deep.equal([4, 700]));
  it('a datagram takes them all', () => expect(timing(withTries(aProbe({ transport: 'udp' }), 25))).to.deep.equal([25, 700]));
  it('a frame takes them all', () => expect(timing(withTries(frame('frame'), 25))).to.deep.equal([25, 700]));
  it('in haste a handshake takes them all, and no longer for it', () => expect(timing(withTries(aProbe(), 25, true))).to.deep.equal([25, 700]));

  it('all tries stand in the evidence, counted on, and the second outcome counts', () => {
    const sent = (number: number, sourcePort: number): Reply => ({ event: 'sent', try: number, sourcePort, ms: 0 });
    const both = joined(anObservation({ durationMs: 1, replies: [sent(1, 40_001), sent(2, 40_002)] }), anObservation({ durationMs: 2, outcome: answered, replies: [sent(1, 40_003), { event: 'connected', try: 1, ms: 1 }] }));
    expect(both.outcome).to.deep.equal(answered);
    expect(both.durationMs).to.equal(3);
    expect(both.replies).to.deep.equal([sent(1, 40_001), sent(2, 40_002), sent(3, 40_003), { event: 'connected', try: 3, ms: 1 }]);
  });
});
