// How long silence is waited for at a denied TCP look: as long as TCP itself waits for an answer, by the round trips of this run. Pure.
import { factsOf, interfaceOf, isFailure, operator } from './facts.ts';
import type { Account, Discovery, Exchange, Flow, Inventory, Plan, PlannedFlow, Probe, Window } from './model.ts';

/** TCP's first timeout is SRTT + 4·RTTVAR; after one measurement R it is R + 4·R/2 (RFC 6298, section 2.2). */
const roundTrips = 3;

/** Where the inventory names none. A kernel answers a SYN at once; what is short of this is soon a busy machine's own delay. */
const usualFloorMs = 200;

type Bounds = Inventory['site']['timing']['denied'];

/** In whole ms. @param roundTripMs null: not measured; then it is waited as long as at most */
export function windowOf(roundTripMs: number | null, { floorMs = usualFloorMs, windowMs: ceilingMs }: Bounds): number {
  return roundTripMs === null ? ceilingMs : Math.min(ceilingMs, Math.max(floorMs, Math.ceil(roundTrips * roundTripMs)));
}

/** What tells where a flow leads. */
type Known = Readonly<{ inventory: Inventory; discovery: Discovery }>;

/**
 * The plan with the windows of its denied TCP looks, and these, one for each source, destination and network. All other looks keep
 * theirs: a service may think before it answers a datagram, and echo requests, raw packets and frames cost next to nothing.
 * @param measured by host, ms from the operator's seat and back. Between two hosts it is at most the sum of theirs: the way by the seat
 */
export function withWindows(plan: Plan, { inventory, discovery }: Known, measured: ReadonlyMap<string, number>): Readonly<{ plan: Plan; windows: readonly Window[] }> {
  const windows = new Map<string, Window>();
  const isAt = isAtIn({ inventory, discovery });
  const windowFor = (flow: Flow): Window => {
    const to = isAt(flow);
    const [there, back] = [measured.get(flow.from), to === null ? undefined : measured.get(to)];
    const roundTripMs = there === undefined || back === undefined ? null : there + back;
    const made = { from: flow.from, to, network: flow.network, roundTripMs, windowMs: windowOf(roundTripMs, inventory.site.timing.denied) };
    return windows.get(nameOf(made)) ?? (windows.set(nameOf(made), made), made);
  };
  const flows = plan.flows.map((planned): PlannedFlow => {
    const { probe } = planned;
    const exchange = handshakeOf(probe);
    return exchange === null ? planned : { ...planned, probe: { ...probe, look: { by: 'exchange', exchange: { ...exchange, windowMs: windowFor(probe.flow).windowMs } } } };
  });
  return { plan: { ...plan, flows }, windows: [...windows.values()] };
}

/** What does not fit together in evidence: one line for each window, and each look's, that is another than its round trip makes. */
export function misfits({ inventory, discovery, plan }: Pick<Account, 'inventory' | 'discovery' | 'plan'>, windows: readonly Window[]): readonly string[] {
  const isAt = isAtIn({ inventory, discovery });
  const known = new Map(windows.map((one) => [nameOf(one), one.windowMs]));
  const { denied } = inventory.site.timing;
  return [
    ...windows.filter((one) => one.windowMs !== windowOf(one.roundTripMs, denied)).map((one) => `the window ${nameOf(one)} stands as ${one.windowMs} ms; its round trip makes it ${windowOf(one.roundTripMs, denied)} ms`),
    ...plan.flows.flatMap(({ probe }) => {
      const exchange = handshakeOf(probe);
      const name = nameOf({ ...probe.flow, to: isAt(probe.flow) });
      return exchange === null || exchange.windowMs === known.get(name) ? [] : [`${probe.id}: its look has a window of ${exchange.windowMs} ms; that of ${name} is ${known.get(name) ?? 'not there'}`];
    }),
  ];
}

/** Of a look whose window is derived; null: of all others. */
const handshakeOf = ({ look, flow }: Probe): Exchange | null => (look.by === 'exchange' && flow.transport === 'tcp' && flow.expected === 'denied' ? look.exchange : null);

const nameOf = ({ from, to, network }: Pick<Window, 'from' | 'to' | 'network'>): string => `${from} -> ${to ?? 'elsewhere'} ${network}`;

/**
 * Whose round trip tells of a flow: its destination's, if that is the operator or one of our hosts, or the beacon's that holds the
 * address. null: nobody's. An overlay may lead by a relay somewhere, and its first packet waits for a tunnel.
 */
function isAtIn({ inventory: { matrix }, discovery }: Known): (flow: Flow) => string | null {
  const beacons = Object.keys(discovery.beacons);
  const holds = (beacon: string, address: string): boolean => {
    const facts = factsOf(discovery, beacon);
    return !isFailure(facts) && interfaceOf(facts, address) !== null;
  };
  return ({ to, network, address }) => {
    if (matrix.networks[network]?.kind === 'overlay') return null;
    if (to === operator || Object.hasOwn(matrix.hosts, to)) return to;
    return (address === null ? undefined : beacons.find((beacon) => holds(beacon, address))) ?? null;
  };
}
