// Lines of /proc/net/nf_conntrack as the lab's kernels write them, and which of them show that a flow arrived.
import { expect } from 'chai';
import fc from 'fast-check';
import { findArrival, identity, parseEntries } from '../../lib/conntrack.ts';
import type { Flow } from '../../lib/model.ts';
import { aFlow } from '../fixtures/flows.ts';

const lines = {
  syn: 'ipv4     2 tcp      6 57 SYN_RECV src=172.22.22.2 dst=172.22.22.3 sport=41330 dport=25 src=172.22.22.3 dst=172.22.22.2 sport=25 dport=41330 mark=0 zone=0 use=2',
  udp: 'ipv4     2 udp      17 29 src=172.22.22.2 dst=172.22.22.3 sport=40001 dport=161 [UNREPLIED] src=172.22.22.3 dst=172.22.22.2 sport=161 dport=40001 mark=0 zone=0 use=2',
  echo: 'ipv4     2 icmp     1 29 src=172.22.22.2 dst=172.22.22.3 type=8 code=0 id=77 [UNREPLIED] src=172.22.22.3 dst=172.22.22.2 type=0 code=0 id=77 mark=0 use=2',
  ipv6: 'ipv6     10 tcp      6 57 SYN_RECV src=fe80:0000:0000:0000:045d:4eff:fe44:7d25 dst=fe80:0000:0000:0000:40ab:afff:fe7a:de5c sport=41330 dport=25 src=fe80:0000:0000:0000:40ab:afff:fe7a:de5c dst=fe80:0000:0000:0000:045d:4eff:fe44:7d25 sport=25 dport=41330 mark=0 zone=0 use=2',
  echo6: 'ipv6     10 icmpv6   58 29 src=fe80:0000:0000:0000:045d:4eff:fe44:7d25 dst=fe80:0000:0000:0000:40ab:afff:fe7a:de5c type=128 code=0 id=5 [UNREPLIED] src=fe80:0000:0000:0000:40ab:afff:fe7a:de5c dst=fe80:0000:0000:0000:045d:4eff:fe44:7d25 type=129 code=0 id=5 mark=0 use=2',
  masqueraded: 'ipv4     2 udp      17 29 src=172.22.22.4 dst=172.22.22.3 sport=40001 dport=161 [UNREPLIED] src=172.22.22.3 dst=172.22.22.4 sport=161 dport=40001 mark=0 zone=0 use=2',
  backwards: 'ipv4     2 tcp      6 97 TIME_WAIT src=172.22.22.3 dst=172.22.22.2 sport=25 dport=41330 src=172.22.22.2 dst=172.22.22.3 sport=41330 dport=25 [ASSURED] mark=0 zone=0 use=2',
} as const;

describe('conntrack: an entry', () => {
  const ll = { source: 'fe80::45d:4eff:fe44:7d25', destination: 'fe80::40ab:afff:fe7a:de5c' };
  const here = { source: '172.22.22.2', destination: '172.22.22.3' };
  const rows: readonly (readonly [keyof typeof lines, object])[] = [
    ['syn', { transport: 'tcp', ...here, sourcePort: 41330, port: 25, icmpType: null }],
    ['udp', { transport: 'udp', ...here, sourcePort: 40001, port: 161, icmpType: null }],
    ['echo', { transport: 'icmp', ...here, sourcePort: null, port: null, icmpType: 8 }],
    ['ipv6', { transport: 'tcp', ...ll, sourcePort: 41330, port: 25, icmpType: null }],
    ['echo6', { transport: 'icmp', ...ll, sourcePort: null, port: null, icmpType: 128 }],
  ];
  for (const [name, entry] of rows) it(`of kind ${name} is read in its original direction`, () => expect(parseEntries([lines[name]])[0]).to.deep.include(entry));
  it('is kept as a line without runs of blanks', () => expect(parseEntries([lines.syn])[0]?.line).to.match(/^ipv4 2 tcp 6 57 SYN_RECV src=/));
  it('is the same one when its state and its timer change', () => {
    const [before, after] = parseEntries([lines.syn, lines.syn.replace('57 SYN_RECV', '431999 ESTABLISHED').replace('mark=0', '[ASSURED] mark=0')]);
    expect(before && identity(before)).to.equal(after && identity(after));
  });
  it('is another one from another port', () => expect(new Set(parseEntries([lines.syn, lines.syn.replaceAll('41330', '41331')]).map(identity)).size).to.equal(2));
  it('of another kind, or cut off, is none', () =>
    expect(parseEntries(['', 'ipv4 2 gre 47 src=1.1.1.1 dst=2.2.2.2', 'ipv4 2 tcp 6 57 SYN_RECV src=1.1.1.1', 'ipv4 2 unknown 2 500 src=1.1.1.1 dst=2.2.2.2'])).to.deep.equal([]));
  it('of any text makes nothing throw', () => fc.assert(fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 4 }), (texts) => void parseEntries(texts))));
});

describe('conntrack: an arrival', () => {
  const joi = new Set(['172.22.22.2', 'fe80::45d:4eff:fe44:7d25']);
  const gateway = new Set(['172.22.22.4', '198.51.100.4']);
  const udp: Partial<Flow> = { transport: 'udp', port: 161, protocol: 'udp' };
  const icmp: Partial<Flow> = { transport: 'icmp', port: 0, protocol: 'icmp' };
  const ll = 'fe80::40ab:afff:fe7a:de5c%eth0';
  type Row = readonly [sentence: string, flow: Partial<Flow>, line: keyof typeof lines, given: Readonly<{ ports?: readonly number[]; known?: readonly string[] }>, found: boolean];
  const rows: readonly Row[] = [
    ['by a source port of ours', {}, 'syn', { ports: [41330] }, true],
    ['by a source port of ours though the entry was known', {}, 'syn', { ports: [41330], known: [lines.syn] }, true],
    ['by a new entry where the prober cannot know its ports', {}, 'syn', {}, true],
    ['by a new entry beside ports that are known', {}, 'syn', { ports: [50000] }, true],
    ['not by an entry from before the first probe', {}, 'syn', { known: [lines.syn] }, false],
    ['not by an entry from before that has changed since', {}, 'syn', { known: [lines.syn.replace('57 SYN_RECV', '9 CLOSE')] }, false],
    ['not by another port', { port: 26 }, 'syn', { ports: [41330] }, false],
    ['not by another transport', { transport: 'udp', port: 25 }, 'syn', { ports: [41330] }, false],
    ['not by another destination', { address: '172.22.22.1' }, 'syn', { ports: [41330] }, false],
    ['of a datagram that nobody answered', udp, 'udp', { ports: [40001] }, true],
    ['of an echo request', icmp, 'echo', {}, true],
    ['not of an echo request for a TCP flow', {}, 'echo', {}, false],
    ['of an echo request over IPv6, whatever its spelling', { ...icmp, address: ll }, 'echo6', {}, true],
    ['over IPv6, whatever its spelling and its scope', { address: ll }, 'ipv6', {}, true],
    ['under the gateway\'s address by a source port of ours', udp, 'masqueraded', { ports: [40001] }, true],
    ['not under the gateway\'s address by a new entry alone', udp, 'masqueraded', { ports: [40009] }, false],
    ['not by what the destination itself sent us', {}, 'backwards', { ports: [41330, 25] }, false],
    ['not by what the destination itself sent us, seen from its end', { address: '172.22.22.2', port: 41330 }, 'backwards', { ports: [25] }, false],
  ];
  for (const [sentence, flow, line, { ports = [], known = [] }, found] of rows)
    it(sentence, () => {
      const given = { sources: joi, translators: gateway, sourcePorts: new Set(ports), known: new Set(parseEntries(known).map(identity)) };
      expect(findArrival(aFlow(flow), parseEntries([lines[line]]), given) !== null).to.equal(found);
    });
  it('is none of a flow without an address', () =>
    expect(findArrival(aFlow({ address: null }), parseEntries([lines.syn]), { sources: joi, translators: gateway, sourcePorts: new Set([41330]), known: new Set() })).to.equal(null));
});
