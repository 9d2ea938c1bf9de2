// What a fault may have changed in the machines, as text: the same before a scenario and after it.
import { run } from '../../lab/inside.ts';
import { innerNames } from '../../lab/topology.ts';

/** Counters, lifetimes and the ephemeral ports of clients come and go by themselves. */
const told = [
  'nft --stateless list ruleset 2>/dev/null',
  "ip -o addr | awk '{ print $2, $3, $4 }' | grep -v '^nebula1 inet6'", // a new one at each start of Nebula
  'ip route',
  'grep . /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/*/rp_filter /proc/sys/net/ipv6/conf/*/disable_ipv6',
  `awk '$4 == "0A" || $4 == "07" { print FILENAME, $2 }' /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 | grep -v ':[89A-F]...$' | sort -u`,
  'cat /etc/resolv.conf /etc/chrony/chrony.conf /etc/dnsmasq.conf /etc/ufw/ufw.conf 2>/dev/null',
].join('; ');

/** @returns lines, each with its machine's name in front */
export async function labState(): Promise<readonly string[]> {
  const texts = await Promise.all(innerNames.map(async (name) => (await run(name, ['sh', '-c', told])).stdout.trim().split('\n').map((line) => `${name}: ${line.trim()}`)));
  return texts.flat();
}
