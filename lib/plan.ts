// Inventory -> Plan: every cell, how it is looked at, and what must hold for its silence to mean anything. Pure, stable order.
import { externalDestinations, factsOf, isFailure, machineDestinations, operator, type Destination } from './destinations.ts';
import { canonical } from './address.ts';
import { interfaceOf, routeTo, sourceAddress } from './facts.ts';
import type { Discovery, Facts, Failure, Family, Flow, Gap, Inventory, Listener, Look, Outcome, Phase, Plan, PlannedFlow, Probe, Row, Transport } from './model.ts';
import { protocolFor, protocols } from './protocols/index.ts';

type Cell = Readonly<{ transport: Transport; port: number; nextToRow: boolean }>;
type Input = Readonly<{ inventory: Inventory; discovery: Discovery; phase: Phase; newToken: () => string }>;

/**
 * Every cell of the matrix and of everything else.
 * @param newToken fresh random bytes, 32 hex digits, each time it is called: the plan draws none itself
 * @returns flows in the order vantage, destination, port; `flows.length` and the gaps add up to `universe`
 */
export function makePlan(input: Input): Plan {
  const { inventory, discovery, phase } = input;
  const gaps = new Map<string, { cells: number; example: string }>();
  const flows: PlannedFlow[] = [];
  for (const vantage of [...Object.keys(inventory.matrix.hosts), operator]) {
    const covered = new Set<string>();
    for (const destination of destinationsOf(input, vantage)) {
      for (const cell of cellsOf(inventory, vantage, destination)) {
        const rows = rowsFor(inventory, vantage, destination, cell);
        for (const row of rows) covered.add(coverKey(row, cell.port));
        const flow = makeFlow(input, vantage, destination, cell);
        const gap = gapReason(flow, destination, phase, rows[0]);
        if (gap === null) flows.push(planFlow(input, flow, destination));
        else gaps.set(gap, { cells: (gaps.get(gap)?.cells ?? 0) + 1, example: gaps.get(gap)?.example ?? flow.id });
      }
    }
    flows.push(...rowsWithoutCell(input, vantage, covered));
  }
  const listeners = listenersFor(input, flows);
  const missing: Gap[] = [...gaps].map(([reason, { cells, example }]) => ({ reason, cells, example }));
  return {
    phase,
    flows: withControls(flows).map((planned) => ({ ...planned, listener: listeners.has(listenerId(planned.flow)) && planned.flow.expected === 'denied' ? listenerId(planned.flow) : null })),
    listeners: [...listeners.values()],
    controls: isFailure(factsOf(discovery, operator)) ? [] : controlProbes(input, flows),
    universe: flows.length + missing.reduce((sum, { cells }) => sum + cells, 0),
    gaps: missing,
  };
}

function destinationsOf({ inventory, discovery }: Input, vantage: string): readonly Destination[] {
  // The operator's looks outward are controls, never cells: nobody asks whether the operator may use the internet.
  const external = vantage === operator ? [] : externalDestinations(inventory, discovery, vantage);
  return [...machineDestinations(inventory, discovery, vantage), ...localDestinations(inventory, vantage), ...external];
}

/** A row from a machine to itself (joi's Ollama on localhost) names the address to use. */
function localDestinations(inventory: Inventory, vantage: string): readonly Destination[] {
  const own = inventory.matrix.flows.filter((row) => row.from === vantage && row.to === vantage && row.address !== undefined);
  return own
    .filter((row, index) => own.findIndex((other) => other.network === row.network && other.address === row.address) === index)
    .map((row) => ({
      label: `${vantage} ${row.network}`, to: vantage, network: row.network, kind: 'machine', address: row.address ?? '',
      way: 'send', targets: {}, serves: [], serverName: null,
    }));
}

/** Ports of a destination: what any row lists, the watch list, the neighbours of the rows between these two, ICMP echo. */
function cellsOf(inventory: Inventory, vantage: string, destination: Destination): readonly Cell[] {
  const rows = inventory.matrix.flows;
  const own = rows.filter((row) => row.from === vantage && leadsTo(row, destination));
  if (destination.to === vantage) return own.flatMap((row) => row.ports.map((port) => ({ transport: row.transport, port, nextToRow: false })));
  const cells = (['tcp', 'udp'] as const).flatMap((transport): Cell[] => {
    const listed = new Set([...rows.filter((row) => row.transport === transport).flatMap((row) => row.ports), ...inventory.site.watch[transport]]);
    const beside = own.filter((row) => row.transport === transport).flatMap((row) => row.ports.flatMap((port) => [port - 1, port + 1]));
    const extra = [...new Set(beside)].filter((port) => port >= 1 && port <= 65535 && !listed.has(port));
    return [...listed, ...extra].toSorted((a, b) => a - b).map((port) => ({ transport, port, nextToRow: extra.includes(port) }));
  });
  return [...cells, { transport: 'icmp', port: 0, nextToRow: false }];
}

function leadsTo(row: Row, { kind, to, network, targets }: Destination): boolean {
  if (kind === 'external') return row.to === 'any' || Object.hasOwn(targets, row.to);
  return kind === 'machine' && row.to === to && row.network === network;
}

/** The rows that cover a cell, a lasting one before a temporary one: the first decides. */
function rowsFor(inventory: Inventory, vantage: string, destination: Destination, { transport, port }: Cell): readonly Row[] {
  return inventory.matrix.flows
    .filter((row) => row.from === vantage && row.transport === transport && row.ports.includes(port) && leadsTo(row, destination))
    .toSorted((a, b) => Number(a.temp === true) - Number(b.temp === true));
}

const coverKey = (row: Row, port: number): string => `${row.id} ${port}`;

function makeFlow({ inventory, discovery, phase }: Input, vantage: string, destination: Destination, cell: Cell): Flow {
  const [row] = rowsFor(inventory, vantage, destination, cell);
  const allowed = row !== undefined && (row.temp !== true || phase === 'setup');
  const { transport, port } = cell;
  // An address may be resolver and DHCP server at once: a row's cell goes by the name that the row uses.
  const label = (row === undefined ? undefined : destination.targets[row.to]) ?? destination.label;
  const address = typeof destination.address === 'string' ? destination.address : null;
  const facts = factsOf(discovery, vantage);
  return {
    id: `${vantage} -> ${label} ${transport}/${transport === 'icmp' ? 'echo' : port}`,
    family: familyOf(vantage, destination, cell, row),
    from: vantage,
    to: destination.kind === 'external' ? label : destination.to,
    network: destination.network,
    address,
    transport,
    port,
    protocol: allowed ? row.speaks : protocolFor(transport, port),
    expected: allowed ? 'allowed' : 'denied',
    row: row?.id ?? 'everything else',
    route: isFailure(facts) || address === null ? null : routeOf(facts, address),
  };
}

/** A scoped link-local address names its interface itself. */
function routeOf(facts: Facts, address: string): Flow['route'] {
  const [bare = address, device] = address.split('%');
  return device === undefined ? routeTo(facts, bare) : { destination: 'fe80::/64', kind: 'unicast', interface: device };
}

function familyOf(vantage: string, { way, kind }: Destination, { transport, nextToRow }: Cell, row: Row | undefined): Family {
  if (row !== undefined) return 'row';
  if (way !== 'send' && 'noPath' in way) return 'no path';
  if (transport === 'icmp') return 'icmp';
  if (nextToRow) return 'neighbour port';
  if (kind === 'machine') return vantage === operator ? 'outside' : 'machine';
  return kind;
}

/** Why a cell of the universe is not probed; null: it is. */
function gapReason(flow: Flow, destination: Destination, phase: Phase, row: Row | undefined): string | null {
  const open = row?.to === 'any' && (row.temp !== true || phase === 'setup');
  return open && !destination.serves.includes(`${flow.transport}/${flow.port}`)
    ? `allowed by ${row.id}, but the target is not known to serve that port: neither an answer nor silence would be wrong`
    : null;
}

function planFlow(input: Input, flow: Flow, destination: Destination): PlannedFlow {
  const token = input.newToken();
  const probe: Probe = { id: flow.id, vantage: flow.from, flow, look: lookAt(input, flow, destination, token), token };
  const witness = destination.kind !== 'external' && input.discovery.witnesses.includes(flow.to) ? flow.to : null;
  return { flow, probe, witness, listener: null, aliveBy: destination.kind === 'external' ? [controlId(flow)] : [] };
}

function lookAt(input: Input, flow: Flow, destination: Destination, token: string): Look {
  const facts = factsOf(input.discovery, flow.from);
  // Our own login tells even where the vantage could not be opened: what stopped it is what the flow saw.
  if (flow.protocol === 'ssh' && flow.expected === 'allowed') return { by: 'login' };
  if (isFailure(facts)) return settled({ seen: 'unprobed', failure: facts });
  const { way } = destination;
  if (way !== 'send') return settled('noPath' in way ? { seen: 'no path', detail: way.noPath } : { seen: 'unprobed', failure: way.unknown });
  if (typeof destination.address !== 'string')
    return settled('absent' in destination.address ? { seen: 'absent', detail: destination.address.absent } : { seen: 'unprobed', failure: destination.address.unknown });
  return { by: 'exchange', exchange: exchangeFor(input, flow, destination.address, destination.serverName, token, facts) };
}

function settled(outcome: Outcome): Look {
  return { by: 'facts', outcome };
}

function exchangeFor({ inventory }: Input, flow: Flow, address: string, serverName: string | null, token: string, facts: Facts): Extract<Look, { by: 'exchange' }>['exchange'] {
  const module = protocols[flow.protocol];
  const question = Object.values(inventory.site.targets).find((target) => target.names !== undefined)?.names?.[0] ?? 'example.com';
  return {
    ...inventory.site.timing[flow.expected],
    transport: flow.transport,
    address,
    port: flow.port,
    sourcePort: module.sourcePort,
    send: module.request(token, { serverName, question, ownAddress: sourceAddress(facts, address) }),
  };
}

/** A row must end in a finding even where its target came to nothing (no resolver named, no router known). */
function rowsWithoutCell({ inventory, discovery, phase, newToken }: Input, vantage: string, covered: ReadonlySet<string>): readonly PlannedFlow[] {
  const facts = factsOf(discovery, vantage);
  return inventory.matrix.flows.filter((row) => row.from === vantage).flatMap((row) =>
    row.ports.filter((port) => row.to !== 'any' && !covered.has(coverKey(row, port))).map((port): PlannedFlow => {
      const failure: Failure = isFailure(facts) ? facts : { operation: 'resolve', cause: `${vantage} names no address for ${row.to}` };
      const flow: Flow = {
        id: `${vantage} -> ${row.to} ${row.transport}/${port}`, family: 'row', from: vantage, to: row.to, network: row.network, address: null,
        transport: row.transport, port, protocol: row.speaks,
        expected: row.temp !== true || phase === 'setup' ? 'allowed' : 'denied', row: row.id, route: null,
      };
      return { flow, probe: { id: flow.id, vantage, flow, look: settled({ seen: 'unprobed', failure }), token: newToken() }, witness: null, listener: null, aliveBy: [] };
    }),
  );
}

function listenerId({ to, address, transport, port }: Flow): string {
  return `listener ${to} ${canonical(address ?? '')} ${transport}/${port}`;
}

/** One for each address and port that denied flows lead to, and never where an allowed one does: it would answer for the service. */
function listenersFor({ inventory, discovery }: Input, flows: readonly PlannedFlow[]): ReadonlyMap<string, Listener> {
  const served = new Set(flows.filter(({ flow }) => flow.expected === 'allowed').map(({ flow }) => listenerId(flow)));
  const found = new Map<string, Listener>();
  for (const { flow, probe } of flows) {
    const { to: host, address, transport, port } = flow;
    const id = listenerId(flow);
    const facts = factsOf(discovery, host);
    if (probe.look.by !== 'exchange' || flow.expected === 'allowed' || transport === 'icmp' || address === null) continue;
    if (!discovery.listeners.includes(host) || inventory.matrix.hosts[host]?.listen === false || served.has(id) || found.has(id) || isFailure(facts)) continue;
    const device = address.includes('%') ? `%${interfaceOf(facts, address)}` : '';
    found.set(id, { id, host, transport, address: `${canonical(address)}${device}`, port });
  }
  return found;
}

/** Between our machines the same address and port may be alive by another vantage's row. */
function withControls(flows: readonly PlannedFlow[]): readonly PlannedFlow[] {
  const key = (flow: Flow): string => `${flow.address} ${flow.transport}/${flow.port}`;
  const allowed = new Map<string, Flow[]>();
  for (const { flow } of flows) if (flow.expected === 'allowed' && flow.address !== null) allowed.set(key(flow), [...(allowed.get(key(flow)) ?? []), flow]);
  return flows.map((planned) => {
    const { flow, aliveBy } = planned;
    if (flow.expected === 'allowed' || flow.address === null) return planned;
    const others = (allowed.get(key(flow)) ?? []).filter((other) => other.from !== flow.from).map((other) => other.id);
    return { ...planned, aliveBy: [...others, ...aliveBy] };
  });
}

/** The operator's look at the same external address and port: `operator => 1.1.1.1 tcp/443`. */
function controlId(flow: Flow): string {
  return `operator => ${flow.address ?? flow.to} ${flow.transport}/${flow.transport === 'icmp' ? 'echo' : flow.port}`;
}

function controlProbes(input: Input, flows: readonly PlannedFlow[]): readonly Probe[] {
  const facts = factsOf(input.discovery, operator);
  if (isFailure(facts)) return [];
  const external = flows.filter(({ flow, aliveBy }) => flow.expected === 'denied' && flow.address !== null && aliveBy.includes(controlId(flow)));
  const once = new Map(external.map(({ flow }) => [controlId(flow), flow]));
  return [...once].map(([id, cell]) => {
    const address = cell.address ?? '';
    const flow: Flow = { ...cell, id, from: operator, expected: 'allowed', row: 'control', route: routeOf(facts, address) };
    const token = input.newToken();
    return { id, vantage: operator, flow, token, look: { by: 'exchange', exchange: exchangeFor(input, flow, address, null, token, facts) } };
  });
}

