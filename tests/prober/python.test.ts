// What the python prober can do, and what it must share.
import { expect } from 'chai';
import { start } from './bench.ts';
import { expectEvents, withSetting } from './events.ts';
import { forEachKind } from './suites.ts';

forEachKind('python alone', ({ kind }) => {
  // busybox's ping knows this way from 1.36 on only, so sh may have to say that it could not look: see above.
  it('pings without root where the kernel lets it, and takes no redirect for an error', async () => {
    await withSetting('net.ipv4.ping_group_range', '0\t2147483647', async () => {
      const prober = await start(kind, { wrap: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] });
      expectEvents(await prober.ask('icmp 198.18.0.2 00ff 1 200 8000'), ['sent 1 # #', 'data 1 00ff # 198.18.0.2']);
      expectEvents(await prober.ask('icmp 198.18.1.9 00 1 200 1500'), ['sent 1 # #', 'icmp 1 4 3 13 198.18.0.2', 'error 1 EHOSTUNREACH read']);
      await prober.close();
    });
  });

  it('waits for descriptors rather than fail for want of them', async () => {
    const prober = await start(kind, { before: 'ulimit -n 64; ' });
    const found = await Promise.all(Array.from({ length: 100 }, () => prober.ask('udp 198.18.0.2 7002 0 00 3 50 100')));
    for (const events of found) expectEvents(events, ['sent 1 # #', 'sent 2 # #', 'sent 3 # #']);
    await prober.close();
  });

  it('keeps its time while nobody reads what it says', async () => {
    const prober = await start(kind);
    prober.child.stdout.pause();
    const count = 3000; // 300 kB of events: more than the pipe holds
    const asked = Array.from({ length: count }, (_, n) => prober.ask(`udp 198.18.0.2 7002 0 ${'00'.repeat(4)} 3 300 ${300 + (n % 10)}`));
    await new Promise((resolve) => setTimeout(resolve, 6000));
    prober.child.stdout.resume();
    for (const events of await Promise.all(asked)) expect(Number(events[2]?.split(' ')[3])).to.be.within(600, 4000);
    await prober.close();
  });
}, ['python']);
