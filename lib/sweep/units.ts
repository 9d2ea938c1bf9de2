// Plan -> what there is to sweep: pairs of a source and an address, each in units. Pure.
import { canonical } from '../address.ts';
import { grouped } from '../grouped.ts';
import type { Flow, Pair, Plan, PlannedFlow, Unit } from '../model.ts';

/** Connection tracking keeps a SYN that got in for 60 s, one that is unanswered for 120 (nf_conntrack_proto_tcp.c); it is read after each unit. */
const unitSeconds = 30;

/** Every source and address between which the plan has TCP cells to ask, by the name that their cells have. `sources`: the machines of the matrix. */
export function pairsOf({ flows }: Plan, sources: readonly string[]): readonly Pair[] {
  const fits = ({ flow, probe }: PlannedFlow): boolean =>
    flow.transport === 'tcp' && probe.look.by === 'exchange' && flow.address !== null && flow.sourcePort === undefined && flow.by === undefined && flow.from !== flow.to && sources.includes(flow.from);
  const placeOf = ({ from, address }: Flow): string => `${from} ${canonical(address ?? '')}`;
  const allowed = grouped(flows.filter(({ flow }) => flow.transport === 'tcp' && flow.expected === 'allowed'), ({ flow }) => placeOf(flow));
  return [...grouped(flows.filter(fits), ({ flow }) => placeOf(flow)).entries()].flatMap(([place, cells]): Pair[] => {
    const template = cells.find(({ flow }) => flow.expected === 'denied');
    if (template === undefined || template.probe.look.by !== 'exchange') return [];
    const { id, from, to } = template.flow;
    return [{ id: id.replace(/ tcp\/\d+$/, ''), from, to, address: template.probe.look.exchange.address, allowed: (allowed.get(place) ?? []).map(({ flow }) => flow.port), template }];
  });
}

/** What is no pair, since its address could not be found out: nothing is swept there, and that is no pass. */
export function unknownPairs({ flows }: Plan, sources: readonly string[]): readonly Readonly<{ id: string; from: string; to: string; cause: string }>[] {
  const found = flows.flatMap(({ flow, probe: { look } }) => {
    if (flow.transport !== 'tcp' || !sources.includes(flow.from) || look.by !== 'facts' || look.outcome.seen !== 'unprobed') return [];
    return [{ id: flow.id.replace(/ tcp\/.*$/, ''), from: flow.from, to: flow.to, cause: look.outcome.failure.cause }];
  });
  return [...grouped(found, ({ id }) => id).values()].flatMap(([first]) => first ?? []);
}

/** The most ports that can be swept before what the first one left is forgotten. */
export const portsOfUnit = (rate: number, attempts: number): number => Math.max(1, Math.floor((rate * unitSeconds) / attempts));

/** A pair's ports in shares of at most `size`. */
export function unitsOf({ id }: Pair, [first, last]: readonly [first: number, last: number], size: number): readonly Unit[] {
  const count = Math.ceil((last - first + 1) / size);
  return Array.from({ length: count }, (_none, index) => ({ pair: id, first: first + index * size, last: Math.min(last, first + (index + 1) * size - 1) }));
}
