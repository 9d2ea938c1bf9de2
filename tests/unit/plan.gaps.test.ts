// The plan where hosts could not be entered, names not resolved, and rows overlap: no cell vanishes, none stands twice.
import { expect } from 'chai';
import type { Discovery, Facts, Inventory, Plan, Row } from '../../lib/model.ts';
import { discovery, failure, hosts, inventory, plan, vantages, without } from '../fixtures/site.ts';

const steady = plan();
const ids = ({ flows }: Plan): readonly string[] => flows.map(({ flow }) => flow.id);
const twice = (one: Plan): readonly string[] => {
  const met = new Set<string>();
  return ids(one).filter((id) => met.has(id) || !met.add(id));
};
const machineIds = ({ flows }: Plan): readonly string[] => flows.filter(({ flow }) => vantages.includes(flow.to)).map(({ flow }) => flow.id);
const named = ({ flows }: Plan): readonly string[] => flows.filter(({ flow }) => /\.(org|com)|^\d/.test(flow.to)).map(({ flow }) => flow.id);

function withRows(...more: readonly (Partial<Row> & Pick<Row, 'id'>)[]): Inventory {
  const first = inventory.matrix.flows[0] as Row;
  return { ...inventory, matrix: { ...inventory.matrix, flows: [...inventory.matrix.flows, ...more.map((row) => ({ ...first, ...row }))] } };
}

function resolvers(of: Readonly<Record<string, readonly string[]>>): Discovery {
  return { ...discovery, hosts: Object.fromEntries(Object.entries(hosts).map(([name, facts]) => [name, { ...facts, resolvers: of[name] ?? facts.resolvers }])) };
}

describe('plan: hosts that could not be entered', () => {
  for (const host of vantages)
    it(`no cell of ${host} is looked at, but by our login, and none vanishes`, () => {
      const one = plan({ discovery: without(host) });
      const own = one.flows.filter(({ flow }) => flow.from === host);
      for (const { flow, probe } of own) expect(probe.look, flow.id).to.deep.equal(flow.protocol === 'ssh' ? { by: 'login' } : { by: 'facts', outcome: { seen: 'unprobed', failure } });
      expect(machineIds(one)).to.include.members(machineIds(steady)); // and those that its prober, had it started, could not have looked at
      expect(named(one)).to.include.members(named(steady));
      expect(twice(one)).to.deep.equal([]);
    });

  // All 32 of them, rather than some drawn by chance.
  const subsets = Array.from({ length: 2 ** vantages.length }, (_none, bits) => vantages.filter((_vantage, index) => (bits >> index) % 2 === 1));
  const plans = new Map<readonly string[], Plan>();
  before(() => {
    for (const [index, failed] of subsets.entries()) plans.set(failed, plan({ discovery: without(...failed), phase: index % 3 === 0 ? 'setup' : 'steady' }));
  });
  const each = (law: (one: Plan, failed: readonly string[]) => void): void => plans.forEach(law);

  it('whichever they are, ids are unique', () => each((one, failed) => expect(twice(one), failed.join()).to.deep.equal([])));
  it('whichever they are, the sums agree', () => each((one) => expect(one.flows.length + one.gaps.reduce((sum, { cells }) => sum + cells, 0)).to.equal(one.universe)));
  it('whichever they are, no cell of a machine vanishes', () => each((one, failed) => {
    const kept = new Set(machineIds(one));
    expect(machineIds(steady).filter((id) => !kept.has(id)), failed.join()).to.deep.equal([]);
  }));
  it('whichever they are, every row ends in a finding', () => each((one, failed) => {
    const met = new Set(one.flows.map(({ flow }) => `${flow.row} ${flow.port}`));
    expect(inventory.matrix.flows.flatMap((row) => row.ports.map((port) => `${row.id} ${port}`)).filter((cell) => !met.has(cell)), failed.join()).to.deep.equal([]);
  }));
  it('whichever they are, nothing is sent from them', () => each((one, failed) => {
    const probes = [...one.flows.map(({ probe }) => probe), ...one.controls];
    expect(probes.filter(({ vantage, look }) => look.by === 'exchange' && failed.includes(vantage)).length, failed.join()).to.equal(0);
  }));
  it('whichever they are, they are no witnesses', () => each((one, failed) => expect(one.flows.filter(({ witnesses }) => witnesses.some((host) => failed.includes(host))).length, failed.join()).to.equal(0)));
  it('an address that only they can tell is not looked at, never called absent', () => {
    const one = plan({ discovery: without('ntp') });
    for (const { flow, probe } of one.flows.filter(({ flow: { from, to, network } }) => from === 'mesh' && to === 'ntp' && network === 'wan'))
      expect(probe.look, flow.id).to.deep.equal({ by: 'facts', outcome: { seen: 'unprobed', failure } });
  });
});

describe('plan: a target that comes to nothing', () => {
  const findings = (one: Plan, row: string): readonly unknown[] => one.flows.filter(({ flow }) => flow.row === row).map(({ flow, probe }) => ({ id: flow.id, look: probe.look.by === 'facts' ? probe.look.outcome.seen : probe.look.by }));

  it('a row whose vantage names no resolver ends in one finding, not looked at', () =>
    expect(findings(plan({ discovery: resolvers({ mesh: [], ntp: [] }) }), 'mesh-dns')).to.deep.equal([{ id: 'mesh -> dns udp/53', look: 'unprobed' }]));
  it('also where another vantage names one', () => {
    const one = plan({ discovery: resolvers({ mesh: [] }) });
    expect(findings(one, 'mesh-dns')).to.have.length(1).and.have.nested.property('[0].look', 'unprobed');
    expect(twice(one)).to.deep.equal([]);
  });
  it('a row whose names do not resolve ends in a finding a name', () => {
    const cause = { operation: 'resolve' as const, cause: 'nobody knows' };
    const one = plan({ discovery: { ...discovery, names: { ...discovery.names, 'chat.signal.org': cause, 'storage.signal.org': cause } } });
    expect(findings(one, 'mesh-signal')).to.deep.equal([{ id: 'mesh -> chat.signal.org tcp/443', look: 'unprobed' }, { id: 'mesh -> storage.signal.org tcp/443', look: 'unprobed' }]);
  });
  it('a TEMP row that has ended is denied there too', () => {
    const one = plan({ inventory: withRows({ id: 'joi-dns', from: 'joi', to: 'dns', network: 'wan', transport: 'udp', ports: [53], speaks: 'dns', temp: true }) });
    expect(one.flows.filter(({ flow }) => flow.row === 'joi-dns').map(({ flow }) => flow.expected)).to.deep.equal(['denied']);
  });
});

describe('plan: what overlaps', () => {
  it('an address that is resolver and canary is one cell a port, by the name its row uses', () => {
    const one = plan({ discovery: resolvers({ mesh: ['1.1.1.1'], ntp: ['1.1.1.1'], gateway: ['1.1.1.1'], operator: ['1.1.1.1'] }) });
    const cells = one.flows.filter(({ flow }) => flow.from === 'mesh' && flow.address === '1.1.1.1' && !['source port', 'ip protocol', 'another way'].includes(flow.family)).map(({ flow }) => `${flow.transport}/${flow.port}`);
    expect(new Set(cells).size).to.equal(cells.length);
    expect(one.flows.filter(({ flow }) => flow.from === 'mesh' && flow.address === '1.1.1.1' && flow.port === 53 && flow.sourcePort === undefined && flow.by === undefined).map(({ flow }) => [flow.id, flow.expected])).to.deep.equal([
      ['mesh -> 1.1.1.1 tcp/53', 'denied'], ['mesh -> dns udp/53', 'allowed'],
    ]);
    expect(twice(one)).to.deep.equal([]);
  });
  const early = withRows({ id: 'early', from: 'joi', to: 'ntp', network: 'vmbr1', transport: 'udp', ports: [123], speaks: 'ntp', temp: true });
  const first = { ...early, matrix: { ...early.matrix, flows: [...early.matrix.flows.slice(-1), ...early.matrix.flows.slice(0, -1)] } };
  it('a lasting row outranks a TEMP one of the same cell, wherever it stands', () => {
    for (const one of [plan({ inventory: early }), plan({ inventory: first })]) expect(one.flows.find(({ flow }) => flow.id === 'joi -> ntp vmbr1 udp/123')?.flow).to.include({ row: 'joi-ntp', expected: 'allowed' });
  });
  it('the TEMP row that it outranks has no finding of its own', () => expect(ids(plan({ inventory: early }))).to.deep.equal(ids(steady)));
  it('two rows of one cell are one cell, and no finding says that it could not be looked at', () => {
    const one = plan({ inventory: withRows({ id: 'mesh-joi-api-again', from: 'mesh', to: 'joi', network: 'nebula', transport: 'tcp', ports: [8443], speaks: 'tls' }) });
    expect(ids(one)).to.deep.equal(ids(steady));
  });
  it('two rows of a host to itself are two cells', () => {
    const one = plan({ inventory: withRows({ id: 'joi-self', from: 'joi', to: 'joi', network: 'docker0', transport: 'tcp', ports: [8080], speaks: 'tcp', address: '127.0.0.1' }) });
    expect(one.flows.filter(({ flow }) => flow.to === flow.from).map(({ flow }) => flow.id)).to.deep.equal(['joi -> joi docker0 tcp/11434', 'joi -> joi docker0 tcp/8080']);
  });
  it('a facts-less machine that a row needs is not mistaken for one without addresses', () => {
    const bare: Facts = { kernel: '', addresses: [], routes: [], resolvers: [], links: [], neighbours: [] };
    const one = plan({ discovery: { ...discovery, hosts: { ...hosts, ntp: bare } } });
    expect(one.flows.filter(({ flow, probe }) => flow.to === 'ntp' && probe.look.by === 'facts' && probe.look.outcome.seen === 'absent').map(({ flow }) => flow.id)).to.deep.equal([]);
  });
});
