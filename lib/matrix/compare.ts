// A document beside an inventory: each difference, with the document's line. Pure.
import { sameAddress } from '../address.ts';
import type { Inventory, Row } from '../model.ts';
import type { Document, Listed, Note } from './document.ts';
import { peerOf } from './words.ts';

/** A flow without its ports, by which rows of both sides are the same. */
type Route = Readonly<{ from: string; to: string; network: string; transport: string }>;
export const routeOf = ({ from, to, network, transport }: Route): string => `${from} -> ${to} ${network} ${transport}`;

/** An inventory's row in the document's words: `localhost` is a flow of a host to itself. */
export const inDocument = (row: Row): Route => (row.to === row.from ? { ...row, to: 'localhost' } : row);

/** @returns one note each, in the order of the lines; line 0: of what the document does not have */
export function compare(given: Document, inventory: Inventory): readonly Note[] {
  const document = named(given, inventory);
  return [...compareAddresses(document, inventory), ...compareFlows(document, inventory)].toSorted((a, b) => a.line - b.line);
}

/** The document with the inventory's names: `file-server` of the inventory is `File server` in a document, or `file`. */
export function named(document: Document, { matrix, site }: Inventory): Document {
  const names = new Map([...Object.keys(matrix.hosts), ...Object.keys(site.targets)].map((name) => [peerOf(name), name]));
  const nameOf = (peer: string): string => names.get(peer) ?? peer;
  return {
    ...document,
    addresses: document.addresses.map((one) => ({ ...one, host: nameOf(one.host) })),
    flows: document.flows.map((one) => ({ ...one, from: nameOf(one.from), to: nameOf(one.to) })),
  };
}

function compareAddresses({ addresses }: Document, { matrix: { hosts, networks } }: Inventory): readonly Note[] {
  const told = addresses.flatMap(({ host, network, address, line }): readonly Note[] => {
    const own = hosts[host];
    if (own === undefined) return [{ line, text: `the inventory has no host ${host}` }];
    if (networks[network] === undefined) return [{ line, text: `the inventory has no network ${network}` }];
    const given = own.addresses[network] ?? null;
    const isOne = address !== null && /[.:]/.test(address);
    if (address === null && given !== null) return [{ line, text: `${host} has no address on ${network}; in the inventory it is ${given}` }];
    if (address !== null && given === null) return [{ line, text: `${host} has ${address} on ${network}; the inventory has none there` }];
    if (address !== null && /dhcp/i.test(address) && given !== 'discover') return [{ line, text: `${host} has its address on ${network} by ${address}; in the inventory it is ${given}` }];
    if (isOne && given !== null && !sameAddress(address, given)) return [{ line, text: `${host} is ${address} on ${network}; in the inventory ${given === 'discover' ? 'it tells its address itself' : `it is ${given}`}` }];
    return [];
  });
  const missing = Object.keys(hosts).filter((host) => !addresses.some((one) => one.host === host)).map((host) => ({ line: 0, text: `host ${host} of the inventory is not in the document's map` }));
  return [...new Map([...told, ...missing].map((note) => [`${note.line} ${note.text}`, note])).values()];
}

function compareFlows({ flows }: Document, { matrix, site }: Inventory): readonly Note[] {
  const known = new Set([...Object.keys(matrix.hosts), ...Object.keys(site.targets), 'any', 'localhost', 'operator']);
  const rows = matrix.flows.map((row) => ({ row, route: routeOf(inDocument(row)) }));
  const notes: Note[] = [];
  const tabled = new Set(flows.filter(({ at }) => at !== null).map(({ network }) => network));
  for (const [route, listed] of byRoute(flows)) {
    const [{ line }] = listed;
    const own = rows.filter((one) => one.route === route).map(({ row }) => row);
    const strangers = [listed[0].from, listed[0].to].filter((name) => !known.has(name));
    if (own.length === 0) notes.push({ line, text: `${route} ${listed.flatMap(({ ports }) => ports).join(', ')} has no flow in the inventory${strangers.length === 0 ? '' : `, which does not know ${strangers.join(' and ')}`}` });
    else notes.push(...comparePorts(route, listed, own), ...compareOverlay(listed, matrix.hosts));
    if (tabled.has(listed[0].network) && listed.every(({ at }) => at === null)) notes.push({ line, text: `${route} is not in the table of ${listed[0].network}, which lists the others` });
  }
  const documented = new Set(flows.map(routeOf));
  for (const { row, route } of rows)
    if (!documented.has(route) && row.implied === undefined) notes.push({ line: 0, text: `${row.id} (${route} ${row.ports.join(', ')}) has no row in the document` });
  return notes;
}

function comparePorts(route: string, listed: readonly Listed[], own: readonly Row[]): readonly Note[] {
  const notes: Note[] = [];
  const lineOf = (port: number): number => listed.find(({ ports }) => ports.includes(port))?.line ?? 0;
  for (const port of new Set(listed.flatMap(({ ports }) => ports))) {
    const row = own.find(({ ports }) => ports.includes(port));
    if (row === undefined) notes.push({ line: lineOf(port), text: `${route} lists port ${port}, which ${own.map(({ id }) => id).join(' and ')} does not have` });
    else if (listed.some(({ ports, temp }) => ports.includes(port) && temp) !== (row.temp === true))
      notes.push({ line: lineOf(port), text: `${route} ${port} is ${row.temp === true ? 'TEMP in the inventory and not here' : 'TEMP here and not in the inventory'} (${row.id})` });
  }
  for (const { id, ports } of own)
    for (const port of ports.filter((one) => lineOf(one) === 0)) notes.push({ line: listed[0]?.line ?? 0, text: `${route} does not list port ${port}, which ${id} has` });
  return notes;
}

function compareOverlay(listed: readonly Listed[], hosts: Inventory['matrix']['hosts']): readonly Note[] {
  return listed.flatMap(({ line, to, network, at }) => {
    const given = hosts[to]?.addresses[network];
    return at === null || (given !== undefined && sameAddress(at, given)) ? [] : [{ line, text: `${to} is ${at} on ${network}; in the inventory it is ${given ?? 'not there'}` }];
  });
}

/** Rows that say the same flow twice, as a table of an overlay does, stand together. */
export function byRoute(flows: readonly Listed[]): ReadonlyMap<string, readonly [Listed, ...Listed[]]> {
  const routes = new Map<string, [Listed, ...Listed[]]>();
  for (const flow of flows) {
    const others = routes.get(routeOf(flow));
    if (others === undefined) routes.set(routeOf(flow), [flow]);
    else others.push(flow);
  }
  return routes;
}
