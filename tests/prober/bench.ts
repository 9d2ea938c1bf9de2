// The bench of the prober tests: two namespaces of our own with a wire between them, firewalls, peers, and both probers
// started as vantage.ts starts them, over a pipe. No packet leaves the namespaces.
import { execFileSync, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir, homedir } from 'node:os';
import { join } from 'node:path';
import { program } from '../../lib/prober/program.ts';

const here = import.meta.dirname;

/** The near end, from which is looked, the far end, and one without IPv6. */
export const near = `fpt-a-${process.pid}`;
export const far = `fpt-b-${process.pid}`;
export const bare = `fpt-c-${process.pid}`;

/** near: 198.18.0.1; far: .2, and .3 to .5 for firewall rules of their own. Behind far: 198.18.1.0/24, which is not there. */
const setUp = `
ip netns add ${near}
ip netns add ${far}
ip netns add ${bare}
ip link add wire netns ${near} type veth peer name wire netns ${far}
ip -n ${near} link set lo up
ip -n ${far} link set lo up
ip -n ${bare} link set lo up
ip -n ${near} link set wire up
ip -n ${far} link set wire up
ip -n ${near} addr add 198.18.0.1/24 brd + dev wire
ip -n ${far} addr add 198.18.0.2/24 dev wire
ip -n ${far} addr add 198.18.0.3/24 dev wire
ip -n ${far} addr add 198.18.0.4/24 dev wire
ip -n ${near} route add 198.18.1.0/24 via 198.18.0.2
ip -n ${far} route add 198.18.1.0/24 dev wire
ip -n ${near} route add prohibit 198.18.2.0/24
ip -n ${near} route add blackhole 198.18.3.0/24
ip -n ${near} route add unreachable 198.18.4.0/24`;

/** ICMP errors as many as are due, ARP that gives up soon, and a namespace that knows no IPv6. */
const sysctls: Readonly<Record<string, string>> = {
  [near]: 'net.ipv4.neigh.wire.retrans_time_ms=100 net.ipv4.neigh.wire.mcast_solicit=2',
  [far]: 'net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_ratemask=0 net.ipv6.icmp.ratelimit=0 net.ipv6.icmp.ratemask=3-127 net.ipv4.ip_forward=1 net.ipv4.tcp_max_syn_backlog=4096',
  [bare]: 'net.ipv6.conf.all.disable_ipv6=1',
};

const firewall: Readonly<Record<string, string>> = {
  [near]: `
    table inet t {
      chain out {
        type filter hook output priority 0
        tcp dport 7201 drop
        udp dport { 7201, 7206 } drop
        udp dport 7203 limit rate over 1/hour burst 1 packets drop
        udp dport 7205 limit rate over 1/hour burst 1 packets drop
        udp dport 7204 reject
        icmp type echo-request ip daddr 198.18.0.4 drop
      }
      chain in {
        type filter hook input priority 0
        meta l4proto tcp ip saddr 198.18.0.3 drop
      }
    }`,
  [far]: `
    table inet t {
      chain in {
        type filter hook input priority 0
        ct state invalid drop
        tcp dport 7101 reject with icmpx port-unreachable
        tcp dport 7102 reject with tcp reset
        meta l4proto { tcp, udp } th dport { 7103, 7203, 7205 } drop
        meta l4proto { tcp, udp } th dport 7104 reject with icmpx admin-prohibited
        icmp type echo-request ip daddr 198.18.0.3 drop
      }
      chain forward {
        type filter hook forward priority 0
        ip daddr 198.18.1.8 reject with icmp host-unreachable
        ip daddr 198.18.1.9 reject with icmp admin-prohibited
        drop
      }
      chain out {
        type filter hook output priority 0
        tcp sport 7303 tcp flags & rst == rst drop
        tcp sport 7301 tcp flags & (syn | ack) == syn | ack drop
      }
    }`,
};

const inside = (namespace: string, ...command: string[]): string[] => ['netns', 'exec', namespace, ...command];
const peers: ChildProcessWithoutNullStreams[] = [];

/** Shell -> the folder that is its whole PATH. */
const applets = new Map<Kind, string>();

export async function putUp(): Promise<void> {
  process.once('exit', takeDown);
  for (const line of setUp.trim().split('\n')) execFileSync('ip', line.split(' ').slice(1));
  for (const [namespace, settings] of Object.entries(sysctls)) execFileSync('ip', inside(namespace, 'sysctl', '-qw', ...settings.split(' ')));
  for (const [namespace, rules] of Object.entries(firewall)) execFileSync('ip', inside(namespace, 'nft', '-f', '-'), { input: rules });
  await Promise.all([startPeer(near, 'hold'), startPeer(far)]);
  await until('IPv6 addresses are no more tentative', () => !run(near, 'ip -6 addr').includes('tentative') && !run(far, 'ip -6 addr').includes('tentative'));
}

export function takeDown(): void {
  process.removeListener('exit', takeDown);
  for (const peer of peers.splice(0)) peer.kill('SIGKILL');
  for (const namespace of [near, far, bare]) {
    const attempt = (step: () => void): void => {
      try {
        step();
      } catch {
        // it was gone already, or never there
      }
    };
    attempt(() => { for (const pid of processes(namespace)) attempt(() => process.kill(pid, 'SIGKILL')); });
    attempt(() => execFileSync('ip', ['netns', 'delete', namespace], { stdio: 'ignore' }));
  }
  for (const folder of applets.values()) rmSync(folder, { recursive: true, force: true });
  applets.clear();
}

async function startPeer(namespace: string, ...args: string[]): Promise<void> {
  await started(namespace, process.execPath, '--import', 'tsx', join(here, 'peer.ts'), ...args);
}

async function started(namespace: string, ...command: string[]): Promise<void> {
  const peer = spawn('ip', inside(namespace, ...command));
  peers.push(peer);
  peer.stderr.pipe(process.stderr);
  await new Promise<void>((resolve, reject) => {
    peer.once('exit', () => { reject(new Error(`the peer in ${namespace} died`)); });
    peer.stdout.once('data', () => { resolve(); });
  });
}

/** A folder with busybox, a link to it for each applet, and the shell in question. A copy, so that other users can run it. */
export function appletsFor(kind: Kind): string {
  const made = applets.get(kind);
  if (made !== undefined) return made;
  const busybox = findBusybox();
  const folder = mkdtempSync(join(tmpdir(), 'fpt-applets-'));
  applets.set(kind, folder);
  chmodSync(folder, 0o755);
  copyFileSync(busybox, join(folder, 'busybox'));
  for (const applet of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n')) {
    symlinkSync(applet === 'sh' && kind !== 'ash' ? `/bin/${kind}` : 'busybox', join(folder, applet));
  }
  return folder;
}

/** Alpine's, as the lab builds it. */
function findBusybox(): string {
  if (process.env.FLOWPROOF_BUSYBOX !== undefined) return process.env.FLOWPROOF_BUSYBOX;
  const cache = join(homedir(), '.cache/flowproof');
  const found = existsSync(cache)
    ? execFileSync('find', [cache, '-maxdepth', '6', '-path', '*/alpine/*bin/busybox', '-type', 'f'], { encoding: 'utf8' }).split('\n').filter((line) => line !== '')
    : [];
  const newest = found.toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
  if (newest === undefined) throw new Error(`no busybox as on Alpine under ${cache}: build the lab once (npm run lab -- up) or set FLOWPROOF_BUSYBOX`);
  return newest;
}

/** Debian's own, since others (pyenv's) may lie where only root can run them. */
function python(): string {
  const path = process.env.FLOWPROOF_PYTHON ?? '/usr/bin/python3';
  if (!existsSync(path)) throw new Error(`no ${path}: apt-get install python3, or set FLOWPROOF_PYTHON`);
  return path;
}

/** The shells that the sh prober must run under, and python. */
export type Kind = 'python' | 'ash' | 'dash' | 'bash';

export type Prober = Readonly<{
  child: ChildProcessWithoutNullStreams;
  /** Sends one command (without its id) and waits for its end. -> its events, without the id and the end. */
  ask(command: string): Promise<string[]>;
  /** Sends a line as it is. */
  send(line: string | Buffer): void;
  /** All that came on stdout so far, line by line; and stderr. */
  lines: readonly string[];
  stderr(): string;
  /** Closes stdin and waits for the exit. */
  close(): Promise<number | null>;
}>;

type Options = Readonly<{ namespace?: string; wrap?: readonly string[]; before?: string; edit?: (text: string) => string }>;

/**
 * Starts a prober through its bootstrap and waits for the ready mark.
 * @param wrap a command line to run it under (setpriv, unshare)
 * @param before shell commands of the login before the bootstrap (noise, ulimit)
 * @param edit changes the program, such as a time that a test cannot wait for
 */
export async function start(kind: Kind, { namespace = near, wrap = [], before = '', edit = (text) => text }: Options = {}): Promise<Prober> {
  const text = Buffer.from(edit(program(kind === 'python' ? 'python' : 'sh').toString()));
  const path = kind === 'python' ? '/usr/bin:/bin' : appletsFor(kind);
  const child = spawn('ip', inside(namespace, ...wrap, '/usr/bin/env', `PATH=${path}`, kind === 'python' ? '/bin/sh' : join(path, 'sh'), '-c', before + bootstrap(kind, text.length)));
  const lines: string[] = [];
  const waiting = new Map<string, (events: string[]) => void>();
  let rest = '';
  let noise = '';
  let serial = 0;
  child.stderr.on('data', (data: Buffer) => { noise += data.toString(); });
  child.stdin.on('error', () => undefined); // it may die before it has read everything
  child.stdout.on('data', (data: Buffer) => {
    const split = (rest + data.toString()).split('\n');
    rest = split.pop() ?? '';
    lines.push(...split);
    for (const line of split) {
      const [id = '', event] = line.split(' ');
      if (event !== 'end') continue;
      waiting.get(id)?.(lines.filter((other) => other.startsWith(`${id} `)).map((other) => other.slice(id.length + 1)).slice(0, -1));
      waiting.delete(id);
    }
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.stdin.write(text);
  await until(`the ready mark of the ${kind} prober`, () => lines.some((line) => line.startsWith('FLOWPROOF-1 ')) || child.exitCode !== null);
  if (child.exitCode !== null) throw new Error(`the ${kind} prober died: ${noise}`);
  return {
    child,
    lines,
    stderr: () => noise,
    send(line) {
      child.stdin.write(line);
      child.stdin.write('\n');
    },
    ask(command) {
      serial += 1;
      const id = `q${serial}`;
      return new Promise((resolve) => {
        waiting.set(id, resolve);
        child.stdin.write(`${id} ${command}\n`);
      });
    },
    close() {
      child.stdin.end();
      return exited;
    },
  };
}

function bootstrap(kind: Kind, bytes: number): string {
  return kind === 'python'
    ? `exec ${python()} -c 'import os;n=${bytes};b=b""\nwhile len(b)<n: b+=os.read(0,n-len(b))\nexec(compile(b,"prober","exec"))'`
    : `exec sh -c 'p=; while IFS= read -r l; do [ "$l" = "#END" ] && break; p="$p$l\n"; done; eval "$p"'`.replace('\\n', '\n');
}

/** Pids of what runs in a namespace, the peers apart. */
export function processes(namespace: string): number[] {
  const pids = execFileSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' }).split('\n').filter((line) => line !== '').map(Number);
  return pids.filter((pid) => !peers.some((peer) => peer.pid === pid));
}

export function run(namespace: string, command: string): string {
  return execFileSync('ip', inside(namespace, ...command.split(' ')), { encoding: 'utf8' });
}

/** Runs a few lines of python there. */
export function runPython(namespace: string, script: string): string {
  return execFileSync('ip', inside(namespace, python(), '-c', script), { encoding: 'utf8', timeout: 30_000 });
}

/** Runs a few lines of python there until all is taken down; they say `ready`. */
export async function serve(namespace: string, script: string): Promise<void> {
  await started(namespace, python(), '-c', script);
}

/** Waits for a condition; generous, since two cores may have much else to do. */
export async function until(what: string, holds: () => boolean, withinMs = 30_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
