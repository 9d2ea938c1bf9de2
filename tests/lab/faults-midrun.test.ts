// Something breaks while the looks are under way. What was not looked at by then is never green, the run ends by itself and
// says what broke, and nothing of it stays on the machines.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { down } from '../../lab/down.ts';
import { host } from '../../lab/shell.ts';
import { initOf, mustRun, processesIn } from '../../lab/inside.ts';
import { setPhase } from '../../lab/phase.ts';
import { namespaceOf, vmNames, type MachineName } from '../../lab/topology.ts';
import { repository, up } from '../../lab/up.ts';
import { baseline, expectChanged, expectNoBlindGreen, expectUnchanged, type Reach } from './baseline.ts';
import { asBefore, commandOf, isLogin, looking, newcomers, probersOn, until } from './faults.ts';
import { typeNpmTest, type Ran, type Typed } from './harness.ts';

/** Runs `npm test` and makes the fault once looks from that machine are under way. */
async function breaking(name: MachineName, fault: () => unknown): Promise<Readonly<{ ran: Ran; brokenAt: string; tookMs: number }>> {
  const typed = typeNpmTest();
  await looking(name, typed);
  const brokenAt = new Date().toISOString();
  await fault();
  const ran = await typed.ended;
  return { ran, brokenAt, tookMs: Date.now() - Date.parse(brokenAt) };
}

/** The looks that began after the fault cannot have been made; of those that were under way, each may have come to its end. */
function expectLost(name: MachineName, { ran, brokenAt }: Readonly<{ ran: Ran; brokenAt: string }>): void {
  const mayHang: Reach = (cell) => !isLogin(cell) && (cell.from === name || cell.to === name);
  const isLost: Reach = (cell, now) => cell.from === name && cell.outcome.seen !== 'no path' && (now === undefined || now.startedAt > brokenAt || now.outcome.seen === 'unprobed');
  const changed = expectChanged(ran, isLost, mayHang);
  expect(changed.filter(({ cell }) => cell.from === name).length, 'looks that the fault cut').to.be.greaterThan(50);
  // Who cannot say afterwards that it was awake is no witness; what its source's firewall bars needs none.
  const silent = ran.cells.filter(({ to, expected, outcome }) => to === name && expected === 'denied' && outcome.seen === 'silent');
  expect(silent.filter(({ verdict, controls }) => verdict === 'pass' && controls.some((id) => id.startsWith(`witness ${name} `) || id.startsWith(`listener ${name} `)))).to.deep.equal([]);
  expectNoBlindGreen(ran);
  expect(ran.exitCode).to.not.equal(0);
}

const kill = (pids: readonly number[]): void => {
  expect(pids, 'processes to kill').to.not.deep.equal([]);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
};
const on = (name: MachineName, words: RegExp): readonly number[] => processesIn(namespaceOf(name)).filter((pid) => words.test(commandOf(pid)));

/** Two seconds are promised on a quiet machine; no test may depend on that, and what leaks would stay for half an hour. */
const cleanWithinMs = 20_000;

/** Whichever comes first: fifteen keepalives without an answer, or a prober that says nothing for 45 s. */
const sessionEnded = /COULD NOT TELL: .*(the SSH session on joi ended.*: is the machine up, and its sshd\? Try: ssh joi|the prober has said nothing for 45 s: .* cut off.* Look at it there), then run again/;

describe('in the middle of a run', () => {
  before(baseline);
  afterEach(asBefore);

  it('joi is powered off', async () => {
    try {
      const cut = await breaking('joi', async () => {
        await host`ip -n ${namespaceOf('joi')} link set eth0 down`;
        kill([initOf('joi') ?? 0]); // and with it all of its processes
      });
      expectLost('joi', cut);
      expect(cut.tookMs).to.be.lessThan(120_000);
      expect(cut.ran.output).to.match(sessionEnded);
    } finally {
      await down();
      await up({ phase: 'steady' });
    }
  });

  it("joi's SSH session is killed", async () => {
    const cut = await breaking('joi', () => kill(on('joi', /^sshd: admin/)));
    expectLost('joi', cut);
    expect(cut.ran.output).to.match(sessionEnded);
  });

  it("joi's SSH session goes silent", async () => {
    const rule = (chain: string, end: string): Promise<string> => mustRun('joi', ['nft', 'insert', 'rule', 'inet', 'filter', chain, 'tcp', end, '22', 'drop']);
    try {
      const cut = await breaking('joi', () => Promise.all([rule('input', 'dport'), rule('output', 'sport')]));
      expectLost('joi', cut);
      expect(cut.tookMs).to.be.lessThan(120_000);
      expect(cut.ran.output).to.match(sessionEnded);
    } finally {
      await setPhase('steady');
      // joi's sshd learns of the end only by what its kernel sends again, or the gateway's does, until that gives up: then the prober
      // would live to the end of its half hour, or until the machine's admin ends the session, as here.
      if (probersOn('joi').length > 0) kill(on('joi', /^sshd: admin/));
      await until('the cut prober is gone', 20_000, () => probersOn('joi').length === 0);
    }
  });

  it('the prober on mesh is killed', async () => {
    const cut = await breaking('mesh', () => kill(on('mesh', /^python3 [^]*"prober"/)));
    expectLost('mesh', cut);
    expect(cut.ran.output).to.match(/COULD NOT TELL: .*the connection to the prober broke: it ended on mesh with .*: killed, or out of memory\? Look into the log there, then run again/);
  });

  it('the prober on mesh is stopped', async () => {
    const stopped: number[] = [];
    const cut = await breaking('mesh', () => {
      stopped.push(...on('mesh', /^python3 [^]*"prober"/));
      for (const pid of stopped) process.kill(pid, 'SIGSTOP');
    });
    try {
      expectLost('mesh', cut);
      expect(cut.tookMs).to.be.lessThan(100_000);
      expect(cut.ran.output).to.match(/COULD NOT TELL: .*prober/);
    } finally {
      // Its lifetime is over when `timeout` hears its own alarm.
      for (const pid of on('mesh', /^timeout [^]*"prober"/)) process.kill(pid, 'SIGALRM');
      await until('the stopped prober is gone', 20_000, () => probersOn('mesh').length === 0).finally(() => stopped.forEach((pid) => probersOn('mesh').includes(pid) && process.kill(pid, 'SIGKILL')));
    }
  });

  for (const [moment, reached] of [
    ['while the looks are under way', (typed: Typed) => looking('joi', typed)],
    ['while the hosts are entered', () => until('a prober on the gateway', 60_000, () => probersOn('gateway').length > 0)],
  ] as const)
    it(`the operator presses Ctrl-C ${moment}`, async () => {
      const since = newcomers();
      const typed = typeNpmTest();
      await reached(typed);
      expect(since(), 'processes of the run').to.not.deep.equal([]);
      typed.interrupt();
      await until('the VMs are clean', cleanWithinMs, () => since().length === 0).catch((error: Error) => expect.fail(`${error.message}: ${since().join('; ')}`));
      const ran = await typed.ended;
      expect(ran.exitCode).to.equal(130);
      expect(ran.output).to.match(/stopped by SIGINT/);
      expect(ran.junit, 'the reports').to.include('stopped by SIGINT');
      expectNoBlindGreen(ran);
      expect(ran.cells.filter(({ outcome, verdict }) => outcome.seen === 'unprobed' && verdict !== 'inconclusive')).to.deep.equal([]);
    });

  it('the harness itself fails when all is looked at', async () => {
    // What the record asks of node is refused to it alone, which its source's name tells: a fault of ours, after the looks and before the reports.
    const preload = join(repository, 'reports', `fault-${process.pid}.mjs`);
    writeFileSync(preload, `const { version } = process;\nObject.defineProperty(process, 'version', { get() { if (/lib\\/run\\.ts/.test(new Error().stack)) throw new Error('no record today'); return version; } });\n`);
    try {
      const ran = await typeNpmTest({ FLOWPROOF_UNCOMPILED: '1', NODE_OPTIONS: `--import ${pathToFileURL(preload).href}` }).ended;
      expect(ran.exitCode).to.not.equal(0);
      expect(ran.output).to.include('the run came to no record: no record today').and.match(/^0 passed/m);
      expect(ran.junit).to.include('tests="1" failures="0" errors="1"').and.include('no record today');
    } finally {
      rmSync(preload);
    }
  });

  it('a second run begins', async () => {
    // At a rate, lest it be over before the second one comes to the machines: that makes a run slow, and changes no verdict.
    const first = typeNpmTest({ FLOWPROOF_RATE: '400' });
    await looking('mesh', first);
    const second = await typeNpmTest().ended;
    expectUnchanged(await first.ended);
    expect(second.exitCode).to.not.equal(0);
    for (const name of vmNames) expect(second.output).to.match(new RegExp(`no look from ${name}: .*another run of flowproof is under way.*: wait for its end`));
    expectNoBlindGreen(second);
    expect(second.cells.filter(({ from, verdict, expected, port }) => from !== 'operator' && verdict === 'pass' && !(expected === 'allowed' && port === 22)).map(({ id }) => id)).to.deep.equal([]);
  });
});
