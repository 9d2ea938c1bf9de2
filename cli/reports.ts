// npm run reports -- verify [FOLDER…]: whether the reports are what their runs left, and every verdict is what its evidence makes it.
import { statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runsIn, verifyRun } from '../lib/bundle/runs.ts';
import { printable } from '../lib/reports/console.ts';

const usage = 'usage: npm run reports -- verify [FOLDER…]   (without a folder: all runs in FLOWPROOF_REPORTS, or reports)';

/** What is wrong with the command. */
class Refusal extends Error {}
const say = (line: string): void => void process.stdout.write(`${printable(line)}\n`);

function main(): number {
  const { positionals: [command, ...named] } = parseArgs({ allowPositionals: true, options: {} });
  if (command !== 'verify') throw new Refusal(usage);
  const parent = process.env['FLOWPROOF_REPORTS'] ?? 'reports';
  const folders = (named.length > 0 ? named : runsIn(parent).map((run) => join(parent, run))).map((folder) => resolve(folder));
  if (folders.length === 0) throw new Refusal(`${parent}: no run is there`);
  const differences = folders.map((folder) => {
    if (!statSync(folder).isDirectory()) throw new Refusal(`${folder}: not a run's folder`);
    const told = verifyRun(folder);
    say(`${basename(folder)}: ${told.length === 0 ? 'as the run left it; every verdict comes out again' : `${told.length} differences`}`);
    for (const line of told) say(`  ${line}`);
    return told.length;
  });
  return differences.every((count) => count === 0) ? 0 : 1;
}

try {
  process.exitCode = main();
} catch (error) {
  const { code } = error as NodeJS.ErrnoException;
  if (!(error instanceof Refusal) && code === undefined) throw error;
  process.stderr.write(`reports: ${(error as Error).message.split('\n').map(printable).join('\n')}\n`);
  process.exitCode = 2;
}
