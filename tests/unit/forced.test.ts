// The forced command as a shell runs it: the program of this version under the command of this version, and nothing else.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { authorizedKey, forcedPath, forcedScript, isPublicKey, isUserName, sudoersLines } from '../../lib/forced.ts';
import { program } from '../../lib/prober/program.ts';
import { bootCommand, clientCommand } from '../../lib/boot.ts';

const mark = '0123456789abcdef';
const python = program('python');
const altered = Buffer.from(python);
altered[altered.lastIndexOf('0'.charCodeAt(0))] = '1'.charCodeAt(0);

describe('forced command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'flowproof-forced-'));
  const script = join(folder, 'prober');
  before(() => writeFileSync(script, forcedScript('1.2.3', true)));
  after(() => rmSync(folder, { recursive: true }));

  /** As sshd runs it: the command that was asked for in the environment, the client's bytes on stdin. */
  async function ask(asked: string | null, input: Buffer | string, env: Readonly<Record<string, string>> = {}): Promise<Readonly<{ code: number | null; out: string; errors: string }>> {
    const child = spawn('/bin/sh', [script], { env: { ...env, ...(asked === null ? {} : { SSH_ORIGINAL_COMMAND: asked }) } });
    const [out, errors]: [string[], string[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => void out.push(String(chunk)));
    child.stderr.on('data', (chunk: Buffer) => void errors.push(String(chunk)));
    child.stdin.on('error', () => undefined); // it may be gone before it has read all
    child.stdin.end(input);
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, out: out.join(''), errors: errors.join('') };
  }

  it('is one that a shell can read', () => expect(spawnSync('sh', ['-n', script]).status).to.equal(0));
  it('starts the prober of this version', async () => {
    const { code, out } = await ask(bootCommand(mark), python);
    expect(out).to.match(new RegExp(`^\\nFLOWPROOF-BOOT ${mark} python\\n\\nFLOWPROOF-1 python uid=\\d+ \\n`));
    expect(code).to.equal(0);
  });
  it('takes nothing for its program but its first bytes: what follows are commands', async () => expect((await ask(bootCommand(mark), Buffer.concat([python, Buffer.from('1 resets\n1 quit\n')]))).out).to.match(/\n1 end\n/));

  const programs: readonly (readonly [what: string, bytes: Buffer])[] = [
    ['with one byte altered', altered],
    ['of somebody else', Buffer.from(`import os; os.write(1, b"owned")\n${'#'.repeat(python.length)}`)],
    ['with a line before', Buffer.concat([Buffer.from('print("owned")\n'), python])],
  ];
  for (const [what, bytes] of programs)
    it(`refuses a program ${what}`, async () => {
      const { code, out, errors } = await ask(bootCommand(mark), bytes);
      expect(code).to.equal(126);
      expect(out).to.equal(`\nFLOWPROOF-BOOT ${mark} python\n`);
      expect(errors).to.equal('flowproof-prober: refused: not the program of flowproof 1.2.3\n');
    });

  const commands: readonly (readonly [what: string, asked: string | null])[] = [
    ['no command', null],
    ['a shell', ''],
    ['another command', 'id'],
    ['a copy of files', 'scp -t /root'],
    ['the files of sftp', 'internal-sftp'],
    ['another command with the mark', `id; # FLOWPROOF-BOOT ${mark} none`],
    ['the command with a word more', `${bootCommand(mark)} ; id`],
    ['the command with a line before', `id\n${bootCommand(mark)}`],
    ['the command with a mark that is none', bootCommand('0123456789abcdeg')],
    ['the command with a mark that is longer', bootCommand(`${mark}0`)],
    ['the command with a mark that is an address of sed', bootCommand('/e id #/e id #/e')],
    ['the command with two marks', bootCommand(mark).replace(mark, 'fedcba9876543210')],
    ['what is asked of a beacon with a word more', `${clientCommand}; id`],
  ];
  for (const [what, asked] of commands)
    it(`refuses ${what}`, async () => {
      const { code, out, errors } = await ask(asked, python);
      expect({ code, out }).to.deep.equal({ code: 126, out: '' });
      expect(errors).to.match(/^flowproof-prober: refused: this key starts the prober alone/);
    });
  it('heeds no PATH and no PYTHONPATH of the client\'s', async () => {
    writeFileSync(join(folder, 'hashlib.py'), 'import os; os.write(1, b"owned")\nclass sha256:\n def __init__(self, b): pass\n def hexdigest(self): return ""\n');
    const { out } = await ask(bootCommand(mark), python, { PATH: folder, PYTHONPATH: folder });
    expect(out).to.include('FLOWPROOF-1 python').and.not.include('owned');
  });
  it('tells the address of the client on a beacon alone', async () => {
    expect(await ask(clientCommand, '', { SSH_CLIENT: '203.0.113.9 4711 22' })).to.include({ code: 0, out: '203.0.113.9 4711 22\n' });
    expect(forcedScript('1.2.3', false)).to.not.include('SSH_CLIENT');
  });
});

describe('forced command: the lines', () => {
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ci\n';
  it('for authorized_keys as root', () => expect(authorizedKey(key, { user: 'root', forwardsTo: [] })).to.equal(`restrict,command="${forcedPath}" ${key}`));
  it('for authorized_keys as a user with sudo', () => expect(authorizedKey(key, { user: 'admin', forwardsTo: [] })).to.equal(`restrict,command="sudo -n ${forcedPath}" ${key}`));
  it('for the gateway, which forwards to the hosts behind it alone', () =>
    expect(authorizedKey(key, { user: 'root', forwardsTo: ['172.22.22.1:22', '172.22.22.2:22'] })).to.equal(`restrict,port-forwarding,permitopen="172.22.22.1:22",permitopen="172.22.22.2:22",permitlisten="127.86.70.80:1",command="${forcedPath}" ${key}`));
  it('for sudo name the script, and no argument of it', () => expect(sudoersLines('admin')).to.match(/^admin ALL=\(root\) NOPASSWD: \/usr\/local\/libexec\/flowproof-prober ""$/m).and.not.match(/NOPASSWD: ALL/));

  for (const [text, is] of [[key, true], [key.trim(), true], [`command="sh" ${key}`, false], [`${key}${key}`, false], ['ssh-ed25519', false], ['ssh-ed25519 AAAA c\u001B[2J', false], ['-----BEGIN OPENSSH PRIVATE KEY-----', false]] as const)
    it(`${JSON.stringify(text.slice(0, 40))} is ${is ? 'a' : 'no'} public key`, () => expect(isPublicKey(text)).to.equal(is));
  for (const [text, is] of [['admin', true], ['_ci-2', true], ['', false], ['ALL', false], ['%wheel', false], ['a b', false], ['#0', false], ['a=b', false]] as const) it(`${text} is ${is ? 'a' : 'no'} name of a user`, () => expect(isUserName(text)).to.equal(is));
});

describe('npm run prober', () => {
  const root = join(import.meta.dirname, '../..');
  const wrong: readonly (readonly [args: readonly string[], said: RegExp])[] = [[[], /HOST/], [['start', 'joi'], /HOST/], [['forced-command'], /HOST/], [['forced-command', 'joy'], /no host or beacon joy; one of mesh, joi/], [['forced-command', 'joi', '--part', 'all'], /one of script, sudoers, key/], [['forced-command', 'joi', '--key', '/dev/null', '--part', 'key'], /no public key/]];
  for (const [args, said] of wrong)
    it(`says what is wrong with: ${args.join(' ')}`, () => {
      const { status, stderr } = spawnSync(process.execPath, ['cli/start.mjs', 'prober', ...args], { cwd: root, encoding: 'utf8', env: { ...process.env, FLOWPROOF_INVENTORY: join(root, 'inventory.json') } });
      expect({ status }, stderr).to.deep.equal({ status: 2 });
      expect(stderr).to.match(said).and.include('usage: ');
    });
  it('prints the script', () => expect(execFileSync(process.execPath, ['cli/start.mjs', 'prober', 'forced-command', 'joi', '--part', 'script'], { cwd: root, encoding: 'utf8' })).to.match(/^#!\/bin\/sh\n/).and.include('sha256'));
});
