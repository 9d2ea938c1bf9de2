// A run under loss against the truth of a clean one, cell by cell. Pure. Inconclusive is honest; a wrong verdict is none. Some addresses
// are told by their machine alone: one that nobody gets into for loss has no cell at them.
import type { Cell } from './harness.ts';

type Judged = Pick<Cell, 'id' | 'from' | 'to' | 'verdict' | 'reason' | 'grade'>;

export type Compared = Readonly<{
  /** Those that nobody could plan among them. */
  cells: number;
  blind: readonly string[];
  /** Passes where a fail is true, and fails where a pass is true; cells that are not there, though their machines were asked. */
  wrong: readonly string[];
  /** Another grade, and a reason that does not say why. */
  regraded: readonly string[];
  inconclusive: readonly string[];
}>;

/** What a reason says of a lower grade's cause, in the judge's words. */
const named = /\blost\b|\bloss\b/;

/** A run that doubts more has shown nothing. */
const mostInDoubt = 0.5;

export const showsNothing = ({ cells, inconclusive }: Compared): boolean => inconclusive.length > mostInDoubt * cells;

/** Chance may keep us from a machine once; what keeps us from it in each of several runs is a fault. */
export const neverEntered = (runs: readonly Compared[]): readonly string[] =>
  runs.length < 2 ? [] : (runs[0]?.blind ?? []).filter((name) => runs.every(({ blind }) => blind.includes(name)));

/** @param blind machines that were not entered */
export function compare(truth: readonly Judged[], now: readonly Judged[], blind: readonly string[] = []): Compared {
  const found = new Map(now.map((cell) => [cell.id, cell]));
  const known = new Set(truth.map(({ id }) => id));
  const missing = truth.filter(({ id }) => !found.has(id));
  const isDoubt = ({ from, to }: Judged): boolean => blind.includes(from) || blind.includes(to);
  const told = (cell: Judged, what: string): string => `${cell.id}: ${what} (${cell.reason})`;
  const pairs = truth.flatMap((was) => {
    const is = found.get(was.id);
    return is === undefined ? [] : [{ was, is }];
  });
  return {
    cells: now.length + missing.filter(isDoubt).length,
    blind,
    wrong: [
      ...pairs.flatMap(({ was, is }) => (is.verdict !== 'inconclusive' && is.verdict !== was.verdict ? [told(is, `${is.verdict}, is ${was.verdict}`)] : [])),
      ...missing.filter((was) => !isDoubt(was)).map((was) => told(was, 'not judged, is')),
      ...now.filter(({ id, verdict }) => !known.has(id) && verdict !== 'inconclusive').map((is) => told(is, `${is.verdict}, is no cell`)),
    ],
    regraded: pairs.flatMap(({ was, is }) => (is.verdict === 'pass' && was.verdict === 'pass' && is.grade !== was.grade && !named.test(is.reason) ? [told(is, `${is.grade}, was ${was.grade}`)] : [])),
    inconclusive: [
      ...now.filter(({ verdict }) => verdict === 'inconclusive').map((is) => `${is.id}: ${is.reason}`),
      ...missing.filter(isDoubt).map(({ id }) => `${id}: its address is told by a machine that nobody could ask`),
    ],
  };
}
