// The document's tables and sentences, and what in them cannot be read.
import { expect } from 'chai';
import { contradictions } from '../../../lib/matrix/contradictions.ts';
import { readDocument } from '../../../lib/matrix/document.ts';
import { networkOf, peerOf, portsOf, transportsOf } from '../../../lib/matrix/words.ts';

const head = '| From | To | Interface/Net | Proto | Port | Purpose | Temp |\n|---|---|---|---|---|---|---|\n';
const map = '| VM | vmbr1 (internal) | WAN |\n|---|---|---|\n| mesh | 172.22.22.1 | DHCP |\n| joi | 172.22.22.2 | none |\n\n';
const flows = (rows: string): ReturnType<typeof readDocument> => readDocument(`${map}${head}${rows}`);

describe('document: words', () => {
  const ports: readonly (readonly [string, readonly number[] | null])[] = [
    ['443', [443]], ['53,80,443', [53, 80, 443]], ['67/68', [67]], ['8000-8002', [8000, 8001, 8002]], ['80, 80', [80]], ['1-64', Array.from({ length: 64 }, (_none, index) => index + 1)],
    ['', null], ['0', null], ['65536', null], ['http', null], ['1-65', null], ['9-8', null], ['80;443', null], ['443/8443', null],
  ];
  for (const [text, value] of ports) it(`port "${text}" is ${value === null ? 'refused' : value.length > 3 ? 'a list' : value.join(' ')}`, () => expect(portsOf(text)).to.deep.include(value === null ? { value: [] } : { value, fault: null }));
  it('refused ports say why', () => expect(portsOf('http').fault).to.match(/^"http" are no ports/));
  const protocols: readonly (readonly [string, readonly string[], boolean])[] = [['TCP', ['tcp'], true], ['udp', ['udp'], true], ['TCP/UDP', ['tcp', 'udp'], true], ['SCTP', [], false], ['', [], false], ['TCP, ESP', ['tcp'], false]];
  for (const [text, value, fine] of protocols) it(`protocol "${text}" is ${fine ? value.join(' and ') : 'refused'}`, () => expect(transportsOf(text).fault === null).to.equal(fine));
  it('what stands in brackets is a remark', () => expect([networkOf('WAN (eth0)'), networkOf('vmbr1 (internal)')]).to.deep.equal(['wan', 'vmbr1']));
  it('servers are called by what they serve', () => expect(['Signal servers', 'DHCP server', 'upstream NTP', 'DNS'].map(peerOf)).to.deep.equal(['signal', 'dhcp', 'upstream-ntp', 'dns']));
});

describe('document: tables', () => {
  it('give each flow with its line and its place', () => {
    const { flows: [first, second] } = flows('| **Mesh VM** |\n| mesh | joi | vmbr1 | TCP | 22,80 | admin | TEMP |\n| joi | mesh | vmbr1 | udp | 53 | names | |\n');
    expect(first).to.deep.equal({ line: 9, where: 'the document, Mesh VM, row 1', from: 'mesh', to: 'joi', network: 'vmbr1', transport: 'tcp', ports: [22, 80], purpose: 'admin', temp: true, at: null, prose: false });
    expect(second).to.include({ line: 10, where: 'the document, Mesh VM, row 2', temp: false, transport: 'udp' });
  });
  it('give each address, or that there is none', () => expect(flows('| mesh | joi | vmbr1 | TCP | 22 | | |').addresses.map(({ host, network, address }) => [host, network, address])).to.deep.equal([['mesh', 'vmbr1', '172.22.22.1'], ['mesh', 'wan', 'DHCP'], ['joi', 'vmbr1', '172.22.22.2'], ['joi', 'wan', null]]));
  it('of an overlay give its network and address', () => expect(readDocument('| From | To | Nebula IP | Proto | Port | Purpose |\n|-|-|-|-|-|-|\n| mesh | joi | 10.42.0.10 | TCP | 8443 | api |').flows[0]).to.include({ network: 'nebula', at: '10.42.0.10' }));
  const faults: readonly (readonly [string, string, RegExp])[] = [
    ['with a bar too few', '| mesh | joi | vmbr1 | TCP | 22 | admin |\n', /^this row has 6 cells and its table's head 7/],
    ['with a port that is none', '| mesh | joi | vmbr1 | TCP | ssh | admin | |\n', /^"ssh" are no ports/],
    ['with a protocol that is none', '| mesh | joi | vmbr1 | IP | 22 | admin | |\n', /^"IP" is no protocol/],
    ['without a destination', '| mesh | | vmbr1 | TCP | 22 | admin | |\n', /must be named/],
  ];
  for (const [what, rows, text] of faults)
    it(`a row ${what} is named by its line`, () => {
      const { faults: [fault] } = flows(rows);
      expect(fault?.line).to.equal(8);
      expect(fault?.text).to.match(text);
    });
  it('a row cut to its first cell is no section', () => expect(flows('| gateway |\n').faults.map(({ line }) => line)).to.deep.equal([8]));
  it('a table whose second line is none is a fault, not a paragraph', () => expect(readDocument(`${map}${head.replace('|---|', '|--|x|')}| mesh | joi | vmbr1 | TCP | 22 | | |\n`).faults[0]?.line).to.equal(6));
  it('a table of flows with a head that is spelt otherwise is a fault', () => expect(readDocument(head.replace('Port', 'Prt')).faults[0]?.text).to.match(/looks like a table of flows/));
  it('another table that names ports is told', () => expect(readDocument(`${map}${head}| mesh | joi | vmbr1 | TCP | 22 | | |\n\n| Service | Where |\n|---|---|\n| web | TCP 443 |\n`).unread).to.have.length(1));
  it('another table is let be', () => expect(readDocument(`${map}${head}| mesh | joi | vmbr1 | TCP | 22 | | |\n\n| Person | Room |\n|---|---|\n| Anna | 12 |\n`)).to.deep.include({ unread: [], faults: [] }));
  it('that are none at all are a fault', () => expect(readDocument('# Nothing').faults).to.have.length(1));
});

describe('document: sentences', () => {
  const table = '| mesh | joi | vmbr1 | TCP | 22 | | |\n\n';
  it('between two hosts are a flow each way', () => expect(flows(`${table}Nebula uses UDP 4242 on vmbr1 between mesh and joi.`).flows.slice(1).map(({ from, to, ports, network, transport }) => [from, to, ports, network, transport])).to.deep.equal([['mesh', 'joi', [4242], 'vmbr1', 'udp'], ['joi', 'mesh', [4242], 'vmbr1', 'udp']]));
  it('from one to another are one flow', () => expect(flows(`${table}- It uses TCP port 99 on the vmbr1 from mesh to joi.`).flows.slice(1).map(({ from, to }) => [from, to])).to.deep.equal([['mesh', 'joi']]));
  it('of several ports are a flow with all', () => expect(flows(`${table}Nebula uses UDP 4242 and 4243 on vmbr1 between mesh and joi.`).flows.slice(1).map(({ ports }) => ports)).to.deep.equal([[4242, 4243], [4242, 4243]]));
  for (const sentence of ['mesh may use port 9999 over TCP on vmbr1 from mesh to joi.', 'It takes 8888/udp on vmbr1 between mesh and joi.', 'It uses UDP 4242 on vmbr1 between mesh and joi, and 99 too.', 'It uses UDP 4242 on vmbr1 between mesh and printer.', 'It uses UDP 99999 on vmbr1 between mesh and joi.'])
    it(`that say it otherwise are told: ${sentence}`, () => expect(flows(`${table}${sentence}`).unread).to.have.length(1));
  it('without ports are let be', () => expect(flows(`${table}It has 3 disks, and TCP is fine.`).unread).to.deep.equal([]));
  it('that name a port and not whose are told', () => expect(flows(`${table}Everybody may use UDP 5353.`).unread).to.have.length(1));
});

describe('document: contradictions', () => {
  const rows: readonly (readonly [string, string, RegExp])[] = [
    ['a flow by a network that the host is not on', '| joi | any | WAN | UDP | 443 | | |\n', /^joi has no wan by the map/],
    ['localhost on another network', '| joi | localhost | docker0 | TCP | 80 | | |\n', /^localhost is not on docker0/],
    ['names over TCP alone', '| joi | mesh | vmbr1 | TCP | 53 | | |\n', /over TCP 53 alone/],
    ['an address by DHCP without a row for it', '| joi | mesh | vmbr1 | TCP | 80 | | |\n', /^mesh has its wan address by DHCP/],
    ['one flow that is TEMP and lasting', '| joi | mesh | vmbr1 | TCP | 80 | | |\n| joi | mesh | vmbr1 | TCP | 80 | | TEMP |\n', /TEMP in one row and lasting in another/],
  ];
  for (const [what, source, text] of rows) it(`${what} is one`, () => expect(contradictions(flows(source)).map((note) => note.text).filter((one) => text.test(one))).to.not.deep.equal([]));
  it('are none where there are none', () => expect(contradictions(flows('| mesh | dhcp | WAN | UDP | 67/68 | | |\n| joi | mesh | vmbr1 | TCP | 80 | | |\n'))).to.deep.equal([]));
});
