// What stands behind a verdict: who may vouch for a sender and for life at the far end, and what a witness saw.
import { expect } from 'chai';
import { backingFor, type Heard, type Seen, type Tracked } from '../../lib/backing.ts';
import { judge } from '../../lib/judge.ts';
import type { Backing, Control, Facts, Observation, Outcome, Plan, PlannedFlow, Reply } from '../../lib/model.ts';
import { select } from '../../lib/select.ts';
import { shardSelection } from '../../lib/shard.ts';
import { anObservation, failed, held } from '../fixtures/flows.ts';
import { discovery, inventory, plan } from '../fixtures/site.ts';

const whole = plan();
const find = (id: string): PlannedFlow => {
  const found = whole.flows.find(({ flow }) => flow.id === id);
  if (found === undefined) throw new Error(`no cell ${id}`);
  return found;
};
const answered: Outcome = { seen: 'answered', detail: 'it spoke', rttMs: 1 };
const garbled: Outcome = { seen: 'garbled', detail: 'something else spoke' };
const silent: Outcome = { seen: 'silent' };
const alive = { before: held('before'), after: held('after') };
const tracked = (later: readonly string[], over: Partial<Tracked> = {}): Tracked => ({ ipv4: alive, ipv6: { before: held('before6'), after: held('after6') }, first: { atMs: 0, rows: [] }, later: [{ atMs: 0, rows: later }], ...over });

type Given = Readonly<{ heard?: Readonly<Record<string, Heard>>;  outcomes?: Readonly<Record<string, Outcome>>; replies?: Readonly<Record<string, readonly Reply[]>>; tracked?: Readonly<Record<string, Tracked>>; sessions?: Readonly<Record<string, string>>; plan?: Plan }>;

function seen({ outcomes = {}, replies = {}, tracked: by = {}, heard = {}, sessions = {} }: Given): Seen {
  const ids = new Set([...Object.keys(outcomes), ...Object.keys(replies)]);
  const observations = new Map<string, Observation>([...ids].map((id) => [id, anObservation({ id, outcome: outcomes[id] ?? silent, replies: replies[id] ?? [] })]));
  return { inventory, discovery, plan: whole, observations, tracked: new Map(Object.entries(by)), heard: new Map(Object.entries(heard)), resets: new Map(), sessions: new Map(Object.entries(sessions)) };
}

const backing = (id: string, given: Given): Backing => backingFor(seen(given)).endToEnd(find(id));
const sent = (sourcePort: number | null): readonly Reply[] => [{ event: 'sent', try: 1, sourcePort, ms: 0 }];

describe('backing: the sender', () => {
  const cell = 'mesh -> joi vmbr1 tcp/25';
  type Row = readonly [sentence: string, cell: string, given: Given, id: string | null];
  const rows: readonly Row[] = [
    ['is held by our own session on that interface', cell, { sessions: { mesh: '172.22.22.1' } }, 'login mesh'],
    ['is not held by a session on another interface', cell, { sessions: { mesh: '198.51.100.102' } }, null],
    ['is not held by a session on an address that is not the host\'s', cell, { sessions: { mesh: '10.9.9.9' } }, null],
    ['is not held by a session into another host', cell, { sessions: { ntp: '172.22.22.3' } }, null],
    ['is held by an answer on that interface', cell, { outcomes: { 'mesh -> ntp vmbr1 udp/123': answered } }, 'mesh -> ntp vmbr1 udp/123'],
    ['is held by a wrong answer on that interface: something came back', cell, { outcomes: { 'mesh -> ntp vmbr1 udp/123': garbled } }, 'mesh -> ntp vmbr1 udp/123'],
    ['is not held by an answer on another interface', cell, { outcomes: { 'mesh -> chat.signal.org tcp/443': answered } }, null],
    ['is not held by another host\'s answer', cell, { outcomes: { 'joi -> ntp vmbr1 udp/123': answered } }, null],
    ['is held by an answer that it gave there itself', 'ntp -> mesh vmbr1 tcp/25', { outcomes: { 'mesh -> ntp vmbr1 udp/123': answered } }, 'mesh -> ntp vmbr1 udp/123'],
    ['is not held by a third machine\'s word for it', 'ntp -> joi vmbr1 tcp/25', { outcomes: { 'mesh -> ntp vmbr1 udp/123': answered } }, null],
    ['is not held by an answer that it gave on another interface', 'ntp -> mesh wan tcp/25', { outcomes: { 'mesh -> ntp vmbr1 udp/123': answered } }, null],
    ['is not held by silence', cell, { outcomes: { 'mesh -> ntp vmbr1 udp/123': silent } }, null],
    ['is held for IPv6 by what was sent on the same interface', 'mesh -> joi vmbr1/ll tcp/25', { sessions: { mesh: '172.22.22.1' } }, 'login mesh'],
    ['of the operator is held by its controls', 'operator -> ntp wan tcp/25', { outcomes: { 'operator => 1.1.1.1 tcp/443': answered } }, 'operator => 1.1.1.1 tcp/443'],
  ];
  for (const [sentence, of, given, id] of rows)
    it(sentence, () => {
      const { sender } = backing(of, given);
      expect(sender?.held).to.equal(id !== null);
      if (id !== null) expect(sender?.id).to.equal(id);
    });
  it('that is not held says of which interface', () => expect(backing(cell, {}).sender?.detail).to.equal('nothing in this run shows that mesh can send on eth1'));
});

describe('backing: life at the far end', () => {
  const rows: readonly (readonly [sentence: string, cell: string, given: Given, expected: Pick<Control, 'held' | 'id'> | null])[] = [
    ['is held by the operator\'s look', 'joi -> 1.1.1.1 tcp/443', { outcomes: { 'operator => 1.1.1.1 tcp/443': answered } }, { held: true, id: 'operator => 1.1.1.1 tcp/443' }],
    ['is held by a wrong answer: something lives there', 'joi -> 1.1.1.1 udp/53', { outcomes: { 'operator => 1.1.1.1 udp/53': garbled } }, { held: true, id: 'operator => 1.1.1.1 udp/53' }],
    ['is not held by the operator\'s silence', 'joi -> 1.1.1.1 tcp/443', { outcomes: { 'operator => 1.1.1.1 tcp/443': silent } }, { held: false, id: 'operator => 1.1.1.1 tcp/443' }],
    ['is not held by a refusal', 'joi -> 1.1.1.1 tcp/443', { outcomes: { 'operator => 1.1.1.1 tcp/443': { seen: 'refused', by: 'rst' } } }, { held: false, id: 'operator => 1.1.1.1 tcp/443' }],
    ['is not held by a look that was not made', 'joi -> 1.1.1.1 tcp/443', {}, { held: false, id: 'operator => 1.1.1.1 tcp/443' }],
    ['is not held by another port', 'joi -> 1.1.1.1 tcp/443', { outcomes: { 'operator => 1.1.1.1 tcp/53': answered } }, { held: false, id: 'operator => 1.1.1.1 tcp/443' }],
    ['is held by the second of two', 'gateway -> ntp vmbr1 udp/123', { outcomes: { 'joi -> ntp vmbr1 udp/123': answered } }, { held: true, id: 'joi -> ntp vmbr1 udp/123' }],
    ['is nobody\'s where no other may go there', 'joi -> ntp vmbr1 tcp/25', {}, null],
  ];
  for (const [sentence, cell, given, expected] of rows)
    it(sentence, () => {
      const { alive: control } = backing(cell, given);
      if (expected === null) expect(control).to.equal(null);
      else expect(control).to.include(expected);
    });
});

describe('backing: no RST from a target outside', () => {
  const resets = (cell: string, by: string): Backing['resets'] => {
    const given = seen({});
    const observations = new Map([[by, anObservation({ id: by, vantage: by.split(' ')[0] ?? '', outcome: silent })]]);
    return backingFor({ ...given, observations }).endToEnd(find(cell)).resets;
  };
  it('is shown by the operator, who finds it silent', () => expect(resets('joi -> 1.1.1.1 tcp/443', 'operator => 1.1.1.1 tcp/443')?.sent).to.equal(false));
  it('is not shown by the silence that a machine of ours may be kept in', () => expect(resets('joi -> chat.signal.org tcp/443', 'mesh -> chat.signal.org tcp/443')).to.equal(null));
});

const entry = (source: string, sourcePort: number, port: number): string =>
  `ipv4 2 udp 17 29 src=${source} dst=172.22.22.3 sport=${sourcePort} dport=${port} [UNREPLIED] src=172.22.22.3 dst=${source} sport=${port} dport=${sourcePort} mark=0 use=2`;

describe('backing: the witness', () => {
  const cell = 'joi -> ntp vmbr1 udp/161';
  const { before, after } = alive;
  it('is none where the destination cannot be one', () => expect(backing('mesh -> 1.1.1.1 tcp/443', { tracked: { ntp: tracked([]) } }).witnesses).to.deep.equal([]));
  it('that saw nothing says so, with its controls', () => expect(backing(cell, { tracked: { ntp: tracked([]) } }).witnesses[0]).to.deep.equal({ id: 'connection tracking of ntp', before, after, saw: null }));
  it('that was not alive is given as such', () => expect(backing(cell, { tracked: { ntp: tracked([], { ipv4: { before: failed('before'), after } }) } }).witnesses[0]?.before.held).to.equal(false));
  it('of an IPv6 cell is alive by IPv6 alone', () => {
    const by = { tracked: { ntp: tracked([], { ipv6: { before: held('before6'), after: failed('after6') } }) } };
    expect(backing('joi -> ntp vmbr1/ll udp/161', by).witnesses[0]?.after.held).to.equal(false);
    expect(backing(cell, by).witnesses[0]?.after.held).to.equal(true);
  });
  it('saw an entry of our own port that was there before and has been set back', () => {
    const lines = [entry('172.22.22.2', 40001, 161)];
    expect(backing(cell, { replies: { [cell]: sent(40001) }, tracked: { ntp: tracked(lines, { first: { atMs: -9_000, rows: lines } }) } }).witnesses[0]?.saw).to.match(/^ntp's connection tracking has it: ipv4 2 udp .*sport=40001/);
  });
  it('saw a new entry where the prober cannot know its port', () => expect(backing(cell, { replies: { [cell]: sent(null) }, tracked: { ntp: tracked([entry('172.22.22.2', 40001, 161)]) } }).witnesses[0]?.saw).to.not.equal(null));
  it('did not see an entry from before', () => {
    const lines = [entry('172.22.22.2', 40001, 161)];
    expect(backing(cell, { replies: { [cell]: sent(null) }, tracked: { ntp: tracked(lines, { first: { atMs: 0, rows: lines } }) } }).witnesses[0]?.saw).to.equal(null);
  });
  it('is none of what its rules take out of connection tracking', () => {
    const heldBy = (untracked: Facts['untracked'], of = cell): boolean | undefined => {
      const given = seen({ tracked: { ntp: tracked([]) } });
      const facts = { ...(discovery.hosts.ntp as Facts), ...(untracked === undefined ? {} : { untracked }) };
      return backingFor({ ...given, discovery: { ...discovery, hosts: { ...discovery.hosts, ntp: facts } } }).endToEnd(find(of)).witnesses[0]?.after.held;
    };
    const udp = (first: number, last: number): Facts['untracked'] => [{ transport: 'udp', first, last }];
    expect(heldBy(udp(160, 162))).to.equal(false);
    expect(heldBy([{ transport: 'tcp', first: 1, last: 65_535 }])).to.equal(true);
    expect(heldBy('all')).to.equal(false);
    expect(heldBy(udp(162, 65_535))).to.equal(true);
    expect(heldBy(undefined)).to.equal(true);
    expect(heldBy(udp(88, 88), 'mesh -> ntp vmbr1 udp/high from 88'), 'by its source port').to.equal(false);
  });
  it('that was not read for so long that an entry may have come and gone is not held alive', () => {
    const lastly = (later: Tracked['later'], of = cell, keepsMs: number | null = 29_000): Control | undefined => backing(of, { tracked: { ntp: tracked([], { later, keepsMs }) } }).witnesses[0]?.after;
    const read = (atMs: number, endMs: number): Tracked['later'][number] => ({ atMs, endMs, rows: [] });
    expect(lastly([read(5_000, 5_100), read(10_000, 28_900)])?.held, 'in time').to.equal(true);
    expect(lastly([read(5_000, 5_100), read(10_000, 34_000), read(34_500, 34_600)]), 'one that took too long').to.deep.include({ held: false, detail: 'the connection tracking of ntp was not read for 29.0 s, and may keep what got no answer for 29 s alone' });
    expect(lastly([read(28_950, 29_000)])?.held, 'the very first gap').to.equal(false);
    expect(lastly([read(29_500, 29_600)], cell, null)?.held, "the kernel's own time, where the host showed none").to.equal(true);
    expect(lastly([read(30_000, 30_000)], cell, null)?.held).to.equal(false);
    expect(lastly([read(9_000, 9_100)], cell, 3_000)?.held, 'one that forgets after three seconds').to.equal(false);
    expect(lastly([read(40_000, 40_000)], 'joi -> ntp vmbr1 tcp/25', null)?.held, 'a SYN that got in is kept for a minute').to.equal(true);
    expect(lastly([read(60_000, 60_000)], 'joi -> ntp vmbr1 tcp/25', null)?.held).to.equal(false);
  });
  it('whose table was full meanwhile, or may have been, is not held alive', () => {
    const lastly = (...dropped: readonly (number | null | undefined)[]): Control | undefined => {
      const [first, ...later] = dropped.map((one, index) => ({ atMs: index * 5_000, rows: [], ...(one === undefined ? {} : { dropped: one }) }));
      return backing(cell, { tracked: { ntp: tracked([], { first: first ?? { atMs: 0, rows: [] }, later }) } }).witnesses[0]?.after;
    };
    expect(lastly(7, 7, 7)?.held).to.equal(true);
    expect(lastly(undefined, undefined)?.held, 'of older evidence').to.equal(true);
    expect(lastly(7, 7, 9)).to.deep.include({ held: false, detail: 'the connection tracking of ntp was full, and 2 entries or packets were dropped for it' });
    expect(lastly(7, 3)).to.deep.include({ held: false, detail: 'the connection tracking of ntp began anew' });
    for (const unknown of [lastly(null, 7), lastly(7, null)]) expect(unknown).to.deep.include({ held: false, detail: 'the connection tracking of ntp may have been full: its host does not say' });
  });
  it('that was planned and never read is no reason to do without one', () => {
    const of = 'gateway -> ntp vmbr1 udp/123';
    const given = backing(of, { outcomes: { [of]: silent, 'joi -> ntp vmbr1 udp/123': answered }, sessions: { gateway: '172.22.22.4' } });
    expect(judge(find(of).flow, silent, given).result).to.equal('inconclusive');
  });
});

describe('backing: what the gateway masquerades', () => {
  const cell = 'joi -> ntp wan udp/161';
  const line = entry('198.51.100.4', 40001, 161).replaceAll('172.22.22.3', '198.51.100.147');
  const given = (sourcePort: number | null): Given => ({ outcomes: { [cell]: silent }, replies: { [cell]: sent(sourcePort) }, tracked: { ntp: tracked([line]) }, sessions: { joi: '172.22.22.2' } });
  const verdict = (sourcePort: number | null, outcome: Outcome = silent): string => judge(find(cell).flow, outcome, backing(cell, given(sourcePort))).result;

  it('is ours by our source port', () => expect(verdict(40001)).to.equal('fail'));
  it('is not ours by another port', () => expect(verdict(40002)).to.equal('pass'));
  it('may be ours where the prober cannot know its port, so silence proves nothing', () => expect(verdict(null)).to.not.equal('pass'));
  it('may be ours where the prober cannot know its port, so a refusal proves nothing', () => expect(verdict(null, { seen: 'refused', by: 'port-unreachable' })).to.not.equal('pass'));
});

describe('backing: what the gateway sends itself', () => {
  const cell = 'joi -> 1.1.1.1 tcp/443';
  const line = (source: string): string => `ipv4 2 tcp 6 117 TIME_WAIT src=${source} dst=1.1.1.1 sport=443 dport=443 src=1.1.1.1 dst=${source} sport=443 dport=443 [ASSURED] mark=0 use=2`;
  const saw = (source: string): string | null | undefined => backing(cell, { replies: { [cell]: sent(443) }, tracked: { gateway: tracked([line(source)]) } }).witnesses.find(({ id }) => id.endsWith('gateway'))?.saw;
  it('is not what it passes on, be it from the same port', () => expect(saw('198.51.100.4')).to.equal(null));
  it('is told from what it passes on, by the address that it has from the source', () => expect(saw('172.22.22.2')).to.match(/^gateway's connection tracking has it/));
});

describe('backing: what a beacon sees behind the gateway', () => {
  const [facts, control] = [discovery.hosts.operator as Facts, 'operator => 1.1.1.1 tcp/443'];
  const outside = { ...facts, addresses: [{ interface: 'eth0', address: '1.1.1.1', prefix: 32, scope: 'global' as const }] };
  const beaconed = { ...discovery, hosts: { ...discovery.hosts, shore: outside }, witnesses: [...discovery.witnesses, 'shore'], beacons: { shore: '1.1.1.1' }, seenAs: [] };
  const all = plan({ discovery: beaconed });
  const row = (transport: string, source: string, sport: number, dport: number): string =>
    `ipv4 2 ${transport} 17 29 src=${source} dst=1.1.1.1 sport=${sport} dport=${dport} [UNREPLIED] src=1.1.1.1 dst=${source} sport=${dport} dport=${sport} mark=0 use=2`;
  const saw = (cell: string, sport: number, dport: number): string | null | undefined => {
    const planned = all.flows.find(({ flow }) => flow.id === cell);
    if (planned?.farWall == null) throw new Error(`no frame of ${cell}`);
    const operators = row('tcp', '198.51.100.10', 50_000, 443).replace(' 17 29', ' 6 29 ESTABLISHED');
    const given = seen({ replies: { [control]: sent(50_000) }, tracked: { shore: tracked([operators, row('udp', '198.51.100.4', sport, dport)]) } });
    const observations = new Map([...given.observations, [control, anObservation({ id: control, vantage: 'operator', replies: sent(50_000) })]]);
    return backingFor({ ...given, discovery: beaconed, plan: all, observations }).farWall(planned, planned.farWall).witnesses.find(({ id }) => id.endsWith('shore'))?.saw;
  };
  const frame = all.flows.find(({ flow }) => flow.id === 'joi -> 1.1.1.1 udp/161')?.farWall?.look;
  it('is ours by the port that we gave it', () => expect(saw('joi -> 1.1.1.1 udp/161', frame?.by === 'frame' ? frame.sourcePort : 0, 161)).to.match(/^shore's connection tracking has it/));
  it("is not told from the gateway's own where it has the same port, as DHCP's clients have", () => expect(saw('joi -> 1.1.1.1 udp/67', 68, 67)).to.equal(undefined));
});

describe('backing: at a beacon, what the gateway sends from the very port that it passes on', () => {
  const shore = { kernel: '', addresses: [{ interface: 'eth0', address: '1.1.1.1', prefix: 32, scope: 'global' as const }], routes: [], resolvers: [], links: [], neighbours: [] };
  const found = { ...discovery, hosts: { ...discovery.hosts, shore }, witnesses: [...discovery.witnesses, 'shore'], beacons: { shore: '198.18.77.7' } };
  const all = plan({ discovery: found });
  const control = 'operator => 1.1.1.1 tcp/53';
  const cell = all.flows.find(({ flow }) => flow.from === 'joi' && flow.address === '1.1.1.1' && flow.transport === 'tcp' && flow.port === 53 && flow.sourcePort === 53 && flow.by === undefined);
  const line = (source: string, port: number): string => `ipv4 2 tcp 6 117 SYN_RECV src=${source} dst=1.1.1.1 sport=${port} dport=53 src=1.1.1.1 dst=${source} sport=53 dport=${port} mark=0 use=2`;
  const saw = (of: Plan): string | null | undefined => {
    const given = seen({ outcomes: { [control]: answered }, replies: { [control]: sent(50_001), [cell?.flow.id ?? '']: sent(53) }, tracked: { shore: tracked([line('198.51.100.10', 50_001), line('198.51.100.4', 53)]) } });
    return backingFor({ ...given, plan: of, discovery: found }).endToEnd(cell as PlannedFlow).witnesses.find(({ id }) => id.endsWith('shore'))?.saw;
  };
  const shard = { number: 2, of: 5 };
  const part = select(all, shardSelection(inventory, shard)).plan;
  it('is not taken for it', () => expect(saw(all)).to.equal(undefined));
  it('is not either where another shard has the gateway', () => expect(saw(part)).to.equal(undefined));
  it('would be, if the shard did not know of that', () => expect(saw({ ...part, elsewhere: [] })).to.match(/^shore's connection tracking has it/));
});

describe('backing: what a firewall refuses by a RST of its own', () => {
  const cell = 'joi -> ntp vmbr1 tcp/25';
  const line = (state: string): string => `ipv4 2 tcp 6 117 ${state} src=172.22.22.2 dst=172.22.22.3 sport=40001 dport=25 [UNREPLIED] src=172.22.22.3 dst=172.22.22.2 sport=25 dport=40001 mark=0 use=2`;
  const refused: Outcome = { seen: 'refused', by: 'rst' };
  const saw = (state: string, outcome: Outcome, sentByKernel: boolean | null): string | null | undefined => {
    const given = seen({ outcomes: { [cell]: outcome }, replies: { [cell]: sent(40001) }, tracked: { ntp: tracked([line(state)]) } });
    const resets = new Map(sentByKernel === null ? [] : [[cell, { id: 'resets ntp', sent: sentByKernel, counted: true, detail: '' }]]);
    return backingFor({ ...given, resets }).endToEnd(find(cell)).witnesses.find(({ id }) => id.endsWith('ntp'))?.saw;
  };
  it('is no arrival, though its SYN stays in the table', () => expect(saw('SYN_SENT', refused, false)).to.equal(null));
  it('is one where the kernel has answered', () => expect(saw('SYN_RECV', refused, false)).to.match(/^ntp's connection tracking has it/));
  it('is one where the kernel has sent a RST', () => expect(saw('SYN_SENT', refused, true)).to.match(/^ntp's connection tracking has it/));
  it('is one where nothing says who sent the RST', () => expect(saw('SYN_SENT', refused, null)).to.match(/^ntp's connection tracking has it/));
  it('is one where nothing came back: a service that is too busy to answer looks like that', () => expect(saw('SYN_SENT', silent, false)).to.match(/^ntp's connection tracking has it/));
});

describe('backing: the overlay', () => {
  const underlay = 'mesh -> joi vmbr1 udp/4242';
  const rows: readonly (readonly [sentence: string, outcomes: Readonly<Record<string, Outcome>>, held: boolean])[] = [
    ['is held by its own flow', { 'mesh -> joi nebula tcp/8443': answered }, true],
    ['is held by the flow back', { 'joi -> mesh nebula tcp/8444': answered }, true],
    ['is not held by silence', { 'mesh -> joi nebula tcp/8443': silent }, false],
    ['is not held by a wrong service', { 'mesh -> joi nebula tcp/8443': garbled }, false],
    ['is not held by a denied flow that answered', { 'mesh -> joi nebula tcp/22': answered }, false],
    ['is not held without a look', {}, false],
  ];
  for (const [sentence, outcomes, isHeld] of rows) it(sentence, () => expect(backing(underlay, { outcomes }).overlay?.held).to.equal(isHeld));
  it('is asked of Nebula\'s underlay alone', () => expect(backing('mesh -> joi vmbr1 udp/161', { outcomes: { 'mesh -> joi nebula tcp/8443': answered } }).overlay).to.equal(null));
  it('is none between machines that have none', () => expect(backing('mesh -> ntp vmbr1 udp/4242', {}).overlay).to.equal(null));
});

describe('backing: our listener at the far end', () => {
  const cell = 'mesh -> joi vmbr1 tcp/25';
  const listener = 'listener joi 172.22.22.2 tcp/25';
  const ears = (source: string, sourcePort: number, how: 'arrived' | 'half' = 'arrived'): Readonly<Record<string, Heard>> => ({ [listener]: { ...alive, arrivals: [{ how, source, sourcePort, hex: '' }] } });
  const rows: readonly (readonly [sentence: string, heard: Readonly<Record<string, Heard>>, saw: boolean])[] = [
    ['sees what came from an address of the source', ears('172.22.22.1', 41_000), true],
    ['sees a handshake without its end', ears('172.22.22.1', 41_000, 'half'), true],
    ['does not take another port of the source for this look\'s', ears('172.22.22.1', 50_000), false],
    ['does not take another vantage for the source', ears('172.22.22.3', 50_000), false],
    ['does not take what the gateway sends for masqueraded where the flow does not go through it', ears('172.22.22.4', 41_000), false],
    ['does not take the gateway itself for the source', ears('172.22.22.4', 50_000), false],
  ];
  for (const [sentence, heard, saw] of rows) it(sentence, () => expect(backing(cell, { heard, replies: { [cell]: sent(41_000) } }).listener?.saw !== null).to.equal(saw));
  it('sees what the gateway masqueraded, by our own source port', () => {
    const through = 'joi -> mesh wan tcp/25';
    const heard = (sourcePort: number): Readonly<Record<string, Heard>> => ({ 'listener mesh 198.51.100.102 tcp/25': { ...alive, arrivals: [{ how: 'arrived', source: '198.51.100.4', sourcePort, hex: '' }] } });
    const saw = (sourcePort: number): string | null | undefined => backing(through, { heard: heard(sourcePort), replies: { [through]: sent(41_000) } }).listener?.saw;
    expect(saw(41_000)).to.match(/^our listener got it/);
    expect(saw(41_001)).to.equal(null);
  });
  it('that does not stand is none', () => expect(backing(cell, {}).listener).to.equal(null));
});
