// A document -> the inventory's matrix: what the document cannot say (what is spoken, site, targets, waivers) is kept, or guessed and told. Pure.
import type { Inventory, Protocol, Row } from '../model.ts';
import { byRoute, inDocument, named, routeOf } from './compare.ts';
import type { Document, Listed } from './document.ts';

type Matrix = Inventory['matrix'];
export type Imported = Readonly<{ inventory: Inventory; told: readonly string[] }>;

/** @param base the inventory that is there already, or null for a new one */
export function importDocument(given: Document, base: Inventory | null): Imported {
  const document = base === null ? given : named(given, base);
  const told: string[] = document.unread.map(({ line, text }) => `line ${line}: ${text}`);
  const hosts = hostsOf(document, base);
  const networks = networksOf(document, base, told);
  const flows = flowsOf(document, base, told);
  return { inventory: { ...base, matrix: { ...base?.matrix, networks, hosts, flows }, site: siteOf(Object.keys(hosts), flows, gatewayOf(base, document), base, told) }, told };
}

/** Where the logins go through, and SSH into the others starts. */
function gatewayOf(base: Inventory | null, { addresses }: Document): string {
  return base?.site.gateway ?? (addresses.some(({ host }) => host === 'gateway') ? 'gateway' : (addresses[0]?.host ?? ''));
}

function hostsOf({ addresses, flows }: Document, base: Inventory | null): Matrix['hosts'] {
  const names = [...new Set(addresses.map(({ host }) => host))];
  return Object.fromEntries(names.map((name) => {
    const before = base?.matrix.hosts[name];
    const own = addresses.filter(({ host, address }) => host === name && address !== null);
    const listed = Object.fromEntries(own.map(({ network, address }) => [network, address !== null && /[.:]/.test(address) ? address : 'discover']));
    // Networks inside a host, such as Docker's, are in no map.
    const local = Object.fromEntries(Object.entries(before?.addresses ?? {}).filter(([network]) => !addresses.some((one) => one.network === network)));
    const inside = Object.fromEntries(flows.filter(({ from, to, network }) => from === name && to === 'localhost' && !addresses.some((one) => one.network === network)).map(({ network }) => [network, before?.addresses[network] ?? 'discover']));
    return [name, { ...before, addresses: { ...listed, ...local, ...inside } }];
  }));
}

function networksOf({ addresses, flows }: Document, base: Inventory | null, told: string[]): Matrix['networks'] {
  const names = [...new Set([...addresses, ...flows].map(({ network }) => network))];
  const kindOf = (name: string): Matrix['networks'][string]['kind'] => {
    if (name === 'wan') return 'wan';
    if (flows.some(({ network, to }) => network === name && to === 'localhost')) return 'local';
    return flows.some(({ network, at }) => network === name && at !== null) ? 'overlay' : 'link';
  };
  const grown = names.filter((name) => base?.matrix.networks[name] === undefined);
  for (const name of grown) told.push(`network ${name}: taken for a ${kindOf(name)}; add its cidr, which the document does not say`);
  return { ...base?.matrix.networks, ...Object.fromEntries(grown.map((name) => [name, { kind: kindOf(name) }])) };
}

function flowsOf(document: Document, base: Inventory | null, told: string[]): readonly Row[] {
  const { flows } = document;
  const before = base?.matrix.flows ?? [];
  const kept = new Map<Row, Row>();
  const fresh: Row[] = [];
  for (const [route, listed] of byRoute(flows)) {
    const rows = before.filter((row) => routeOf(inDocument(row)) === route);
    const ports = [...new Set(listed.flatMap((one) => one.ports))];
    const isTemp = (port: number): boolean => listed.some((one) => one.temp && one.ports.includes(port));
    for (const row of rows) {
      const own = row.ports.filter((port) => ports.includes(port) && isTemp(port) === (row.temp === true));
      if (own.length > 0) kept.set(row, { ...row, ports: own });
    }
    const had = new Set(rows.flatMap((row) => kept.get(row)?.ports ?? []));
    for (const temp of [false, true]) {
      const more = ports.filter((port) => !had.has(port) && isTemp(port) === temp);
      if (more.length > 0) fresh.push(rowOf(listed[0], more, temp, [...before, ...fresh], (from) => from === gatewayOf(base, document), told));
    }
  }
  const gone = before.filter((row) => !kept.has(row) && row.implied === undefined);
  for (const { id } of gone) told.push(`flow ${id} is in no row of the document and was taken out`);
  return [...before.filter((row) => !gone.includes(row)).map((row) => kept.get(row) ?? row), ...fresh];
}

function rowOf({ from, to, network, transport, purpose, where }: Listed, ports: readonly number[], temp: boolean, others: readonly Row[], isEntered: (from: string) => boolean, told: string[]): Row {
  const stem = `${from}-${to}-${transport}-${ports[0]}`.slice(0, 36);
  const id = [stem, ...others.map((_row, index) => `${stem}-${index + 2}`)].find((one) => !others.some((other) => other.id === one)) ?? stem;
  const speaks = ports.length === 1 && ports[0] === 22 && isEntered(from) ? 'ssh' : spokenOn(transport, ports, to);
  told.push(`flow ${id} is new: it is taken to speak ${speaks}`);
  return {
    id, reference: where.slice(0, 300), from, to: to === 'localhost' ? from : to, network, transport, ports, speaks, purpose: (purpose || `${from} to ${to}`).slice(0, 300),
    ...(temp ? { temp } : {}), ...(to === 'localhost' ? { address: '127.0.0.1' } : {}),
  };
}

/** By the service names of IANA and what the harness has a module for; else a handshake, or a datagram, must do. */
function spokenOn(transport: 'tcp' | 'udp', ports: readonly number[], to: string): Protocol {
  const known: Readonly<Record<string, Protocol>> = { 'udp 53': 'dns', 'udp 67': 'dhcp', 'udp 123': 'ntp', 'udp 4242': 'nebula', 'tcp 443': 'tls', 'tcp 11434': 'ollama' };
  const spoken = new Set(ports.map((port) => known[`${transport} ${port}`] ?? transport));
  return spoken.size === 1 && to !== 'any' ? ([...spoken][0] ?? transport) : transport;
}

function siteOf(hosts: readonly string[], flows: readonly Row[], gateway: string, base: Inventory | null, told: string[]): Inventory['site'] {
  const fallback = { watch: { tcp: [], udp: [] }, timing: { allowed: { attempts: 16, intervalMs: 250, windowMs: 1500 }, denied: { attempts: 3, intervalMs: 150, windowMs: 700 } } };
  const targets = [...new Set(flows.map(({ to }) => to))].filter((to) => to !== 'any' && !hosts.includes(to) && base?.site.targets[to] === undefined);
  const logins = Object.fromEntries(hosts.map((host) => [host, base?.site.logins[host] ?? host]));
  const made = Object.fromEntries(targets.map((target) => {
    const serves = [...new Set(flows.filter(({ to }) => to === target).flatMap(({ transport, ports }) => ports.map((port) => `${transport}/${port}`)))];
    if (target === 'dns' || target === 'dhcp') return [target, { discover: target === 'dns' ? 'resolvers' as const : 'router' as const, serves }];
    told.push(`target ${target}: give its names or addresses under $.site.targets.${target}; the document does not say them`);
    return [target, { names: [`${target}.invalid`], serves }];
  }));
  if (base === null) told.push(`$.site.gateway: taken to be ${gateway}; $.site.logins: the hosts' own names`);
  return { ...fallback, ...base?.site, gateway, logins, targets: { ...base?.site.targets, ...made } };
}
