// Packets that are lost by chance: how many tries make up for it, what this run's own round trips say of it, and which looks
// are in doubt for it. Pure.
import type { Backing, Exchange, Finding, Loss, Observation, Plan, Probe, Timing } from './model.ts';

/** What a round trip is lost with where 20 % of the packets are lost each way, the worst that allowed flows are tried for. */
export const roundTripMiss = 1 - (1 - 0.2) ** 2;

/** How often a flow may be misjudged by chance: once in ten million for an allowed one, in a million for a denied one. */
export const wrongChance = { allowed: 1e-7, denied: 1e-6 } as const;

/**
 * All n independent tries fail with miss^n, so that n = ln(wrong) / ln(miss), rounded up; where all is lost, no number of them does.
 * At a miss of 0.36 and 1e-7 these are 16.
 */
export function triesFor(miss: number, wrong: number): number {
  if (miss >= 1) return Infinity;
  return miss <= 0 ? 1 : Math.ceil(Math.log(wrong) / Math.log(miss));
}

/** Single packets out and back, on flows that are known to answer. */
export type RoundTrips = Readonly<{ asked: number; missed: number }>;

/**
 * So many a vantage. A loss of p each way goes unseen in n round trips with (1-p)^2n, and then three tries miss an open cell
 * with p^3. The product is greatest at p = 3 / (2n+3): for 50 round trips 1.3e-6, at a loss of 3 %.
 */
export const roundTripsWanted = 50;

/** The tries before the one that was answered were missed. Of the sh prober's handshakes nobody knows which try it was. */
export function roundTripsOf({ look }: Probe, { replies }: Observation): RoundTrips {
  const answer = replies.find(({ event }) => event === 'data' || event === 'connected');
  if (look.by !== 'exchange' || answer === undefined || !('try' in answer) || ('ms' in answer && answer.ms === null)) return { asked: 0, missed: 0 };
  return { asked: answer.try, missed: answer.try - 1 };
}

export const together = (some: readonly RoundTrips[]): RoundTrips => ({ asked: sum(some, 'asked'), missed: sum(some, 'missed') });
const sum = (some: readonly RoundTrips[], key: keyof RoundTrips): number => some.reduce((total, one) => total + one[key], 0);

/** An allowed flow of a vantage that has answered it, whose single packets can be sent again and do no harm. */
export function isRepeatable({ flow, look }: Probe, observation: Observation | undefined): boolean {
  // A session into itself loses nothing; a fixed source port may still be in use; strangers' NTP servers limit the rate.
  return look.by === 'exchange' && observation?.outcome.seen === 'answered' && flow.expected === 'allowed' && flow.from !== flow.to && flow.transport !== 'icmp' &&
    look.exchange.sourcePort === 0 && !(flow.protocol === 'ntp' && flow.route?.via !== undefined);
}

/** One packet out, and back within less than the kernel's own second SYN, or missed. */
export function singlePacket(exchange: Exchange): Exchange {
  return { ...exchange, attempts: 1, windowMs: 900, ...(exchange.transport === 'tcp' ? { send: '' } : {}) };
}

/** Two deviations above what was measured (Wilson's interval). All of it may be lost on one way, so it bounds either. */
export function upperBound({ asked, missed }: RoundTrips): number {
  if (asked === 0) return 0;
  const [share, z2] = [missed / asked, 4];
  const middle = share + z2 / (2 * asked);
  const half = Math.sqrt(z2 * ((share * (1 - share)) / asked + z2 / (4 * asked ** 2)));
  return Math.min(1, (middle + half) / (1 + z2 / asked)); // rounding alone would make it more than certain
}

/** More would keep the machines busy for minutes; then the loss itself is what must be mended. */
export const mostTries = 50;

/**
 * What the vantages' round trips say of the run: by the worst of them, as any path may be as bad.
 * @returns `tries`: 0: nothing was missed · null: so much is lost that no number of tries within reason would do
 */
export function lossOf(byVantage: ReadonlyMap<string, RoundTrips>): Loss {
  const { asked, missed } = together([...byVantage.values()]);
  const atMost = Math.max(0, ...[...byVantage.values()].filter((one) => one.missed > 0).map(upperBound));
  const tries = triesFor(atMost, wrongChance.denied);
  return { roundTrips: asked, missed, atMost, tries: missed === 0 ? 0 : tries > mostTries ? null : tries, extraTries: 0 };
}

/** Looks whose silence could be the loss's, users' and past the firewall: those that no firewall of the source itself explains. */
export function inDoubt({ flows, controls }: Plan, findings: readonly Finding[], observations: ReadonlyMap<string, Observation>): readonly Probe[] {
  const quiet = (probe: Probe): boolean => {
    const outcome = observations.get(probe.id)?.outcome;
    return (outcome?.seen === 'silent' || outcome?.seen === 'dead') && probe.look.by !== 'facts';
  };
  const cells = flows.flatMap(({ flow, probe, farWall }, index) => {
    const finding = findings[index];
    if (flow.expected === 'allowed' || finding === undefined || finding.verdict.result === 'fail') return [];
    return [...(stoppedAtSource(finding.backing) ? [] : [probe]), ...(farWall === null ? [] : [farWall])];
  });
  return [...cells, ...controls].filter(quiet);
}

/** Nothing on the way can lose what the source's own kernel has not let out. */
function stoppedAtSource({ near, left }: Backing): boolean {
  return near?.held === true || (left !== null && left.before.held && left.after.held && left.saw === null);
}

/** The kernel's own SYNs, after 0, 1, 3 and 7 s (RFC 6298): four for the price of one socket, or of one process. */
const patient = { syns: 4, windowMs: 7_500 } as const;
/** Spread, as losses come in bursts. */
const leastIntervalMs = 250;

/** A handshake with so many tries. */
export const patiently = (tries: number): Timing => ({ attempts: Math.ceil(tries / patient.syns), intervalMs: leastIntervalMs, windowMs: patient.windowMs });

/** The same look with so many packets. `hasty`: without waiting for the kernel's own, for looks that others wait for. */
export function withTries(probe: Probe, tries: number, hasty = false): Probe {
  const { look } = probe;
  if (look.by === 'frame') return { ...probe, look: { ...look, frame: { ...look.frame, attempts: tries, intervalMs: hasty ? 50 : leastIntervalMs } } };
  if (look.by === 'raw') return { ...probe, look: { ...look, raw: { ...look.raw, attempts: tries, intervalMs: leastIntervalMs } } };
  if (look.by !== 'exchange') return probe;
  const { exchange } = look;
  const kernels = exchange.transport === 'tcp' && exchange.sourcePort === 0 && !hasty;
  // As few as a plan's own handshakes have would be made by a scan, whose SYNs are two.
  const attempts = exchange.transport === 'tcp' && !hasty ? Math.max(tries, 4) : tries;
  const timing = kernels ? patiently(tries) : { attempts, intervalMs: hasty ? 50 : leastIntervalMs };
  return { ...probe, look: { ...look, exchange: { ...exchange, ...timing } } };
}

/** Both looks as one: all tries stand in the evidence, and the second outcome counts, since it looked harder. */
export function joined(first: Observation, second: Observation): Observation {
  return { ...second, startedAt: first.startedAt, durationMs: first.durationMs + second.durationMs, replies: appended(first.replies, second.replies), decisive: second.decisive ?? second.replies.length };
}

/** The tries of the later exchange count on. */
export function appended(first: Observation['replies'], later: Observation['replies']): Observation['replies'] {
  const before = Math.max(0, ...first.map((reply) => ('try' in reply ? reply.try : 0)));
  return [...first, ...later.map((reply) => ('try' in reply ? { ...reply, try: reply.try + before } : reply))];
}

export const countTries = (observations: readonly Observation[]): number => observations.flatMap(({ replies }) => replies.filter(({ event }) => event === 'sent')).length;

/** For looks in doubt under a loss that no tries within reason make up for. */
export function lostInDoubt(observation: Observation, { atMost }: Loss): Observation {
  return { ...observation, outcome: { seen: 'unprobed', failure: { operation: 'exchange', cause: `up to ${Math.round(atMost * 100)} % of the packets are lost in this run, so silence tells nothing: mend the line, then run again` } } };
}
