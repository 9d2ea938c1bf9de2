// npm run reports -- verify | diff | list | prune | render | merge: what runs have left, looked at afterwards. Nothing of a run's own folder is ever altered.
// Exit code 0: as it should be; 1: it differs, or not all could be removed; 2: bad input.
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { batchesIn, recordIn, verifyBatches } from '../lib/bundle/batched.ts';
import { readEvidence, readParts, type EvidenceError } from '../lib/bundle/evidence.ts';
import { hashOf } from '../lib/bundle/hash.ts';
import { shardManifest } from '../lib/bundle/merged.ts';
import { MergeError, mergeRecords } from '../lib/bundle/merge.ts';
import { pruneRuns } from '../lib/bundle/prune.ts';
import { recordOf, wholeRecordOf } from '../lib/bundle/record.ts';
import { cellsOf, isFault, runsIn, verifyRun } from '../lib/bundle/runs.ts';
import { signatureOf, signRun } from '../lib/bundle/sign.ts';
import { changeLines, changesOf } from '../lib/changes.ts';
import type { RunRecord } from '../lib/model.ts';
import { rejudge } from '../lib/rejudge.ts';
import { printable, renderConsole } from '../lib/reports/console.ts';
import { exitCodeOf } from '../lib/reports/summary.ts';
import { writeReports } from '../lib/reports/write.ts';

const usage = `usage: npm run reports -- verify [--signers FILE] [RUN…]   are they what the runs left, and is every verdict what its evidence makes it? (without RUN: all)
       npm run reports -- diff RUN RUN                    which cells changed, and how
       npm run reports -- list
       npm run reports -- prune --keep N                  remove all but the newest N; the chain can still be checked
       npm run reports -- render RUN                      the reports made again from evidence.json, into the folder rendered
       npm run reports -- merge [--signers FILE] RUN…     one run from all of its shards; exit code 1 where a cell is red
RUN: a folder, or its name in FLOWPROOF_REPORTS (reports, unless set); --signers: an allowed_signers file of ssh-keygen, or FLOWPROOF_ALLOWED_SIGNERS`;

/** What is wrong with the command. */
class Refusal extends Error {}
type Given = Readonly<{ runs: readonly string[]; keep: string | undefined; signers: string | undefined }>;

const parent = process.env['FLOWPROOF_REPORTS'] ?? 'reports';
const say = (line: string): void => void process.stdout.write(`${printable(line)}\n`);
const evidenceOf = (folder: string): string => readFileSync(join(folder, 'evidence.json'), 'utf8');

function folderOf(run: string): string {
  const found = [run, join(parent, run)].find((folder) => statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true);
  if (found === undefined) throw new Refusal(`${run}: no run's folder, neither as it is named nor in ${parent}`);
  return realpathSync(found); // `latest` is the run that it leads to, whose name says when it was
}

const commands: Readonly<Record<string, (given: Given) => number>> = {
  verify({ runs, signers = process.env['FLOWPROOF_ALLOWED_SIGNERS'] }) {
    checkSigners(signers);
    const folders = (runs.length > 0 ? runs : runsIn(parent)).map(folderOf);
    if (folders.length === 0) throw new Refusal(`${parent}: no run is there`);
    const counts = folders.map((folder) => {
      const { differences, notes } = verifyRun(folder, signers === undefined ? null : resolve(signers));
      say(`${basename(folder)}: ${differences.length === 0 ? 'as the run left it; every verdict comes out again' : `${differences.length} differences`}`);
      for (const line of [...differences, ...notes.map((note) => `note: ${note}`)]) say(`  ${line}`);
      return differences.length;
    });
    return counts.every((count) => count === 0) ? 0 : 1;
  },

  diff({ runs }) {
    const [before, after, ...more] = runs.map(folderOf);
    if (before === undefined || after === undefined || more.length > 0) throw new Refusal(usage);
    const [was, is] = [before, after].map(cellsOf);
    const changes = changesOf(was?.cells ?? [], is?.cells ?? []);
    for (const line of changeLines(changes)) say(line);
    const count = changes.changed.length + changes.fresh.length + changes.gone.length;
    say(count === 0 ? `no change in ${is?.cells.length} cells` : `${changes.changed.length} cells changed, ${changes.fresh.length} new, ${changes.gone.length} no longer there, of ${is?.cells.length}`);
    return count === 0 ? 0 : 1;
  },

  list() {
    for (const run of runsIn(parent)) say(`${run}: ${told(join(parent, run))}`);
    return 0;
  },

  prune({ keep = '' }) {
    if (!/^[1-9]\d{0,4}$/.test(keep)) throw new Refusal(`--keep ${keep === '' ? 'is missing' : keep}: a whole number, at least 1. Nothing was removed`);
    const { removed, faults } = pruneRuns(parent, Number(keep));
    for (const run of removed) say(`removed ${run}`);
    for (const fault of faults) say(`not removed: ${fault}`);
    say(`${removed.length} removed, ${runsIn(parent).length} kept`);
    return faults.length === 0 ? 0 : 1;
  },

  render({ runs }) {
    const [folder, ...more] = runs.map(folderOf);
    if (folder === undefined || more.length > 0) throw new Refusal(usage);
    const [name, into] = [join(basename(folder), 'evidence.json'), join(dirname(folder), 'rendered')];
    const { differences, record } = readBack(folder, name, into);
    if (differences.length > 0) throw new Refusal(`${basename(folder)}: ${differences.length} verdicts or outcomes are not what the evidence makes them; \`npm run reports -- verify\` names them. Nothing was written`);
    const copies = copiesOf(folder, (one) => one === 'inventory.json' || one === 'matrix.md' || one.startsWith('shard-'));
    const whole = record();
    const { folder: made, faults } = writeReports(into, basename(folder), whole, copies, dirname(folder));
    whole.spooled?.remove();
    for (const fault of faults) say(`not written: ${fault}`);
    const names = readdirSync(made).filter((one) => !one.startsWith('manifest.json'));
    const same = names.filter((one) => statSync(join(folder, one), { throwIfNoEntry: false }) !== undefined && hashOf(join(folder, one)) === hashOf(join(made, one)));
    say(`${relative(process.cwd(), made)}: ${same.length} of ${names.length} files byte for byte as the run's own${same.length === names.length ? '' : `; others: ${names.filter((one) => !same.includes(one)).join(', ')}`}`);
    return faults.length === 0 ? 0 : 1;
  },

  merge({ runs, signers = process.env['FLOWPROOF_ALLOWED_SIGNERS'] }) {
    if (runs.length === 0) throw new Refusal(usage);
    checkSigners(signers);
    const key = process.env['FLOWPROOF_SIGN_KEY'] ?? '';
    if (key !== '') signatureOf(key, ''); // a key that does not sign is told before anything is written
    const folders = runs.map(folderOf);
    const parts = folders.map((folder) => partOf(folder, signers));
    const record = mergeRecords(parts, runs);
    const manifests = parts.flatMap(({ run }, index) => Object.entries(copiesOf(folders[index] ?? '', (name) => name.startsWith('manifest.json'))).map(([name, text]) => [name.replace('manifest.json', shardManifest(run.shard?.number ?? 0)), text] as const));
    const copies = { ...copiesOf(folders[0] ?? '', (name) => name === 'inventory.json' || name === 'matrix.md'), ...Object.fromEntries(manifests) };
    const { folder: into, faults } = writeReports(parent, new Date().toISOString(), record, copies);
    process.stdout.write(`${renderConsole(record)}\n`);
    for (const fault of faults) say(`not written: ${fault}`);
    if (faults.length > 0) return 1;
    say(`report: ${relative(process.cwd(), into)}`);
    if (key !== '') signRun(into, key, record.run.clock);
    return exitCodeOf(record);
  },
};

/** What the evidence is not, judged again; and how to have its record, where that is nothing. */
function readBack(folder: string, name: string, into: string): Readonly<{ differences: readonly string[]; record: () => RunRecord }> {
  const batches = batchesIn(join(folder, 'evidence.json'));
  if (batches !== null) return { differences: verifyBatches(batches, name).differences, record: () => recordIn(batches, into, name) };
  const read = readParts(evidenceOf(folder), name);
  return { differences: read.parts.flatMap(rejudge), record: () => wholeRecordOf(read) };
}

function checkSigners(signers: string | undefined): void {
  if (signers !== undefined && statSync(signers, { throwIfNoEntry: false })?.isFile() !== true) throw new Refusal(`${signers}: no file of allowed signers`);
}

/** A shard's record, once its folder is as it left it. */
function partOf(folder: string, signers: string | undefined): RunRecord {
  const text = evidenceOf(folder);
  if (isFault(text)) throw new Refusal(`${folder}: that shard came to no record; its junit.xml says why. Run all shards again, under another FLOWPROOF_RUN_ID`);
  const evidence = readEvidence(text, join(folder, 'evidence.json'));
  // One without a source has no clock to sign by, and nothing that could be made up: the inventory says that it has none.
  const { differences } = verifyRun(folder, signers === undefined || evidence.flows.length === 0 ? null : resolve(signers), false);
  if (differences.length > 0) throw new Refusal([`${folder}: not as the run left it, ${differences.length} differences. Nothing was written`, ...differences].join('\n'));
  return recordOf(evidence);
}

const copiesOf = (folder: string, isWanted: (name: string) => boolean): Readonly<Record<string, string>> => Object.fromEntries(readdirSync(folder).filter(isWanted).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));

/** A run in a line; one that cannot be read is told, not left out. */
function told(folder: string): string {
  try {
    const { phase, cells } = cellsOf(folder);
    const count = (verdict: string): string => `${verdict} ${cells.filter((cell) => cell.verdict === verdict && !cell.waived).length}`;
    const here = readdirSync(folder);
    return `phase ${phase}, ${cells.length} cells: ${['pass', 'fail', 'inconclusive'].map(count).join(', ')}, waived ${cells.filter(({ waived }) => waived).length}; ${here.includes('manifest.json.sig') ? 'signed' : here.includes('manifest.json') ? 'not signed' : 'no manifest'}`;
  } catch (error) {
    return (error as Error).message;
  }
}

try {
  const { positionals: [name = '', ...runs], values } = parseArgs({ allowPositionals: true, options: { keep: { type: 'string' }, signers: { type: 'string' } } });
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new Refusal(usage);
  process.exitCode = command({ runs, keep: values.keep, signers: values.signers });
} catch (error) {
  const { code, name } = error as NodeJS.ErrnoException & EvidenceError;
  if (!(error instanceof Refusal) && !(error instanceof MergeError) && code === undefined && name !== 'EvidenceError') throw error;
  process.stderr.write(`reports: ${(error as Error).message.split('\n').map(printable).join('\n')}\n`);
  process.exitCode = 2;
}
