// What a prober said of a range of ports, and the witnesses -> verdicts, by the rules of every other cell. Pure. Ports of which nobody has
// anything to tell are judged as one where the same things stand behind them; each other port by itself.
import { canonical } from '../address.ts';
import { parseEntries } from '../conntrack.ts';
import { factsOf, isFailure, isUntracked } from '../facts.ts';
import { findingsOf } from '../findings.ts';
import { grouped } from '../grouped.ts';
import { pastOwnFirewall } from '../judge.ts';
import type { Finding, Found, Observation, Pair, PlannedFlow, Port, Reply, Resets, SweepSeen, Swept, Unit, UnitResult } from '../model.ts';
import { readLook } from '../outcome.ts';
import { cellOf } from './cells.ts';
import { doubtOf, refusedOf, resetsOf } from './doubt.ts';

/** Beyond these, a list tells nobody more. */
const mostRed = 100;

/** @param swept what the prober said of all the unit's ports */
export function judgeUnit(unit: Unit, pair: Pair, swept: Swept, seen: SweepSeen): UnitResult {
  const judged = judgePorts(unit, pair, swept, seen);
  if (typeof judged === 'string') return unsweptUnit(unit, pair, judged, seen.ms, seen.found);
  const open = pair.allowed.filter((port) => port >= unit.first && port <= unit.last && swept.states.get(port) === 'open');
  return resultOf(unit, pair, judged, { open, packets: swept.packets, ms: seen.ms });
}

/**
 * What later sweeps of the unit may not forget. What is open whatever the target's count of RSTs would tell: answers, and packets that a witness has. And
 * what was refused, not as open: a firewall's RST leaves an entry behind as if the packet had come in.
 */
export function foundIn(unit: Unit, pair: Pair, swept: Swept, seen: SweepSeen): Found {
  const judged = judgePorts(unit, pair, swept, seen);
  const refused = new Set(refusedOf(swept));
  const isOpen = ({ port, result }: Port): boolean => result === 'fail' && !refused.has(port);
  const reason = `it was refused, ${pair.to} or a firewall told of that by a RST, and was silent when it was swept again: something has changed meanwhile`;
  return new Map([...seen.found.values(), ...[...refused].map((port): Port => ({ port, result: 'inconclusive', reason })), ...(typeof judged === 'string' ? [] : judged.notPassed.filter(isOpen)), ...openOf(seen.found).values()].map((one) => [one.port, one]));
}

/** @returns why nothing can be said, where the prober has told of more or fewer ports than there are */
function judgePorts({ first, last }: Unit, pair: Pair, swept: Swept, seen: SweepSeen): Judged | string {
  const all = last - first + 1;
  const told = swept.states.size + swept.silent;
  if (told !== all) return `the prober told of ${told} of ${all} ports`;
  const isOurs = (port: number): boolean => port >= first && port <= last;
  const allowed = new Set(pair.allowed.filter(isOurs));
  // What the source's own firewall bars is as much alike as what is silent, and may be all that there is.
  const special = new Set([...[...swept.states].flatMap(([port, state]) => (state === 'barred' ? [] : [port])), ...recorded(pair, seen, (host) => host !== pair.from).filter(isOurs)]);
  const behind = behindOf(pair, seen);
  const alike = Array.from({ length: all }, (_none, index) => first + index).filter((port) => !special.has(port) && !allowed.has(port));
  const groups = [...[...special].filter((port) => !allowed.has(port)).map((port) => [port]), ...grouped(alike, (port) => `${swept.states.get(port) ?? 'silent'} ${behind(port)}`).values()].toSorted(([a = 0], [b = 0]) => a - b);
  const cells = groups.map(([port = 0]) => cellOf(pair, port, seen.token));
  const facts = factsOf(seen.base.discovery, pair.from);
  const observations = cells.map(({ flow, probe }): readonly [string, Observation] => {
    const replies = repliesOf(pair, flow.port, swept, seen.sourcePort);
    return [probe.id, { id: probe.id, vantage: pair.from, startedAt: seen.startedAt, durationMs: seen.ms, outcome: readLook(probe, replies, null, facts), replies }];
  });
  const findings = findingsFor(cells, observations, seen, resetsOf(cells, pair, swept, seen.resets));
  return judgedOf(pair, findings.map((finding, index) => [finding, groups[index] ?? []]), seen.found, doubtOf({ first, last }, pair, swept, seen));
}

/** Ports that were looked at one by one, as the plan looks at its cells. @param observations by the cell's id */
export function judgeNamed(unit: Unit, pair: Pair, cells: readonly PlannedFlow[], observations: readonly Observation[], seen: SweepSeen): UnitResult {
  const findings = findingsFor(cells, observations.map((one) => [one.id, one]), seen, new Map());
  const packets = observations.reduce((sum, { replies }) => sum + replies.filter(({ event }) => event === 'sent').length, 0);
  return resultOf(unit, pair, judgedOf(pair, findings.map((finding) => [finding, [finding.flow.port]]), seen.found, null), { open: [], packets, ms: seen.ms });
}

/** A unit that was not looked at, or not to its end. @param found before */
export function unsweptUnit(unit: Unit, pair: Pair, cause: string, ms: number, found: Found = new Map()): UnitResult {
  const open = openOf(found);
  const unknown = Array.from({ length: unit.last - unit.first + 1 }, (_none, index) => unit.first + index).filter((port) => !open.has(port));
  const first: readonly Port[] = unknown.slice(0, 1).map((port) => ({ port, result: 'inconclusive', reason: `could not look (exchange): ${cause}` }));
  const result = resultOf(unit, pair, { passed: {}, notPassed: [...open.values(), ...first] }, { open: [], packets: 0, ms });
  return { ...result, more: result.more + unknown.length - first.length };
}

/** What became of the denied ports: how many passed, by grade, and all that did not. */
type Judged = Readonly<{ passed: Readonly<Record<string, number>>; notPassed: readonly Port[] }>;

const openOf = (found: Found): Found => new Map([...found].filter(([, { result }]) => result === 'fail'));

function judgedOf(pair: Pair, judged: readonly (readonly [finding: Finding, ports: readonly number[]])[], found: Found, doubt: string | null): Judged {
  const passed: Record<string, number> = {};
  const open = openOf(found);
  const notPassed = judged.flatMap(([{ verdict, observation }, all]): readonly Port[] => {
    const ports = all.filter((port) => !open.has(port));
    if (verdict.result !== 'pass') {
      const reason = pair.past !== null && verdict.result === 'fail' ? pastOwnFirewall(verdict.reason) : verdict.reason;
      const { result } = verdict;
      return ports.map((port) => ({ port, result, reason }));
    }
    const isSilent = observation.outcome.seen === 'silent';
    if (doubt !== null && isSilent) return ports.map((port) => ({ port, result: 'inconclusive', reason: doubt }));
    return ports.flatMap((port): readonly Port[] => {
      const changed = isSilent ? found.get(port) : undefined;
      if (changed !== undefined) return [changed];
      const grade = verdict.grade === 'proven' && isSilent && !isProvable(pair, port) ? 'inferred' : verdict.grade;
      passed[grade] = (passed[grade] ?? 0) + 1;
      return [];
    });
  });
  return { passed, notPassed: [...open.values(), ...notPassed].toSorted((a, b) => Number(b.result === 'fail') - Number(a.result === 'fail') || a.port - b.port) };
}

function resultOf({ pair: id, first, last }: Unit, pair: Pair, { passed, notPassed }: Judged, counts: Pick<UnitResult, 'open' | 'packets' | 'ms'>): UnitResult {
  const red = notPassed.filter(({ result }) => pair.counts || result !== 'fail');
  const told = notPassed.filter((port) => !red.includes(port));
  return { pair: id, first, last, passed, red: red.slice(0, mostRed), more: Math.max(0, red.length - mostRed), told: told.slice(0, mostRed), bounds: {}, ...counts };
}

/** Whether silence can be proven: not of datagrams that nobody could tell of, nor outside, where what stands behind it is a look at another port. */
const isProvable = ({ named, outside, own }: Pair, port: number): boolean => named === null && (!outside || own.has(port));

/** The ports of which the connection tracking of some of these hosts has an entry. */
function recorded({ address, transport }: Pair, { base: { tracked } }: SweepSeen, isAsked: (host: string) => boolean): readonly number[] {
  const target = canonical(address);
  return [...tracked].filter(([host]) => isAsked(host)).flatMap(([, { first, later }]) => [first, ...later].flatMap(parseEntries)).flatMap((entry) => (entry.transport === transport && entry.destination === target && entry.port !== null ? [entry.port] : []));
}

/**
 * What a silent port's verdict stands on that another's may not: who is alive there, whose rules take it out of connection tracking, and
 * whether the source's own has it, as it has all ports where nothing keeps them from leaving.
 */
function behindOf(pair: Pair, seen: SweepSeen): (port: number) => string {
  const { own, template, transport, from } = pair;
  const { discovery } = seen.base;
  const left = new Set(recorded(pair, seen, (host) => host === from));
  const hosts = [from, ...template.witnesses].flatMap((host) => {
    const facts = factsOf(discovery, host);
    return isFailure(facts) || facts.untracked === undefined || facts.untracked.length === 0 ? [] : [{ host, facts }];
  });
  return (port) => [...(left.has(port) ? ['left'] : []), ...(own.get(port)?.aliveBy ?? []), ...hosts.filter(({ facts }) => isUntracked(facts, { transport, port })).map(({ host }) => `notrack ${host}`)].join('\n');
}

function findingsFor(cells: readonly PlannedFlow[], observations: readonly (readonly [string, Observation])[], seen: SweepSeen, resets: ReadonlyMap<string, Resets>): readonly Finding[] {
  const found = findingsOf({
    ...seen.base, phase: seen.phase, plan: { ...seen.base.plan, flows: [...seen.base.plan.flows, ...cells] }, heard: new Map(),
    observations: new Map([...seen.observations, ...observations]), resets: new Map([...resets, ...seen.settled]),
  });
  return found.slice(seen.base.plan.flows.length);
}

/** In the words of a socket, as a look at this port alone would have had them. */
function repliesOf({ transport }: Pair, port: number, { states, icmp }: Swept, sourcePort: number | null): readonly Reply[] {
  const sent: Reply = { event: 'sent', try: 1, sourcePort, ms: null };
  const state = states.get(port);
  const error = (errno: string, operation: string): readonly Reply[] => [sent, ...(icmp.has(port) ? [{ ...(icmp.get(port) as Extract<Reply, { event: 'icmp' }>), try: 1 }] : []), { event: 'error', try: 1, errno, operation }];
  if (state === undefined) return [sent];
  if (state === 'open') return [sent, transport === 'tcp' ? { event: 'connected', try: 1, ms: null } : { event: 'data', try: 1, hex: '', ms: null, from: null }];
  if (state === 'barred') return error('EPERM', 'send');
  return state === 'reset' || state === 'refused' ? error('ECONNREFUSED', 'connect') : error(state.replace(/^error-/, ''), 'connect');
}
