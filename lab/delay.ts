// A longer cable to a machine: each frame on it is so much later there, both ways. By a program of ours in the switch, since not every
// kernel has netem.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LabError } from './error.ts';
import { initOf } from './inside.ts';
import { host } from './shell.ts';
import { type InnerName, machines, switchNamespace } from './topology.ts';

const device = 'longcable';

/**
 * One at a time.
 * @param nic the machine's interface at the cable's end
 * @param ms each way, at least: a busy machine may carry them later
 * @returns lays the old cable again
 */
export async function lengthen(name: InnerName, nic: string, ms: number): Promise<() => Promise<void>> {
  const bridge = machines[name].interfaces.find((one) => one.name === nic)?.bridge;
  if (bridge === undefined) throw new LabError(`${name} has no cable at ${nic}`);
  const port = `${name}-${nic}`;
  const program = await readFile(join(import.meta.dirname, 'delay.py'), 'utf8');
  // With internet's python: the host may have none.
  const relay = spawn('nsenter', [`--net=/run/netns/${switchNamespace}`, 'chroot', `/proc/${initOf('internet')}/root`, 'python3', '-c', program, port, device, String(ms)], { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = once(relay, 'close');
  let said = '';
  relay.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const began = await Promise.race([once(relay.stdout, 'data').then(() => true), ended.then(() => false)]);
  if (!began) throw new LabError(`the longer cable of ${name} could not be laid: ${said}`);
  await inSwitch(`link set ${device} addrgenmode none txqueuelen 10000 master ${bridge} up`, `link set ${port} nomaster`);
  return async () => {
    await inSwitch(`link set ${port} master ${bridge}`);
    relay.stdin.end();
    await ended;
    if (said !== '') throw new LabError(`the longer cable of ${name} broke: ${said}`);
  };
}

const inSwitch = (...lines: readonly string[]): Promise<unknown> => host({ input: lines.join('\n') })`ip -n ${switchNamespace} -batch -`;
