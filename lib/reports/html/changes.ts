// What changed since the run before. Pure.
import { changeLines, changesOf, ofVerdict, type Earlier } from '../../changes.ts';
import type { RunRecord } from '../../model.ts';
import { cellStateOf } from '../verdicts.ts';
import { escaped, listOf } from './text.ts';

/** Cells named; `npm run reports -- diff` has all. */
const named = 200;

export function changesPart({ findings }: RunRecord, earlier: Earlier | null): string {
  if (earlier === null) return '<p>Nothing to compare with: no run before this one, of the same phase and the same cells, is beside it.</p>';
  const { changed, fresh, gone } = ofVerdict(changesOf(earlier.cells, findings.map(cellStateOf)));
  const since = `since ${escaped(earlier.folder)}`;
  const count = changed.length + fresh.length + gone.length;
  if (count === 0) return `<p>No verdict has changed ${since}.</p>`;
  const lines = changeLines({ changed, fresh, gone });
  return `<p>Cells ${since}: ${changed.length} with another verdict, ${fresh.length} new, ${gone.length} no longer there.</p>${listOf(count > named ? [...lines.slice(0, named), `and ${count - named} more`] : lines)}`;
}
