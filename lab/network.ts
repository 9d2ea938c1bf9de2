// The cables: namespaces, bridges, veth pairs, addresses and static routes, as batches
// for `ip`. Every veth has both ends in lab namespaces from its first moment on, so no
// link ever leads to the host.
import { host } from './shell.ts';
import type { AnyName } from './standing.ts';
import { docker, type Machine, namespaceOf, publicAddresses, switchNamespace } from './topology.ts';

type Machines = ReadonlyMap<AnyName, Machine>;

export async function layCables(machines: Machines): Promise<void> {
  await batch([], [...[...machines.keys()].map(namespaceOf), switchNamespace].map((name) => `netns add ${name}`));
  await Promise.all([batch(['-n', switchNamespace], switchLines(machines)), ...(machines.has('ollama') ? [batch(['-n', namespaceOf('joi')], dockerLines())] : [])]);
  await Promise.all([...machines].map(([name, machine]) => batch(['-n', namespaceOf(name)], machineLines(name, machine))));
}

/** The bridges have no address of any kind: nothing on the switch answers. */
function switchLines(machines: Machines): string[] {
  const bridges = ['vmbr1', 'wan'].flatMap((bridge) => [
    `link add ${bridge} type bridge forward_delay 0 mcast_snooping 0`,
    `link set ${bridge} addrgenmode none up`,
  ]);
  const ports = [...machines].flatMap(([name, { interfaces }]) =>
    interfaces.flatMap((nic) => [
      `link add ${name}-${nic.name} type veth peer name ${nic.name}${nic.mac ? ` address ${nic.mac}` : ''} netns ${namespaceOf(name)}`,
      `link set ${name}-${nic.name} addrgenmode none master ${nic.bridge} up`,
    ]),
  );
  return [...bridges, ...ports];
}

/** docker0 as Docker makes it, with the container at the far end of a veth. */
function dockerLines(): string[] {
  return [
    `link add ${docker.bridge} type bridge forward_delay 0`,
    `addr add ${docker.host}/16 brd + dev ${docker.bridge}`,
    `link add veth0 type veth peer name eth0 netns ${namespaceOf('ollama')}`,
    `link set veth0 master ${docker.bridge} up`,
    `link set ${docker.bridge} up`,
  ];
}

function machineLines(name: AnyName, { interfaces, defaultVia }: Machine): string[] {
  const lines = ['link set lo up'];
  if (name === 'internet') lines.push(...publicAddresses.map((address) => `addr add ${address}/32 dev lo`));
  if (name === 'ollama') lines.push(`addr add ${docker.ollama}/16 brd + dev eth0`, 'link set eth0 up');
  for (const { name: nic, address, neighbours = [] } of interfaces) {
    if (address !== 'dhcp') lines.push(`addr add ${address} brd + dev ${nic}`);
    lines.push(`link set ${nic} up`, ...neighbours.map((one) => `neigh add ${one.address} lladdr ${one.mac} nud permanent dev ${nic}`));
  }
  if (defaultVia) lines.push(`route add default via ${defaultVia}`);
  return lines;
}

async function batch(flags: readonly string[], lines: readonly string[]): Promise<void> {
  await host({ input: lines.join('\n') })`ip ${flags} -batch -`;
}
