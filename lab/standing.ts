// What of the lab is there at this moment, by the namespaces that it has: the usual lab, or an estate.
import { readdirSync } from 'node:fs';
import { isVm, vmMachine, type VmName } from './estate.ts';
import { type InnerName, innerNames, type Machine, machines, prefix } from './topology.ts';

/** A machine of whichever lab. */
export type AnyName = InnerName | VmName;

/** All that `ip netns` has, the lab's or not. */
export function netnsFiles(): string[] {
  try {
    return readdirSync('/run/netns');
  } catch {
    return [];
  }
}

export const labNamespaces = (): string[] => netnsFiles().filter((name) => name.startsWith(prefix));

/** The machines that stand, or fell over, in the order of their numbers. */
export function machinesThere(): readonly AnyName[] {
  const names = labNamespaces().map((name) => name.slice(prefix.length));
  const vms = names.filter(isVm).toSorted((a, b) => Number(a.slice(2)) - Number(b.slice(2)));
  return [...innerNames.filter((name) => names.includes(name)), ...vms];
}

/** How many hosts the estate that stands has; null: none stands. */
export function hostsOfEstate(): number | null {
  const vms = machinesThere().filter(isVm);
  return vms.length === 0 ? null : vms.length + 1;
}

export const machineOf = (name: AnyName): Machine => (isVm(name) ? vmMachine(name) : machines[name]);
