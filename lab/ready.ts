// When the lab is truly up: not that daemons run, but that each answers to whom it should.
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from './error.ts';
import { run } from './inside.ts';
import type { AnyName } from './standing.ts';
import { docker, nebula, vmbr1, wan } from './topology.ts';

// chrony needs its few exchanges; all else is there within two seconds on a slow machine.
const deadlineMs = 20_000;
const pollMs = 100;

export interface Sign {
  readonly on: AnyName;
  readonly what: string;
  readonly argv: readonly string[];
  /** Where to look when it does not show. */
  readonly logs: readonly (readonly [AnyName, string])[];
}

const tcp = (address: string, port: number): readonly string[] => ['nc', '-z', '-w', '1', address, String(port)];

export const usualSigns: readonly Sign[] = [
  { on: 'mesh', what: 'a DHCP lease and DNS', argv: ['getent', 'ahostsv4', 'chat.signal.org'], logs: [['mesh', 'udhcpc'], ['internet', 'dnsmasq']] },
  { on: 'ntp', what: 'a DHCP lease and DNS', argv: ['nslookup', 'time.cloudflare.com'], logs: [['ntp', 'udhcpc'], ['internet', 'dnsmasq']] },
  { on: 'ntp', what: 'chrony in step with its upstream', argv: ['chronyc', '-n', 'waitsync', '1'], logs: [['ntp', 'chrony'], ['internet', 'chrony']] },
  { on: 'gateway', what: "mesh's sshd", argv: tcp(vmbr1.mesh, 22), logs: [['mesh', 'sshd']] },
  { on: 'gateway', what: "joi's sshd", argv: tcp(vmbr1.joi, 22), logs: [['joi', 'sshd']] },
  { on: 'gateway', what: "ntp's sshd", argv: tcp(vmbr1.ntp, 22), logs: [['ntp', 'sshd']] },
  { on: 'operator', what: 'a login on the gateway', argv: ['ssh', '-o', 'BatchMode=yes', 'gateway', 'true'], logs: [['gateway', 'sshd']] },
  { on: 'operator', what: 'a login on internet', argv: ['ssh', '-o', 'BatchMode=yes', 'internet', 'true'], logs: [['internet', 'sshd']] },
  { on: 'mesh', what: 'joi over Nebula', argv: tcp(nebula.joi, 8443), logs: [['mesh', 'nebula'], ['joi', 'nebula'], ['joi', 'nginx']] },
  { on: 'joi', what: 'mesh over Nebula', argv: tcp(nebula.mesh, 8444), logs: [['joi', 'nebula'], ['mesh', 'nebula'], ['mesh', 'nginx']] },
  { on: 'joi', what: 'Ollama', argv: tcp('127.0.0.1', docker.ollamaPort), logs: [['joi', 'nginx'], ['ollama', 'nginx']] },
  { on: 'internet', what: 'its web server', argv: tcp(wan.internet, 443), logs: [['internet', 'nginx']] },
  { on: 'internet', what: 'its echo', argv: tcp(wan.internet, 7), logs: [['internet', 'echo']] },
];

/** @param addresses of the VMs; one look at all of them, since each is a process or three */
export const estateSigns = (addresses: readonly string[]): readonly Sign[] => [
  { on: 'gateway', what: "the VMs' sshd", argv: ['sh', '-c', 'for address; do nc -z -w 1 "$address" 22 || { echo "$address" >&2; exit 1; }; done', 'sh', ...addresses], logs: [['gateway', 'sshd']] },
  { on: 'operator', what: 'a login on the gateway', argv: ['ssh', '-o', 'BatchMode=yes', 'gateway', 'true'], logs: [['gateway', 'sshd']] },
  { on: 'operator', what: 'a login on internet', argv: ['ssh', '-o', 'BatchMode=yes', 'internet', 'true'], logs: [['internet', 'sshd']] },
  { on: 'vm1', what: 'its own time server', argv: ['grep', '-q', ' 0B1616AC:007B ', '/proc/net/udp'], logs: [['vm1', 'chrony']] },
];

/** Resolves when every sign shows, and throws with the logs' ends of the first that does not. */
export async function untilReady(signs: readonly Sign[] = usualSigns): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  await Promise.all(signs.map((sign) => untilShown(sign, deadline)));
}

async function untilShown({ on, what, argv, logs }: Sign, deadline: number): Promise<void> {
  for (;;) {
    const { exitCode, stderr } = await run(on, argv);
    if (exitCode === 0) return;
    if (Date.now() > deadline) {
      const tails = await Promise.all(logs.map(([machine, name]) => tailOf(machine, `/var/log/${name}.log`)));
      throw new LabError([`${on} does not see ${what} (${argv.join(' ')}): ${stderr.trim()}`, ...tails].join('\n'));
    }
    await sleep(pollMs);
  }
}

export async function tailOf(name: AnyName, log: string): Promise<string> {
  const { stdout } = await run(name, ['tail', '-n', '8', log]);
  return `--- ${name}:${log}\n${stdout.trimEnd()}`;
}
