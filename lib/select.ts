// A part of the plan: the cells that somebody asks for, with all that their verdicts stand on. Pure.
import type { Flow, Plan, PlannedFlow, Probe } from './model.ts';

/** Cells; `name` says how they were asked for, in each report. `meanwhile`: others that another shard of the run may look at at the same time, and that its packets could be taken for. */
export type Selection = Readonly<{ name: string; takes: (flow: Flow) => boolean; meanwhile?: (flow: Flow) => boolean }>;

export class NothingSelected extends Error {
  constructor(name: string) {
    super(`${name} selects no cell: no cell was probed. Patterns are matched against cell ids, as joi -> ntp vmbr1 tcp/22 (each report has them)`);
  }
}

/**
 * The cells that are selected, and the plan that gives each the verdict of a whole run. What others may stand on is kept whole, as there is
 * little of it: each allowed flow (it shows who can send and who is alive, and which connections may live) and each frame on one. Of the listeners and
 * the operator's looks outward, those that a selected cell names. A shard keeps of the allowed flows and their frames those from and to its sources
 * and those that a cell names, lest each be asked by every shard.
 */
export function select(plan: Plan, selection: Selection | null): Readonly<{ plan: Plan; flows: readonly PlannedFlow[] }> {
  if (selection === null) return { plan, flows: plan.flows };
  const flows = plan.flows.filter(({ flow }) => selection.takes(flow));
  if (flows.length === 0) return { plan: { ...plan, flows, listeners: [], controls: [] }, flows };
  const isShard = selection.meanwhile !== undefined;
  const chosen = new Set(flows);
  const sources = new Set(flows.map(({ flow }) => flow.from));
  const named = new Set(flows.flatMap(({ listener, aliveBy }) => [...aliveBy, ...(listener === null ? [] : [listener])]));
  const concerns = ({ from, to }: Flow): boolean => !isShard || sources.has(from) || sources.has(to);
  const kept = plan.flows.filter((planned) => chosen.has(planned) || (planned.flow.expected === 'allowed' && !(isShard && takesPort(planned.probe)) && (concerns(planned.flow) || named.has(planned.flow.id))));
  const elsewhere = plan.flows.flatMap(({ flow, probe }) => (selection.meanwhile?.(flow) === true && takesPort(probe) ? [{ ...flow, sourcePort: portOf(probe) }] : []));
  return {
    flows,
    plan: {
      ...plan, flows: kept, listeners: plan.listeners.filter(({ id }) => named.has(id)), controls: plan.controls.filter(({ id, flow, look }) => (look.by === 'frame' ? concerns(flow) : named.has(id))),
      ...(elsewhere.length === 0 ? {} : { elsewhere }),
    },
  };
}

/** From a source port of its own: of two at once, one would get the other's answer. Its own shard alone looks at such a flow. */
const takesPort = (probe: Probe): boolean => portOf(probe) !== 0;
const portOf = ({ look }: Probe): number => (look.by === 'exchange' ? look.exchange.sourcePort : 0);
