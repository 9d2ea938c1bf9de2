// What a plan will send, before anything is sent: from where, and how many packets at least and at most. Pure.
import { factsOf, isFailure, operator, sourceAddress } from './facts.ts';
import { mostTries, patiently, roundTripsWanted } from './loss.ts';
import type { Discovery, Failure, Flow, Inventory, Plan, PlannedFlow, Probe, Timing } from './model.ts';
import { isScannable, packetTimes, type Kind } from './pace.ts';
import { holds } from './rows.ts';

/**
 * Packets that begin something: SYNs (those that the kernel repeats, too), datagrams, echo requests, raw packets and frames. least: allowed
 * flows answer at once, and hosts' own firewalls stop all else · most: nothing is answered before its last try · mostUnderLoss: and so
 * much is lost that each silent look is made again with as many tries as a run makes at all.
 */
export type Packets = Readonly<{ least: number; most: number; mostUnderLoss: number }>;

/** A cell that would be probed. `source`: the address that its packets have, as far as it is known. */
export type Expected = Readonly<{ flow: Flow; source: string; packets: Packets }>;
export type Sender = Readonly<{ vantage: string; source: string; cells: number; packets: Packets }>;
export type Forecast = Readonly<{ cells: readonly Expected[]; senders: readonly Sender[]; total: Packets; unknown: readonly string[] }>;

/** Everything that depends on a login, where there was none. */
export function undiscovered(inventory: Inventory): Discovery {
  const nothing = (cause: string): Failure => ({ operation: 'login', cause });
  const names = Object.values(inventory.site.targets).flatMap((target) => target.names ?? []);
  return {
    hosts: Object.fromEntries([...Object.keys(inventory.matrix.hosts), operator].map((host) => [host, nothing(`${host} was not entered`)])),
    names: Object.fromEntries(names.map((name) => [name, nothing(`${name} was not resolved`)])),
    witnesses: [], listeners: [], privileged: [], raw: [], beacons: {}, seenAs: [],
  };
}

/** @param isKnown whether the discovery is a run's; else everything is reckoned from the inventory, and the most is assumed of each host */
export function forecast(plan: Plan, inventory: Inventory, discovery: Discovery, isKnown: boolean): Forecast {
  const cells = plan.flows.map((planned): Expected => ({ flow: planned.flow, source: sourceOf(planned.flow, inventory, discovery), packets: ofCell(planned, inventory, isKnown) }));
  const senders = new Map<string, Sender>();
  const add = (vantage: string, source: string, count: number, packets: Packets): void => {
    const key = `${vantage} ${source}`;
    const known = senders.get(key) ?? { vantage, source, cells: 0, packets: none };
    senders.set(key, { ...known, cells: known.cells + count, packets: sum([known.packets, packets]) });
  };
  for (const { flow, source, packets } of cells) add(flow.from, source, 1, packets);
  for (const { flow, packets } of controlsOf(plan, inventory, isKnown)) add(flow.from, sourceOf(flow, inventory, discovery), 0, packets);
  for (const [vantage, packets] of besides(plan, inventory)) add(vantage, isKnown ? 'any of its addresses' : byRoute, 0, packets);
  return { cells, senders: [...senders.values()], total: sum([...senders.values()].map(({ packets }) => packets)), unknown: isKnown ? [] : unknownOf(plan, inventory) };
}

const none: Packets = { least: 0, most: 0, mostUnderLoss: 0 };
const sum = (all: readonly Packets[]): Packets =>
  all.reduce((total, one) => ({ least: total.least + one.least, most: total.most + one.most, mostUnderLoss: total.mostUnderLoss + one.mostUnderLoss }), none);

/** Of the sh prober's datagrams the first is led by one more; which prober it is, is not always known. */
const kindOfFlow = ({ transport, by }: Flow): Kind => (by !== undefined ? 'packet' : transport === 'tcp' ? 'handshake' : transport === 'udp' ? 'led datagram' : 'packet');

function ofCell({ flow, probe, nearWall, farWall }: PlannedFlow, { site }: Inventory, isKnown: boolean): Packets {
  const { by } = probe.look;
  // Our own login is its probe; what the tables tell, nobody asks by a packet; what a host sends to itself is on no wire.
  if (flow.family === 'surviving session' || by === 'login' || (isKnown && by === 'facts') || flow.to === flow.from) return none;
  const own = ofLook(site.timing[flow.expected], kindOfFlow(flow));
  // The operator's view of an NTP server, by ntp-client through the same vantage.
  if (flow.expected === 'allowed') return flow.protocol === 'ntp' && flow.from !== operator ? { least: 2, most: own.most * 2, mostUnderLoss: own.most * 2 } : { ...own, least: 1, mostUnderLoss: own.most };
  const walled = isKnown ? { near: nearWall !== null, far: farWall !== null } : canBeWalled(flow, site);
  const frames = walled.far ? ofLook(site.timing.denied, 'packet') : none;
  return sum([
    { ...own, least: 0 },
    walled.near ? { least: 0, most: 1, mostUnderLoss: 1 } : none,
    { ...frames, least: isKnown && walled.far ? 1 : 0 },
  ]);
}

/** Where the host turns out to have python3 and root. */
function canBeWalled({ from, by, transport }: Flow, site: Inventory['site']): Readonly<{ near: boolean; far: boolean }> {
  const able = from !== operator && by === undefined && site.without?.includes('walls') !== true;
  return { near: able && transport === 'tcp', far: able };
}

function ofLook(timing: Timing, kind: Kind): Packets {
  // A scan asks twice whether a datagram may leave.
  const twice = kind === 'led datagram' && isScannable({ ...timing, transport: 'udp', send: '' }) ? 1 : 0;
  const most = packetTimes(timing, kind).length + twice;
  const again = packetTimes(kind === 'handshake' ? patiently(mostTries) : { ...timing, attempts: mostTries }, kind).length;
  return { least: 1, most, mostUnderLoss: most + again };
}

/** The operator's looks at what others may not reach outside, and frames on allowed flows. */
function controlsOf(plan: Plan, { site, matrix }: Inventory, isKnown: boolean): readonly Readonly<{ flow: Flow; packets: Packets }>[] {
  const timing = site.timing.denied;
  if (isKnown) return plan.controls.map(({ flow, look }: Probe) => ({ flow, packets: ofLook(timing, look.by === 'frame' ? 'packet' : kindOfFlow(flow)) }));
  const ours = new Set([...Object.keys(matrix.hosts), operator]);
  const outward = new Map(plan.flows.map(({ flow }) => flow).filter((flow) => !ours.has(flow.to) && flow.to !== 'any' && flow.expected === 'denied' && flow.transport !== 'ip' && flow.by === undefined)
    .map((flow) => [`${flow.to} ${flow.transport}/${flow.port}`, { ...flow, from: operator }]));
  const frames = plan.flows.map(({ flow }) => flow).filter((flow) => flow.expected === 'allowed' && flow.protocol !== 'ssh' && flow.from !== operator && flow.to !== flow.from);
  return [
    ...[...outward.values()].map((flow) => ({ flow, packets: { ...ofLook(timing, kindOfFlow(flow)), least: 0 } })),
    ...frames.map((flow) => ({ flow, packets: { ...ofLook(timing, 'packet'), least: 0 } })),
  ];
}

/** By vantage: the round trips that measure the loss, and the names that are resolved. */
function besides({ phase, flows }: Plan, { matrix, site }: Inventory): ReadonlyMap<string, Packets> {
  const vantages = [...new Set(flows.map(({ flow }) => flow.from))];
  const names = new Set(Object.values(site.targets).flatMap((target) => target.names ?? [])).size;
  const question = packetTimes(site.timing.allowed, 'led datagram').length;
  return new Map(vantages.map((vantage) => {
    const asked = names * matrix.flows.filter((row) => row.from === vantage && row.speaks === 'dns' && holds(row, phase)).length;
    const answering = flows.some(({ flow }) => flow.from === vantage && flow.expected === 'allowed');
    const trips = answering || vantage === operator ? roundTripsWanted : 0;
    return [vantage, { least: 0, most: trips * 2 + asked * question, mostUnderLoss: trips * 2 + asked * question }];
  }));
}

const byRoute = 'by its routes';

function sourceOf({ from, network, address }: Flow, { matrix }: Inventory, discovery: Discovery): string {
  const facts = factsOf(discovery, from);
  if (!isFailure(facts)) return (address === null ? null : sourceAddress(facts, address)) ?? 'none';
  const given = matrix.hosts[from]?.addresses[network];
  if (given === undefined) return byRoute;
  return given === 'discover' ? `its own on ${network}` : given;
}

/** What only logins and names would tell, and what it may add or take. */
function unknownOf({ flows }: Plan, { site }: Inventory): readonly string[] {
  const cellsTo = (label: string): number => flows.filter(({ flow }) => flow.to === label).length;
  return [
    ...Object.values(site.targets).flatMap((target) => target.names ?? []).map((name) => `the addresses of ${name}: each further one is a target of its own, ${name}#2 and so on, with up to ${cellsTo(name)} cells more`),
    ...Object.entries(site.targets).flatMap(([target, { discover }]) => (discover === undefined ? [] : [`the addresses of ${target} (${discover} of each host): each is a target as a name is, under ${target} or its address`])),
    'the routes and neighbours of each host: cells with no path, or to an address that there is not, stay and send nothing; a few by another way or from a source port fall away',
    'what each prober can do: where it has no root or no python3, its source ports below 1024, raw packets and frames fall away',
  ];
}
