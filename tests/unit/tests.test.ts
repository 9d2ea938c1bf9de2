// How cells are told to mocha: one by one, unless there are so many that it would hold hundreds of megabytes.
import { expect } from 'chai';
import type { Finding, PlannedFlow } from '../../lib/model.ts';
import type { Run } from '../../lib/run.ts';
import { mostTests, testsOf } from '../reachability/tests.ts';
import { aFinding, aFlow, aRecord, passed } from '../fixtures/flows.ts';

const flows = (count: number): readonly PlannedFlow[] => Array.from({ length: count }, (_none, index) => ({ flow: aFlow({ id: `cell ${index}`, to: index % 2 === 0 ? 'ntp' : 'mesh' }) }) as PlannedFlow);
const run = (over: Partial<Run>): Run => ({ flows: [], batches: [], whole: true, record: Promise.resolve(aRecord([])), interrupt: () => undefined, ...over });
const titles = (over: Partial<Run>): readonly string[] => testsOf(run(over)).map(({ title }) => title);

describe('the tests of a run', () => {
  it('are its cells, under their ids', () => expect(titles({ flows: flows(3) })).to.deep.equal(['cell 0', 'cell 1', 'cell 2']));
  it('have each its finding, or none', async () => {
    const [first, second] = testsOf(run({ flows: flows(2), record: Promise.resolve(aRecord([aFinding('cell 1', passed)])) }));
    expect((await first?.asked())?.map(({ id, finding }) => [id, finding?.verdict.result])).to.deep.equal([['cell 0', undefined]]);
    expect((await second?.asked())?.map(({ id, finding }) => [id, finding?.verdict.result])).to.deep.equal([['cell 1', 'pass']]);
  });
  it('are pairs of very many cells, each cell in one', async () => {
    const tests = testsOf(run({ flows: flows(mostTests + 1) }));
    expect(tests.map(({ title }) => title)).to.deep.equal(['joi -> ntp', 'joi -> mesh']);
    expect(new Set((await Promise.all(tests.map(({ asked }) => asked()))).flat().map(({ id }) => id)).size).to.equal(mostTests + 1);
  });
  it('are cells all the same where a pattern selects them, as mocha holds it against their ids', () => expect(titles({ flows: flows(mostTests + 1), whole: false })).to.have.length(mostTests + 1));

  const of = (...froms: readonly string[]): readonly Finding[] => froms.map((from, index) => aFinding(`${from} -> ${index}`, passed, { from }));
  it('are sources of a run in batches, each told by its own batch', async () => {
    const tests = testsOf(run({ batches: [{ sources: ['vm1', 'vm3'], findings: Promise.resolve(of('vm1', 'vm3', 'vm1')) }, { sources: ['vm2'], findings: new Promise(() => undefined) }] }));
    expect(tests.map(({ title }) => title)).to.deep.equal(['from vm1', 'from vm3', 'from vm2']);
    expect((await tests[0]?.asked())?.map(({ id }) => id)).to.deep.equal(['vm1 -> 0', 'vm1 -> 2']);
  });
  it('fail from the batch on that could not be written down', async () => {
    const full = Promise.reject(new Error('ENOSPC'));
    const [, late] = testsOf(run({ batches: [{ sources: ['vm1'], findings: Promise.resolve(of('vm1')) }, { sources: ['vm2'], findings: full }] }));
    expect(await late?.asked().catch((error: Error) => error.message)).to.equal('ENOSPC');
  });
});
