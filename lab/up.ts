// Brings the lab up: cables, keys, machines, and then waits until all of it truly works.
import { spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stateDir, takeDown } from './down.ts';
import { LabError } from './error.ts';
import { capabilities, environmentOf, standardPath, initOf, run } from './inside.ts';
import { withLock } from './lock.ts';
import { layCables } from './network.ts';
import { firewallOf, loadPhase, phaseNow } from './phase.ts';
import { tailOf, untilReady } from './ready.ts';
import { type RootFileSystems, rootFileSystems } from './rootfs.ts';
import { host } from './shell.ts';
import { isHealthy } from './status.ts';
import { innerNames, type InnerName, machines, namespaceOf, type Phase, vmNames } from './topology.ts';

const here = import.meta.dirname;
export const repository = dirname(here);
const freshDir = join(stateDir, 'fresh');
const bootDeadlineMs = 10_000;

/** Two calls are one. Without a phase, a lab that is up keeps its own and a new one is steady. */
export async function up({ phase }: { readonly phase?: Phase } = {}): Promise<void> {
  await withLock('flowproof-lab', async () => {
    if (await isHealthy()) {
      if (phase && phase !== (await phaseNow())) await loadPhase(phase);
      console.error(`lab: is up, phase ${await phaseNow()}`);
      return;
    }
    await build(phase ?? 'steady');
    console.error(`lab: up, phase ${phase ?? 'steady'}`);
  });
}

async function build(phase: Phase): Promise<void> {
  await takeDown(); // what an interrupted one left
  await host({ stdio: 'inherit' })`sh ${here}/setup.sh`;
  const roots = await rootFileSystems();
  console.error('lab: starting the machines');
  await mkdir(join(stateDir, 'stage'), { recursive: true });
  for (const name of innerNames) await mkdir(join(freshDir, name, 'etc'), { recursive: true });
  await Promise.all([layCables(), makeKeys(roots)]);
  for (const name of vmNames) await writeFile(join(freshDir, name, 'etc/nftables.conf'), await firewallOf(name, phase));
  await boot('internet', roots); // first: the others ask it for leases and names
  await Promise.all(innerNames.filter((name) => name !== 'internet').map((name) => boot(name, roots)));
  await untilReady();
  await rm(stateDir, { recursive: true });
}

/** In a mount namespace of its own, so that the bind vanishes with the script. */
async function makeKeys({ debian }: RootFileSystems): Promise<void> {
  const script = 'mount --bind "$2" "$1/mnt" && mount --rbind /dev "$1/dev" && exec chroot "$1" sh <"$3"';
  await host`unshare --mount sh -c ${script} sh ${debian} ${freshDir} ${here}/keys.sh`;
}

async function boot(name: InnerName, roots: RootFileSystems): Promise<void> {
  const { root } = machines[name];
  const lower = root === 'host' ? '/' : roots[root];
  const log = join(stateDir, `${name}.log`);
  const out = openSync(log, 'w');
  const child = spawn(
    'nsenter',
    [`--net=/run/netns/${namespaceOf(name)}`, 'unshare', '--mount', '--uts', '--ipc', 'sh', join(here, 'machine.sh')].concat(
      [name, lower, join(freshDir, name), `${roots.debian}/usr/bin/tini-static`, capabilities],
      root === 'host' ? sharedFolders() : [],
    ),
    { detached: true, stdio: ['ignore', out, out], env: { ...environmentOf(name), PATH: standardPath } },
  );
  child.unref();
  const deadline = Date.now() + bootDeadlineMs;
  while (!(await hasBooted(name))) {
    if (child.exitCode !== null) throw new LabError(`${name} did not start:\n${readFileSync(log, 'utf8')}`);
    if (Date.now() > deadline) throw new LabError(`${name} did not boot:\n${await tailOf(name, '/var/log/boot.log')}`);
    await sleep(30);
  }
}

const hasBooted = async (name: InnerName): Promise<boolean> =>
  initOf(name) !== undefined && (await run(name, ['test', '-e', '/run/booted'])).exitCode === 0;

/** What of the host the operator would not see through the overlay of `/`: other mounts, and our own home. */
function sharedFolders(): string[] {
  const rootDevice = statSync('/').dev;
  const hidden = (path: string): boolean => existsSync(path) && (path.startsWith('/root/') || statSync(path).dev !== rootDevice);
  const node = dirname(dirname(process.execPath));
  return [repository, ...['/usr', '/opt', '/home', '/nix', node].filter(hidden)];
}
