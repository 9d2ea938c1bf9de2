// The other ways in and out: source ports that careless rules take for replies, neighbours that might forward, IP protocols
// without ports, connections that outlive their row. Each is a family of cells; all of them are denied. Pure.
import { within } from '../address.ts';
import { factsOf, isFailure, operator, sourceAddress } from '../facts.ts';
import type { Facts, Failure, Flow, Look, Transport } from '../model.ts';
import { firstPacketOf, ipProtocols } from '../packet.ts';
import { protocolFor, protocols } from '../protocols/index.ts';
import type { Untested } from './cells.ts';
import { addressOn, networksOf } from './destinations.ts';
import { hostAt, highPort, replyPorts, routeOf, settled, timingOf, type Cell, type Drawn, type Input } from './input.ts';
import { exchangeFor } from './looks.ts';
import { peersOf, type Peer } from './peers.ts';
import { frameLook } from './walls.ts';

const otherProtocols = [ipProtocols.ipip, ipProtocols.ipv6, ipProtocols.gre, ipProtocols.sctp];

type Family = Readonly<{ cells: readonly Cell[]; gaps: readonly Untested[] }>;

/** The cells of one vantage beyond those that the matrix spans, and what is not asked of it. `allowed`: what its rows allow. */
export function otherCells(input: Drawn, vantage: string, allowed: readonly Flow[]): Family {
  const { privileged, raw } = input.discovery;
  // A host that could not be entered keeps its cells; one that was, and has no root, cannot have them looked at.
  const entered = !isFailure(factsOf(input.discovery, vantage));
  const needing = (what: string, able: readonly string[], family: Family): Family =>
    entered && !able.includes(vantage) ? { cells: [], gaps: [...family.gaps, ...untested(family.cells, `${vantage}'s prober cannot look: ${what}`)] } : family;
  const families = [
    needing('source ports below 1024 need root', privileged, sourcePortCells(input, vantage, allowed)),
    ...(vantage === operator ? [] : [
      needing('raw packets need python3 and root', raw, protocolCells(input, vantage)),
      needing('frames need python3 and root', raw, { cells: otherWayCells(input, vantage), gaps: [] }),
    ]),
    { cells: confinedSessions(input, vantage), gaps: [] },
  ];
  return { cells: families.flatMap(({ cells }) => cells), gaps: families.flatMap(({ gaps }) => gaps) };
}

const untested = (cells: readonly Cell[], reason: string): readonly Untested[] => cells.map(({ flow }) => ({ id: flow.id, reason }));

type Asked = Readonly<{ family: Flow['family']; transport: Transport; port: number; suffix: string; sourcePort?: number; by?: string }>;

/** A denied cell; what is not known of its ends, it says instead of looking. `nextHop`: where it does not go by the source's own route. */
function cellOf(input: Drawn, vantage: string, peer: Peer, { suffix, ...asked }: Asked, look: (flow: Flow, address: string, token: string, facts: Facts) => Look, nextHop?: string): Cell {
  const facts = factsOf(input.discovery, vantage);
  const address = typeof peer.address === 'string' ? peer.address : null;
  const flow: Flow = {
    id: `${vantage} -> ${peer.label} ${asked.transport}/${suffix}`, from: vantage, to: peer.to, network: peer.network, address,
    protocol: protocolFor(asked.transport, asked.port), expected: 'denied', row: 'everything else',
    route: isFailure(facts) || address === null ? null : routeOf(facts, nextHop ?? address), ...asked,
  };
  if (input.unwanted.has(flow.family)) return { flow, probe: { id: flow.id, vantage, flow, token: '', look: unmade } };
  const token = input.newToken();
  const failure = isFailure(facts) ? facts : typeof peer.address === 'string' ? null : peer.address;
  const how = failure !== null || address === null || isFailure(facts) ? settled({ seen: 'unprobed', failure: failure ?? unknown(peer.label) }) : look(flow, address, token, facts);
  return { flow, probe: { id: flow.id, vantage, flow, token, look: how } };
}

/** Of a cell that is counted alone. */
const unmade: Look = settled({ seen: 'unprobed', failure: { operation: 'facts', cause: 'not wanted' } });

const unknown = (what: string): Failure => ({ operation: 'facts', cause: `the address of ${what} is not known` });

/** To a fresh high port and to the port's own namesake; and to what a row allows from a port of its own alone (DHCP's clients), from another. */
function sourcePortCells(input: Drawn, vantage: string, allowed: readonly Flow[]): Family {
  const isRow = ({ flow }: Cell): boolean => flow.address !== null && allowed.some((row) => row.address === flow.address && row.transport === flow.transport && row.port === flow.port);
  const look = (flow: Flow, address: string, token: string, facts: Facts): Look => ({ by: 'exchange', exchange: exchangeFor(input, flow, address, null, token, facts) });
  const all = peersOf(input, vantage).flatMap((peer) => {
    const high = highPort(input.newToken());
    return replyPorts.flatMap(([transport, sourcePort]) => [high, sourcePort].map((port): Cell =>
      cellOf(input, vantage, peer, { family: 'source port', transport, port, sourcePort, suffix: `${port === high ? 'high' : port} from ${sourcePort}` }, look)));
  });
  const others = allowed.flatMap(({ id, to, network, address, transport, port, protocol }): readonly Cell[] => {
    if (protocols[protocol].sourcePort === 0) return [];
    const label = id.slice(id.indexOf('-> ') + 3, id.lastIndexOf(' '));
    const peer = { to, network, address: address ?? unknown(label), label, external: false };
    return [cellOf(input, vantage, peer, { family: 'source port', transport, port, sourcePort: highPort(input.newToken()), suffix: `${port} from high` }, look)];
  });
  const isMirrored = ({ flow }: Cell): boolean => flow.port === flow.sourcePort && !asksFirst(input, vantage, flow.to);
  return {
    cells: [...all.filter((cell) => !isRow(cell) && !isMirrored(cell)), ...others],
    gaps: [
      ...untested(all.filter(isRow), 'a row allows it from any source port'),
      ...untested(all.filter((cell) => isMirrored(cell) && !isRow(cell)), oneDirection),
    ],
  };
}

/** Of two machines the confined one, else the first by name; the operator last. Everybody else is asked by all. */
function asksFirst({ inventory }: Input, vantage: string, to: string): boolean {
  const { hosts } = inventory.matrix;
  const rank = (host: string): string => `${hosts[host]?.confined === true ? 0 : host === operator ? 2 : 1} ${host}`;
  return !(to === operator || Object.hasOwn(hosts, to)) || rank(vantage) < rank(to);
}

function protocolCells(input: Drawn, vantage: string): Family {
  const all = peersOf(input, vantage).flatMap((peer) => otherProtocols.map((port): Cell =>
    cellOf(input, vantage, peer, { family: 'ip protocol', transport: 'ip', port, suffix: String(port) }, (_flow, address, token, facts) => {
      const source = sourceAddress(facts, address);
      if (source === null) return settled({ seen: 'unprobed', failure: unknown(`${vantage} itself, towards ${peer.label},`) });
      const payload = firstPacketOf({ source, destination: address }, port, token);
      return { by: 'raw', sourcePort: 0, raw: { ...timingOf(input.inventory, 'denied'), address, ipProtocol: port, payload } };
    })));
  const isMirrored = ({ flow }: Cell): boolean => !asksFirst(input, vantage, flow.to);
  return { cells: all.filter((cell) => !isMirrored(cell)), gaps: untested(all.filter(isMirrored), oneDirection) };
}

const oneDirection = 'asked in the other direction alone: with nothing to tell them apart, each would be taken for the answer to the other, and open its way';

/** Frames for what is off the link, to each neighbour that is not its router: HTTPS, DNS and an echo request. */
function otherWayCells(input: Drawn, vantage: string): readonly Cell[] {
  const { networks, hosts } = input.inventory.matrix;
  const facts = factsOf(input.discovery, vantage);
  const goals = [...peersOf(input, vantage).filter((peer) => peer.external), ...offLink(input, vantage)];
  const neighbours = Object.entries(hosts).flatMap(([host, { addresses }]) => Object.entries(addresses).flatMap(([network, nextHop]) => {
    const shared = networks[network]?.kind === 'link' && hosts[vantage]?.addresses[network] !== undefined;
    return host !== vantage && shared ? [{ host, nextHop, range: networks[network]?.cidr ?? '' }] : [];
  }));
  return neighbours.flatMap(({ host, nextHop, range }) => goals
    .filter(({ address }) => typeof address !== 'string' || (!within(address, range) && (isFailure(facts) || routeOf(facts, address)?.via !== nextHop)))
    .flatMap((peer) => otherWays.map(([transport, port]): Cell =>
      cellOf(input, vantage, peer, { family: 'another way', transport, port, by: host, suffix: `${transport === 'icmp' ? 'echo' : port} by ${host}` },
        (flow, _address, token) => frameLook(input, flow, nextHop, token) ?? settled({ seen: 'unprobed', failure: unknown(`${host}'s Ethernet interface`) }), nextHop))));
}

const otherWays = [['tcp', 443], ['udp', 53], ['icmp', 0]] as const;

/** Addresses of ours on networks that the vantage has no part in: a neighbour that holds one, or is on its link, could pass it on. */
function offLink({ inventory, discovery }: Input, vantage: string): readonly Peer[] {
  const mine = Object.keys(inventory.matrix.hosts[vantage]?.addresses ?? {});
  return Object.keys(inventory.matrix.hosts).filter((host) => host !== vantage).flatMap((host) =>
    networksOf(inventory, host).filter((network) => !mine.includes(network) && inventory.matrix.networks[network]?.kind !== 'local').flatMap((network): Peer[] => {
      const address = addressOn(inventory, discovery, host, network);
      if (typeof address !== 'string' && 'absent' in address) return [];
      return [{ to: host, network, label: `${host} ${network}`, address: typeof address === 'string' ? address : address.unknown, external: false }];
    }));
}

/** One cell for each confined host: what its own connection tracking and that of its router say. */
function confinedSessions(input: Input, vantage: string): readonly Cell[] {
  const { inventory, discovery, newToken } = input;
  if (vantage === operator || inventory.matrix.hosts[vantage]?.confined !== true) return [];
  const facts = factsOf(discovery, vantage);
  const via = isFailure(facts) ? undefined : facts.routes.find((route) => route.destination === '0.0.0.0/0')?.via;
  const router = via === undefined ? null : hostAt(input, via);
  const look: Look = isFailure(facts) ? settled({ seen: 'unprobed', failure: facts }) : { by: 'sessions', hosts: router === null ? [vantage] : [vantage, router] };
  const flow: Flow = {
    id: `${vantage} => surviving sessions`, family: 'surviving session', from: vantage, to: 'any', network: 'any', address: null, transport: 'ip', port: 0,
    protocol: 'ip', expected: 'denied', row: 'everything else', route: null,
  };
  return [{ flow, probe: { id: flow.id, vantage, flow, token: newToken(), look } }];
}
