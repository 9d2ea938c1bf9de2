// The plan of a site like the lab's: every cell once, each with its look and with what must hold for its silence to count.
import { expect } from 'chai';
import type { Discovery, Exchange, Facts, Flow, Plan, PlannedFlow } from '../../lib/model.ts';
import { makePlan, planWithin } from '../../lib/plan.ts';
import { address as held, discovery, hosts, inventory, machines, plan, token as newToken, vantages, without } from '../fixtures/site.ts';

/** Families of their own, beyond what the matrix spans: plan/families.test.ts. */
const others: ReadonlySet<string> = new Set(['source port', 'ip protocol', 'another way', 'surviving session']);
const whole = plan();
const ordinary = (one: Plan): Plan => ({ ...one, flows: one.flows.filter(({ flow }) => !others.has(flow.family)) });
const steady = ordinary(whole);
const setup = ordinary(plan({ phase: 'setup' }));
const rows = inventory.matrix.flows;
const ids = ({ flows }: Plan): readonly string[] => flows.map(({ flow }) => flow.id);
const within = (planned: readonly PlannedFlow[], from: string, label: string): readonly string[] =>
  planned.filter(({ flow }) => flow.from === from && flow.id.startsWith(`${from} -> ${label} `)).map(({ flow }) => `${flow.transport}/${flow.port}`);
const ours = (flow: Flow): boolean => vantages.includes(flow.to);
const find = (id: string, { flows }: Plan = steady): PlannedFlow => {
  const found = flows.find(({ flow }) => flow.id === id);
  if (found === undefined) throw new Error(`no cell ${id}`);
  return found;
};
const exchangeOf = (id: string, from: Plan = steady): Exchange => {
  const { look } = find(id, from).probe;
  if (look.by !== 'exchange') throw new Error(`${id} is not looked at by an exchange`);
  return look.exchange;
};

/** Said again, apart from the code: what every destination is asked on. */
const everywhere = (['tcp', 'udp'] as const).flatMap((transport) =>
  [...new Set([...rows.filter((row) => row.transport === transport).flatMap((row) => row.ports), ...inventory.site.watch[transport]])].map((port) => `${transport}/${port}`));

describe('planWithin', () => {
  const beyond = (most: number): ReturnType<typeof planWithin> => planWithin({ inventory, discovery, phase: 'steady', newToken }, most);
  it('is the plan where it has no more cells', () => expect(beyond(whole.flows.length).plan?.flows.map(({ flow }) => flow.id)).to.deep.equal(ids(whole)));
  it('is none where it has one more, and says about how many', () => {
    expect(beyond(whole.flows.length - 1)).to.deep.equal({ plan: null, cells: whole.flows.length });
  });
  it('makes no more cells than it takes to know', () => {
    let drawn = 0;
    const counting = (): string => {
      drawn += 1;
      return newToken();
    };
    planWithin({ inventory, discovery, phase: 'steady', newToken: counting }, 10);
    expect(drawn).to.be.greaterThan(10).and.lessThan(whole.flows.length / 2);
  });
});

describe('plan: every cell', () => {
  it('has an id of its own', () => expect(new Set(ids(steady)).size).to.equal(steady.flows.length));
  it('is planned, or counted in a gap with its reason', () => {
    for (const one of [whole, plan({ phase: 'setup' })]) expect(one.flows.length + one.gaps.reduce((sum, { cells }) => sum + cells, 0)).to.equal(one.universe);
    expect(setup.universe).to.equal(steady.universe);
  });
  it('every row has a finding for each of its ports', () => {
    for (const row of rows) for (const port of row.ports) expect(steady.flows.some(({ flow }) => flow.row === row.id && flow.port === port), `${row.id} ${port}`).to.equal(true);
  });
  it('every destination is asked on every port that is listed or watched, and for an echo', () => {
    for (const [from, label] of [['joi', 'mesh vmbr1'], ['joi', 'mesh vmbr1/ll'], ['mesh', 'joi nebula'], ['operator', 'ntp wan'], ['ntp', '1.1.1.1'], ['joi', 'chat.signal.org#2'], ['ntp', 'joi docker0']] as const)
      expect(within(steady.flows, from, label), `${from} -> ${label}`).to.include.members([...everywhere, 'icmp/0']);
  });
  it('nothing but the neighbours of its rows is asked beyond that', () => {
    const beyond = (from: string, label: string): readonly string[] => within(steady.flows, from, label).filter((cell) => !everywhere.includes(cell) && cell !== 'icmp/0');
    expect(beyond('mesh', 'joi nebula')).to.deep.equal(['tcp/8442', 'udp/8443']); // 8444 is joi -> mesh's own port
    expect(beyond('joi', 'ntp vmbr1')).to.deep.equal(['tcp/123', 'udp/122', 'udp/124']);
    expect(beyond('joi', '1.1.1.1')).to.deep.equal(['tcp/52', 'tcp/54', 'tcp/79', 'tcp/81', 'tcp/442', 'tcp/444', 'udp/80']); // udp/53 is a row's, udp/443 is watched
    expect(beyond('gateway', 'joi vmbr1')).to.deep.equal(['udp/22']); // 21 and 23 are watched
    expect(beyond('ntp', 'joi nebula')).to.deep.equal([]);
  });
  for (const host of vantages)
    it(`is there under the same id when ${host} could not be entered`, () => {
      const less = new Set(ids(plan({ discovery: without(host) })));
      expect(ids(whole).filter((id) => !less.has(id))).to.deep.equal([]);
    });
  it('of an address that a resolver of somebody else has is there under the same id, too, when its vantage could not be entered', () => {
    const elsewhere = (one: Discovery): Discovery => ({ ...one, hosts: { ...one.hosts, joi: { ...hosts.joi as Facts, resolvers: ['1.1.1.1'] } } });
    const less = new Set(ids(plan({ discovery: elsewhere(without('ntp')) })));
    expect(ids(plan({ discovery: elsewhere(discovery) })).filter((id) => !less.has(id))).to.deep.equal([]);
  });
  it('neighbour ports are denied and called so', () => {
    for (const id of ['mesh -> joi nebula tcp/8442', 'mesh -> joi nebula udp/8443', 'joi -> ntp vmbr1 tcp/123', 'joi -> ntp vmbr1 udp/122', 'joi -> ntp vmbr1 udp/124'])
      expect(find(id).flow, id).to.include({ expected: 'denied', family: 'neighbour port', row: 'everything else' });
  });
  it('a port at the end of the range has one neighbour', () => {
    const edges = { ...inventory, matrix: { ...inventory.matrix, flows: rows.map((row) => (row.id === 'mesh-joi-api' ? { ...row, ports: [1, 65535] } : row)) } };
    expect(within(plan({ inventory: edges }).flows, 'mesh', 'joi nebula')).to.include.members(['tcp/2', 'tcp/65534']).and.not.include('tcp/0').and.not.include('tcp/65536');
  });
  it('a machine asks itself for its own rows alone', () => expect(steady.flows.filter(({ flow }) => flow.to === flow.from).map(({ flow }) => flow.id)).to.deep.equal(['joi -> joi docker0 tcp/11434']));
  it('the order and the ids are the same each time', () => expect(ids(plan())).to.deep.equal(ids(whole)));
  it('tokens are drawn anew for each probe', () => expect(new Set([...whole.flows.flatMap(({ probe, nearWall, farWall }) => [probe, nearWall, farWall].flatMap((one) => one?.token ?? [])), ...whole.controls.map(({ token }) => token)]).size).to.equal(
    whole.flows.flatMap(({ probe, nearWall, farWall }) => [probe, nearWall, farWall].filter((one) => one !== null)).length + whole.controls.length));
});

describe('plan: the two phases', () => {
  const temp = rows.filter((row) => row.temp === true).map(({ id }) => id);
  it('TEMP rows are denied in steady and allowed in setup', () => {
    expect(temp).to.deep.equal(['joi-any-wan']);
    for (const [one, expected] of [[steady, 'denied'], [setup, 'allowed']] as const)
      for (const { flow } of one.flows.filter(({ flow: { row } }) => temp.includes(row))) expect(flow.expected, flow.id).to.equal(expected);
  });
  it('nothing else differs', () => {
    const rest = ({ flows }: Plan): readonly Flow[] => flows.filter(({ flow }) => !temp.includes(flow.row)).map(({ flow }) => flow);
    expect(rest(setup)).to.deep.equal(rest(steady));
  });
  it('in setup a target is asked on what it is known to serve, the rest of the TEMP row is a gap', () => {
    const cells = (one: Plan): readonly string[] => one.flows.filter(({ flow }) => temp.includes(flow.row)).map(({ flow }) => flow.id);
    expect(cells(setup)).to.include.members(['joi -> chat.signal.org tcp/443', 'joi -> github.com tcp/80', 'joi -> 1.1.1.1 tcp/53']).and.not.include('joi -> github.com tcp/53');
    expect(cells(steady)).to.include.members([...cells(setup)]);
    expect(setup.gaps.find(({ reason }) => reason.startsWith('allowed by joi-any-wan'))?.cells).to.equal(cells(steady).length - cells(setup).length);
    expect(steady.gaps.map(({ reason }) => reason).join()).to.not.include('allowed by');
  });
  it('`any` is every external target and none of our machines', () => {
    const to = new Set(steady.flows.filter(({ flow }) => flow.row === 'joi-any-wan').map(({ flow }) => flow.to));
    expect([...to]).to.have.members([...new Set(steady.flows.filter(({ flow }) => flow.from === 'joi' && !ours(flow)).map(({ flow }) => flow.to))]);
    for (const host of vantages) expect(to.has(host), host).to.equal(false);
    expect(find('joi -> gateway wan tcp/443', setup).flow.expected).to.equal('denied');
  });
});

describe('plan: how a cell is looked at', () => {
  it('nothing of ours is ever sent by a next hop that is not ours', () => {
    const own = new Set(Object.values(hosts).flatMap(({ addresses }) => addresses.map(({ address }) => address)));
    for (const { flow, probe } of steady.flows.filter((planned) => ours(planned.flow) && planned.probe.look.by === 'exchange'))
      if (flow.route?.via !== undefined) expect(own.has(flow.route.via), `${probe.id} via ${flow.route.via}`).to.equal(true);
    expect(find('ntp -> joi nebula tcp/8443').probe.look).to.deep.include({ by: 'facts' }).and.have.nested.property('outcome.seen', 'no path');
    expect(find('ntp -> joi nebula tcp/8443').flow.family).to.equal('no path');
  });
  it('link-local addresses carry the vantage\'s interface, and are routed by it', () => {
    for (const { flow } of steady.flows.filter(({ flow: { family, address } }) => family === 'link-local' && address !== null)) {
      const device = flow.address?.split('%')[1];
      expect((hosts[flow.from]?.addresses ?? []).some((own) => own.interface === device), flow.id).to.equal(true);
      expect(flow.route?.interface, flow.id).to.equal(device);
    }
    expect(exchangeOf('joi -> mesh vmbr1/ll tcp/8444').address).to.equal('fe80::1%eth0');
  });
  it('rows for SSH are looked at by our own login, denied SSH by a handshake', () => {
    expect(find('gateway -> joi vmbr1 tcp/22').probe.look).to.deep.equal({ by: 'login' });
    expect(find('operator -> gateway wan tcp/22').probe.look).to.deep.equal({ by: 'login' });
    expect(exchangeOf('mesh -> joi vmbr1 tcp/22')).to.include({ transport: 'tcp', send: '' });
  });
  it('the timing is that of what is expected', () => {
    expect(exchangeOf('mesh -> joi nebula tcp/8443')).to.include(inventory.site.timing.allowed);
    expect(exchangeOf('mesh -> joi nebula tcp/8442')).to.include(inventory.site.timing.denied);
  });
  it('each question has what its protocol needs', () => {
    const text = (id: string): string => Buffer.from(exchangeOf(id).send, 'hex').toString('latin1');
    expect(text('mesh -> chat.signal.org#2 tcp/443'), 'server name').to.include('chat.signal.org');
    expect(text('mesh -> dns udp/53'), 'question').to.include('\u0004chat\u0006signal\u0003org');
    expect(exchangeOf('mesh -> dhcp udp/67').send, 'own address').to.include('c6336466');
    expect(exchangeOf('mesh -> dhcp udp/67').sourcePort).to.equal(68);
    expect(exchangeOf('joi -> joi docker0 tcp/11434').address).to.equal('127.0.0.1');
  });
});

describe('plan: what must hold for silence to count', () => {
  it('a cell of a machine has that machine\'s connection tracking for its witness, where it can be read', () => {
    expect(find('joi -> ntp vmbr1 tcp/22').witnesses).to.deep.equal(['ntp']);
    expect(find('joi -> ntp vmbr1/ll tcp/22').witnesses).to.deep.equal(['ntp']);
    expect(find('joi -> operator wan tcp/22').witnesses, 'its router').to.deep.equal(['gateway']);
    expect(find('joi -> 1.1.1.1 tcp/443').witnesses, 'its router').to.deep.equal(['gateway']);
    expect(find('mesh -> 1.1.1.1 tcp/443').witnesses).to.deep.equal([]);
    expect(find('joi -> ntp vmbr1 tcp/22', plan({ discovery: { ...discovery, witnesses: ['mesh'] } })).witnesses).to.deep.equal([]);
  });
  it('the same service, allowed from another vantage, shows it alive; the vantage\'s own does not', () => {
    expect(find('gateway -> ntp vmbr1 udp/123').aliveBy).to.deep.equal(['mesh -> ntp vmbr1 udp/123', 'joi -> ntp vmbr1 udp/123']);
    expect(find('mesh -> joi vmbr1 tcp/22').aliveBy).to.deep.equal(['gateway -> joi vmbr1 tcp/22']);
    expect(find('joi -> ntp vmbr1 udp/124').aliveBy).to.deep.equal([]);
  });
  it('the operator has no external cells, but a control for each external one that is denied', () => {
    expect(steady.flows.filter(({ flow }) => flow.from === 'operator' && !ours(flow))).to.deep.equal([]);
    const controls = new Map(steady.controls.map((probe) => [probe.id, probe]));
    expect(controls.size).to.equal(steady.controls.length);
    for (const { flow, aliveBy } of steady.flows.filter((planned) => planned.flow.expected === 'denied' && !ours(planned.flow))) {
      const control = controls.get(aliveBy.at(-1) ?? '');
      expect(control?.vantage, flow.id).to.equal('operator');
      expect(control?.flow, flow.id).to.include({ address: flow.address, transport: flow.transport, port: flow.port });
    }
  });
  it('every control that a cell names is a cell or a control of this plan', () => {
    const known = new Set([...ids(steady), ...steady.controls.map(({ id }) => id)]);
    for (const { flow, aliveBy } of steady.flows) if (flow.expected === 'denied') for (const id of aliveBy) expect(known.has(id), `${flow.id}: ${id}`).to.equal(true);
  });
  it('machines are never controls of themselves', () => expect(steady.controls.filter(({ flow, look }) => machines.includes(flow.to) && look.by !== 'frame')).to.deep.equal([]));
});

describe('plan: listeners', () => {
  const of = (id: string): string | null | undefined => whole.flows.find(({ flow }) => flow.id === id)?.listener;
  it('stand once for each address and port that denied flows lead to', () => {
    expect(of('mesh -> joi vmbr1 tcp/25')).to.equal('listener joi 172.22.22.2 tcp/25');
    expect(of('ntp -> joi vmbr1 tcp/25')).to.equal('listener joi 172.22.22.2 tcp/25');
    expect(new Set(whole.listeners.map(({ id }) => id)).size).to.equal(whole.listeners.length);
  });
  it('never stand where a row allows a flow: they would answer for its service', () => {
    expect(of('ntp -> joi vmbr1 tcp/22')).to.equal(null);
    const served = whole.flows.filter(({ flow }) => flow.expected === 'allowed').map(({ flow }) => `listener ${flow.to} ${flow.address} ${flow.transport}/${flow.port}`);
    expect(whole.listeners.map(({ id }) => id)).to.not.include.members(served.filter((id) => id.includes('172.22.22.')));
    for (const id of served) expect(whole.listeners.map((listener) => listener.id)).to.not.include(id);
  });
  it('stand on the host\'s own interface where the address is link-local', () =>
    expect(whole.listeners.find(({ id }) => id === 'listener joi fe80::2 tcp/25')?.address).to.equal('fe80::2%eth0'));
  it('stand on no host that cannot listen', () => expect(new Set(whole.listeners.map(({ host }) => host))).to.deep.equal(new Set(['mesh', 'joi', 'operator'])));
  it('stand on no host that the inventory keeps free of them', () => {
    const { joi } = inventory.matrix.hosts;
    const quiet = { ...inventory, matrix: { ...inventory.matrix, hosts: { ...inventory.matrix.hosts, joi: { addresses: joi?.addresses ?? {}, listen: false } } } };
    const { listeners } = makePlan({ inventory: quiet, discovery, phase: 'steady', newToken: () => '00'.repeat(16) });
    expect(new Set(listeners.map(({ host }) => host))).to.deep.equal(new Set(['mesh', 'operator']));
  });
});

describe('plan: a machine that claims another one\'s address', () => {
  const claiming = (host: string, own: string): Plan => plan({ discovery: { ...discovery, hosts: { ...hosts, [host]: { ...(hosts[host] as Facts), addresses: [...(hosts[host] as Facts).addresses, held('eth1', own, 32)] } } } });
  const macOf = ({ flows }: Plan, id: string): unknown => {
    const look = flows.find(({ flow }) => flow.id === id)?.farWall?.look;
    return look?.by === 'frame' ? look.frame.mac : null;
  };
  const claims: readonly (readonly [sentence: string, host: string, own: string, id: string])[] = [
    ['gets no frame that is meant for that one', 'joi', '172.22.22.3', 'mesh -> ntp vmbr1 tcp/25'],
    ['gets no frame that goes by that one', 'mesh', '172.22.22.4', 'joi -> ntp wan tcp/25'],
  ];
  for (const [sentence, host, own, id] of claims) it(sentence, () => expect(macOf(claiming(host, own), id)).to.equal(macOf(whole, id)).and.not.equal(null));
});
