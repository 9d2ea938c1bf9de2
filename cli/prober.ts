// `npm run prober -- forced-command HOST`: prints the script, the sudoers lines and the line for authorized_keys with which a
// key can start flowproof's prober on that host and do nothing else. Sends nothing. Exit code 2: bad input.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isFailure } from '../lib/facts.ts';
import { authorizedKey, forcedPath, forcedScript, isPublicKey, isUserName, sudoersLines } from '../lib/forced.ts';
import { parseInventory } from '../lib/inventory.ts';
import { readSettings, type Settings } from '../lib/login.ts';
import type { Inventory } from '../lib/model.ts';
import { printable } from '../lib/reports/console.ts';
import { root } from '../lib/root.ts';

const parts = ['script', 'sudoers', 'key'] as const;
const usage = `usage: npm run --silent prober -- forced-command HOST [--key FILE.pub] [--part ${parts.join('|')}]     (the key that ssh would use, and all three parts, unless said)`;

async function settingsOf(inventory: Inventory, host: string): Promise<Settings> {
  const settings = await readSettings(inventory.site.logins[host] ?? inventory.site.beacons?.[host] ?? host);
  if (isFailure(settings)) throw new Error(settings.cause);
  return settings;
}

function publicKey({ identityFiles }: Settings, file: string | undefined): string {
  const found = file ?? identityFiles.map((one) => `${one}.pub`).find((one) => existsSync(one));
  if (found === undefined) throw new Error('ssh has no key file with its public half beside it: name one by --key FILE.pub');
  const key = readFileSync(found, 'utf8');
  if (!isPublicKey(key)) throw new Error(`${found} is no public key alone on one line, as ssh-keygen writes it`);
  return key;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { key: { type: 'string' }, part: { type: 'string' } } });
  const [command, host, ...rest] = positionals;
  if (command !== 'forced-command' || host === undefined || rest.length > 0) throw new Error('forced-command and one HOST are wanted');
  const part = parts.find((one) => one === values.part);
  if (values.part !== undefined && part === undefined) throw new Error(`--part ${values.part}: one of ${parts.join(', ')}`);
  const file = process.env.FLOWPROOF_INVENTORY ?? join(root, 'inventory.json');
  const inventory = parseInventory(readFileSync(file, 'utf8'), file);
  const { gateway, logins, beacons = {} } = inventory.site;
  if (!Object.hasOwn(logins, host) && !Object.hasOwn(beacons, host)) throw new Error(`no host or beacon ${host}; one of ${[...Object.keys(logins), ...Object.keys(beacons)].join(', ')}`);

  const settings = await settingsOf(inventory, host);
  const { user } = settings;
  if (!isUserName(user)) throw new Error(`the login of ${host} is ${user}, which cannot stand in sudoers: set User in ~/.ssh/config`);
  const behind = host === gateway ? await Promise.all(Object.keys(logins).filter((one) => one !== gateway).map((one) => settingsOf(inventory, one))) : [];
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const all = {
    script: { where: `${forcedPath} on ${host}, owned by root, mode 755`, text: () => forcedScript(version, Object.hasOwn(beacons, host)) },
    sudoers: { where: user === 'root' ? 'no sudoers lines: the login is root' : `/etc/sudoers.d/flowproof, mode 440; try it with visudo -c`, text: () => (user === 'root' ? '' : sudoersLines(user)) },
    key: { where: `~${user}/.ssh/authorized_keys, the one line of this key there`, text: () => authorizedKey(publicKey(settings, values.key), { user, forwardsTo: behind.map(({ hostName, port }) => `${hostName}:${port}`) }) },
  };
  process.stdout.write(part === undefined ? parts.map((one, index) => `${index === 0 ? '' : '\n'}# ---- ${all[one].where}\n${all[one].text()}`).join('') : all[part].text());
}

try {
  await main();
} catch (error) {
  console.error(`${(error as Error).message.split('\n').map(printable).join('\n')}\n${usage}`);
  process.exitCode = 2;
}
