// What nmap is asked in the bench: the same cells, in as few calls as ask no other, and what it found.
import { expect } from 'chai';
import { cellsOf, openOf, scansOf, words } from '../bench/nmap.ts';

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
