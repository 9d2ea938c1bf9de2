// However a prober ends, it leaves nothing behind.
import { expect } from 'chai';
import { near, processes, start, until } from './bench.ts';
import { forEachKind, goneWithinMs } from './suites.ts';

forEachKind('the end', ({ kind, sh }) => {
  it('leaves no process when stdin ends half-way', async () => {
    const others = processes(near);
    const prober = await start(kind);
    for (let n = 0; n < (sh ? 150 : 500); n++) prober.send(`e${n} udp 198.18.0.2 7002 0 00 3 500 30000`);
    for (let n = 0; n < 20; n++) prober.send(`t${n} tcp 198.18.0.2 7002 0 00 3 500 30000`);
    await until('the first looks are under way', () => prober.lines.some((line) => line.startsWith('e9 sent 2')));
    expect(await prober.close()).to.equal(0);
    await until('all are gone', () => processes(near).every((pid) => others.includes(pid)), goneWithinMs);
    expect(prober.stderr()).to.equal('');
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`leaves no process when it gets ${signal}`, async () => {
      const others = processes(near);
      const prober = await start(kind);
      for (let n = 0; n < 10; n++) prober.send(`e${n} udp 198.18.0.2 7002 0 00 3 500 30000`);
      await until('the first looks are under way', () => prober.lines.some((line) => line.startsWith('e9 sent 2')));
      prober.child.kill(signal);
      await until('all are gone', () => processes(near).every((pid) => others.includes(pid)), goneWithinMs);
    });
  }

  it('ends by quit too', async () => {
    const prober = await start(kind);
    expect(await prober.ask('quit')).to.deep.equal([]);
    await until('it exits', () => prober.child.exitCode !== null);
    expect(prober.child.exitCode).to.equal(0);
  });
});
