// `npm run sweep` in the lab: every port of a range, from a machine with python3 and from those with busybox alone.
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { exec } from '../../lab/exec.ts';
import { begin, mustRun } from '../../lab/inside.ts';
import { setPhase } from '../../lab/phase.ts';
import { repository } from '../../lab/up.ts';
import { shipped } from './harness.ts';

type Pair = Readonly<{ id: string; result: string; passed: Readonly<Record<string, number>>; open: readonly number[]; red: readonly Readonly<{ port: number; result: string; reason: string }>[]; missing: number; packets: number }>;
type Swept = Readonly<{ exitCode: number | null; output: string; pairs: readonly Pair[]; junit: string; folder: string }>;

const insert = (machine: 'joi' | 'ntp' | 'gateway', chain: string, ...rule: readonly string[]): Promise<unknown> => exec(machine, ['nft', 'insert', 'rule', 'inet', 'filter', chain, ...rule]);

describe('the sweep', () => {
  let reports = '';
  before(() => (reports = mkdtempSync(join(repository, 'reports/sweep-test-'))));
  after(async () => {
    rmSync(reports, { recursive: true, force: true });
    await setPhase('steady');
  });

  async function sweep(words: readonly string[], stopWhen: RegExp | null = null): Promise<Swept> {
    const before = new Set(readdirSync(reports));
    const child = begin('operator', ['setsid', 'npm', 'run', '-s', 'sweep', '--', ...words], { dir: repository, env: { ...shipped, FLOWPROOF_REPORTS: reports, CI: 'true' } });
    let output = '';
    let stopped = false;
    const onText = (text: string): void => {
      output += text;
      if (stopWhen?.test(output) !== true || stopped) return;
      stopped = true;
      for (const pid of readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')) process.kill(-Number(pid), 'SIGINT');
    };
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', onText);
    const [code, killedBy] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    const made = words.includes('--resume') ? (words[words.indexOf('--resume') + 1] ?? '').split('/').at(-1) : readdirSync(reports).find((name) => !before.has(name));
    const folder = join(reports, made ?? '');
    const files = made === undefined || !existsSync(folder) ? [] : readdirSync(folder);
    const read = (file: string): string => (files.includes(file) ? readFileSync(join(folder, file), 'utf8') : '');
    return { exitCode: code ?? 128 + constants.signals[killedBy ?? 'SIGKILL'], output, pairs: (JSON.parse(read('sweep.json') || '{ "pairs": [] }') as { pairs: Pair[] }).pairs, junit: read('junit.xml'), folder };
  }
  const red = ({ pairs }: Swept): readonly string[] => pairs.flatMap(({ id, red: ports }) => ports.map(({ port, result }) => `${result}: ${id} tcp/${port}`)).toSorted();
  const fast = ['--rate', '20000'] as const;

  it('is green where nothing is open, every port proven', async () => {
    const swept = await sweep(['--from', 'joi', '--from', 'ntp', '--to', 'ntp', '--to', 'joi', '--to', 'github.com', '--ports', '4000-4999', ...fast]);
    expect(swept.exitCode, swept.output).to.equal(0);
    expect(swept.pairs.map(({ id }) => id)).to.include.members(['joi -> ntp vmbr1', 'joi -> ntp vmbr1/ll', 'joi -> github.com', 'ntp -> joi vmbr1', 'ntp -> github.com']);
    for (const { id, result, passed } of swept.pairs) expect({ id, result, passed }).to.deep.equal({ id, result: 'pass', passed: { proven: 1000 } });
    expect(swept.junit.match(/<testcase /g)).to.have.length(swept.pairs.length);
    expect(swept.junit).to.include(`tests="${swept.pairs.length}" failures="0" errors="0"`);
  });

  it('names what is allowed and open, and no such port is red', async () => {
    const swept = await sweep(['--from', 'gateway', '--to', 'joi', '--ports', '1-100', ...fast]);
    expect(swept.exitCode, swept.output).to.equal(0);
    expect(swept.pairs.find(({ id }) => id === 'gateway -> joi vmbr1')).to.deep.include({ open: [22], result: 'pass' });
  });

  it('names exactly the ports that holes open, however they show', async () => {
    await insert('joi', 'output', 'tcp dport 4400-4409 accept');
    await insert('ntp', 'input', 'tcp dport 4404 accept'); // its own kernel refuses
    await insert('ntp', 'input', 'tcp dport 4405 reject with tcp reset'); // a firewall's word: blocked
    await insert('gateway', 'forward', 'tcp dport 4406 accept');
    await insert('ntp', 'output', 'oifname eth1 tcp dport 4550-4559 accept');
    await insert('joi', 'input', 'tcp dport 4555 accept');
    const swept = await sweep(['--from', 'joi', '--from', 'ntp', '--to', 'ntp', '--to', 'joi', '--to', 'github.com', '--ports', '4000-4999', ...fast]);
    expect(swept.exitCode, swept.output).to.equal(1);
    expect(red(swept), swept.output).to.deep.equal([
      'fail: joi -> github.com tcp/4406', 'fail: joi -> ntp vmbr1 tcp/4404', 'fail: joi -> ntp vmbr1/ll tcp/4404', 'fail: ntp -> joi vmbr1 tcp/4555', 'fail: ntp -> joi vmbr1/ll tcp/4555',
    ]);
    expect(swept.output).to.match(/^FAIL joi -> github\.com: .*\n +fail: tcp\/4406: reached: TCP handshake$/m);
    expect(swept.junit).to.include('failures="5" errors="0"');
  });

  it('is gone on with where it was stopped, and says the same in the end', async () => {
    const words = ['--from', 'ntp', '--to', 'joi', '--to', 'gateway', '--ports', '4400-4699', '--rate', '200'];
    const stopped = await sweep(words, /^(ok|FAIL|\?\?) .*ntp -> joi vmbr1: /m);
    expect(stopped.exitCode, stopped.output).to.equal(130);
    expect(stopped.pairs.some(({ missing, result }) => missing > 0 && result === 'inconclusive')).to.equal(true);
    const other = await sweep([...words.slice(0, -1), '201', '--resume', stopped.folder]);
    expect(other.exitCode, other.output).to.equal(2);
    expect(other.output).to.include('is of another sweep').and.include('no port was swept');
    const whole = await sweep([...words, '--resume', stopped.folder]);
    expect(whole.output).to.match(/ports, of which \d+ are left;/);
    expect(red(whole)).to.deep.equal(['fail: ntp -> joi vmbr1 tcp/4555', 'fail: ntp -> joi vmbr1/ll tcp/4555']);
    for (const { passed, red: ports, missing } of whole.pairs) expect(Object.values(passed).reduce((sum, one) => sum + one, 0) + ports.length + missing).to.equal(300);
  });

  it('sends nothing where it was asked for wrongly', async () => {
    await insert('gateway', 'input', 'tcp dport 22 counter comment "logins"');
    for (const [words, sentence] of [[['--rate', '0'], '--rate is "0"'], [['--ports', '9-8'], '--ports is "9-8"'], [['--resume', '/nowhere'], '/nowhere/sweep.jsonl'], [['--fast'], '--fast'], [['--phase', 'x'], 'the phase is "x"']] as const) {
      const { exitCode, output } = await sweep(words);
      expect(exitCode, output).to.equal(2);
      expect(output).to.include(sentence);
    }
    expect(await mustRun('gateway', ['nft', 'list', 'chain', 'inet', 'filter', 'input'])).to.match(/counter packets 0 .*comment "logins"/);
  });
});
