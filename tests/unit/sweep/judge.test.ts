// A swept range of ports: judged by the rules of every other cell, whatever was said of it.
import { expect } from 'chai';
import type { Discovery, Observation, Outcome, Resets, SweepSeen, Swept, Tracked, UnitResult } from '../../../lib/model.ts';
import { cellOf, framePortOf } from '../../../lib/sweep/cells.ts';
import { isSweptAgain, unsettled } from '../../../lib/sweep/doubt.ts';
import { judgeNamed, judgeUnit } from '../../../lib/sweep/judge.ts';
import { anObservation, failed, held, token } from '../../fixtures/flows.ts';
import { pairOf, whole } from '../../fixtures/pairs.ts';
import { discovery, hosts, inventory } from '../../fixtures/site.ts';

const alive = { before: held('before'), after: held('after') };
const dead = { before: held('before'), after: failed('after') };
const table = (rows: readonly string[] = [], shown = alive): Tracked => ({ ipv4: shown, ipv6: shown, first: { atMs: 0, rows: [] }, later: [{ atMs: 1_000, rows }] });
const datagram = (port: number, state = '[UNREPLIED] '): string => `ipv4     2 udp      17 25 src=172.22.22.2 dst=172.22.22.3 sport=21000 dport=${port} ${state}src=172.22.22.3 dst=172.22.22.2 sport=${port} dport=21000 mark=0 use=2`;
const entry = (port: number): string => `ipv4     2 tcp      6 60 SYN_RECV src=172.22.22.2 dst=172.22.22.3 sport=21000 dport=${port} src=172.22.22.3 dst=172.22.22.2 sport=${port} dport=21000 mark=0 use=2`;

type Given = Readonly<{ states?: Readonly<Record<number, string>>; silent?: number; tracked?: Readonly<Record<string, Tracked>>; resets?: number | null; settled?: Readonly<Record<number, boolean>>; pair?: string; icmp?: Readonly<Record<number, number>>; range?: readonly [number, number]; answers?: readonly string[]; quiet?: readonly string[]; knows?: Discovery; found?: Readonly<Record<number, 'fail' | 'inconclusive'>> }>;

/** What shows that joi can send to ntp as a user, and past its own firewall. */
const shown = ['joi -> ntp vmbr1 udp/123', 'joi => frame to ntp vmbr1 udp/123', 'mesh => frame to ntp vmbr1 udp/123'];

/** joi -> ntp, ports 101 to 200, where joi is shown to send and ntp to record, unless said otherwise. `icmp`: codes of unreachability, by port. */
function judged({ states = {}, silent = 100 - Object.keys(states).length, tracked = { ntp: table() }, resets = 0, settled = {}, pair = 'joi -> ntp vmbr1 tcp', icmp = {}, range: [first, last] = [101, 200], answers = shown, quiet = [], knows = discovery, found = {} }: Given): UnitResult {
  const swept: Swept = { states: new Map(Object.entries(states).map(([port, state]) => [Number(port), state])), icmp: new Map(Object.entries(icmp).map(([port, code]) => [Number(port), { event: 'icmp', try: Number(port), version: 4, type: 3, code, from: '172.22.22.3' }])), silent, packets: 300 };
  const seen: SweepSeen = {
    base: { inventory, discovery: knows, plan: { ...whole, flows: whole.flows.filter(({ flow }) => flow.expected === 'allowed') }, tracked: new Map(Object.entries(tracked)), sessions: new Map([['joi', '172.22.22.2'], ['mesh', '172.22.22.1']]) },
    observations: new Map([...answers.map((id) => anObservation({ id, outcome: { seen: 'answered', detail: 'NTP', rttMs: 1 } })), ...quiet.map((id) => anObservation({ id, vantage: 'operator', outcome: { seen: 'silent' } }))].map((one) => [one.id, one])),
    phase: 'steady', resets, found: new Map(Object.entries(found).map(([port, result]) => [Number(port), { port: Number(port), result, reason: 'seen before' }])), sourcePort: pairOf(pair).past === null ? 21_000 : framePortOf(pairOf(pair)), startedAt: '2026-11-29T00:00:00.000Z', ms: 1_000, token,
    settled: new Map(Object.entries(settled).map(([port, sent]): [string, Resets] => [`${pair}/${port}`, { id: 'resets ntp', sent, counted: true, detail: sent ? 'its own' : 'none' }])),
  };
  return judgeUnit({ pair, first, last }, pairOf(pair), swept, seen);
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
    ['of which its own firewall bars some is blocked there', { states: Object.fromEntries(Array.from({ length: 97 }, (_none, index) => [101 + index, 'barred'])), tracked: {} }, { proven: 97 }, ['198 inconclusive', '199 inconclusive', '200 inconclusive']],
    ['of which one port left its source, and who could tell of it does not, tells nothing of that one', { tracked: { joi: table([entry(133)]) } }, { proven: 99 }, ['133 inconclusive']],
    ['that something refuses in the target\'s name is blocked', { states: { 150: 'reset' }, resets: 0 }, { proven: 100 }, []],
    ['with refusals of both kinds tells nothing', { states: { 150: 'reset', 151: 'reset' }, resets: 1 }, {}, Array.from({ length: 100 }, (_none, index) => `${101 + index} inconclusive`)],
    ['of which the target refused more than came back tells nothing of the silent', { states: { 150: 'reset', 151: 'reset' }, resets: 5, settled: { 150: true, 151: true } }, {}, ['150 fail', '151 fail', ...Array.from({ length: 98 }, (_none, index) => `${101 + index + (index < 49 ? 0 : 2)} inconclusive`)]],
    ['of which the target refused one, and none came back, tells nothing of the silent', { resets: 1 }, {}, Array.from({ length: 100 }, (_none, index) => `${101 + index} inconclusive`)],
    ['that something refuses while the target refuses somebody else is asked again, and tells nothing of the silent', { states: { 150: 'reset' }, resets: 1, settled: { 150: false } }, { proven: 1 }, Array.from({ length: 99 }, (_none, index) => `${101 + index + (index < 49 ? 0 : 1)} inconclusive`)],
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
  const udp = 'joi -> ntp vmbr1 udp';
  const datagrams: readonly Row[] = [
    ['that is silent, and that the target has no entry of, is blocked', {}, { proven: 99 }, []],
    ['with a port whose datagram got in, though nothing came back, is red there', { tracked: { ntp: table([datagram(133)]) } }, { proven: 98 }, ['133 fail']],
    ['that a connection of TCP went to is not', { tracked: { ntp: table([entry(133)]) } }, { proven: 99 }, []],
    ['with a port that answers is red there', { states: { 150: 'open' }, silent: 99 }, { proven: 98 }, ['150 fail']],
    ['that the target itself calls unreachable is open', { states: { 150: 'error-ECONNREFUSED' }, icmp: { 150: 3 }, tracked: { ntp: table([datagram(150)]) } }, { proven: 98 }, ['150 fail']],
    ['that something calls unreachable in the target\'s name is blocked', { states: { 150: 'error-ECONNREFUSED', 151: 'refused' }, icmp: { 150: 3 } }, { proven: 99 }, []],
    ['that its own firewall bars is blocked', { states: Object.fromEntries(Array.from({ length: 100 }, (_none, index) => [101 + index, 'barred'])), tracked: {} }, { proven: 99 }, []],
    ['whose target does not record tells nothing', { tracked: { ntp: table([], dead) } }, {}, Array.from({ length: 100 }, (_none, index) => 101 + index).filter((port) => port !== 123).map((port) => `${port} inconclusive`)],
    ['is not judged by a count of resets', { resets: 1, states: { 150: 'refused' } }, { proven: 99 }, []],
  ];
  for (const [sentence, given, passed, red] of datagrams)
    it(`of datagrams ${sentence}`, () => {
      const result = judged({ pair: udp, ...given });
      expect(result.red.map(({ port, result: kind }) => `${port} ${kind}`)).to.deep.equal(red);
      expect(result.passed).to.deep.equal(passed);
    });

  const past = 'joi -> ntp vmbr1 past joi\'s own firewall tcp';
  const frames: readonly Row[] = [
    ['that is silent, and that the target has no entry of, is blocked', {}, { proven: 100 }, []],
    ['is not shown to be sent by what a user can send', { answers: shown.slice(0, 1) }, {}, Array.from({ length: 100 }, (_none, index) => `${101 + index} inconclusive`)],
    ['with a port that answers is red there', { states: { 150: 'open' } }, { proven: 99 }, ['150 fail']],
    ['with a port whose SYN got in is red there', { tracked: { ntp: table([entry(133).replaceAll('=21000', `=${framePortOf(pairOf(past))}`)]) } }, { proven: 99 }, ['133 fail']],
    ['that a user\'s packet went to is not', { tracked: { ntp: table([entry(133)]) } }, { proven: 100 }, []],
    ['that the target itself refuses is open', { states: { 150: 'reset' }, resets: 1 }, { proven: 99 }, ['150 fail']],
    ['that a router prohibits is blocked', { states: { 150: 'error-ICMP' }, icmp: { 150: 13 } }, { proven: 100 }, []],
  ];
  for (const [sentence, given, passed, red] of frames)
    it(`past the source's own firewall ${sentence}`, () => {
      const result = judged({ pair: past, ...given });
      expect(result.red.map(({ port, result: kind }) => `${port} ${kind}`)).to.deep.equal(red);
      expect(result.passed).to.deep.equal(passed);
    });
  it('past a confined source\'s own firewall says who could use it', () => expect(judged({ pair: past, states: { 150: 'open' } }).red[0]?.reason).to.equal('open to who takes the machine over: past its own firewall, it is reached: TCP handshake'));
  it('past the firewall of a source that is not confined tells what is open, and that is no failure', () => {
    const { red, told, passed } = judged({ pair: 'mesh -> ntp vmbr1 past mesh\'s own firewall tcp', states: { 150: 'open' } });
    expect({ red, passed }).to.deep.equal({ red: [], passed: { proven: 99 } });
    expect(told.map(({ port, result }) => `${port} ${result}`)).to.deep.equal(['150 fail']);
  });
  it('past the firewall of a source that is not confined could not be told: that is no pass', () =>
    expect(judged({ pair: 'mesh -> ntp vmbr1 past mesh\'s own firewall tcp', tracked: {} }).red).to.have.length(100));

  it('is no proof for ports that rules take out of connection tracking', () => {
    const knows: Discovery = { ...discovery, hosts: { ...discovery.hosts, ntp: { ...(hosts.ntp as NonNullable<typeof hosts.ntp>), untracked: [{ transport: 'tcp', first: 150, last: 152 }] } } };
    const { passed, red } = judged({ knows });
    expect(passed).to.deep.equal({ proven: 97 });
    expect(red.map(({ port, result }) => `${port} ${result}`)).to.deep.equal(['150 inconclusive', '151 inconclusive', '152 inconclusive']);
  });
  it('of a target outside is inferred, but for ports that are proven by their own look', () => {
    const pair = pairOf('joi -> github.com tcp');
    const given: Given = { pair: pair.id, resets: null, tracked: { gateway: table() } };
    expect(judged(given).passed).to.deep.equal({ inferred: 100 });
    expect(judged({ ...given, quiet: [`operator => ${pair.address} tcp/111`] }).passed).to.deep.equal({ inferred: 99, proven: 1 });
  });
  it('of a target outside is no more than inferred by what is alive or silent on other ports', () => {
    const pair = pairOf('joi -> github.com tcp');
    const tracked = { joi: table(), gateway: table() }; // joi's own says that nothing left
    expect(judged({ pair: pair.id, resets: null, tracked, quiet: [`operator => ${pair.address} tcp/443`] }).passed).to.deep.equal({ inferred: 100 });
    expect(judged({ pair: pair.id, resets: null, tracked, quiet: [`operator => ${pair.address} tcp/139`] }).passed).to.deep.equal({ inferred: 99, proven: 1 });
  });
  it('of a target outside of which nobody knows anything tells nothing', () => expect(judged({ pair: 'joi -> github.com tcp', resets: null, tracked: {} }).red).to.have.length(100));

  it('forgets no port that an earlier sweep found open, nor takes silence for an answer where one was refused', () => {
    const { red, passed } = judged({ found: { 150: 'fail', 151: 'fail', 160: 'inconclusive', 161: 'inconclusive', 162: 'inconclusive' }, states: { 151: 'reset', 161: 'reset', 162: 'open' } });
    expect(red.map(({ port, result }) => `${port} ${result}`)).to.deep.equal(['150 fail', '151 fail', '162 fail', '160 inconclusive']);
    expect(passed, 'a refusal that comes again is a firewall\'s, by the count').to.deep.equal({ proven: 96 });
  });
  it('of which nothing was told now still tells what an earlier sweep found open', () => {
    const { red, more, passed } = judged({ found: { 101: 'fail', 160: 'inconclusive' }, silent: 0 });
    expect([red.map(({ port, result }) => `${port} ${result}`), more, passed]).to.deep.equal([['101 fail', '102 inconclusive'], 98, {}]);
  });
  it('counts each of its ports once', () => {
    const { passed, red, more } = judged({ states: { 150: 'open', 160: 'barred' }, tracked: { ntp: table([entry(133)]) } });
    expect(Object.values(passed).reduce((sum, one) => sum + one, 0) + red.length + more).to.equal(100);
  });
  it('of which nothing was told counts as many that could not be told', () => expect(judged({ silent: 0 })).to.include({ more: 99 }));

  it('has refusals to be asked again where the target\'s count is of some of them alone', () => {
    const swept: Swept = { states: new Map([[150, 'reset'], [151, 'refused'], [152, 'open']]), icmp: new Map(), silent: 97, packets: 100 };
    const ask = (sent: number | null): readonly string[] => unsettled(pairOf('joi -> ntp vmbr1 tcp'), swept, sent, token).map(({ id }) => id);
    expect([ask(0), ask(null)]).to.deep.equal([[], []]);
    expect(ask(2), 'few may be refused by a firewall while somebody else is by the target').to.deep.equal(['joi -> ntp vmbr1 tcp/150', 'joi -> ntp vmbr1 tcp/151']);
    const many = new Map(Array.from({ length: 21 }, (_none, index): [number, string] => [130 + index, 'reset']));
    expect(unsettled(pairOf('joi -> ntp vmbr1 tcp'), { ...swept, states: many }, 21, token)).to.deep.equal([]);
    expect(unsettled(pairOf('joi -> ntp vmbr1 udp'), swept, 1, token)).to.deep.equal([]);
    expect(ask(1)).to.deep.equal(['joi -> ntp vmbr1 tcp/150', 'joi -> ntp vmbr1 tcp/151']);
  });
  it('in which an allowed port that answers is silent tells nothing of the silent', () => {
    const [pair, port, own] = ['joi -> mesh nebula tcp', 8444, 'joi -> mesh nebula tcp/8444'];
    const silentOf = (answers: readonly string[], states: Readonly<Record<number, string>> = {}): UnitResult => judged({ pair, range: [8_401, 8_500], states, answers, tracked: { mesh: table() } });
    expect(silentOf([own]).red.map(({ result, reason }) => `${result}: ${reason}`).slice(0, 1)).to.deep.equal([`inconclusive: port ${port} answers, and was silent in the sweep: packets are lost`]);
    expect(silentOf([own]).red).to.have.length(99);
    expect(silentOf([own], { [port]: 'open' }).passed, 'where it is open, too').to.deep.equal({ proven: 99 });
    expect(judged({ pair, range: [8_301, 8_400], answers: [own], tracked: { mesh: table() } }).passed, 'in another range').to.deep.equal({ proven: 100 });
    expect(judged({ pair, range: [8_401, 8_500], quiet: [own], answers: ['mesh -> joi nebula tcp/8443'], tracked: { mesh: table() } }).passed, 'where it did not answer').to.deep.equal({ proven: 99 });
  });
  it('of named ports is judged port by port, and silence is inferred at best', () => {
    const pair = pairOf('joi -> github.com udp');
    const ports = [53, 123, 443];
    const cells = ports.map((port) => cellOf(pair, port, token));
    const outcomes: readonly Outcome[] = [{ seen: 'silent' }, { seen: 'barred', detail: 'EPERM on send' }, { seen: 'answered', detail: 'it did', rttMs: 1 }];
    const observations = cells.map(({ probe }, index): Observation => anObservation({ id: probe.id, outcome: outcomes[index] as Outcome, replies: [{ event: 'sent', try: 1, sourcePort: 21_000, ms: 0 }] }));
    const seen: SweepSeen = { base: { inventory, discovery, plan: { ...whole, flows: [] }, tracked: new Map([['joi', table()], ['gateway', table()]]), sessions: new Map([['joi', '172.22.22.2']]) }, observations: new Map(), phase: 'steady', resets: null, settled: new Map(), found: new Map(), sourcePort: null, startedAt: '', ms: 1, token };
    const result = judgeNamed({ pair: pair.id, first: 1, last: 65_535 }, pair, cells, observations, seen);
    expect(result).to.deep.include({ passed: { inferred: 1, proven: 1 }, packets: 3, first: 1, last: 65_535 });
    expect(result.red.map(({ port, result: kind }) => `${port} ${kind}`)).to.deep.equal(['443 fail']);
  });
  it('leaves out what is allowed, and says that it is open', () => {
    const pair = pairOf('joi -> mesh nebula tcp');
    const states = { [pair.allowed[0] ?? 0]: 'open' };
    const swept: Swept = { states: new Map(Object.entries(states).map(([port, state]) => [Number(port), state])), icmp: new Map(), silent: 9, packets: 10 };
    const seen: SweepSeen = { base: { inventory, discovery, plan: { ...whole, flows: [] }, tracked: new Map([['mesh', table()]]), sessions: new Map([['joi', '10.42.0.10']]) }, observations: new Map(), phase: 'steady', resets: 0, settled: new Map(), found: new Map(), sourcePort: 21_000, startedAt: '', ms: 1, token };
    expect(judgeUnit({ pair: pair.id, first: 8440, last: 8449 }, pair, swept, seen)).to.deep.include({ open: [8444], passed: { proven: 9 }, red: [] });
  });
});

describe('sweep: a range of which silence proves nothing', () => {
  const port = (result: 'fail' | 'inconclusive'): UnitResult['red'][number] => ({ port: 101, result, reason: '' });
  const rows: readonly (readonly [sentence: string, result: Pick<UnitResult, 'red' | 'told'>, doubt: string | null, isAgain: boolean])[] = [
    ['is swept again', { red: [], told: [] }, 'packets are lost', true],
    ['is swept again where ports could not be told', { red: [port('inconclusive')], told: [] }, 'packets are lost', true],
    ['stays as it is where a port was seen open', { red: [port('inconclusive'), port('fail')], told: [] }, 'packets are lost', false],
    ['stays as it is where a port was seen open that is no failure', { red: [], told: [port('fail')] }, 'packets are lost', false],
    ['is none where there is no doubt', { red: [port('inconclusive')], told: [] }, null, false],
  ];
  for (const [sentence, result, doubt, isAgain] of rows) it(sentence, () => expect(isSweptAgain(result, doubt)).to.equal(isAgain));
});
