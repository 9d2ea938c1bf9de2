// A lab of its own: in a mount namespace with a /run that nobody else sees, so that the names of its network namespaces meet no
// other lab's. Several stand side by side that way; the namespaces and mounts are gone with the command.
import { spawn, type ChildProcess } from 'node:child_process';

/** Runs the command, which brings its lab up and takes it down; its outputs are pipes. */
export function apart(argv: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const script = 'mount -t tmpfs tmpfs /run && exec "$@"';
  return spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', ...argv], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
}
