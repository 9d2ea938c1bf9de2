// An inventory -> the document: an address map and a row a flow. Importing it again changes nothing. Pure.
import type { RootContent, Table } from 'mdast';
import { gfmTableToMarkdown } from 'mdast-util-gfm-table';
import { toMarkdown } from 'mdast-util-to-markdown';
import type { Inventory, Row } from '../model.ts';

/** Rows that the inventory calls implied are not written: the document does not list them. */
export function exportMatrix({ matrix: { networks, hosts, flows } }: Inventory): string {
  const columns = Object.keys(networks).filter((name) => networks[name]?.kind !== 'local');
  const map = Object.entries(hosts).map(([host, { addresses }]) => [host, ...columns.map((network) => (addresses[network] === undefined ? 'none' : addresses[network] === 'discover' ? 'discovered' : addresses[network]))]);
  const rows = flows.filter(({ implied }) => implied === undefined);
  const children: RootContent[] = [
    heading(1, 'Communication Matrix'),
    heading(2, 'VM IP Map'), table([['VM', ...columns], ...map]),
    heading(2, 'Network Flows'), table([['From', 'To', 'Interface/Net', 'Proto', 'Port', 'Purpose', 'Temp'], ...rows.map(cellsOf)]),
  ];
  return toMarkdown({ type: 'root', children }, { extensions: [gfmTableToMarkdown()] });
}

const cellsOf = ({ from, to, network, transport, ports, purpose, temp }: Row): readonly string[] =>
  [from, to === from ? 'localhost' : to, network, transport.toUpperCase(), ports.join(','), purpose.replace(/\s+/g, ' '), temp === true ? 'TEMP' : ''];

const heading = (depth: 1 | 2, value: string): RootContent => ({ type: 'heading', depth, children: [{ type: 'text', value }] });
const table = (rows: readonly (readonly string[])[]): Table => ({ type: 'table', children: rows.map((cells) => ({ type: 'tableRow', children: cells.map((value) => ({ type: 'tableCell', children: value === '' ? [] : [{ type: 'text', value }] })) })) });
