// What must hold before silence on a denied flow means anything: who would have seen it arrive, and what shows that the far
// end is alive and that a frame gets out. Pure.
import { canonical, sameAddress } from '../address.ts';
import { factsOf, interfaceOf, isFailure, operator } from '../facts.ts';
import type { Flow, Listener, PlannedFlow, Probe } from '../model.ts';
import { hostAt, replyPorts, routeOf, timingOf, type Cell, type Drawn, type Input } from './input.ts';
import { exchangeFor } from './looks.ts';
import { frameLook } from './walls.ts';

type Controls = Pick<PlannedFlow, 'witnesses' | 'listener' | 'aliveBy'>;

/** A function from a cell to its controls, and the listeners and probes that these ask for. */
export function controlsFor(input: Drawn, cells: readonly Cell[]): Readonly<{ controls: (cell: Cell) => Controls; listeners: readonly Listener[]; probes: readonly Probe[] }> {
  const listeners = listenersFor(input, cells);
  const alive = new Map<string, Flow[]>();
  for (const { flow } of cells) if (flow.expected === 'allowed' && flow.address !== null) alive.set(placeOf(flow), [...(alive.get(placeOf(flow)) ?? []), flow]);
  const outward = outwardProbes(input, cells);
  const controls = ({ flow }: Cell): Controls => {
    if (flow.expected === 'allowed' || flow.address === null) return { witnesses: witnessesOf(input, flow), listener: null, aliveBy: [] };
    const others = (alive.get(placeOf(flow)) ?? []).filter((other) => other.from !== flow.from).map((other) => other.id);
    // The listener's own string: one for all cells that it stands for.
    const listener = listeners.get(listenerId(flow))?.id ?? null;
    return { witnesses: witnessesOf(input, flow), listener, aliveBy: outward.has(controlId(flow)) ? [...others, controlId(flow)] : others };
  };
  return { controls, listeners: [...listeners.values()], probes: [...outward.values(), ...frameProbes(input, cells)] };
}

const placeOf = (flow: Flow): string => `${canonical(flow.address ?? '')} ${flow.transport}/${flow.port}`;

/** Whose connection tracking would have it: the destination's, a beacon's that holds the address, a router's of ours on the way. */
function witnessesOf(input: Input, { to, address, route, by, family }: Flow): readonly string[] {
  if (address === null || family === 'no path') return [];
  const { discovery, inventory } = input;
  const beacons = Object.keys(discovery.beacons).filter((name) => {
    const facts = factsOf(discovery, name);
    return !isFailure(facts) && interfaceOf(facts, address) !== null;
  });
  const router = by ?? (route?.via === undefined ? null : hostAt(input, route.via));
  const all = [...(to === operator || Object.hasOwn(inventory.matrix.hosts, to) ? [to] : []), ...beacons, ...(router === null ? [] : [router])];
  return [...new Set(all)].filter((host) => discovery.witnesses.includes(host));
}

function listenerId({ to, address, transport, port }: Flow): string {
  return `listener ${to} ${canonical(address ?? '')} ${transport}/${port}`;
}

/** One for each address and port that denied flows lead to, and never where an allowed one does: it would answer for the service. */
function listenersFor({ inventory, discovery }: Input, cells: readonly Cell[]): ReadonlyMap<string, Listener> {
  const served = new Set(cells.filter(({ flow }) => flow.expected === 'allowed').map(({ flow }) => listenerId(flow)));
  const found = new Map<string, Listener>();
  for (const { flow, probe } of cells) {
    const { to: host, address, transport, port } = flow;
    const id = listenerId(flow);
    const facts = factsOf(discovery, host);
    if ((probe.look.by !== 'exchange' && probe.look.by !== 'frame') || flow.expected === 'allowed' || address === null) continue;
    if (transport === 'icmp' || transport === 'ip') continue;
    // From these the host looks itself, and a listener there would take the port from it.
    if (discovery.privileged.includes(host) && replyPorts.some(([kind, number]) => kind === transport && number === port)) continue;
    if (!discovery.listeners.includes(host) || inventory.matrix.hosts[host]?.listen === false || served.has(id) || found.has(id) || isFailure(facts)) continue;
    const device = address.includes('%') ? `%${interfaceOf(facts, address)}` : '';
    found.set(id, { id, host, transport, address: `${canonical(address)}${device}`, port });
  }
  return found;
}

/** The operator's look at the same external address and port: `operator => 1.1.1.1 tcp/443`. */
function controlId(flow: Flow): string {
  return `operator => ${flow.address ?? flow.to} ${flow.transport}/${flow.transport === 'icmp' ? 'echo' : flow.port}`;
}

/** Whether it is alive for somebody else there, or sends no RST at least. */
function outwardProbes(input: Input, cells: readonly Cell[]): ReadonlyMap<string, Probe> {
  const facts = factsOf(input.discovery, operator);
  const found = new Map<string, Probe>();
  if (isFailure(facts)) return found;
  const ours = new Set([...Object.keys(input.inventory.matrix.hosts), operator]);
  for (const { flow: cell } of cells) {
    const id = controlId(cell);
    const { address } = cell;
    if (ours.has(cell.to) || cell.expected === 'allowed' || address === null || cell.transport === 'ip' || cell.by !== undefined || found.has(id)) continue;
    const { sourcePort: _any, ...plain } = cell;
    const flow: Flow = { ...plain, id, from: operator, expected: 'allowed', row: 'control', route: routeOf(facts, address) };
    const token = input.newToken();
    // As often as the cells that it speaks for: most of these are silent on a real site.
    const exchange = { ...exchangeFor(input, flow, address, null, token, facts), ...timingOf(input.inventory, 'denied') };
    found.set(id, { id, vantage: operator, flow, token, look: { by: 'exchange', exchange } });
  }
  return found;
}

/** A frame on each allowed flow of a vantage that sends frames: what answers shows that they get out on that interface. */
function frameProbes(input: Drawn, cells: readonly Cell[]): readonly Probe[] {
  return cells.flatMap(({ flow: cell, probe }) => {
    if (cell.expected === 'denied' || cell.address === null || probe.look.by !== 'exchange' || !input.discovery.raw.includes(cell.from) || sameAddress(cell.address, '127.0.0.1')) return [];
    const token = input.newToken();
    const id = `${cell.from} => frame to ${cell.id.replace(`${cell.from} -> `, '')}`;
    const flow: Flow = { ...cell, id, row: 'control' };
    const look = frameLook(input, flow, cell.route?.via ?? cell.address, token);
    return look === null ? [] : [{ id, vantage: cell.from, flow, token, look }];
  });
}
