// Shares of the plan by source: whose each is, what a shard may be called, and what it holds on a machine.
import { expect } from 'chai';
import fc from 'fast-check';
import { makePlan } from '../../lib/plan.ts';
import type { PlannedFlow } from '../../lib/model.ts';
import { select } from '../../lib/select.ts';
import { lockOf, ownSources, readShard, shardSelection, sourcesOf, turnOf } from '../../lib/shard.ts';
import { discovery, inventory, plan, token, vantages } from '../fixtures/site.ts';

describe('readShard', () => {
  it('is a whole run where nothing is said', () => {
    expect(readShard(undefined, undefined)).to.equal(null);
    expect(readShard('', '')).to.equal(null);
  });
  it('is a number of how many, of a run', () => expect(readShard('2/5', '81-1')).to.deep.equal({ shard: { number: 2, of: 5 }, run: '81-1' }));
  const mistakes: readonly (readonly [shard: string | undefined, run: string | undefined, says: RegExp])[] = [
    ...['6/5', '0/3', 'x', '1/0', '01/3', '-1/3', '1/3/5', '1.5/3', '2 / 5', '2', '255/255', '1/9999'].map((shard) => [shard, 'a', new RegExp(`^FLOWPROOF_SHARD is "${shard}"; it must be .* as 2/5`)] as const),
    ['2/5', undefined, /^FLOWPROOF_RUN_ID is not set; it must be the same for all shards of one run and for no other/],
    ['2/5', '', /^FLOWPROOF_RUN_ID is not set/],
    ...['../x', 'a b', '-a', 'a'.repeat(65), 'ä'].map((run) => ['2/5', run, /^FLOWPROOF_RUN_ID is "/] as const),
    [undefined, '81-1', /^FLOWPROOF_RUN_ID is set and FLOWPROOF_SHARD is not/],
  ];
  for (const [shard, run, says] of mistakes) it(`refuses FLOWPROOF_SHARD ${shard} with FLOWPROOF_RUN_ID ${run?.slice(0, 12)}`, () => expect(() => readShard(shard, run)).to.throw(says));
});

describe('shards', () => {
  it('have each source once, whatever their number', () =>
    fc.assert(fc.property(fc.integer({ min: 1, max: 254 }), (of) => {
      const dealt = Array.from({ length: of }, (_none, index) => ownSources(inventory, { number: index + 1, of }));
      expect(dealt.flat()).to.have.members(vantages).and.have.length(vantages.length);
      const sizes = dealt.map(({ length }) => length);
      expect(Math.max(...sizes) - Math.min(...sizes)).to.be.at.most(1);
    })));
  it('deal out the sources in the order of the plan', () => expect([...new Set(plan().flows.map(({ flow }) => flow.from))]).to.deep.equal(sourcesOf(inventory)));

  const parts = [1, 2, 3].map((number) => {
    const shard = { number, of: 3 };
    return select(makePlan({ inventory, discovery, phase: 'steady', newToken: token, sources: ownSources(inventory, shard) }), shardSelection(inventory, shard));
  });
  const whole = plan();
  const plain = (id: string): string => id.replace(/(tcp|udp)\/[45]\d{4} from/, '$1/high from'); // those ports are drawn
  it('have each cell of the whole plan once', () => expect(parts.flatMap(({ flows }) => flows.map(({ flow }) => plain(flow.id))).toSorted()).to.deep.equal(whole.flows.map(({ flow }) => plain(flow.id)).toSorted()));
  it('add up to its universe, with its gaps', () => {
    expect(parts.reduce((sum, part) => sum + part.plan.universe, 0)).to.equal(whole.universe);
    expect(parts.flatMap((part) => part.plan.gaps).reduce((sum, { cells }) => sum + cells, 0)).to.equal(whole.gaps.reduce((sum, { cells }) => sum + cells, 0));
  });
  it('keep the allowed flows from and to their sources, with a frame on each, and those that a cell names; no others', () => {
    for (const { plan: part, flows } of parts) {
      const sources = new Set(flows.map(({ flow }) => flow.from));
      const named = new Set(flows.flatMap(({ aliveBy }) => aliveBy));
      const others = part.flows.filter((planned) => !flows.includes(planned)).map(({ flow }) => flow);
      expect(others.length).to.be.greaterThan(0);
      expect(others.filter(({ id, expected, to }) => expected !== 'allowed' || !(sources.has(to) || named.has(id)))).to.deep.equal([]);
      const ofWhole = whole.flows.filter(({ flow, probe }) => flow.expected === 'allowed' && sources.has(flow.to) && !(probe.look.by === 'exchange' && probe.look.exchange.sourcePort !== 0)).map(({ flow }) => flow.id);
      expect(part.flows.map(({ flow }) => flow.id)).to.include.members(ofWhole);
      const frames = (controls: typeof whole.controls): readonly string[] => controls.flatMap(({ id, flow, look }) => (look.by === 'frame' && (sources.has(flow.from) || sources.has(flow.to)) ? [id] : []));
      expect(part.controls.flatMap(({ id, look }) => (look.by === 'frame' ? [id] : []))).to.deep.equal(frames(whole.controls));
    }
  });
  it('leave the looks from a port of their own to the shard that has the source: one of two would get the other\'s answer', () => {
    const fixed = (flows: typeof whole.flows): readonly string[] => flows.flatMap(({ flow, probe }) => (flow.expected === 'allowed' && probe.look.by === 'exchange' && probe.look.exchange.sourcePort !== 0 ? [flow.id] : []));
    expect(fixed(whole.flows)).to.have.length.greaterThan(0);
    expect(parts.flatMap((part) => fixed(part.plan.flows))).to.have.members(fixed(whole.flows)).and.have.length(fixed(whole.flows).length);
  });
  it('are planned from the cells that they stand on alone, as if from the whole', () => {
    const fixed = (id: string | null): string | null => id?.replace(/\/6[1-5]\d{3}$/, '/high') ?? null; // those ports are drawn
    for (const [index, { plan: part, flows }] of parts.entries()) {
      const lean = makePlan({ inventory, discovery, phase: 'steady', newToken: token, sources: ownSources(inventory, { number: index + 1, of: 3 }) });
      expect(lean.flows.filter(({ flow }) => flow.expected === 'denied' && !flows.some(({ flow: { from } }) => from === flow.from)).every(({ flow: { from } }) => from === 'gateway')).to.equal(true);
      expect(lean.flows.length).to.be.lessThan(whole.flows.length * 0.8);
      const same = select(whole, shardSelection(inventory, { number: index + 1, of: 3 }));
      // A cell that the facts settle asks for no listener of its own, whoever else does.
      const heard = ({ listener, probe }: PlannedFlow): string | null => (probe.look.by === 'facts' ? null : fixed(listener));
      const told = (of: typeof same): unknown => [
        of.flows.map(({ flow }) => plain(flow.id)), of.plan.controls.map(({ id, look }) => `${fixed(id)} ${look.by}`).toSorted(), (of.plan.elsewhere ?? []).map(({ id, sourcePort }) => [plain(id), sourcePort]),
        of.plan.flows.map((planned) => [plain(planned.flow.id), planned.flow.expected, planned.witnesses, heard(planned), planned.aliveBy.map(fixed), planned.nearWall !== null, planned.farWall !== null]),
        new Set(of.plan.flows.map(heard)),
      ];
      expect(told({ plan: part, flows })).to.deep.equal(told(same));
    }
  });
  it('know what the gateway may send meanwhile that looks like what it translates', () => {
    const own = parts.findIndex(({ flows }) => flows.some(({ flow }) => flow.from === 'gateway'));
    for (const [index, part] of parts.entries()) {
      const elsewhere = part.plan.elsewhere ?? [];
      expect(elsewhere.every(({ from, sourcePort }) => from === 'gateway' && sourcePort !== undefined)).to.equal(true);
      expect(elsewhere.length > 0, `shard ${index + 1}`).to.equal(index !== own);
    }
  });
  it('without a source have no look and no cell', () => {
    const shard = { number: 7, of: 7 };
    const none = select(makePlan({ inventory, discovery, phase: 'steady', newToken: token, sources: ownSources(inventory, shard) }), shardSelection(inventory, shard));
    expect(none.flows).to.deep.equal([]);
    expect(none.plan).to.deep.include({ flows: [], listeners: [], controls: [], universe: 0, gaps: [] });
  });
});

describe('the address that a run holds', () => {
  const prefix = (address: string): string => address.split('.').slice(0, 3).join('.');
  it('is its own, and each shard\'s beside the others', () => {
    const held = [lockOf('81-1', null), ...Array.from({ length: 254 }, (_none, index) => lockOf('81-1', { number: index + 1, of: 254 })), turnOf('81-1')];
    expect(new Set(held).size).to.equal(256);
    expect(new Set(held.map(prefix)).size).to.equal(1);
    expect(prefix(lockOf('81-2', null))).to.not.equal(prefix(lockOf('81-1', null)));
  });
  it('is in the loopback network, away from what others use of it', () =>
    fc.assert(fc.property(fc.string(), (run) => {
      expect(lockOf(run, null)).to.match(/^127\.\d+\.\d+\.0$/).and.not.match(/^127\.(0|255)\./);
      expect(lockOf(run, null).split('.').every((part) => Number(part) <= 255)).to.equal(true);
    })));
});
