// Two runs' cells -> which are otherwise than before, and how. Pure.

/** What a run made of one cell, as evidence.json has it; `seen`: its outcome's kind. */
export type CellState = Readonly<{ id: string; expected: 'allowed' | 'denied'; verdict: 'pass' | 'fail' | 'inconclusive'; grade: string | null; seen: string; reason: string; waived: boolean }>;

/** The run before that another can be held against, of the same phase and the same cells; by the name of its folder. */
export type Earlier = Readonly<{ folder: string; cells: readonly CellState[] }>;

export type Changes = Readonly<{ changed: readonly Readonly<{ was: CellState; is: CellState }>[]; fresh: readonly CellState[]; gone: readonly CellState[] }>;

/** Two runs' cells, matched by their ids. In the order of `after`; what is gone in that of `before`. */
export function matched<Cell extends Readonly<{ id: string }>>(before: readonly Cell[], after: readonly Cell[]): Readonly<{ both: readonly Readonly<{ was: Cell; is: Cell }>[]; fresh: readonly Cell[]; gone: readonly Cell[] }> {
  const earlier = new Map(before.map((cell) => [cell.id, cell]));
  const later = new Set(after.map(({ id }) => id));
  return {
    both: after.flatMap((is) => {
      const was = earlier.get(is.id);
      return was === undefined ? [] : [{ was, is }];
    }),
    fresh: after.filter(({ id }) => !earlier.has(id)),
    gone: before.filter(({ id }) => !later.has(id)),
  };
}

/** Reasons are not compared: they have times and ports of their own in each run. */
export function changesOf(before: readonly CellState[], after: readonly CellState[]): Changes {
  const { both, ...rest } = matched(before, after);
  return { ...rest, changed: both.filter(({ was, is }) => howOf(was, is).length > 0) };
}

/** Without the cells that were only seen otherwise: a busybox host tells a packet that its firewall barred from one that was lost now and then. */
export function ofVerdict({ changed, ...rest }: Changes): Changes {
  return { ...rest, changed: changed.filter(({ was, is }) => was.expected !== is.expected || verdictOf(was) !== verdictOf(is)) };
}

/** One line a cell: what changed of it, and the reason that it has now. */
export function changeLines({ changed, fresh, gone }: Changes): readonly string[] {
  return [
    ...changed.map(({ was, is }) => `${is.id}: ${howOf(was, is).join(', ')}: ${is.reason}`),
    ...fresh.map((is) => `${is.id}: new, ${verdictOf(is)}: ${is.reason}`),
    ...gone.map((was) => `${was.id}: no longer there, was ${verdictOf(was)}`),
  ];
}

function howOf(was: CellState, is: CellState): readonly string[] {
  const step = (from: string, to: string): readonly string[] => (from === to ? [] : [`${from} -> ${to}`]);
  return [...step(was.expected, is.expected), ...step(verdictOf(was), verdictOf(is)), ...step(was.seen, is.seen)];
}

const verdictOf = ({ verdict, grade, waived }: CellState): string => `${verdict}${grade === null ? '' : ` (${grade})`}${waived ? ' (waived)' : ''}`;
