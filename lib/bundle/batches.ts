// The batches of one machine's run -> its record, when nothing is held of them but what they say of the run and lean findings. Pure.
import type { Inventory, RunRecord } from '../model.ts';
import { incomplete, inOrder, MergeError, mergeRuns, type Looked } from './merge.ts';

/** @throws MergeError where one is missing, there twice, or of other sources than its own */
export function mergeBatches(batches: readonly Looked[], inventory: Inventory): RunRecord {
  const faults = incomplete(batches, inventory).map((line) => line.replace(/^shard/, 'batch'));
  if (faults.length > 0) throw new MergeError(faults.join('\n'));
  const findings = inOrder(batches.flatMap((batch) => batch.findings), inventory);
  return { schema: 1, run: mergeRuns(batches, findings, inventory, 'batches'), controls: [], findings };
}
