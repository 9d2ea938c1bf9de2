// `npm run nightly` as it is typed, with hosts whose keys nobody has on file: the real run, which then sends nothing.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { shipped } from '../../fixtures/site.ts';

const root = join(import.meta.dirname, '../../..');

describe('npm run nightly', () => {
  const folder = mkdtempSync(join(tmpdir(), 'flowproof-nightly-'));
  const reports = join(folder, 'reports');
  after(() => rmSync(folder, { recursive: true }));
  const nightly = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Readonly<{ status: number | null; stdout: string; stderr: string; last: string }> => {
    const inventory = JSON.parse(shipped) as { site: { logins: Record<string, string>; beacons?: unknown; watch: unknown } };
    for (const host of Object.keys(inventory.site.logins)) inventory.site.logins[host] = `${host}.flowproof.invalid`;
    delete inventory.site.beacons;
    inventory.site.watch = { tcp: [], udp: [] };
    writeFileSync(join(folder, 'inventory.json'), JSON.stringify(inventory));
    const { status, stdout, stderr } = spawnSync(process.execPath, ['cli/start.mjs', 'nightly', ...args], { cwd: root, encoding: 'utf8', env: { ...process.env, FLOWPROOF_REPORTS: reports, FLOWPROOF_INVENTORY: join(folder, 'inventory.json'), FLOWPROOF_PHASE: 'steady', ...env } });
    return { status, stdout, stderr, last: stdout.trimEnd().split('\n').at(-1) ?? '' };
  };
  const runs = (): readonly string[] => readdirSync(reports).filter((name) => name.startsWith('20')).toSorted();

  for (const [args, said] of [[['--keep', '0'], '--keep 0'], [['--keep', 'all'], '--keep all'], [['--phase', 'night'], 'the phase is "night"'], [['--cheap'], '--cheap']] as const)
    it(`${args.join(' ')} is no input: exit code 2, and nothing is run`, () => {
      const { status, stderr } = nightly(args);
      expect(status, stderr).to.equal(2);
      expect(stderr).to.include(said).and.include('usage: npm run nightly');
    });
  it('a folder that cannot be made is told', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(nightly([], { FLOWPROOF_REPORTS: join(folder, 'file/reports') }).status).to.equal(2);
  });
  it('nights one after the other', function () {
    this.timeout(0);
    mkdirSync(join(reports, '2020-01-01T00-00-00-000Z'), { recursive: true });
    const first = nightly(['--keep', '1']);
    expect(first.status, first.stdout + first.stderr).to.equal(1);
    expect(first.last).to.match(/^nightly: FAIL: (\d+) of \1 cells red; no night before to compare with; \1 red \(.*, …\); report: /);
    expect(runs()).to.have.length(1).and.not.include('2020-01-01T00-00-00-000Z');
    const [night = ''] = runs();
    expect(readdirSync(join(reports, night))).to.include.members(['junit.xml', 'evidence.json']);
    expect(readlinkSync(join(reports, 'last-night'))).to.equal(night);

    const second = nightly(['--keep', '2']);
    expect(second.status).to.equal(1);
    expect(second.last).to.match(/^nightly: FAIL: (\d+) of \1 cells red; since 20\S+: no change; report: /).and.include(night);
    expect(runs()).to.have.length(2);

    // The inventory is broken tonight: no run, and last night stays what the next one is held against.
    const kept = readlinkSync(join(reports, 'last-night'));
    const evidence = join(reports, kept, 'evidence.json');
    const broken = nightly(['--keep', '1'], { FLOWPROOF_INVENTORY: join(folder, 'none.json') });
    expect(broken.status).to.equal(1);
    expect(broken.last).to.match(/^nightly: FAIL: the run did not start: .*none\.json/);
    expect(readlinkSync(join(reports, 'last-night'))).to.equal(kept);

    const half = readFileSync(evidence, 'utf8').slice(0, 5_000);
    writeFileSync(evidence, half);
    const unread = nightly(['--keep', '9']);
    expect(unread.status).to.equal(1);
    expect(unread.last).to.include("last night's evidence.json").and.include(kept).and.include('it was left as it is');
    expect(readFileSync(evidence, 'utf8')).to.equal(half);
  });
});
