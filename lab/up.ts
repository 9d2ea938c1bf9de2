// Brings the lab up: cables, keys, machines, and then waits until all of it truly works.
import { spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { stateDir, takeDown } from './down.ts';
import { LabError } from './error.ts';
import { capabilities, environmentOf, standardPath, initOf, run } from './inside.ts';
import { estateLab, type Lab, usualLab } from './labs.ts';
import { withLock } from './lock.ts';
import { layCables } from './network.ts';
import { loadPhase, phaseNow } from './phase.ts';
import { tailOf, untilReady } from './ready.ts';
import { type RootFileSystems, rootFileSystems } from './rootfs.ts';
import { host } from './shell.ts';
import { type AnyName, machineOf } from './standing.ts';
import { isHealthy } from './status.ts';
import { namespaceOf, type Phase } from './topology.ts';

const here = import.meta.dirname;
export const repository = dirname(here);
const freshDir = join(stateDir, 'fresh');
const bootDeadlineMs = 10_000;
/** Each keeps a processor or two busy while it boots. */
const bootsAtOnce = 8;

/** Two calls are one. Without a phase, a lab that is up keeps its own and a new one is steady. */
export async function up({ phase }: { readonly phase?: Phase } = {}): Promise<void> {
  await withLock('flowproof-lab', async () => {
    if (await isHealthy()) {
      if (phase && phase !== (await phaseNow())) await loadPhase(phase);
      console.error(`lab: is up, phase ${await phaseNow()}`);
      return;
    }
    await build(usualLab(phase ?? 'steady'));
  });
}

/** The estate, in the place of whatever lab stands; two calls for as many hosts are one. */
export async function upEstate(hosts: number): Promise<void> {
  await withLock('flowproof-lab', async () => {
    const lab = estateLab(hosts);
    if (await isHealthy([...lab.machines.keys()])) console.error(`lab: is up, ${lab.name}`);
    else await build(lab);
  });
}

async function build(lab: Lab): Promise<void> {
  await takeDown(); // what an interrupted one left
  await host({ stdio: 'inherit' })`sh ${here}/setup.sh`;
  const roots = await rootFileSystems();
  console.error('lab: starting the machines');
  await mkdir(join(stateDir, 'stage'), { recursive: true });
  const names = [...lab.machines.keys()];
  for (const name of names) await mkdir(join(freshDir, name, 'etc'), { recursive: true });
  await Promise.all([layCables(lab.machines), makeKeys(roots, lab)]);
  for (const [path, text] of await lab.files()) await writeFile(join(freshDir, path), text);
  await boot('internet', roots); // first: the others ask it for leases and names
  const limit = pLimit(bootsAtOnce);
  await Promise.all(names.filter((name) => name !== 'internet').map((name) => limit(() => boot(name, roots))));
  await untilReady(lab.signs);
  await rm(stateDir, { recursive: true });
  console.error(`lab: up, ${lab.name}`);
}

/** In a mount namespace of its own, so that the bind vanishes with the script. */
async function makeKeys({ debian }: RootFileSystems, { keys: [script, ...argv] }: Lab): Promise<void> {
  const inside = 'mount --bind "$2" "$1/mnt" && mount --rbind /dev "$1/dev" && root=$1 script=$3 && shift 3 && exec chroot "$root" sh -s "$@" <"$script"';
  await host`unshare --mount sh -c ${inside} sh ${debian} ${freshDir} ${script} ${argv}`;
}

async function boot(name: AnyName, roots: RootFileSystems): Promise<void> {
  const { root } = machineOf(name);
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

const hasBooted = async (name: AnyName): Promise<boolean> =>
  initOf(name) !== undefined && (await run(name, ['test', '-e', '/run/booted'])).exitCode === 0;

/** What of the host the operator would not see through the overlay of `/`: other mounts, and our own home. */
function sharedFolders(): string[] {
  const rootDevice = statSync('/').dev;
  const hidden = (path: string): boolean => existsSync(path) && (path.startsWith('/root/') || statSync(path).dev !== rootDevice);
  const node = dirname(dirname(process.execPath));
  return [repository, ...['/usr', '/opt', '/home', '/nix', node].filter(hidden)];
}
