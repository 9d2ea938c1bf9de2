// Plan -> what there is to sweep: pairs of a source and an address, and the cell that each port of a pair is. Pure.
import { canonical } from '../address.ts';
import { grouped } from '../grouped.ts';
import type { Discovery, Flow, Inventory, Look, Pair, Plan, PlannedFlow, Probe } from '../model.ts';
import { toPort } from '../packet.ts';
import { protocolFor, protocols } from '../protocols/index.ts';

type Transports = readonly Pair['transport'][];
type Site = Readonly<{ inventory: Inventory; discovery: Pick<Discovery, 'witnesses'> }>;

/**
 * Every source and address between which the plan has cells to ask, for each transport, through the source's own firewall and, where the plan
 * sends frames, past it. UDP is asked on all ports where the far end's connection tracking would tell of a datagram, else on those that somebody names.
 */
export function pairsOf({ flows }: Plan, { inventory, discovery }: Site, transports: Transports): readonly Pair[] {
  const machines = Object.keys(inventory.matrix.hosts);
  const served = Object.values(inventory.site.targets).flatMap(({ serves }) => serves).flatMap((service) => (service.startsWith('udp/') ? [Number(service.slice(4))] : []));
  const fits = ({ flow, probe }: PlannedFlow): boolean =>
    transports.some((one) => one === flow.transport) && probe.look.by === 'exchange' && flow.address !== null && flow.sourcePort === undefined && flow.by === undefined && flow.from !== flow.to && machines.includes(flow.from);
  const placeOf = ({ from, address, transport }: Flow): string => `${from} ${canonical(address ?? '')} ${transport}`;
  const allowed = grouped(flows.filter(({ flow }) => flow.expected === 'allowed'), ({ flow }) => placeOf(flow));
  return [...grouped(flows.filter(fits), ({ flow }) => placeOf(flow)).entries()].flatMap(([place, cells]): Pair[] => {
    const denied = cells.filter(({ flow }) => flow.expected === 'denied');
    const template = templateOf(denied);
    if (template?.probe.look.by !== 'exchange') return [];
    const { id, from, to, transport } = template.flow;
    if (transport !== 'tcp' && transport !== 'udp') return [];
    const own = new Map(denied.map((cell) => [cell.flow.port, cell]));
    const open = (allowed.get(place) ?? []).map(({ flow }) => flow.port);
    const named = transport === 'tcp' || (machines.includes(to) && discovery.witnesses.includes(to)) ? null : [...new Set([...own.keys(), ...served])].filter((port) => !open.includes(port)).toSorted((a, b) => a - b);
    const between = id.replace(/ (tcp|udp)\/\d+$/, '');
    const pair = { from, to, transport, outside: !machines.includes(to), address: template.probe.look.exchange.address, allowed: open, template, own };
    const frame = template.farWall?.look;
    return [
      { ...pair, id: `${between} ${transport}`, named, past: null, counts: true },
      ...(frame?.by === 'frame' && named === null ? [{ ...pair, id: `${between} past ${from}'s own firewall ${transport}`, named, past: frame.frame, counts: inventory.matrix.hosts[from]?.confined === true }] : []),
    ];
  });
}

/** Any denied cell, as each port has its own look; those whose protocol has a port of its own have it in their frames, hence last. */
const templateOf = (denied: readonly PlannedFlow[]): PlannedFlow | undefined => denied.find(({ flow }) => flow.protocol === flow.transport) ?? denied.find(({ flow }) => protocols[flow.protocol].sourcePort === 0) ?? denied[0];

/** What is no pair, since its address could not be found out or no cell says what is denied there: nothing is swept there, and that is no pass. */
export function unknownPairs({ flows }: Plan, { inventory }: Pick<Site, 'inventory'>, transports: Transports): readonly Readonly<{ id: string; from: string; to: string; cause: string }>[] {
  const asked = flows.filter(({ flow, probe }) => transports.some((one) => one === flow.transport) && Object.hasOwn(inventory.matrix.hosts, flow.from) && flow.from !== flow.to && probe.look.by !== 'raw' && flow.sourcePort === undefined && flow.by === undefined);
  return [...grouped(asked, ({ flow }) => `${flow.id.replace(/ (tcp|udp)\/.*$/, '')} ${flow.transport}`)].flatMap(([id, cells]) => {
    const [{ flow: { from, to } }, unknown] = [cells[0] as PlannedFlow, cells.map(({ probe: { look } }) => (look.by === 'facts' && look.outcome.seen === 'unprobed' ? look.outcome.failure.cause : null)).find((cause) => cause !== null)];
    if (unknown !== undefined) return [{ id, from, to, cause: unknown }];
    const isPair = !Object.hasOwn(inventory.matrix.hosts, to) || cells.some(({ flow, probe }) => flow.expected === 'denied' && (probe.look.by === 'exchange' || probe.look.by === 'facts'));
    return isPair ? [] : [{ id, from, to, cause: 'the plan has no denied port there (site.watch, site.without): nothing says what is to be blocked' }];
  });
}

/**
 * A port of a pair, as the plan would have it. What stands behind it is this port's own; outside, where nobody of ours can tell, also that others
 * are alive or silent there, by which nothing may be called proven.
 * @param token fresh, for a port that the plan does not ask itself
 */
export function cellOf(pair: Pair, port: number, token: string): PlannedFlow {
  const { id, template, own, transport, named, outside } = pair;
  const planned = own.get(port);
  const protocol = named === null ? transport : (planned?.flow.protocol ?? protocolFor(transport, port));
  const flow: Flow = { ...template.flow, id: `${id}/${port}`, port, protocol };
  const probe: Probe = { id: flow.id, vantage: flow.from, flow, ...(named !== null && planned !== undefined ? { look: planned.probe.look, token: planned.probe.token } : { look: lookOf(pair, flow, token), token }) };
  return { flow, probe, witnesses: template.witnesses, listener: null, aliveBy: planned?.aliveBy ?? (outside ? [...new Set([...own.values()].flatMap((cell) => cell.aliveBy))] : []), nearWall: null, farWall: null };
}

function lookOf({ template, named, past }: Pair, { port, protocol }: Flow, token: string): Look {
  const { look } = template.probe;
  const frame = template.farWall?.look;
  if (past !== null && frame?.by === 'frame') return { ...frame, frame: { ...frame.frame, packet: toPort(past.packet, port) } };
  if (look.by !== 'exchange') throw new Error(`${template.flow.id} is not asked by an exchange`);
  const { request, sourcePort } = protocols[protocol];
  const send = named === null ? '' : request(token, { serverName: null, question: 'example.com', ownAddress: null });
  return { by: 'exchange', exchange: { ...look.exchange, port, sourcePort: named === null ? 0 : sourcePort, send } };
}

/** The port that packets past the source's own firewall come from; 0 of a pair that goes through it. */
export function framePortOf({ template, past }: Pair): number {
  const frame = template.farWall?.look;
  return past !== null && frame?.by === 'frame' ? frame.sourcePort : 0;
}

/** The machines of ours that see a pair's packets, of those that can be asked. */
export const hostsOf = ({ from, to, template }: Pair, vantages: ReadonlyMap<string, unknown>): readonly string[] => [...new Set([from, to, ...template.witnesses])].filter((host) => vantages.has(host));
