// A run of very many cells: hosts are entered once, and then some sources' cells after the other are planned, looked at, judged and
// written down, so that no more than a batch is ever held. What it leaves is a merged run's, with the batches as its parts.
import { setFlagsFromString } from 'node:v8';
import { mergeBatches } from './bundle/batches.ts';
import type { Looked } from './bundle/merge.ts';
import { leaning } from './lean.ts';
import type { Finding, Plan, RunRecord, Shard } from './model.ts';
import { makePlan } from './plan.ts';
import type { Input } from './plan/input.ts';
import { makeSpool } from './reports/spool.ts';
import { select } from './select.ts';
import { batchSelection, ownSources, sourcesOf } from './shard.ts';
import type { Steps } from './steps.ts';

/** In cells: a plan of more than `most` falls into batches of about `each`. */
export type BatchSizes = Readonly<{ most: number; each: number }>;

/**
 * A cell takes some ten kilobytes until it is written down: six thousand are what one batch may cost beside a hundred sessions. Smaller ones would
 * read every witness's table more often for as many cells.
 */
export const batchSizes: BatchSizes = { most: 12_000, each: 6_000 };

/** Its findings come when it is judged; of what passed they have no more than is counted. They fail where it could not be written down. */
export type Batch = Readonly<{ sources: readonly string[]; findings: Promise<readonly Finding[]> }>;

/** A part of the run: what is looked at, the cells that it is about, and how these were chosen. */
export type Part = Readonly<{ plan: Plan; flows: Plan['flows']; selection: string | null; shard: RunRecord['run']['shard'] }>;

/**
 * V8 looks for what can be let go of when the heap has grown by a part of what was in use, up to fourfold: a batch that is written down would stand
 * until two others do. By this part it looks more often, for some tenths of a millisecond of a cell.
 */
const heapGrowthPercent = 25;

type Means = Readonly<{
  /** About how many cells there are. */
  cells: number;
  each: number;
  /** Where the reports will be. */
  reports: string;
  /** Told of each batch before its first look. */
  planned: (flows: Plan['flows']) => void;
  conduct: (part: Part) => Promise<RunRecord>;
  /** Told when nothing is looked at any more. */
  over: () => void;
  steps: Steps;
}>;

/**
 * The batches in their order, the first under way. Sources are dealt out to them as to shards.
 * @returns the record fails where a batch could not be written down: nothing more is looked at then
 * @throws where there is no room for the first byte
 */
export function inBatches(input: Input, { cells, each, reports, planned, conduct, over, steps }: Means): Readonly<{ batches: readonly Batch[]; record: Promise<RunRecord> }> {
  const { inventory } = input;
  const sources = sourcesOf(inventory);
  const spool = makeSpool(reports, sources);
  setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent}`);
  const lean = leaning();
  const of = Math.min(sources.length, Math.ceil(cells / each));

  const one = async (batch: Shard): Promise<Looked> => {
    const own = ownSources(inventory, batch);
    const selection = batchSelection(inventory, batch);
    const { plan, flows } = select(makePlan({ ...input, sources: own }), selection);
    steps.end('plan');
    planned(flows);
    const part = await conduct({ plan, flows, selection: selection.name, shard: { ...batch, sources: own } });
    try {
      spool.add(part);
    } catch (error) {
      throw new Error(`batch ${batch.number} of ${of} cannot be written down, so nothing more was looked at: ${(error as Error).message}. Make room or mend the rights there, or set FLOWPROOF_REPORTS to another folder, then run again`, { cause: error });
    }
    steps.end('write down');
    return { run: { ...part.run, shard: { ...batch, sources: own } }, findings: part.findings.map(lean) };
  };

  let before: Promise<unknown> = Promise.resolve();
  const made = Array.from({ length: of }, (_none, index) => {
    const told = before.then(() => one({ number: index + 1, of }));
    before = told;
    return told;
  });
  const record = Promise.all(made).finally(over).then(
    (parts): RunRecord => ({ ...mergeBatches(parts, inventory), spooled: spool }),
    (error: unknown) => {
      spool.remove();
      throw error;
    },
  );
  record.catch(() => undefined); // told to whoever awaits it, when they do
  return { batches: made.map((told, index) => ({ sources: ownSources(inventory, { number: index + 1, of }), findings: told.then(({ findings }) => findings) })), record };
}
