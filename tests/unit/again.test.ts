// The loss of a run is measured on flows that answer, and made up for on looks that it puts in doubt; without it, nothing more is sent.
import { expect } from 'chai';
import { askAgain, measureLoss } from '../../lib/again.ts';
import type { Exchange, Loss, Observation, Plan, PlannedFlow, Probe } from '../../lib/model.ts';
import { aFinding, aFlow, anObservation, passed, token } from '../fixtures/flows.ts';
import { mute } from '../fixtures/vantage.ts';

const exchange: Exchange = { transport: 'udp', address: '172.22.22.3', port: 123, sourcePort: 0, send: '00', attempts: 16, intervalMs: 250, windowMs: 1500 };
const probeOf = (id: string, expected: 'allowed' | 'denied', by: 'exchange' | 'frame' = 'exchange'): Probe => ({
  id, vantage: 'joi', token, flow: aFlow({ id, transport: 'udp', expected }),
  look: by === 'exchange' ? { by, exchange } : { by, sourcePort: 1, frame: { device: 'eth0', mac: '02:00:00:00:00:03', packet: '45', attempts: 3, intervalMs: 1, windowMs: 1 } },
});
const planned = (probe: Probe, farWall: Probe | null = null): PlannedFlow => ({ flow: probe.flow, probe, witnesses: [], listener: null, aliveBy: [], nearWall: null, farWall });
const [allowed, denied, far] = [probeOf('allowed', 'allowed'), probeOf('denied', 'denied'), probeOf('far', 'denied', 'frame')];
const plan: Plan = { phase: 'steady', flows: [planned(allowed), planned(denied, far)], controls: [], listeners: [], universe: 2, gaps: [] };
const answered = anObservation({ id: 'allowed', outcome: { seen: 'answered', detail: 'NTP', rttMs: 1 }, replies: [{ event: 'data', try: 1, hex: '00', ms: 1, from: null }] });
const observations = new Map<string, Observation>([['allowed', answered], ['denied', anObservation({ id: 'denied' })], ['far', anObservation({ id: 'far' })]]);

/** A vantage that misses every so many packets; null: none. */
function measure(missesEvery: number | null, seen: ReadonlyMap<string, Observation> = observations): Promise<{ loss: Loss; asked: number }> {
  let asked = 0;
  const vantage = {
    ...mute,
    exchange: () => {
      asked += 1;
      const missed = missesEvery !== null && asked % missesEvery === 0;
      return Promise.resolve({ replies: missed ? [] : [{ event: 'data' as const, try: 1, hex: '00', ms: 1, from: null }], failure: null });
    },
  };
  return measureLoss(plan, seen, new Map([['joi', vantage]])).then((loss) => ({ loss, asked }));
}

describe('again: the measure', () => {
  it('is taken of fifty round trips, with those that the run has had already', async () => {
    const { loss, asked } = await measure(null);
    expect(asked).to.equal(49);
    expect(loss).to.include({ roundTrips: 50, missed: 0, tries: 0 });
  });
  it('counts what was missed', async () => expect((await measure(3)).loss).to.include({ roundTrips: 50, missed: 16 }));
  it('of a vantage that nothing has answered is none', async () => {
    const { loss, asked } = await measure(null, new Map());
    expect([asked, loss.roundTrips]).to.deep.equal([0, 0]);
  });
  it('ends where the prober is gone, and takes its failures for no loss', async () => {
    const failure = { operation: 'exchange' as const, cause: 'gone' };
    const loss = await measureLoss(plan, observations, new Map([['joi', { ...mute, exchange: () => Promise.resolve({ replies: [], failure }) }]]));
    expect(loss).to.include({ roundTrips: 1, missed: 0 });
  });
});

describe('again: what is in doubt', () => {
  const findings = [aFinding('allowed', passed, { expected: 'allowed' }), aFinding('denied', passed)];
  const settle = async (tries: number | null): Promise<{ asked: readonly string[]; seen: (id: string) => string | undefined; loss: Loss }> => {
    const asked: string[] = [];
    const look = (probe: Probe): Promise<Observation> => {
      asked.push(probe.id);
      return Promise.resolve(anObservation({ id: probe.id, outcome: { seen: 'answered', detail: 'it is open', rttMs: 1 }, replies: [{ event: 'sent', try: 1, sourcePort: 1, ms: 0 }] }));
    };
    const done = await askAgain({ plan, observations, findings, look, loss: { roundTrips: 50, missed: tries === 0 ? 0 : 18, atMost: 0.5, tries, extraTries: 0 } });
    return { asked, seen: (id) => done.observations.get(id)?.outcome.seen, loss: done.loss };
  };
  it('is not asked again where nothing is lost', async () => expect((await settle(0)).asked).to.deep.equal([]));
  it('is asked again, frames after users, and an answer counts', async () => {
    const { asked, seen, loss } = await settle(20);
    expect(asked).to.deep.equal(['denied', 'far']);
    expect([seen('denied'), seen('far'), seen('allowed'), loss.extraTries]).to.deep.equal(['answered', 'answered', 'answered', 2]);
  });
  it('cannot be told where too much is lost, and is not asked', async () => {
    const { asked, seen } = await settle(null);
    expect(asked).to.deep.equal([]);
    expect([seen('denied'), seen('far'), seen('allowed')]).to.deep.equal(['unprobed', 'unprobed', 'answered']);
  });
});
