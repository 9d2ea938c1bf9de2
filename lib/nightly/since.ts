// Two nights' evidence.json -> which cells are otherwise than last night. Pure.
import { matched } from '../changes.ts';

/** What the comparison reads of an entry of evidence.json. */
export type NightCell = Readonly<{ id: string; verdict: 'pass' | 'fail' | 'inconclusive'; grade: string | null; waived: boolean }>;

/** `fault`: why there was no run, where there was none. */
export type Night = Readonly<{ cells: ReadonlyMap<string, NightCell>; fault: string | null }>;

/** Cell ids. `weaker`: green both nights, and proven less well now; `gone`: in tonight's plan no longer. */
export type Since = Readonly<{ red: readonly string[]; mended: readonly string[]; weaker: readonly string[]; gone: readonly string[]; fresh: readonly string[] }>;

/**
 * Reads an evidence.json.
 * @throws Error that says what is wrong with it; a file that was cut in half is no night without failures
 */
export function readNight(text: string): Night {
  const told: unknown = JSON.parse(text);
  const { schema, run, flows } = record(told, 'it');
  if (schema !== 1) throw new Error(`its schema is ${JSON.stringify(schema)}, not 1: another version of flowproof wrote it`);
  if (!Array.isArray(flows)) throw new Error('it has no list of flows');
  const { fault } = record(run, 'run');
  const cells = flows.map((flow: unknown, index): NightCell => {
    const { id, verdict, grade, waiver } = record(flow, `flows[${index}]`);
    if (typeof id !== 'string' || (verdict !== 'pass' && verdict !== 'fail' && verdict !== 'inconclusive')) throw new Error(`flows[${index}] has no id, or no verdict`);
    return { id, verdict, grade: typeof grade === 'string' ? grade : null, waived: waiver !== null && waiver !== undefined };
  });
  if (cells.length === 0 && typeof fault !== 'string') throw new Error('it has not one flow, and does not say why');
  return { cells: new Map(cells.map((cell) => [cell.id, cell])), fault: typeof fault === 'string' ? fault : null };
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what} is no object`);
  return value as Record<string, unknown>;
}

/** A violation that somebody has accepted by name is told, but is not red. */
export const isRed = ({ verdict, waived }: NightCell): boolean => verdict !== 'pass' && !waived;

const grades = ['proven', 'inferred', 'no path'];

export function since(before: Night, now: Night): Since {
  const { both, fresh, gone } = matched([...before.cells.values()], [...now.cells.values()]);
  const ids = (fits: (pair: Readonly<{ was: NightCell; is: NightCell }>) => boolean): readonly string[] => both.filter(fits).map(({ is }) => is.id);
  return {
    // A cell that is new and red was not red last night either.
    red: [...ids(({ was, is }) => !isRed(was) && isRed(is)), ...fresh.filter(isRed).map(({ id }) => id)],
    mended: ids(({ was, is }) => isRed(was) && !isRed(is)),
    weaker: ids(({ was, is }) => was.verdict === 'pass' && is.verdict === 'pass' && grades.indexOf(is.grade ?? '') > grades.indexOf(was.grade ?? '')),
    gone: gone.map(({ id }) => id),
    fresh: fresh.map(({ id }) => id),
  };
}
