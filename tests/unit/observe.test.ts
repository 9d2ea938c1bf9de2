// The looks of a run in their order: the first look at a denied handshake has its window, whatever asks it again the longest.
import { expect } from 'chai';
import type { Observation, Probe } from '../../lib/model.ts';
import { observe } from '../../lib/observe.ts';
import { makeSteps } from '../../lib/steps.ts';
import type { Vantage } from '../../lib/vantage.ts';
import { anObservation } from '../fixtures/flows.ts';
import { short } from '../fixtures/judged.ts';
import { discovery, failure, plan, token } from '../fixtures/site.ts';
import { mute } from '../fixtures/vantage.ts';

describe('observe', () => {
  const whole = plan({ inventory: short });
  const few = { ...whole, listeners: [], controls: [], flows: whole.flows.filter(({ flow }) => flow.from === 'joi' && flow.to === 'ntp' && flow.expected === 'denied' && flow.transport === 'tcp') };
  const untold: Vantage = { ...mute, conntrack: () => Promise.resolve(failure), exchange: () => Promise.resolve({ replies: [], failure }) };
  const windowOf = ({ look }: Probe): number => (look.by === 'exchange' ? look.exchange.windowMs : 0);

  it('waits by the round trips of the run, and where a RST is looked for as long as at most', async () => {
    let count = 0;
    const looked = new Map<string, number[]>();
    const look = (probe: Probe): Promise<Observation> => {
      looked.set(probe.id, [...(looked.get(probe.id) ?? []), windowOf(probe)]);
      return Promise.resolve(anObservation({ id: probe.id, vantage: probe.vantage, replies: [{ event: 'sent', try: 1, sourcePort: 40_001, ms: 0 }] }));
    };
    // Both answer at once; something makes ntp send RSTs all the time.
    const vantages = new Map([['joi', { ...untold, resets: () => Promise.resolve(0) }], ['ntp', { ...untold, resets: () => Promise.resolve((count += 1)) }]]);
    const seen = await observe({ inventory: short, discovery, phase: 'steady', plan: few, sessions: new Map() }, { vantages, newToken: token, turn: null, look, steps: makeSteps() });
    // The clock is the real one: what was measured is taken from the run's own word, however slow the machine.
    const windows = new Map(seen.windows.map((one) => [one.network, one]));
    expect([...windows.values()].filter(({ from, to, roundTripMs }) => from !== 'joi' || to !== 'ntp' || roundTripMs === null)).to.deep.equal([]);
    const ids = few.flows.map(({ probe }) => probe.id);
    expect(ids.length).to.be.greaterThan(1);
    for (const { probe: { id, flow } } of few.flows) {
      const [first, ...again] = looked.get(id) ?? [];
      expect(first, id).to.equal(windows.get(flow.network)?.windowMs);
      expect(again.length, id).to.be.greaterThan(0);
      expect(new Set(again), id).to.deep.equal(new Set([700]));
    }
    expect(seen.plan.flows.map(({ probe }) => windowOf(probe)), 'the plan has what was waited').to.deep.equal(ids.map((id) => looked.get(id)?.[0]));
  });
});
