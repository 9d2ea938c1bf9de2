// A swept range of ports: judged by the rules of every other cell, whatever was said of it.
import { expect } from 'chai';
import type { Pair, Resets, Swept, Tracked, UnitResult } from '../../../lib/model.ts';
import { judgeUnit, unsettled, type SweepSeen } from '../../../lib/sweep/judge.ts';
import { pairsOf, portsOfUnit, unitsOf, unknownPairs } from '../../../lib/sweep/units.ts';
import { anObservation, failed, held, token } from '../../fixtures/flows.ts';
import { discovery, inventory, machines, plan, without } from '../../fixtures/site.ts';

const whole = plan();
const pairs = pairsOf(whole, machines);
const pairOf = (id: string): Pair => {
  const found = pairs.find((pair) => pair.id === id);
  if (found === undefined) throw new Error(`no pair ${id}`);
  return found;
};

describe('sweep: the pairs', () => {
  it('are each once: a source and an address', () => expect(new Set(pairs.map(({ from, address }) => `${from} ${address}`)).size).to.equal(pairs.length));
  it('are those between machines, and to every external target, from every machine', () => {
    expect(pairs.map(({ id }) => id)).to.include.members(['joi -> ntp vmbr1', 'joi -> ntp vmbr1/ll', 'joi -> mesh nebula', 'joi -> github.com', 'joi -> 1.1.1.1', 'ntp -> chat.signal.org#2', 'gateway -> joi vmbr1']);
    expect(pairs.filter(({ from }) => from === 'operator')).to.deep.equal([]);
  });
  it('know what is allowed between them, also where our own login is the look', () => {
    expect(pairOf('joi -> mesh nebula').allowed).to.deep.equal([8444]);
    expect(pairOf('gateway -> joi vmbr1').allowed).to.deep.equal([22]);
    expect(pairOf('joi -> ntp vmbr1').allowed).to.deep.equal([]);
  });
  it('that nobody knows the address of are named, and are no pairs', () => {
    const less = plan({ discovery: without('mesh') });
    expect(unknownPairs(whole, machines)).to.deep.equal([]);
    expect(unknownPairs(less, machines).map(({ id }) => id)).to.include('ntp -> mesh wan');
    expect(pairsOf(less, machines).map(({ id }) => id)).to.not.include('ntp -> mesh wan');
  });
  it('are swept in units that connection tracking can keep', () => {
    expect(portsOfUnit(1_000, 3)).to.equal(10_000);
    expect(portsOfUnit(1, 3)).to.equal(10);
    const units = unitsOf(pairOf('joi -> ntp vmbr1'), [1, 65_535], 10_000);
    expect(units.map(({ first, last }) => `${first}-${last}`)).to.deep.equal(['1-10000', '10001-20000', '20001-30000', '30001-40000', '40001-50000', '50001-60000', '60001-65535']);
  });
});

const alive = { before: held('before'), after: held('after') };
const dead = { before: held('before'), after: failed('after') };
const table = (rows: readonly string[] = [], shown = alive): Tracked => ({ ipv4: shown, ipv6: shown, first: { atMs: 0, rows: [] }, later: [{ atMs: 1_000, rows }] });
const entry = (port: number): string => `ipv4     2 tcp      6 60 SYN_RECV src=172.22.22.2 dst=172.22.22.3 sport=21000 dport=${port} src=172.22.22.3 dst=172.22.22.2 sport=${port} dport=21000 mark=0 use=2`;

type Given = Readonly<{ states?: Readonly<Record<number, string>>; silent?: number; tracked?: Readonly<Record<string, Tracked>>; resets?: number | null; settled?: Readonly<Record<number, boolean>>; pair?: string }>;

/** joi -> ntp, ports 101 to 200, where joi is shown to send and ntp to record, unless said otherwise. */
function judged({ states = {}, silent = 100 - Object.keys(states).length, tracked = { ntp: table() }, resets = 0, settled = {}, pair = 'joi -> ntp vmbr1' }: Given): UnitResult {
  const swept: Swept = { states: new Map(Object.entries(states).map(([port, state]) => [Number(port), state])), icmp: new Map(), silent, packets: 300 };
  const answered = 'joi -> ntp vmbr1 udp/123';
  const seen: SweepSeen = {
    base: { inventory, discovery, plan: { ...whole, flows: whole.flows.filter(({ flow }) => flow.expected === 'allowed') }, tracked: new Map(Object.entries(tracked)), sessions: new Map([['joi', '172.22.22.2'], ['mesh', '172.22.22.1']]) },
    observations: new Map([[answered, anObservation({ id: answered, outcome: { seen: 'answered', detail: 'NTP', rttMs: 1 } })]]),
    phase: 'steady', resets, sourcePort: 21_000, startedAt: '2026-11-29T00:00:00.000Z', ms: 1_000, token,
    settled: new Map(Object.entries(settled).map(([port, sent]): [string, Resets] => [`${pair} tcp/${port}`, { id: 'resets ntp', sent, counted: true, detail: sent ? 'its own' : 'none' }])),
  };
  return judgeUnit({ pair, first: 101, last: 200 }, pairOf(pair), swept, seen);
}

describe('sweep: a range', () => {
  type Row = readonly [sentence: string, given: Given, passed: Readonly<Record<string, number>>, red: readonly string[]];
  const rows: readonly Row[] = [
    ['that is silent, and that the target has no entry of, is blocked', {}, { proven: 100 }, []],
    ['whose target does not record tells nothing', { tracked: { ntp: table([], dead) } }, {}, Array.from({ length: 100 }, (_none, index) => `${101 + index} inconclusive`)],
    ['with a port that answers is red there', { states: { 150: 'open' } }, { proven: 99 }, ['150 fail']],
    ['with a port whose SYN got in, though nothing came back, is red there', { tracked: { ntp: table([entry(133)]) } }, { proven: 99 }, ['133 fail']],
    ['that another connection went to is not', { tracked: { ntp: table([entry(133).replaceAll('=21000', '=22')]) } }, { proven: 100 }, []],
    ['that its own firewall bars is blocked', { states: Object.fromEntries(Array.from({ length: 100 }, (_none, index) => [101 + index, 'barred'])), tracked: {} }, { proven: 100 }, []],
    ['that the target itself refuses is open', { states: { 150: 'reset', 151: 'reset' }, resets: 2 }, { proven: 98 }, ['150 fail', '151 fail']],
    ['that something refuses in the target\'s name is blocked', { states: { 150: 'reset' }, resets: 0 }, { proven: 100 }, []],
    ['with refusals of both kinds tells nothing of them', { states: { 150: 'reset', 151: 'reset' }, resets: 1 }, { inferred: 98 }, ['150 inconclusive', '151 inconclusive']],
    ['with refusals that were asked again is as these say', { states: { 150: 'reset', 151: 'reset' }, resets: 1, settled: { 150: true, 151: false } }, { inferred: 98, proven: 1 }, ['150 fail']],
    ['of which the prober has not told all tells nothing', { silent: 99 }, {}, ['101 inconclusive']],
    ['of which the prober has told too much tells nothing', { states: { 150: 'open' }, silent: 100 }, {}, ['101 inconclusive']],
    ['that our machine had no descriptor for tells nothing', { states: { 150: 'error-EMFILE' } }, { proven: 99 }, ['150 inconclusive']],
  ];
  for (const [sentence, given, passed, red] of rows)
    it(sentence, () => {
      const result = judged(given);
      expect(result.red.map(({ port, result: kind }) => `${port} ${kind}`)).to.deep.equal(red.slice(0, 100));
      expect(result.passed).to.deep.equal(passed);
    });
  it('counts each of its ports once', () => {
    const { passed, red, more } = judged({ states: { 150: 'open', 160: 'barred' }, tracked: { ntp: table([entry(133)]) } });
    expect(Object.values(passed).reduce((sum, one) => sum + one, 0) + red.length + more).to.equal(100);
  });
  it('of which nothing was told counts as many that could not be told', () => expect(judged({ silent: 0 })).to.include({ more: 99 }));

  it('has refusals to be asked again where the target\'s count is of some of them alone', () => {
    const swept: Swept = { states: new Map([[150, 'reset'], [151, 'refused'], [152, 'open']]), icmp: new Map(), silent: 97, packets: 100 };
    const ask = (sent: number | null): readonly string[] => unsettled(pairOf('joi -> ntp vmbr1'), swept, sent, token).map(({ id }) => id);
    expect([ask(0), ask(2), ask(null)]).to.deep.equal([[], [], []]);
    expect(ask(1)).to.deep.equal(['joi -> ntp vmbr1 tcp/150', 'joi -> ntp vmbr1 tcp/151']);
  });
  it('leaves out what is allowed, and says that it is open', () => {
    const pair = pairOf('joi -> mesh nebula');
    const states = { [pair.allowed[0] ?? 0]: 'open' };
    const swept: Swept = { states: new Map(Object.entries(states).map(([port, state]) => [Number(port), state])), icmp: new Map(), silent: 9, packets: 10 };
    const seen: SweepSeen = { base: { inventory, discovery, plan: { ...whole, flows: [] }, tracked: new Map([['mesh', table()]]), sessions: new Map([['joi', '10.42.0.10']]) }, observations: new Map(), phase: 'steady', resets: 0, settled: new Map(), sourcePort: 21_000, startedAt: '', ms: 1, token };
    expect(judgeUnit({ pair: pair.id, first: 8440, last: 8449 }, pair, swept, seen)).to.deep.include({ open: [8444], passed: { proven: 9 }, red: [] });
  });
});
