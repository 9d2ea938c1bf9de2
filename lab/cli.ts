// `npm run lab -- …`: the lab from the command line.
import { parseArgs } from 'node:util';
import { ProcessOutput } from 'zx/core';
import { down, takeDown } from './down.ts';
import { LabError } from './error.ts';
import { exec } from './exec.ts';
import { run } from './inside.ts';
import { phaseNow, setPhase } from './phase.ts';
import { isWell, status } from './status.ts';
import { type MachineName, machineNames, type Phase } from './topology.ts';
import { repository, up } from './up.ts';

const usage = `usage: npm run lab -- COMMAND
  up [--phase steady|setup]   build what is missing and start the lab (steady unless said)
  down                        take it away; nothing stays but the cached root file systems
  status                      what runs; exit code 1 when the lab is not up
  phase steady|setup          load the firewalls of that phase
  exec HOST -- COMMAND…       run as root on ${machineNames.join(', ')}
  test [ARGUMENT…]            run \`npm test\` from the operator's seat`;

class UsageError extends Error {}

async function main([command, ...rest]: readonly string[]): Promise<number> {
  switch (command) {
    case 'up': {
      const { values } = parse(() => parseArgs({ args: rest, options: { phase: { type: 'string' } } }));
      const phase = values.phase === undefined ? {} : { phase: phaseFrom(values.phase) };
      process.once('SIGINT', () => void takeDown().finally(() => process.exit(130)));
      await up(phase);
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
  console.log(well ? `up, phase ${await phaseNow()}` : 'not up');
  return well ? 0 : 1;
}

/** What `npm test` may want to know of the caller's environment. */
function passedThrough(): Record<string, string> {
  const wanted = /^(FLOWPROOF_.*|CI|NO_COLOR|TERM)$/;
  const entries = Object.entries(process.env).filter(([key, value]) => wanted.test(key) && value !== undefined);
  return { npm_config_update_notifier: 'false', ...(Object.fromEntries(entries) as Record<string, string>) };
}

function phaseFrom(text: string | undefined): Phase {
  if (text === 'steady' || text === 'setup') return text;
  throw new UsageError(`a phase is steady or setup, not ${text ?? 'nothing'}`);
}

function hostFrom(text: string | undefined): MachineName {
  const host = machineNames.find((name) => name === text);
  if (host) return host;
  throw new UsageError(`no host named ${text ?? 'nothing'}; there are ${machineNames.join(', ')}`);
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
