// TEMP rows in time: the last day counts, the day after does not.
import { expect } from 'chai';
import { endRows, holds } from '../../lib/rows.ts';
import { inventory, plan } from '../fixtures/site.ts';

/** The shipped inventory, its TEMP row with a last day. */
const until = (day: string): typeof inventory => ({ ...inventory, matrix: { ...inventory.matrix, flows: inventory.matrix.flows.map((row) => (row.temp === true ? { ...row, until: day } : row)) } });
const over = endRows(until('2026-11-24'), '2026-11-25');

describe('rows: a TEMP row', () => {
  const rows: readonly (readonly [sentence: string, day: string, phase: 'setup' | 'steady', isHeld: boolean])[] = [
    ['holds in setup before its last day', '2026-11-26', 'setup', true], ['holds in setup on its last day', '2026-11-25', 'setup', true], ['does not on the day after', '2026-11-24', 'setup', false], ['never does in steady', '2026-11-26', 'steady', false],
  ];
  for (const [sentence, day, phase, isHeld] of rows)
    it(sentence, () => expect(endRows(until(day), '2026-11-25').matrix.flows.filter(({ temp }) => temp === true).map((row) => holds(row, phase))).to.deep.equal([isHeld]));
  it('without a last day is left as it is, as all others are', () => expect(endRows(inventory, '2026-11-25')).to.deep.equal(inventory));
});

describe('rows: the cells of a TEMP row that has ended', () => {
  const own = (phase: 'setup' | 'steady'): ReturnType<typeof plan>['flows'] => plan({ inventory: over, phase }).flows.filter(({ flow }) => flow.row === 'joi-any-wan');
  it('are denied in setup, and say on which day it ended', () => {
    expect(own('setup').length).to.be.greaterThan(30);
    for (const { flow } of own('setup')) expect(flow, flow.id).to.include({ expected: 'denied', ended: '2026-11-24' });
  });
  it('are those of phase steady, where nothing is said of it', () => {
    expect(own('setup').map(({ flow }) => flow.id)).to.deep.equal(own('steady').map(({ flow }) => flow.id));
    for (const { flow } of own('steady')) expect(flow, flow.id).to.not.have.property('ended');
  });
  it('go by another TEMP row that is not over', () => {
    const more = inventory.matrix.flows.filter(({ temp }) => temp === true).map((row) => ({ ...row, id: 'joi-https', ports: [443], until: '2026-12-31' }));
    const both = { ...over, matrix: { ...over.matrix, flows: [...over.matrix.flows, ...more] } };
    expect(plan({ inventory: both, phase: 'setup' }).flows.find(({ flow }) => flow.id === 'joi -> github.com tcp/443')?.flow).to.include({ expected: 'allowed', row: 'joi-https' }).and.not.have.property('ended');
  });
});
