// Plan and observations -> what stands behind each flow's verdict: the controls, by id, and what the witnesses saw. Pure.
import { isIPv6 } from 'node:net';
import { canonical } from './address.ts';
import { findArrival, knownEntries, longestGapMs, missable, overfull, parseEntries, type Entry, type Ours } from './conntrack.ts';
import { factsOf, interfaceOf, isFailure, isUntracked, operator, ownAddresses } from './facts.ts';
import type { Account, Backing, Control, Flow, Heard, Observation, Plan, PlannedFlow, Probe, Resets, Tracked, Witness } from './model.ts';
import { isAnswer, senderControls } from './senders.ts';

export type { Heard, Tracked } from './model.ts';

export type Seen = Account & Readonly<{ observations: ReadonlyMap<string, Observation> }>;

export type BackingOf = Readonly<{
  /** What stands behind the look of a user. */
  endToEnd: (planned: PlannedFlow) => Backing;
  /** What stands behind the look past the source's own firewall. */
  farWall: (planned: PlannedFlow, probe: Probe) => Backing;
}>;

/** Functions from a planned flow to its backing; what many flows share is worked out once. */
export function backingFor(seen: Seen): BackingOf {
  const senders = senderControls(seen);
  const tables = new Map([...seen.tracked].map(([host, tracked]) => [host, readTable(tracked)]));
  const hosts = [...Object.keys(seen.inventory.matrix.hosts), operator];
  const sources = new Map(hosts.map((host) => [host, ownAddresses(seen.discovery, host)]));
  const { gateway } = seen.inventory.site;
  const translators = new Set([...(sources.get(gateway) ?? []), ...seen.discovery.seenAs]);

  const others = givenToOthers(seen.plan);
  const fixed = new Set(seen.plan.flows.flatMap(({ flow, probe }) => (flow.from === gateway ? [...givenPorts(probe)].map((port) => tupleOf(flow, port)) : [])).concat((seen.plan.elsewhere ?? []).map((flow) => tupleOf(flow, flow.sourcePort ?? 0))));

  const overlayFlows = seen.plan.flows.filter(({ flow }) => flow.expected === 'allowed' && seen.inventory.matrix.networks[flow.network]?.kind === 'overlay');

  const known = new Map<string, boolean>();
  const recognised = (beacon: string, ours: Ours): boolean => {
    const key = `${beacon} ${ours.sourcePorts.size > 0}`; // it is asked for each cell, and hangs on nothing else
    const told = known.get(key) ?? recognises(seen, beacon, tables.get(beacon), ours);
    known.set(key, told);
    return told;
  };
  const isBeacon = (host: string): boolean => Object.hasOwn(seen.discovery.beacons, host);
  const oursOf = (flow: Flow, probe: Probe): Ours => ({
    sources: sources.get(flow.from) ?? new Set(),
    translators: passesGateway(flow) ? translators : new Set(seen.discovery.seenAs),
    sourcePorts: portsOf(probe, seen.observations.get(probe.id)),
    others: others(flow.from),
  });
  const passesGateway = ({ route }: Flow): boolean => route?.via !== undefined && sources.get(gateway)?.has(canonical(route.via)) === true;
  const witnessOf = (host: string, flow: Flow, ours: Ours, counts: (entry: Entry) => boolean = () => true): Witness => {
    const id = `connection tracking of ${host}`;
    const tracked = seen.tracked.get(host);
    const table = tables.get(host);
    if (tracked === undefined || table === undefined) return unread(host, id);
    const { before, after } = isIPv6(canonical(flow.address ?? '')) ? tracked.ipv6 : tracked.ipv4;
    // The machine that translates has the packet's own source in its table; what it sent itself is under its own address.
    const arrival = findArrival(flow, entriesOf(table, flow).filter(counts), host === gateway ? { ...ours, translators: new Set() } : ours, table.known);
    const why = untracked(seen, host, flow) ?? missed(host, table, flow) ?? (isBeacon(host) ? null : masqueraded(seen, host, flow, ours));
    return { id, before, after: why === null ? after : { ...after, held: false, detail: why }, saw: arrival === null ? null : `${host}'s connection tracking has it: ${arrival.line}` };
  };
  const common = ({ flow, witnesses, listener, aliveBy }: PlannedFlow, probe: Probe, ours: Ours): Pick<Backing, 'alive' | 'witnesses' | 'listener' | 'resets'> => ({
    alive: aliveControl(seen, aliveBy),
    // Out there the gateway's own packets look like those that it masquerades, and those of a namesake port like its own.
    witnesses: witnesses.filter((host) => !isBeacon(host) || (flow.from !== gateway && recognised(host, ours))).flatMap((host) => {
      if (isBeacon(host) && passesGateway(flow) && [...givenPorts(probe)].some((port) => fixed.has(tupleOf(flow, port)))) {
        const untranslated = witnessOf(host, flow, { ...ours, translators: new Set() });
        return untranslated.saw === null ? [] : [untranslated];
      }
      const witness = witnessOf(host, flow, ours, host === flow.to && isRejectedBySelf(seen, probe) ? ({ state }) => state !== 'SYN_SENT' : undefined);
      // What a router of ours has let pass may still be stopped at a machine of ours; out of our hands it is only beyond.
      const passedOn = witness.saw !== null && host !== flow.to && hosts.includes(flow.to) && flow.by === undefined;
      return passedOn ? [] : [witness];
    }),
    listener: listener === null ? null : heardBy(listener, seen.heard.get(listener), ours),
    resets: seen.resets.get(probe.id) ?? elsewhere(seen, aliveBy),
  });

  return {
    endToEnd: (planned) => {
      const { flow, probe, nearWall } = planned;
      const ours = oursOf(flow, probe);
      const left = probe.look.by === 'exchange' && flow.to !== flow.from && seen.tracked.has(flow.from) ? witnessOf(flow.from, flow, ours) : null;
      const near = nearWall === null ? null : nearControl(seen, nearWall);
      const shared = common(planned, probe, ours);
      const hidden = planned.farWall !== null && isIndistinct(flow, ours, portsOf(planned.farWall, undefined)) && (near?.held === true || seen.observations.get(probe.id)?.outcome.seen === 'barred');
      return {
        sender: (probe.look.by === 'frame' ? senders.frames : senders.endToEnd)(flow.from, flow.route?.interface ?? null, flow.to),
        ...shared,
        ...(hidden ? { witnesses: shared.witnesses.map(blind), listener: shared.listener === null ? null : blind(shared.listener) } : {}),
        near, left: left === null ? null : { ...left, id: `own ${left.id}` },
        overlay: flow.protocol === 'nebula' ? overlayControl(seen, overlayFlows, flow.from, flow.to) : null,
      };
    },
    farWall: (planned, probe) => {
      const { flow } = planned;
      return { sender: senders.frames(flow.from, flow.route?.interface ?? null, flow.to), ...common(planned, probe, oursOf(flow, probe)), near: null, left: null, overlay: null };
    },
  };
}

/**
 * A firewall's `reject with tcp reset` lets its RST leave with the entry of the SYN that it keeps out, as if that had come in: it stays
 * in SYN_SENT, which the kernel's own answers, SYN-ACK or RST, end. Believed where a RST came and the kernel is shown to have sent none.
 */
function isRejectedBySelf({ observations, resets }: Seen, { id }: Probe): boolean {
  const outcome = observations.get(id)?.outcome;
  const counted = resets.get(id);
  return outcome?.seen === 'refused' && outcome.by === 'rst' && counted?.counted === true && !counted.sent;
}

/** `entries`: by what they went to, since each cell asks every witness. */
type Table = Readonly<{ entries: ReadonlyMap<string, readonly Entry[]>; known: ReadonlyMap<string, number>; gapMs: number; keepsMs: number | null; full: string | null }>;

function readTable({ first, later, keepsMs = null }: Tracked): Table {
  const entries = new Map<string, Entry[]>();
  for (const entry of later.flatMap(parseEntries)) {
    const key = targetOf(entry.transport, entry.destination, entry.port);
    const own = entries.get(key);
    if (own === undefined) entries.set(key, [entry]);
    else own.push(entry);
  }
  return { entries, known: knownEntries(first), gapMs: longestGapMs([first, ...later]), keepsMs, full: overfull([first, ...later]) };
}

const targetOf = (transport: string, address: string, port: number | null): string => `${transport} ${address} ${transport === 'icmp' ? '' : port}`;
const entriesOf = ({ entries }: Table, { transport, address, port }: Flow): readonly Entry[] => entries.get(targetOf(transport, canonical(address ?? ''), port)) ?? [];

/** What we gave the packets ourselves: of a cell that is about it, of a protocol that has its own, of all raw packets and frames. */
function givenPorts({ look }: Pick<Probe, 'look'>): ReadonlySet<number> {
  const port = look.by === 'exchange' ? look.exchange.sourcePort : look.by === 'raw' || look.by === 'frame' ? look.sourcePort : 0;
  return new Set(port === 0 ? [] : [port]);
}

/** What we gave the packets ourselves, or what the prober says that the kernel gave them. */
function portsOf({ look }: Probe, observation: Observation | undefined): ReadonlySet<number> {
  if (look.by === 'raw' || look.by === 'frame') return givenPorts({ look });
  return new Set((observation?.replies ?? []).flatMap((reply) => (reply.event === 'sent' && reply.sourcePort !== null ? [reply.sourcePort] : [])));
}

/** A function from a vantage to those that the packets of all other vantages were given by us. */
function givenToOthers({ flows }: Plan): (host: string) => Ours['others'] {
  const owners = new Map<number, string | null>(); // null: several
  for (const { flow, probe, nearWall, farWall } of flows)
    for (const one of [probe, nearWall, farWall])
      for (const port of one === null ? [] : portsOf(one, undefined)) {
        const owner = owners.get(port);
        owners.set(port, owner === undefined || owner === flow.from ? flow.from : null);
      }
  return (host) => ({ has: (port) => owners.has(port) && owners.get(port) !== host });
}

/** All that a packet shows of itself but its source address. */
const tupleOf = ({ transport, address, port }: Flow, sourcePort: number): string => `${transport} ${address} ${port} ${sourcePort}`;

/** Its rules may have taken the packet out of its connection tracking, whose silence then says nothing. */
function untracked({ discovery }: Seen, host: string, flow: Flow): string | null {
  const facts = factsOf(discovery, host);
  return isFailure(facts) || !isUntracked(facts, flow) ? null : `the rules of ${host} take such packets out of its connection tracking (notrack)`;
}

/** Entries may have come and gone between two readings, or made room in a full table: that none was met says nothing. */
function missed(host: string, { gapMs, keepsMs, full }: Table, { transport }: Flow): string | null {
  const why = full ?? missable(transport, gapMs, keepsMs);
  return why === null ? null : `the connection tracking of ${host} ${why}`;
}

/** Behind a router the source may be masqueraded; then only its port tells that an entry is ours. */
function masqueraded({ discovery }: Seen, host: string, { route, from, transport }: Flow, { sourcePorts }: Ours): string | null {
  const facts = factsOf(discovery, host);
  const isRouter = route?.via !== undefined && !isFailure(facts) && interfaceOf(facts, route.via) !== null;
  const plain = host === from || route?.via === undefined || isRouter || sourcePorts.size > 0 || transport === 'ip';
  return plain ? null : `the prober of ${from} cannot tell its source ports, by which ${host} would know what was masqueraded on the way`;
}

/**
 * Networks that we do not know lie before a beacon, and may translate: it is a witness if it recognised what the operator
 * sent it by its source port; for looks whose port we do not know, by the operator's own address.
 */
function recognises({ plan, observations, discovery }: Seen, beacon: string, table: Table | undefined, { sourcePorts }: Ours): boolean {
  const facts = factsOf(discovery, beacon);
  if (isFailure(facts) || table === undefined) return false;
  const others: Ours['others'] = new Set<number>();
  const given = sourcePorts.size > 0 ? { others, sources: new Set<string>(), translators: null } : { others, sources: ownAddresses(discovery, operator), translators: new Set<string>() };
  return plan.controls.some((probe) => {
    const { flow } = probe;
    if (flow.from !== operator || flow.address === null || flow.transport === 'icmp' || interfaceOf(facts, flow.address) === null) return false;
    const ports = portsOf(probe, observations.get(probe.id));
    return ports.size > 0 && findArrival(flow, entriesOf(table, flow), { ...given, sourcePorts: ports }, table.known) !== null;
  });
}

/** A frame with the very same ports went past the source's own firewall: what that one bars did not come by this look. */
function isIndistinct(flow: Flow, { sourcePorts }: Ours, framePorts: ReadonlySet<number>): boolean {
  return flow.transport === 'ip' || [...framePorts].some((port) => sourcePorts.has(port));
}

function unread(host: string, id: string): Witness {
  const control = (when: string): Control => ({ id: `witness ${host} ${when}`, held: false, detail: `the connection tracking of ${host} was not read` });
  return { id, before: control('before'), after: control('after'), saw: null };
}

function blind(witness: Witness): Witness {
  return { ...witness, saw: null };
}

function heardBy(id: string, heard: Heard | undefined, { sources, translators, sourcePorts, others }: Ours): Witness | null {
  if (heard === undefined) return null;
  const arrival = heard.arrivals.find(({ source, sourcePort }) => {
    const from = canonical(source);
    const named = sourcePorts.has(sourcePort);
    return sources.has(from) ? named || (sourcePorts.size === 0 && !others.has(sourcePort)) : named && translators?.has(from) === true;
  });
  const saw = arrival === undefined ? null : `our listener got it (${arrival.how === 'half' ? 'a handshake without its end' : 'the token or the connection'}) from ${arrival.source} port ${arrival.sourcePort}`;
  return { id, before: heard.before, after: heard.after, saw };
}

/** A raw packet that the kernel would not send, whatever transport it has for it: proof of the source's own firewall. */
function nearControl({ observations }: Seen, { id }: Probe): Control {
  const outcome = observations.get(id)?.outcome;
  const detail = outcome === undefined ? 'not looked at' : outcome.seen === 'barred' ? `a raw SYN got ${outcome.detail}` : outcome.seen === 'unprobed' ? outcome.failure.cause : `a raw SYN was sent: ${outcome.seen}`;
  return { id, held: outcome?.seen === 'barred', detail };
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

/** A target outside that the operator finds silent sends no RST to others either. */
function elsewhere({ observations }: Seen, aliveBy: readonly string[]): Resets | null {
  const id = aliveBy.find((one) => observations.get(one)?.vantage === operator && observations.get(one)?.outcome.seen === 'silent');
  return id === undefined ? null : { id, sent: false, counted: false, detail: `${id}: silent, no RST` };
}

/** The overlay between the same two machines, in either direction. */
function overlayControl({ observations }: Seen, flows: readonly PlannedFlow[], from: string, to: string): Control | null {
  const overlay = flows.filter(({ flow }) => [flow.from, flow.to].includes(from) && [flow.from, flow.to].includes(to));
  const first = overlay.find(({ flow }) => observations.get(flow.id)?.outcome.seen === 'answered') ?? overlay[0];
  if (first === undefined) return null;
  const held = observations.get(first.flow.id)?.outcome.seen === 'answered';
  return { id: first.flow.id, held, detail: `${first.flow.id} ${held ? 'answered' : 'did not answer'}` };
}
