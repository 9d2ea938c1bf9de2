// The product: one test a flow, registered from the plan; each awaits its finding from one shared run.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect } from 'chai';
import { parseInventory } from '../../lib/inventory.ts';
import { compare } from '../../lib/matrix/compare.ts';
import { readDocument } from '../../lib/matrix/document.ts';
import type { Finding, Inventory, Phase, RunRecord } from '../../lib/model.ts';
import { readRate, withRate } from '../../lib/pace.ts';
import { renderConsole } from '../../lib/reports/console.ts';
import { writeFault, writeReports } from '../../lib/reports/write.ts';
import { startRun, type Run } from '../../lib/run.ts';

const root = join(import.meta.dirname, '../..');
const reports = process.env.FLOWPROOF_REPORTS ?? join(root, 'reports');
const startedAt = new Date().toISOString();
/** What the run is made from, to be kept beside its reports. */
const used: Record<string, string> = {};

async function prepare(): Promise<Run> {
  const phase = process.env.FLOWPROOF_PHASE ?? 'steady';
  if (phase !== 'steady' && phase !== 'setup') throw new Error(`FLOWPROOF_PHASE is "${phase}"; it can be setup or steady. Nothing was sent`);
  const file = process.env.FLOWPROOF_INVENTORY ?? join(root, 'inventory.json');
  const source = readFileSync(file, 'utf8');
  used['inventory.json'] = source;
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const inventory = withRate(parseInventory(source, file), readRate(process.argv, process.env.FLOWPROOF_RATE));
  return startRun({ inventory, phase: phase satisfies Phase, version, inventoryHash: sha256(source), ...documentOf(inventory, file) });
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

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

/** Exactly one ending, whatever comes first: the record, or a signal. */
let written = false;
function finish(record: RunRecord): void {
  if (written) return;
  written = true;
  const { folder, faults } = writeReports(reports, startedAt, record, used);
  process.stdout.write(`\n${renderConsole(record)}\n${faults.length === 0 ? `report: ${relative(process.cwd(), folder)}\n` : ''}`);
  if (faults.length > 0) throw new Error(`not written: ${faults.join('; ')}. Make room or mend the rights there, or set FLOWPROOF_REPORTS to another folder, then run again`);
}

const entering: { run: Run | null } = { run: null };
const stopped = (cause: string): Promise<void> => {
  if (entering.run !== null) {
    entering.run.interrupt(cause);
    return entering.run.record.then(finish);
  }
  const { faults } = writeFault(reports, startedAt, 'the run starts', `${cause} before the first look`);
  return Promise.reject(new Error([`${cause} before the first look`, ...faults].join('; ')));
};
const onSignal = (signal: 'SIGINT' | 'SIGTERM'): void => {
  void stopped(`stopped by ${signal}`)
    .catch((error: Error) => process.stdout.write(`${error.message}\n`))
    .finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
};
process.once('SIGINT', onSignal);
process.once('SIGTERM', onSignal);

const run = await prepare().catch((error: unknown) => error as Error);
if (!(run instanceof Error)) entering.run = run;

if (run instanceof Error) {
  const { faults } = writeFault(reports, startedAt, 'the run starts', run.message);
  describe('flowproof', () => {
    it('starts', () => {
      expect.fail([run.message, ...faults].join('\n'));
    });
  });
} else {
  const byId = run.record.then((record) => new Map<string, Finding>(record.findings.map((finding) => [finding.flow.id, finding])));
  for (const vantage of new Set(run.plan.flows.map(({ flow }) => flow.from))) {
    describe(vantage, () => {
      for (const { flow } of run.plan.flows.filter((planned) => planned.flow.from === vantage)) {
        it(`${flow.id} is ${flow.expected}`, async function () {
          const finding = (await byId).get(flow.id);
          expect(finding, 'no finding for this flow').to.not.equal(undefined);
          // Not mocha's skip: that is for tests that were not made, and is forbidden here.
          if (finding?.verdict.result === 'fail' && finding.waiver !== null) Object.assign(this.test ?? {}, { waived: true });
          else expect(finding?.verdict.result, finding?.verdict.reason).to.equal('pass');
        });
      }
    });
  }
  after(async () => finish(await run.record));
}
