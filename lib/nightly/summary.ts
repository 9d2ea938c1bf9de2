// What the night came to -> one line, and the exit code. Pure.
import { printable } from '../reports/console.ts';
import { isRed, since, type Night } from './since.ts';

/** A night that is there; none before; or one that cannot be read, and why. */
type Earlier = Readonly<{ name: string; night: Night }> | Readonly<{ name: string; unread: string }> | null;

export type Nightly = Readonly<{
  /** Of `npm test`. */
  exitCode: number;
  /** Where its report is, and what is in it; null: it left none. */
  tonight: Readonly<{ folder: string; night: Night }> | Readonly<{ folder: string; unread: string }> | null;
  lastNight: Earlier;
  /** Old reports that could not be removed, and the like. */
  faults: readonly string[];
}>;

/** Named in the line; the rest is in the report. */
const mostNamed = 5;

/** @returns exitCode 0 only if the run passed, left its report, and could be held against last night's */
export function summaryOf({ exitCode, tonight, lastNight, faults }: Nightly): Readonly<{ line: string; exitCode: 0 | 1 }> {
  const end = (ok: boolean, ...parts: readonly string[]): Readonly<{ line: string; exitCode: 0 | 1 }> => {
    const told = [...parts, ...faults, ...(tonight === null ? [] : [`report: ${tonight.folder}`])];
    const well = ok && faults.length === 0;
    return { line: printable(`nightly: ${well ? 'ok' : 'FAIL'}: ${told.join('; ')}`), exitCode: well ? 0 : 1 };
  };
  if (tonight === null) return end(false, `the run left no report (exit code ${exitCode})`);
  if ('unread' in tonight) return end(false, `tonight's evidence.json cannot be read: ${tonight.unread}`);
  const { night } = tonight;
  if (night.fault !== null) return end(false, `the run did not start: ${night.fault.split('\n')[0]}`);
  const red = [...night.cells.values()].filter(isRed);
  const cells = red.length === 0 ? `${night.cells.size} cells, none red` : `${red.length} of ${night.cells.size} cells red`;
  // The run has reasons of its own (a report that could not be written); it may be red where no cell is.
  const ok = exitCode === 0 && red.length === 0;
  const code = exitCode !== 0 && red.length === 0 ? [`exit code ${exitCode}`] : [];
  if (lastNight === null) return end(ok, cells, ...code, 'no night before to compare with', ...named('red', red.map(({ id }) => id)));
  if ('unread' in lastNight) return end(false, cells, ...code, `last night's evidence.json (${lastNight.name}) cannot be read: ${lastNight.unread}; it was left as it is`, ...named('red', red.map(({ id }) => id)));
  const changed = since(lastNight.night, night);
  const parts = [...named('turned red', changed.red), ...named('mended', changed.mended), ...named('proven less well', changed.weaker), ...named('gone from the plan', changed.gone), ...named('new in the plan', changed.fresh)];
  return end(ok, cells, ...code, `since ${lastNight.name}: ${parts.length === 0 ? 'no change' : parts.join(', ')}`);
}

function named(what: string, ids: readonly string[]): readonly string[] {
  if (ids.length === 0) return [];
  return [`${ids.length} ${what} (${ids.slice(0, mostNamed).join(', ')}${ids.length > mostNamed ? ', …' : ''})`];
}
