// A violation that somebody has accepted, in the lab: it does not fail the run, it is told with what was seen, and the day after its
// last it fails again. And a TEMP row after its own last day.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { exec } from '../../lab/exec.ts';
import { setPhase } from '../../lab/phase.ts';
import { untilReady } from '../../lab/ready.ts';
import { vmbr1 } from '../../lab/topology.ts';
import { repository } from '../../lab/up.ts';
import { shipped, typeNpmTest, type Cell, type Ran } from './harness.ts';

type Whole = { matrix: { flows: Record<string, unknown>[] }; site: { watch: unknown }; waivers: unknown };

const hole = 'joi -> ntp vmbr1 tcp/9090';
const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
const waiver = (cells: string, until: string): unknown => ({ cells, reason: 'metrics move next month', acceptedBy: 'A. Person', until });

describe('an accepted violation', () => {
  const reports = join(repository, 'reports');
  mkdirSync(reports, { recursive: true });
  const scratch = mkdtempSync(join(reports, 'waivers-'));
  after(async () => {
    rmSync(scratch, { recursive: true, force: true });
    await setPhase('steady');
    await untilReady();
  });

  /** `npm test` on the short site, changed; its reports are kept for as long as these tests take. */
  async function test(name: string, phase: 'steady' | 'setup', change: (whole: Whole) => void): Promise<Ran & Readonly<{ evidence: string; inventory: string }>> {
    const whole = JSON.parse(readFileSync(shipped.FLOWPROOF_INVENTORY, 'utf8')) as Whole;
    whole.site.watch = { tcp: [9090], udp: [5353] };
    change(whole);
    const inventory = join(scratch, `${name}.json`);
    writeFileSync(inventory, JSON.stringify(whole));
    const folder = join(scratch, name);
    const ran = await typeNpmTest({ FLOWPROOF_INVENTORY: inventory, FLOWPROOF_PHASE: phase }, `${scratch.slice(reports.length + 1)}/${name}`).ended;
    return { ...ran, inventory, evidence: join(folder, 'latest/evidence.json') };
  }
  const red = ({ cells }: Ran): readonly Cell[] => cells.filter(({ verdict }) => verdict !== 'pass');
  const tags = ({ junit }: Ran, tag: string): number => junit.split(`<${tag} `).length - 1;

  before(async () => {
    await exec('joi', ['nft', `insert rule inet filter output ip daddr ${vmbr1.ntp} tcp dport 9090 accept`]);
    await exec('ntp', ['nft', `insert rule inet filter input ip saddr ${vmbr1.joi} tcp dport 9090 accept`]);
  });

  it('does not fail the run, and is told as what it is; so is a waiver that excuses nothing', async () => {
    const ran = await test('accepted', 'steady', (whole) => (whole.waivers = [waiver(hole, '2999-12-31'), waiver('joi -> ntp vmbr1 tcp/22', '2999-12-31'), waiver('joi -> nowhere *', '2999-12-31')]));
    expect(red(ran).map(({ id, verdict }) => [id, verdict]), ran.output).to.deep.equal([[hole, 'fail']]);
    expect(ran.exitCode, ran.output).to.equal(0);
    expect(ran.output).to.match(/WAIVED: joi -> ntp vmbr1 tcp\/9090: waived until 2999-12-31 by A\. Person: metrics move next month\n.*\n +seen +joi -> ntp vmbr1 tcp\/9090: REACHED /);
    expect(ran.output).to.include('STALE WAIVER: "joi -> ntp vmbr1 tcp/22" has no violation any more').and.include('WAIVER OF NOTHING: this run has no cell "joi -> nowhere *"');
    expect(ran.output).to.match(/fail 0, inconclusive 0, waived 1[\s\S]*\d+ passed, 1 waived, 0 failed/);
    expect([tags(ran, 'failure'), tags(ran, 'error'), tags(ran, 'skipped')]).to.deep.equal([0, 0, 1]);

    // The plan, made from what this run found out, has its cells: no more, no fewer, in this order.
    const planned = spawnSync('npm', ['run', '-s', 'plan', '--', '--json', '--known', ran.evidence], { cwd: repository, encoding: 'utf8', maxBuffer: 1 << 26, env: { ...process.env, FLOWPROOF_INVENTORY: ran.inventory } });
    const { cells } = JSON.parse(planned.stdout) as { cells: { id: string; packets: { most: number; mostUnderLoss: number } }[] };
    expect(cells.map(({ id }) => id)).to.deep.equal(ran.cells.map(({ id }) => id));
    // A busy machine may miss a round trip, and then silent looks are made again.
    const most = new Map(cells.map(({ id, packets }) => [id, ran.loss?.missed === 0 ? packets.most : packets.mostUnderLoss]));
    expect(ran.cells.flatMap(({ id, attempts, from, to }) => (from !== to && attempts > (most.get(id) ?? 0) ? [`${id}: ${attempts}, at most ${most.get(id)}`] : [])), `cells with more tries than the plan has packets; ${JSON.stringify(ran.loss)}`).to.deep.equal([]);
  });

  it('fails the run again on the day after the last', async () => {
    const ran = await test('expired', 'steady', (whole) => (whole.waivers = [waiver(hole, yesterday)]));
    expect(red(ran).map(({ id, verdict }) => [id, verdict]), ran.output).to.deep.equal([[hole, 'fail']]);
    expect(ran.exitCode, ran.output).to.equal(1);
    expect(ran.output).to.include(`EXPIRED WAIVER: "${hole}": 1 of 1 cells fail again`).and.match(/FAIL: joi -> ntp tcp\/9090 is open\n.*\n +seen +joi -> ntp vmbr1 tcp\/9090: REACHED /);
    expect([tags(ran, 'failure'), tags(ran, 'error'), tags(ran, 'skipped')]).to.deep.equal([1, 0, 0]);
  });

  it('is no way around the end of a TEMP row: phase setup fails on its cells, which still work', async () => {
    await setPhase('setup');
    await untilReady();
    const ran = await test('ended', 'setup', (whole) => (whole.matrix.flows = whole.matrix.flows.map((row) => (row.temp === true ? { ...row, until: yesterday } : row))));
    const own = ran.cells.filter(({ row }) => row === 'joi-any-wan');
    expect(own.length).to.be.greaterThan(30);
    expect(own.filter(({ verdict, reason }) => verdict !== 'fail' || !reason.startsWith(`its TEMP row ended on ${yesterday}: reached: `)).map(({ id, reason }) => `${id}: ${reason}`), ran.output).to.deep.equal([]);
    expect(ran.exitCode).to.not.equal(0);
  });
});
