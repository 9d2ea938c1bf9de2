// Inventory -> Plan: every cell, how it is looked at, and what must hold for its silence to mean anything. Pure, stable order.
import { operator } from './facts.ts';
import type { Gap, Plan, PlannedFlow } from './model.ts';
import { allowedCells, ordinaryCells, type Untested } from './plan/cells.ts';
import { controlsFor } from './plan/controls.ts';
import { otherCells } from './plan/families.ts';
import { drawing, type Cell, type Drawn, type Input } from './plan/input.ts';
import { wallsOf } from './plan/walls.ts';

/**
 * Every cell of the matrix and of everything else. Where `sources` are given, of the other vantages no more than others' verdicts may stand
 * on: what is allowed, and what the gateway sends from a port of its own.
 * @returns flows in the order vantage, family, destination, port; `flows.length` and the gaps add up to `universe`, but for such others
 */
export function makePlan(given: Input): Plan {
  const input = drawing(given);
  return planOf(input, vantagesOf(input).map((vantage) => (input.sources?.includes(vantage) === false ? seenFromOutside(input, vantage) : cellsOf(input, vantage))));
}

/** The same, or null where there are more cells than `most`: no more are made than it takes to know. `cells`: about how many there are. */
export function planWithin(given: Input, most: number): Readonly<{ plan: Plan }> | Readonly<{ plan: null; cells: number }> {
  const input = drawing(given);
  const vantages = vantagesOf(input);
  const made: Own[] = [];
  let count = 0;
  for (const vantage of vantages) {
    const own = cellsOf(input, vantage);
    made.push(own);
    count += own.cells.length;
    if (count > most) return { plan: null, cells: Math.ceil((count / made.length) * vantages.length) };
  }
  return { plan: planOf(input, made) };
}

const vantagesOf = ({ inventory }: Input): readonly string[] => [...Object.keys(inventory.matrix.hosts), operator];

/** Of one vantage: its cells, and of how many the universe counts. */
type Own = Readonly<{ cells: readonly Cell[]; own: number; untested: readonly Untested[] }>;

function cellsOf(input: Drawn, vantage: string): Own {
  const ordinary = ordinaryCells(input, vantage);
  const other = otherCells(input, vantage, ordinary.allowed);
  const isUnwanted = ({ flow }: Cell): boolean => input.unwanted.has(flow.family);
  const found = [...ordinary.cells, ...other.cells];
  const cells = found.filter((cell) => !isUnwanted(cell));
  const without = found.filter(isUnwanted).map(({ flow }) => ({ id: flow.id, reason: `the inventory goes without the family "${flow.family}"` }));
  return { cells, own: cells.length, untested: [...ordinary.gaps, ...other.gaps, ...without] };
}

function seenFromOutside(input: Drawn, vantage: string): Own {
  const cells = vantage === input.inventory.site.gateway ? cellsOf(input, vantage).cells.filter(({ flow, probe: { look } }) => flow.expected === 'allowed' || (look.by === 'exchange' && look.exchange.sourcePort !== 0)) : allowedCells(input, vantage);
  return { cells: cells.filter(({ flow }) => !input.unwanted.has(flow.family)), own: 0, untested: [] };
}

function planOf(input: Drawn, made: readonly Own[]): Plan {
  const cells = made.flatMap((one) => one.cells);
  const untested = made.flatMap((one) => one.untested);
  const { controls, listeners, probes } = controlsFor(input, cells);
  return {
    phase: input.phase,
    // Field by field: V8 gives each object that begins with a spread a layout of its own.
    flows: cells.map((cell): PlannedFlow => {
      const { witnesses, listener, aliveBy } = controls(cell);
      const { nearWall, farWall } = wallsOf(input, cell);
      return { flow: cell.flow, probe: cell.probe, witnesses, listener, aliveBy, nearWall, farWall };
    }),
    listeners,
    controls: probes,
    universe: made.reduce((sum, { own }) => sum + own, 0) + untested.length,
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
