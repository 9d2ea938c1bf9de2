// A communication matrix in Markdown -> its addresses and flows, each with its line. Pure.
import type { Nodes, Paragraph, Root, Table, TableRow } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table';
import { toString } from 'mdast-util-to-string';
import { gfmTable } from 'micromark-extension-gfm-table';
import { networkOf, peerOf, portsOf, transportsOf, type Told } from './words.ts';

export type Note = Readonly<{ line: number; text: string }>;

/** One cell of the address map: an address, a word such as DHCP, or null where the host has none there. */
export type Address = Readonly<{ host: string; network: string; address: string | null; line: number }>;

/**
 * One flow as the document has it. `to`: a host, a target, `any` or `localhost`; `at`: the address that an overlay table gives it;
 * `where`: heading, section and row, in words that a reader can find.
 */
export type Listed = Readonly<{
  line: number; where: string; from: string; to: string; network: string; transport: 'tcp' | 'udp'; ports: readonly number[]; purpose: string; temp: boolean; at: string | null; prose: boolean;
}>;

/** `faults`: what must be mended before anything can be said · `unread`: what names a port and could not be understood. */
export type Document = Readonly<{ addresses: readonly Address[]; flows: readonly Listed[]; faults: readonly Note[]; unread: readonly Note[] }>;

type Grown = { addresses: Address[]; flows: Listed[]; faults: Note[]; unread: Note[] };

/** Reads all tables that are known by their heads (`VM`; `From`, `To`, `Proto`, `Port`), and the sentences that name a port. */
export function readDocument(source: string): Document {
  const root: Root = fromMarkdown(source, { extensions: [gfmTable()], mdastExtensions: [gfmTableFromMarkdown()] });
  const grown: Grown = { addresses: [], flows: [], faults: [], unread: [] };
  let heading = 'the document';
  const prose: (readonly [Paragraph, string])[] = [];
  for (const node of root.children) {
    if (node.type === 'heading') heading = toString(node);
    else if (node.type === 'table') readTable(node, heading, grown);
    else for (const paragraph of paragraphsOf(node)) prose.push([paragraph, heading]);
  }
  for (const [paragraph, where] of prose) readProse(paragraph, where, grown);
  if (grown.flows.length === 0 && grown.faults.length === 0) grown.faults.push({ line: 1, text: 'no table of flows: one has a head with From, To, Proto and Port' });
  return grown;
}

const lineOf = (node: Nodes): number => node.position?.start.line ?? 0;
const paragraphsOf = (node: Nodes): readonly Paragraph[] => (node.type === 'paragraph' ? [node] : 'children' in node ? node.children.flatMap(paragraphsOf) : []);
const cellsOf = (row: TableRow): readonly string[] => row.children.map((cell) => toString(cell).trim());

function readTable(table: Table, heading: string, grown: Grown): void {
  const [head, ...rows] = table.children;
  if (head === undefined) return;
  const names = cellsOf(head).map((name) => name.toLowerCase());
  const isMap = ['vm', 'host', 'machine'].includes(names[0] ?? '');
  const isFlows = ['from', 'to', 'proto', 'port'].every((name) => names.some((one) => one.startsWith(name)));
  if (!isMap && !isFlows) {
    const alike = ['from', 'to', 'proto', 'port'].filter((name) => names.some((one) => one.startsWith(name)));
    if (alike.length > 1) grown.faults.push({ line: lineOf(head), text: `this looks like a table of flows, whose head has From, To, Proto and Port; it has ${alike.join(', ')}` });
    else if (rows.some((row) => namesPort.test(cellsOf(row).join(' ')))) grown.unread.push({ line: lineOf(head), text: 'this table names ports, and is neither of hosts (VM) nor of flows (From, To, Proto, Port)' });
    return;
  }
  let section: string | null = null;
  let place = 0;
  for (const row of rows) {
    const cells = cellsOf(row);
    if (isFlows && cells.filter((cell) => cell !== '').length === 1 && row.children[0]?.children[0]?.type === 'strong') {
      [section, place] = [cells[0] ?? null, 0];
      continue;
    }
    place += 1;
    if (cells.length !== names.length) grown.faults.push({ line: lineOf(row), text: `this row has ${cells.length} cells and its table's head ${names.length}: mend the bars` });
    else if (isMap) readAddresses(names, cells, lineOf(row), grown);
    else readFlow(names, cells, { line: lineOf(row), where: [heading, ...(section === null ? [] : [section]), `row ${place}`].join(', ') }, grown);
  }
}

function readAddresses(names: readonly string[], cells: readonly string[], line: number, { addresses }: Grown): void {
  const [host = '', ...held] = cells;
  for (const [index, text] of held.entries()) addresses.push({ host: peerOf(host), network: networkOf(names[index + 1] ?? ''), address: /^(none|no|-|–|)$/i.test(text) ? null : text, line });
}

function readFlow(names: readonly string[], cells: readonly string[], { line, where }: Readonly<{ line: number; where: string }>, { flows, faults }: Grown): void {
  const cell = (fits: (name: string) => boolean): string | null => cells[names.findIndex(fits)] ?? null;
  const overlay = names.find((name) => name.endsWith(' ip')) ?? null; // `Nebula IP`: the network, and the address on it
  const network = cell((name) => /^(interface|net)/.test(name)) ?? overlay?.replace(/ ip$/, '') ?? '';
  const transports = transportsOf(cell((name) => name.startsWith('proto')) ?? '');
  const ports = portsOf(cell((name) => name.startsWith('port')) ?? '');
  const wrong = [transports, ports].flatMap((told: Told<unknown>) => (told.fault === null ? [] : [told.fault]));
  const [from, to] = [cell((name) => name === 'from') ?? '', cell((name) => name === 'to') ?? ''].map(peerOf);
  if (!from || !to || networkOf(network) === '') wrong.push('From, To and the network must be named');
  for (const text of wrong) faults.push({ line, text });
  if (wrong.length > 0) return;
  for (const transport of transports.value)
    flows.push({
      line, where, from: from ?? '', to: to ?? '', network: networkOf(network), transport, ports: ports.value, purpose: cell((name) => name.startsWith('purpose')) ?? '',
      temp: /temp/i.test(cell((name) => name.startsWith('temp')) ?? ''), at: overlay === null ? null : cell((name) => name === overlay), prose: false,
    });
}

/** What speaks of ports, in whatever words. */
const namesPort = /\b(?:tcp|udp)\b.*\d|\bports? \d|\d\/(?:tcp|udp)\b/i;

/** `UDP 4242 on vmbr1 between mesh and joi`, `TCP 22 on vmbr1 from gateway to joi`. */
function readProse(paragraph: Paragraph, where: string, { addresses, flows, faults, unread }: Grown): void {
  const source = toString(paragraph);
  const line = lineOf(paragraph);
  if (/^\s*\|.*\|/m.test(source)) faults.push({ line, text: 'this looks like a table, and its second line is none of |---|---|: mend that, or its rows would be lost' });
  const hosts = new Set(addresses.map(({ host }) => host));
  for (const sentence of source.split(/(?<=[.!?])\s+/)) {
    if (!namesPort.test(sentence)) continue;
    const told = [...sentence.matchAll(/\b(TCP|UDP)(?: ports?)? (\d{1,5}(?:(?:, ?| and )\d{1,5})*)/gi)].map(([, transport = '', ports = '']) => ({ transport: transport.toLowerCase() as 'tcp' | 'udp', ports: portsOf(ports.replaceAll(' and ', ',')) }));
    const [, network = ''] = /\bon (?:the )?([\w-]+)/.exec(sentence) ?? [];
    const [, kind, a = '', b = ''] = /\b(between|from) ([\w-]+) (?:and|to) ([\w-]+)/.exec(sentence) ?? [];
    // Every number in it must be one of the ports: else something else was said than was understood.
    const numbers = [...sentence.matchAll(/(?<![\w.])\d+(?![\w.]*\w)/g)].length;
    const count = told.flatMap(({ ports }) => ports.value).length;
    if (network === '' || !hosts.has(peerOf(a)) || !hosts.has(peerOf(b)) || count === 0 || count !== numbers || told.some(({ ports }) => ports.fault !== null)) {
      unread.push({ line, text: `"${sentence}" names a port, but not as "UDP 4242 on NETWORK between HOST and HOST": write it as a row` });
      continue;
    }
    for (const { transport, ports } of told) {
      const flow = { line, where: `${where}, the sentence`, network: networkOf(network), transport, ports: ports.value, purpose: sentence, temp: false, at: null, prose: true };
      flows.push({ ...flow, from: peerOf(a), to: peerOf(b) });
      if (kind === 'between') flows.push({ ...flow, from: peerOf(b), to: peerOf(a) });
    }
  }
}
