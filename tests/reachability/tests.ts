// How the cells of a run are told to mocha: each is a test, or, of very many, each pair of a source and a destination; of a run in
// batches, each source.
import type { Finding, PlannedFlow } from '../../lib/model.ts';
import type { Run } from '../../lib/run.ts';

/** mocha keeps kilobytes of each test until its end, and a hundred hosts have 100,000 cells. */
export const mostTests = 20_000;

/** A cell's finding; undefined: there is none, which is a fault. */
export type Asked = Readonly<{ id: string; finding: Finding | undefined }>;
export type Told = Readonly<{ title: string; asked: () => Promise<readonly Asked[]> }>;

/** Of a run that is not the whole, cells one by one in any case: a pattern that selects them is held against mocha's own reading of it. */
export function testsOf({ flows, batches, whole, record }: Pick<Run, 'flows' | 'batches' | 'whole' | 'record'>): readonly Told[] {
  if (batches.length > 0) return batches.flatMap(({ sources, findings }) => sources.map((source): Told => ({
    title: `from ${source}`, asked: async () => (await findings).flatMap((finding) => (finding.flow.from === source ? [{ id: finding.flow.id, finding }] : [])),
  })));
  const found = record.then(({ findings }) => new Map(findings.map((finding) => [finding.flow.id, finding])));
  return [...titled(flows, whole && flows.length > mostTests)].map(([title, own]) => ({
    title, asked: async () => {
      const byId = await found;
      return own.map(({ flow: { id } }) => ({ id, finding: byId.get(id) }));
    },
  }));
}

/** By the cell's id, or by pair. */
function titled(flows: readonly PlannedFlow[], byPair: boolean): ReadonlyMap<string, readonly PlannedFlow[]> {
  const tests = new Map<string, PlannedFlow[]>();
  for (const one of flows) {
    const title = byPair ? `${one.flow.from} -> ${one.flow.to}` : one.flow.id;
    const own = tests.get(title);
    if (own === undefined) tests.set(title, [one]);
    else own.push(one);
  }
  return tests;
}
