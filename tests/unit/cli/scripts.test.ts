// The commands of package.json: how each is started decides what Ctrl-C does to it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';

const root = join(import.meta.dirname, '../../..');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Readonly<Record<string, string>> };
const ofOurs = / (?:\S+\.ts|cli\/start\.mjs \w+)$/;

describe('a command of package.json', () => {
  it('is node itself, as long as it is a file of ours: tsx kills what does not answer a signal within 60 ms, and reports and sessions with it', () => {
    const ours = Object.entries(scripts).filter(([, command]) => ofOurs.test(command));
    expect(ours.map(([name]) => name)).to.include.members(['lab', 'sweep', 'soak', 'nightly', 'reports']);
    for (const [name, command] of ours) expect(command, name).to.match(/^node (--import tsx (lab|tests)\/|cli\/start\.mjs )/);
  });

  it('comes to its own end on Ctrl-C, also while it is busy', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'flowproof-scripts-'));
    // Half a second in which no signal is heard, as when many verdicts are made.
    writeFileSync(join(folder, 'busy.ts'), `
      process.on('SIGINT', () => { console.log('its own end'); process.exit(130); });
      setTimeout(() => { console.log('busy'); const until = Date.now() + 500; while (Date.now() < until); }, 50);
      setTimeout(() => undefined, 60_000);
    `);
    const [program = '', ...words] = (scripts['lab'] ?? '').replace(ofOurs, ` ${join(folder, 'busy.ts')}`).split(' ');
    const child = spawn(program, words, { cwd: root, env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` }, detached: true });
    let output = '';
    let signalled = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (signalled || !output.includes('busy')) return;
      signalled = true;
      process.kill(-(child.pid ?? 0), 'SIGINT'); // a terminal signals the whole group
    });
    await once(child, 'close');
    rmSync(folder, { recursive: true });
    expect(output).to.equal('busy\nits own end\n');
    expect(child.exitCode).to.equal(130);
  });
});
