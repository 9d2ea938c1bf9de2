// What is swept at once: never two that would be taken for each other, and together never more than the rate.
import { expect } from 'chai';
import type { Pair, Turn } from '../../../lib/model.ts';
import { atOnce, nextBatch, partsOf, sharedBy, turnsOf, type PassedBy } from '../../../lib/sweep/batch.ts';

/** `joi -> ntp vmbr1 tcp`, or `joi -> ntp wan tcp by gateway`. */
const pair = (id: string, named: Pair['named'] = null): Pair => {
  const [from = '', , to = ''] = id.split(' ');
  return { id, from, to, named } as unknown as Pair;
};
const pairs = (...ids: readonly string[]): readonly Pair[] => ids.map((id) => pair(id));
const passedBy: PassedBy = ({ id }) => (/ by (\S+)$/.exec(id) ?? []).slice(1);
const ids = (some: readonly Pair[]): readonly string[] => some.map(({ id }) => id);
const next = (waiting: readonly Pair[], running: readonly Pair[] = [], rate = 1_000): readonly string[] => ids(nextBatch(waiting, running, { passedBy, refused: ({ id }) => id.endsWith('refused'), rate }));

describe('sweep: the next batch', () => {
  it('is all that goes to one destination', () => expect(next(pairs('mesh -> joi vmbr1 tcp', 'mesh -> ntp vmbr1 tcp', 'ntp -> joi vmbr1 tcp', 'mesh -> joi vmbr1 udp'))).to.deep.equal(['mesh -> joi vmbr1 tcp', 'ntp -> joi vmbr1 tcp', 'mesh -> joi vmbr1 udp']));
  it('is none where there is nothing', () => expect(next([])).to.deep.equal([]));
  it('has so many pairs of a source', () => expect(next(pairs(...Array.from({ length: 20 }, (_none, index) => `mesh -> joi n${index} tcp`), 'ntp -> joi vmbr1 tcp'))).to.have.length(atOnce.pairs + 1));
  it('has no more pairs of a source than it may send packets a second', () => expect(next(pairs('mesh -> joi a tcp', 'mesh -> joi b tcp', 'mesh -> joi c tcp'), [], 2)).to.have.length(2));
  it('has so many sources', () => expect(next(pairs(...Array.from({ length: 9 }, (_none, index) => `m${index} -> joi vmbr1 tcp`)))).to.have.length(atOnce.sources));

  const running = pairs('mesh -> joi vmbr1 tcp');
  for (const [what, id] of [['sends to its destination', 'ntp -> joi vmbr1 tcp'], ['sends from its source', 'mesh -> ntp vmbr1 tcp'], ['sends from its destination', 'joi -> ntp vmbr1 tcp'], ['sends to its source', 'ntp -> mesh vmbr1 tcp'], ['is passed on by its source', 'ntp -> gateway wan tcp by mesh']] as const)
    it(`does not disturb the one that is running: what ${what} waits`, () => expect(next(pairs(id), running)).to.deep.equal([]));
  it('does not come from who passes on what is running', () => expect(next(pairs('gateway -> ntp vmbr1 tcp'), pairs('mesh -> joi wan tcp by gateway'))).to.deep.equal([]));
  it('goes beside one with which it has nothing in common', () => expect(next(pairs('mesh -> ntp vmbr1 tcp', 'ntp -> gateway vmbr1 tcp'), running)).to.deep.equal(['ntp -> gateway vmbr1 tcp']));
  it('goes to who passes on what is running: its own RSTs are counted apart', () => expect(next(pairs('ntp -> gateway vmbr1 tcp'), pairs('mesh -> joi wan tcp by gateway'))).to.deep.equal(['ntp -> gateway vmbr1 tcp']));

  it('has no router beside what it passes on, and first what nobody does', () => {
    const all = pairs('joi -> ntp wan tcp by gateway', 'joi -> ntp vmbr1 tcp', 'gateway -> ntp wan tcp', 'mesh -> ntp wan tcp');
    expect(next(all)).to.deep.equal(['joi -> ntp vmbr1 tcp', 'gateway -> ntp wan tcp', 'mesh -> ntp wan tcp']);
    expect(next(all.slice(0, 1))).to.deep.equal(['joi -> ntp wan tcp by gateway']);
  });
  it('has no source beside what comes by it, though that be passed on by others too', () => {
    const by: PassedBy = ({ id }) => (id.includes('far') ? ['gateway', 'mesh'] : id.includes('near') ? ['gateway'] : []);
    expect(ids(nextBatch(pairs('joi -> ntp near tcp', 'mesh -> ntp near tcp', 'joi -> ntp far tcp'), [], { passedBy: by, refused: () => false, rate: 1_000 }))).to.deep.equal(['joi -> ntp near tcp', 'mesh -> ntp near tcp']);
    expect(ids(nextBatch(pairs('joi -> ntp far tcp', 'mesh -> ntp very far tcp'), [], { passedBy: by, refused: () => false, rate: 1_000 }))).to.deep.equal(['joi -> ntp far tcp']);
  });
  it('has no pair that its destination refuses, until such are all that is left: then each by itself', () => {
    const [first, second, plain] = ['mesh -> joi a refused', 'ntp -> joi a refused', 'mesh -> joi b tcp'];
    expect(next(pairs(first, plain, second))).to.deep.equal([plain]);
    expect(next(pairs(first, second))).to.deep.equal([first]);
  });
  it('comes to all of them, each once', () => {
    let left = pairs('mesh -> joi a tcp', 'joi -> mesh wan tcp by gateway', 'gateway -> mesh a tcp', 'ntp -> joi a tcp', 'joi -> ntp a tcp', 'gateway -> joi a tcp');
    const done: string[] = [];
    for (let batch = next(left); batch.length > 0; batch = next(left)) {
      done.push(...batch);
      left = left.filter(({ id }) => !batch.includes(id));
    }
    expect([done.length, new Set(done).size, left]).to.deep.equal([6, 6, []]);
  });
});

describe('sweep: the turns of a batch', () => {
  const turns = (batch: readonly Pair[], over: Partial<Parameters<typeof turnsOf>[1]> = {}): readonly string[] =>
    turnsOf(batch, { rate: 1_000, room: () => 1e9, left: () => [[1, 65_535]], speed: () => Number.POSITIVE_INFINITY, attempts: () => 2, ...over }).map(({ pair: { id }, rate, unit: { first, last } }) => `${id}: ${first}-${last} at ${rate}`);
  it('share the rate of their source, and its half minute with it', () => expect(turns(pairs('mesh -> joi a tcp', 'mesh -> joi b tcp', 'mesh -> joi c tcp', 'ntp -> joi a tcp'))).to.deep.equal(['mesh -> joi a tcp: 1-4995 at 333', 'mesh -> joi b tcp: 1-4995 at 333', 'mesh -> joi c tcp: 1-4995 at 333', 'ntp -> joi a tcp: 1-15000 at 1000']));
  it('are no longer than the prober was seen to take', () => expect(turns(pairs('mesh -> joi a tcp'), { speed: () => 10 })).to.deep.equal(['mesh -> joi a tcp: 1-300 at 1000']));
  it('have no more ports than there is room for', () => expect(turns(pairs('mesh -> joi a tcp'), { room: () => 7 })).to.deep.equal(['mesh -> joi a tcp: 1-7 at 1000']));
  it('are asked for their speed by how many of their source there are', () => expect(turns(pairs('mesh -> joi a tcp', 'mesh -> joi b tcp', 'ntp -> joi a tcp'), { speed: (_pair, ofSource) => 100 / ofSource })).to.deep.equal(['mesh -> joi a tcp: 1-1500 at 500', 'mesh -> joi b tcp: 1-1500 at 500', 'ntp -> joi a tcp: 1-3000 at 1000']));
  it('begin with what is left', () => expect(turns(pairs('mesh -> joi a tcp'), { left: () => [[50, 60], [70, 80]] })).to.deep.equal(['mesh -> joi a tcp: 50-60 at 1000']));
  it('are none of what is done', () => expect(turns(pairs('mesh -> joi a tcp'), { left: () => [] })).to.deep.equal([]));
  it('are counted by the machines that they pass', () => expect([...sharedBy(pairs('mesh -> joi a tcp', 'ntp -> joi wan tcp by gateway'), (one) => [one.from, one.to, ...passedBy(one)])]).to.deep.equal([['mesh', 1], ['joi', 2], ['ntp', 1], ['gateway', 1]]));
});

describe('sweep: what cannot be told of all together', () => {
  const turns = pairs('a -> z n tcp', 'b -> z n tcp', 'c -> z n tcp').map((one): Turn => ({ pair: one, unit: { pair: one.id, first: 1, last: 9 }, rate: 1 }));
  const parts = (...refused: readonly string[]): readonly string[] => partsOf(turns, ({ pair: { from } }) => refused.includes(from)).map((part) => part.map(({ pair: { from } }) => from).join(''));
  it('falls into what was refused and what was not', () => expect(parts('b')).to.deep.equal(['ac', 'b']));
  it('has the rate of what waits meanwhile, each source its own', () => {
    const some = pairs('a -> z n tcp', 'a -> z m tcp', 'a -> z l tcp', 'b -> z n tcp').map((one): Turn => ({ pair: one, unit: { pair: one.id, first: 1, last: 9 }, rate: 10 }));
    expect(partsOf(some, ({ pair: { id } }) => id.includes(' l ')).map((part) => part.map(({ rate }) => rate))).to.deep.equal([[15, 15, 10], [30]]);
  });
  it('falls into halves where all were refused, or none', () => expect([parts('a', 'b', 'c'), parts()]).to.deep.equal([['ab', 'c'], ['ab', 'c']]));
});
