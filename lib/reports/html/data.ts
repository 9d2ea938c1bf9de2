// What the page's script searches: every cell with the lines of its evidence. Most lines stand behind many cells, hence are kept once. Pure.
import type { RunRecord } from '../../model.ts';
import { digestOf } from '../digest.ts';
import { placesOf, stateOf } from './states.ts';

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
  const cells = record.findings.map((finding) => {
    const { from, to, port } = placeOf(finding);
    return [finding.flow.id, from, to, port, stateOf(finding), digestOf(finding).map(indexOf)] as const;
  });
  return { lines: [...indices.keys()], cells };
}
