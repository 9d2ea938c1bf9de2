// `npm run nightly`: npm test, its reports kept, held against last night's, and one line at the end that says what came of it.
// Exit code 0: all passed, and the comparison was made; 1: anything else; 2: bad input.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { pruneRuns } from '../lib/bundle/prune.ts';
import { readNight, type Night } from '../lib/nightly/since.ts';
import { summaryOf, type Nightly } from '../lib/nightly/summary.ts';
import { printable } from '../lib/reports/console.ts';
import { root } from '../lib/root.ts';

const reports = process.env.FLOWPROOF_REPORTS ?? join(root, 'reports');
/** The link to the night that the next one is held against. */
const lastNightLink = 'last-night';
const usage = 'usage: npm run nightly -- [--keep N] [--phase steady|setup]     (N: how many runs to keep, 30 unless said; FLOWPROOF_REPORTS: where)';

type Given = Readonly<{ keep: number; phase: string }>;

function input(): Given {
  const { keep = '30', phase = process.env.FLOWPROOF_PHASE ?? 'steady' } = parseArgs({ options: { keep: { type: 'string' }, phase: { type: 'string' } } }).values;
  if (!/^[1-9]\d{0,4}$/.test(keep)) throw new Error(`--keep ${keep}: a whole number, at least 1`);
  if (phase !== 'steady' && phase !== 'setup') throw new Error(`the phase is "${phase}"; it can be setup or steady`);
  mkdirSync(reports, { recursive: true });
  return { keep: Number(keep), phase };
}

/** `npm test`, its output ours. It ends by itself when it is told to stop, and writes what it has; so it is told, and waited for. */
async function runTests({ phase }: Given): Promise<number> {
  const child = spawn(process.execPath, [join(root, 'node_modules/mocha/bin/mocha.js')], { cwd: root, stdio: 'inherit', env: { ...process.env, FLOWPROOF_REPORTS: reports, FLOWPROOF_PHASE: phase, CI: 'true' } });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void child.kill(signal));
  const [code, killedBy] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return code ?? 128 + constants.signals[killedBy ?? 'SIGKILL'];
}

function linkTo(name: string): string | null {
  try {
    return basename(readlinkSync(join(reports, name)));
  } catch {
    return null; // the first night
  }
}

function nightIn(folder: string): Readonly<{ night: Night }> | Readonly<{ unread: string }> {
  try {
    return { night: readNight(readFileSync(join(reports, folder, 'evidence.json'), 'utf8')) };
  } catch (error) {
    return { unread: (error as Error).message };
  }
}

function pointTo(folder: string): void {
  const link = join(reports, `.${lastNightLink}-${process.pid}`);
  rmSync(link, { force: true });
  symlinkSync(folder, link);
  renameSync(link, join(reports, lastNightLink));
}

function attempt(faults: string[], what: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    faults.push(`${what}: ${(error as Error).message}`);
  }
}

async function main(): Promise<number> {
  let given: Given;
  try {
    given = input();
  } catch (error) {
    console.error(`${printable((error as Error).message)}\nNothing was sent.\n${usage}`);
    return 2;
  }
  const [latest, earlier] = [linkTo('latest'), linkTo(lastNightLink)];
  const exitCode = await runTests(given);
  const written = linkTo('latest');
  const folder = written === latest ? null : written;
  const tonight: Nightly['tonight'] = folder === null ? null : { folder: relative(process.cwd(), join(reports, folder)), ...nightIn(folder) };
  const lastNight: Nightly['lastNight'] = earlier === null ? null : { name: earlier, ...nightIn(earlier) };
  const faults: string[] = [];
  // A night without a run is nothing that the next one could be held against.
  if (folder !== null && tonight !== null && 'night' in tonight && tonight.night.fault === null) attempt(faults, 'the link to tonight could not be made', () => pointTo(folder));
  attempt(faults, 'old reports could not be removed', () => {
    for (const fault of pruneRuns(reports, given.keep).faults) faults.push(`an old report could not be removed: ${fault}`);
  });
  const { line, exitCode: code } = summaryOf({ exitCode, tonight, lastNight, faults });
  console.log(line);
  return code;
}

process.exitCode = await main();
