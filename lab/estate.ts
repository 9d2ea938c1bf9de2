// The estate: a lab of as many machines as are asked for, behind the same gateway, as data. Its matrix is short enough to be checked
// by hand: the gateway has SSH on every VM, each VM has the service of the next one (the last that of the first), and all have the
// time from vm1. All else is denied. It repeats that matrix for the harness as an inventory, and imports nothing from lib.
import { type Interface, type Machine, machines } from './topology.ts';

export type VmName = `vm${number}`;
type EstateName = 'internet' | 'operator' | 'gateway' | VmName;

/** The gateway is one of them. The most: addresses from .11 on, and room above them. */
export const sizes = { least: 4, most: 200 } as const;

const gatewayAddress = '172.22.22.4';
const prefix = 24;
/** One sshd a VM is its service, too. */
const servicePort = 8443;

export const vmNamesOf = (hosts: number): readonly VmName[] => Array.from({ length: hosts - 1 }, (_none, index) => `vm${index + 1}` as const);
export const isVm = (name: string): name is VmName => /^vm[1-9]\d*$/.test(name);

const numberOf = (name: VmName): number => Number(name.slice(2));
export const vmAddress = (name: VmName): string => `172.22.22.${10 + numberOf(name)}`;

const macOf = (address: string): string => `02:00:ac:16:16:${Number(address.split('.')[3]).toString(16).padStart(2, '0')}`;
/** As the kernel makes it from that Ethernet address (RFC 4291, appendix A). */
const linkLocalOf = (address: string): string => `fe80::acff:fe16:16${macOf(address).slice(-2)}`;

/** A VM without its cables, by its name alone. */
export const vmMachine = (name: VmName): Machine => ({ root: 'debian', interfaces: [], defaultVia: gatewayAddress, services: name === 'vm1' ? ['sshd', 'chrony'] : ['sshd'] });

/** Every machine of an estate of so many hosts, with its cables. */
export function estateMachines(hosts: number): ReadonlyMap<EstateName, Machine> {
  const vms = vmNamesOf(hosts);
  const all = [gatewayAddress, ...vms.map(vmAddress)];
  const onVmbr1 = (name: string, address: string): Interface => ({ name, bridge: 'vmbr1', address: `${address}/${prefix}`, mac: macOf(address), neighbours: neighboursOf(all.filter((other) => other !== address)) });
  const { gateway, internet, operator } = machines;
  return new Map<EstateName, Machine>([
    ['internet', internet],
    ['operator', operator],
    ['gateway', { ...gateway, interfaces: gateway.interfaces.map((nic) => (nic.bridge === 'vmbr1' ? onVmbr1(nic.name, gatewayAddress) : nic)) }],
    ...vms.map((name): [VmName, Machine] => [name, { ...vmMachine(name), interfaces: [onVmbr1('eth0', vmAddress(name))] }]),
  ]);
}

/** Told, not asked for: the kernel has one table of neighbours for all namespaces, whose 1,024 places (gc_thresh3) 33 machines fill. */
const neighboursOf = (addresses: readonly string[]): NonNullable<Interface['neighbours']> => addresses.flatMap((address) => [address, linkLocalOf(address)].map((one) => ({ address: one, mac: macOf(address) })));

/** The VM's part in the ring, for its firewall (machines/vm/etc/nftables.conf). */
export function ringOf(name: VmName, hosts: number): string {
  const { before, next } = ringNeighbours(name, hosts);
  return `define self = ${vmAddress(name)}\ndefine before = ${vmAddress(before)}\ndefine next = ${vmAddress(next)}\n`;
}

function ringNeighbours(name: VmName, hosts: number): Readonly<{ before: VmName; next: VmName }> {
  const [number, count] = [numberOf(name), hosts - 1];
  return { before: `vm${number === 1 ? count : number - 1}`, next: `vm${number === count ? 1 : number + 1}` };
}

/** The operator's ~/.ssh/config. */
export function sshConfigOf(hosts: number): string {
  const straight = { internet: '198.51.100.1', gateway: '198.51.100.4' };
  const entry = (name: string, address: string, more = ''): string => `Host ${name}\n  HostName ${address}\n  User root\n${more}`;
  return [...Object.entries(straight).map(([name, address]) => entry(name, address)), ...vmNamesOf(hosts).map((name) => entry(name, vmAddress(name), '  ProxyJump gateway\n'))].join('\n');
}

/** inventory.json of the estate. `watch` and `without` are such that a hundred hosts have some 100,000 cells. */
export function inventoryOf(hosts: number): string {
  const vms = vmNamesOf(hosts);
  const row = (id: string, rule: string, from: string, to: string, transport: 'tcp' | 'udp', port: number, speaks: string, network = 'vmbr1') =>
    ({ id, reference: `lab/estate.ts: ${rule}`, from, to, network, transport, ports: [port], speaks, purpose: rule });
  const inventory = {
    matrix: {
      networks: { vmbr1: { kind: 'link', cidr: `172.22.22.0/${prefix}` }, wan: { kind: 'wan' } },
      hosts: { gateway: { addresses: { vmbr1: gatewayAddress, wan: 'discover' } }, ...Object.fromEntries(vms.map((name) => [name, { addresses: { vmbr1: vmAddress(name) }, confined: true }])) },
      flows: [
        row('operator-gateway-ssh', 'the way in', 'operator', 'gateway', 'tcp', 22, 'ssh', 'wan'),
        ...vms.map((name) => row(`gateway-${name}-ssh`, 'the gateway has SSH on every VM', 'gateway', name, 'tcp', 22, 'ssh')),
        ...vms.map((name) => row(`${name}-next`, 'each VM has the service of the next one', name, ringNeighbours(name, hosts).next, 'tcp', servicePort, 'tcp')),
        ...vms.slice(1).map((name) => row(`${name}-time`, 'all have the time from vm1', name, 'vm1', 'udp', 123, 'ntp')),
      ],
    },
    site: {
      gateway: 'gateway',
      logins: Object.fromEntries(['gateway', ...vms].map((name) => [name, name])),
      beacons: { internet: 'internet' },
      targets: { resolvers: { addresses: ['1.1.1.1', '8.8.8.8'], serves: ['tcp/53', 'udp/53'] } },
      watch: { tcp: [3389], udp: [] },
      timing: { allowed: { attempts: 16, intervalMs: 250, windowMs: 1500 }, denied: { attempts: 3, intervalMs: 150, windowMs: 700 } },
      without: ['source port', 'another way', 'ip protocol'],
    },
  };
  return `${JSON.stringify(inventory, null, 1)}\n`;
}
