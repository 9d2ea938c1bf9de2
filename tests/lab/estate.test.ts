// The estate: as many hosts as are asked for. Intact it is green; one hole is exactly one red cell.
import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { exec } from '../../lab/exec.ts';
import { begin } from '../../lab/inside.ts';
import { isHealthy } from '../../lab/status.ts';
import { machinesThere } from '../../lab/standing.ts';
import { repository, up, upEstate } from '../../lab/up.ts';
import { probersOn } from './faults.ts';
import { npmTest, tuple, type Cell } from './harness.ts';

const inEstate = { FLOWPROOF_INVENTORY: '/root/inventory.json' };

describe('an estate of six hosts', () => {
  before(() => upEstate(6));
  after(() => up({ phase: 'steady' })); // for the scenarios that follow

  it('stands in the place of the usual lab, and a second up is none', async () => {
    const there = machinesThere();
    expect(there).to.have.members(['internet', 'operator', 'gateway', 'vm1', 'vm2', 'vm3', 'vm4', 'vm5']);
    await upEstate(6);
    expect(await isHealthy(there)).to.equal(true);
  });

  it('is as its matrix says', async () => {
    const { cells, exitCode, output } = await npmTest(inEstate);
    expect(cells.filter(({ verdict }) => verdict !== 'pass').map(tuple), output).to.deep.equal([]);
    expect(exitCode, output).to.equal(0);
    const open = cells.filter(({ expected }) => expected === 'allowed').map(tuple);
    // The way in, SSH to five, a ring of five, the time for four.
    expect(open).to.have.length(15).and.include('vm5 172.22.22.11 tcp/8443').and.include('vm2 172.22.22.11 udp/123');
  });

  const reports = (): string => {
    mkdirSync(join(repository, 'reports'), { recursive: true });
    return mkdtempSync(join(repository, 'reports', 'batches-'));
  };
  const batched = (folder: string, ...stop: readonly string[]): ChildProcess => begin('operator', ['node', '--import', 'tsx', 'tests/lab/batched.ts', '/root/inventory.json', folder, '60', ...stop], { dir: repository });
  const said = (child: ChildProcess): (() => string) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    return () => output;
  };
  const cellsIn = (folder: string): readonly Cell[] => (JSON.parse(readFileSync(join(folder, 'latest', 'evidence.json'), 'utf8')) as { flows: Cell[] }).flows;
  const verified = (folder: string): string => spawnSync('npm', ['run', '-s', 'reports', '--', 'verify'], { cwd: repository, encoding: 'utf8', env: { ...process.env, FLOWPROOF_REPORTS: folder } }).stdout;
  const told = ({ id, expected, verdict, grade }: Cell): string => [id, expected, verdict, grade].join(' · ');

  it('says the same of each cell in batches, and its evidence can be judged again', async () => {
    const [whole, folder] = [await npmTest(inEstate), reports()];
    const child = batched(folder);
    const output = said(child);
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code, output()).to.equal(0);
    expect(output()).to.match(/^batch [3-9] of \d+: from /m);
    expect(cellsIn(folder).map(told)).to.deep.equal(whole.cells.map(told));
    expect(verified(folder)).to.include('as the run left it; every verdict comes out again');
    expect(readdirSync(folder).filter((name) => name.startsWith('.spool'))).to.deep.equal([]);
    rmSync(folder, { recursive: true });
  });

  it('stopped between batches has every cell, those that it did not come to as not told, and leaves the hosts', async () => {
    const folder = reports();
    const child = batched(folder, '2');
    const output = said(child);
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code, output()).to.equal(1);
    const cells = cellsIn(folder);
    expect(new Set(cells.filter(({ verdict }) => verdict === 'pass').map(({ from }) => from)).size).to.be.within(2, 5);
    const untold = cells.filter(({ verdict }) => verdict === 'inconclusive');
    expect(untold.length).to.be.greaterThan(50);
    expect(untold.some(({ reason }) => reason.includes('stopped by SIGINT'))).to.equal(true);
    expect(cells.filter(({ verdict }) => verdict === 'fail').map(tuple), output()).to.deep.equal([]);
    expect(output()).to.include('stopped: stopped by SIGINT');
    expect(verified(folder)).to.include('as the run left it; every verdict comes out again');
    rmSync(folder, { recursive: true });
    expect((['gateway', 'vm1', 'vm5'] as const).flatMap(probersOn)).to.deep.equal([]);
  });

  it('is red in the one cell that a hole opens', async () => {
    await exec('vm2', ['nft', 'insert rule inet filter output ip daddr 172.22.22.14 tcp dport 3389 accept']);
    await exec('vm4', ['nft', 'insert rule inet filter input ip saddr 172.22.22.12 tcp dport 3389 accept']);
    const { cells, exitCode, output } = await npmTest(inEstate);
    expect(cells.filter(({ verdict }) => verdict === 'fail').map(tuple), output).to.deep.equal(['vm2 172.22.22.14 tcp/3389']);
    expect(cells.filter(({ verdict }) => verdict === 'inconclusive').map(tuple), output).to.deep.equal([]);
    expect(exitCode).to.not.equal(0);
  });
});
