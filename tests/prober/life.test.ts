// However a prober ends, it leaves nothing behind.
import { expect } from 'chai';
import { near, processes, start, until } from './bench.ts';
import { forEachKind, goneWithinMs } from './suites.ts';

forEachKind('the end', ({ kind, sh }) => {
  it('leaves no process when stdin ends half-way', async () => {
    const others = processes(near);
    const prober = await start(kind);
    for (let n = 0; n < (sh ? 150 : 500); n++) prober.send(`e${n} udp 198.18.0.2 7002 0 00 3 500 60000`);
    for (let n = 0; n < 20; n++) prober.send(`t${n} tcp 198.18.0.2 7002 0 00 3 500 60000`);
    await until('the first looks are under way', () => prober.lines.some((line) => line.startsWith('e9 sent 2')));
    expect(await prober.close()).to.equal(0);
    await until('all are gone', () => processes(near).every((pid) => others.includes(pid)), goneWithinMs);
    expect(prober.stderr()).to.equal('');
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`leaves no process when it gets ${signal}`, async () => {
      const others = processes(near);
      const prober = await start(kind);
      for (let n = 0; n < 10; n++) prober.send(`e${n} udp 198.18.0.2 7002 0 00 3 500 60000`);
      await until('the first looks are under way', () => prober.lines.some((line) => line.startsWith('e9 sent 2')));
      prober.child.kill(signal);
      await until('all are gone', () => processes(near).every((pid) => others.includes(pid)), goneWithinMs);
    });
  }

  if (kind !== 'dash')
    it('ends when it has heard nothing for so long, and not while it hears an empty line', async () => {
      const others = processes(near);
      const edit = (text: string): string => text.replace('PATIENCE_S = 120', 'PATIENCE_S = 5').replace('patience_s=120', 'patience_s=5');
      const prober = await start(kind, { edit });
      prober.send('e1 udp 198.18.0.2 7002 0 00 3 500 60000');
      for (let beats = 0; beats < 7; beats += 1) {
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        prober.send('');
      }
      expect(prober.child.exitCode, 'it is still there').to.equal(null);
      await until('all are gone', () => processes(near).every((pid) => others.includes(pid)), 5_000 + goneWithinMs);
      expect(prober.lines.join('\n')).to.not.include('malformed');
    });

  it('ends by quit too', async () => {
    const prober = await start(kind);
    expect(await prober.ask('quit')).to.deep.equal([]);
    await until('it exits', () => prober.child.exitCode !== null);
    expect(prober.child.exitCode).to.equal(0);
  });
});
