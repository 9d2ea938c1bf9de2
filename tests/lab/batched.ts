// The run that `npm test` makes, in batches as small as are asked for: `batched.ts INVENTORY REPORTS CELLS [STOP]`, at the operator's seat. The usual
// sizes are for a hundred hosts. STOP: the batch after which it is interrupted, as by Ctrl-C.
import { readFileSync } from 'node:fs';
import type { Batch } from '../../lib/batch.ts';
import { sha256 } from '../../lib/hash.ts';
import { parseInventory } from '../../lib/inventory.ts';
import { renderConsole } from '../../lib/reports/console.ts';
import { exitCodeOf } from '../../lib/reports/summary.ts';
import { writeReports } from '../../lib/reports/write.ts';
import { startRun } from '../../lib/run.ts';

const [file = '', reports = '', cells = '', stop = ''] = process.argv.slice(2);
const startedAt = new Date().toISOString();
const source = readFileSync(file, 'utf8');
const run = await startRun({
  inventory: parseInventory(source, file), phase: 'steady', version: 'lab', inventoryHash: sha256(source), matrixHash: null, warnings: [], operator: 'lab', selection: null, oneOf: null, progress: null,
  reports, sizes: { most: Number(cells), each: Number(cells) },
});
async function tell({ sources, findings }: Batch, number: number): Promise<void> {
  await findings;
  console.log(`batch ${number} of ${run.batches.length}: from ${sources.join(', ')}`);
  if (number === Number(stop)) run.interrupt('stopped by SIGINT');
}
for (const [index, batch] of run.batches.entries()) void tell(batch, index + 1);
const record = await run.record;
const { folder, faults } = writeReports(reports, startedAt, record, { 'inventory.json': source });
record.spooled?.remove();
console.log([renderConsole(record), ...faults, `report: ${folder}`].join('\n'));
process.exitCode = faults.length > 0 ? 2 : exitCodeOf(record);
