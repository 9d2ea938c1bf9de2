// What nmap is asked in the bench: the same cells, in as few calls as ask no other, and what it found.
import { expect } from 'chai';
import { aimed, aims, longest } from '../bench/aims.ts';
import { cellsOf, openOf, scansOf, words } from '../bench/nmap.ts';
import { portsFrom } from '../bench/ports.ts';
import { differencesOf, placesOf, synScansOf } from '../bench/sweep.ts';
import { inTurns } from '../bench/turns.ts';

type Asked = Parameters<typeof scansOf>[0][number];
const cell = (from: string, address: string | null, proto: string, port: number, over: Partial<Asked> = {}): Asked => ({ from, address, proto, port, sourcePort: null, by: null, family: 'machine', ...over });

describe('bench: nmap', () => {
  it('asks addresses with the same ports in one call, and no port that is no cell', () => {
    const scans = scansOf([cell('joi', '1.1.1.1', 'tcp', 443), cell('joi', '1.1.1.1', 'udp', 53), cell('joi', '8.8.8.8', 'udp', 53), cell('joi', '8.8.8.8', 'tcp', 443), cell('joi', '9.9.9.9', 'tcp', 80), cell('ntp', '9.9.9.9', 'tcp', 80)]);
    expect(scans).to.deep.equal([
      { from: 'joi', v6: false, tcp: [443], udp: [53], addresses: ['1.1.1.1', '8.8.8.8'] },
      { from: 'joi', v6: false, tcp: [80], udp: [], addresses: ['9.9.9.9'] },
      { from: 'ntp', v6: false, tcp: [80], udp: [], addresses: ['9.9.9.9'] },
    ]);
    expect(cellsOf(scans)).to.equal(6);
  });
  it('keeps IPv6 apart', () => expect(scansOf([cell('joi', 'fe80::1%eth0', 'tcp', 22), cell('joi', '1.1.1.1', 'tcp', 22)]).map(({ v6 }) => v6)).to.deep.equal([true, false]));
  const unasked: readonly (readonly [sentence: string, over: Partial<Asked>])[] = [
    ['of no address', { address: null }], ['from a port of its own', { sourcePort: 53 }], ['past the firewall by another machine', { by: 'gateway' }], ['without a path', { family: 'no path' }], ['of ICMP', { proto: 'icmp' }],
  ];
  for (const [sentence, over] of unasked) it(`is not asked what it cannot ask: a cell ${sentence}`, () => expect(scansOf([cell('joi', '1.1.1.1', 'tcp', 22, over)])).to.deep.equal([]));
  it('is called with the ways that the ports need', () => {
    expect(words({ from: 'joi', v6: true, tcp: [], udp: [53, 123], addresses: ['fe80::1%eth0'] }).join(' ')).to.match(/-Pn -n -T4 -6 -sU -p U:53,123 -oG - fe80::1%eth0$/);
    expect(words({ from: 'joi', v6: false, tcp: [22], udp: [53], addresses: ['1.1.1.1'] }).join(' ')).to.match(/-T4 -sT -sU -p T:22,U:53 -oG - 1.1.1.1$/);
  });
  it('has found what it names open, and not what it calls open|filtered', () =>
    expect(openOf('# Nmap\nHost: 172.22.22.3 ()\tStatus: Up\nHost: 172.22.22.3 ()\tPorts: 22/open/tcp//ssh///, 25/filtered/tcp//smtp///, 123/open/udp//ntp///, 53/open|filtered/udp//domain///\tIgnored State: x\n')).to.deep.equal(['172.22.22.3 tcp/22', '172.22.22.3 udp/123']));
});

describe('bench: the sweep beside nmap -sS', () => {
  const tcp = (from: string, to: string, network: string, address: string | null, over: object = {}) => ({ ...cell(from, address, 'tcp', 22), id: `${from} -> ${to} ${network} tcp/22`, to, expected: 'denied', ...over });
  const places = new Map([['joi -> ntp vmbr1 tcp', { from: 'joi', address: '172.22.22.3' }], ['joi -> ntp vmbr1/ll tcp', { from: 'joi', address: 'fe80::3%eth0' }], ['ntp -> joi vmbr1 tcp', { from: 'ntp', address: '172.22.22.2' }]]);
  const pair = (id: string, open: readonly number[], red: readonly number[] = []) => ({ id, result: 'pass', open, red: red.map((port) => ({ port, result: 'fail' })) });

  it('is of the pairs of the four machines, by the names that the sweep has for them', () => {
    const cells = [
      tcp('joi', 'ntp', 'vmbr1', '172.22.22.3', { expected: 'allowed', id: 'joi -> ntp vmbr1 tcp/443' }), tcp('joi', 'ntp', 'vmbr1', '172.22.22.3'), tcp('joi', 'ntp', 'vmbr1', '172.22.22.3', { port: 23, id: 'joi -> ntp vmbr1 tcp/23' }), tcp('joi', 'ntp', 'vmbr1/ll', 'fe80::3%eth0'),
      tcp('joi', 'joi', 'vmbr1', '172.22.22.2'), tcp('joi', 'github.com', 'wan', '198.18.20.1'), tcp('operator', 'joi', 'vmbr1', '172.22.22.2'), tcp('joi', 'mesh', 'wan', null), tcp('ntp', 'mesh', 'wan', '198.51.100.7', { expected: 'allowed' }),
      tcp('joi', 'mesh', 'vmbr1', '172.22.22.1', { family: 'no path' }), tcp('joi', 'mesh', 'vmbr1', '172.22.22.1', { by: 'gateway' }), tcp('joi', 'mesh', 'vmbr1', '172.22.22.1', { proto: 'udp' }), tcp('ntp', 'joi', 'vmbr1', '172.22.22.2'),
    ];
    expect([...placesOf(cells)]).to.deep.equal([...places]);
  });
  it('has a call a machine and IP version', () => {
    const both = new Map([...places, ['joi -> mesh vmbr1 tcp', { from: 'joi', address: '172.22.22.1' }] as const]);
    expect(synScansOf(both, '1-4096').map((call) => `${call.from}: ${call.words.slice(call.words.indexOf('-Pn')).join(' ')}`)).to.deep.equal([
      'joi: -Pn -n -T4 -sS -p 1-4096 -oG - 172.22.22.3 172.22.22.1', 'joi: -Pn -n -T4 -6 -sS -p 1-4096 -oG - fe80::3%eth0', 'ntp: -Pn -n -T4 -sS -p 1-4096 -oG - 172.22.22.2',
    ]);
  });
  it('finds no difference where both have the same, also of an address whose interface nmap leaves out', () =>
    expect(differencesOf(places, [pair('joi -> ntp vmbr1 tcp', [22], [80]), pair('joi -> ntp vmbr1/ll tcp', [22]), pair('ntp -> joi vmbr1 tcp', []), pair('joi -> github.com tcp', [443])], ['joi 172.22.22.3 tcp/22', 'joi 172.22.22.3 tcp/80', 'joi fe80::3 tcp/22'])).to.deep.equal([]));
  it('tells of each port that one of them alone has, and of a pair that we left out', () =>
    expect(differencesOf(places, [pair('joi -> ntp vmbr1 tcp', [22]), pair('ntp -> joi vmbr1 tcp', [], [80])], ['joi 172.22.22.3 tcp/23', 'ntp 172.22.22.3 tcp/22'])).to.deep.equal([
      'DIFFERS: joi -> ntp vmbr1 tcp/22: open to us, not to nmap -sS', 'DIFFERS: joi -> ntp vmbr1 tcp/23: open to nmap -sS, not to us',
      'DIFFERS: joi -> ntp vmbr1/ll tcp: asked of nmap, not swept by us', 'DIFFERS: ntp -> joi vmbr1 tcp/80: open to us, not to nmap -sS',
    ]));
});

describe('bench: what is typed', () => {
  it('may name a range of ports, beside the number of turns', () => expect(portsFrom(['7', '--ports', '1-65535'])).to.deep.equal({ ports: '1-65535', words: ['7'] }));
  it('needs none', () => expect(portsFrom([])).to.deep.equal({ ports: '1-512', words: [] }));
  for (const bad of [['--ports', '0-9'], ['--ports', '9-8'], ['--ports', '1-65536'], ['--ports', '80'], ['--ports', '1-99999999'], ['--ports'], ['--fast']]) it(`is wrong: ${bad.join(' ')}`, () => expect(portsFrom(bad).words).to.equal(null));
});

describe('bench: turns', () => {
  it('begin each with another way, and end with the one that a stop came in', async () => {
    const [order, stop, told]: [string[], AbortController, number[]] = [[], new AbortController(), []];
    const way = (name: string) => async () => {
      order.push(name);
      if (order.length === 5) stop.abort();
    };
    const took = await inTurns({ a: way('a'), b: way('b') }, 9, stop.signal, (_turn, number) => told.push(number));
    expect({ order, told, turns: took.map((turn) => Object.keys(turn).toSorted()) }).to.deep.equal({ order: ['a', 'b', 'b', 'a', 'a'], told: [1, 2], turns: [['a', 'b'], ['a', 'b']] });
  });
});

describe('bench: the aims', () => {
  const rows: readonly (readonly [sentence: string, row: readonly string[], told: readonly string[]])[] = [
    ['met from below', aimed(aims.overLogin, 3), ['npm test / login', 'at most 3.0 x', '3.0 x', 'met']],
    ['missed from above', aimed(aims.overLogin, 19.5), ['npm test / login', 'at most 3.0 x', '19.5 x', 'missed by a factor of 6.5']],
    ['met from above', aimed(aims.sweepNmapOverUs, 14.8), ['nmap -sS / npm run sweep', 'at least 5.0 x', '14.8 x', 'met']],
    ['missed from below', aimed(aims.nmapOverUs, 4), ['nmap / npm test', 'at least 10.0 x', '4.0 x', 'missed by a factor of 2.5']],
  ];
  for (const [sentence, row, told] of rows) it(`are ${sentence}`, () => expect(row).to.deep.equal(told));
  it('are told with what takes longest', () => expect(longest(new Map([['start', [900, 100, 200]], ['look', [300, 400, 500]]]), [1_000, 1_100, 5_000])).to.equal('the longest part of npm test: "look", 0.40 s of 1.10 s'));
});
