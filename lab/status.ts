// What runs and what does not, machine by machine.
import { initOf, run } from './inside.ts';
import { host } from './shell.ts';
import { type AnyName, hostsOfEstate, machineOf, machinesThere } from './standing.ts';
import { innerNames, namespaceOf, type Service } from './topology.ts';

export interface MachineStatus {
  readonly name: AnyName;
  readonly pid: number | undefined;
  readonly addresses: readonly string[];
  readonly services: readonly { readonly name: Service; readonly up: boolean }[];
}

/** Of the lab that stands, the usual one where none does. */
export const status = (): Promise<readonly MachineStatus[]> => Promise.all((hostsOfEstate() === null ? innerNames : machinesThere()).map(statusOf));

/** Whether these machines, and no others, stand and do their work. */
export async function isHealthy(names: readonly AnyName[] = innerNames): Promise<boolean> {
  const there = machinesThere();
  if (there.length !== names.length || names.some((name) => !there.includes(name) || initOf(name) === undefined)) return false;
  return (await status()).every(isWell);
}

export const isWell = ({ pid, services }: MachineStatus): boolean => pid !== undefined && services.every(({ up }) => up);

async function statusOf(name: AnyName): Promise<MachineStatus> {
  const pid = initOf(name);
  const { services } = machineOf(name);
  if (pid === undefined) return { name, pid, addresses: [], services: services.map((service) => ({ name: service, up: false })) };
  const [alive, addresses] = await Promise.all([
    run(name, ['sh', '-c', 'for name; do service "$name" status && echo "$name"; done; test -e /run/booted', 'sh', ...services]),
    addressesOf(name),
  ]);
  const up = alive.stdout.split('\n');
  return { name, pid, addresses, services: services.map((service) => ({ name: service, up: up.includes(service) })) };
}

interface Link {
  readonly ifname: string;
  readonly addr_info: readonly { readonly family: string; readonly local: string; readonly prefixlen: number }[];
}

/** IPv4, without loopback's own and the many of internet. */
async function addressesOf(name: AnyName): Promise<readonly string[]> {
  const { stdout } = await host`ip -n ${namespaceOf(name)} -json -4 addr show`;
  return (JSON.parse(stdout) as readonly Link[])
    .filter(({ ifname }) => ifname !== 'lo')
    .flatMap(({ ifname, addr_info }) => addr_info.map(({ local, prefixlen }) => `${ifname} ${local}/${prefixlen}`));
}
