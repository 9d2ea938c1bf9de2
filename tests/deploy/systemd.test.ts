// The units as systemd itself reads them. systemd-analyze says what it does not know and ends with 0 all the same, so its
// silence counts.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';

const units = join(import.meta.dirname, '../../deploy/systemd');
const services = readdirSync(units).filter((name) => name.endsWith('.service'));
const { scripts } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as { scripts: Record<string, string> };

type Told = Readonly<{ status: number | null; said: string }>;
function analyze(...args: readonly string[]): Told {
  const { status, stdout, stderr, error } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  if (error !== undefined) throw new Error(`${error.message}: is systemd-analyze there? sh tests/setup.sh`);
  return { status, said: `${stdout}${stderr}`.trim() };
}
const verify = (folder: string): Told => analyze('verify', '--man=no', ...readdirSync(folder).map((name) => join(folder, name)));

/** The exposure that systemd reckons, of 100, below which a unit must stay: 17 and 12 as they are. */
const mostExposed = 20;

describe('deploy/systemd', () => {
  it('are a service, its timer, and what tells of its failure', () => expect(readdirSync(units).toSorted()).to.deep.equal(['flowproof-failed.service', 'flowproof.service', 'flowproof.timer']));
  it('pass systemd-analyze verify without a word', () => expect(verify(units)).to.deep.equal({ status: 0, said: '' }));
  for (const service of services)
    it(`${service} is hardened`, () => {
      const { status, said } = analyze('security', '--offline=yes', `--threshold=${mostExposed}`, join(units, service));
      expect(status, said.split('\n').at(-1)).to.equal(0);
    });
  it('run what is in package.json, as nobody with rights', () => {
    const text = readFileSync(join(units, 'flowproof.service'), 'utf8');
    const [, script = ''] = /^ExecStart=\/usr\/bin\/env npm run --silent (\S+)/m.exec(text) ?? [];
    expect(scripts).to.have.property(script);
    expect(text).to.match(/^User=flowproof$/m).and.match(/^CapabilityBoundingSet=$/m).and.match(/^NoNewPrivileges=yes$/m);
    expect(text).to.match(/^OnFailure=flowproof-failed\.service$/m);
  });

  const mistakes: readonly (readonly [what: string, unit: string, from: string, to: string])[] = [
    ['a setting that systemd does not know', 'flowproof.service', 'UMask=', 'Umask='],
    ['a program that is not there', 'flowproof.service', '/usr/bin/env', '/usr/bin/envy'],
    ['a time that is none', 'flowproof.timer', '02:17', '26:17'],
    ['a section that is none', 'flowproof.timer', '[Timer]', '[Tmer]'],
  ];
  for (const [what, unit, from, to] of mistakes)
    it(`would not pass with ${what}`, () => {
      const folder = mkdtempSync(join(tmpdir(), 'flowproof-units-'));
      try {
        cpSync(units, folder, { recursive: true });
        writeFileSync(join(folder, unit), readFileSync(join(folder, unit), 'utf8').replace(from, to));
        expect(verify(folder).said).to.not.equal('');
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  it('would not pass as root with all rights', () => {
    const folder = mkdtempSync(join(tmpdir(), 'flowproof-units-'));
    try {
      writeFileSync(join(folder, 'flowproof.service'), readFileSync(join(units, 'flowproof.service'), 'utf8').replace(/^(User|CapabilityBoundingSet|ProtectSystem)=.*$/gm, ''));
      expect(analyze('security', '--offline=yes', `--threshold=${mostExposed}`, join(folder, 'flowproof.service')).status).to.not.equal(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
