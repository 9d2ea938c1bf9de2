// What did not pass, by cause, each with all that a reader needs to mend it. Pure.
import type { RunRecord } from '../../model.ts';
import { causesOf, type Cause } from '../causes.ts';
import { escaped, listOf } from './text.ts';

const words = { fail: 'Fails', inconclusive: 'Could not be told', waived: 'Waived' } as const;
const classes = { fail: 'fail', inconclusive: 'untold', waived: 'waived' } as const;
/** Cells named of a cause; the search has all. */
const named = 100;

export function causesPart(record: RunRecord): string {
  const causes = causesOf(record);
  return causes.length === 0 ? '<p>Nothing: every cell is as the matrix says.</p>' : causes.map(article).join('');
}

function article({ result, title, expected, seen, way, proof, next, cells }: Cause): string {
  const details = Object.entries({ Expected: expected, Seen: seen, Way: way, Proof: proof, 'Look next': next });
  const ids = cells.map(({ flow }) => flow.id);
  return `<article class="cause ${classes[result]}"><h3><span class="key ${classes[result]}">${words[result]}</span> ${escaped(title)}</h3>` +
    `<dl>${details.map(([name, text]) => `<dt>${name}</dt><dd>${escaped(text)}</dd>`).join('')}</dl>` +
    `<details><summary>${cells.length === 1 ? 'One cell' : `${cells.length} cells`}</summary>${listOf(ids.length > named ? [...ids.slice(0, named), `and ${ids.length - named} more`] : ids)}</details></article>`;
}
