// `npm run plan`: every cell that would be probed, and how many packets that makes from which addresses. Sends none.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { forecast, undiscovered, type Forecast, type Packets } from '../lib/forecast.ts';
import { sha256 } from '../lib/hash.ts';
import { parseInventory } from '../lib/inventory.ts';
import type { Inventory, Phase, Plan } from '../lib/model.ts';
import { readRate, withRate } from '../lib/pace.ts';
import { makePlan } from '../lib/plan.ts';
import { printable } from '../lib/reports/console.ts';
import { root } from '../lib/root.ts';
import { endRows } from '../lib/rows.ts';
import { readKnown, type Known } from './known.ts';

const usage = `usage: npm run plan -- [--json] [--phase steady|setup] [--known reports/latest/evidence.json] [--rate=N]
--known: takes addresses, routes and names from that run, and so has exactly its cells; without it, the inventory alone tells`;

type Asked = Readonly<{ json: boolean; phase: Phase; inventory: Inventory; known: Known | null; isOther: boolean }>;

function ask(): Asked {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, phase: { type: 'string' }, known: { type: 'string' }, rate: { type: 'string' } } });
  const phase = values.phase ?? process.env.FLOWPROOF_PHASE ?? 'steady';
  if (phase !== 'steady' && phase !== 'setup') throw new Error(`the phase is "${phase}"; it can be setup or steady`);
  const file = process.env.FLOWPROOF_INVENTORY ?? join(root, 'inventory.json');
  const source = readFileSync(file, 'utf8');
  const rate = readRate(values.rate === undefined ? [] : [`--rate=${values.rate}`], process.env.FLOWPROOF_RATE);
  const inventory = endRows(withRate(parseInventory(source, file), rate), new Date().toISOString().slice(0, 10));
  const known = values.known === undefined ? null : readKnown(values.known);
  return { json: values.json, phase, inventory, known, isOther: known !== null && known.run.inventoryHash !== sha256(source) };
}

function planOf({ inventory, known, phase }: Asked): Readonly<{ plan: Plan; told: Forecast }> {
  const discovery = known?.discovery ?? undiscovered(inventory);
  const plan = makePlan({ inventory, discovery, phase, newToken: () => randomBytes(16).toString('hex') });
  return { plan, told: forecast(plan, inventory, discovery, known !== null) };
}

/** At the rate that is asked for, if one is: of the busiest vantage, since all send at once. */
function seconds({ senders }: Forecast, { inventory: { site } }: Asked): Readonly<{ rate: number | null; most: number | null }> {
  const { rate } = site.timing;
  const vantages = [...new Set(senders.map(({ vantage }) => vantage))].map((vantage) => senders.filter((one) => one.vantage === vantage).reduce((total, { packets }) => total + packets.most, 0));
  return rate === undefined ? { rate: null, most: null } : { rate, most: Math.ceil(Math.max(0, ...vantages) / rate) };
}

function asJson(asked: Asked, plan: Plan, told: Forecast): string {
  const cells = told.cells.map(({ flow, source, packets }) => ({
    id: flow.id, from: flow.from, to: flow.to, network: flow.network, address: flow.address, proto: flow.transport, port: flow.port, family: flow.family,
    expected: flow.expected, row: flow.row, source, packets,
  }));
  return JSON.stringify({ schema: 1, phase: asked.phase, known: asked.known?.run ?? null, cells, gaps: plan.gaps, senders: told.senders, total: told.total, time: seconds(told, asked), unknown: told.unknown }, null, 1);
}

const range = ({ least, most }: Packets): string => (least === most ? String(most) : `${least} to ${most}`);

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_head, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ').trimEnd());
}

function asTable(asked: Asked, plan: Plan, told: Forecast): string {
  const { rate, most } = seconds(told, asked);
  const slow = rate === null ? [] : [`at ${rate} packets a second from each vantage, that takes ${most} s at most${(most ?? 0) > 1_700 ? '; but a prober lives half an hour: take a higher rate, or fewer families (site.without)' : ''}`];
  return [
    ...table([['cell', 'expected', 'row', 'family', 'packets', 'from'], ...told.cells.map(({ flow, source, packets }) => [flow.id, flow.expected, flow.row, flow.family, range(packets), source])]),
    '',
    ...table([['vantage', 'from', 'cells', 'packets', 'under loss, up to'], ...told.senders.map(({ vantage, source, cells, packets }) => [vantage, source, String(cells), range(packets), String(packets.mostUnderLoss)])]),
    '',
    ...plan.gaps.map(({ reason, cells, example }) => `not tested: ${cells} cells, as ${example}: ${reason}`),
    `phase ${asked.phase}: ${told.cells.length} cells; ${told.total.least} packets at least, ${told.total.most} at most, ${told.total.mostUnderLoss} where packets are lost (SYNs with the kernel's own repeats, datagrams, echo requests, raw packets and frames)`,
    'besides: one SSH login a host through the gateway; three to six packets after each handshake that is answered; further looks at a host whose kernel answers with RSTs, which an intact firewall never lets it',
    ...slow,
    asked.known === null ? `by the inventory alone, as nothing was sent. Not known without a login (--known takes it from an earlier run):` : `with what the run of ${asked.known.run.startedAt} found out${asked.isOther ? ', which had another inventory: what is new in this one is not known' : ''}`,
    ...told.unknown.map((line) => `  ${line}`),
  ].map(printable).join('\n');
}

process.stdout.on('error', () => process.exit(0)); // as by `| head`: whoever reads has seen enough
try {
  const asked = ask();
  const { plan, told } = planOf(asked);
  process.stdout.write(`${asked.json ? asJson(asked, plan, told) : asTable(asked, plan, told)}\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message.split('\n').map(printable).join('\n')}\n${'code' in (error as object) && String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS') ? `${usage}\n` : ''}`);
  process.exitCode = 2;
}
