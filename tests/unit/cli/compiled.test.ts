// The compiled product is what the sources are at this moment, or there is none; in a tree of its own, by the project's own two files.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';

const root = join(import.meta.dirname, '../../..');

describe('compiled', () => {
  let tree = '';
  const write = (name: string, text: string): void => writeFileSync(join(tree, name), text);
  const cache = (): string => join(tree, 'node_modules/.cache/flowproof');
  const kept = (): readonly string[] => readdirSync(cache()).toSorted();
  const command = (): string[] => [join(tree, 'cli/start.mjs'), 'hello', 'a', '--b'];
  const hello = (env: Readonly<Record<string, string>> = {}): Readonly<{ status: number | null; stdout: string; stderr: string }> => spawnSync(process.execPath, command(), { encoding: 'utf8', env: { PATH: process.env.PATH ?? '', ...env } });

  beforeEach(() => {
    tree = mkdtempSync(join(tmpdir(), 'flowproof-compiled-'));
    for (const folder of ['lib', 'cli', 'tests/reachability', 'node_modules']) mkdirSync(join(tree, folder), { recursive: true });
    for (const name of ['start.mjs', 'compiled.cjs']) cpSync(join(root, 'cli', name), join(tree, 'cli', name));
    cpSync(join(root, 'lib/root.ts'), join(tree, 'lib/root.ts'));
    for (const name of readdirSync(join(root, 'node_modules')).filter((one) => !one.startsWith('.'))) symlinkSync(join(root, 'node_modules', name), join(tree, 'node_modules', name));
    write('package.json', '{ "type": "module" }');
    write('lib/word.ts', "export const word: string = 'one';\n");
    write('cli/hello.ts', "import { root } from '../lib/root.ts';\nimport { word } from '../lib/word.ts';\nconst said: string = await Promise.resolve(word);\nconsole.log(JSON.stringify([said, root, process.argv.slice(1), import.meta.url.includes('.cache')]));\n");
  });
  afterEach(() => rmSync(tree, { recursive: true }));
  const said = (word: string, isCompiled: boolean): string => `${JSON.stringify([word, tree, ['cli/hello', 'a', '--b'], isCompiled])}\n`;

  it('is made once of the same sources', () => {
    expect(hello()).to.deep.include({ status: 0, stdout: said('one', true) });
    const [folder = '', ...more] = kept();
    expect(more).to.deep.equal([]);
    const { mtimeMs } = statSync(cache());
    expect(hello().stdout).to.equal(said('one', true));
    expect(kept()).to.deep.equal([folder]);
    expect(statSync(cache()).mtimeMs, 'nothing was made beside it').to.equal(mtimeMs);
  });
  it('is another one of a changed source, its time and size as before', () => {
    hello();
    const { atime, mtime } = statSync(join(tree, 'lib/word.ts'));
    write('lib/word.ts', "export const word: string = 'two';\n");
    utimesSync(join(tree, 'lib/word.ts'), atime, mtime);
    expect(hello().stdout).to.equal(said('two', true));
    write('lib/word.ts', "export const word: string = 'one';\n");
    expect(hello().stdout).to.equal(said('one', true));
    expect(kept()).to.have.length(2);
  });
  it('is another one by another recipe', () => {
    hello();
    appendFileSync(join(tree, 'cli/compiled.cjs'), '// another\n');
    hello();
    expect(kept()).to.have.length(2);
  });
  it('is of no source that was saved while it was made', () => {
    rmSync(join(tree, 'node_modules/esbuild'));
    mkdirSync(join(tree, 'node_modules/esbuild'));
    cpSync(join(root, 'node_modules/esbuild/package.json'), join(tree, 'node_modules/esbuild/package.json'));
    mkdirSync(join(tree, 'node_modules/esbuild/lib'));
    write('node_modules/esbuild/lib/main.js', `
      const { buildSync } = require(${JSON.stringify(join(root, 'node_modules/esbuild'))});
      let builds = 0;
      exports.buildSync = (options) => {
        const built = buildSync(options);
        if (builds++ === 0) require('node:fs').writeFileSync(${JSON.stringify(join(tree, 'lib/word.ts'))}, "export const word: string = 'two';\\n");
        return built;
      };
    `);
    expect(hello()).to.deep.include({ status: 0, stdout: said('two', true) });
    expect(kept()).to.have.length(1);
  });
  it('minds no file that an editor keeps beside a source', () => {
    symlinkSync('nobody@nowhere', join(tree, 'lib/.#word.ts'));
    expect(hello().stdout).to.equal(said('one', true));
  });
  it('is not made of what lies elsewhere, whose changes nobody would see', () => {
    mkdirSync(join(tree, 'other'));
    write('other/word.ts', "export const word: string = 'three';\n");
    write('lib/word.ts', "export { word } from '../other/word.ts';\n");
    const { status, stderr } = hello();
    expect(status).to.equal(1);
    expect(stderr).to.include('other/word.ts is imported by the product');
  });
  it('is not used where it is not whole, or node_modules is a link to another place', () => {
    hello();
    rmSync(join(cache(), kept()[0] ?? '', 'whole'));
    expect(hello()).to.deep.include({ status: 0, stdout: said('one', false) });
    renameSync(join(tree, 'node_modules'), join(tree, 'elsewhere'));
    symlinkSync(join(tree, 'elsewhere'), join(tree, 'node_modules'));
    rmSync(cache(), { recursive: true });
    expect(hello()).to.deep.include({ status: 0, stdout: said('one', false) });
    expect(existsSync(cache())).to.equal(false);
  });
  it('is not made, and the sources themselves run, where node_modules cannot be written to or it is not wanted', () => {
    expect(hello({ FLOWPROOF_UNCOMPILED: '1' })).to.deep.include({ status: 0, stdout: said('one', false) });
    expect(existsSync(cache())).to.equal(false);
    write('node_modules/.cache', '');
    expect(hello()).to.deep.include({ status: 0, stdout: said('one', false) });
  });
  it('leaves the command its own umask, whether it was made or could not be', () => {
    write('cli/hello.ts', 'console.log(process.umask().toString(8));\n');
    const umask = (): string => spawnSync('sh', ['-c', 'umask 077; exec "$0" "$@"', process.execPath, ...command()], { encoding: 'utf8' }).stdout;
    expect([umask(), umask()]).to.deep.equal(['77\n', '77\n']);
    rmSync(join(tree, 'node_modules/.cache'), { recursive: true });
    write('node_modules/.cache', '');
    expect(umask()).to.equal('77\n');
  });
  it('is not there where a source is wrong, and who asks is told which', () => {
    hello();
    write('lib/word.ts', 'export const word = ;\n');
    const { status, stdout, stderr } = hello();
    expect({ status, stdout }).to.deep.equal({ status: 1, stdout: '' });
    expect(stderr).to.include('lib/word.ts:1:');
    expect(kept()).to.have.length(1);
  });
  it('is whole for each of many that want it at once', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, async () => {
      const child = spawn(process.execPath, command());
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
      await once(child, 'close');
      return output;
    }));
    expect(all).to.deep.equal(all.map(() => said('one', true)));
    expect(kept()).to.have.length(1);
  });
  it('may be read by every user, and what is a day old is forgotten when another is made', () => {
    spawnSync('sh', ['-c', 'umask 077; exec "$0" "$@"', process.execPath, ...command()]);
    const [old = ''] = kept();
    const modes = readdirSync(join(cache(), old), { recursive: true, encoding: 'utf8' }).map((name) => statSync(join(cache(), old, name)).mode & 0o777);
    expect(new Set([statSync(join(cache(), old)).mode & 0o777, ...modes])).to.deep.equal(new Set([0o755, 0o644]));
    write('lib/word.ts', "export const word: string = 'two';\n");
    const dayAgo = new Date(Date.now() - 25 * 3_600_000);
    utimesSync(join(cache(), old), dayAgo, dayAgo);
    hello();
    expect(kept()).to.have.length(1).and.not.include(old);
  });
});
