// The way into a machine: finds its processes by the kernel's own records (no pid file
// that could be stale) and runs commands in all its namespaces, with no more rights than
// the machine's own root has.
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import type { ProcessOutput } from 'zx/core';
import { LabError } from './error.ts';
import { host } from './shell.ts';
import type { AnyName } from './standing.ts';
import { namespaceOf } from './topology.ts';

/** What root in a machine may do. No clock, no modules, no devices, no mounts: those are the host's. */
export const capabilities =
  '-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,' +
  '+net_raw,+net_admin,+sys_chroot,+sys_ptrace,+sys_nice,+sys_resource,+ipc_lock,+audit_write,+setfcap';

export interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface RunOptions {
  readonly input?: string;
  readonly dir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Hand our own stdin, stdout and stderr to the command; then the result's texts are empty. */
  readonly inherit?: boolean;
  /** Keep the host's own rights, which a fault may need: it mounts, say. */
  readonly rights?: 'host';
}

/** Every process in a network namespace, as the host numbers them. */
export function processesIn(namespace: string): number[] {
  const inode = statSync(`/run/netns/${namespace}`, { throwIfNoEntry: false })?.ino;
  if (inode === undefined) return [];
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && networkOf(entry) === `net:[${inode}]`)
    .map(Number);
}

/** The machine's process 1, or undefined when it is down. */
export function initOf(name: AnyName): number | undefined {
  return processesIn(namespaceOf(name)).find((pid) => /^NSpid:\t\d+\t1$/m.test(gone(() => readFileSync(`/proc/${pid}/status`, 'utf8'))));
}

/** Runs as root in all the machine's namespaces, in a clean environment. A failing command is a result. */
export async function run(name: AnyName, argv: readonly string[], options: RunOptions = {}): Promise<Result> {
  const command = commandIn(name, argv, options);
  const ours = host({ nothrow: true });
  // Not detached, so that Ctrl-C in a terminal reaches the command.
  if (options.inherit) return result(await ours({ stdio: 'inherit', detached: false })`exec ${command}`);
  if (options.input === undefined) return result(await ours({ stdio: ['ignore', 'pipe', 'pipe'] })`exec ${command}`);
  return result(await ours({ input: options.input })`exec ${command}`);
}

/** As `run`, without waiting for its end; its outputs are pipes. A Ctrl-C in our own terminal does not reach it. */
export function begin(name: AnyName, argv: readonly string[], options: RunOptions = {}): ChildProcess {
  const [program = '', ...rest] = commandIn(name, argv, options);
  return spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
}

function commandIn(name: AnyName, argv: readonly string[], { dir, env, rights }: RunOptions): string[] {
  const pid = initOf(name);
  if (pid === undefined) throw new LabError(`${name} is not up: run \`npm run lab -- up\``);
  const settings = Object.entries({ ...environmentOf(name), ...env }).map(([key, value]) => `${key}=${value}`);
  const limited = rights === 'host' ? [] : ['setpriv', '--bounding-set', capabilities, '--'];
  return ['nsenter', '--target', String(pid), '--mount', '--uts', '--ipc', '--net', '--pid', '--'].concat(
    [...limited, 'env', '-i', ...settings],
    ['sh', '-c', 'cd "$0" && exec "$@"', dir ?? '/root', ...argv],
  );
}

/** As `run`, for what cannot fail in a healthy lab. */
export async function mustRun(name: AnyName, argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { stdout, stderr, exitCode } = await run(name, argv, options);
  if (exitCode !== 0) throw new LabError(`${name}: \`${argv.join(' ')}\` ended with ${exitCode}: ${stderr.trim()}`);
  return stdout;
}

export const standardPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function environmentOf(name: AnyName): Record<string, string> {
  // The operator runs the very node that runs us, wherever it is installed.
  const path = name === 'operator' ? `${dirname(process.execPath)}:${standardPath}` : standardPath;
  return { PATH: path, HOME: '/root', USER: 'root', LOGNAME: 'root', SHELL: '/bin/sh' };
}

/** Killed by a signal is 128 and its number, as a shell says it. */
const result = ({ stdout, stderr, exitCode, signal }: ProcessOutput): Result => ({
  stdout,
  stderr,
  exitCode: exitCode ?? 128 + (signal ? constants.signals[signal] : 0),
});

const networkOf = (pid: string): string => gone(() => readlinkSync(`/proc/${pid}/ns/net`));

/** A process may end while it is looked at. */
function gone(look: () => string): string {
  try {
    return look();
  } catch {
    return '';
  }
}
