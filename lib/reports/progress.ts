// How far a run is, by vantage and destination. Pure: it counts, and draws nothing.
import type { Flow, PlannedFlow, Probe } from '../model.ts';
import { internet } from './cells.ts';

/** `joi -> ntp`; looks made of so many. */
export type Row = Readonly<{ name: string; done: number; total: number }>;

export type Count = Readonly<{
  rows: () => readonly Row[];
  /** Counts a look once, however often it is made again. @returns its row; null where it is no look at a cell, or was counted */
  looked: (probe: Probe) => Row | null;
}>;

/** @param by `pair`: a row for each vantage and destination · `vantage`: one for each vantage, where there is no room */
export function countLooks(flows: readonly PlannedFlow[], machines: ReadonlySet<string>, by: 'pair' | 'vantage'): Count {
  const nameOf = ({ from, to }: Flow): string => (by === 'vantage' ? from : `${from} -> ${machines.has(to) ? to : internet}`);
  const rows = new Map<string, Row>();
  const open = new Map<string, string>();
  for (const { flow, probe, nearWall, farWall } of flows) {
    const name = nameOf(flow);
    for (const one of [probe, nearWall, farWall]) {
      if (one === null) continue;
      open.set(one.id, name);
      rows.set(name, { name, done: 0, total: (rows.get(name)?.total ?? 0) + 1 });
    }
  }
  return {
    rows: () => [...rows.values()],
    looked: ({ id }) => {
      const row = rows.get(open.get(id) ?? '');
      if (row === undefined) return null;
      open.delete(id);
      const next = { ...row, done: row.done + 1 };
      rows.set(row.name, next);
      return next;
    },
  };
}
