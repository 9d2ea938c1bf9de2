// The root file systems of the machines, built once into the user's cache. The folder is
// named by a hash of the recipe, so that a changed recipe builds anew.
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { LabError } from './error.ts';
import { withLock } from './lock.ts';
import { host } from './shell.ts';

const recipe = join(import.meta.dirname, 'rootfs');
const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'flowproof');

export interface RootFileSystems {
  readonly debian: string;
  readonly alpine: string;
}

/** Builds what is not there yet: about two minutes, once. */
export async function rootFileSystems(): Promise<RootFileSystems> {
  const built = join(cache, await recipeHash());
  if (!existsSync(built)) await withLock('flowproof-build', () => build(built));
  expectModes(built);
  return { debian: join(built, 'debian'), alpine: join(built, 'alpine') };
}

const setuid = 0o4000; // S_ISUID, which node does not name

/**
 * Copied without its mode, sudo makes nobody root, and every run on mesh and joi would lack root without a word.
 * @throws LabError that names the file and the mend
 */
export function expectModes(built: string): void {
  const sudo = join(built, 'debian/usr/bin/sudo');
  const mode = statSync(sudo, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & setuid) !== 0) return;
  throw new LabError(`${sudo} is not there, or has lost its setuid bit: the root file systems were copied without their modes. Remove ${built}, and \`npm run lab -- up\` builds it anew`);
}

async function build(built: string): Promise<void> {
  if (existsSync(built)) return;
  console.error('lab: building the root file systems (once; about two minutes)');
  await mkdir(cache, { recursive: true });
  // Older ones, and what a killed build left: the lab is down at this moment, so none is in use.
  for (const name of await readdir(cache)) await rm(join(cache, name), { recursive: true, force: true });
  const part = `${built}.part`;
  await mkdir(part);
  // pdeathsig and kill-child: if we die, the build dies with us and its mounts vanish.
  await host`exec setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc sh ${recipe}/build.sh ${part}`;
  await rename(part, built);
}

async function recipeHash(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(recipe)).toSorted()) hash.update(name).update(await readFile(join(recipe, name)));
  return hash.digest('hex').slice(0, 12);
}
