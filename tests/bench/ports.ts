// The range that the sweep is timed over, from what was typed. Pure.
import { parseArgs } from 'node:util';

/** Enough to have the sweep's own work outweigh its start; of more, nmap's part of a turn is what takes the time. */
export const usualPorts = '1-512';

/** `words`: the others, null where something is wrong. */
export function portsFrom(typed: readonly string[]): Readonly<{ ports: string; words: readonly string[] | null }> {
  try {
    const { values, positionals } = parseArgs({ args: [...typed], options: { ports: { type: 'string', default: usualPorts } }, allowPositionals: true });
    const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(values.ports) ?? [];
    const isRange = first !== undefined && Number(first) >= 1 && Number(first) <= Number(last) && Number(last) <= 65_535;
    return { ports: values.ports, words: isRange ? positionals : null };
  } catch {
    return { ports: usualPorts, words: null }; // an option that there is not
  }
}
