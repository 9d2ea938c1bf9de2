// What a prober says of its own host as a witness, and how it holds the host for its run: resets and the lock.
import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { far, near, processes, run, start, until, type Prober } from './bench.ts';
import { expectEvents, withoutProcNet } from './events.ts';
import { forEachKind } from './suites.ts';

const address = '127.86.70.80';
const held = `fact lock ${Buffer.from('held').toString('hex')}`;

async function resets(prober: Prober): Promise<number> {
  const [event = '', ...more] = await prober.ask('resets');
  expect(more).to.deep.equal([]);
  const [what, name, hex = ''] = event.split(' ');
  expect([what, name]).to.deep.equal(['fact', 'resets']);
  const told = Buffer.from(hex, 'hex').toString();
  expect(told).to.match(/^\d+$/);
  return Number(told);
}

forEachKind('a witness', ({ kind }) => {
  it('counts a reset for a SYN to a closed port, also where the reset is dropped on its way out, and none for what a firewall rejects with one', async () => {
    const [prober, witness] = [await start('python'), await start(kind, { namespace: far })];
    const began = await resets(witness);
    expectEvents(await prober.ask('tcp 198.18.0.2 7999 0 - 1 500 8000'), ['sent 1 # #', 'error 1 ECONNREFUSED connect']);
    const answered = await resets(witness);
    expect(answered).to.equal(began + 1);
    expectEvents(await prober.ask('tcp 198.18.0.2 7303 0 - 1 500 700'), ['sent 1 # #']);
    const dropped = await resets(witness);
    expect(dropped).to.equal(answered + 1);
    expectEvents(await prober.ask('tcp 198.18.0.2 7102 0 - 1 500 8000'), ['sent 1 # #', 'error 1 ECONNREFUSED connect']);
    expectEvents(await prober.ask('tcp 198.18.0.2 7103 0 - 1 500 300'), ['sent 1 # #']);
    expect(await resets(witness)).to.equal(dropped);
    await Promise.all([prober.close(), witness.close()]);
  });

  it('says where resets cannot be read', async () => {
    const witness = await start(kind, { namespace: far, wrap: withoutProcNet });
    expect(await witness.ask('resets')).to.deep.equal(['unprobed ENOENT resets']);
    await witness.close();
  });

  it('holds its host once, without root too, and lets go of it however it ends', async () => {
    const user = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const others = processes(far);
    for (const wrap of [[], user]) {
      for (const end of ['SIGKILL', 'stdin'] as const) {
        const [first, second] = [await start(kind, { namespace: far, wrap }), await start(kind, { namespace: far })];
        expect(await first.ask(`lock ${address}`)).to.deep.equal([held]);
        expect(run(far, 'cat /proc/net/tcp')).to.match(/ 5046567F:3F30 00000000:0000 0A /);
        expect(await second.ask(`lock ${address}`)).to.deep.equal(['unprobed EADDRINUSE lock']);
        if (end === 'stdin') await first.close();
        else first.child.kill(end);
        await until(`it is free again after ${end}`, () => !run(far, 'cat /proc/net/tcp').includes(':3F30 '));
        expect(await second.ask(`lock ${address}`), end).to.deep.equal([held]);
        await second.close();
        await until('all are gone', () => processes(far).every((pid) => others.includes(pid)));
      }
    }
  });

  if (kind !== 'python') {
    it('does not hold its host by an nc that ends without a word', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'fpt-dead-'));
      writeFileSync(join(folder, 'nc'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
      try {
        const prober = await start(kind, { before: `PATH=${folder}:$PATH; ` });
        expect(await prober.ask(`lock ${address}`)).to.deep.equal(['unprobed EAGAIN lock']);
        await prober.close();
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }

  it('holds it beside others of its run, never twice for the same one, and lets go of its own alone', async () => {
    const shards = [await start(kind, { namespace: far }), await start('python', { namespace: far })] as const;
    const [stranger, twice] = [await start(kind, { namespace: far }), await start(kind, { namespace: far })];
    const [first, second] = shards;
    expect(await first.ask('lock 127.86.70.1')).to.deep.equal([held]);
    expect(await second.ask('lock 127.86.70.2'), 'another shard').to.deep.equal([held]);
    expect(await twice.ask('lock 127.86.70.2'), 'a shard that is there already').to.deep.equal(['unprobed EADDRINUSE lock']);
    for (const other of ['127.86.71.1', '127.87.70.1', '127.86.71.0']) expect(await stranger.ask(`lock ${other}`), other).to.deep.equal(['unprobed EADDRINUSE lock']);
    await first.close();
    expect(await stranger.ask('lock 127.86.71.1'), 'while one shard is left').to.deep.equal(['unprobed EADDRINUSE lock']);
    // Its turn, and another's after it.
    expect(await second.ask('lock 127.86.70.255')).to.deep.equal([held]);
    expect(await twice.ask('lock 127.86.70.255')).to.deep.equal(['unprobed EADDRINUSE lock']);
    expect(await twice.ask('unlock 127.86.70.255'), 'not its own').to.deep.equal([]);
    expect(await twice.ask('lock 127.86.70.255')).to.deep.equal(['unprobed EADDRINUSE lock']);
    expect(await second.ask('unlock 127.86.70.255')).to.deep.equal([]);
    expect(await twice.ask('lock 127.86.70.255')).to.deep.equal([held]);
    expect(await stranger.ask('unlock 127.86.70.255'), 'not its own either, and of the same kind').to.deep.equal([]);
    expect(await second.ask('lock 127.86.70.255')).to.deep.equal(['unprobed EADDRINUSE lock']);
    expect(await twice.ask('unlock 127.86.70.255')).to.deep.equal([]);
    expect(await second.ask('lock 127.86.70.255')).to.deep.equal([held]);
    expect(await stranger.ask('lock 127.86.71.1'), 'the shard holds it still').to.deep.equal(['unprobed EADDRINUSE lock']);
    await second.close();
    await until('both are free', () => !run(far, 'cat /proc/net/tcp').includes(':3F30 '));
    expect(await stranger.ask('lock 127.86.71.1')).to.deep.equal([held]);
    await Promise.all([stranger.close(), twice.close()]);
  });

  it('takes no address but one of the loopback network', async () => {
    const prober = await start(kind, { namespace: far });
    for (const line of ['lock', 'lock 198.18.0.2', 'lock 127.1', 'lock 127.0.0.256', 'lock 127.0.0.0.1', 'unlock 10.0.0.1', 'lock 0x7f.1.1.1'])
      expect((await prober.ask(line)).map((event) => event.split(' ')[0]), line).to.deep.equal(['malformed']);
    await prober.close();
  });

  it('holds nothing on another host', async () => {
    const [one, other] = [await start(kind, { namespace: near }), await start(kind, { namespace: far })];
    expect(await one.ask(`lock ${address}`)).to.deep.equal([held]);
    expect(await other.ask(`lock ${address}`)).to.deep.equal([held]);
    await Promise.all([one.close(), other.close()]);
  });
});
