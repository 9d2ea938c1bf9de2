// `npm run plan`, as typed: what it prints, and what it says of bad input. It has no network to send anything to.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { HostRecord } from '../../../lib/model.ts';
import { renderJson } from '../../../lib/reports/json.ts';
import { aRecord } from '../../fixtures/flows.ts';
import { discovery, hosts, inventory, plan, shipped } from '../../fixtures/site.ts';

const root = join(import.meta.dirname, '../../..');
type Told = Readonly<{ phase: string; known: unknown; cells: readonly Readonly<{ id: string; packets: Readonly<{ most: number }> }>[]; total: Readonly<{ most: number }>; time: Readonly<{ rate: number | null; most: number | null }>; unknown: readonly string[] }>;

describe('npm run plan', function () {
  this.timeout(60_000);
  const scratch = mkdtempSync(join(tmpdir(), 'flowproof-unit-'));
  after(() => rmSync(scratch, { recursive: true, force: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(scratch, name), text);
    return join(scratch, name);
  };
  const run = (options: readonly string[], env: Readonly<Record<string, string>> = {}): Readonly<{ status: number | null; stdout: string; stderr: string }> =>
    spawnSync(process.execPath, ['cli/start.mjs', 'plan', ...options], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26, env: { PATH: process.env.PATH ?? '', HOME: scratch, ...env } });
  const json = (options: readonly string[], env: Readonly<Record<string, string>> = {}): Told => {
    const { status, stdout, stderr } = run(['--json', ...options], env);
    expect(status, stderr).to.equal(0);
    return JSON.parse(stdout) as Told;
  };

  const { hosts: _hosts, ...discovered } = discovery;
  const evidence = renderJson(aRecord([], { discovered, hosts: Object.entries(hosts).map(([name, facts]): HostRecord => ({ name, prober: null, hostKey: null, failure: null, facts, configuration: null })) }));

  it('lists in a table what it has as JSON', () => {
    const { cells, total, known } = json([]);
    const { status, stdout } = run([]);
    expect(status).to.equal(0);
    expect(known).to.equal(null);
    const lines = stdout.split('\n');
    expect(lines.slice(1, cells.length + 1).map((line) => line.split('  ')[0])).to.deep.equal(cells.map(({ id }) => id));
    expect(stdout).to.include(`phase steady: ${cells.length} cells; `).and.include(`${total.most} at most`).and.include('by the inventory alone');
  });
  it('with an earlier run has the cells that a run has', () =>
    expect(json(['--known', file('evidence.json', evidence)]).cells.map(({ id }) => id)).to.deep.equal(plan().flows.map(({ flow }) => flow.id)));
  it('says that the earlier run had another inventory', () => expect(run(['--known', file('evidence.json', evidence)]).stdout).to.include('which had another inventory'));
  it('has the phase that is asked for, by option or variable', () => expect([json(['--phase', 'setup']).phase, json([], { FLOWPROOF_PHASE: 'setup' }).phase, json(['--phase=steady'], { FLOWPROOF_PHASE: 'setup' }).phase]).to.deep.equal(['setup', 'setup', 'steady']));
  it('ends TEMP rows that are over', () => {
    const over = file('over.json', shipped.replace('"temp": true,', '"temp": true, "until": "2020-02-29",'));
    expect(json(['--phase', 'setup'], { FLOWPROOF_INVENTORY: over }).cells.length).to.be.greaterThan(json(['--phase', 'setup']).cells.length);
  });
  it('says how long a rate takes, and that it is too slow for a prober\'s life', () => {
    const { time } = json(['--rate', '10']);
    expect(time.rate).to.equal(10);
    expect(time.most).to.be.greaterThan(100);
    expect(run(['--rate=1']).stdout).to.include('but a prober lives half an hour');
    expect(json([]).time).to.deep.equal({ rate: null, most: null });
  });
  it('knows the site\'s own rate', () => expect(json([], { FLOWPROOF_INVENTORY: file('rate.json', JSON.stringify({ ...inventory, site: { ...inventory.site, timing: { ...inventory.site.timing, rate: 25 } } })) }).time.rate).to.equal(25));

  const rows: readonly (readonly [sentence: string, options: () => readonly string[], env: () => Readonly<Record<string, string>>, says: RegExp])[] = [
    ['an option that there is not', () => ['--jsn'], () => ({}), /Unknown option '--jsn'[\s\S]*usage: npm run plan/],
    ['a phase that is none', () => ['--phase', 'stedy'], () => ({}), /the phase is "stedy"; it can be setup or steady/],
    ['a rate of nothing', () => ['--rate', '0'], () => ({}), /--rate is "0"; it must be a whole number/],
    ['a bad inventory', () => [], () => ({ FLOWPROOF_INVENTORY: file('bad.json', shipped.replace('[8443]', '[84430]')) }), /bad\.json: 1 mistake[\s\S]*flows\[0\]\.ports\[0\]/],
    ['an inventory that is not there', () => [], () => ({ FLOWPROOF_INVENTORY: join(scratch, 'none.json') }), /none\.json/],
    ['evidence that is not there', () => ['--known', join(scratch, 'none.json')], () => ({}), /none\.json/],
    ['evidence that is cut off', () => ['--known', file('torn.json', evidence.slice(0, evidence.length / 2))], () => ({}), /torn\.json is not JSON/],
    ['evidence of a run that did not begin', () => ['--known', file('fault.json', '{ "schema": 1, "run": { "fault": "no" }, "flows": [] }')], () => ({}), /fault\.json is no evidence of a run \(at run\.id: /],
    ['evidence with facts that are none', () => ['--known', file('odd.json', evidence.replace('"scope":"link"', '"scope":"moon"'))], () => ({}), /odd\.json is no evidence of a run \(at run\.hosts\.0\.facts\.addresses/],
  ];
  for (const [sentence, options, env, says] of rows)
    it(`ends with 2 and says what is wrong: ${sentence}`, () => {
      const { status, stdout, stderr } = run(options(), env());
      expect(status, stderr).to.equal(2);
      expect(stdout).to.equal('');
      expect(stderr).to.match(says);
    });
});
