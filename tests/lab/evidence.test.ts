// What a run in the lab leaves can be checked by who was not there: its hashes, and every verdict made again from the raw replies.
// One byte of one reply that somebody alters, and hides by mending the manifest, changes a verdict, by name.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { vmNames } from '../../lab/topology.ts';
import { repository } from '../../lab/up.ts';
import { hashOf } from '../../lib/bundle/hash.ts';
import { makeManifest } from '../../lib/bundle/manifest.ts';
import type { RunRecord } from '../../lib/model.ts';
import { shipped, typeNpmTest, type Cell, type Ran } from './harness.ts';

type Replied = Cell & Readonly<{ evidence: readonly Readonly<{ event: string; hex?: string }>[] }>;

describe('the reports of a run in the lab', () => {
  const reports = join(repository, 'reports');
  mkdirSync(reports, { recursive: true });
  const scratch = mkdtempSync(join(reports, 'evidence-'));
  const parent = join(scratch, 'kept');
  after(() => rmSync(scratch, { recursive: true, force: true }));

  const [key, signers] = [join(scratch, 'key'), join(scratch, 'signers')];

  let ran: Ran;
  let folder = '';
  before(async () => {
    expect(spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]).status).to.equal(0);
    writeFileSync(signers, `nightly@example.org ${readFileSync(`${key}.pub`, 'utf8')}`);
    ran = await typeNpmTest({ ...shipped, FLOWPROOF_SIGN_KEY: key }, `${basename(scratch)}/kept`).ended;
    folder = join(parent, readdirSync(parent).find((name) => name.endsWith('Z')) ?? '');
  });
  const command = (...args: readonly string[]): Readonly<{ code: number | null; said: string }> => {
    const { status, stdout, stderr } = spawnSync('npm', ['run', '-s', 'reports', '--', ...args], { cwd: repository, encoding: 'utf8', maxBuffer: 1 << 26 });
    return { code: status, said: `${stdout}${stderr}` };
  };

  it('are as it left them, and each of its verdicts comes out again', () => {
    expect(ran.exitCode, ran.output).to.equal(0);
    expect(ran.cells.length).to.be.greaterThan(4000);
    const { code, said } = command('verify', '--signers', signers, folder);
    expect(said).to.equal(`${basename(folder)}: as the run left it; every verdict comes out again\n  note: signed by nightly@example.org\n`);
    expect(code).to.equal(0);
    // Nothing of it is so large that it could not be kept for a year of nights.
    expect(statSync(join(folder, 'evidence.json')).size / 2 ** 20).to.be.within(1, 60);
  });

  it('tie it to the configuration of each machine', () => {
    const { hosts } = (JSON.parse(readFileSync(join(folder, 'evidence.json'), 'utf8')) as { run: RunRecord['run'] }).run;
    const told = new Map(hosts.flatMap(({ name, configuration }) => (configuration !== null && 'boot' in configuration ? [[name, configuration] as const] : [])));
    expect([...told.keys()]).to.deep.equal([...vmNames]);
    expect(new Set([...told.values()].map(({ rules }) => rules)).size, 'each has rules of its own').to.equal(told.size);
    for (const [name, { rules, boot, sysctls }] of told) {
      expect(rules, name).to.match(/^[0-9a-f]{64}$/);
      expect(boot, name).to.deep.include({ is: 'same', runningAlone: [], bootAlone: [] });
      expect(sysctls, name).to.deep.include({ name: 'ipv4/ip_forward', value: name === 'gateway' || name === 'joi' ? '1' : '0' });
    }
    for (const [name, count] of [['mesh', 2], ['joi', 2], ['ntp', 0], ['gateway', 0]] as const) expect(told.get(name)?.certificates.filter(({ notAfter }) => Date.parse(notAfter ?? '') > Date.now()), name).to.have.length(count);
    expect(ran.output).to.not.include('warning: ');
  });

  it('can be rendered again, byte for byte', () => {
    const { code, said } = command('render', folder);
    expect(said).to.match(/: (\d+) of \1 files byte for byte as the run's own\n$/);
    expect(code).to.equal(0);
  });

  it('are compared with another run\'s', () => {
    const other = join(parent, '2999-01-01T00-00-00-000Z');
    cpSync(folder, other, { recursive: true });
    expect(command('diff', folder, other)).to.deep.equal({ code: 0, said: `no change in ${ran.cells.length} cells\n` });
    const { id } = ran.cells[0] ?? { id: '' };
    const text = readFileSync(join(other, 'verdicts.json'), 'utf8');
    writeFileSync(join(other, 'verdicts.json'), text.replace('"verdict":"pass"', '"verdict":"fail"'));
    const { code, said } = command('diff', folder, other);
    expect(said).to.include(`${id}: pass (`).and.include('-> fail').and.include(`1 cells changed, 0 new, 0 no longer there, of ${ran.cells.length}`);
    expect(code).to.equal(1);
    expect(command('verify', other).said).to.include('verdicts.json: not the verdicts that are in evidence.json');
    rmSync(other, { recursive: true });
  });

  const told = /^ {2}mesh -> dns \S+: the verdict stands as pass \(DNS NOERROR.*\); judged again it is (fail|inconclusive) \(/m;
  it('show one byte altered of an answer, though the manifest was mended', () => {
    const file = join(folder, 'evidence.json');
    const [text, manifest] = [readFileSync(file, 'utf8'), readFileSync(join(folder, 'manifest.json'), 'utf8')];
    const cell = (JSON.parse(text) as { flows: Replied[] }).flows.find(({ row, evidence }) => row === 'mesh-dns' && evidence.some(({ event }) => event === 'data'));
    const hex = cell?.evidence.find(({ event }) => event === 'data')?.hex ?? '';
    expect(hex.length, 'a cell with raw bytes').to.be.greaterThan(8);
    const place = text.indexOf(`"${hex}"`) + 1;
    try {
      writeFileSync(file, `${text.slice(0, place)}${(Number.parseInt(hex.slice(0, 2), 16) ^ 1).toString(16).padStart(2, '0')}${text.slice(place + 2)}`);
        const names = Object.keys((JSON.parse(manifest) as { files: Record<string, string> }).files);
      writeFileSync(join(folder, 'manifest.json'), makeManifest(new Map(names.map((name) => [name, hashOf(join(folder, name))])), null));
      const { code, said } = command('verify', folder);
      expect(said).to.match(told).and.not.include('SHA-256');
      expect(code).to.equal(1);
    } finally {
      writeFileSync(file, text);
      writeFileSync(join(folder, 'manifest.json'), manifest);
    }
  });
});
