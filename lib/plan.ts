// Inventory -> Plan: every cell, how it is looked at, and what must hold for its silence to mean anything. Pure, stable order.
import { operator } from './facts.ts';
import type { Gap, Plan } from './model.ts';
import { ordinaryCells, type Untested } from './plan/cells.ts';
import { controlsFor } from './plan/controls.ts';
import { otherCells } from './plan/families.ts';
import { drawing, type Cell, type Input } from './plan/input.ts';
import { wallsOf } from './plan/walls.ts';

/**
 * Every cell of the matrix and of everything else.
 * @returns flows in the order vantage, family, destination, port; `flows.length` and the gaps add up to `universe`
 */
export function makePlan(given: Input): Plan {
  const input = drawing(given);
  const cells: Cell[] = [];
  const untested: Untested[] = [];
  let own = 0;
  for (const vantage of [...Object.keys(input.inventory.matrix.hosts), operator]) {
    const counts = input.sources?.includes(vantage) !== false;
    const ordinary = ordinaryCells(input, vantage);
    const other = otherCells(input, vantage, ordinary.allowed);
    const found = [...ordinary.cells, ...other.cells];
    const asked = found.filter(({ flow }) => !input.unwanted.has(flow.family));
    cells.push(...asked);
    if (!counts) continue;
    own += asked.length;
    untested.push(...ordinary.gaps, ...other.gaps);
    for (const { flow } of found) if (input.unwanted.has(flow.family)) untested.push({ id: flow.id, reason: `the inventory goes without the family "${flow.family}"` });
  }
  const { controls, listeners, probes } = controlsFor(input, cells);
  return {
    phase: input.phase,
    flows: cells.map((cell) => ({ ...cell, ...controls(cell), ...wallsOf(input, cell) })),
    listeners,
    controls: probes,
    universe: own + untested.length,
    gaps: gapsOf(untested),
  };
}

function gapsOf(untested: readonly Untested[]): readonly Gap[] {
  const found = new Map<string, Gap>();
  for (const { id, reason } of untested) {
    const known = found.get(reason);
    found.set(reason, { reason, cells: (known?.cells ?? 0) + 1, example: known?.example ?? id });
  }
  return [...found.values()];
}
