// The rows of the matrix in time: which of them allow anything today. Pure.
import type { Inventory, Phase, Row } from './model.ts';

/** A day is over when the next one has begun, in UTC. Both as YYYY-MM-DD, which sort as they follow each other. */
export const isOver = (until: string, today: string): boolean => until < today;

/** A TEMP row allows in phase setup alone, and not after its last day. */
export function holds(row: Row, phase: Phase): boolean {
  return row.temp !== true || (phase === 'setup' && row.ended !== true);
}

/** The inventory with each TEMP row marked whose last day is over. @param today YYYY-MM-DD, UTC */
export function endRows(inventory: Inventory, today: string): Inventory {
  const flows = inventory.matrix.flows.map((row): Row => (row.temp === true && row.until !== undefined && isOver(row.until, today) ? { ...row, ended: true } : row));
  return { ...inventory, matrix: { ...inventory.matrix, flows } };
}
