// `npm run sweep` in the lab: every port of a range, from a machine with python3 and from those with busybox alone.
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { exec } from '../../lab/exec.ts';
import { begin, mustRun } from '../../lab/inside.ts';
import { setPhase } from '../../lab/phase.ts';
import { vmbr1 } from '../../lab/topology.ts';
import { repository } from '../../lab/up.ts';
import { shipped } from './harness.ts';

type Port = Readonly<{ port: number; result: string; reason: string }>;
type Pair = Readonly<{ id: string; result: string; passed: Readonly<Record<string, number>>; open: readonly number[]; red: readonly Port[]; told: readonly Port[]; missing: number; packets: number }>;
type Bounds = Readonly<Record<string, Readonly<Record<string, Readonly<{ most: number; of: number }>>>>>;
type Swept = Readonly<{ exitCode: number | null; output: string; pairs: readonly Pair[]; bounds: Bounds; junit: string; folder: string }>;

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
    return { exitCode: code ?? 128 + constants.signals[killedBy ?? 'SIGKILL'], output, ...(JSON.parse(read('sweep.json') || '{ "pairs": [], "bounds": {} }') as { pairs: Pair[]; bounds: Bounds }), junit: read('junit.xml'), folder };
  }
  const red = ({ pairs }: Swept): readonly string[] => pairs.flatMap(({ id, red: ports }) => ports.map(({ port, result }) => `${result}: ${id}/${port}`)).toSorted();
  const fast = ['--rate', '20000'] as const;

  it('is green where nothing is open, with what shows each port to be blocked', async () => {
    const swept = await sweep(['--from', 'joi', '--from', 'ntp', '--to', 'ntp', '--to', 'joi', '--to', 'github.com', '--ports', '4200-4299', ...fast]);
    expect(swept.exitCode, swept.output).to.equal(0);
    const past = 'past joi\'s own firewall';
    expect(swept.pairs.map(({ id }) => id)).to.include.members([
      ...['vmbr1', 'vmbr1/ll'].flatMap((network) => ['tcp', 'udp'].flatMap((one) => [`joi -> ntp ${network} ${one}`, `joi -> ntp ${network} ${past} ${one}`, `ntp -> joi ${network} ${one}`])),
      'joi -> github.com tcp', 'joi -> github.com udp', `joi -> github.com ${past} tcp`, 'ntp -> github.com tcp', 'ntp -> github.com udp',
    ]);
    for (const { id, result, passed } of swept.pairs) {
      // Of a SYN whose RST was lost nobody outside would know; of datagrams the named port alone is asked there: 4242.
      const expected = id.endsWith('github.com udp') ? { proven: 1 } : id.includes('github.com') && id !== 'joi -> github.com tcp' ? { inferred: 100 } : { proven: 100 };
      expect({ id, result, passed }).to.deep.equal({ id, result: 'pass', passed: expected });
    }
    expect(swept.junit.match(/<testcase /g)).to.have.length(swept.pairs.length);
    expect(swept.junit).to.include(`tests="${swept.pairs.length}" failures="0" errors="0"`);
    for (const host of ['joi', 'ntp']) {
      const { conntrack, descriptors } = swept.bounds[host] ?? {};
      expect(conntrack?.most, host).to.be.within(1, (conntrack?.of ?? 0) / 2);
      expect(descriptors?.most, host).to.be.within(3, descriptors?.of ?? 0);
      expect(swept.output).to.include(`most at a time on ${host}: ${conntrack?.most} of ${conntrack?.of} connections tracked, ${descriptors?.most} of ${descriptors?.of} descriptors of its prober`);
    }
    expect(swept.bounds.ntp?.processes?.most, 'nc processes').to.be.greaterThan(3);
  });

  it('names what is allowed and open, and no such port is red', async () => {
    const swept = await sweep(['--from', 'gateway', '--to', 'joi', '--transport', 'tcp', '--ports', '1-100', ...fast]);
    expect(swept.exitCode, swept.output).to.equal(0);
    expect(swept.pairs.find(({ id }) => id === 'gateway -> joi vmbr1 tcp')).to.deep.include({ open: [22], result: 'pass' });
  });

  it('names exactly the ports that holes open, however they show', async () => {
    await insert('joi', 'output', 'tcp dport 4400-4409 accept');
    await insert('ntp', 'input', 'tcp dport 4404 accept'); // its own kernel refuses
    await insert('ntp', 'input', 'meta nfproto ipv4 tcp dport 4405 reject with tcp reset'); // a firewall's word: blocked
    await insert('gateway', 'forward', 'tcp dport 4406 accept');
    await insert('gateway', 'forward', 'tcp dport 4416 accept'); // joi's own firewall still stands
    await insert('ntp', 'output', 'oifname eth1 tcp dport 4450-4459 accept');
    await insert('joi', 'input', 'tcp dport 4455 accept');
    await insert('joi', 'output', 'udp dport 4407 accept');
    await insert('ntp', 'input', 'udp dport 4407 accept');
    await insert('ntp', 'output', 'oifname eth1 udp dport 4450-4459 accept');
    await insert('joi', 'input', 'udp dport 4456 accept');
    const swept = await sweep(['--from', 'joi', '--from', 'ntp', '--to', 'ntp', '--to', 'joi', '--to', 'github.com', '--ports', '4400-4459', ...fast]);
    expect(swept.exitCode, swept.output).to.equal(1);
    const past = 'past joi\'s own firewall';
    expect(red(swept), swept.output).to.deep.equal([
      'joi -> github.com tcp/4406', `joi -> github.com ${past} tcp/4406`, `joi -> github.com ${past} tcp/4416`,
      ...['vmbr1', 'vmbr1/ll'].flatMap((network) => [`joi -> ntp ${network} tcp/4404`, `joi -> ntp ${network} ${past} tcp/4404`, `joi -> ntp ${network} udp/4407`, `joi -> ntp ${network} ${past} udp/4407`, `ntp -> joi ${network} tcp/4455`, `ntp -> joi ${network} udp/4456`]),
    ].map((id) => `fail: ${id}`).toSorted());
    expect(swept.output).to.match(/^FAIL joi -> github\.com tcp: .*\n +fail: tcp\/4406: reached: TCP handshake$/m);
    expect(swept.output).to.match(/^ +fail: tcp\/4406,4416: open to who takes the machine over: past its own firewall, it is reached: TCP handshake$/m);
    expect(swept.junit).to.include(`failures="${new Set(red(swept).map((one) => one.replace(/\/\d+$/, ''))).size}" errors="0"`);
  });

  it('tells what a source that is not confined could reach as root, and fails nothing for it', async () => {
    const swept = await sweep(['--from', 'mesh', '--to', 'ntp', '--transport', 'udp', '--ports', '4400-4409', ...fast]);
    expect(swept.exitCode, swept.output).to.equal(0);
    expect(swept.pairs.flatMap(({ id, told }) => told.map(({ port }) => `${id}/${port}`))).to.include('mesh -> ntp vmbr1 past mesh\'s own firewall udp/4407');
    expect(swept.output).to.match(/^ok +mesh -> ntp vmbr1 past mesh's own firewall udp: blocked 9 proven\n +told: udp\/4407: open to who takes the machine over/m);
  });

  it('names the one reached port among hundreds that a firewall refuses, asked by two machines at once', async () => {
    for (const machine of ['mesh', 'joi'] as const) await exec(machine, ['nft', 'insert', 'rule', 'inet', 'filter', 'output', 'tcp dport 5000-5299 accept']);
    await insert('ntp', 'input', 'tcp dport 5000-5299 reject with tcp reset');
    await insert('ntp', 'input', `ip saddr ${vmbr1.joi} tcp dport 5150 accept`); // its own kernel refuses, as nothing listens there
    const swept = await sweep(['--from', 'mesh', '--from', 'joi', '--to', 'ntp', '--transport', 'tcp', '--ports', '5000-5299', ...fast]);
    expect(red(swept), swept.output).to.deep.equal(['fail: joi -> ntp vmbr1 past joi\'s own firewall tcp/5150', 'fail: joi -> ntp vmbr1 tcp/5150']);
    for (const { id, passed, red: ports } of swept.pairs) expect(passed, id).to.deep.equal({ proven: 300 - ports.length });
  });

  it('is gone on with where it was stopped, and says the same in the end', async () => {
    const words = ['--from', 'ntp', '--to', 'joi', '--to', 'gateway', '--transport', 'tcp', '--ports', '4400-4499', '--rate', '200'];
    const stopped = await sweep(words, /^(ok|FAIL|\?\?) .*ntp -> joi vmbr1 tcp: /m);
    expect(stopped.exitCode, stopped.output).to.equal(130);
    expect(stopped.pairs.some(({ missing, result }) => missing > 0 && result === 'inconclusive')).to.equal(true);
    const other = await sweep([...words.slice(0, -1), '201', '--resume', stopped.folder]);
    expect(other.exitCode, other.output).to.equal(2);
    expect(other.output).to.include('is of another sweep').and.include('no port was swept');
    const both = await sweep(words.map((word) => (word === 'tcp' ? 'both' : word)).concat('--resume', stopped.folder));
    expect(both.exitCode, both.output).to.equal(2);
    const whole = await sweep([...words, '--resume', stopped.folder]);
    expect(whole.output).to.match(/ports, of which \d+ are left;/);
    expect(red(whole)).to.deep.equal(['fail: ntp -> joi vmbr1 tcp/4455', 'fail: ntp -> joi vmbr1/ll tcp/4455']);
    for (const { passed, red: ports, missing } of whole.pairs) expect(Object.values(passed).reduce((sum, one) => sum + one, 0) + ports.length + missing).to.equal(100);
  });

  it('sends nothing where it was asked for wrongly', async () => {
    await insert('gateway', 'input', 'tcp dport 22 counter comment "logins"');
    for (const [words, sentence] of [[['--rate', '0'], '--rate is "0"'], [['--transport', 'sctp'], '--transport is "sctp"'], [['--ports', '9-8'], '--ports is "9-8"'], [['--resume', '/nowhere'], '/nowhere/sweep.jsonl'], [['--fast'], '--fast'], [['--phase', 'x'], 'the phase is "x"']] as const) {
      const { exitCode, output } = await sweep(words);
      expect(exitCode, output).to.equal(2);
      expect(output).to.include(sentence);
    }
    expect(await mustRun('gateway', ['nft', 'list', 'chain', 'inet', 'filter', 'input'])).to.match(/counter packets 0 .*comment "logins"/);
  });
});
