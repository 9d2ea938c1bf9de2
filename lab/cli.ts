// `npm run lab -- …`: the lab from the command line.
import { parseArgs } from 'node:util';
import { ProcessOutput } from 'zx/core';
import { down, takeDown } from './down.ts';
import { LabError } from './error.ts';
import { isVm, sizes } from './estate.ts';
import { exec } from './exec.ts';
import { run } from './inside.ts';
import { phaseNow, setPhase } from './phase.ts';
import { type AnyName, hostsOfEstate, machinesThere } from './standing.ts';
import { isWell, status } from './status.ts';
import { machineNames, type Phase } from './topology.ts';
import { repository, up, upEstate } from './up.ts';

const usage = `usage: npm run lab -- COMMAND
  up [--phase steady|setup]   build what is missing and start the lab (steady unless said)
  up --hosts N                the estate instead: N hosts of one kind behind the gateway, ${sizes.least} to ${sizes.most}
  down                        take it away; nothing stays but the cached root file systems
  status                      what runs; exit code 1 when the lab is not up
  phase steady|setup          load the firewalls of that phase
  exec HOST -- COMMAND…       run as root on ${machineNames.join(', ')}; in the estate on vm1, vm2, …, too
  test [ARGUMENT…]            run \`npm test\` from the operator's seat
  sweep [ARGUMENT…]           run \`npm run sweep\` from there`;

class UsageError extends Error {}

async function main([command, ...rest]: readonly string[]): Promise<number> {
  switch (command) {
    case 'up': {
      const { values } = parse(() => parseArgs({ args: rest, options: { phase: { type: 'string' }, hosts: { type: 'string' } } }));
      const phase = values.phase === undefined ? {} : { phase: phaseFrom(values.phase) };
      const hosts = values.hosts === undefined ? null : hostsFrom(values.hosts);
      if (hosts !== null && values.phase !== undefined) throw new UsageError('the estate has no TEMP rows, and so no phases: --hosts or --phase');
      process.once('SIGINT', () => void takeDown().finally(() => process.exit(130)));
      await (hosts === null ? up(phase) : upEstate(hosts));
      return 0;
    }
    case 'down':
      parse(() => parseArgs({ args: rest }));
      await down();
      console.error('lab: down');
      return 0;
    case 'status':
      parse(() => parseArgs({ args: rest }));
      return showStatus();
    case 'phase':
      if (hostsOfEstate() !== null) throw new LabError('the estate has no TEMP rows, and so no phases; for the usual lab: npm run lab -- up');
      await setPhase(phaseFrom(rest[0]));
      console.error(`lab: phase ${rest[0]}`);
      return 0;
    case 'exec': {
      const [host, dashes, ...argv] = rest;
      if (dashes !== '--' || argv.length === 0) throw new UsageError('exec takes a HOST, then --, then a command');
      return (await exec(hostFrom(host), argv, { inherit: true })).exitCode;
    }
    case 'test':
      return (await run('operator', ['npm', 'test', '--', ...rest], { dir: repository, env: passedThrough(), inherit: true })).exitCode;
    case 'sweep':
      return (await run('operator', ['npm', 'run', '--silent', 'sweep', '--', ...rest], { dir: repository, env: passedThrough(), inherit: true })).exitCode;
    default:
      throw new UsageError(command === undefined ? 'a command is missing' : `no command named ${command}`);
  }
}

async function showStatus(): Promise<number> {
  const all = await status();
  const rows = all.map(({ name, pid, addresses, services }) => [
    name,
    pid === undefined ? 'down' : String(pid),
    addresses.join(', ') || '-',
    services.map((service) => `${service.name}${service.up ? '' : ' (DOWN)'}`).join(', ') || '-',
  ]);
  const table = [['machine', 'pid', 'addresses', 'services'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  for (const row of table) console.log(row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd());
  const well = all.every(isWell);
  const hosts = hostsOfEstate();
  console.log(well ? `up, ${hosts === null ? `phase ${await phaseNow()}` : `${hosts} hosts`}` : 'not up');
  return well ? 0 : 1;
}

/** What `npm test` may want to know of the caller's environment. */
function passedThrough(): Record<string, string> {
  const wanted = /^(FLOWPROOF_.*|CI|NO_COLOR|TERM)$/;
  const entries = Object.entries(process.env).filter(([key, value]) => wanted.test(key) && value !== undefined);
  const own = hostsOfEstate() === null ? {} : { FLOWPROOF_INVENTORY: '/root/inventory.json' };
  return { npm_config_update_notifier: 'false', ...own, ...(Object.fromEntries(entries) as Record<string, string>) };
}

function phaseFrom(text: string | undefined): Phase {
  if (text === 'steady' || text === 'setup') return text;
  throw new UsageError(`a phase is steady or setup, not ${text ?? 'nothing'}`);
}

function hostsFrom(text: string): number {
  const hosts = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (hosts >= sizes.least && hosts <= sizes.most) return hosts;
  throw new UsageError(`--hosts is "${text}"; it must be a whole number from ${sizes.least} to ${sizes.most}`);
}

/** The usual lab's machines are known before it is up; an estate's are those that stand. */
function hostFrom(text: string | undefined): AnyName {
  const names: readonly AnyName[] = [...machineNames, ...machinesThere().filter(isVm)];
  const host = names.find((name) => name === text);
  if (host) return host;
  throw new UsageError(`no host named ${text ?? 'nothing'}; there are ${names.join(', ')}`);
}

const lastLines = (text: string): string => text.trimEnd().split('\n').slice(-20).join('\n');

function parse<T>(parser: () => T): T {
  try {
    return parser();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`lab: ${error.message}\n${usage}`);
    process.exitCode = 2;
  } else {
    const known = error instanceof LabError ? error.message : error instanceof ProcessOutput ? lastLines(error.stderr || error.message) : (error as Error).stack;
    console.error(`lab: ${known}`);
    process.exitCode = 1;
  }
}
