// Text of others into HTML: never raw. Pure.
import { printable } from '../console.ts';

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** For element content and quoted attributes; what would hide or turn the text's direction is shown as a sign. */
export function escaped(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

/** A value as JSON that cannot end the <script> it stands in; its texts are made printable, as all text of the page. */
export function dataBlock(value: unknown): string {
  return JSON.stringify(value, (_name, one: unknown) => (typeof one === 'string' ? printable(one) : one)).replaceAll('<', String.raw`\u003c`);
}

/** Items of text, not HTML. */
export function listOf(texts: readonly string[]): string {
  return `<ul>${texts.map((text) => `<li>${escaped(text)}</li>`).join('')}</ul>`;
}

/** One table; the first cell of each row is its head. Cells are text, not HTML. */
export function table(caption: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return markedTable(caption, heads, rows.map((row) => row.map((cell, index) => (index === 0 ? `<th scope="row">${escaped(cell)}</th>` : `<td>${escaped(cell)}</td>`))));
}

/** The same of cells that are HTML already, `<th scope="row">` and `<td>` included. It scrolls by itself where it is too wide. */
export function markedTable(caption: string, heads: readonly string[], rows: readonly (readonly string[])[], kind = ''): string {
  return `<div class="wide" tabindex="0" role="region" aria-label="${escaped(caption)}"><table${kind === '' ? '' : ` class="${kind}"`}><caption>${escaped(caption)}</caption>` +
    `<thead><tr>${heads.map((head) => `<th scope="col"><span>${escaped(head)}</span></th>`).join('')}</tr></thead><tbody>${rows.map((cells) => `<tr>${cells.join('')}</tr>`).join('')}</tbody></table></div>`;
}
