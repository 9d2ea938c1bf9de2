// Whatever moment `up` is killed at, `down` leaves nothing of the lab on the machine.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { down } from '../../lab/down.ts';
import { prefix } from '../../lab/topology.ts';
import { repository, up } from '../../lab/up.ts';

/** When a process began, in ticks since boot (proc(5), field 22 of stat). */
function startOf(pid: string): number {
  return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19]);
}

/** Namespaces and mounts of the lab, and processes younger than this one in another network namespace: a container's are older. */
function traces(): readonly string[] {
  const namespaces = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout.split('\n').filter((line) => line.startsWith(prefix));
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n').filter((line) => line.includes('flowproof'));
  const own = readlinkSync('/proc/self/ns/net');
  const processes = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).flatMap((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/ns/net`) === own || startOf(pid) < startOf('self') ? [] : [`process ${pid} ${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()}`];
    } catch {
      return []; // it has just ended
    }
  });
  return [...namespaces, ...mounts, ...processes];
}

describe('the lab, taken down', () => {
  after(() => up({ phase: 'steady' })); // for the scenarios that follow

  it('leaves nothing when it stood', async () => {
    expect(traces().length, 'the lab is up, so there is something to see').to.be.greaterThan(10);
    await down();
    expect(traces()).to.deep.equal([]);
  });

  for (const killedAfterMs of [500, 900, 1300, 1900]) {
    it(`leaves nothing when up was killed after ${killedAfterMs} ms`, async () => {
      const child = spawn(process.execPath, ['--import', 'tsx', 'lab/cli.ts', 'up'], { cwd: repository, stdio: 'ignore' });
      await sleep(killedAfterMs);
      child.kill('SIGKILL');
      await down();
      expect(traces()).to.deep.equal([]);
    });
  }
});
