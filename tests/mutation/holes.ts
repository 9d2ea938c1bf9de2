// Holes as people make them, by the rules and settings that they would type; where two walls stand, in both. The first word of
// a change is the machine. Some are none: they must stay green.
import { mustRun } from '../../lab/inside.ts';
import { mindingRules } from '../../lab/phase.ts';
import { restart } from '../../lab/services.ts';
import type { vmNames } from '../../lab/topology.ts';

type Vm = (typeof vmNames)[number];
type Step = Readonly<{ on: Vm; text: string }>;

export type Hole = Readonly<{
  id: string;
  steps: readonly Step[];
  /** What a firewall loaded afresh does not take back. */
  mend?: readonly Step[];
}>;

const on = (machine: Vm, ...lines: readonly string[]): readonly Step[] => lines.map((text) => ({ on: machine, text }));
/** Ahead of all rules of a chain. */
const rule = (machine: Vm, chain: 'input' | 'output' | 'forward', words: string): readonly Step[] => on(machine, `nft insert rule inet filter ${chain} ${words}`);
const joiOut = (words: string): readonly Step[] => [...rule('joi', 'output', `${words} accept`), ...rule('gateway', 'forward', `iifname eth1 ${words} accept`)];
const between = (source: Vm, target: Vm, words: string): readonly Step[] => [...rule(source, 'output', `${words} accept`), ...rule(target, 'input', `${words} accept`)];
const flushed = (machine: Vm): Hole => ({ id: `${machine} without any firewall`, steps: on(machine, 'nft flush ruleset') });

const onceInThree = 'numgen random mod 3 0';

/** Where chance decides, all that could get through: not every cell needs to see that, and none may see more. */
export const atItsWidest = (steps: readonly Step[]): readonly Step[] => steps.map((step) => ({ ...step, text: step.text.replace(onceInThree, '') }));
export const leavesToChance = ({ steps }: Hole): boolean => steps.some(({ text }) => text.includes(onceInThree));

export const holes: readonly Hole[] = [
  { id: 'IPv6 forgotten, from joi to mesh', steps: between('joi', 'mesh', 'meta nfproto ipv6') },
  { id: 'IPv6 forgotten, from mesh to joi', steps: between('mesh', 'joi', 'meta nfproto ipv6') },
  { id: 'IPv6 forgotten on the WAN side of mesh', steps: rule('mesh', 'input', 'iifname eth0 meta nfproto ipv6 accept') },
  { id: 'IPv6 forgotten on the WAN side of the gateway', steps: rule('gateway', 'input', 'iifname eth0 meta nfproto ipv6 accept') },
  { id: 'answers of DNS let in by source port, mesh to joi', steps: between('mesh', 'joi', 'udp sport 53') },
  { id: 'answers of NTP let in by source port, joi to ntp', steps: between('joi', 'ntp', 'udp sport 123') },
  { id: 'answers of HTTPS let in by source port, ntp to mesh', steps: between('ntp', 'mesh', 'tcp sport 443') },
  { id: 'source port 53 lets joi out over TCP', steps: joiOut('tcp sport 53') },
  { id: 'source port 53 lets joi out over UDP', steps: joiOut('udp sport 53') },
  { id: 'gateway forwards everything; joi itself is closed', steps: rule('gateway', 'forward', 'accept') },
  { id: 'gateway forwards everything from joi, and joi is open', steps: joiOut('meta nfproto ipv4') },
  { id: 'the TEMP rule left on the gateway alone', steps: rule('gateway', 'forward', 'iifname eth1 oifname eth0 ip saddr 172.22.22.2 tcp dport { 53, 80, 443 } accept') },
  { id: 'the TEMP rule left on joi alone', steps: rule('joi', 'output', 'oifname eth0 tcp dport { 53, 80, 443 } accept') },
  { id: 'the TEMP rules left on both', steps: joiOut('tcp dport { 53, 80, 443 }') },
  { id: 'joi reaches one address on one port', steps: joiOut('ip daddr 198.18.20.1 tcp dport 443') },
  { id: 'joi reaches one resolver over UDP', steps: joiOut('ip daddr 8.8.8.8 udp dport 53') },
  { id: 'joi reaches one resolver over TCP', steps: joiOut('ip daddr 9.9.9.9 tcp dport 53') },
  { id: 'joi pings out', steps: joiOut('icmp type echo-request') },
  { id: 'joi tunnels out by GRE', steps: joiOut('meta l4proto gre') },
  { id: 'joi tunnels out by IP in IP', steps: joiOut('meta l4proto 4') },
  { id: 'joi gets through one time in three', steps: joiOut(`tcp dport 443 ${onceInThree}`) },
  { id: 'joi asks the gateway for DNS', steps: between('joi', 'gateway', 'udp dport 53') },
  { id: 'joi enters the gateway by SSH', steps: between('joi', 'gateway', 'tcp dport 22') },
  { id: 'joi enters ntp by SSH', steps: between('joi', 'ntp', 'tcp dport 22') },
  { id: 'joi pings mesh', steps: between('joi', 'mesh', 'icmp type echo-request') },
  { id: 'the overlay is open on mesh and joi, Nebula itself is not', steps: [...between('joi', 'mesh', 'ip saddr 10.42.0.10'), ...between('mesh', 'joi', 'ip saddr 10.42.0.1')] },
  {
    id: "Nebula's own firewall widened as well",
    steps: [
      ...between('joi', 'mesh', 'ip saddr 10.42.0.10'),
      ...on('mesh', 'cp /etc/nebula/config.yml /root/nebula.yml', `sed -i '/^  inbound:/,$d' /etc/nebula/config.yml`, `printf '  inbound:\\n    - { port: any, proto: any, host: any }\\n' >>/etc/nebula/config.yml`, 'service nebula restart'),
    ],
    mend: on('mesh', 'mv /root/nebula.yml /etc/nebula/config.yml'),
  },
  {
    id: 'Ollama published on all addresses, and mesh may ask it',
    steps: [
      ...on('joi', 'nft add table ip hole', "nft 'add chain ip hole pre { type nat hook prerouting priority -110; }'", 'nft add rule ip hole pre iifname eth0 tcp dport 11434 dnat to 172.17.0.2:11434'),
      ...rule('joi', 'forward', 'oifname docker0 accept'), ...rule('mesh', 'output', 'tcp dport 11434 accept'),
    ],
  },
  { id: 'mesh rejects instead of dropping', steps: on('mesh', 'nft add rule inet filter input reject', 'nft add rule inet filter output reject') },
  { id: 'gateway rejects instead of dropping', steps: on('gateway', 'nft add rule inet filter forward reject', 'nft add rule inet filter input reject') },
  { id: 'ntp rejects TCP by reset', steps: on('ntp', 'nft add rule inet filter input meta l4proto tcp reject with tcp reset') },
  { id: 'joi rejects its own packets', steps: on('joi', 'nft add rule inet filter output reject with icmpx admin-prohibited') },
  { id: 'mesh forwards, its FORWARD chain does not', steps: on('mesh', 'sysctl -qw net.ipv4.ip_forward=1'), mend: on('mesh', 'sysctl -qw net.ipv4.ip_forward=0') },
  {
    id: 'mesh forwards what joi sends by it',
    steps: [...on('mesh', 'sysctl -qw net.ipv4.ip_forward=1'), ...rule('mesh', 'forward', 'accept')], mend: on('mesh', 'sysctl -qw net.ipv4.ip_forward=0'),
  },
  {
    id: 'ntp forwards HTTPS that joi sends by it, and translates it',
    steps: [
      ...on('ntp', 'sysctl -qw net.ipv4.ip_forward=1', 'nft add table ip hole', "nft 'add chain ip hole post { type nat hook postrouting priority 100; }'", 'nft add rule ip hole post oifname eth0 masquerade'),
      ...rule('ntp', 'forward', 'tcp dport 443 accept'),
    ],
    mend: on('ntp', 'sysctl -qw net.ipv4.ip_forward=0'),
  },
  {
    id: 'a port forwarding to the sshd of mesh left behind on the gateway',
    steps: [
      ...on('gateway', 'nft add table ip hole', "nft 'add chain ip hole pre { type nat hook prerouting priority -110; }'", "nft 'add chain ip hole post { type nat hook postrouting priority 90; }'", 'nft add rule ip hole pre iifname eth0 tcp dport 9090 dnat to 172.22.22.1:22', 'nft add rule ip hole post oifname eth1 masquerade'),
      ...rule('gateway', 'forward', 'oifname eth1 accept'),
    ],
  },
  {
    id: 'a port forwarding to joi left behind on the gateway, which joi lets in',
    steps: [
      ...on('gateway', 'nft add table ip hole', "nft 'add chain ip hole pre { type nat hook prerouting priority -110; }'", 'nft add rule ip hole pre iifname eth0 udp dport 5353 dnat to 172.22.22.2'),
      ...rule('gateway', 'forward', 'oifname eth1 accept'), ...rule('joi', 'input', 'udp dport 5353 accept'),
    ],
  },
  { id: 'mesh allows 443 out without a destination', steps: rule('mesh', 'output', 'tcp dport 443 accept') },
  { id: 'ntp fetches its updates over HTTPS', steps: rule('ntp', 'output', 'tcp dport 443 accept') },
  { id: 'gateway fetches its updates over HTTP and HTTPS', steps: rule('gateway', 'output', 'oifname eth0 tcp dport { 80, 443 } accept') },
  { id: 'gateway asks a resolver', steps: rule('gateway', 'output', 'oifname eth0 udp dport 53 accept') },
  { id: 'mesh asks any resolver, one time in three', steps: rule('mesh', 'output', `udp dport 53 ${onceInThree} accept`) },
  { id: 'mesh is entered from the WAN by SSH', steps: rule('mesh', 'input', 'iifname eth0 tcp dport 22 accept') },
  { id: 'ntp is entered from the WAN by SSH', steps: rule('ntp', 'input', 'iifname eth0 tcp dport 22 accept') },
  { id: 'ntp serves time to the WAN', steps: rule('ntp', 'input', 'udp dport 123 accept') },
  { id: 'gateway is entered by SSH from mesh over the WAN', steps: between('mesh', 'gateway', 'tcp dport 22') },
  { id: 'gateway answers pings from the WAN', steps: rule('gateway', 'input', 'icmp type echo-request accept') },
  { id: 'mesh takes datagrams for port 68 from anybody', steps: rule('mesh', 'input', 'udp dport 68 accept') },
  { id: 'mesh opens its high ports to the WAN', steps: rule('mesh', 'input', 'iifname eth0 tcp dport 1024-65535 accept') },
  { id: 'ntp trusts a network that is too wide', steps: [...rule('ntp', 'input', 'ip saddr 172.22.0.0/16 accept'), ...rule('gateway', 'output', 'ip daddr 172.22.22.3 accept')] },
  { id: 'joi takes new connections for established ones', steps: rule('joi', 'output', 'ct state new,established accept') },
  { id: 'mesh trusts its WAN interface like its loopback', steps: rule('mesh', 'input', 'iifname eth0 accept') },
  {
    id: 'untracked DNS is let through on both sides',
    steps: (['joi', 'mesh'] as const).flatMap((machine) => [
      ...on(machine, 'nft add table inet hole', "nft 'add chain inet hole out { type filter hook output priority -300; }'", "nft 'add chain inet hole pre { type filter hook prerouting priority -300; }'", 'nft add rule inet hole out udp dport 53 notrack', 'nft add rule inet hole pre udp dport 53 notrack'),
      ...rule(machine, 'input', 'ct state untracked accept'), ...rule(machine, 'output', 'ct state untracked accept'),
    ]),
  },
  { id: 'mesh has a second table that accepts, which opens nothing', steps: on('mesh', 'nft add table inet hole', "nft 'add chain inet hole in { type filter hook input priority -10; policy accept; }'", 'nft add rule inet hole in accept') },
  flushed('mesh'),
  flushed('joi'),
  flushed('ntp'),
  flushed('gateway'),
];

export async function make(steps: readonly Step[]): Promise<void> {
  for (const step of steps) await mindingRules(step.on, () => mustRun(step.on, ['sh', '-c', step.text]));
}

/** After rules were loaded afresh. */
export async function mend({ mend: steps }: Hole): Promise<void> {
  for (const step of steps ?? []) await mustRun(step.on, ['sh', '-c', step.text]);
  if (steps?.some(({ text }) => text.includes('nebula'))) await Promise.all([restart('mesh', 'nebula'), restart('joi', 'nebula')]);
}
