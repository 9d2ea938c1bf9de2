// The families beyond what the matrix spans: which cells, looked at how, and what becomes of them where a prober cannot.
import { expect } from 'chai';
import type { Discovery, Family, Inventory, Plan, PlannedFlow } from '../../../lib/model.ts';
import { discovery, inventory, plan, without } from '../../fixtures/site.ts';

const steady = plan();
const of = (family: Family, from: string, one: Plan = steady): readonly PlannedFlow[] => one.flows.filter(({ flow }) => flow.family === family && flow.from === from);
const find = (id: string, one: Plan = steady): PlannedFlow => {
  const found = one.flows.find(({ flow }) => flow.id === id);
  if (found === undefined) throw new Error(`no cell ${id}`);
  return found;
};
const gap = (one: Plan, words: string): number => one.gaps.filter(({ reason }) => reason.includes(words)).reduce((sum, { cells }) => sum + cells, 0);
const having = (over: Partial<Discovery>): Plan => plan({ discovery: { ...discovery, ...over } });

describe('families: source ports', () => {
  it('lead from each reply port to a fresh high port and to its namesake, for each machine and each target', () => {
    const ids = of('source port', 'joi').map(({ flow }) => flow.id);
    for (const to of ['mesh vmbr1', 'ntp vmbr1', 'gateway vmbr1', 'operator wan', 'chat.signal.org', 'github.com', '1.1.1.1', '198.51.100.1'])
      expect(ids, to).to.include.members(['tcp/high from 53', 'tcp/443 from 443', 'udp/high from 123', 'udp/53 from 53', 'udp/67 from 67'].map((cell) => `joi -> ${to} ${cell}`));
  });
  it('are looked at from that very port', () => {
    const { flow, probe } = find('joi -> mesh vmbr1 udp/high from 53');
    expect(flow.sourcePort).to.equal(53);
    expect(probe.look).to.have.nested.property('exchange.sourcePort', 53);
    expect(flow.port).to.be.within(61_000, 65_499);
  });
  it('have a listener of ours at the far end of the high port, on the same one for all', () => {
    const { listener } = find('joi -> mesh vmbr1 tcp/high from 53');
    expect(listener).to.match(/^listener mesh 172\.22\.22\.1 tcp\/\d+$/);
    expect(find('joi -> mesh vmbr1 tcp/high from 443').listener).to.equal(listener);
  });
  it('are never taken from the host by a listener of ours', () =>
    expect(steady.listeners.filter(({ port, transport }) => (transport === 'udp' && [53, 67, 88, 123, 443].includes(port)) || (transport === 'tcp' && [53, 88, 443].includes(port)))).to.deep.equal([]));
  it('are a high one where a row means the protocol\'s own alone, as DHCP\'s clients have', () => {
    const { flow, probe } = find('mesh -> dhcp udp/67 from high');
    expect(flow).to.include({ expected: 'denied', address: find('mesh -> dhcp udp/67').flow.address, port: 67 });
    expect(flow.sourcePort).to.be.within(61_000, 65_499);
    expect(probe.look).to.have.nested.property('exchange.sourcePort', flow.sourcePort);
    expect(steady.flows.filter(({ flow: { id } }) => id.endsWith(' from high')).map(({ flow: { id } }) => id)).to.deep.equal(['mesh -> dhcp udp/67 from high', 'ntp -> dhcp udp/67 from high']);
  });
  it('leave out what a row allows', () => {
    expect(of('source port', 'mesh').map(({ flow }) => flow.id)).to.not.include('mesh -> dns udp/53 from 53').and.to.not.include('mesh -> ntp vmbr1 udp/123 from 123');
    expect(gap(steady, 'a row allows it from any source port')).to.be.greaterThan(0);
  });
  it('leave out in setup what the TEMP row allows, also where the target is not known to serve it', () => {
    const ids = of('source port', 'joi', plan({ phase: 'setup' })).map(({ flow }) => flow.id);
    expect(ids).to.not.include('joi -> github.com tcp/53 from 53').and.to.not.include('joi -> github.com tcp/443 from 443');
    expect(ids).to.include.members(['joi -> github.com tcp/high from 53', 'joi -> github.com udp/53 from 53', 'joi -> mesh vmbr1 tcp/443 from 443']);
    expect(of('source port', 'joi').map(({ flow }) => flow.id)).to.include('joi -> github.com tcp/443 from 443');
  });
  it('never lead from a port to its namesake in both directions: that would open the way in a stateful firewall', () => {
    const namesakes = new Set(steady.flows.filter(({ flow }) => flow.sourcePort === flow.port).map(({ flow }) => `${flow.from} ${flow.to} ${flow.transport} ${flow.port}`));
    expect(namesakes.has('joi gateway tcp 53'), 'the confined one asks').to.equal(true);
    expect(namesakes.has('gateway joi tcp 53')).to.equal(false);
    expect(namesakes.has('mesh operator udp 53')).to.equal(true);
    for (const key of namesakes) {
      const [from, to, ...rest] = key.split(' ');
      expect(namesakes.has([to, from, ...rest].join(' ')), key).to.equal(false);
    }
    expect(gap(steady, 'asked in the other direction alone')).to.be.greaterThan(0);
  });
  it('are a gap where the prober has no root', () => {
    const one = having({ privileged: ['mesh'] });
    expect(of('source port', 'joi', one)).to.deep.equal([]);
    expect(gap(one, "joi's prober cannot look: source ports below 1024 need root")).to.equal(of('source port', 'joi').length);
  });
});

describe('families: the ports of our own packets', () => {
  it('are never met twice, nor by a port of the kernel: a witness would take one look for another', () => {
    const looks = [...steady.flows.flatMap(({ flow, probe, nearWall, farWall }) => (flow.sourcePort === undefined ? [probe, nearWall, farWall] : [])), ...steady.controls].flatMap((one) => one?.look ?? []);
    const ports = looks.flatMap((look) => ((look.by === 'raw' || look.by === 'frame') && look.sourcePort > 1024 ? [look.sourcePort] : []));
    expect(ports.length).to.be.greaterThan(2000);
    expect(new Set(ports).size).to.equal(ports.length);
    for (const port of ports) expect(port).to.be.within(20_000, 32_767);
  });
});

describe('families: other IP protocols', () => {
  it('are GRE, IP in IP, 6in4 and SCTP, by raw packets', () => {
    expect(of('ip protocol', 'joi').filter(({ flow }) => flow.to === 'ntp').map(({ flow }) => flow.id)).to.deep.equal(['joi -> ntp vmbr1 ip/4', 'joi -> ntp vmbr1 ip/41', 'joi -> ntp vmbr1 ip/47', 'joi -> ntp vmbr1 ip/132']);
    expect(find('joi -> 1.1.1.1 ip/47').probe.look).to.deep.include({ by: 'raw' }).and.have.nested.property('raw.ipProtocol', 47);
    expect(find('joi -> 1.1.1.1 ip/47').witnesses).to.deep.equal(['gateway']);
  });
  it('are asked in one direction between two machines, by the confined one', () => {
    const between = (from: string, to: string): number => of('ip protocol', from).filter(({ flow }) => flow.to === to).length;
    expect([between('joi', 'mesh'), between('mesh', 'joi'), between('mesh', 'ntp')]).to.deep.equal([4, 0, 4]);
  });
  it('are a gap where the prober sends no raw packets', () => {
    expect(of('ip protocol', 'ntp')).to.deep.equal([]);
    expect(gap(steady, "ntp's prober cannot look: raw packets need python3 and root")).to.be.greaterThan(0);
  });
});

describe('families: another way', () => {
  it("asks each neighbour that is not its router to forward, and the router for what is ours beyond it", () => {
    const ids = of('another way', 'joi').map(({ flow }) => flow.id);
    expect(ids).to.include.members(['joi -> 1.1.1.1 tcp/443 by mesh', 'joi -> 1.1.1.1 udp/53 by ntp', 'joi -> github.com icmp/echo by mesh', 'joi -> ntp wan tcp/443 by mesh']);
    expect(ids).to.not.include('joi -> 1.1.1.1 tcp/443 by gateway'); // its own route: the far wall asks that
  });
  it("goes by frames to the neighbour's Ethernet address, from the vantage's own on that link", () => {
    const { look } = find('joi -> 1.1.1.1 tcp/443 by mesh').probe;
    expect(look).to.have.nested.property('frame.device', 'eth0');
    expect(look).to.have.nested.property('frame.mac', '02:00:00:00:00:01');
    expect(look).to.have.nested.property('frame.packet').that.includes('ac16160201010101'); // 172.22.22.2 -> 1.1.1.1
  });
  it('has the neighbour for its witness', () => expect(find('joi -> 1.1.1.1 tcp/443 by ntp').witnesses).to.deep.equal(['ntp']));
});

describe('families: surviving sessions', () => {
  it('are asked of each confined host, at itself and at its router', () => {
    expect(steady.flows.filter(({ flow }) => flow.family === 'surviving session').map(({ flow, probe }) => [flow.id, probe.look])).to.deep.equal([['joi => surviving sessions', { by: 'sessions', hosts: ['joi', 'gateway'] }]]);
  });
  it('of a host that could not be entered are not looked at', () => expect(find('joi => surviving sessions', plan({ discovery: without('joi') })).probe.look).to.have.nested.property('outcome.seen', 'unprobed'));
});

describe('families: the overlay by the underlay', () => {
  it('is a family of its own', () => {
    expect(find('mesh -> joi vmbr1 tcp/8443').flow.family).to.equal('overlay by underlay');
    expect(find('joi -> mesh wan tcp/8444').flow.family).to.equal('overlay by underlay');
    expect(find('mesh -> joi nebula tcp/8443').flow.family).to.equal('row');
  });
});

describe('families: switched off by name', () => {
  const off = (...names: NonNullable<Inventory['site']['without']>): Plan => plan({ inventory: { ...inventory, site: { ...inventory.site, without: names } } });
  for (const family of ['source port', 'ip protocol', 'another way', 'surviving session', 'overlay by underlay', 'link-local', 'icmp', 'neighbour port', 'outside'] as const)
    it(`${family} is a counted gap, and nothing else changes`, () => {
      const one = off(family);
      expect(one.flows.map(({ flow }) => flow.id)).to.deep.equal(steady.flows.filter(({ flow }) => flow.family !== family).map(({ flow }) => flow.id));
      expect(gap(one, `the inventory goes without the family "${family}"`)).to.equal(steady.flows.length - one.flows.length).and.be.greaterThan(0);
      expect(one.universe).to.equal(steady.universe);
    });
  it('walls are no cells: nothing is sent past any firewall', () => {
    const one = off('walls');
    expect(one.flows.length).to.equal(steady.flows.length);
    expect(one.flows.filter(({ nearWall, farWall }) => nearWall !== null || farWall !== null)).to.deep.equal([]);
  });
});

describe('families: beacons', () => {
  const beacon = { hosts: { ...discovery.hosts, shore: { kernel: '', addresses: [{ interface: 'eth0', address: '1.1.1.1', prefix: 32, scope: 'global' as const }], routes: [], resolvers: [], links: [], neighbours: [] } }, witnesses: [...discovery.witnesses, 'shore'], beacons: { shore: '198.18.77.7' } };
  it('witness for every vantage what leads to an address of theirs', () => {
    const one = having(beacon);
    expect(find('joi -> 1.1.1.1 tcp/443', one).witnesses).to.deep.equal(['shore', 'gateway']);
    expect(find('ntp -> 1.1.1.1 tcp/443', one).witnesses).to.deep.equal(['shore']);
    expect(find('ntp -> 8.8.8.8 tcp/443', one).witnesses).to.deep.equal([]);
  });
  it('are a target by the address of their login', () => expect(find('joi -> 198.18.77.7 tcp/443', having(beacon)).flow.address).to.equal('198.18.77.7'));
  it('are no vantage', () => expect(having(beacon).flows.filter(({ flow }) => flow.from === 'shore')).to.deep.equal([]));
});
