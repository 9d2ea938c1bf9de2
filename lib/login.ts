// How to log in to a host, as the operator's own ssh would: `ssh -G` for the settings, `ssh-keygen -F` for the known keys.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Failure } from './model.ts';

/** A host key on file: its type as in known_hosts, and the raw key. */
export type PinnedKey = Readonly<{ type: string; key: Buffer }>;

export type Login = Readonly<{
  /** The name for `ssh`. */
  name: string;
  hostName: string;
  port: number;
  user: string;
  identityFiles: readonly string[];
  /** Socket of the agent, where there is one. */
  agent: string | null;
  hostKeys: readonly PinnedKey[];
}>;

const run = promisify(execFile);

/** What `ssh name` would use; the keys on file are looked for under `knownAs` in the files of `knownHosts`. */
export type Settings = Omit<Login, 'hostKeys'> & Readonly<{ knownAs: string; knownHosts: readonly string[] }>;

/** Reads the settings for `ssh name`. Sends nothing. */
export async function readSettings(name: string): Promise<Settings | Failure> {
  let settings: Map<string, string[]>;
  try {
    settings = parseSettings((await run('ssh', ['-G', '--', name])).stdout);
  } catch (error) {
    return { operation: 'known-hosts', cause: `ssh -G ${name}: ${(error as Error).message.split('\n')[0]}` };
  }
  const first = (key: string): string => settings.get(key)?.[0] ?? '';
  const hostName = first('hostname');
  const port = Number(first('port'));
  const alias = first('hostkeyalias');
  const agent = expand(first('identityagent') || (process.env.SSH_AUTH_SOCK ?? ''));
  return {
    name, hostName, port,
    user: first('user'),
    identityFiles: (settings.get('identityfile') ?? []).map(expand).filter((file) => existsSync(file)),
    agent: agent !== '' && agent !== 'none' && existsSync(agent) ? agent : null,
    knownAs: alias !== '' && alias !== 'none' ? alias : port === 22 ? hostName : `[${hostName}]:${port}`,
    knownHosts: [...words(first('userknownhostsfile')), ...words(first('globalknownhostsfile'))].map(expand).filter((file) => existsSync(file)),
  };
}

/**
 * Reads the settings for `ssh name` and the host keys on file for it. Sends nothing.
 * @returns a failure, with the command that would mend it, where no key is on file or the only ones cannot be honoured
 */
export async function readLogin(name: string): Promise<Login | Failure> {
  const settings = await readSettings(name);
  if ('operation' in settings) return settings;
  const { knownAs, knownHosts, ...login } = settings;
  const lines = (await Promise.all(knownHosts.map((file) => knownLines(knownAs, file)))).flat();
  const hostKeys = pinnedKeys(lines);
  if (hostKeys.length > 0) return { ...login, hostKeys };
  const cause = lines.some((line) => line.startsWith('@cert-authority'))
    ? `known_hosts has a certificate authority alone for ${knownAs}, which cannot be honoured here: add the host's own key`
    : `no host key on file for ${knownAs} (${name}); nothing was sent. Compare the key at the machine's console, then: ssh ${name} true`;
  return { operation: 'known-hosts', cause };
}

/** Warnings about the operator's own ssh config: `ssh -G` runs the commands of `Match exec`. */
export function configWarnings(): readonly string[] {
  return [join(homedir(), '.ssh/config'), '/etc/ssh/ssh_config'].flatMap((file) => {
    try {
      return /^\s*match\s.*\bexec\b/im.test(readFileSync(file, 'utf8')) ? [`${file} has a "Match exec": reading the settings with ssh -G runs its command`] : [];
    } catch {
      return []; // no such file: nothing to warn of
    }
  });
}

/** `key value` a line, as ssh -G prints it; some keys come more than once. */
export function parseSettings(text: string): Map<string, string[]> {
  const settings = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [key = '', ...rest] = line.split(' ');
    settings.set(key, [...(settings.get(key) ?? []), rest.join(' ')]);
  }
  return settings;
}

function words(line: string): readonly string[] {
  return line.split(' ').filter((word) => word !== '');
}

function expand(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}

/** ssh-keygen finds hashed names too; it exits with 1 where there is none. */
async function knownLines(host: string, file: string): Promise<readonly string[]> {
  try {
    const { stdout } = await run('ssh-keygen', ['-F', host, '-f', file]);
    return stdout.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  } catch {
    return [];
  }
}

/** `name type key`, or `@marker name type key`: a revoked key counts for nothing, wherever else it stands. */
export function pinnedKeys(lines: readonly string[]): readonly PinnedKey[] {
  const all = lines.map((line) => {
    const fields = words(line.trim().replaceAll(/\s+/g, ' ')); // a line may be indented
    const [marker = '', , type = '', key = ''] = fields[0]?.startsWith('@') === true ? fields : ['', ...fields];
    return { marker, type, key: Buffer.from(key, 'base64') };
  });
  const revoked = all.filter(({ marker }) => marker === '@revoked');
  return all.filter(({ marker, type, key }) => marker === '' && isKeyOf(type, key) && !revoked.some((bad) => bad.key.equals(key))).map(({ type, key }) => ({ type, key }));
}

/** A key begins with the length of its type and the type itself (RFC 4253, section 6.6). */
function isKeyOf(type: string, key: Buffer): boolean {
  return type !== '' && key.length > 4 + type.length && key.readUInt32BE(0) === type.length && key.subarray(4, 4 + type.length).toString('latin1') === type;
}
