// What a host says of itself, as `ip` prints it -> Facts; and a look into its routing table. Pure.
import { isIP } from 'node:net';
import { canonical, isNetwork, prefixLength, sameAddress, within } from './address.ts';
import type { Address, Discovery, Facts, Failure, Flow, Route } from './model.ts';

/** The operator's seat: a vantage and a destination, and no host of the inventory. */
export const operator = 'operator';

export function factsOf(discovery: Discovery, host: string): Facts | Failure {
  return discovery.hosts[host] ?? { operation: 'facts', cause: `nothing is known of ${host}` };
}

export function isFailure(value: object): value is Failure {
  return 'operation' in value;
}

/**
 * @param told the prober's facts: name -> text, as `ip -o addr`, `ip route` and resolv.conf have it
 * @returns null where addresses or routes are missing, since nothing can be planned from such a host
 */
export function parseFacts(told: Readonly<Record<string, string>>): Facts | null {
  if (Object.values(told).some(isEndless)) return null;
  const addresses = lines(told.addresses).flatMap(parseAddress);
  if (addresses.length === 0 || told.routes4 === undefined) return null;
  return {
    kernel: (told.kernel ?? '').trim(),
    addresses,
    routes: [
      ...lines(told.routes4).flatMap((line) => parseRoute(line, '0.0.0.0/0')),
      ...lines(told.routes6).flatMap((line) => parseRoute(line, '::/0')),
    ],
    resolvers: lines(told.resolvers).flatMap((line) => /^nameserver\s+(\S+)/.exec(line)?.[1] ?? []).filter((address) => isIP(address) !== 0).slice(0, mostResolvers),
    links: lines(told.links).flatMap(parseLink),
    neighbours: lines(told.neighbours).flatMap(parseNeighbour),
    untracked: told.untracked === undefined ? 'all' : untrackedPorts(lines(told.untracked)),
  };
}

/** What the C library asks of a resolv.conf (MAXNS): more would send all other vantages to whomever this one names. */
const mostResolvers = 3;
/** Each address is looked up in each route: a table of a million would take a run's whole time. */
const mostLines = 1_000;
const longestLine = 1_000;

function isEndless(text: string): boolean {
  const all = text.split('\n');
  return all.length > mostLines || all.some((line) => line.length > longestLine);
}

/** A name of an interface as it may go into a command; the kernel itself takes almost any 15 bytes. */
function isDevice(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(name);
}

function lines(text: string | undefined): readonly string[] {
  return (text ?? '').split('\n').map((line) => line.trim()).filter((line) => line !== '');
}

/** `2: eth0    inet 172.22.22.2/29 brd 172.22.22.7 scope global eth0\ valid_lft …`; iproute2 and busybox alike. */
function parseAddress(line: string): Address[] {
  const found = /^\d+:\s+(\S+)\s+inet6?\s+([0-9a-fA-F.:]+)(?: peer [0-9a-fA-F.:]+)?\/(\d+).*?\sscope\s+(\S+)/.exec(line);
  if (found === null) return [];
  const [, told = '', address = '', prefix = '', scope] = found;
  const [device = ''] = told.split('@');
  if (!isNetwork(`${address}/${prefix}`) || !isDevice(device)) return [];
  return [{ interface: device, address, prefix: Number(prefix), scope: scope === 'link' || scope === 'host' ? scope : 'global' }];
}

/** `2: eth0@if7: <BROADCAST,…> mtu 1500 …\\    link/ether aa:bb:cc:dd:ee:ff brd …`. */
function parseLink(line: string): Facts['links'][number][] {
  const found = /^\d+:\s+([^\s:@]+)[:@]\S*\s.*\blink\/ether ([0-9a-f:]{17})\b/.exec(line);
  return found === null || !isDevice(found[1] ?? '') ? [] : [{ interface: found[1] ?? '', mac: found[2] ?? '' }];
}

/** `172.22.22.4 dev eth0 lladdr aa:bb:cc:dd:ee:ff REACHABLE`. */
function parseNeighbour(line: string): Facts['neighbours'][number][] {
  const found = /^(\S+) dev (\S+) lladdr ([0-9a-f:]{17})\b/.exec(line);
  return found === null || isIP(found[1] ?? '') === 0 || !isDevice(found[2] ?? '') ? [] : [{ address: found[1] ?? '', interface: found[2] ?? '', mac: found[3] ?? '' }];
}

/** `default via 172.22.22.4 dev eth0`, `10.42.0.0/16 dev nebula1 …`, `prohibit 10.0.0.0/8`; the main table alone. */
function parseRoute(line: string, everything: string): Route[] {
  const words = line.split(/\s+/);
  const after = (word: string): string | undefined => (words.includes(word) ? words[words.indexOf(word) + 1] : undefined);
  const table = after('table');
  if (table !== undefined && table !== 'main') return [];
  const first = words[0] ?? '';
  const kind = first === 'prohibit' || first === 'blackhole' || first === 'unreachable' ? first : 'unicast';
  const destination = (kind === 'unicast' ? first : words[1]) ?? '';
  if (destination !== 'default' && !isNetwork(destination)) return [];
  const via = after('via') === 'inet6' ? after('inet6') : after('via');
  const device = after('dev');
  // A next hop may become a destination of all other vantages (the DHCP server): nothing but an address gets there.
  if ((via !== undefined && isIP(via) === 0) || (device !== undefined && !isDevice(device))) return [];
  return [{
    destination: destination === 'default' ? everything : destination,
    kind,
    ...(via === undefined ? {} : { via }),
    ...(device === undefined ? {} : { interface: device }),
  }];
}

/**
 * Of rules that take packets out of connection tracking, as nft and iptables-save print them: the ports that they name, on either
 * side. A rule that names none, or not by number, may take anything; one for the loopback alone takes nothing of others.
 */
function untrackedPorts(rules: readonly string[]): NonNullable<Facts['untracked']> {
  const ports = rules.filter((rule) => !/(?:\b[io]if(?:name)? "?|-[io] )lo\b/.test(rule)).map((rule) => {
    const transports = (['tcp', 'udp'] as const).filter((transport) => new RegExp(`\\b${transport}\\b`).test(rule));
    const named = [...rule.matchAll(/(!=|!)?\s*(?:\b|--)[ds](?:port|ports)\s+(!=)?\s*(\{[^}]*\}|\S+)/g)];
    const ranges = named.flatMap(([, before, after, list = '']) => ((before ?? after) === undefined ? list.split(/[\s{},]+/).filter((word) => word !== '').map(portRange) : [null]));
    if (ranges.length === 0 || transports.length === 0 || ranges.includes(null)) return null;
    return transports.flatMap((transport) => ranges.flatMap((range) => (range === null ? [] : [{ transport, ...range }])));
  });
  return ports.includes(null) ? 'all' : ports.flatMap((ranges) => ranges ?? []);
}

function portRange(word: string): Readonly<{ first: number; last: number }> | null {
  const [, first, last = first] = /^(\d{1,5})(?:[-:](\d{1,5}))?$/.exec(word) ?? [];
  return first === undefined ? null : { first: Number(first), last: Number(last) };
}

/** Whether the host's rules may take a flow out of its connection tracking, which then knows nothing of it. */
export function isUntracked({ untracked = [] }: Facts, { transport, port, sourcePort }: Pick<Flow, 'transport' | 'port' | 'sourcePort'>): boolean {
  return untracked === 'all' || untracked.some(({ first, last, ...of }) => of.transport === transport && [port, sourcePort ?? -1].some((one) => first <= one && one <= last));
}

/** The route the host would take to `address`: the longest prefix, the first where two are alike; null: none. */
export function routeTo(facts: Facts, address: string): Route | null {
  const bare = address.split('%')[0] ?? address;
  const known = routes.get(facts) ?? new Map<string, Route | null>();
  routes.set(facts, known);
  const found = known.has(bare) ? known.get(bare) : findRoute(facts, bare);
  known.set(bare, found ?? null);
  return found ?? null;
}

/** A plan asks a table for the same few hundred addresses again and again, and each answer parses every prefix. */
const routes = new WeakMap<Facts, Map<string, Route | null>>();

function findRoute(facts: Facts, bare: string): Route | null {
  const fitting = facts.routes.filter((route) => within(bare, route.destination));
  return fitting.toSorted((a, b) => prefixLength(b.destination) - prefixLength(a.destination))[0] ?? null;
}

/** Whether a route ends on the link itself; a default route without a next hop leads to whoever is behind it. */
export function isOnLink(route: Route): boolean {
  return route.via === undefined && route.interface !== undefined && prefixLength(route.destination) > 0;
}

/** The interface that holds one of the host's own addresses. */
export function interfaceOf(facts: Facts, address: string): string | null {
  return facts.addresses.find((own) => sameAddress(own.address, address))?.interface ?? null;
}

/** The host's own address that a packet to `address` leaves with; an address with its interface has link scope. */
export function sourceAddress(facts: Facts, address: string): string | null {
  const [bare = address, scope] = address.split('%');
  const device = scope ?? routeTo(facts, bare)?.interface;
  return facts.addresses.find((own) => own.interface === device && isIP(own.address) === isIP(bare) && (own.scope === 'link') === (scope !== undefined))?.address ?? null;
}

/** The addresses of a host, as tables have them; none of one that could not be asked. */
export function ownAddresses(discovery: Discovery, host: string): ReadonlySet<string> {
  const facts = factsOf(discovery, host);
  return new Set(isFailure(facts) ? [] : facts.addresses.map((own) => canonical(own.address)));
}

/** The Ethernet address of a host's interface, as the host itself says or as another knows it. */
export function macOf(facts: Facts, device: string): string | null {
  return facts.links.find((link) => link.interface === device)?.mac ?? null;
}
