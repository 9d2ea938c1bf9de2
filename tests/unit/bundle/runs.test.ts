// Runs on disk, old ones removed, and the signatures of those that stay: what can still be checked, and what is refused.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { pruneRuns } from '../../../lib/bundle/prune.ts';
import { runsIn, verifyRun } from '../../../lib/bundle/runs.ts';
import { signatureOf, signRun } from '../../../lib/bundle/sign.ts';
import type { Clock } from '../../../lib/model.ts';
import { writeFault } from '../../../lib/reports/write.ts';

const clock: Clock = { cell: 'ntp -> time ntp udp/123', localTime: '2026-11-23T04:05:41.744Z', serverTime: '2026-11-23T04:05:41.744Z', offsetMs: 3, withinMs: 5 };
let parent = '';
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'flowproof-unit-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

/** Runs that came to no record, one a day: what is asked here is the same of them all. */
const write = (days: readonly number[]): readonly string[] => days.map((day) => writeFault(parent, `2026-11-0${day}T04:05:41.744Z`, 'the run starts', 'no inventory').folder);
const told = (signers: string | null = null): readonly string[] => runsIn(parent).flatMap((run) => verifyRun(join(parent, run), signers).differences);
const notes = (run: number): string => verifyRun(join(parent, runsIn(parent)[run] ?? ''), null).notes.join('\n');

describe('pruneRuns', () => {
  it('keeps the newest, and the oldest of them can still be held to the one that is gone', () => {
    const [first = ''] = write([1, 2, 3, 4]);
    writeFileSync(join(parent, 'notes'), 'mine');
    expect(pruneRuns(parent, 2)).to.deep.equal({ removed: ['2026-11-01T04-05-41-744Z', '2026-11-02T04-05-41-744Z'], faults: [] });
    expect(existsSync(first)).to.equal(false);
    expect(readdirSync(parent).toSorted()).to.deep.equal(['2026-11-03T04-05-41-744Z', '2026-11-04T04-05-41-744Z', 'latest', 'notes', 'pruned.json']);
    expect(told()).to.deep.equal([]);
    expect(notes(0)).to.include('the run before, 2026-11-02T04-05-41-744Z, was pruned');
    write([5]);
    pruneRuns(parent, 1);
    expect(told()).to.deep.equal([]);
  });
  it('keeps what a link leads to', () => {
    write([1, 2, 3]);
    symlinkSync('2026-11-01T04-05-41-744Z', join(parent, 'last-night'));
    expect(pruneRuns(parent, 1).removed).to.deep.equal(['2026-11-02T04-05-41-744Z']);
    expect(told()).to.deep.equal([]);
  });
  it('does not cover up for a run that somebody removed by hand, or whose hash was altered', () => {
    const [, second = ''] = write([1, 2, 3]);
    pruneRuns(parent, 2);
    rmSync(second, { recursive: true });
    expect(told().join('\n')).to.include('chain: the run before, 2026-11-02T04-05-41-744Z, is not there, and pruned.json does not have it');
    writeFileSync(join(parent, 'pruned.json'), readFileSync(join(parent, 'pruned.json'), 'utf8').replace('11-01', '11-02'));
    expect(told().join('\n')).to.include('chain: pruned.json has another manifest of 2026-11-02T04-05-41-744Z');
  });
  it('removes nothing where its own list cannot be read', () => {
    write([1, 2]);
    writeFileSync(join(parent, 'pruned.json'), '{ "schema": 1, "ru');
    expect(() => pruneRuns(parent, 1)).to.throw(/^pruned\.json: not JSON, cut or altered/);
    expect(runsIn(parent)).to.have.length(2);
  });
});

describe('a signature', () => {
  let key = '';
  let signers = '';
  const keygen = (...args: readonly string[]): void => void expect(spawnSync('ssh-keygen', args, { encoding: 'utf8' }).status, args.join(' ')).to.equal(0);
  const makeKey = (name: string, passphrase = ''): string => {
    const file = join(parent, 'keys', name);
    keygen('-q', '-t', 'ed25519', '-N', passphrase, '-C', name, '-f', file);
    return file;
  };
  const allow = (name: string, file: string): string => {
    const list = join(parent, 'keys', 'allowed');
    writeFileSync(list, `${name} namespaces="flowproof" ${readFileSync(`${file}.pub`, 'utf8')}`);
    return list;
  };
  beforeEach(() => {
    mkdirSync(join(parent, 'keys'));
    key = makeKey('nightly');
    signers = allow('nightly@example.org', key);
  });

  it('is known by its signer', () => {
    const [folder = ''] = write([1]);
    signRun(folder, key, clock);
    expect(verifyRun(folder, signers)).to.deep.equal({ differences: [], notes: ['signed by nightly@example.org', 'the run came to no record: there is no verdict to judge'] });
    expect(notes(0)).to.include('by whom was not checked');
  });
  it('may be made by an agent, to which the public key leads', async () => {
    const [folder = ''] = write([1]);
    const socket = join(parent, 'keys', 'agent');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    const before = process.env['SSH_AUTH_SOCK'];
    try {
      while (!existsSync(socket)) await sleep(20);
      process.env['SSH_AUTH_SOCK'] = socket;
      expect(spawnSync('ssh-add', ['-q', key]).status).to.equal(0);
      rmSync(key);
      signRun(folder, `${key}.pub`, clock);
      expect(told(signers)).to.deep.equal([]);
      expect(spawnSync('ssh-add', ['-q', '-D']).status).to.equal(0);
      expect(() => signRun(folder, `${key}.pub`, clock)).to.throw(/cannot sign with it/);
    } finally {
      if (before === undefined) delete process.env['SSH_AUTH_SOCK'];
      else process.env['SSH_AUTH_SOCK'] = before;
      agent.kill();
    }
  });
  it('is wanted where signers are named', () => {
    write([1]);
    expect(told(signers)).to.deep.equal(['manifest.json.sig: not there; the run is not signed']);
  });
  it('of somebody else, for another use, or of another manifest is none', () => {
    const [folder = ''] = write([1]);
    signRun(folder, makeKey('other'), clock);
    expect(told(signers).join('\n')).to.match(/^manifest\.json\.sig: by none of the signers in /);
    rmSync(join(folder, 'manifest.json.sig'));
    keygen('-q', '-Y', 'sign', '-n', 'git', '-f', key, join(folder, 'manifest.json'));
    expect(told(signers).join('\n')).to.match(/^manifest\.json\.sig: /);
    signRun(folder, key, clock);
    expect(told(signers)).to.deep.equal([]);
    writeFileSync(join(folder, 'manifest.json'), `${readFileSync(join(folder, 'manifest.json'), 'utf8')}\n`);
    expect(told(signers).join('\n')).to.match(/^manifest\.json\.sig: not nightly@example\.org's for manifest\.json as it stands/);
  });
  it('is refused when the clock is off, or nothing tells', () => {
    const [folder = ''] = write([1]);
    expect(() => signRun(folder, key, { ...clock, offsetMs: -60_000 })).to.throw(/^not signed: the local clock is -60000 ms off by ntp -> time ntp udp\/123/);
    expect(() => signRun(folder, key, null)).to.throw(/^not signed: no time server that the matrix allows has answered/);
    expect(readdirSync(folder)).to.not.include('manifest.json.sig');
  });
  it('is refused with a key that is none, that is not there, or that wants a passphrase', () => {
    const [folder = ''] = write([1]);
    writeFileSync(join(parent, 'keys', 'odd'), '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n', { mode: 0o600 });
    for (const file of [join(parent, 'keys', 'odd'), join(parent, 'none'), makeKey('locked', 'secret words')]) {
      expect(() => signatureOf(file, ''), file).to.throw(/^FLOWPROOF_SIGN_KEY is .*, and ssh-keygen cannot sign with it \(.+\); name a private key, or the public key/);
      expect(() => signRun(folder, file, clock), file).to.throw(/cannot sign/);
    }
    expect(readdirSync(folder).filter((name) => name.includes('.sig'))).to.deep.equal([]);
  });
});
