// The two labs that `up` can build, as what differs between them: machines, keys, files, and the signs that all of it works.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { estateMachines, inventoryOf, ringOf, sshConfigOf, vmAddress, vmNamesOf } from './estate.ts';
import { firewallOf } from './phase.ts';
import { estateSigns, type Sign, usualSigns } from './ready.ts';
import type { AnyName } from './standing.ts';
import { innerNames, type Machine, machines, type Phase, vmNames } from './topology.ts';

const here = import.meta.dirname;

export interface Lab {
  /** As told when it is up. */
  readonly name: string;
  readonly machines: ReadonlyMap<AnyName, Machine>;
  /** The script that makes the keys, and its arguments. */
  readonly keys: readonly [string, ...string[]];
  /** Text by its path below the folder of what is made afresh: `mesh/etc/nftables.conf`. */
  readonly files: () => Promise<ReadonlyMap<string, string>>;
  readonly signs: readonly Sign[];
}

/** The four machines of the matrix. */
export const usualLab = (phase: Phase): Lab => ({
  name: `phase ${phase}`,
  machines: new Map(innerNames.map((name) => [name, machines[name]])),
  keys: [join(here, 'keys.sh')],
  files: async () => new Map(await Promise.all(vmNames.map(async (name) => [`${name}/etc/nftables.conf`, await firewallOf(name, phase)] as const))),
  signs: usualSigns,
});

export function estateLab(hosts: number): Lab {
  const vms = vmNamesOf(hosts);
  return {
    name: `${hosts} hosts`,
    machines: estateMachines(hosts),
    keys: [join(here, 'estate/keys.sh'), 'internet', '198.51.100.1', 'gateway', '198.51.100.4', ...vms.flatMap((name) => [name, vmAddress(name)])],
    files: async () => new Map([
      ['gateway/etc/nftables.conf', await readFile(join(here, 'estate/gateway.nft'), 'utf8')],
      ['operator/root/.ssh/config', sshConfigOf(hosts)],
      ['operator/root/inventory.json', inventoryOf(hosts)],
      ...vms.map((name) => [`${name}/etc/ring.nft`, ringOf(name, hosts)] as const),
    ]),
    signs: estateSigns(vms.map(vmAddress)),
  };
}
