// Before mocha takes up its own --grep: a pattern or a shard that is none is the caller's mistake, and no run.
import { printable } from '../../lib/reports/console.ts';
import { readShard } from '../../lib/shard.ts';
import { selectionOf } from './selection.ts';

function refuse(what: string, read: () => void): void {
  try {
    read();
  } catch (error) {
    process.stdout.write(`flowproof: ${what}${printable((error as Error).message)}. Nothing was sent\n`);
    process.exit(2);
  }
}

refuse('--grep: ', () => selectionOf(process.argv.slice(2)));
refuse('', () => {
  const shard = readShard(process.env.FLOWPROOF_SHARD, process.env.FLOWPROOF_RUN_ID);
  if (shard !== null && selectionOf(process.argv.slice(2)) !== null) throw new Error('--grep and FLOWPROOF_SHARD both select cells: give one of them');
});
