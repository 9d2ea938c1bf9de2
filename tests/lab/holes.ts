// A lab with holes: a few of each kind that a lost packet could hide, from python and busybox hosts and from outside. The
// lab's own map says what they open; which cells are red is taken from a clean run.
import { exec } from '../../lab/exec.ts';
import { setPhase } from '../../lab/phase.ts';
import { untilReady } from '../../lab/ready.ts';
import { publicNames, vmbr1, wan, type MachineName } from '../../lab/topology.ts';

type Hole = readonly [what: string, ...rules: readonly (readonly [machine: MachineName, chain: 'input' | 'output' | 'forward', rule: string])[]];

const holes: readonly Hole[] = [
  ['out of mesh over UDP, answered', ['mesh', 'output', 'ip daddr 9.9.9.9 udp dport 5353 accept']],
  ['out of the gateway over UDP, by busybox', ['gateway', 'output', 'ip daddr 9.9.9.9 udp dport 53 accept']],
  ['out of ntp over TCP, by busybox', ['ntp', 'output', `ip daddr ${publicNames['github.com'][0]} tcp dport 80 accept`]],
  ['into mesh from outside', ['mesh', 'input', `ip saddr ${wan.operator} tcp dport 22 accept`]],
  ['past the gateway, that joi alone still stops', ['gateway', 'forward', `ip saddr ${vmbr1.joi} ip daddr 1.1.1.1 tcp dport 443 accept`]],
  ['from mesh to a listener on joi', ['mesh', 'output', `ip daddr ${vmbr1.joi} tcp dport 9090 accept`], ['joi', 'input', `ip saddr ${vmbr1.mesh} tcp dport 9090 accept`]],
  ['from joi to a closed port of ntp', ['joi', 'output', `ip daddr ${vmbr1.ntp} tcp dport 9090 accept`], ['ntp', 'input', `ip saddr ${vmbr1.joi} tcp dport 9090 accept`]],
  ['from joi to ntp over UDP, its refusal lost', ['joi', 'output', `ip daddr ${vmbr1.ntp} udp dport 5353 accept`], ['ntp', 'input', `ip saddr ${vmbr1.joi} udp dport 5353 accept`],
    ['ntp', 'output', `ip daddr ${vmbr1.joi} icmp type destination-unreachable drop`]],
  ['an allowed flow that is blocked', ['ntp', 'input', `ip saddr ${vmbr1.mesh} udp dport 123 drop`]],
];

/** The firewalls as shipped, with or without the holes; resolves when all of the lab works. */
export async function makeHoles(open: boolean): Promise<void> {
  await setPhase('steady');
  for (const [, ...rules] of open ? holes : []) for (const [machine, chain, rule] of rules) await exec(machine, ['nft', `insert rule inet filter ${chain} ${rule}`]);
  await untilReady();
}
