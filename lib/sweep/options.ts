// What is typed after `npm run sweep --`, and what it means. Pure.
import { parseArgs } from 'node:util';
import type { Pair, Phase } from '../model.ts';
import type { Range } from './units.ts';

export const usage = `usage: npm run sweep -- [--from HOST]... [--to HOST]... [--transport tcp|udp|both] [--ports FIRST-LAST] [--rate N] [--phase steady|setup] [--resume FOLDER]
  --from, --to   these sources and destinations alone, by the names in the reports
  --transport    TCP or UDP alone; both unless said
  --ports        a range of ports, 1-65535 unless said
  --rate         packets a second that each machine sends at most, 1000 unless said
  --resume       goes on with a sweep that was stopped: its folder under reports/`;

/** What was asked for is wrong; nothing was sent for it. */
export class UsageError extends Error {}

export type Asked = Readonly<{ from: readonly string[]; to: readonly string[]; transports: readonly Pair['transport'][]; ports: Range; rate: number; phase: Phase; resume: string | null }>;

const transports: Readonly<Record<string, Asked['transports']>> = { tcp: ['tcp'], udp: ['udp'], both: ['tcp', 'udp'] };

/**
 * @param phase where no argument names one
 * @throws UsageError with the argument that is wrong, and what it may be
 */
export function askedFor(args: readonly string[], phase: string | undefined): Asked {
  const values = parsed(args);
  const wanted = values.phase ?? phase ?? 'steady';
  if (wanted !== 'steady' && wanted !== 'setup') throw new UsageError(`the phase is "${wanted}"; it can be setup or steady`);
  const chosen = Object.hasOwn(transports, values.transport) ? transports[values.transport] : undefined;
  if (chosen === undefined) throw new UsageError(`--transport is "${values.transport}"; it can be tcp, udp or both`);
  const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(values.ports) ?? [];
  if (first === undefined || last === undefined || Number(first) < 1 || Number(last) > 65_535 || Number(first) > Number(last)) throw new UsageError(`--ports is "${values.ports}"; it must be a range from 1-65535, the lower port first`);
  if (!/^[1-9]\d{0,4}$/.test(values.rate)) throw new UsageError(`--rate is "${values.rate}"; it must be a whole number of packets a second from 1 to 99999`);
  return { from: values.from, to: values.to, transports: chosen, ports: [Number(first), Number(last)], rate: Number(values.rate), phase: wanted, resume: values.resume ?? null };
}

type Values = Readonly<{ from: readonly string[]; to: readonly string[]; transport: string; ports: string; rate: string; phase?: string | undefined; resume?: string | undefined }>;

function parsed(args: readonly string[]): Values {
  const one = (preset: string): { type: 'string'; default: string } => ({ type: 'string', default: preset });
  const many = { type: 'string', multiple: true, default: [] as string[] } as const;
  try {
    return parseArgs({ args: [...args], options: { from: many, to: many, transport: one('both'), ports: one('1-65535'), rate: one('1000'), phase: { type: 'string' }, resume: { type: 'string' } } }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
