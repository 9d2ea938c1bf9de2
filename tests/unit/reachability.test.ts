// The product's own test file, run as a user would with something wrong: it must end badly, say why, and leave reports.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { shipped } from '../fixtures/site.ts';

const root = join(import.meta.dirname, '../..');
const mocha = join(root, 'node_modules/mocha/bin/mocha.js');

describe('reachability', function () {
  this.timeout(60_000);
  const scratch = mkdtempSync(join(tmpdir(), 'flowproof-unit-'));
  after(() => rmSync(scratch, { recursive: true, force: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(scratch, name), text);
    return join(scratch, name);
  };
  const run = (reports: string, env: Readonly<Record<string, string>>, options: readonly string[] = []): Readonly<{ status: number | null; said: string; junit: () => string }> => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [mocha, ...options], {
      cwd: root, encoding: 'utf8', timeout: 60_000, env: { PATH: process.env.PATH ?? '', HOME: scratch, FLOWPROOF_REPORTS: join(scratch, reports), ...env },
    });
    return { status, said: `${stdout}${stderr}`, junit: () => readFileSync(join(scratch, reports, 'latest/junit.xml'), 'utf8') };
  };

  const rows: readonly (readonly [sentence: string, env: () => Readonly<Record<string, string>>, says: RegExp])[] = [
    ['a bad inventory', () => ({ FLOWPROOF_INVENTORY: file('bad.json', shipped.replace('"ports": [8443]', '"ports": [84430]')) }), /bad\.json: 1 mistake; nothing was sent[\s\S]*\$\.matrix\.flows\[0\]\.ports\[0\]: Too big/],
    ['an inventory that is no JSON', () => ({ FLOWPROOF_INVENTORY: file('torn.json', shipped.slice(0, 400)) }), /torn\.json: 1 mistake; nothing was sent[\s\S]*not JSON/],
    ['an inventory that is not there', () => ({ FLOWPROOF_INVENTORY: join(scratch, 'none.json') }), /none\.json/],
    ['a rate of nothing', () => ({ FLOWPROOF_RATE: '0' }), /FLOWPROOF_RATE is "0"; it must be a whole number of packets a second, 1 to 1000/],
    ['a phase that is none', () => ({ FLOWPROOF_PHASE: 'stedy' }), /FLOWPROOF_PHASE is "stedy"; it can be setup or steady/],
  ];
  for (const [index, [sentence, env, says]] of rows.entries())
    it(`${sentence} ends in an exit code, a message and a report with one error`, () => {
      const { status, said, junit } = run(`reports-${index}`, env());
      expect(status, said).to.be.a('number').and.not.equal(0);
      expect(said).to.match(says);
      expect(said).to.match(/0 passed, 1 failed/);
      expect(junit()).to.include('tests="1" failures="0" errors="1"').and.match(says);
    });
  const refused: readonly (readonly [sentence: string, env: Readonly<Record<string, string>>, options: readonly string[], says: RegExp])[] = [
    ...['6/5', '0/3', 'x'].map((shard) => [`shard ${shard}`, { FLOWPROOF_SHARD: shard, FLOWPROOF_RUN_ID: 'a' }, [], new RegExp(`flowproof: FLOWPROOF_SHARD is "${shard}"; it must be .*Nothing was sent`)] as const),
    ['a shard of no run', { FLOWPROOF_SHARD: '2/5' }, [], /flowproof: FLOWPROOF_RUN_ID is not set; .*Nothing was sent/],
    ['a run id without a shard', { FLOWPROOF_RUN_ID: '81-1' }, [], /flowproof: FLOWPROOF_RUN_ID is set and FLOWPROOF_SHARD is not.*Nothing was sent/],
    ['a shard and a pattern', { FLOWPROOF_SHARD: '2/5', FLOWPROOF_RUN_ID: 'a' }, ['--grep', 'joi'], /--grep and FLOWPROOF_SHARD both select cells: give one of them\. Nothing was sent/],
  ];
  for (const [index, [sentence, env, options, says]] of refused.entries())
    it(`${sentence} ends in exit code 2 and a message, and nothing is written`, () => {
      const { status, said } = run(`refused-${index}`, env, options);
      expect(said).to.match(says);
      expect(status).to.equal(2);
      expect(existsSync(join(scratch, `refused-${index}`))).to.equal(false);
    });
  it('a shard without a source ends well, in a report that is neither a pass nor a failure', () => {
    const { status, said } = run('empty', { FLOWPROOF_SHARD: '6/6', FLOWPROOF_RUN_ID: 'a' });
    expect(said).to.include('AN EMPTY shard, number 6 of 6').and.not.match(/\d passed/);
    expect(status, said).to.equal(0);
    expect(readFileSync(join(scratch, 'empty/shards/a-6-of-6/latest/junit.xml'), 'utf8')).to.include('<testsuites name="flowproof" tests="1" failures="0" errors="0" skipped="1">');
  });
  it('a run that comes to no record ends badly, and its report is that fault', () => {
    // In the place of lib/run.ts: nothing is entered, let alone sent.
    const stub = file('run.mjs', 'export const startRun = async () => ({ flows: [{ flow: { id: "joi -> ntp vmbr1 tcp/25" } }], batches: [], whole: true, interrupt() {}, record: Promise.reject(new Error("no room for it")) });\n');
    const hooks = `export const resolve = (name, context, next) => (/\\/lib\\/run\\.ts(\\?|$)/.test(name) ? { url: ${JSON.stringify(pathToFileURL(stub).href)}, format: 'module', shortCircuit: true } : next(name, context));`;
    const preload = file('preload.mjs', `import { register } from 'node:module';\nregister(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});\n`);
    const { status, said, junit } = run('fault', { FLOWPROOF_UNCOMPILED: '1', NODE_OPTIONS: `--import ${pathToFileURL(preload).href}` });
    expect(said).to.match(/^0 passed, 2 failed$/m, 'the cell, and the end of the run').and.match(/the run came to no record: no room for it/);
    expect(status, said).to.be.a('number').and.not.equal(0);
    expect(junit()).to.include('tests="1" failures="0" errors="1"').and.include('no room for it');
  });
  it('reports that cannot be written are told too', () => {
    const { status, said } = run('bad.json', { FLOWPROOF_PHASE: 'stedy' });
    expect(status).to.not.equal(0);
    expect(said).to.include('stedy').and.include('ENOTDIR');
  });

  describe('the guard', () => {
    const hanging = (guard: string): number | null => {
      const spec = file('hang.mjs', 'await new Promise(() => {});\nit("is never reached", () => {});\n');
      const config = file('mocharc.json', JSON.stringify({ spec: [spec], ...(guard === '' ? {} : { require: [guard] }), 'fail-zero': true }));
      return run('reports-guard', {}, ['--config', config]).status;
    };
    it('makes a spec that never settles end badly', () => expect(hanging(join(root, 'tests/guard.mjs'))).to.equal(70));
    it('is needed: without it mocha would end well', () => expect(hanging('')).to.equal(0));
    for (const config of ['.mocharc.cjs', 'tests/unit.mocharc.json', 'tests/lab.mocharc.json', 'tests/prober.mocharc.json'])
      it(`stands first in ${config}, and no test there can be left out in silence`, () => {
        const options = createRequire(import.meta.url)(join(root, config)) as Readonly<Record<string, unknown>>;
        expect(options).to.include({ 'fail-zero': true, 'forbid-only': true, 'forbid-pending': true, 'fail-hook-affected-tests': true });
        expect((options.require as readonly string[])[0]).to.equal('./tests/guard.mjs');
      });
  });
});
