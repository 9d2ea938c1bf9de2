// inventory.json -> Inventory. Every mistake at once, each with its JSON path and the mend; unknown keys are mistakes.
import { isIP } from 'node:net';
import { printParseErrorCode, visit } from 'jsonc-parser';
import { z } from 'zod';
import { canonical, isNetwork, within } from './address.ts';
import type { Inventory, Protocol, Transport } from './model.ts';
import { fastestRate } from './pace.ts';

/** Thrown for an inventory that cannot be used; `mistakes` has one line each. */
export class InventoryError extends Error {
  override readonly name = 'InventoryError';
  readonly mistakes: readonly string[];
  constructor(file: string, mistakes: readonly string[]) {
    super(`${file}: ${mistakes.length} mistake${mistakes.length === 1 ? '' : 's'}; nothing was sent\n${mistakes.map((m) => `  ${m}`).join('\n')}`);
    this.mistakes = mistakes;
  }
}

// What stands in flow ids, file names and reports: no spaces, no quotes, nothing a terminal or a shell would take amiss; nor
// the one such word that every object of JavaScript has already.
const name = z.string().regex(/^(?!constructor$)[a-z][a-z0-9-]{0,40}$/, 'a name of lower-case letters, digits and -, at most 41 long');
const text = z.string().min(1).max(300);
const port = z.int().min(1).max(65535);
const ipAddress = z.string().refine((value) => isIP(value) !== 0, 'an IPv4 or IPv6 address');
const dnsName = z.string().regex(/^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/, 'a DNS name in lower case');
const service = z.string().refine((value) => /^(tcp|udp)\/[1-9]\d{0,4}$/.test(value) && Number(value.slice(4)) <= 65535, 'a service as tcp/443');
// A leading dash would be an option to ssh.
const sshName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._@-]*$/, 'a name as you would type it behind `ssh `');
const cidr = z.union([z.cidrv4(), z.cidrv6()], 'a network as 172.22.22.0/29');

const day = z.iso.date('a day of the calendar as 2026-12-31, the last one, in UTC');
// A pattern without a letter or digit would waive whatever there is.
const cells = text.regex(/[A-Za-z0-9]/, 'the id of a cell as reports have it, or a pattern with * that names at least a part of one');
const waiver = z.strictObject({
  cells: cells.describe('A cell by its id (`joi -> ntp vmbr1 tcp/9090`), or a pattern in which * stands for anything. `npm run plan` lists the ids.'),
  reason: text.describe('Why the violation may stay.'),
  acceptedBy: text.describe('Who has accepted it.'),
  until: day.describe('The last day, in UTC; the day after, it fails again.'),
});

const timing = z.strictObject({
  attempts: z.int().min(1).max(20),
  intervalMs: z.int().min(10).max(5000),
  windowMs: z.int().min(100).max(10000),
});
const deniedTiming = timing.extend({
  windowMs: timing.shape.windowMs.describe('The longest that silence is waited for, after the last try.'),
  floorMs: z.int().min(1).max(10000).optional().describe('The shortest: where the round trips of the run are so short that TCP would wait less. 200 unless given, and never more than windowMs.'),
});
const row = z.strictObject({
  id: name,
  reference: text.describe('Where the document says so.'),
  from: name.describe('A host, or "operator".'),
  to: name.describe('A host, a target, or "any": every external target.'),
  network: name,
  transport: z.enum(['tcp', 'udp']),
  ports: z.array(port).min(1).max(64),
  speaks: z.enum(['tcp', 'udp', 'ssh', 'tls', 'ollama', 'dns', 'ntp', 'dhcp', 'nebula']),
  purpose: text,
  temp: z.boolean().optional().describe('Allowed in phase setup alone.'),
  until: day.optional().describe('The last day of a TEMP row, in UTC: after it, phase setup fails on this row.'),
  implied: text.optional().describe('The sentence of the document that implies this row, where no table lists it.'),
  address: ipAddress.optional().describe('Of a flow from a host to itself: the address to ask.'),
});
const target = z
  .strictObject({
    names: z.array(dnsName).min(1).optional(),
    addresses: z.array(ipAddress).min(1).optional(),
    discover: z.enum(['resolvers', 'router']).optional(),
    serves: z.array(service).describe('What it is known to serve, as tcp/443: an allowed flow to "any" is tested on these alone.'),
  })
  .refine((t) => [t.names, t.addresses, t.discover].filter((x) => x !== undefined).length === 1, 'exactly one of names, addresses, discover');

/** What an inventory may go without: every family but the rows, and the looks past the hosts' own firewalls. */
const families = [
  'machine', 'neighbour port', 'link-local', 'icmp', 'external', 'outside', 'no path', 'overlay by underlay', 'source port', 'another way', 'ip protocol', 'surviving session', 'walls',
] as const satisfies NonNullable<Inventory['site']['without']>;

const schema = z.strictObject({
  $schema: z.string().optional(),
  matrix: z.strictObject({
    document: text.optional(),
    networks: z.record(name, z.strictObject({ kind: z.enum(['link', 'overlay', 'wan', 'local']), cidr: cidr.optional() })),
    hosts: z.record(name, z.strictObject({ addresses: z.record(name, z.union([ipAddress, z.literal('discover')], 'an address, or "discover"')), listen: z.boolean().optional().describe('false: no listener of ours may stand on it.'), confined: z.boolean().optional().describe('true: its denied flows must be stopped by others too, should somebody take it over as root.') })),
    flows: z.array(row).min(1),
  }),
  site: z.strictObject({
    gateway: name,
    logins: z.record(name, sshName).describe('By host: its name for ssh.'),
    beacons: z.record(name, sshName).optional().describe('Hosts outside that we can log in to, by name: they witness what gets out.'),
    targets: z.record(name, target),
    watch: z.strictObject({ tcp: z.array(port), udp: z.array(port) }).describe('Ports that no row lists and that are probed all the same.'),
    timing: z.strictObject({ allowed: timing, denied: deniedTiming, rate: z.int().min(1).max(fastestRate).optional().describe('At most so many packets a second from each vantage.') }),
    without: z.array(z.enum(families)).optional().describe('Families of cells that are not wanted here; what that costs is counted as not tested.'),
  }),
  waivers: z.array(waiver).optional().describe('Violations that somebody has accepted until a day. They are probed and told all the same.'),
});

/** The same as a JSON Schema, for editors. It knows the shape; the rules between the parts are `parseInventory`'s alone. */
export function inventorySchema(): Readonly<Record<string, unknown>> {
  // Draft 7 is what editors read best.
  return { ...z.toJSONSchema(schema, { target: 'draft-07' }), title: 'An inventory of flowproof: the communication matrix, and the site that it is tested at' };
}

/**
 * Reads an inventory.
 * @param source the text of the file
 * @param file its name, for the messages
 * @throws InventoryError with every mistake found, each as `JSON path: what would be right`
 */
export function parseInventory(source: string, file = 'inventory.json'): Inventory {
  const faults = isNestedDeeply(source) ? [`$: nested deeper than any inventory (${deepest} levels)`] : syntaxFaults(source);
  if (faults.length > 0) throw new InventoryError(file, faults);
  const raw: unknown = JSON.parse(source);
  const parsed = schema.safeParse(raw);
  const shape = parsed.success ? [] : parsed.error.issues.flatMap(describe);
  const mistakes = [...shape, ...crossReferences(raw)];
  if (mistakes.length > 0 || !parsed.success) throw new InventoryError(file, mistakes);
  return parsed.data;
}

/** An inventory has eight levels; the readers of JSON go down as far as their stack. */
const deepest = 100;
function isNestedDeeply(source: string): boolean {
  let depth = 0;
  for (const [bracket] of source.matchAll(/"(?:[^"\\\n]|\\.)*"|[[\]{}]/g)) {
    if (bracket === '[' || bracket === '{') depth += 1;
    if (bracket === ']' || bracket === '}') depth -= 1;
    if (depth > deepest) return true;
  }
  return false;
}

/** Each fault with its line and column; a key that stands twice is one, since the first would be lost without a word. */
function syntaxFaults(source: string): readonly string[] {
  const faults: string[] = [];
  const torn: string[] = [];
  const keys: Set<string>[] = [];
  const at = (line: number, column: number): string => `line ${line + 1}, column ${column + 1}`;
  visit(source, {
    onObjectBegin: () => void keys.push(new Set()),
    onObjectEnd: () => void keys.pop(),
    onObjectProperty: (key, _offset, _length, line, column, path) => {
      if (key === '__proto__') faults.push(`${jsonPath([...path(), key])}: no name for anything (${at(line, column)}); it would be lost without a word`);
      if (keys.at(-1)?.has(key) === true) faults.push(`${jsonPath([...path(), key])}: stands twice (${at(line, column)}); keep one`);
      keys.at(-1)?.add(key);
    },
    onError: (error, _offset, _length, line, column) => void torn.push(`not JSON: ${printParseErrorCode(error)} (${at(line, column)})`),
  }, { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false });
  // What follows the first fault is mostly its echo.
  return torn.length > 0 ? torn.slice(0, 1) : faults;
}

function describe(issue: z.core.$ZodIssue): string[] {
  const at = jsonPath(issue.path);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `${jsonPath([...issue.path, key])}: unknown key; remove it or mend its spelling`);
  if (issue.code === 'invalid_key') return issue.issues.map((inner) => `${at}: the key must be ${inner.message}`);
  return [`${at}: ${issue.message.startsWith('Invalid') || issue.message.startsWith('Too') ? issue.message : `must be ${issue.message}`}`];
}

/** `$.matrix.flows[3].ports[0]`, as jq and editors write it. */
function jsonPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((out, key) => out + (typeof key === 'number' ? `[${key}]` : `.${String(key)}`), '$');
}

const transportOf: Partial<Record<Protocol, Transport>> = {
  tcp: 'tcp', ssh: 'tcp', tls: 'tcp', ollama: 'tcp', udp: 'udp', dns: 'udp', ntp: 'udp', dhcp: 'udp', nebula: 'udp',
};

/** The rules between the parts. Works on the raw value, so that one misspelt key does not hide the rest. */
function crossReferences(raw: unknown): string[] {
  const mistakes: string[] = [];
  const say = (at: string, words: string): void => void mistakes.push(`${at}: ${words}`);
  const matrix = member(raw, 'matrix');
  const site = member(raw, 'site');
  const hosts = Object.keys(record(member(matrix, 'hosts')));
  const networks = record(member(matrix, 'networks'));
  const targets = Object.keys(record(member(site, 'targets')));
  const oneOf = (names: readonly string[]): string => names.join(', ') || '(none)';

  for (const taken of ['operator', 'any'])
    if (hosts.includes(taken) || targets.includes(taken)) say('$', `"${taken}" is a word of flowproof's own; give the host or target another name`);
  for (const beacon of Object.keys(record(member(site, 'beacons'))))
    if ([...hosts, ...targets, 'operator', 'any'].includes(beacon)) say(`$.site.beacons.${beacon}`, 'a host, a target or a word of ours has this name; give the beacon another');
  for (const both of targets.filter((t) => hosts.includes(t))) say(`$.site.targets.${both}`, 'a host has this name too; rename one');

  const owners = new Map<string, string>();
  for (const [host, value] of Object.entries(record(member(matrix, 'hosts')))) {
    for (const [network, address] of Object.entries(record(member(value, 'addresses')))) {
      const at = `$.matrix.hosts.${host}.addresses.${network}`;
      if (!Object.hasOwn(networks, network)) say(at, `no such network; one of ${oneOf(Object.keys(networks))}`);
      if (typeof address !== 'string' || address === 'discover') continue;
      const owner = owners.get(canonical(address));
      if (owner !== undefined) say(at, `${address} belongs to ${owner} already`);
      owners.set(canonical(address), at);
      const range = member(networks[network], 'cidr');
      if (typeof range === 'string' && isNetwork(range) && isIP(address) !== 0 && !within(address, range)) say(at, `${address} is outside ${network}'s ${range}`);
    }
    if (typeof member(member(site, 'logins'), host) !== 'string') say('$.site.logins', `no entry for host ${host}; add "${host}": "<name for ssh>"`);
  }
  for (const login of Object.keys(record(member(site, 'logins'))))
    if (!hosts.includes(login)) say(`$.site.logins.${login}`, `no such host; one of ${oneOf(hosts)}`);
  const gateway = member(site, 'gateway');
  if (typeof gateway === 'string' && !hosts.includes(gateway)) say('$.site.gateway', `no such host; one of ${oneOf(hosts)}`);

  const denied = member(member(site, 'timing'), 'denied');
  const [floorMs, windowMs] = [member(denied, 'floorMs'), member(denied, 'windowMs')];
  if (typeof floorMs === 'number' && typeof windowMs === 'number' && floorMs > windowMs) say('$.site.timing.denied.floorMs', `${floorMs} is more than windowMs, which is ${windowMs}: the shortest wait is no longer than the longest; lower it, or raise windowMs`);

  const flows = member(matrix, 'flows');
  const ids = new Map<string, number>();
  for (const [index, flow] of (Array.isArray(flows) ? flows : []).entries()) {
    const parsed = row.safeParse(flow);
    if (!parsed.success) continue;
    const at = `$.matrix.flows[${index}]`;
    const { id, from, to, network, speaks, transport, ports, address } = parsed.data;
    const first = ids.get(id);
    if (first !== undefined) say(`${at}.id`, `flows[${first}] has the id ${id} already`);
    else ids.set(id, index);
    if (![...hosts, 'operator'].includes(from)) say(`${at}.from`, `no such host; one of ${oneOf([...hosts, 'operator'])}`);
    if (![...hosts, ...targets, 'any'].includes(to)) say(`${at}.to`, `no such host or target; one of ${oneOf([...hosts, ...targets, 'any'])}`);
    if (!Object.hasOwn(networks, network)) say(`${at}.network`, `no such network; one of ${oneOf(Object.keys(networks))}`);
    else if (hosts.includes(to) && member(member(member(member(matrix, 'hosts'), to), 'addresses'), network) === undefined)
      say(`${at}.network`, `${to} has no address on ${network}; add it under $.matrix.hosts.${to}.addresses`);
    if (transportOf[speaks] !== transport) say(`${at}.speaks`, `${speaks} goes over ${transportOf[speaks]}, not ${transport}`);
    if (parsed.data.until !== undefined && parsed.data.temp !== true) say(`${at}.until`, 'only a TEMP row ends; add "temp": true, or take this out');
    if (address !== undefined && from !== to) say(`${at}.address`, 'only a flow of a host to itself names its address; elsewhere it is the destination\'s own');
    if (speaks === 'ssh' && from !== 'operator' && from !== gateway)
      say(`${at}.speaks`, 'ssh is looked at by our own login, which starts at the operator or the gateway alone; use "tcp" here');
    for (const twice of ports.filter((p, i) => ports.indexOf(p) !== i)) say(`${at}.ports`, `${twice} stands there twice`);
  }
  return mistakes;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function member(value: unknown, key: string): unknown {
  const parent = record(value);
  return Object.hasOwn(parent, key) ? parent[key] : undefined;
}
