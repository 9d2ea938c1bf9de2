// The doctor's own looks: settings and keys here, one login a host, what each host says of itself, the names of the targets.
// No probe: beside the logins and name queries nothing leaves a host, but a datagram to itself that shows what its connection tracking records.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Tracked } from '../backing.ts';
import { enterAll, type Entered } from '../enter.ts';
import { isFailure } from '../facts.ts';
import { configWarnings, readLogin, readSettings } from '../login.ts';
import type { Inventory, Phase } from '../model.ts';
import { discover } from '../run.ts';
import { lockOf } from '../shard.ts';
import { keyFault } from '../ssh.ts';
import { startTracking } from '../track.ts';
import type { Gathered, Inside, WayIn } from './gathered.ts';

const run = promisify(execFile);

/** @param newToken fresh random bytes, 32 hex digits, for each name query */
export async function gather(given: Readonly<{ inventory: Inventory; phase: Phase; reports: string; newToken: () => string }>): Promise<Gathered> {
  const { inventory, phase, reports, newToken } = given;
  const { logins, beacons = {} } = inventory.site;
  const names = [...Object.keys(inventory.matrix.hosts).map((host) => [host, logins[host] ?? host] as const), ...Object.entries(beacons)];
  const waysIn = await Promise.all(names.map(([host, name]) => wayIn(host, name)));
  const entered = await enterAll(inventory, lockOf(randomUUID(), null));
  const vantages = new Map(entered.flatMap(({ host, vantage }) => (vantage === null ? [] : [[host, vantage] as const])));
  const discovery = await discover({ inventory, phase, newToken }, entered, vantages);
  const tracked = await (await startTracking(discovery, vantages)).finish();
  for (const { vantage, session } of entered) {
    vantage?.close();
    session?.end();
  }
  const inside = entered.map((one) => insideOf(one, tracked.get(one.host)));
  return { inventory, phase, node: process.versions.node, reports: reportsFault(reports), waysIn, inside, discovery, warnings: configWarnings() };
}

async function wayIn(host: string, name: string): Promise<WayIn> {
  const settings = await readSettings(name);
  if (isFailure(settings)) return { host, settings, keys: [], agent: null, hostKeys: settings };
  const login = await readLogin(name);
  const { hostName, port, user } = settings;
  return {
    host,
    settings: { name, hostName, port, user },
    keys: settings.identityFiles.map((file) => ({ file, fault: keyFault(file) })),
    agent: settings.agent === null ? null : await keysOf(settings.agent),
    hostKeys: isFailure(login) ? login : login.hostKeys.map(({ type }) => type),
  };
}

/** ssh-add ends with 1 where the agent has no key, with 2 where it cannot be asked. */
async function keysOf(socket: string): Promise<Exclude<WayIn['agent'], null>> {
  try {
    const { stdout } = await run('ssh-add', ['-l'], { env: { ...process.env, SSH_AUTH_SOCK: socket }, timeout: 10_000 });
    return { keys: stdout.split('\n').filter((line) => line.trim() !== '').length };
  } catch (error) {
    const { code, message } = error as Error & { code?: unknown };
    return code === 1 ? { keys: 0 } : { fault: `it does not answer ssh-add: ${message.split('\n')[0]}` };
  }
}

function insideOf({ host, beacon, login, vantage, facts }: Entered, tracked: Tracked | undefined): Inside {
  const shown = tracked === undefined ? null : [tracked.ipv4, tracked.ipv6].flatMap(({ before, after }) => [before, after]);
  return {
    host,
    beacon: beacon !== null,
    login: login?.outcome ?? null,
    prober: vantage?.kind ?? null,
    root: vantage?.root ?? false,
    failure: isFailure(facts) ? facts : null,
    tracking: shown === null ? null : shown.filter(({ held }) => !held).map(({ detail }) => detail),
  };
}

function reportsFault(folder: string): string | null {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
