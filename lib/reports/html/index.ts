// RunRecord -> report.html: one file that asks nothing of any network. Pure; style and script are given, and pinned by their hashes.
import { createHash } from 'node:crypto';
import type { Finding, RunRecord } from '../../model.ts';
import { assessorPart } from './assessor.ts';
import { dataBlock, escaped, table } from './text.ts';

/** The page's own style and script, as text. */
export type Assets = Readonly<{ style: string; script: string }>;

/** Raw replies of a red cell that the page carries; evidence.json has all. */
const replies = 20;

/** @returns the whole page; it reads without script, which adds the search over all cells and their evidence */
export function renderHtml(record: RunRecord, { style, script }: Assets): string {
  const { run, findings } = record;
  const bad = findings.filter(({ verdict }) => verdict.result !== 'pass');
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const policy = `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>flowproof ${escaped(run.phase)} ${escaped(run.startedAt)}</title>
<style>${style}</style></head><body><main>
<h1>flowproof, phase ${escaped(run.phase)}</h1><p>${escaped(run.startedAt)}: ${findings.length - bad.length} of ${findings.length} cells passed, ${bad.length} did not.</p>
<h2>From and to</h2>${grid(findings)}
<h2>What did not pass</h2>${bad.length === 0 ? '<p>Nothing.</p>' : table('Cells that did not pass', ['Cell', 'Expected', 'By row', 'Verdict', 'Reason'], bad.map((finding) => [finding.flow.id, finding.flow.expected, finding.flow.row, told(finding), finding.verdict.reason]))}
<section id="cells" hidden><h2>All cells</h2><p><label>Search <input id="search" type="search"></label> <label>Verdict <select id="verdict"><option value="">all</option><option>pass</option><option>fail</option><option>inconclusive</option><option>waived</option></select></label> <span id="count" role="status"></span></p><ul id="list"></ul></section>
<h2>For the assessor</h2>${assessorPart(record)}
</main><script type="application/json" id="data">${dataBlock(findings.map(compact))}</script><script>${script}</script></body></html>
`;
}

function told({ verdict, waiver }: Finding): string {
  return waiver === null ? verdict.result : 'waived';
}

/** [id, expected, row, verdict, reason, grade, controls, raw replies of what did not pass]: what the script shows of a cell. */
function compact(finding: Finding): readonly unknown[] {
  const { flow, verdict, observation } = finding;
  return [flow.id, flow.expected, flow.row, told(finding), verdict.reason, verdict.result === 'pass' ? verdict.grade : '', verdict.controls, verdict.result === 'pass' ? [] : observation.replies.slice(0, replies)];
}

function grid(findings: readonly Finding[]): string {
  const froms = [...new Set(findings.map(({ flow }) => flow.from))];
  const columns = [...froms, 'elsewhere'];
  const column = (to: string): string => (froms.includes(to) ? to : 'elsewhere');
  return table('Cells passed, by source and destination', ['From', ...columns], froms.map((from) => [from, ...columns.map((to) => {
    const cells = findings.filter(({ flow }) => flow.from === from && column(flow.to) === to);
    const passed = cells.filter(({ verdict }) => verdict.result === 'pass').length;
    return cells.length === 0 ? '·' : passed === cells.length ? `${passed} ok` : `${passed}/${cells.length} !`;
  })]));
}
