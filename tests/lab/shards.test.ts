// FLOWPROOF_SHARD: five shards at once, merged, say of each cell what one whole run says; a shard without a source looks at nothing and
// says so.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { exec } from '../../lab/exec.ts';
import { mustRun } from '../../lab/inside.ts';
import { setPhase } from '../../lab/phase.ts';
import { repository } from '../../lab/up.ts';
import { npmTest, typeNpmTest, type Cell, type Ran } from './harness.ts';

const insert = (machine: 'mesh' | 'joi' | 'ntp' | 'gateway', ...rule: readonly string[]): ReturnType<typeof exec> => exec(machine, ['nft', 'insert', 'rule', 'inet', 'filter', ...rule]);
/** busybox's ping has not always said that it was barred when a busy machine ends it; silence is then proven by the same firewall. */
const seenOf = ({ proto, outcome: { seen } }: Cell): string => (proto === 'icmp' && seen === 'barred' ? 'silent' : seen);
const told = (cell: Cell): string => {
  const { id, verdict, grade, expected, walls } = cell;
  return [id, expected, seenOf(cell), verdict, grade, walls?.near.stands, walls?.far.stands].join(' · ').replaceAll(/(tcp|udp)\/(4|5)\d{4} from/g, '$1/high from'); // those ports are fresh in each run
};

const of = 5;
const numbers = Array.from({ length: of }, (_none, index) => index + 1);
const run = 'lab.run-1';

/** What ntp was sent on vmbr1 by TCP: its own count. */
async function sentToNtp(): Promise<number> {
  const listing = await mustRun('ntp', ['nft', 'list', 'chain', 'inet', 'filter', 'input']);
  return Number(/counter packets (\d+) .*comment "shards"/.exec(listing)?.[1]);
}

describe('shards of one run', () => {
  const parent = join(repository, 'reports');
  mkdirSync(parent, { recursive: true });
  const scratch = mkdtempSync(join(parent, 'shards-'));
  const folders = numbers.map((number) => join(scratch, String(number), 'shards', `${run}-${number}-of-${of}`, 'latest'));
  const reports = (...args: readonly string[]): Readonly<{ code: number | null; said: string }> => {
    const { status, stdout, stderr } = spawnSync('npm', ['run', '-s', 'reports', '--', ...args], { cwd: repository, encoding: 'utf8', maxBuffer: 1 << 26, env: { ...process.env, FLOWPROOF_REPORTS: join(scratch, 'merged') } });
    return { code: status, said: `${stdout}${stderr}` };
  };
  const shard = (number: number): Promise<Ran> => typeNpmTest({ FLOWPROOF_SHARD: `${number}/${of}`, FLOWPROOF_RUN_ID: run }, `${basename(scratch)}/${number}`).ended;

  let whole: Ran;
  let shards: readonly Ran[];
  let merging: ReturnType<typeof reports>;
  before(async () => {
    // One way out, one machine whose closed ports are open to all (it is busybox, so its count of RSTs alone tells), one row that is blocked.
    await insert('joi', 'output', 'tcp dport 443 accept');
    await insert('gateway', 'forward', 'tcp dport 443 accept');
    await insert('ntp', 'input', 'iifname "eth1" tcp dport { 9090, 443 } accept');
    await insert('ntp', 'input', 'ip saddr 172.22.22.1 udp dport 123 drop');
    await insert('ntp', 'input', 'iifname "eth1" tcp dport != 1 counter comment "shards"');
    whole = await npmTest();
    shards = await Promise.all(numbers.map(shard));
    mkdirSync(join(scratch, 'merged'));
    merging = reports('merge', ...folders);
  });
  after(async () => {
    rmSync(scratch, { recursive: true, force: true });
    await setPhase('steady');
  });

  const latest = (): string => join(scratch, 'merged', 'latest');
  const cellsOf = (folder: string): readonly Cell[] => (JSON.parse(readFileSync(join(folder, 'evidence.json'), 'utf8')) as { flows: Cell[] }).flows;

  it('each look from their own sources, and say that they are a part', () => {
    const sources = folders.map((folder) => [...new Set(cellsOf(folder).map(({ from }) => from))]);
    expect(sources.every((own) => own.length === 1), shards.map(({ output }) => output).join('\n')).to.equal(true);
    expect(new Set(sources.flat()).size).to.equal(of);
    for (const [index, { output }] of shards.entries()) expect(output).to.include(`A PART of the matrix: the ${cellsOf(folders[index] ?? '').length} cells that shard ${index + 1}/5 (from ${sources[index]?.[0]}) selects`);
  });
  it('merged are one whole run, cell for cell', () => {
    expect(merging.code, merging.said).to.equal(1);
    const [merged, one] = [cellsOf(latest()).map(told), whole.cells.map(told)];
    const otherwise = one.filter((line) => !merged.includes(line)).map((line) => `${line}, and merged ${merged.find((other) => other.startsWith(`${line.split(' · ')[0]} ·`)) ?? 'gone'}`);
    expect(otherwise.slice(0, 20).join('\n'), `${otherwise.length} cells are otherwise`).to.equal('');
    expect(merged).to.deep.equal(one);
    expect(whole.cells.filter(({ verdict }) => verdict === 'fail').length).to.be.greaterThan(12);
    for (const line of whole.output.split('\n').filter((text) => /^(FAIL:|if .* is taken over|cells by family|phase steady|not tested)/.test(text))) expect(merging.said.replaceAll(/(tcp|udp)\/(4|5)\d{4} from/g, '$1/high from')).to.include(line.replaceAll(/(tcp|udp)\/(4|5)\d{4} from/g, '$1/high from'));
  });
  it('merged have all reports, which come out again', () => {
    expect(readdirSync(latest()).toSorted()).to.deep.equal(['evidence.json', 'inventory.json', 'junit.xml', 'manifest.json', 'matrix.md', 'report.html', ...numbers.map((number) => `shard-${number}.manifest.json`), 'verdicts.json']);
    expect(readFileSync(join(latest(), 'junit.xml'), 'utf8').split('<testcase ').length - 1).to.equal(whole.cells.length);
    expect(reports('verify').said).to.match(/: as the run left it; every verdict comes out again\n {2}note: not signed\n$/);
    expect(reports('render', latest()).said).to.match(/: (\d+) of \1 files byte for byte as the run's own\n$/);
  });
  it('are no run where one is missing, there twice, or altered', () => {
    const before = readdirSync(join(scratch, 'merged'));
    expect(reports('merge', ...folders.filter((_folder, index) => index !== 2))).to.deep.equal({ code: 2, said: 'reports: shard 3/5 is missing\n' });
    expect(reports('merge', ...folders, folders[1] ?? '')).to.deep.equal({ code: 2, said: 'reports: shard 2/5 is there 2 times\n' });
    const file = join(folders[0] ?? '', 'evidence.json');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('"verdict":"fail"', '"verdict":"pass"'));
    const { code, said } = reports('merge', ...folders);
    writeFileSync(file, text);
    expect(code).to.equal(2);
    expect(said).to.include('evidence.json: altered, its SHA-256 is').and.match(/the verdict stands as pass \(.*\); judged again it is fail/);
    expect(readdirSync(join(scratch, 'merged'))).to.deep.equal(before);
  });
  it('without a source look at nothing, and are neither a failure nor a pass', async () => {
    const before = await sentToNtp();
    expect(before).to.be.greaterThan(20);
    const { exitCode, output } = await typeNpmTest({ FLOWPROOF_SHARD: '7/7', FLOWPROOF_RUN_ID: run }, `${basename(scratch)}/empty`).ended;
    expect(output).to.include('AN EMPTY shard, number 7 of 7: there are fewer sources than shards. Nothing was looked at').and.not.match(/\d passed/);
    expect(exitCode).to.equal(0);
    expect(readFileSync(join(scratch, 'empty', 'shards', `${run}-7-of-7`, 'latest', 'junit.xml'), 'utf8')).to.include('tests="1" failures="0" errors="0" skipped="1"');
    expect(await sentToNtp()).to.equal(before);
  });
});
