// A part of the plan: the cells that were asked for, and everything that their verdicts stand on in a whole run.
import { expect } from 'chai';
import type { PlannedFlow } from '../../lib/model.ts';
import { select } from '../../lib/select.ts';
import { plan } from '../fixtures/site.ts';

const whole = plan();
const of = (pattern: RegExp): ReturnType<typeof select> => select(whole, { name: `--grep ${pattern.source}`, takes: ({ id }) => pattern.test(id) });
const ids = (flows: readonly PlannedFlow[]): readonly string[] => flows.map(({ flow }) => flow.id);

describe('select', () => {
  it('leaves a run without a pattern as it is', () => expect(select(whole, null)).to.deep.equal({ plan: whole, flows: whole.flows }));
  it('takes the cells that match, in the order of the plan', () => {
    const { flows } = of(/^joi -> .*tcp\/443$/);
    expect(ids(flows)).to.deep.equal(ids(whole.flows).filter((id) => /^joi -> .*tcp\/443$/.test(id)));
    expect(flows).to.have.length.within(5, 50);
  });
  it('comes to nothing where nothing matches', () => expect(of(/nobody/).flows).to.deep.equal([]));

  const { plan: part, flows } = of(/^(joi|mesh) -> (ntp|1\.1\.1\.1) .*(tcp|udp)\/(22|53|123)$/);
  it('leaves out most of what was not asked for', () => expect(part.flows.length).to.be.lessThan(whole.flows.length / 20));
  it('keeps each selected cell as it was planned, with both its walls', () => expect(part.flows).to.include.members([...flows]));
  it('keeps each allowed flow: it shows who can send, who is alive and which connections may live', () => {
    const allowed = whole.flows.filter(({ flow }) => flow.expected === 'allowed');
    expect(allowed).to.have.length.greaterThan(10);
    expect(part.flows).to.include.members(allowed);
  });
  it('keeps every listener, and every look by which a target is alive, that a selected cell names', () => {
    const named = flows.flatMap(({ listener, aliveBy }) => [...aliveBy, ...(listener === null ? [] : [listener])]);
    expect(named).to.have.length.greaterThan(5);
    expect([...ids(part.flows), ...part.controls.map(({ id }) => id), ...part.listeners.map(({ id }) => id)]).to.include.members(named);
  });
  it('keeps the frames on allowed flows: without an answer to one, silence past a wall tells nothing', () =>
    expect(part.controls.filter(({ look }) => look.by === 'frame')).to.deep.equal(whole.controls.filter(({ look }) => look.by === 'frame')).and.have.length.greaterThan(2));
  it('puts up no listener that no selected cell asks for', () => expect(part.listeners.length).to.be.lessThan(whole.listeners.length / 5));
  it('still says how large the whole is', () => expect(part.universe).to.equal(whole.universe));
});
