// What came of a sweep: pair by pair, for people and for CI.
import { expect } from 'chai';
import type { Pair, PlannedFlow, UnitResult } from '../../../lib/model.ts';
import { counted, pairResults, rangesOf, renderJunit, told, toldBounds } from '../../../lib/sweep/report.ts';

const pair = (id: string): Pair => ({ id, from: id.split(' ')[0] ?? '', to: 'ntp', transport: 'tcp', address: '172.22.22.3', outside: false, allowed: [], template: {} as PlannedFlow, own: new Map(), named: null, past: null, counts: true });
const unit = (name: string, first: number, over: Partial<UnitResult> = {}): UnitResult => ({ pair: name, first, last: first + 9, passed: { proven: 10 }, open: [], red: [], more: 0, told: [], bounds: {}, packets: 30, ms: 500, ...over });
const name = 'joi -> ntp vmbr1 tcp';
const of = (results: readonly UnitResult[], last = results.at(-1)?.last ?? 10): ReturnType<typeof pairResults> => pairResults([pair(name)], [1, last], results);

describe('sweep: a pair', () => {
  it('that is blocked in all its units passes', () => expect(of([unit(name, 1), unit(name, 11)])).to.deep.include.members([{ id: name, from: 'joi', to: 'ntp', transport: 'tcp', result: 'pass', passed: { proven: 20 }, open: [], red: [], more: 0, told: [], missing: 0, packets: 60, ms: 1000 }]));
  it('with a port that is open in one of them fails', () => expect(of([unit(name, 1), unit(name, 11, { red: [{ port: 12, result: 'fail', reason: 'reached' }, { port: 13, result: 'inconclusive', reason: 'who knows' }] })])[0]?.result).to.equal('fail'));
  it('with one that could not be told is inconclusive', () => expect(of([unit(name, 1, { red: [{ port: 3, result: 'inconclusive', reason: 'who knows' }] })])[0]?.result).to.equal('inconclusive'));
  it('with a unit that was not swept is no pass', () => expect(of([unit(name, 1)], 20)[0]).to.include({ result: 'inconclusive', missing: 10 }));
  it('of which nothing was swept is no pass', () => expect(of([])[0]).to.include({ result: 'inconclusive', missing: 10 }));
});

describe('sweep: the report', () => {
  const reached = (port: number): UnitResult['red'][number] => ({ port, result: 'fail', reason: `reached: ntp's connection tracking has it: ipv4 sport=1 dport=${port}\u001b[31m` });
  const results = of([unit(name, 1, { passed: { proven: 7 }, open: [8], red: [reached(1), reached(2), reached(5)], more: 4 })]);
  it('tells ports with one reason together, and how many it does not', () => expect(told(results[0] as (typeof results)[number])).to.deep.equal([
    'FAIL joi -> ntp vmbr1 tcp: blocked 7 proven; allowed and open: 8',
    "       fail: tcp/1-2,5: reached: ntp's connection tracking has it: ipv4 sport=1 dport=1\uFFFD[31m",
    '       and 4 ports more',
  ]));
  it('tells what is open to who takes a machine over, and that is no failure', () => {
    const [one] = of([unit(name, 1, { told: [reached(4), reached(5)] })]);
    expect(told(one as NonNullable<typeof one>).map((line) => line.split(' has it')[0])).to.deep.equal(['ok   joi -> ntp vmbr1 tcp: blocked 10 proven', "       told: tcp/4-5: reached: ntp's connection tracking"]);
  });
  it('says what is left of a pair', () => expect(told(of([unit(name, 1)], 30)[0] as ReturnType<typeof of>[number])[0]).to.equal('??   joi -> ntp vmbr1 tcp: blocked 10 proven; 20 ports not swept'));
  it('says how much of each machine was taken', () => expect(toldBounds({ joi: { conntrack: { most: 7, of: 65_536 }, descriptors: { most: 9, of: 1_024 } }, ntp: {} })).to.deep.equal(['most at a time on joi: 7 of 65536 connections tracked, 9 of 1024 descriptors of its prober', 'most at a time on ntp: not known']));
  it('has a case a pair', () => {
    const junit = renderJunit([...results, ...of([unit(name, 1)]), ...of([])], { phase: 'steady' });
    expect(junit).to.include('tests="3" failures="1" errors="1"').and.not.include('\u001b');
    expect(junit.match(/<testcase /g)).to.have.length(3);
    expect(junit).to.match(/<testcase classname="sweep.joi" name="joi -&gt; ntp vmbr1 tcp" time="0.500">\s*<failure message="tcp\/1: reached/);
  });
  it('counts pairs', () => expect(counted(results)).to.deep.equal({ pass: 0, fail: 1, inconclusive: 0 }));
  it('writes ports as ranges', () => expect(rangesOf([9, 1, 2, 3])).to.equal('1-3,9'));
});
