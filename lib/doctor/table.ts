// Checks -> what the doctor prints: a table of what × host, then each thing that is not ok with its mend and what is lost. Pure.
import { printable } from '../reports/console.ts';
import type { Check, State } from './gathered.ts';

const worst: readonly State[] = ['missing', 'not asked', 'less', 'ok'];

export function renderChecks(checks: readonly Check[]): string {
  const columns = [...new Set(checks.map(({ host }) => host))];
  const whats = [...new Set(checks.map(({ what }) => what))];
  const cell = (what: string, host: string): string => {
    const states = new Set(checks.filter((check) => check.what === what && check.host === host).map(({ state }) => state));
    return worst.find((state) => states.has(state)) ?? '·';
  };
  const rows = [['', ...columns], ...whats.map((what) => [what, ...columns.map((host) => cell(what, host))])];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const table = rows.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ').trimEnd());
  // What hangs on another thing is mended with it.
  const faults = checks.filter(({ mend }) => mend !== null).toSorted((a, b) => worst.indexOf(a.state) - worst.indexOf(b.state));
  const told = faults.flatMap(({ what, host, state, detail, mend, cells }) => [
    '',
    `${state}: ${what} on ${host}: ${detail}`,
    ...(cells === null ? [] : [`    costs: ${cells}`]),
    `    mend:  ${mend}`,
  ]);
  return [...table, ...told, '', verdict(checks)].map(printable).join('\n');
}

function verdict(checks: readonly Check[]): string {
  const of = (state: State): number => checks.filter((check) => check.state === state).length;
  const less = of('less') === 0 ? '' : `, ${of('less')} with less than there could be`;
  const unasked = of('not asked') === 0 ? '' : `, ${of('not asked')} not asked`;
  return `${of('ok')} ok, ${of('missing')} missing${less}${unasked}${of('missing') + of('not asked') === 0 ? ': a run can be green' : ': mend what is missing first'}`;
}

/** A failed look is never a pass: what was not asked counts as missing. */
export const isWell = (checks: readonly Check[]): boolean => checks.every(({ state }) => state === 'ok' || state === 'less');
