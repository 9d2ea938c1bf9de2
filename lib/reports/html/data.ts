// What the page's script searches: every cell with the lines of its evidence. Most lines stand behind many cells, hence are kept once. Pure.
import type { RunRecord } from '../../model.ts';
import { digestOf } from '../digest.ts';
import { isBatched } from '../summary.ts';
import { placesOf, stateOf } from './states.ts';

/** With the evidence of more, the page would have tens of megabytes, which no phone opens. */
const mostCells = 20_000;
const elsewhere = 'passed; its evidence is in evidence.json alone, as that of so many cells is too much for a page';

/** `cells`: [id, from, to, port, state, the indices of its lines in `lines`]. */
export type Data = Readonly<{ lines: readonly string[]; cells: readonly (readonly [string, string, string, string, string, readonly number[]])[] }>;

export function dataOf(record: RunRecord): Data {
  const placeOf = placesOf(record);
  const indices = new Map<string, number>();
  const indexOf = (line: string): number => {
    const index = indices.get(line) ?? indices.size;
    indices.set(line, index);
    return index;
  };
  const isLarge = isBatched(record) || record.findings.length > mostCells;
  const cells = record.findings.map((finding) => {
    const { from, to, port } = placeOf(finding);
    const lines = isLarge && finding.verdict.result === 'pass' ? [elsewhere] : digestOf(finding);
    return [finding.flow.id, from, to, port, stateOf(finding), lines.map(indexOf)] as const;
  });
  return { lines: [...indices.keys()], cells };
}
