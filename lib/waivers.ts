// Deviations that somebody has accepted until a day: which violations they excuse, and which of them excuse none. Pure.
import type { Finding, Waiver, WaiverUse } from './model.ts';
import { isOver } from './rows.ts';

/**
 * Violations that a waiver names get it; they stay violations. What could not be told is never waived.
 * @param today the day on which the run began, YYYY-MM-DD in UTC; a waiver holds until the end of its own
 * @returns the findings in their order, and what became of each waiver in theirs
 */
export function applyWaivers(findings: readonly Finding[], waivers: readonly Waiver[], today: string): Readonly<{ findings: readonly Finding[]; uses: readonly WaiverUse[] }> {
  const inForce = waivers.filter(({ until }) => !isOver(until, today));
  const waiverOf = ({ flow, verdict }: Finding): Waiver | null =>
    verdict.result === 'fail' ? (inForce.find(({ cells }) => fits(cells, flow.id)) ?? null) : null;
  return {
    findings: inForce.length === 0 ? findings : findings.map((finding) => ({ ...finding, waiver: waiverOf(finding) })),
    uses: waivers.map((waiver) => useOf(waiver, findings.filter(({ flow }) => fits(waiver.cells, flow.id)), today)),
  };
}

function useOf(waiver: Waiver, matched: readonly Finding[], today: string): WaiverUse {
  const violations = matched.filter(({ verdict }) => verdict.result === 'fail').map(({ flow }) => flow.id);
  const untold = matched.some(({ verdict }) => verdict.result === 'inconclusive');
  const state = (): WaiverUse['state'] => {
    if (isOver(waiver.until, today)) return 'expired';
    if (matched.length === 0) return 'unknown';
    if (violations.length > 0) return 'waives';
    return untold ? 'unsettled' : 'stale';
  };
  return { ...waiver, state: state(), cellCount: matched.length, violations };
}

/** `*` stands for any characters, or none; all else for itself. In one pass, however many stars there are. */
export function fits(pattern: string, id: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return id === pattern;
  if (!id.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = id.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return id.length - last.length >= at && id.endsWith(last);
}
