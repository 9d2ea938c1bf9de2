// Evidence -> what is not as its raw replies and controls make it: outcomes and verdicts are made again by the functions that a run uses. Pure.
import { isDeepStrictEqual } from 'node:util';
import { EvidenceError, isAskedOf, probesOf, type Evidence } from './bundle/evidence.ts';
import { findingsOf } from './findings.ts';
import type { Observation, Outcome, Probe, RunRecord } from './model.ts';
import { readLook } from './outcome.ts';
import { flowEntry } from './reports/json.ts';
import { misfits } from './window.ts';

/**
 * @returns one line for each difference; empty: every outcome and every verdict comes out as it stands in the file
 * @throws EvidenceError where the file is so far off that nothing can be made of it
 */
export function rejudge(evidence: Evidence): readonly string[] {
  const { account, phase, observations, flows, file } = evidence;
  const isAsked = isAskedOf(evidence);
  try {
    const { windows } = file['run'] as Pick<RunRecord['run'], 'windows'>; // older evidence has none
    const told: string[] = windows === undefined ? [] : [...misfits(account, windows)];
    const again = new Map(observations);
    for (const probe of probesOf(account.plan)) {
      const observation = observations.get(probe.id);
      if (observation === undefined) continue;
      const outcome = outcomeOf(probe, observation, account.discovery.hosts[probe.vantage]);
      if (outcome === null || isDeepStrictEqual(plain(outcome), plain(observation.outcome))) continue;
      told.push(`${probe.id}: the outcome stands as ${inWords(observation.outcome)}; its replies make it ${inWords(outcome)}`);
      again.set(probe.id, { ...observation, outcome });
    }
    // Of a part of the matrix, the plan has more: what the verdicts of its cells stand on.
    const findings = findingsOf({ ...account, phase, observations: again }).filter(({ flow }) => isAsked(flow));
    if (findings.length !== flows.length) told.push(`${flows.length} cells stand in the file; the plan has ${findings.length}`);
    for (const [index, finding] of findings.entries()) {
      const made = plain(flowEntry(finding)) as Readonly<Record<string, unknown>>;
      const stands = flows[index] ?? {};
      if (stands['verdict'] !== made['verdict'] || stands['grade'] !== made['grade'])
        told.push(`${finding.flow.id}: the verdict stands as ${String(stands['verdict'])} (${String(stands['reason'])}); judged again it is ${String(made['verdict'])} (${String(made['reason'])})`);
      const off = Object.keys({ ...made, ...stands }).filter((key) => !isDeepStrictEqual(stands[key], made[key]) && !['verdict', 'grade', 'waiver'].includes(key));
      if (off.length > 0) told.push(`${finding.flow.id}: ${off.join(', ')} not as judged again`);
    }
    return told;
  } catch (error) {
    throw new EvidenceError(`the evidence cannot be judged again: ${(error as Error).message}`);
  }
}

/** null: not read from replies (a login, the facts, the connection tracking). A failed look is taken at its word: its replies can only say that it was none. */
function outcomeOf(probe: Probe, { outcome, replies, decisive }: Observation, source: Evidence['account']['discovery']['hosts'][string] | undefined): Outcome | null {
  if (probe.look.by === 'facts') return probe.look.outcome;
  if (probe.look.by === 'login' || probe.look.by === 'sessions') return null;
  const failure = outcome.seen === 'unprobed' ? outcome.failure : null;
  // The tries of a later round count on; an outcome does not tell their numbers.
  return readLook(probe, decisive === undefined ? replies : replies.slice(replies.length - decisive), failure, source);
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const inWords = (outcome: Outcome): string => ('detail' in outcome ? `${outcome.seen} (${outcome.detail})` : outcome.seen);
