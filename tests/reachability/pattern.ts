// Before mocha takes up its own --grep: a pattern that is none is the caller's mistake, and no run.
import { printable } from '../../lib/reports/console.ts';
import { selectionOf } from './selection.ts';

try {
  selectionOf(process.argv.slice(2));
} catch (error) {
  process.stdout.write(`flowproof: --grep: ${printable((error as Error).message)}. Nothing was sent\n`);
  process.exit(2);
}
