// The run in numbers. Pure.
import type { RunRecord } from '../model.ts';

export type Sums = Readonly<{ cells: number; proven: number; inferred: number; noPath: number; fail: number; inconclusive: number; waived: number }>;

export function sumsOf({ findings }: RunRecord): Sums {
  const passed = (grade: string): number => findings.filter(({ verdict }) => verdict.result === 'pass' && verdict.grade === grade).length;
  const of = (result: string): number => findings.filter(({ verdict, waiver }) => waiver === null && verdict.result === result).length;
  return {
    cells: findings.length, proven: passed('proven'), inferred: passed('inferred'), noPath: passed('no path'),
    fail: of('fail'), inconclusive: of('inconclusive'), waived: findings.filter(({ waiver }) => waiver !== null).length,
  };
}

/** What `npm test` ends with: 0 only where every cell passed or is waived, and the run came to its end. */
export function exitCodeOf(record: RunRecord): 0 | 1 {
  const { cells, fail, inconclusive } = sumsOf(record);
  return cells > 0 && fail === 0 && inconclusive === 0 && record.run.stopped === null ? 0 : 1;
}

export function sumsLine(record: RunRecord): string {
  const { cells, proven, inferred, noPath, fail, inconclusive, waived } = sumsOf(record);
  return `phase ${record.run.phase}: ${cells} of ${record.run.universe} cells: pass ${proven + inferred + noPath} (${proven} proven, ${inferred} inferred, ${noPath} no path), ` +
    `fail ${fail}, inconclusive ${inconclusive}, waived ${waived}`;
}

/** Whether one machine looked at its cells in batches; then `findings` may have no more of a pass than is counted here. */
export const isBatched = ({ run, parts, spooled }: RunRecord): boolean => spooled !== undefined || (parts !== undefined && run.shards === null);

/** Of a run that looked at some cells only: which, so that nobody takes it for the whole. null: it was the whole. */
export function partOf({ run, findings }: RunRecord): string | null {
  if (run.shard !== null && findings.length === 0) return `AN EMPTY shard, number ${run.shard.number} of ${run.shard.of}: there are fewer sources than shards. Nothing was looked at, and nothing is said of any cell`;
  return run.selection === null ? null : `A PART of the matrix: the ${findings.length} cells that ${run.selection} selects; nothing is said of the others`;
}

export function familiesLine({ findings }: RunRecord): string {
  const counts = new Map<string, number>();
  for (const { flow } of findings) counts.set(flow.family, (counts.get(flow.family) ?? 0) + 1);
  return `cells by family: ${[...counts].map(([family, count]) => `${family} ${count}`).join(', ')}`;
}

/** Nothing is said where nothing was lost. */
export function lossLine({ run: { loss } }: RunRecord): readonly string[] {
  if (loss.missed === 0) return [];
  const share = `${((loss.missed / loss.roundTrips) * 100).toFixed(1)} % of ${loss.roundTrips} round trips on flows that answer`;
  return [`packets are lost: ${share} (up to ${Math.round(loss.atMost * 100)} % one way); ${loss.tries === null ? 'silence tells nothing at that' : `${loss.extraTries} tries were made for it, ${loss.tries} for each silent look`}`];
}

/** Nothing is said of older evidence, which does not tell them. */
export function windowsLine({ run: { windows = [] } }: RunRecord): readonly string[] {
  const range = (all: readonly number[]): string => [...new Set([Math.min(...all), Math.max(...all)])].join(' to ');
  const measured = windows.filter(({ roundTripMs }) => roundTripMs !== null);
  const others = windows.filter(({ roundTripMs }) => roundTripMs === null);
  const parts = [
    ...(measured.length === 0 ? [] : [`${range(measured.map(({ windowMs }) => windowMs))} ms, where round trips of at most ${range(measured.map(({ roundTripMs }) => roundTripMs ?? 0))} ms were measured`]),
    ...(others.length === 0 ? [] : [`${range(others.map(({ windowMs }) => windowMs))} ms where none was`]),
  ];
  return parts.length === 0 ? [] : [`silence of denied handshakes was waited for, after the last try: ${parts.join('; ')}`];
}

/** The clock of the operator's seat against a time server that the matrix allows. */
export function clockLine({ run: { clock } }: RunRecord): string {
  if (clock === null) return 'clock: compared with no time server, as no allowed NTP flow answered';
  return `clock: ${Math.abs(clock.offsetMs)} ms ${clock.offsetMs < 0 ? 'ahead of' : 'behind'} the answer to ${clock.cell}, give or take ${clock.withinMs} ms`;
}
