// A lab of its own: in a mount namespace with a /run that nobody else sees, so that the names of its network namespaces meet no
// other lab's. Several stand side by side that way; the namespaces and mounts are gone with the command.

/** The command line that runs a command so; the command brings its lab up and takes it down. */
export function apart(argv: readonly string[]): readonly string[] {
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', 'mount -t tmpfs tmpfs /run && exec "$@"', 'sh', ...argv];
}
