// RunRecord -> verdicts.json: what the run made of each cell, and nothing of what it was made from. Small, so that runs are soon compared. Pure.
import type { CellState } from '../changes.ts';
import type { Finding, RunRecord } from '../model.ts';

export function cellStateOf({ flow: { id, expected }, verdict, observation, waiver }: Finding): CellState {
  return { id, expected, verdict: verdict.result, grade: verdict.result === 'pass' ? verdict.grade : null, seen: observation.outcome.seen, reason: verdict.reason, waived: waiver !== null };
}

/** The same keys as in evidence.json, a line a cell; in pieces. */
export function* verdictPieces({ schema, run, findings }: RunRecord): Generator<string> {
  const { id, phase, startedAt, selection } = run;
  yield `{"schema":${schema},"run":${JSON.stringify({ id, phase, startedAt, selection })},"flows":[`;
  let before = '';
  for (const finding of findings) {
    const { waived, seen, ...told } = cellStateOf(finding);
    yield `${before}\n${JSON.stringify({ ...told, outcome: { seen }, waiver: waived ? {} : null })}`;
    before = ',';
  }
  yield `${before === '' ? '\n' : ''}\n]}\n`;
}
