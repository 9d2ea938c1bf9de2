// Units: they take about the same time, however fast a prober is, and no port is left out or swept twice.
import { expect } from 'chai';
import type { Bounds, Pair } from '../../../lib/model.ts';
import { freeIn, mostOf, readBounds } from '../../../lib/sweep/bounds.ts';
import { leftOf, paceOf, portsOf, unitOf, type Range } from '../../../lib/sweep/units.ts';
import { mute } from '../../fixtures/vantage.ts';

const pair = (id: string, named: Pair['named'] = null): Pair => ({ id, from: id.split(' ')[0], named }) as Pair;
const one = pair('joi -> ntp vmbr1 tcp');

describe('sweep: what is left', () => {
  const rows: readonly (readonly [string, readonly Range[], readonly Range[]])[] = [
    ['is all where nothing is done', [], [[1, 100]]],
    ['is nothing where all is', [[1, 60], [61, 100]], []],
    ['is what lies between', [[41, 50], [1, 10]], [[11, 40], [51, 100]]],
    ['is what comes first', [[2, 100]], [[1, 1]]],
    ['is one port at the end', [[1, 99]], [[100, 100]]],
    ['is not more for what was done twice', [[1, 60], [30, 50]], [[61, 100]]],
  ];
  for (const [sentence, done, left] of rows) it(sentence, () => expect(leftOf([1, 100], done.map(([first, last]) => ({ first, last })))).to.deep.equal(left));
  it('is counted by its ports', () => expect(portsOf([[1, 10], [20, 20]])).to.equal(11));
});

describe('sweep: a unit', () => {
  it('is what half a minute takes', () => expect(unitOf(one, [1, 65_535], 100, 1e9)).to.deep.equal({ pair: one.id, first: 1, last: 3_000 }));
  it('ends where what is left ends', () => expect(unitOf(one, [60_000, 60_010], 100, 1e9)).to.include({ first: 60_000, last: 60_010 }));
  it('has a port at least', () => expect(unitOf(one, [7, 9], 0.001, 1e9)).to.include({ first: 7, last: 7 }));
  it('is no more than the machines on its way have room for', () => expect(unitOf(one, [1, 65_535], 100, 500)).to.include({ last: 500 }));
  it('of named ports is all of them', () => expect(unitOf(pair('joi -> github.com udp', [53]), [1, 65_535], 1, 1)).to.include({ first: 1, last: 65_535 }));
});

describe('sweep: the pace', () => {
  it('begins with caution where each port is a process, and else without a bound', () => {
    expect(paceOf().of(one, 'python', 1)).to.equal(Number.POSITIVE_INFINITY);
    expect([paceOf().of(one, 'sh', 1), paceOf().of(one, 'sh', 4)], 'which the pairs of it share').to.deep.equal([100, 25]);
  });
  it('is what was measured, where that is slower', () => {
    const pace = paceOf();
    pace.measured(one, 'sh', 3_000, 60_000);
    expect(pace.of(one, 'sh', 1)).to.equal(50);
  });
  it('doubles at most', () => {
    const pace = paceOf();
    const seen = [1, 2, 3].map(() => {
      pace.measured(one, 'sh', 3_000, 7_500);
      return pace.of(one, 'sh', 1);
    });
    expect(seen).to.deep.equal([200, 400, 400]);
  });
  it('does not fall for a unit that was small', () => {
    const pace = paceOf();
    pace.measured(one, 'sh', 1, 2_000);
    expect(pace.of(one, 'sh', 1)).to.equal(100);
    pace.measured(one, 'python', 1, 2_000);
    expect(pace.of(pair('mesh -> ntp vmbr1 tcp'), 'python', 1)).to.equal(Number.POSITIVE_INFINITY);
  });
  it('of the next pair is the slowest of its source, since a pair that answers at once says little of a silent one', () => {
    const pace = paceOf();
    pace.measured(one, 'sh', 3_000, 60_000);
    for (let n = 0; n < 3; n += 1) pace.measured(one, 'sh', 3_000, 3_000);
    expect(pace.of(pair('joi -> mesh vmbr1 tcp'), 'sh', 1)).to.equal(50);
    expect(pace.of(pair('gateway -> mesh vmbr1 tcp'), 'sh', 1)).to.equal(100);
  });
});

describe('sweep: bounds', () => {
  const bounds = (most: number, of = 1_000): Bounds => ({ conntrack: { most, of } });
  it('are the most of each, by host', () => expect(mostOf([{ joi: bounds(5) }, { joi: { ...bounds(9), descriptors: { most: 3, of: 9 } }, ntp: bounds(1) }, { joi: bounds(2) }])).to.deep.equal({ joi: { ...bounds(9), descriptors: { most: 3, of: 9 } }, ntp: bounds(1) }));
  it('of a host that cannot tell are left out', async () => {
    const vantages = new Map([['joi', { ...mute, bounds: () => Promise.resolve(bounds(5)) }], ['ntp', { ...mute, bounds: () => Promise.resolve({ operation: 'exchange' as const, cause: 'gone' }) }]]);
    expect(await readBounds(['joi', 'ntp', 'mesh'], vantages)).to.deep.equal({ joi: bounds(5) });
  });
  it('leave free what is below half of the table, less what has been begun', () => expect([...freeIn({ joi: bounds(100), ntp: bounds(300), mesh: {} }, new Map([['ntp', 50]]))]).to.deep.equal([['joi', 400], ['ntp', 150]]));
});
