// How the cells of a run are told to mocha: each is a test, or, of very many, each pair of a source and a destination.
import type { PlannedFlow } from '../../lib/model.ts';

/** mocha keeps kilobytes of each test until its end, and a hundred hosts have 100,000 cells. */
export const mostTests = 20_000;

export type Told = Readonly<{ title: string; flows: readonly PlannedFlow[] }>;

/** @param whole not a part that a pattern selects: that is held against mocha's own reading of the pattern, by the ids of cells */
export function testsOf(flows: readonly PlannedFlow[], whole: boolean): readonly Told[] {
  if (!whole || flows.length <= mostTests) return flows.map((one) => ({ title: one.flow.id, flows: [one] }));
  const pairs = new Map<string, PlannedFlow[]>();
  for (const one of flows) {
    const title = `${one.flow.from} -> ${one.flow.to}`;
    const pair = pairs.get(title);
    if (pair === undefined) pairs.set(title, [one]);
    else pair.push(one);
  }
  return [...pairs].map(([title, own]) => ({ title, flows: own }));
}
