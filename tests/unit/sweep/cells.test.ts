// What there is to sweep: pairs, and the cell that each of their ports is.
import { expect } from 'chai';
import type { Discovery, Inventory, Pair } from '../../../lib/model.ts';
import { cellOf, framePortOf, pairsOf, unknownPairs } from '../../../lib/sweep/cells.ts';
import { token } from '../../fixtures/flows.ts';
import { discovery, inventory, plan, without } from '../../fixtures/site.ts';

const both = ['tcp', 'udp'] as const;
const whole = plan();
const of = (site: Partial<Readonly<{ inventory: Inventory; discovery: Discovery }>> = {}, transports: readonly Pair['transport'][] = both): readonly Pair[] => pairsOf(site.discovery === undefined && site.inventory === undefined ? whole : plan(site), { inventory, discovery, ...site }, transports);
const pairs = of();
const idsOf = (some: readonly Pair[]): readonly string[] => some.map(({ id }) => id);
const pairOf = (id: string, among = pairs): Pair => {
  const found = among.find((pair) => pair.id === id);
  if (found === undefined) throw new Error(`no pair ${id}`);
  return found;
};

describe('sweep: the pairs', () => {
  it('are each once: a source, an address, a transport, and through the source\'s own firewall or past it', () => {
    expect(new Set(pairs.map(({ from, address, transport, past }) => `${from} ${address} ${transport} ${past !== null}`)).size).to.equal(pairs.length);
    expect(new Set(idsOf(pairs)).size).to.equal(pairs.length);
  });
  it('are those between machines, and to every external target, from every machine', () => {
    expect(idsOf(pairs)).to.include.members(['joi -> ntp vmbr1 tcp', 'joi -> ntp vmbr1 udp', 'joi -> ntp vmbr1/ll tcp', 'joi -> mesh nebula tcp', 'joi -> github.com tcp', 'joi -> 1.1.1.1 udp', 'ntp -> chat.signal.org#2 tcp', 'gateway -> joi vmbr1 tcp']);
    expect(pairs.filter(({ from }) => from === 'operator')).to.deep.equal([]);
  });
  it('are of the transports that were asked for', () => {
    expect(new Set(of({}, ['udp']).map(({ transport }) => transport))).to.deep.equal(new Set(['udp']));
    expect(new Set(of({}, ['tcp']).map(({ transport }) => transport))).to.deep.equal(new Set(['tcp']));
  });
  it('know what is allowed between them, also where our own login is the look', () => {
    expect(pairOf('joi -> mesh nebula tcp').allowed).to.deep.equal([8444]);
    expect(pairOf('gateway -> joi vmbr1 tcp').allowed).to.deep.equal([22]);
    expect(pairOf('joi -> ntp vmbr1 tcp').allowed).to.deep.equal([]);
    expect(pairOf('joi -> ntp vmbr1 udp').allowed).to.deep.equal([123]);
  });
  it('that nobody knows the address of are named, and are no pairs', () => {
    const less = plan({ discovery: without('mesh') });
    expect(unknownPairs(whole, { inventory }, both)).to.deep.equal([]);
    expect(unknownPairs(less, { inventory }, both).map(({ id }) => id)).to.include.members(['ntp -> mesh wan tcp', 'ntp -> mesh wan udp']);
    expect(unknownPairs(less, { inventory }, ['udp']).map(({ id }) => id)).to.not.include('ntp -> mesh wan tcp');
    expect(idsOf(of({ discovery: without('mesh') }))).to.not.include('ntp -> mesh wan tcp');
  });
  it('are the same ones, whatever ports are watched', () => {
    const site = { inventory: { ...inventory, site: { ...inventory.site, watch: { ...inventory.site.watch, udp: [] } } } };
    expect(idsOf(of(site)).toSorted()).to.deep.equal(idsOf(pairs).toSorted());
    expect(unknownPairs(plan(site), site, both)).to.deep.equal([]);
    // Not DHCP's: its packets come from the port of its clients.
    expect([...new Set(of(site).filter(({ transport }) => transport === 'udp').map(({ template }) => template.flow.protocol))].toSorted()).to.deep.equal(['dns', 'udp']);
  });
  it('where the plan has nothing that is denied are named, and are no pairs', () => {
    const site = { inventory: { ...inventory, site: { ...inventory.site, without: ['machine' as const] } } };
    expect(idsOf(of(site))).to.not.include('gateway -> ntp vmbr1 tcp');
    expect(unknownPairs(plan(site), site, both).map(({ id, cause }) => `${id}: ${cause}`)).to.deep.equal(['gateway -> ntp vmbr1 tcp: the plan has no denied port there (site.watch, site.without): nothing says what is to be blocked']);
  });
  it('of datagrams are asked on all ports where the far end would tell of them', () => expect(pairOf('joi -> ntp vmbr1 udp').named).to.equal(null));
  it('of datagrams are asked on the ports that somebody names, where it would not', () => {
    const { named } = pairOf('joi -> github.com udp');
    expect(named).to.include.members([53, 67, 123, 443, 5353]);
    expect(named?.length).to.be.lessThan(40);
    const unread = of({ discovery: { ...discovery, witnesses: [] } });
    expect(pairOf('joi -> ntp vmbr1 udp', unread).named).to.include.members([53, 443]).and.not.include(123);
  });
  it('of datagrams are asked on what a target serves, though no row names it', () => {
    const code = { ...inventory.site.targets.code, serves: ['udp/8853'] };
    const site = { inventory: { ...inventory, site: { ...inventory.site, targets: { ...inventory.site.targets, code } } } };
    expect(pairOf('joi -> github.com udp', of(site)).named).to.include(8853);
  });
});

describe('sweep: the pairs past the source\'s own firewall', () => {
  const past = pairs.filter((pair) => pair.past !== null);
  it('are those of sources that can send frames', () => {
    expect(new Set(past.map(({ from }) => from))).to.deep.equal(new Set(['mesh', 'joi']));
    expect(idsOf(past)).to.include.members(['joi -> ntp vmbr1 past joi\'s own firewall tcp', 'joi -> ntp vmbr1 past joi\'s own firewall udp']);
  });
  it('are of TCP alone where nobody would tell of a datagram', () => expect(idsOf(past).filter((id) => id.includes('github'))).to.satisfy((ids: readonly string[]) => ids.every((id) => id.endsWith(' tcp'))));
  it('count where the source is confined', () => {
    expect(new Set(past.filter(({ counts }) => counts).map(({ from }) => from))).to.deep.equal(new Set(['joi']));
    expect(pairs.filter((pair) => pair.past === null && !pair.counts)).to.deep.equal([]);
  });
  it('are not there where the inventory goes without the walls', () => {
    const site = { inventory: { ...inventory, site: { ...inventory.site, without: ['walls' as const] } } };
    expect(of(site).filter((pair) => pair.past !== null)).to.deep.equal([]);
  });
});

describe('sweep: a port of a pair', () => {
  it('is asked at that port', () => {
    const { flow, probe } = cellOf(pairOf('joi -> ntp vmbr1 udp'), 4400, token);
    expect(flow).to.include({ id: 'joi -> ntp vmbr1 udp/4400', port: 4400, transport: 'udp', protocol: 'udp', expected: 'denied' });
    expect(probe.look).to.deep.include({ by: 'exchange' }).and.to.have.nested.include({ 'exchange.port': 4400, 'exchange.sourcePort': 0, 'exchange.transport': 'udp' });
  });
  it('rests on nobody who is alive on another, but outside', () => {
    const pair = pairOf('joi -> 1.1.1.1 tcp');
    expect(cellOf(pairOf('joi -> ntp vmbr1 tcp'), 4400, token).aliveBy).to.deep.equal([]);
    expect(cellOf(pair, 4400, token).aliveBy).to.include.members(['operator => 1.1.1.1 tcp/443', 'operator => 1.1.1.1 tcp/111']);
    expect(cellOf(pair, 443, token).aliveBy).to.not.include('operator => 1.1.1.1 tcp/111');
    expect(cellOf(pair, 443, token).aliveBy).to.include('operator => 1.1.1.1 tcp/443');
  });
  it('of a pair with named ports is asked as the plan would', () => {
    const pair = pairOf('joi -> 1.1.1.1 udp');
    expect(cellOf(pair, 53, token).probe.look).to.deep.equal(pair.own.get(53)?.probe.look);
    expect(cellOf(pair, 53, token).flow.protocol).to.equal('dns');
  });
  it('that a target serves is asked in its protocol, also where the plan does not', () => {
    const pair = { ...pairOf('joi -> 1.1.1.1 udp'), own: new Map() };
    expect(cellOf(pair, 123, token).flow.protocol).to.equal('ntp');
    expect(cellOf(pair, 123, token).probe.look).to.have.nested.property('exchange.send').with.length(96);
    expect(cellOf(pair, 67, token).probe.look).to.have.nested.property('exchange.sourcePort').equal(68);
  });
  it('past the firewall is a frame to that port, from the port of the pair', () => {
    const pair = pairOf('joi -> ntp vmbr1 past joi\'s own firewall tcp');
    const { look } = cellOf(pair, 4400, token).probe;
    if (look.by !== 'frame') throw new Error(look.by);
    const tcp = Buffer.from(look.frame.packet, 'hex').subarray(20);
    expect([tcp.readUInt16BE(0), tcp.readUInt16BE(2)]).to.deep.equal([framePortOf(pair), 4400]);
    expect(look.sourcePort).to.equal(framePortOf(pair)).and.to.be.greaterThan(0);
    expect(framePortOf(pairOf('joi -> ntp vmbr1 tcp'))).to.equal(0);
  });
});
