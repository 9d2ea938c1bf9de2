// What a prober said of a range of ports, and the witnesses -> verdicts, by the rules of every other cell. Pure. Ports of which nobody has
// anything to tell are judged as one; each other port by itself.
import { canonical } from '../address.ts';
import { parseEntries } from '../conntrack.ts';
import { factsOf } from '../facts.ts';
import { findingsOf } from '../findings.ts';
import type { Account, Finding, Observation, Pair, Phase, PlannedFlow, Port, Probe, Reply, Resets, Swept, Unit, UnitResult } from '../model.ts';
import { readLook } from '../outcome.ts';

/** Beyond these, a list tells nobody more. */
const mostRed = 100;

/**
 * `base`: the run's plan with its allowed flows alone, and what was seen of them; `resets`: the target's own count of the RSTs that it sent meanwhile,
 * null where it is not known; `settled`: what was found of single ports where that count says nothing; `sourcePort`: the packets' own, null where the
 * prober cannot choose it.
 */
export type SweepSeen = Readonly<{ base: Omit<Account, 'heard' | 'resets'>; observations: ReadonlyMap<string, Observation>; phase: Phase; resets: number | null; settled: ReadonlyMap<string, Resets>; sourcePort: number | null; startedAt: string; ms: number; token: string }>;

export function judgeUnit({ pair: name, first, last }: Unit, pair: Pair, swept: Swept, seen: SweepSeen): UnitResult {
  const all = last - first + 1;
  const result = { pair: name, first, last, packets: swept.packets, ms: seen.ms };
  if (swept.states.size + swept.silent !== all) {
    const reason = `could not look (exchange): the prober told of ${swept.states.size + swept.silent} of ${all} ports`;
    return { ...result, passed: {}, open: [], red: [{ port: first, result: 'inconclusive', reason }], more: all - 1 };
  }
  const isOurs = (port: number): boolean => port >= first && port <= last;
  const allowed = pair.allowed.filter(isOurs);
  const told = new Set([...swept.states.keys(), ...recorded(pair, seen).filter(isOurs)]);
  const silent = Array.from({ length: all }, (_none, index) => first + index).filter((port) => !told.has(port) && !allowed.includes(port));
  const asked = [...[...told].filter((port) => !allowed.includes(port)), ...silent.slice(0, 1)].toSorted((a, b) => a - b);
  const findings = findingsFor(asked, pair, swept, seen);
  const passed: Record<string, number> = {};
  const red: Port[] = [];
  for (const { flow, verdict } of findings) {
    const ports = flow.port === silent[0] ? silent : [flow.port];
    if (verdict.result === 'pass') passed[verdict.grade] = (passed[verdict.grade] ?? 0) + ports.length;
    else for (const port of ports) red.push({ port, result: verdict.result, reason: verdict.reason });
  }
  red.sort((a, b) => Number(b.result === 'fail') - Number(a.result === 'fail') || a.port - b.port);
  return { ...result, passed, open: allowed.filter((port) => swept.states.get(port) === 'open'), red: red.slice(0, mostRed), more: Math.max(0, red.length - mostRed) };
}

/** The ports of which some connection tracking has an entry. */
function recorded({ address }: Pair, { base: { tracked } }: SweepSeen): readonly number[] {
  const target = canonical(address);
  return [...tracked.values()].flatMap(({ first, later }) => [first, ...later].flatMap(parseEntries)).flatMap((entry) => (entry.transport === 'tcp' && entry.destination === target && entry.port !== null ? [entry.port] : []));
}

function findingsFor(ports: readonly number[], pair: Pair, swept: Swept, seen: SweepSeen): readonly Finding[] {
  const flows = ports.map((port) => cellOf(port, pair, seen.token));
  const facts = factsOf(seen.base.discovery, pair.from);
  const observations = flows.map(({ probe }): readonly [string, Observation] => {
    const replies = repliesOf(probe.flow.port, swept, seen.sourcePort);
    return [probe.id, { id: probe.id, vantage: pair.from, startedAt: seen.startedAt, durationMs: seen.ms, outcome: readLook(probe, replies, null, facts), replies }];
  });
  const found = findingsOf({
    ...seen.base, phase: seen.phase, plan: { ...seen.base.plan, flows: [...seen.base.plan.flows, ...flows] }, heard: new Map(),
    observations: new Map([...seen.observations, ...observations]), resets: new Map([...resetsOf(flows, pair, swept, seen.resets), ...seen.settled]),
  });
  return found.slice(seen.base.plan.flows.length);
}

function cellOf(port: number, { id, template }: Pair, token: string): PlannedFlow {
  const flow = { ...template.flow, id: `${id} tcp/${port}`, port, protocol: 'tcp' as const };
  const { look } = template.probe;
  if (look.by !== 'exchange') throw new Error(`${id} is not asked by an exchange`);
  return { ...template, flow, probe: { ...template.probe, id: flow.id, flow, token, look: { by: 'exchange', exchange: { ...look.exchange, port, send: '' } } }, listener: null, nearWall: null, farWall: null };
}

/** In the words of a socket, as a look at this port alone would have had them. */
function repliesOf(port: number, { states, icmp }: Swept, sourcePort: number | null): readonly Reply[] {
  const sent: Reply = { event: 'sent', try: 1, sourcePort, ms: null };
  const state = states.get(port);
  const error = (errno: string, operation: string): readonly Reply[] => [sent, ...(icmp.has(port) ? [{ ...(icmp.get(port) as Extract<Reply, { event: 'icmp' }>), try: 1 }] : []), { event: 'error', try: 1, errno, operation }];
  if (state === undefined) return [sent];
  if (state === 'open') return [sent, { event: 'connected', try: 1, ms: null }];
  if (state === 'barred') return error('EPERM', 'send');
  return state === 'reset' || state === 'refused' ? error('ECONNREFUSED', 'connect') : error(state.replace(/^error-/, ''), 'connect');
}

const refusedOf = ({ states }: Swept): readonly number[] => [...states].flatMap(([port, state]) => (state === 'reset' || state === 'refused' ? [port] : []));

/** Some are refused by the target's own kernel and some by a firewall: those must be asked again, by themselves. */
export function unsettled(pair: Pair, swept: Swept, sent: number | null, token: string): readonly Probe[] {
  const refused = refusedOf(swept);
  return sent === null || sent === 0 || sent === refused.length ? [] : refused.map((port) => cellOf(port, pair, token).probe);
}

/** Nobody but this sweep asks the target meanwhile: it has sent none, or one for each that came. Any other count tells nothing. */
function resetsOf(flows: readonly PlannedFlow[], { to }: Pair, swept: Swept, sent: number | null): ReadonlyMap<string, Resets> {
  const refused = new Set(refusedOf(swept));
  if (sent === null || (sent !== 0 && sent !== refused.size)) return new Map();
  return new Map(flows.map(({ flow }) => {
    const isOwn = sent > 0 && refused.has(flow.port);
    return [flow.id, { id: `resets ${to}`, sent: isOwn, counted: true, detail: isOwn ? `${to}'s own kernel answers it by RST: the SYN gets in, nothing listens there` : `${to}'s kernel sent no RST for it` }];
  }));
}
