// Takes the lab away, whatever state it is in. All that a machine has lives in its own
// namespaces: with its processes and its netns gone, nothing of it is left.
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from './error.ts';
import { processesIn } from './inside.ts';
import { withLock } from './lock.ts';
import { host } from './shell.ts';
import { labNamespaces, netnsFiles } from './standing.ts';

/** Files of an `up` under way (keys, logs, a mount point); gone when it ends. */
export const stateDir = '/run/flowproof';

/** A machine with many at work takes its time to bury them. */
const killDeadlineMs = 30_000;

export const down = (): Promise<void> => withLock('flowproof-lab', takeDown);

/** For who holds the lock already. */
export async function takeDown(): Promise<void> {
  // Again until there is nothing: an `up` killed a moment ago may have a child that still adds some.
  for (let names = labNamespaces(); names.length > 0; names = labNamespaces()) {
    await killAll(names);
    // A file whose namespace was not mounted yet makes `netns del` complain, and is gone all the same.
    await host({ input: names.map((name) => `netns del ${name}`).join('\n'), nothrow: true })`ip -force -batch -`;
  }
  await rm(stateDir, { recursive: true, force: true, maxRetries: 5 });
  // `ip netns add` made this folder a mount point; with no namespace left in it, it need not be one.
  if (netnsFiles().length === 0) await host({ nothrow: true })`umount /run/netns`;
}

async function killAll(namespaces: readonly string[]): Promise<void> {
  const deadline = Date.now() + killDeadlineMs;
  for (;;) {
    const pids = namespaces.flatMap(processesIn);
    if (pids.length === 0) return;
    if (Date.now() > deadline) throw new LabError(`processes ${pids.join(', ')} of the lab would not die`);
    for (const pid of pids) kill(pid);
    await sleep(20);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
