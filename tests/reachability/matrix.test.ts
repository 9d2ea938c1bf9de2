// The product: one test a flow, registered from the plan; each awaits its finding from one shared run.
import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { styleText } from 'node:util';
import { expect } from 'chai';
import { signatureOf, signRun } from '../../lib/bundle/sign.ts';
import { sha256 } from '../../lib/hash.ts';
import { parseInventory } from '../../lib/inventory.ts';
import { compare } from '../../lib/matrix/compare.ts';
import { readDocument } from '../../lib/matrix/document.ts';
import type { Inventory, Phase, RunRecord } from '../../lib/model.ts';
import { readRate, withRate } from '../../lib/pace.ts';
import { printable, renderConsole, type Paint } from '../../lib/reports/console.ts';
import { exitCodeOf } from '../../lib/reports/summary.ts';
import { writeFault, writeReports } from '../../lib/reports/write.ts';
import { root } from '../../lib/root.ts';
import { startRun, type Run } from '../../lib/run.ts';
import { NothingSelected } from '../../lib/select.ts';
import { readShard, shardFolder } from '../../lib/shard.ts';
import { liveView, type Live } from './live.ts';
import type { Cells } from './reporter.ts';
import { selectionOf } from './selection.ts';
import { testsOf } from './tests.ts';

/** Where this is a shard of a run on several machines. */
const oneOf = readShard(process.env.FLOWPROOF_SHARD, process.env.FLOWPROOF_RUN_ID);
/** A shard's by themselves: several may write into one folder at once, whose chain is one run after the other. */
const reports = join(process.env.FLOWPROOF_REPORTS ?? join(root, 'reports'), ...(oneOf === null ? [] : ['shards', shardFolder(oneOf)]));
const startedAt = new Date().toISOString();
/** An SSH key to sign the manifest with. */
const signKey = process.env.FLOWPROOF_SIGN_KEY ?? '';
/** What the run is made from, to be kept beside its reports. */
const used: Record<string, string> = {};
let live: Live | null = null;

async function prepare(): Promise<Run> {
  const phase = process.env.FLOWPROOF_PHASE ?? 'steady';
  if (phase !== 'steady' && phase !== 'setup') throw new Error(`FLOWPROOF_PHASE is "${phase}"; it can be setup or steady. Nothing was sent`);
  if (signKey !== '') signatureOf(signKey, ''); // a key that does not sign is told now, not when the run is over
  const file = process.env.FLOWPROOF_INVENTORY ?? join(root, 'inventory.json');
  const source = readFileSync(file, 'utf8');
  used['inventory.json'] = source;
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const inventory = withRate(parseInventory(source, file), readRate(process.argv, process.env.FLOWPROOF_RATE));
  live = liveView(process.stdout, process.env, new Set([...Object.keys(inventory.matrix.hosts), 'operator']));
  return startRun({
    inventory, phase: phase satisfies Phase, version, inventoryHash: sha256(source), ...documentOf(inventory, file),
    operator: `${userInfo().username}@${hostname()}`, selection: selectionOf(process.argv.slice(2)), oneOf, progress: live, reports,
  });
}

/** The document that the inventory is the data of. That the two differ is for people to mend; what is probed is what the inventory says. */
function documentOf(inventory: Inventory, file: string): Readonly<{ matrixHash: string | null; warnings: readonly string[] }> {
  const name = inventory.matrix.document;
  if (name === undefined) return { matrixHash: null, warnings: [] };
  try {
    const source = readFileSync(resolve(dirname(file), name), 'utf8');
    used['matrix.md'] = source;
    const document = readDocument(source);
    const differences = [...document.faults, ...document.unread, ...compare(document, inventory)];
    return { matrixHash: sha256(source), warnings: differences.length === 0 ? [] : [`${name} and the inventory differ in ${differences.length} places; \`npm run matrix -- check ${name}\` names them`] };
  } catch (error) {
    return { matrixHash: null, warnings: [`${name}, which the inventory names as its document, cannot be read: ${(error as Error).message}`] };
  }
}

/** NO_COLOR and what the terminal can do are node's to know. */
const paint: Paint = (tone, text) => (process.stdout.isTTY && process.stdout.hasColors() ? styleText(tone, text) : text);

/** Exactly one ending, whatever comes first: the record, or a signal. */
let written = false;
function finish(record: RunRecord, exitCode: number = exitCodeOf(record)): void {
  if (written) return;
  written = true;
  live?.stop();
  const { folder, faults } = writeReports(reports, startedAt, record, used);
  record.spooled?.remove();
  process.stdout.write(`\n${renderConsole(record, paint)}\n${faults.length === 0 ? `exit code ${exitCode}\nreport: ${relative(process.cwd(), folder)}\n` : ''}`);
  if (faults.length > 0) throw new Error(`not written: ${faults.join('; ')}. Make room or mend the rights there, or set FLOWPROOF_REPORTS to another folder, then run again`);
  if (signKey !== '' && record.findings.length > 0) signRun(folder, signKey, record.run.clock);
}

/** A run that comes to no record is a fault of ours, and has that for its report: no cell of it is green. */
const endingOf = (run: Run): Promise<RunRecord> => run.record.catch((error: Error) => {
  written = true;
  live?.stop();
  const { faults } = writeFault(reports, startedAt, 'the run comes to its end', error.message);
  throw new Error([`the run came to no record: ${error.message}`, ...faults].join('\n'));
});

const entering: { run: Run | null } = { run: null };
const stopped = (cause: string, exitCode: number): Promise<void> => {
  if (entering.run !== null) {
    entering.run.interrupt(cause);
    return entering.run.record.then((record) => finish(record, exitCode));
  }
  const { faults } = writeFault(reports, startedAt, 'the run starts', `${cause} before the first look`);
  return Promise.reject(new Error([`${cause} before the first look`, ...faults].join('; ')));
};
const onSignal = (signal: 'SIGINT' | 'SIGTERM'): void => {
  const exitCode = signal === 'SIGINT' ? 130 : 143;
  void stopped(`stopped by ${signal}`, exitCode)
    .catch((error: Error) => process.stdout.write(`${error.message}\n`))
    .finally(() => process.exit(exitCode));
};
process.once('SIGINT', onSignal);
process.once('SIGTERM', onSignal);

const run = await prepare().then((begun) => ({ ...begun, record: endingOf(begun) }), (error: unknown) => error as Error);
if (!(run instanceof Error)) entering.run = run;

if (run instanceof Error) {
  const { faults } = writeFault(reports, startedAt, 'the run starts', run.message);
  if (run instanceof NothingSelected) {
    process.stdout.write(`${printable(run.message)}\n${faults.map((fault) => `not written: ${printable(fault)}\n`).join('')}`);
    process.exit(2); // asked for wrongly, and nothing found out
  }
  describe('flowproof', () => {
    it('starts', () => {
      expect.fail([run.message, ...faults].join('\n'));
    });
  });
} else if (run.flows.length === 0 && run.batches.length === 0) {
  // A shard without a cell is no failure, and no pass: its report says so, and the merged run wants it.
  finish(await run.record, 0);
  process.exit(0);
} else {
  let ran = 0;
  // Under no heading, so that mocha's own --grep, too, sees cell ids and nothing else.
  for (const { title, asked } of testsOf(run)) {
    it(title, async function () {
      const cells = await asked();
      ran += cells.length;
      const red = cells.filter(({ finding }) => finding?.verdict.result !== 'pass');
      // Not mocha's skip: that is for tests that were not made, and is forbidden here.
      const waived = red.filter(({ finding }) => finding?.verdict.result === 'fail' && finding.waiver !== null);
      Object.assign(this.test ?? {}, { cells: { passed: cells.length - red.length, waived: waived.length, failed: red.length - waived.length } satisfies Cells });
      const told = red.filter((one) => !waived.includes(one)).map(({ id, finding }) => (finding === undefined ? 'no finding for this flow' : `${id}: ${finding.verdict.result}: ${finding.verdict.reason}`));
      expect(told, 'cells that did not pass').to.deep.equal([]);
    });
  }
  after(async () => {
    const record = await run.record;
    finish(record);
    // mocha's filter may do otherwise than ours (a pattern with the flag g remembers): a cell that is left out is not green.
    expect(ran, 'cells that mocha has asked for').to.equal(run.batches.length > 0 ? record.findings.length : run.flows.length);
  });
}
