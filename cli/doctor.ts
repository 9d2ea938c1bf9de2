// `npm run doctor`: before any probe, is there all that a run needs? Exit code 0: a run can be green; 1: something is missing; 2: bad input.
// Sends one SSH login to each host, name queries from the hosts that may resolve, and nothing else.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { examine } from '../lib/doctor/examine.ts';
import { gather } from '../lib/doctor/gather.ts';
import { isWell, renderChecks } from '../lib/doctor/table.ts';
import { parseInventory } from '../lib/inventory.ts';
import type { Inventory, Phase } from '../lib/model.ts';
import { printable } from '../lib/reports/console.ts';
import { root } from '../lib/root.ts';

const usage = 'usage: npm run doctor -- [--phase steady|setup]     (FLOWPROOF_INVENTORY names another inventory)';

function input(): Readonly<{ inventory: Inventory; phase: Phase }> {
  const { phase = process.env.FLOWPROOF_PHASE ?? 'steady' } = parseArgs({ options: { phase: { type: 'string' } } }).values;
  if (phase !== 'steady' && phase !== 'setup') throw new Error(`the phase is "${phase}"; it can be setup or steady`);
  const file = process.env.FLOWPROOF_INVENTORY ?? join(root, 'inventory.json');
  return { inventory: parseInventory(readFileSync(file, 'utf8'), file), phase };
}

async function main(): Promise<number> {
  let given: ReturnType<typeof input>;
  try {
    given = input();
  } catch (error) {
    console.error(`${(error as Error).message.split('\n').map(printable).join('\n')}\nNothing was sent.\n${usage}`);
    return 2;
  }
  console.error('doctor: logging in to each host once, and asking the names of the targets; no probe is sent');
  const gathered = await gather({ ...given, reports: process.env.FLOWPROOF_REPORTS ?? join(root, 'reports'), newToken: () => randomBytes(16).toString('hex') });
  const checks = examine(gathered);
  console.log([...gathered.warnings.map((warning) => `warning: ${printable(warning)}`), renderChecks(checks)].join('\n'));
  return isWell(checks) ? 0 : 1;
}

process.exitCode = await main();
