// How cells are told to mocha: one by one, unless there are so many that it would hold hundreds of megabytes.
import { expect } from 'chai';
import type { PlannedFlow } from '../../lib/model.ts';
import { mostTests, testsOf } from '../reachability/tests.ts';
import { aFlow } from '../fixtures/flows.ts';

const flows = (count: number): readonly PlannedFlow[] => Array.from({ length: count }, (_none, index) => ({ flow: aFlow({ id: `cell ${index}`, to: index % 2 === 0 ? 'ntp' : 'mesh' }) }) as PlannedFlow);

describe('the tests of a run', () => {
  it('are its cells, under their ids', () => expect(testsOf(flows(3), true).map(({ title }) => title)).to.deep.equal(['cell 0', 'cell 1', 'cell 2']));
  it('are pairs of very many cells, each cell in one', () => {
    const tests = testsOf(flows(mostTests + 1), true);
    expect(tests.map(({ title }) => title)).to.deep.equal(['joi -> ntp', 'joi -> mesh']);
    expect(new Set(tests.flatMap(({ flows: own }) => own.map(({ flow }) => flow.id))).size).to.equal(mostTests + 1);
  });
  it('are cells all the same where a pattern selects them, as mocha holds it against their ids', () => expect(testsOf(flows(mostTests + 1), false)).to.have.length(mostTests + 1));
});
