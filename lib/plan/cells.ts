// The cells that the matrix spans: its rows, and every other port and destination that a vantage could ask. Pure.
import { factsOf, isFailure, operator } from '../facts.ts';
import type { Failure, Family, Flow, Inventory, Phase, Row, Transport } from '../model.ts';
import { protocolFor } from '../protocols/index.ts';
import { externalDestinations, machineDestinations, type Destination } from './destinations.ts';
import { isAllowed, routeOf, settled, type Cell, type Input } from './input.ts';
import { probeOf } from './looks.ts';

type Service = Readonly<{ transport: Exclude<Transport, 'ip'>; port: number; nextToRow: boolean }>;

/** A cell of the universe that is not probed. */
export type Untested = Readonly<{ id: string; reason: string }>;

/** Those of a vantage that its rows allow, and no others made. */
export const allowedCells = (input: Input, vantage: string): readonly Cell[] => ordinaryCells(input, vantage, true).cells.filter(({ flow }) => flow.expected === 'allowed');

/**
 * The rows, everything else that the document's words span, and what neither an answer nor silence would be wrong for.
 * @param ofRowsAlone without everything else
 * @returns the cells of one vantage, in the order destination, port; `allowed` has what rows allow, also where it is not tested
 */
export function ordinaryCells(input: Input, vantage: string, ofRowsAlone = false): Readonly<{ cells: readonly Cell[]; allowed: readonly Flow[]; gaps: readonly Untested[] }> {
  const { inventory, phase } = input;
  const cells: Cell[] = [];
  const allowed: Flow[] = [];
  const gaps: Untested[] = [];
  const covered = new Set<string>();
  // Rows and cells both grow with the hosts: each cell is not to ask all rows.
  const own = inventory.matrix.flows.filter((row) => row.from === vantage);
  const listed = listedPorts(inventory);
  for (const destination of destinationsOf(input, vantage)) {
    const leading = own.filter((row) => leadsTo(row, destination));
    if (ofRowsAlone && leading.length === 0) continue;
    for (const service of servicesOf(listed, vantage, destination, leading)) {
      const rows = rowsFor(leading, service);
      if (ofRowsAlone && rows.length === 0) continue;
      for (const row of rows) covered.add(coverKey(row, service.port));
      const flow = makeFlow(input, vantage, destination, service, rows[0]);
      if (flow.expected === 'allowed') allowed.push(flow);
      const reason = gapReason(flow, destination, phase, rows[0]);
      if (reason === null) cells.push({ flow, probe: probeOf(input, flow, destination) });
      else gaps.push({ id: flow.id, reason });
    }
  }
  const others = rowsWithoutCell(input, vantage, covered);
  return { cells: [...cells, ...others], allowed: [...allowed, ...others.map(({ flow }) => flow).filter(({ expected }) => expected === 'allowed')], gaps };
}

export function destinationsOf({ inventory, discovery }: Input, vantage: string): readonly Destination[] {
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

/**
 * Ports of a destination: what any row lists, the watch list, the neighbours of the rows between these two (the port over the other
 * transport is one), ICMP echo.
 */
function servicesOf(all: Listed, vantage: string, destination: Destination, own: readonly Row[]): readonly Service[] {
  if (destination.to === vantage) return own.flatMap((row) => row.ports.map((port) => ({ transport: row.transport, port, nextToRow: false })));
  const cells = (['tcp', 'udp'] as const).flatMap((transport): Service[] => {
    const listed = all[transport];
    const beside = own.flatMap((row) => (row.transport === transport ? row.ports.flatMap((port) => [port - 1, port + 1]) : row.ports));
    const extra = [...new Set(beside)].filter((port) => port >= 1 && port <= 65535 && !listed.has(port));
    return [...listed, ...extra].toSorted((a, b) => a - b).map((port) => ({ transport, port, nextToRow: extra.includes(port) }));
  });
  return [...cells, { transport: 'icmp', port: 0, nextToRow: false }];
}

type Listed = Readonly<Record<'tcp' | 'udp', ReadonlySet<number>>>;

function listedPorts({ matrix, site }: Inventory): Listed {
  const of = (transport: 'tcp' | 'udp'): ReadonlySet<number> => new Set([...matrix.flows.filter((row) => row.transport === transport).flatMap((row) => row.ports), ...site.watch[transport]]);
  return { tcp: of('tcp'), udp: of('udp') };
}

function leadsTo(row: Row, { kind, to, network, targets }: Destination): boolean {
  if (kind === 'external') return row.to === 'any' || Object.hasOwn(targets, row.to);
  return kind === 'machine' && row.to === to && row.network === network;
}

/** A lasting row before a temporary one, and that before one whose day is over. */
const rank = (row: Row): number => Number(row.temp === true) + Number(row.ended === true);

/** Of the rows that lead there, those that cover a cell: the first decides. */
function rowsFor(leading: readonly Row[], { transport, port }: Service): readonly Row[] {
  return leading.filter((row) => row.transport === transport && row.ports.includes(port)).toSorted((a, b) => rank(a) - rank(b));
}

const endOf = (row: Row | undefined, phase: Phase): Pick<Flow, 'ended'> => (phase === 'setup' && row?.ended === true && row.until !== undefined ? { ended: row.until } : {});

const coverKey = (row: Row, port: number): string => `${row.id} ${port}`;

function makeFlow({ inventory, discovery, phase }: Input, vantage: string, destination: Destination, cell: Service, row: Row | undefined): Flow {
  const allowed = isAllowed(row, phase);
  const { transport, port } = cell;
  // An address may be resolver and DHCP server at once: a row's cell goes by the name that the row uses.
  const label = (row === undefined ? undefined : destination.targets[row.to]) ?? destination.label;
  const address = typeof destination.address === 'string' ? destination.address : null;
  const facts = factsOf(discovery, vantage);
  return {
    id: `${vantage} -> ${label} ${transport}/${transport === 'icmp' ? 'echo' : port}`,
    family: familyOf(inventory, vantage, destination, cell, row),
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
    ...endOf(row, phase),
  };
}

function familyOf({ matrix }: Inventory, vantage: string, { way, kind, to, network }: Destination, { transport, port, nextToRow }: Service, row: Row | undefined): Family {
  if (row !== undefined) return 'row';
  if (way !== 'send' && 'noPath' in way) return 'no path';
  if (transport === 'icmp') return 'icmp';
  if (nextToRow) return 'neighbour port';
  const overlaid = matrix.flows.some((other) => other.to === to && other.network !== network && matrix.networks[other.network]?.kind === 'overlay' && other.transport === transport && other.ports.includes(port));
  if (overlaid && kind === 'machine' && vantage !== operator) return 'overlay by underlay';
  if (kind === 'machine') return vantage === operator ? 'outside' : 'machine';
  return kind;
}

/** Why a cell of the universe is not probed; null: it is. */
function gapReason(flow: Flow, destination: Destination, phase: Phase, row: Row | undefined): string | null {
  return isAllowed(row, phase) && row.to === 'any' && !destination.serves.includes(`${flow.transport}/${flow.port}`)
    ? `allowed by ${row.id}, but the target is not known to serve that port: neither an answer nor silence would be wrong`
    : null;
}

/** A row must end in a finding even where its target came to nothing (no resolver named, no router known). */
function rowsWithoutCell({ inventory, discovery, phase, newToken }: Input, vantage: string, covered: ReadonlySet<string>): readonly Cell[] {
  const facts = factsOf(discovery, vantage);
  return inventory.matrix.flows.filter((row) => row.from === vantage).flatMap((row) =>
    row.ports.filter((port) => row.to !== 'any' && !covered.has(coverKey(row, port))).map((port): Cell => {
      const failure: Failure = isFailure(facts) ? facts : { operation: 'resolve', cause: `${vantage} names no address for ${row.to}` };
      const flow: Flow = {
        id: `${vantage} -> ${row.to} ${row.transport}/${port}`, family: 'row', from: vantage, to: row.to, network: row.network, address: null,
        transport: row.transport, port, protocol: row.speaks,
        expected: isAllowed(row, phase) ? 'allowed' : 'denied', row: row.id, route: null, ...endOf(row, phase),
      };
      return { flow, probe: { id: flow.id, vantage, flow, look: settled({ seen: 'unprobed', failure }), token: newToken() } };
    }),
  );
}
