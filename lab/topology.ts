// The map of the lab: machines, networks, addresses and names, as data. It repeats the
// communication matrix by hand and imports nothing from lib, so it cannot share its bugs.

export type MachineName = 'mesh' | 'joi' | 'ntp' | 'gateway' | 'internet' | 'operator';

/** A machine that `exec` does not offer: the container behind joi's docker0. */
export type InnerName = MachineName | 'ollama';

export type Phase = 'steady' | 'setup';

export type Service = 'sshd' | 'nebula' | 'nginx' | 'chrony' | 'dnsmasq' | 'udhcpc' | 'echo';

export type Bridge = 'vmbr1' | 'wan';

export interface Interface {
  readonly name: string;
  readonly bridge: Bridge;
  /** With its prefix length; `dhcp` where the machine asks for it. */
  readonly address: string;
  readonly mac?: string;
  /** Whose Ethernet addresses the machine is told, and need not ask for. */
  readonly neighbours?: readonly { readonly address: string; readonly mac: string }[];
}

export interface Machine {
  /** debian and alpine are built by rootfs/build.sh; host is this machine's own `/`, read-only. */
  readonly root: 'debian' | 'alpine' | 'host';
  readonly interfaces: readonly Interface[];
  readonly defaultVia?: string;
  /** In the order in which they start. */
  readonly services: readonly Service[];
}

export const machines: Readonly<Record<InnerName, Machine>> = {
  internet: {
    root: 'debian',
    interfaces: [{ name: 'eth0', bridge: 'wan', address: '198.51.100.1/24' }],
    services: ['dnsmasq', 'chrony', 'nginx', 'echo', 'sshd'],
  },
  ollama: {
    root: 'debian',
    interfaces: [],
    defaultVia: '172.17.0.1',
    services: ['nginx'],
  },
  mesh: {
    root: 'debian',
    interfaces: [
      { name: 'eth0', bridge: 'wan', address: 'dhcp' },
      { name: 'eth1', bridge: 'vmbr1', address: '172.22.22.1/29' },
    ],
    services: ['udhcpc', 'sshd', 'nebula', 'nginx'],
  },
  joi: {
    root: 'debian',
    interfaces: [{ name: 'eth0', bridge: 'vmbr1', address: '172.22.22.2/29' }],
    defaultVia: '172.22.22.4',
    services: ['sshd', 'nebula', 'nginx'],
  },
  ntp: {
    root: 'alpine',
    interfaces: [
      { name: 'eth0', bridge: 'wan', address: 'dhcp' },
      { name: 'eth1', bridge: 'vmbr1', address: '172.22.22.3/29' },
    ],
    services: ['udhcpc', 'sshd', 'chrony'],
  },
  gateway: {
    root: 'alpine',
    interfaces: [
      { name: 'eth0', bridge: 'wan', address: '198.51.100.4/24' },
      { name: 'eth1', bridge: 'vmbr1', address: '172.22.22.4/29' },
    ],
    defaultVia: '198.51.100.1',
    services: ['sshd'],
  },
  operator: {
    root: 'host',
    interfaces: [{ name: 'eth0', bridge: 'wan', address: '198.51.100.10/24' }],
    defaultVia: '198.51.100.1',
    services: [],
  },
};

export const machineNames: readonly MachineName[] = ['mesh', 'joi', 'ntp', 'gateway', 'internet', 'operator'];

/** The four that stand for real ones and have a firewall of the matrix. */
export const vmNames = ['mesh', 'joi', 'ntp', 'gateway'] as const satisfies readonly MachineName[];

export const innerNames: readonly InnerName[] = [...machineNames, 'ollama'];

export const vmbr1 = { mesh: '172.22.22.1', joi: '172.22.22.2', ntp: '172.22.22.3', gateway: '172.22.22.4' } as const;

export const nebula = { interface: 'nebula1', udpPort: 4242, mesh: '10.42.0.1', joi: '10.42.0.10' } as const;

/** mesh and ntp get theirs by DHCP, from this pool. */
export const wan = {
  internet: '198.51.100.1',
  gateway: '198.51.100.4',
  operator: '198.51.100.10',
  dhcpPool: ['198.51.100.100', '198.51.100.150'],
} as const;

export const docker = { bridge: 'docker0', host: '172.17.0.1', ollama: '172.17.0.2', ollamaPort: 11434 } as const;

/** What internet's DNS knows (machines/internet/etc/hosts says the same to dnsmasq). */
export const publicNames = {
  'chat.signal.org': ['198.18.10.1', '198.18.10.2'],
  'storage.signal.org': ['198.18.10.3'],
  'time.cloudflare.com': ['198.18.30.1'],
  'pool.ntp.org': ['198.18.30.2'],
  'github.com': ['198.18.20.1'],
  'example.com': ['198.18.20.2'],
} as const;

export const publicResolvers = ['1.1.1.1', '8.8.8.8', '9.9.9.9'] as const;

/** Every address that internet has beside its own on the WAN. */
export const publicAddresses: readonly string[] = [...publicResolvers, ...Object.values(publicNames).flat()];

/** All that the lab makes in the host's `ip netns` bears this prefix, so that `down` finds it. */
export const prefix = 'flowproof-';

/** Holds the two bridges; no process runs in it, but that of a longer cable (delay.ts). */
export const switchNamespace = `${prefix}switch`;

export const namespaceOf = (name: string): string => `${prefix}${name}`;
