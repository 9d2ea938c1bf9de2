// Where a vantage could go: each machine on each network it can be met on, each external address once, and what has no path.
import { expect } from 'chai';
import { externalDestinations, machineDestinations } from '../../../lib/plan/destinations.ts';
import type { Discovery, Facts, Inventory } from '../../../lib/model.ts';
import { address, discovery, hosts, inventory, without } from '../../fixtures/site.ts';

/** The discovery with something else for one host. */
function but(name: string, over: Partial<Facts>): Discovery {
  return { ...discovery, hosts: { ...hosts, [name]: { ...(hosts[name] as Facts), ...over } } };
}

function labels(vantage: string, found: Discovery = discovery): readonly string[] {
  return machineDestinations(inventory, found, vantage).map(({ label, address: to, way }) =>
    `${label} ${typeof to === 'string' ? to : 'absent' in to ? 'absent' : 'unknown'}${way === 'send' ? '' : 'noPath' in way ? ', no path' : ', way unknown'}`);
}

describe('destinations: of our own machines', () => {
  it('joi sees all of them by vmbr1, their WAN sides by the gateway', () => expect(labels('joi')).to.deep.equal([
    'mesh vmbr1 172.22.22.1', 'mesh vmbr1/ll fe80::1%eth0', 'mesh nebula 10.42.0.1', 'mesh wan 198.51.100.102',
    'ntp vmbr1 172.22.22.3', 'ntp vmbr1/ll fe80::3%eth0', 'ntp wan 198.51.100.147',
    'gateway vmbr1 172.22.22.4', 'gateway vmbr1/ll fe80::4%eth0', 'gateway wan 198.51.100.4',
    'operator wan 198.51.100.10',
  ]));
  it('ntp meets them on two links, and has no path into Nebula or to docker0', () => expect(labels('ntp')).to.deep.equal([
    'mesh vmbr1 172.22.22.1', 'mesh vmbr1/ll fe80::1%eth1', 'mesh nebula 10.42.0.1, no path', 'mesh wan 198.51.100.102', 'mesh wan/ll fe80::102%eth0',
    'joi vmbr1 172.22.22.2', 'joi vmbr1/ll fe80::2%eth1', 'joi nebula 10.42.0.10, no path', 'joi docker0 172.17.0.1, no path',
    'gateway vmbr1 172.22.22.4', 'gateway vmbr1/ll fe80::4%eth1', 'gateway wan 198.51.100.4', 'gateway wan/ll fe80::104%eth0',
    'operator wan 198.51.100.10', 'operator wan/ll fe80::10%eth0',
  ]));
  it('the operator stands outside', () => expect(labels('operator').filter((label) => !label.endsWith('no path'))).to.deep.equal([
    'mesh wan 198.51.100.102', 'mesh wan/ll fe80::102%eth0', 'ntp wan 198.51.100.147', 'ntp wan/ll fe80::147%eth0', 'gateway wan 198.51.100.4', 'gateway wan/ll fe80::104%eth0',
  ]));

  const way = (destination: string): ReturnType<typeof machineDestinations>[number] | undefined => machineDestinations(inventory, changed, 'ntp').find(({ label }) => label === destination);
  let changed = discovery;
  it('no path is said with its reason', () => expect(way('joi nebula')?.way).to.deep.equal({ noPath: 'its only way is 0.0.0.0/0 via 198.51.100.1, which is not ours' }));
  it('a default route without a next hop is no link to our private addresses', () => {
    changed = but('ntp', { routes: (hosts.ntp as Facts).routes.map((one) => (one.destination === '0.0.0.0/0' ? { destination: '0.0.0.0/0', kind: 'unicast', interface: 'ppp0' } : one)) });
    expect(way('joi nebula')?.way).to.not.equal('send');
  });
  it('a next hop of ours without a link there is no path', () => {
    changed = but('ntp', { routes: [{ destination: '0.0.0.0/0', kind: 'unicast', via: '172.22.22.4', interface: 'eth1' }] });
    expect(way('joi nebula')?.way).to.deep.equal({ noPath: 'its only way is by gateway, which has no link to it' });
    expect(way('gateway wan')?.way, 'the next hop itself').to.equal('send');
    expect(way('operator wan')?.way, 'on the link of the next hop').to.equal('send');
  });
  it('a next hop of ours that could not be asked is not known to have one', () => {
    expect(labels('joi', without('gateway')).filter((label) => label.startsWith('mesh wan') || label.startsWith('operator'))).to.deep.equal(['mesh wan 198.51.100.102, way unknown', 'operator wan 198.51.100.10, way unknown']);
  });
});

describe('destinations: an address that is not there', () => {
  const rows: readonly (readonly [sentence: string, vantage: string, found: Discovery, label: string])[] = [
    ['of a host that could not be asked is unknown where only it can tell', 'mesh', without('ntp'), 'ntp wan unknown'],
    ['of a host that could not be asked is the inventory\'s where that has it', 'mesh', without('ntp'), 'ntp vmbr1 172.22.22.3'],
    ['link-local, of a host that could not be asked, is unknown', 'mesh', without('ntp'), 'ntp vmbr1/ll unknown'],
    ['that the inventory gives and the host does not hold is unknown', 'mesh', but('ntp', { addresses: [address('eth1', '172.22.22.5', 29)] }), 'ntp vmbr1 unknown'],
    ['link-local is absent where the other has none', 'mesh', but('ntp', { addresses: (hosts.ntp as Facts).addresses.filter(({ scope }) => scope !== 'link') }), 'ntp vmbr1/ll absent'],
    ['link-local is absent where the vantage has none', 'mesh', but('mesh', { addresses: (hosts.mesh as Facts).addresses.filter(({ scope }) => scope !== 'link') }), 'ntp vmbr1/ll absent'],
    ['of a docker0 that is gone is absent', 'mesh', but('joi', { addresses: (hosts.joi as Facts).addresses.filter((own) => own.interface !== 'docker0') }), 'joi docker0 absent'],
    ['on the WAN is unknown without a default route that leads outside', 'mesh', but('ntp', { routes: [{ destination: '0.0.0.0/0', kind: 'unicast', via: '172.22.22.4', interface: 'eth1' }] }), 'ntp wan unknown'],
  ];
  for (const [sentence, vantage, found, label] of rows) it(sentence, () => expect(labels(vantage, found)).to.include(label));
});

function external(vantage: string, found: Discovery = discovery, over: Inventory = inventory): ReadonlyMap<string, ReturnType<typeof externalDestinations>[number]> {
  return new Map(externalDestinations(over, found, vantage).map((one) => [one.label, one]));
}

describe('destinations: outside', () => {
  it('each address once, in the inventory\'s order', () => expect([...external('mesh').keys()]).to.deep.equal([
    'chat.signal.org', 'chat.signal.org#2', 'storage.signal.org', 'time.cloudflare.com', 'pool.ntp.org', 'github.com', 'example.com', '1.1.1.1', '8.8.8.8', '9.9.9.9', 'dns',
  ]));
  it('an address of several targets knows all their names and services', () => {
    expect(external('mesh').get('dns')?.targets).to.deep.equal({ dns: 'dns', dhcp: 'dhcp' });
    expect(external('mesh').get('dns')?.serves).to.include.members(['udp/53', 'udp/67']);
  });
  it('a resolver that is a canary too is one address', () => {
    const found = external('mesh', but('mesh', { resolvers: ['1.1.1.1'] }));
    expect(found.get('1.1.1.1')?.targets).to.deep.equal({ 'public-resolvers': '1.1.1.1', dns: 'dns' });
  });
  it('another vantage\'s resolver stands for no target here', () => expect(external('gateway', but('gateway', { resolvers: [] })).get('198.51.100.1')?.targets).to.deep.equal({ dhcp: '198.51.100.1' }));
  it('a resolver or a router of ours is none', () => expect([...external('mesh', but('ntp', { resolvers: ['172.22.22.4', '127.0.0.53'] })).values()].map((one) => one.address)).to.not.include.members(['172.22.22.4']).and.not.include('127.0.0.53'));
  it('an address that a machine says it holds stays a target: the inventory says whose it is', () => {
    const claiming = but('joi', { addresses: [...(hosts.joi as Facts).addresses, address('docker0', '1.1.1.1', 32), address('eth0', '198.51.100.1', 32), address('eth0', '198.18.10.1', 32)] });
    expect([...external('mesh', claiming).keys()]).to.deep.equal([...external('mesh').keys()]);
  });
  it('a machine leads to one router, however many it names', () => {
    const { routes } = hosts.ntp as Facts;
    const many = [...routes, ...routes.map((one) => ({ ...one, via: '192.0.2.1' }))];
    expect([...external('mesh', but('ntp', { routes: many })).keys()]).to.deep.equal([...external('mesh').keys()]);
  });
  it('a name has its name for TLS, an address none', () => expect(['chat.signal.org#2', '1.1.1.1'].map((label) => external('mesh').get(label)?.serverName)).to.deep.equal(['chat.signal.org', null]));
  it('a name that did not resolve stands for itself, with its cause', () => {
    const nameless = { ...discovery, names: { ...discovery.names, 'github.com': { operation: 'resolve' as const, cause: 'nobody knows' } } };
    expect(external('mesh', nameless).get('github.com')?.address).to.deep.equal({ unknown: { operation: 'resolve', cause: 'nobody knows' } });
    expect(external('mesh', { ...discovery, names: {} }).get('github.com')?.address).to.have.nested.property('unknown.operation', 'resolve');
  });
  it('two names of one address are one destination', () => {
    const shared = { ...discovery, names: { ...discovery.names, 'github.com': ['198.18.20.2'] } };
    expect(external('mesh', shared).get('github.com')?.targets).to.deep.equal({ code: 'github.com', web: 'example.com' });
    expect(external('mesh', shared).has('example.com')).to.equal(false);
  });
});
