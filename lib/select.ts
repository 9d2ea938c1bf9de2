// A part of the plan: the cells that somebody asks for, with all that their verdicts stand on. Pure.
import type { Plan, PlannedFlow } from './model.ts';

/** Cells by their ids; `name` says how it was asked for, in each report. */
export type Selection = Readonly<{ name: string; matches: (id: string) => boolean }>;

export class NothingSelected extends Error {
  constructor(name: string) {
    super(`${name} selects no cell: no cell was probed. Patterns are matched against cell ids, as joi -> ntp vmbr1 tcp/22 (each report has them)`);
  }
}

/**
 * The cells that are selected, and the plan that gives each the verdict of a whole run. What others may stand on is kept whole, as there is
 * little of it: each allowed flow (it shows who can send and who is alive, and which connections may live) and each frame
 * on one. Of the listeners and the operator's looks outward, those that a selected cell names.
 */
export function select(plan: Plan, selection: Selection | null): Readonly<{ plan: Plan; flows: readonly PlannedFlow[] }> {
  if (selection === null) return { plan, flows: plan.flows };
  const flows = plan.flows.filter(({ flow }) => selection.matches(flow.id));
  if (flows.length === 0) return { plan, flows };
  const chosen = new Set(flows);
  const kept = plan.flows.filter((planned) => chosen.has(planned) || planned.flow.expected === 'allowed');
  const named = new Set(flows.flatMap(({ listener, aliveBy }) => [...aliveBy, ...(listener === null ? [] : [listener])]));
  return {
    flows,
    plan: { ...plan, flows: kept, listeners: plan.listeners.filter(({ id }) => named.has(id)), controls: plan.controls.filter(({ id, look }) => look.by === 'frame' || named.has(id)) },
  };
}
