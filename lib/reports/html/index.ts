// RunRecord -> report.html: one file that asks nothing of any network. Pure; style and script are given, and pinned by their hashes.
import type { Earlier } from '../../changes.ts';
import { sha256 } from '../../hash.ts';
import type { RunRecord } from '../../model.ts';
import { exitCodeOf, partOf, sumsOf } from '../summary.ts';
import { assessorPart } from './assessor.ts';
import { causesPart } from './causes.ts';
import { changesPart } from './changes.ts';
import { dataOf } from './data.ts';
import { countsTable, heatMap } from './heat.ts';
import { dataBlock, escaped } from './text.ts';
import { topology } from './topology.ts';

/** The page's own style and script, as text. */
export type Assets = Readonly<{ style: string; script: string }>;

/** @returns the whole page; it reads without script, which adds the search over all cells and their evidence */
export function renderHtml(record: RunRecord, earlier: Earlier | null, { style, script }: Assets): string {
  const { run } = record;
  const hash = (text: string): string => `'sha256-${sha256(text, 'base64')}'`;
  const policy = `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; base-uri 'none'; form-action 'none'`;
  const part = partOf(record);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>flowproof ${escaped(run.phase)} ${escaped(run.startedAt)}</title>
<style>${style}</style></head><body><main>
<h1>flowproof: phase ${escaped(run.phase)}</h1>
${verdictPart(record)}${part === null ? '' : `<p><strong>${escaped(part)}</strong></p>`}
<section id="causes"><h2>What did not pass</h2>${causesPart(record)}</section>
<section id="changes"><h2>What changed</h2>${changesPart(record, earlier)}</section>
<section><h2>The site</h2>${topology(record)}${countsTable(record)}</section>
<section><h2>By port</h2>${heatMap(record)}</section>
<section id="cells" hidden><h2>All cells</h2><form><label>Search <input id="search" type="search"></label> <label>From <select id="from"></select></label> <label>To <select id="to"></select></label>
<label>Port <select id="port"></select></label> <label>State <select id="state"></select></label></form><p id="count" role="status"></p><ul id="list"></ul></section>
<section><h2>For the assessor</h2>${assessorPart(record)}</section>
</main><script type="application/json" id="data">${dataBlock(dataOf(record))}</script><script>${script}</script></body></html>
`;
}

function verdictPart(record: RunRecord): string {
  const { run } = record;
  const { cells, proven, inferred, noPath, fail, inconclusive, waived } = sumsOf(record);
  const good = exitCodeOf(record) === 0;
  const sums = [[fail, 'fail', 'fail'], [inconclusive, 'could not be told', 'untold'], [waived, 'waived', 'waived'], [proven, 'proven', 'open'], [inferred, 'inferred', 'open'], [noPath, 'no path', 'open']] as const;
  return `<p class="verdict ${good ? 'open' : 'fail'}"><strong>${good ? 'As the matrix says' : 'Not as the matrix says'}</strong>: ${escaped(run.startedAt)}, by ${escaped(run.operator)}, ${cells} cells</p>` +
    `<ul class="sums">${sums.map(([count, word, state]) => `<li class="${count === 0 ? 'none' : state}"><strong>${count}</strong> ${word}</li>`).join('')}</ul>`;
}
