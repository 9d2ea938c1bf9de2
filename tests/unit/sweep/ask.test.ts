// A batch: what the destination's count of RSTs says of several at once, and what is swept again for it.
import { expect } from 'chai';
import type { Exchange, Observation, Pair, SweepLook, Swept, Turn, UnitResult } from '../../../lib/model.ts';
import { attemptsOf, sweepBatch, type Site } from '../../../lib/sweep/ask.ts';
import { framePortOf } from '../../../lib/sweep/cells.ts';
import type { Vantage } from '../../../lib/vantage.ts';
import { anObservation } from '../../fixtures/flows.ts';
import { pairOf, pairs, whole } from '../../fixtures/pairs.ts';
import { discovery, inventory, token } from '../../fixtures/site.ts';
import { mute } from '../../fixtures/vantage.ts';

const [mesh, joi, past, datagrams] = ['mesh -> ntp vmbr1 tcp', 'joi -> ntp vmbr1 tcp', 'joi -> ntp vmbr1 past joi\'s own firewall tcp', 'mesh -> ntp vmbr1 udp'] as const;
const turns = (...ids: readonly string[]): readonly Turn[] => ids.map((id) => ({ pair: pairOf(id), unit: { pair: id, first: 101, last: 200 }, rate: 100 }));

/** What a sweep of a pair says, time after time (the last stands for all later ones), and how many RSTs ntp's kernel sends meanwhile. */
type Says = Readonly<{ states?: Readonly<Record<number, string>>; rsts?: number; fails?: boolean }>;
/** `closed`: ports that ntp's own kernel refuses when they are looked at by themselves; `rows`: what ntp's table has. */
type World = Readonly<{ says?: Readonly<Record<string, readonly Says[]>>; closed?: readonly string[]; rows?: readonly string[]; uncounted?: boolean; kind?: Vantage['kind']; stopsAfter?: number; overAfter?: number; newToken?: () => string; hasRoom?: boolean }>;

type Asked = Readonly<{ ids: readonly string[]; looks: readonly SweepLook[]; results: readonly UnitResult[]; refused: readonly string[]; room: readonly string[]; again: readonly string[]; read: readonly string[] }>;

async function sweep(world: World, given: readonly Turn[]): Promise<Asked> {
  const [asked, looks, again, refused, read] = [[] as string[], [] as SweepLook[], [] as string[], [] as string[], new Set<string>()];
  const room: string[] = [];
  const count = { of: 0 };
  const idOf = (from: string, { transport, address, past: frame }: SweepLook): string => pairs.find((pair) => pair.from === from && pair.transport === transport && pair.address === address && (pair.past === null) === (frame === null))?.id ?? '';
  const vantage = (host: string): Vantage => {
    const rows: string[] = [];
    const toItself = ({ address, port }: Exchange): number => rows.push(`ipv${address.includes(':') ? 6 : 4} 2 udp 17 29 src=${address} dst=${address} sport=40000 dport=${port} [UNREPLIED] src=${address} dst=${address} sport=${port} dport=40000`);
    return {
      ...mute, kind: world.kind ?? 'python',
      exchange: (exchange) => Promise.resolve({ replies: [], failure: null, rows: toItself(exchange) }),
      conntrack: (addresses) => Promise.resolve({ rows: read.add(`${host} of ${addresses.filter((one) => one.startsWith('172.22')).join(' ')}`) && host === 'ntp' && asked.length > 0 ? [...rows, ...(world.rows ?? [])] : [...rows], dropped: 0 }),
      resets: () => Promise.resolve(host === 'ntp' && world.uncounted === true ? { operation: 'exchange', cause: 'no count' } : host === 'ntp' ? count.of : 0),
      bounds: () => Promise.resolve({ conntrack: { most: 1, of: 1_000 } }),
      sweep: (one, onPackets) => {
        const id = idOf(host, one);
        const said = world.says?.[id] ?? [];
        const { states = {}, rsts = 0, fails = false } = said[Math.min(asked.filter((other) => other === id).length, said.length - 1)] ?? {};
        asked.push(id);
        looks.push(one);
        onPackets(7);
        count.of += rsts;
        const swept: Swept = { states: new Map(Object.entries(states).map(([port, state]) => [Number(port), state])), icmp: new Map(), silent: one.last - one.first + 1 - Object.keys(states).length, packets: 200 };
        return Promise.resolve(fails ? { operation: 'exchange', cause: 'it broke' } : swept);
      },
    };
  };
  const hosts = ['mesh', 'joi', 'ntp', 'gateway'];
  const answered = ['joi -> mesh nebula tcp/8444', 'joi -> ntp vmbr1 udp/123', 'mesh -> ntp vmbr1 udp/123', 'joi => frame to ntp vmbr1 udp/123', 'mesh => frame to ntp vmbr1 udp/123'];
  const site: Site = {
    base: { inventory, discovery, plan: { ...whole, flows: whole.flows.filter(({ flow }) => flow.expected === 'allowed') }, sessions: new Map([['joi', '172.22.22.2'], ['mesh', '172.22.22.1']]) },
    observations: new Map(answered.map((id) => [id, anObservation({ id, outcome: { seen: 'answered', detail: 'NTP', rttMs: 1 } })])),
    phase: 'steady', newToken: world.newToken ?? token, packets: () => undefined, measured: () => undefined, refused: ({ id }) => refused.push(id), isOver: () => asked.length >= (world.overAfter ?? Number.POSITIVE_INFINITY),
    room: { of: () => Promise.resolve(new Map()), has: (some) => Promise.resolve((world.hasRoom ?? true) && room.push(`${some.length} wait`) > 0), take: (some) => (room.push(`${some.length} begin`), () => room.push(`${some.length} end`)) },
    vantages: new Map(hosts.map((host) => [host, vantage(host)])),
    looking: () => (probe) => {
      again.push(probe.id);
      if (world.closed?.includes(probe.id) === true) count.of += 1;
      return Promise.resolve<Observation>(anObservation({ id: probe.id, outcome: { seen: 'refused', by: 'rst' } }));
    },
    stopped: () => (asked.length >= (world.stopsAfter ?? Number.POSITIVE_INFINITY) ? 'stopped' : null),
  };
  return { results: await sweepBatch(site, given), ids: asked, looks, again, refused, room, read: [...read] };
}

const red = ({ results }: Asked): readonly string[] => results.flatMap(({ pair, red: ports, more }) => [...ports.slice(0, 2).map(({ port, result }) => `${pair}/${port} ${result}`), ...(more + ports.length > 2 ? [`${pair} and ${more + ports.length - 2} more`] : [])]);
const passed = ({ results }: Asked): Readonly<Record<string, unknown>> => Object.fromEntries(results.map((one) => [one.pair, one.passed]));
const untold = (id: string): readonly string[] => [`${id}/101 inconclusive`, `${id}/102 inconclusive`, `${id} and 98 more`];

describe('sweep: a batch', () => {
  it('is told at once where the destination sent no RST', async () => {
    const asked = await sweep({ says: { [joi]: [{ states: { 150: 'reset' } }] } }, turns(mesh, joi, datagrams));
    expect(asked.ids).to.deep.equal([mesh, joi, datagrams]);
    expect(passed(asked)).to.deep.equal({ [mesh]: { proven: 100 }, [joi]: { proven: 100 }, [datagrams]: { proven: 99 } });
    expect([red(asked), asked.again], 'a refusal is a firewall\'s').to.deep.equal([[], []]);
  });
  it('of which the destination refused some is swept again in parts, what no RST speaks of but once', async () => {
    const asked = await sweep({ says: { [joi]: [{ states: { 150: 'reset' }, rsts: 1 }] }, closed: [`${joi}/150`] }, turns(mesh, joi, datagrams));
    expect(asked.ids).to.deep.equal([mesh, joi, datagrams, mesh, joi]);
    expect(red(asked)).to.deep.equal([`${joi}/150 fail`]);
    expect(passed(asked)).to.deep.equal({ [mesh]: { proven: 100 }, [joi]: { proven: 99 }, [datagrams]: { proven: 99 } });
  });
  it('has the RSTs of one not for the refusals of another', async () => {
    // A firewall refuses joi; ntp's own kernel refuses mesh, and its RSTs are lost.
    const asked = await sweep({ says: { [joi]: [{ states: { 150: 'reset' } }], [mesh]: [{ rsts: 1 }] } }, turns(mesh, joi));
    expect(asked.ids, 'and once more, as it may have been another\'s').to.deep.equal([mesh, joi, mesh, mesh, joi]);
    expect(red(asked)).to.deep.equal(untold(mesh));
    expect(passed(asked)[joi]).to.deep.equal({ proven: 100 });
  });
  it('in which all were refused falls into halves', async () => {
    const says = [{ states: { 150: 'reset' }, rsts: 1 }];
    const asked = await sweep({ says: { [mesh]: says, [joi]: says, [past]: says }, closed: [`${joi}/150`, `${mesh}/150`, `${past}/150`] }, turns(mesh, joi, past));
    expect(asked.ids).to.deep.equal([mesh, joi, past, mesh, joi, mesh, joi, past]);
    expect(red(asked)).to.deep.equal([mesh, joi, past].map((id) => `${id}/150 fail`));
  });
  it('forgets nothing that was open when it is swept again', async () => {
    const entry = 'ipv4 2 tcp 6 60 SYN_RECV src=172.22.22.1 dst=172.22.22.3 sport=22222 dport=160 src=172.22.22.3 dst=172.22.22.1 sport=160 dport=22222';
    const asked = await sweep({ rows: [entry], says: { [joi]: [{ states: { 140: 'open' } }, {}], [mesh]: [{ states: { 150: 'reset' }, rsts: 1 }, {}] } }, turns(mesh, joi));
    expect(red(asked)).to.deep.equal([`${joi}/140 fail`, `${mesh}/150 inconclusive`]);
    expect(asked.results.find(({ pair }) => pair === joi)?.passed, 'and counts it once').to.deep.equal({ proven: 99 });
  });
  it('forgets nothing that was open, however often it is swept again', async () => {
    const says = { states: { 150: 'reset' }, rsts: 1 };
    const asked = await sweep({ says: { [mesh]: [says], [joi]: [{ ...says, states: { 140: 'open', 145: 'reset', 150: 'reset' } }, { ...says, states: { 140: 'reset', 150: 'reset' } }], [past]: [says] }, closed: [mesh, joi, past].map((id) => `${id}/150`) }, turns(mesh, joi, past));
    expect(asked.ids.filter((id) => id === joi)).to.have.length(3);
    expect(asked.results.find(({ pair }) => pair === joi)?.red.map(({ port, result }) => `${port} ${result}`)).to.deep.equal(['140 fail', '150 fail', '145 inconclusive']);
  });
  it('reads the tables of its own machines alone, for its own sources and who translates', async () => {
    expect((await sweep({}, turns(mesh))).read).to.have.members(['mesh of 172.22.22.1 172.22.22.4', 'ntp of 172.22.22.1 172.22.22.4']);
    expect((await sweep({}, turns(mesh, joi))).read).to.have.members(['mesh', 'joi', 'ntp'].map((host) => `${host} of 172.22.22.1 172.22.22.2 172.22.22.4`));
  });
  it('draws no port that its frames have', async () => {
    const taken = framePortOf(pairOf(past));
    const { looks } = await sweep({ newToken: () => (taken - 20_000).toString(16).padStart(6, '0').padEnd(32, '0') }, turns(joi, past));
    expect(taken).to.be.within(20_000, 31_999);
    expect(looks.filter((one) => one.past === null).map(({ sourcePort }) => sourcePort)).to.not.include(taken);
  });
  it('does not call open for good what a firewall may have refused', async () => {
    const entry = (port: number): string => `ipv4 2 tcp 6 60 SYN_SENT src=172.22.22.1 dst=172.22.22.3 sport=${port} dport=150 [UNREPLIED] src=172.22.22.3 dst=172.22.22.1 sport=150 dport=${port}`;
    // Its SYN stands in ntp's table, as a firewall's own RST leaves it: in the first sweep no count tells that ntp sent none for it.
    const rows = Array.from({ length: 12_000 }, (_none, index) => entry(20_000 + index));
    const asked = await sweep({ rows, says: { [joi]: [{ states: { 160: 'reset' }, rsts: 1 }, { states: { 160: 'reset' }, rsts: 1 }], [mesh]: [{ states: { 150: 'reset' } }] }, closed: [`${joi}/160`] }, turns(mesh, joi));
    expect(red(asked)).to.deep.equal([`${joi}/160 fail`]);
    expect(passed(asked)[mesh]).to.deep.equal({ proven: 100 });
  });
  it('that says nothing the second time still tells what was open the first', async () => {
    const asked = await sweep({ says: { [joi]: [{ states: { 140: 'open' } }, { fails: true }], [mesh]: [{ states: { 150: 'reset' }, rsts: 1 }, {}] } }, turns(mesh, joi));
    expect(red(asked)).to.deep.equal([`${joi}/140 fail`, `${joi}/101 inconclusive`, `${joi} and 98 more`, `${mesh}/150 inconclusive`]);
  });
  it('of which nobody counts the RSTs is as it is', async () => {
    const asked = await sweep({ uncounted: true, says: { [joi]: [{ states: { 150: 'reset' } }] } }, turns(mesh, joi));
    expect(asked.ids).to.deep.equal([mesh, joi]);
    expect(passed(asked)).to.deep.equal({ [mesh]: { inferred: 100 }, [joi]: { inferred: 99 } });
  });
  it('does not take silence for an answer where the destination may have refused before', async () => {
    // joi is let through to fifty closed ports, each of whose RSTs came; then a detector of scans shuts joi out.
    const states = Object.fromEntries(Array.from({ length: 50 }, (_none, index) => [120 + index, 'reset']));
    const asked = await sweep({ says: { [joi]: [{ states, rsts: 50 }, {}] } }, turns(mesh, joi));
    expect(red(asked)).to.deep.equal([`${joi}/120 inconclusive`, `${joi}/121 inconclusive`, `${joi} and 48 more`]);
    expect(passed(asked)).to.deep.equal({ [mesh]: { proven: 100 }, [joi]: { proven: 50 } });
  });
  it('waits for room before it sweeps a part again, and says so where there is none', async () => {
    const world: World = { says: { [joi]: [{ states: { 150: 'reset' }, rsts: 1 }], [mesh]: [{ states: { 140: 'open' } }, {}] }, closed: [`${joi}/150`] };
    expect((await sweep(world, turns(mesh, joi))).room).to.deep.equal(['2 begin', '2 end', '1 wait', '1 begin', '1 end', '1 wait', '1 begin', '1 end']);
    const asked = await sweep({ ...world, hasRoom: false }, turns(mesh, joi));
    expect(asked.ids).to.deep.equal([mesh, joi]);
    expect(red(asked)).to.deep.equal([`${mesh}/140 fail`, `${mesh}/101 inconclusive`, `${mesh} and 98 more`, `${joi}/101 inconclusive`, `${joi} and 98 more`]);
    expect(asked.results.map(({ packets }) => packets)).to.deep.equal([200, 200]);
  });
  it('counts what was sent each time', async () => {
    const asked = await sweep({ says: { [joi]: [{ states: { 150: 'reset' }, rsts: 1 }] }, closed: [`${joi}/150`] }, turns(mesh, joi, datagrams));
    expect(Object.fromEntries(asked.results.map(({ pair, packets }) => [pair, packets]))).to.deep.equal({ [mesh]: 400, [joi]: 400, [datagrams]: 200 });
  });
  it('by itself is swept again where its silence is in doubt, once', async () => {
    const asked = await sweep({ says: { [mesh]: [{ rsts: 1 }] } }, turns(mesh));
    expect(asked.ids).to.deep.equal([mesh, mesh]);
    expect(red(asked)).to.deep.equal(untold(mesh));
    expect(asked.results[0]?.packets).to.equal(400);
    expect(passed(await sweep({ says: { [mesh]: [{ rsts: 1 }, {}] } }, turns(mesh)))).to.deep.equal({ [mesh]: { proven: 100 } });
  });
  it('has swept again, once, the pair of which an allowed port is silent that answers', async () => {
    const [answers, other] = ['joi -> mesh nebula tcp', 'ntp -> mesh vmbr1 tcp'];
    const range = turns(answers, other).map((turn): Turn => ({ ...turn, unit: { ...turn.unit, first: 8_401, last: 8_500 } }));
    const asked = await sweep({ says: { [answers]: [{}, { states: { 8444: 'open' } }] } }, range);
    expect(asked.ids).to.deep.equal([answers, other, answers]);
    expect(asked.results.find(({ pair }) => pair === answers)?.open).to.deep.equal([8444]);
    expect((await sweep({}, range)).ids, 'and not a third time').to.deep.equal([answers, other, answers]);
  });
  it('by itself does not take silence for an answer where it was refused before its second try', async () => {
    const asked = await sweep({ says: { [joi]: [{ states: { 150: 'reset' }, rsts: 2 }, {}] } }, turns(joi));
    expect(asked.ids).to.deep.equal([joi, joi]);
    expect(red(asked)).to.deep.equal([`${joi}/150 inconclusive`]);
  });
  it('by itself has its refusals asked again, where the count is of some of them', async () => {
    const asked = await sweep({ says: { [joi]: [{ states: { 150: 'reset', 151: 'reset' }, rsts: 1 }] }, closed: [`${joi}/151`] }, turns(joi));
    expect(asked.again).to.include.members([`${joi}/150`, `${joi}/151`]);
    expect(red(asked)).to.deep.equal([`${joi}/151 fail`]);
  });
  it('has no result of what was stopped, and those of its parts that had come to their end', async () => {
    const world: World = { says: { [joi]: [{ states: { 150: 'reset' }, rsts: 1 }] }, closed: [`${joi}/150`] };
    const told = async (more: World): Promise<readonly string[]> => (await sweep({ ...world, ...more }, turns(mesh, joi, datagrams))).results.map(({ pair }) => pair);
    expect(await told({ stopsAfter: 3 })).to.deep.equal([]);
    expect(await told({ stopsAfter: 5 })).to.deep.equal([datagrams, mesh]);
    expect(await told({ overAfter: 3 }), 'nothing more is begun').to.deep.equal([datagrams]);
    expect(await told({ overAfter: 5 }), 'what is begun is ended').to.deep.equal([datagrams, mesh, joi]);
  });
  it('tells of the pair that its destination answers by RSTs, once that is sure', async () =>
    expect((await sweep({ says: { [joi]: [{ states: { 150: 'reset' }, rsts: 1 }] }, closed: [`${joi}/150`] }, turns(mesh, joi))).refused).to.deep.equal([joi]));
  it('asks at the whole rate of its source what is swept again by itself', async () => {
    const { ids, looks } = await sweep({ says: { [joi]: [{ states: { 150: 'reset' }, rsts: 1 }] }, closed: [`${joi}/150`] }, turns(mesh, joi, past));
    expect(ids).to.deep.equal([mesh, joi, past, mesh, past, joi]);
    expect(looks.map(({ rate }) => rate)).to.deep.equal([100, 100, 100, 100, 200, 200]);
  });
  it('asks each as its turn says, from a port that no other has', async () => {
    const { looks } = await sweep({}, turns(mesh, joi, past, datagrams));
    for (const { first, last, rate, attempts } of looks) expect({ first, last, rate, attempts }).to.deep.equal({ first: 101, last: 200, rate: 100, attempts: 3 });
    const ports = [...looks.filter((one) => one.past === null).map(({ sourcePort }) => sourcePort), framePortOf(pairOf(past))];
    expect(new Set(ports).size).to.equal(4);
    for (const port of ports) expect(port).to.be.within(1_024, 32_767);
  });
  it('asks as often as nc can in two seconds', async () => {
    const { looks } = await sweep({ kind: 'sh' }, turns(mesh));
    expect(looks.map(({ attempts }) => attempts)).to.deep.equal([2]);
    expect([attemptsOf('sh'), attemptsOf('python')]).to.deep.equal([2, 3]);
  });
  it('waits for silence as long as the plan\'s own looks do', async () => {
    const of = (id: string): Pair => {
      const pair = pairOf(id);
      const { probe } = pair.template;
      return { ...pair, template: { ...pair.template, probe: { ...probe, look: { by: 'exchange', exchange: { ...(probe.look.by === 'exchange' ? probe.look.exchange : ({} as Exchange)), windowMs: 234 } } } } };
    };
    const { looks } = await sweep({}, turns(mesh).map((turn) => ({ ...turn, pair: of(mesh) })));
    expect(looks.map(({ windowMs }) => windowMs)).to.deep.equal([234]);
  });
});
