// Plan and observations -> what stands behind each flow's verdict: the controls, by id, and what the witness saw. Pure.
import { isIPv6 } from 'node:net';
import { canonical } from './address.ts';
import { findArrival, identity, parseEntries, type Entry } from './conntrack.ts';
import { factsOf, isFailure, operator } from './destinations.ts';
import { interfaceOf } from './facts.ts';
import type { Arrival, Backing, Control, Discovery, Inventory, Observation, Outcome, Plan, PlannedFlow, Witness } from './model.ts';

/** Whether one address family was shown to be recorded: a firewall for IPv4 alone leaves IPv6 untracked. */
type Shown = Readonly<{ before: Control; after: Control }>;

/** What was read of one host's connection tracking in this run, and whether it was shown to record. */
export type Tracked = Readonly<{ ipv4: Shown; ipv6: Shown; first: readonly string[]; later: readonly string[] }>;

/** What one listener heard, and whether it was shown to hear. */
export type Heard = Readonly<{ before: Control; after: Control; arrivals: readonly Arrival[] }>;

export type Seen = Readonly<{
  inventory: Inventory;
  discovery: Discovery;
  plan: Plan;
  observations: ReadonlyMap<string, Observation>;
  tracked: ReadonlyMap<string, Tracked>;
  /** By the listener's id. */
  heard: ReadonlyMap<string, Heard>;
  /** By host: the address that our SSH session into it stands on. */
  sessions: ReadonlyMap<string, string>;
}>;

/** A function from a planned flow to its backing; what many flows share is worked out once. */
export function backingFor(seen: Seen): (planned: PlannedFlow) => Backing {
  const senders = senderControls(seen);
  const tables = new Map([...seen.tracked].map(([host, tracked]) => [host, readTable(tracked)]));
  const sources = new Map([...Object.keys(seen.inventory.matrix.hosts), operator].map((host) => [host, ownAddresses(seen.discovery, host)]));
  const translators = sources.get(seen.inventory.site.gateway) ?? new Set<string>();

  return ({ flow, witness, listener, aliveBy }) => {
    const tracked = witness === null ? undefined : seen.tracked.get(witness);
    const table = witness === null ? undefined : tables.get(witness);
    const replies = seen.observations.get(flow.id)?.replies ?? [];
    const sourcePorts = new Set(replies.flatMap((reply) => (reply.event === 'sent' && reply.sourcePort !== null ? [reply.sourcePort] : [])));
    const arrival = table === undefined ? null : findArrival(flow, table.entries, { sources: sources.get(flow.from) ?? new Set(), translators, sourcePorts, known: table.known });
    // Behind a router the source may be masqueraded; then only its port tells that an entry is ours.
    const recognisable = flow.route?.via === undefined || sourcePorts.size > 0;
    return {
      sender: senders(flow.from, flow.route?.interface ?? null),
      alive: aliveControl(seen, aliveBy),
      witness: witness === null ? null : tracked === undefined ? unread(witness) : asWitness(witness, isIPv6(canonical(flow.address ?? '')) ? tracked.ipv6 : tracked.ipv4, arrival, recognisable),
      listener: listener === null ? null : heardBy(listener, seen.heard.get(listener), { sources: sources.get(flow.from) ?? new Set(), translators, sourcePorts }, recognisable),
      overlay: flow.protocol === 'nebula' ? overlayControl(seen, flow.from, flow.to) : null,
    };
  };
}

function readTable({ first, later }: Tracked): { entries: readonly Entry[]; known: ReadonlySet<string> } {
  const known = parseEntries(first).map(identity);
  const once = new Map(parseEntries(later).map((entry) => [identity(entry), entry]));
  return { entries: [...once.values()], known: new Set(known) };
}

function ownAddresses(discovery: Discovery, host: string): ReadonlySet<string> {
  const facts = factsOf(discovery, host);
  return new Set(isFailure(facts) ? [] : facts.addresses.map((own) => canonical(own.address)));
}

function asWitness(host: string, { before, after: shown }: Shown, arrival: Entry | null, recognisable: boolean): Witness {
  const after = recognisable ? shown : { ...shown, held: false, detail: `the prober cannot tell its source ports, by which ${host} would know what the gateway masquerades` };
  return { id: `connection tracking of ${host}`, before, after, saw: arrival === null ? null : `${host}'s connection tracking has it: ${arrival.line}` };
}

type Ours = Readonly<{ sources: ReadonlySet<string>; translators: ReadonlySet<string>; sourcePorts: ReadonlySet<number> }>;

function heardBy(id: string, heard: Heard | undefined, { sources, translators, sourcePorts }: Ours, recognisable: boolean): Witness | null {
  if (heard === undefined) return null;
  const arrival = heard.arrivals.find(({ source, sourcePort }) => {
    const from = canonical(source);
    return sources.has(from) || (translators.has(from) && sourcePorts.has(sourcePort));
  });
  const saw = arrival === undefined ? null : `our listener got it (${arrival.how === 'half' ? 'a handshake without its end' : 'the token or the connection'}) from ${arrival.source} port ${arrival.sourcePort}`;
  return { id, before: heard.before, after: recognisable ? heard.after : { ...heard.after, held: false }, saw };
}

function unread(host: string): Witness {
  const control = (when: string): Control => ({ id: `witness ${host} ${when}`, held: false, detail: `the connection tracking of ${host} was not read` });
  return { id: `connection tracking of ${host}`, before: control('before'), after: control('after'), saw: null };
}

/** What shows that a vantage can send on an interface: an answer it got there, or our own session on it. */
function senderControls(seen: Seen): (vantage: string, device: string | null) => Control {
  const held = new Map<string, Control>();
  const note = (vantage: string, device: string | undefined | null, control: Control): void => {
    for (const key of [`${vantage} ${device}`, `${vantage} any`]) if (device && !held.has(key)) held.set(key, control);
  };
  for (const [host, address] of seen.sessions) {
    const facts = factsOf(seen.discovery, host);
    note(host, isFailure(facts) ? null : interfaceOf(facts, address), { id: `login ${host}`, held: true, detail: `our SSH session into ${host} is on that interface` });
  }
  for (const { flow } of [...seen.plan.flows, ...seen.plan.controls.map((probe) => ({ flow: probe.flow }))]) {
    const outcome = seen.observations.get(flow.id)?.outcome;
    if (outcome === undefined || !isAnswer(outcome)) continue;
    const control = { id: flow.id, held: true, detail: `answered: ${outcome.detail}` };
    note(flow.from, flow.route?.interface, control);
    // What answered has sent as well, on the interface that holds the address.
    const facts = factsOf(seen.discovery, flow.to);
    note(flow.to, isFailure(facts) ? null : interfaceOf(facts, flow.address ?? ''), control);
  }
  return (vantage, device) =>
    held.get(`${vantage} ${device ?? 'any'}`) ?? { id: `sender ${vantage} ${device ?? 'any'}`, held: false, detail: `nothing in this run shows that ${vantage} can send on ${device ?? 'any interface'}` };
}

/** Whatever protocol it spoke: something came back from there. */
function isAnswer(outcome: Outcome): outcome is Extract<Outcome, { seen: 'answered' | 'garbled' }> {
  return outcome.seen === 'answered' || outcome.seen === 'garbled';
}

function aliveControl({ observations }: Seen, aliveBy: readonly string[]): Control | null {
  const [first] = aliveBy;
  if (first === undefined) return null;
  const answered = aliveBy.find((id) => {
    const outcome = observations.get(id)?.outcome;
    return outcome !== undefined && isAnswer(outcome);
  });
  return answered === undefined
    ? { id: first, held: false, detail: `${aliveBy.join(', ')}: ${observations.get(first)?.outcome.seen ?? 'not looked at'}` }
    : { id: answered, held: true, detail: `${answered} answered` };
}

/** The overlay between the same two machines, in either direction. */
function overlayControl({ inventory, plan, observations }: Seen, from: string, to: string): Control | null {
  const overlay = plan.flows.filter(({ flow }) =>
    flow.expected === 'allowed' && inventory.matrix.networks[flow.network]?.kind === 'overlay' && [flow.from, flow.to].includes(from) && [flow.from, flow.to].includes(to),
  );
  const first = overlay.find(({ flow }) => observations.get(flow.id)?.outcome.seen === 'answered') ?? overlay[0];
  if (first === undefined) return null;
  const held = observations.get(first.flow.id)?.outcome.seen === 'answered';
  return { id: first.flow.id, held, detail: `${first.flow.id} ${held ? 'answered' : 'did not answer'}` };
}
