// nc on a machine that has too much to do: what it has not said yet is no silence.
import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from './bench.ts';
import { forEachKind, hello } from './suites.ts';

/** Busy for so long, as if the machine were, and then what was asked for. */
function slowed(folder: string, program: 'nc' | 'ping', ms: number): void {
  const script = `#!/bin/sh\nnow() { read -r t _ </proc/uptime; t=\${t%.*}\${t#*.}; }\nnow\nend=$((t + ${ms / 10}))\nwhile [ $t -lt $end ]; do now; done\nexec busybox ${program} "$@"\n`;
  writeFileSync(join(folder, program), script, { mode: 0o755 });
}

forEachKind('a slow nc', ({ kind }) => {
  it('takes no nc that was slow to start for silence', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fpt-slow-'));
    slowed(folder, 'nc', 700);
    try {
      const prober = await start(kind, { before: `PATH=${folder}:$PATH; ` });
      const events = await Promise.all(['tcp 198.18.0.2 7000 0 - 1 100 300', `udp 198.18.0.2 7000 0 ${hello} 2 100 300`].map(prober.ask));
      expect(events.map((list) => list.at(-1)?.split(' ')[0])).to.deep.equal(['connected', 'data']);
      await prober.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('tells of each ping that was begun that it was barred, though the first one says so late', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fpt-barred-'));
    slowed(folder, 'ping', 250);
    try {
      const prober = await start(kind, { before: `PATH=${folder}:$PATH; ` });
      const events = await prober.ask('icmp 198.18.0.4 - 3 100 300');
      const begun = events.flatMap((event) => /^sent (\d)/.exec(event)?.[1] ?? []);
      expect(begun.length).to.be.greaterThan(1);
      expect(events.flatMap((event) => /^error (\d) EPERM send$/.exec(event)?.[1] ?? []).toSorted(), events.join(', ')).to.deep.equal(begun);
      await prober.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  for (const [death, script] of [['is killed', 'kill -9 $$'], ['is killed while it waits', 'sleep 0.1; kill -9 $$'], ['says what nobody knows', 'echo "nc: something new" >&2; exit 1']] as const)
    it(`takes no nc that ${death} for silence`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'fpt-dead-'));
      for (const program of ['nc', 'ping']) writeFileSync(join(folder, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      try {
        const prober = await start(kind, { before: `PATH=${folder}:$PATH; ` });
        const looks = ['tcp 198.18.0.2 7103 0 - 2 300 300', `udp 198.18.0.2 7103 0 ${hello} 2 300 300`, 'icmp 198.18.0.2 - 2 300 300'];
        // Of a handshake by the long way (dash) a killed nc is not told from one that we killed.
        for (const look of kind === 'dash' && death.startsWith('is killed') ? looks.slice(1) : looks) {
          const events = await prober.ask(look);
          expect(events.filter((event) => /^unprobed |^error \d UNKNOWN /.test(event)).length, `${look}: ${events.join(', ')}`).to.be.greaterThan(0);
        }
        await prober.close();
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

  // dash's `read` has no time limit: it goes the long way, where a window ends by the clock alone.
  if (kind !== 'dash') it('loses no word of an nc that says it as the time for it ends', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fpt-halting-'));
    // What is said in one write can be read in several on a busy machine, with the end of a try or a window in between.
    const script = '#!/bin/sh\nexec >&2\nprintf "nc: 198.18.0.2 (198.18.0.2:7103): Conn"\nsleep 0.4\necho "ection refused"\n';
    writeFileSync(join(folder, 'nc'), script, { mode: 0o755 });
    try {
      const prober = await start(kind, { before: `PATH=${folder}:$PATH; ` });
      for (const tries of ['1 100 200', '3 300 100']) expect((await prober.ask(`tcp 198.18.0.2 7103 0 - ${tries}`)).at(-1), tries).to.match(/^error \d ECONNREFUSED connect$/);
      await prober.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}, ['ash', 'dash', 'bash']);
