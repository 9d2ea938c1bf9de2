// What the scenarios with a fault share: which cells hang on a machine that nobody can look from, reckoned from the lab's
// map; the harness's own processes on the machines; and the lab as it was, afterwards.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { initOf, processesIn } from '../../lab/inside.ts';
import { isHealthy } from '../../lab/status.ts';
import type { AnyName } from '../../lab/standing.ts';
import { machineNames, machines, namespaceOf, nebula, publicNames, vmbr1, vmNames, type MachineName } from '../../lab/topology.ts';
import type { Reach } from './baseline.ts';
import type { Cell, Typed } from './harness.ts';

/** The rows that our own login is the look of. */
export const isLogin = ({ expected, proto, port }: Cell): boolean => expected === 'allowed' && proto === 'tcp' && port === 22;

/** An address that the machine alone can tell: DHCP's, Docker's, IPv6's own. */
const isTold = ({ id, network }: Cell): boolean => network === 'wan' || network === 'docker0' || id.includes('/ll ');

/**
 * What hangs on machines that have no prober: all that they would look at, what is at addresses that they alone can tell,
 * and the silence over TCP towards them, since they cannot witness it. No witness is needed where the source's own firewall
 * is shown to bar: by python's raw look, or of a datagram, by an errno or by what busybox's machine saw leave; nor at a port
 * that is shown alive.
 */
export const hangsOn = (blind: readonly string[], login: 'answered' | 'not' = 'not'): Reach => (cell, now) => {
  if (isLogin(cell)) return blind.includes(cell.to) && (login === 'not' || blind.includes(cell.from));
  if (blind.includes(cell.from)) return true;
  if (!blind.includes(cell.to)) return isUnresolved(blind, cell);
  if (isTold(cell)) return true;
  return cell.expected === 'denied' && cell.proto === 'tcp' && isBusybox(cell.from) && now?.outcome.seen === 'silent' && !isAliveFrom(blind, login, cell);
};

const isBusybox = (name: string): boolean => machines[name as MachineName].root === 'alpine';

/** Services on vmbr1 that another vantage's row shows alive, as does our login for sshd. */
const isAliveFrom = (blind: readonly string[], login: 'answered' | 'not', { from, address, proto, port }: Cell): boolean =>
  rows.some(([vantage, ...service]) => vantage !== from && !blind.includes(vantage) && service.join() === [address, proto, port].join()) ||
  (login === 'answered' && proto === 'tcp' && port === 22 && Object.values<string | null>(vmbr1).includes(address));

const rows = [
  ['mesh', vmbr1.joi, 'udp', nebula.udpPort], ['joi', vmbr1.mesh, 'udp', nebula.udpPort],
  ['mesh', vmbr1.ntp, 'udp', 123], ['joi', vmbr1.ntp, 'udp', 123],
] as const;

/** mesh and ntp alone may ask a resolver. */
const isUnresolved = (blind: readonly string[], { to }: Cell): boolean =>
  blind.includes('mesh') && blind.includes('ntp') && Object.hasOwn(publicNames, to.replace(/#\d+$/, ''));

const ofOurs = /"prober"|#END/;

/** The harness's processes on a machine, as the host numbers them. */
export const probersOn = (name: AnyName): readonly number[] => processesIn(namespaceOf(name)).filter((pid) => ofOurs.test(commandOf(pid)));

export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // it has just ended
  }
}

const pollMs = 20;

/** Polls until it is so; a fault that comes too late or never is the scenario's own failure. */
export async function until(what: string, withinMs: number, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(pollMs);
  }
}

/** The run is in the middle of its looks from that machine: sockets of it have sent their SYN (state 02, proc(5)). */
export async function looking(name: MachineName, typed: Typed): Promise<void> {
  const table = `/proc/${initOf(name)}/net/tcp`;
  const looks = (): number => readFileSync(table, 'utf8').split('\n').filter((line) => line.slice(0, 40).includes(' 02 ')).length;
  const over = typed.ended.then(({ output }) => { throw new Error(`the run was over before any look from ${name} was seen:\n${output}`); });
  await Promise.race([until(`looks under way from ${name}`, 120_000, () => looks() > 20), over]);
}

/** Nothing of the harness is left, and every machine is well. */
export async function asBefore(): Promise<void> {
  await until('no prober is left', 20_000, () => machineNames.flatMap(probersOn).length === 0);
  expect(await isHealthy(), 'the lab is healthy').to.equal(true);
}

/** Processes on the VMs that were not there before. */
export function newcomers(): () => readonly string[] {
  const all = (): ReadonlyMap<number, string> => new Map(vmNames.flatMap((name) => processesIn(namespaceOf(name)).map((pid) => [pid, `${name}: ${commandOf(pid)}`] as const)));
  const before = all();
  return () => [...all()].filter(([pid]) => !before.has(pid)).map(([, what]) => what);
}
