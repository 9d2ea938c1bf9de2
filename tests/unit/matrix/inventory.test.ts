// The document beside the inventory: what differs, what is brought in, and that what is written can be read again.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { parseInventory } from '../../../lib/inventory.ts';
import { compare } from '../../../lib/matrix/compare.ts';
import { readDocument } from '../../../lib/matrix/document.ts';
import { edited } from '../../../lib/matrix/edit.ts';
import { exportMatrix } from '../../../lib/matrix/export.ts';
import { importDocument } from '../../../lib/matrix/import.ts';
import type { Inventory, Row } from '../../../lib/model.ts';

const root = join(import.meta.dirname, '../../..');
const source = readFileSync(join(root, 'inventory.json'), 'utf8');
const inventory = parseInventory(source);
const text = readFileSync(join(root, inventory.matrix.document ?? ''), 'utf8');
const differences = (document: string, other: Inventory = inventory): readonly string[] => compare(readDocument(document), other).map(({ line, text: what }) => `${line}: ${what}`);
const lineOf = (words: string): number => text.split('\n').findIndex((line) => line.includes(words)) + 1;

describe('matrix: the project\'s own document', () => {
  it('says what the inventory says', () => expect(differences(text)).to.deep.equal([]));
  it('leaves nothing unread', () => expect(readDocument(text)).to.deep.include({ faults: [], unread: [] }));
});

describe('matrix: a difference', () => {
  const time = '| mesh | ntp | vmbr1 | UDP | 123 | Time | |';
  const rows: readonly (readonly [what: string, from: string, to: string, line: number, says: string])[] = [
    ['a row without a flow', time, `${time}\n| mesh | ntp | vmbr1 | TCP | 80 | Web | |`, lineOf(time) + 1, 'mesh -> ntp vmbr1 tcp 80 has no flow in the inventory'],
    ['a row with a stranger', time, `${time}\n| mesh | printer | vmbr1 | TCP | 80 | Web | |`, lineOf(time) + 1, 'mesh -> printer vmbr1 tcp 80 has no flow in the inventory, which does not know printer'],
    ['a flow without a row', `${time}\n`, '', 0, 'mesh-ntp (mesh -> ntp vmbr1 udp 123) has no row in the document'],
    ['a port more', '53,80,443', '22,53,80,443', lineOf('53,80,443'), 'joi -> any wan tcp lists port 22, which joi-any-wan does not have'],
    ['a port less', '53,80,443', '53,80', lineOf('53,80,443'), 'joi -> any wan tcp does not list port 443, which joi-any-wan has'],
    ['a TEMP mark less', 'during setup | TEMP |', 'during setup | |', lineOf('53,80,443'), 'joi -> any wan tcp 53 is TEMP in the inventory and not here (joi-any-wan)'],
    ['a TEMP mark more', time, time.replace('| |', '| TEMP |'), lineOf(time), 'mesh -> ntp vmbr1 udp 123 is TEMP here and not in the inventory (mesh-ntp)'],
    ['another address', '172.22.22.3', '172.22.22.5', lineOf('172.22.22.3'), 'ntp is 172.22.22.5 on vmbr1; in the inventory it is 172.22.22.3'],
    ['an address too many', '| none | DHCP |', '| 10.42.0.3 | DHCP |', lineOf('| none | DHCP |'), 'ntp has 10.42.0.3 on nebula; the inventory has none there'],
    ['an address too few', '| none | yes |', '| none | none |', lineOf('| none | yes |'), 'gateway has no address on wan; in the inventory it is discover'],
    ['a fixed address for one that is asked', '| none | yes |', '| none | 198.51.100.4 |', lineOf('| none | yes |'), 'gateway is 198.51.100.4 on wan; in the inventory it tells its address itself'],
    ['another address on the overlay', '| mesh | joi | 10.42.0.10 |', '| mesh | joi | 10.42.0.11 |', lineOf('| mesh | joi | 10.42.0.10 |'), 'joi is 10.42.0.11 on nebula; in the inventory it is 10.42.0.10'],
    ['a host more', '| gateway | 172.22.22.4 | none | yes |', '| gateway | 172.22.22.4 | none | yes |\n| printer | 172.22.22.6 | none | none |', lineOf('| gateway | 172.22.22.4') + 1, 'the inventory has no host printer'],
    ['a host less', '| ntp | 172.22.22.3 | none | DHCP |\n', '', 0, 'host ntp of the inventory is not in the document\'s map'],
    ['a row of the overlay less', '| joi | mesh | 10.42.0.1 | TCP | 8444 | Answers of joi |\n', '', lineOf('| joi | mesh | Nebula'), 'joi -> mesh nebula tcp is not in the table of nebula, which lists the others'],
    ['a sentence less', 'The tunnel\'s own packets are UDP 4242 on vmbr1 between mesh and joi.', '', 0, 'nebula-mesh-joi (mesh -> joi vmbr1 udp 4242) has no row in the document'],
  ];
  for (const [what, from, to, line, says] of rows)
    it(`${what} is told with its line`, () => {
      expect(text).to.include(from);
      expect(differences(text.replace(from, to))).to.include(`${line}: ${says}`);
    });
});

describe('matrix: an address by DHCP', () => {
  const fixed = parseInventory(source.replace('"vmbr1": "172.22.22.3", "wan": "discover"', '"vmbr1": "172.22.22.3", "wan": "198.51.100.9"'));
  it('is told where the inventory has a fixed one', () => expect(differences(text, fixed)).to.deep.equal([`${lineOf('| none | DHCP |')}: ntp has its address on wan by DHCP; in the inventory it is 198.51.100.9`]));
});

describe('matrix: import', () => {
  const into = (document: string): Inventory => importDocument(readDocument(document), inventory).inventory;
  const written = (document: string): string => edited(source, JSON.parse(source), into(document));

  it('of the project\'s document changes nothing', () => expect(written(text)).to.equal(source));
  it('of an export changes nothing', () => expect(written(exportMatrix(inventory))).to.equal(source));
  it('of any inventory\'s export changes nothing', () =>
    fc.assert(fc.property(fc.uniqueArray(fc.nat(inventory.matrix.flows.length - 1), { minLength: 1 }), fc.array(fc.record({ port: fc.integer({ min: 1, max: 65_535 }), temp: fc.boolean(), purpose: fc.string({ minLength: 1, maxLength: 40 }) }), { maxLength: 3 }), (kept, more) => {
      const flows: Row[] = kept.map((index) => inventory.matrix.flows[index]).filter((row) => row !== undefined && row.implied === undefined) as Row[];
      for (const [index, { port, temp, purpose }] of more.entries()) flows.push({ id: `more-${index}`, reference: 'x', from: 'ntp', to: ['mesh', 'joi', 'gateway'][index] ?? 'joi', network: 'vmbr1', transport: 'tcp', ports: [port], speaks: 'tcp', purpose, ...(temp ? { temp } : {}) });
      fc.pre(flows.length > 0);
      const any = { ...inventory, matrix: { ...inventory.matrix, flows } };
      expect(importDocument(readDocument(exportMatrix(any)), any).inventory).to.deep.equal(any);
    })));
  it('of a row more adds a flow that the inventory takes, and keeps all else as it was laid out', () => {
    const more = text.replace('| **Gateway** |', '| ntp | joi | vmbr1 | TCP | 9100 | Metrics | TEMP |\n| **Gateway** |');
    const after = written(more);
    expect(parseInventory(after).matrix.flows.at(-1)).to.deep.equal({ id: 'ntp-joi-tcp-9100', reference: 'Network Flows, NTP VM, row 4', from: 'ntp', to: 'joi', network: 'vmbr1', transport: 'tcp', ports: [9100], speaks: 'tcp', purpose: 'Metrics', temp: true });
    const shared = Array.from(source).findIndex((character, index) => after[index] !== character);
    expect(after.endsWith(source.slice(shared)), 'all else is as it was').to.equal(true);
    expect(differences(more, parseInventory(after))).to.deep.equal([]);
  });
  it('of an export changes nothing where a name ends in server', () => {
    const target = { ...inventory, site: { ...inventory.site, targets: { ...inventory.site.targets, 'log-server': { addresses: ['198.18.9.9'], serves: ['tcp/514'] } } } };
    const any = { ...target, matrix: { ...target.matrix, flows: [...target.matrix.flows, { id: 'logs', reference: 'x', from: 'ntp', to: 'log-server', network: 'wan', transport: 'tcp' as const, ports: [514], speaks: 'tcp' as const, purpose: 'logs' }] } };
    expect(importDocument(readDocument(exportMatrix(any)), any).inventory).to.deep.equal(any);
    expect(differences(exportMatrix(any), any)).to.deep.equal([]);
  });
  it('of a row less takes its flow out, and says so', () => {
    const less = text.replace(/\| mesh \| ntp .*\n/, '');
    expect(parseInventory(written(less)).matrix.flows.map(({ id }) => id)).to.not.include('mesh-ntp');
    expect(importDocument(readDocument(less), inventory).told).to.include('flow mesh-ntp is in no row of the document and was taken out');
  });
  it('of rows less takes out each of their flows', () => {
    const less = text.replace(/\| mesh \| ntp .*\n/, '').replace(/\| joi \| ntp .*\n/, '');
    expect(parseInventory(written(less)).matrix.flows.map(({ id }) => id)).to.deep.equal(inventory.matrix.flows.map(({ id }) => id).filter((id) => id !== 'mesh-ntp' && id !== 'joi-ntp'));
  });
  it('of a TEMP mark less makes the flow a lasting one', () => {
    const flows = parseInventory(written(text.replace('during setup | TEMP |', 'during setup | |'))).matrix.flows.filter(({ from, to }) => from === 'joi' && to === 'any');
    expect(flows.map(({ ports, temp }) => [ports, temp])).to.deep.equal([[[53, 80, 443], undefined]]);
  });
  it('of other ports and addresses changes these', () => {
    const after = parseInventory(written(text.replace('53,80,443', '80').replaceAll('172.22.22.3', '172.22.22.5')));
    expect(after.matrix.flows.find(({ id }) => id === 'joi-any-wan')?.ports).to.deep.equal([80]);
    expect(after.matrix.hosts['ntp']?.addresses['vmbr1']).to.equal('172.22.22.5');
  });
  it('keeps what the document cannot say', () => {
    const after = into(text.replace('53,80,443', '80'));
    expect(after.site).to.deep.equal(inventory.site);
    expect(after.matrix.hosts['joi']?.confined).to.equal(true);
    expect(after.matrix.flows.filter(({ implied }) => implied !== undefined)).to.have.length(2);
  });
  it('into nothing makes an inventory that can be read, and says what is guessed', () => {
    const { inventory: made, told } = importDocument(readDocument(text), null);
    expect(differences(text, parseInventory(JSON.stringify(made)))).to.deep.equal([]);
    expect(told).to.include('target signal: give its names or addresses under $.site.targets.signal; the document does not say them');
  });
});
