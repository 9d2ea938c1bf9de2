// Cells by source, destination and port, and the one word that a group of them is shown by. Pure.
import type { Finding, RunRecord } from '../../model.ts';
import { columnsOf } from '../cells.ts';

/** blocked: all that was asked is denied, and is · open: rows allow something, and it works. */
export type State = 'fail' | 'untold' | 'waived' | 'open' | 'blocked';

/** `to` is a machine of ours or the internet; `port` is a column of the heat map. */
export type Place = Readonly<{ from: string; to: string; port: string }>;

/** Asked on fewer pairs of machines, a port has no column of its own, unless something is allowed or wrong there. */
const pairsForAColumn = 10;

export function stateOf({ flow, verdict, waiver }: Finding): State {
  if (waiver !== null) return 'waived';
  if (verdict.result !== 'pass') return verdict.result === 'fail' ? 'fail' : 'untold';
  return flow.expected === 'allowed' ? 'open' : 'blocked';
}

const worst: readonly State[] = ['fail', 'untold', 'waived', 'open', 'blocked'];

/** The worst of them; null of none. */
export function stateOfAll(findings: readonly Finding[]): State | null {
  const states = new Set(findings.map(stateOf));
  return worst.find((state) => states.has(state)) ?? null;
}

/** A function from a finding to its place. */
export function placesOf(record: RunRecord): (finding: Finding) => Place {
  const columnOf = columnsOf(record);
  const pairs = new Map<string, Set<string>>();
  const own = new Set<string>();
  for (const finding of record.findings) {
    const { flow } = finding;
    const port = `${flow.transport}/${flow.port}`;
    pairs.set(port, (pairs.get(port) ?? new Set()).add(JSON.stringify([flow.from, columnOf(finding)])));
    if (stateOf(finding) !== 'blocked') own.add(port);
  }
  return (finding) => {
    const { flow } = finding;
    const port = `${flow.transport}/${flow.port}`;
    const named = own.has(port) || (pairs.get(port)?.size ?? 0) >= pairsForAColumn;
    return { from: flow.from, to: columnOf(finding), port: named ? port : `${flow.transport} other` };
  };
}
