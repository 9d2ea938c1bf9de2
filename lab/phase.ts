// The two phases: the same firewall files, with or without the lines that end in TEMP.
// And what a change of rules needs: without it, old connections live on through conntrack.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { initOf, mustRun, run } from './inside.ts';
import { withLock } from './lock.ts';
import { restart } from './services.ts';
import { host } from './shell.ts';
import { type AnyName, machinesThere } from './standing.ts';
import { type InnerName, namespaceOf, nebula, type Phase, vmNames } from './topology.ts';

const temporary = /^.*# TEMP$\n?/gm;

export const setPhase = (phase: Phase): Promise<void> => withLock('flowproof-lab', () => loadPhase(phase));

/** From nothing at all, so that what ufw or another tool has made goes too; Docker's own rules come back with it. */
const load = [
  'cat >/etc/nftables.conf',
  '{ echo flush ruleset; cat /etc/nftables.conf; } | nft -f -',
  'if [ -e /etc/iptables/docker.rules ]; then iptables-restore --noflush /etc/iptables/docker.rules; fi',
].join(' && ');

/** Loads the firewalls afresh, so it also takes back every rule that was tried by hand. */
export async function loadPhase(phase: Phase): Promise<void> {
  await Promise.all(
    vmNames.map(async (name) => {
      const input = await firewallOf(name, phase);
      await mindingRules(name, () => mustRun(name, ['sh', '-c', load], { input }));
    }),
  );
}

/** The text of a machine's firewall in a phase. */
export async function firewallOf(name: InnerName, phase: Phase): Promise<string> {
  const text = await readFile(join(import.meta.dirname, 'machines', name, 'etc/nftables.conf'), 'utf8');
  return phase === 'setup' ? text : text.replace(temporary, '');
}

/** By what is on joi, the one machine that differs for certain. */
export async function phaseNow(): Promise<Phase> {
  const { exitCode } = await run('joi', ['grep', '-q', '# TEMP$', '/etc/nftables.conf']);
  return exitCode === 0 ? 'setup' : 'steady';
}

/** Does the work; if the machine's rules are others after it, old connections are forgotten. */
export async function mindingRules<T>(name: AnyName, work: () => Promise<T>): Promise<T> {
  const before = await rulesOf(name);
  const done = await work();
  const after = await rulesOf(name);
  const changed = [...before.filter((line) => !after.includes(line)), ...after.filter((line) => !before.includes(line))];
  if (changed.length > 0 || before.length !== after.length) await forgetConnections();
  if (changed.some((line) => line.includes(String(nebula.udpPort)))) await restartNebula();
  return done;
}

/** Stateless: counters and timeouts are no change. */
async function rulesOf(name: AnyName): Promise<readonly string[]> {
  const { stdout } = await run(name, ['nft', '--stateless', 'list', 'ruleset']);
  return stdout.split('\n').map((line) => line.trim());
}

/** With internet's conntrack, since the operator, being the host, may have none. */
export async function forgetConnections(): Promise<void> {
  const root = `/proc/${initOf('internet')}/root`;
  await Promise.all(
    machinesThere().map((name) => host`nsenter --net=/run/netns/${namespaceOf(name)} chroot ${root} conntrack -F`),
  );
}

const restartNebula = async (): Promise<void> => {
  await Promise.all([restart('mesh', 'nebula'), restart('joi', 'nebula')]);
};
