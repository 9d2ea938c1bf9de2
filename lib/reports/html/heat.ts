// The matrix as tables: cells that passed by from × to, and a heat map of from × to × port. Pure.
import type { Finding, RunRecord } from '../../model.ts';
import { counts } from '../cells.ts';
import { grouped } from '../../grouped.ts';
import { placesOf, stateOf, stateOfAll, type Place, type State } from './states.ts';
import { escaped, markedTable, table } from './text.ts';

export function countsTable(record: RunRecord): string {
  const [heads = [], ...rows] = counts(record);
  return table('Cells that passed, by source (rows) and destination', heads, rows);
}

/** Not by colour alone. */
const signs: Readonly<Record<State, string>> = { fail: '✗', untold: '?', waived: 'w', open: '✓', blocked: '–' };
const transports = ['tcp', 'udp', 'icmp', 'ip'];

export function heatMap(record: RunRecord): string {
  const placeOf = placesOf(record);
  const cells = grouped(record.findings, (finding) => keyOf(placeOf(finding)));
  const ports = [...new Set(record.findings.map((finding) => placeOf(finding).port))].toSorted((a, b) => rank(a) - rank(b));
  const pairs = [...new Map(record.findings.map((finding) => [keyOf({ ...placeOf(finding), port: '' }), placeOf(finding)])).values()];
  return markedTable('Heat map: each source and destination, by port', ['From → to', ...ports], pairs.map(({ from, to }) => [
    `<th scope="row">${escaped(`${from} → ${to}`)}</th>`, ...ports.map((port) => heatCell({ from, to, port }, cells.get(keyOf({ from, to, port })) ?? [])),
  ]), 'heat') + `<p class="legend"><span class="key fail">✗ not as the matrix says</span> <span class="key untold">? could not be told</span> <span class="key waived">w waived</span> ` +
    '<span class="key open">✓ open, as a row says</span> <span class="key blocked">– blocked, as it should be</span> empty: not asked</p>';
}

/** What is wrong leads to its cells, with script; without, to the causes. */
function heatCell({ from, to, port }: Place, findings: readonly Finding[]): string {
  const state = stateOfAll(findings);
  if (state === null) return '<td></td>';
  if (state === 'open' || state === 'blocked') return `<td class="${state}">${signs[state]}</td>`;
  const count = findings.filter((finding) => stateOf(finding) === state).length;
  const name = escaped(`${from} to ${to} ${port}: ${state}, ${count} of ${findings.length} cells`);
  return `<td class="${state}"><a href="#causes" data-from="${escaped(from)}" data-to="${escaped(to)}" data-port="${escaped(port)}" aria-label="${name}" title="${name}">${signs[state]}${count > 1 ? count : ''}</a></td>`;
}

const keyOf = (place: Place): string => JSON.stringify([place.from, place.to, place.port]);

/** By transport, then by number; the rest of a transport after its ports. */
function rank(port: string): number {
  const [transport = '', number = ''] = port.split(/[/ ]/);
  return transports.indexOf(transport) * 100_000 + (number === 'other' ? 99_999 : Number(number));
}
