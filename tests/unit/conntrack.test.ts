// Lines of /proc/net/nf_conntrack as the lab's kernels write them, and which of them show that a flow arrived.
import { expect } from 'chai';
import fc from 'fast-check';
import { findArrival, isLive, knownEntries, parseEntries as parse, type Entry, type Ours } from '../../lib/conntrack.ts';
import type { Flow } from '../../lib/model.ts';
import { aFlow } from '../fixtures/flows.ts';

const lines = {
  syn: 'ipv4     2 tcp      6 57 SYN_RECV src=172.22.22.2 dst=172.22.22.3 sport=41330 dport=25 src=172.22.22.3 dst=172.22.22.2 sport=25 dport=41330 mark=0 zone=0 use=2',
  low: 'ipv4     2 tcp      6 57 SYN_RECV src=172.22.22.2 dst=172.22.22.3 sport=53 dport=25 src=172.22.22.3 dst=172.22.22.2 sport=25 dport=53 mark=0 zone=0 use=2',
  udp: 'ipv4     2 udp      17 29 src=172.22.22.2 dst=172.22.22.3 sport=40001 dport=161 [UNREPLIED] src=172.22.22.3 dst=172.22.22.2 sport=161 dport=40001 mark=0 zone=0 use=2',
  echo: 'ipv4     2 icmp     1 29 src=172.22.22.2 dst=172.22.22.3 type=8 code=0 id=77 [UNREPLIED] src=172.22.22.3 dst=172.22.22.2 type=0 code=0 id=77 mark=0 use=2',
  ipv6: 'ipv6     10 tcp      6 57 SYN_RECV src=fe80:0000:0000:0000:045d:4eff:fe44:7d25 dst=fe80:0000:0000:0000:40ab:afff:fe7a:de5c sport=41330 dport=25 src=fe80:0000:0000:0000:40ab:afff:fe7a:de5c dst=fe80:0000:0000:0000:045d:4eff:fe44:7d25 sport=25 dport=41330 mark=0 zone=0 use=2',
  echo6: 'ipv6     10 icmpv6   58 29 src=fe80:0000:0000:0000:045d:4eff:fe44:7d25 dst=fe80:0000:0000:0000:40ab:afff:fe7a:de5c type=128 code=0 id=5 [UNREPLIED] src=fe80:0000:0000:0000:40ab:afff:fe7a:de5c dst=fe80:0000:0000:0000:045d:4eff:fe44:7d25 type=129 code=0 id=5 mark=0 use=2',
  masqueraded: 'ipv4     2 udp      17 29 src=172.22.22.4 dst=172.22.22.3 sport=40001 dport=161 [UNREPLIED] src=172.22.22.3 dst=172.22.22.4 sport=161 dport=40001 mark=0 zone=0 use=2',
  gre: 'ipv4     2 gre      47 29 timeout=30, stream_timeout=180 src=172.22.22.2 dst=172.22.22.3 srckey=0x0 dstkey=0x0 [UNREPLIED] src=172.22.22.3 dst=172.22.22.2 srckey=0x0 dstkey=0x0 mark=0 zone=0 use=2',
  ipip: 'ipv4     2 unknown  4 599 src=172.22.22.2 dst=172.22.22.3 [UNREPLIED] src=172.22.22.3 dst=172.22.22.2 mark=0 zone=0 use=2',
  sctp: 'ipv4     2 sctp     132 9 COOKIE_WAIT src=172.22.22.2 dst=172.22.22.3 sport=9 dport=9 [UNREPLIED] src=172.22.22.3 dst=172.22.22.2 sport=9 dport=9 mark=0 zone=0 use=2',
  backwards: 'ipv4     2 tcp      6 97 TIME_WAIT src=172.22.22.3 dst=172.22.22.2 sport=25 dport=41330 src=172.22.22.2 dst=172.22.22.3 sport=41330 dport=25 [ASSURED] mark=0 zone=0 use=2',
} as const;

const parseEntries = (rows: readonly string[], atMs = 0): readonly Entry[] => parse({ atMs, rows });

describe('conntrack: an entry', () => {
  const ll = { source: 'fe80::45d:4eff:fe44:7d25', destination: 'fe80::40ab:afff:fe7a:de5c' };
  const here = { source: '172.22.22.2', destination: '172.22.22.3' };
  const rows: readonly (readonly [keyof typeof lines, object])[] = [
    ['syn', { transport: 'tcp', ...here, sourcePort: 41330, port: 25, icmpType: null }],
    ['udp', { transport: 'udp', ...here, sourcePort: 40001, port: 161, icmpType: null }],
    ['echo', { transport: 'icmp', ...here, sourcePort: 77, port: null, icmpType: 8 }],
    ['ipv6', { transport: 'tcp', ...ll, sourcePort: 41330, port: 25, icmpType: null }],
    ['echo6', { transport: 'icmp', ...ll, sourcePort: 5, port: null, icmpType: 128 }],
    ['gre', { transport: 'ip', ...here, sourcePort: null, port: 47, replied: false, state: null }],
    ['ipip', { transport: 'ip', ...here, sourcePort: null, port: 4 }],
    ['sctp', { transport: 'ip', ...here, sourcePort: 9, port: 132, state: 'COOKIE_WAIT' }],
  ];
  for (const [name, entry] of rows) it(`of kind ${name} is read in its original direction`, () => expect(parseEntries([lines[name]])[0]).to.deep.include(entry));
  it('is kept as a line without runs of blanks', () => expect(parseEntries([lines.syn])[0]?.line).to.match(/^ipv4 2 tcp 6 57 SYN_RECV src=/));
  it('is the same one when its state and its timer change', () => expect(knownEntries({ atMs: 0, rows: [lines.syn, lines.syn.replace('57 SYN_RECV', '431999 ESTABLISHED').replace('mark=0', '[ASSURED] mark=0')] }).size).to.equal(1));
  it('is another one from another port', () => expect(knownEntries({ atMs: 0, rows: [lines.syn, lines.syn.replaceAll('41330', '41331')] }).size).to.equal(2));
  it('is forgotten when its timer has run down', () => expect(parseEntries([lines.syn], 1_000)[0]?.expiresMs).to.equal(58_000));
  it('that is cut off is none', () => expect(parseEntries(['', 'ipv4 2 gre 47 src=1.1.1.1 dst=2.2.2.2', 'ipv4 2 tcp 6 57 SYN_RECV src=1.1.1.1'])).to.deep.equal([]));
  it('of any text makes nothing throw', () => fc.assert(fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 4 }), (texts) => void parseEntries(texts, 0))));
});

describe('conntrack: an arrival', () => {
  const joi = new Set(['172.22.22.2', 'fe80::45d:4eff:fe44:7d25']);
  const gateway = new Set(['172.22.22.4', '198.51.100.4']);
  const udp: Partial<Flow> = { transport: 'udp', port: 161, protocol: 'udp' };
  const gre: Partial<Flow> = { transport: 'ip', port: 47, protocol: 'ip' };
  const icmp: Partial<Flow> = { transport: 'icmp', port: 0, protocol: 'icmp' };
  const through: Flow['route'] = { destination: '0.0.0.0/0', kind: 'unicast', via: '172.22.22.4', interface: 'eth0' };
  const ll = 'fe80::40ab:afff:fe7a:de5c%eth0';
  type Row = readonly [sentence: string, flow: Partial<Flow>, line: keyof typeof lines, given: Readonly<{ ports?: readonly number[]; known?: readonly string[]; others?: readonly number[] }>, found: boolean];
  const rows: readonly Row[] = [
    ['by a source port of ours', {}, 'syn', { ports: [41330] }, true],
    ['not by a source port of ours whose entry was known and has not been touched since', {}, 'syn', { ports: [41330], known: [lines.syn] }, false],
    ['by a source port of ours whose entry was known and has been set back', {}, 'syn', { ports: [41330], known: [lines.syn.replace(' 57 ', ' 40 ')] }, true],
    ['by a new entry where the prober cannot know its ports', {}, 'syn', {}, true],
    ['not by a new entry of a port that a packet of another vantage was given: the source has passed it on under its own address', udp, 'udp', { others: [40001] }, false],
    ['not by a new entry beside ports that are known', {}, 'syn', { ports: [50000] }, false],
    ['not by a new entry from a port that no socket is given by chance', {}, 'low', {}, false],
    ['by a packet of an IP protocol without ports', gre, 'gre', {}, true],
    ['not by one of another IP protocol', { ...gre, port: 4 }, 'gre', {}, false],
    ['of an echo request with our identifier', { transport: 'icmp', port: 0, protocol: 'icmp' }, 'echo', { ports: [77] }, true],
    ['not of an echo request with another identifier', { transport: 'icmp', port: 0, protocol: 'icmp' }, 'echo', { ports: [78] }, false],
    ['not by an entry from before the first probe', {}, 'syn', { known: [lines.syn] }, false],
    ['by an entry from before that has been set back, where the prober cannot know its ports', {}, 'syn', { known: [lines.syn.replace('57 SYN_RECV', '9 CLOSE')] }, true],
    ['not by another port', { port: 26 }, 'syn', { ports: [41330] }, false],
    ['not by another transport', { transport: 'udp', port: 25 }, 'syn', { ports: [41330] }, false],
    ['not by another destination', { address: '172.22.22.1' }, 'syn', { ports: [41330] }, false],
    ['of a datagram that nobody answered', udp, 'udp', { ports: [40001] }, true],
    ['of an echo request', icmp, 'echo', {}, true],
    ['not of an echo request for a TCP flow', {}, 'echo', {}, false],
    ['of an echo request over IPv6, whatever its spelling', { ...icmp, address: ll }, 'echo6', {}, true],
    ['over IPv6, whatever its spelling and its scope', { address: ll }, 'ipv6', {}, true],
    ['under the gateway\'s address by a source port of ours', { ...udp, route: through }, 'masqueraded', { ports: [40001] }, true],
    ['not under the gateway\'s address by a new entry alone', { ...udp, route: through }, 'masqueraded', { ports: [40009] }, false],
    ['not by an entry of the gateway\'s own that has one of our ports, on the link itself', udp, 'masqueraded', { ports: [40001] }, false],
    ['not by an entry of the gateway\'s own that was there before and has one of our ports', { ...udp, route: through }, 'masqueraded', { ports: [40001], known: [lines.masqueraded] }, false],
    ['not by what the destination itself sent us', {}, 'backwards', { ports: [41330, 25] }, false],
    ['not by what the destination itself sent us, seen from its end', { address: '172.22.22.2', port: 41330 }, 'backwards', { ports: [25] }, false],
  ];
  for (const [sentence, flow, line, { ports = [], known = [], others = [] }, found] of rows)
    it(sentence, () => {
      const given = { sources: joi, translators: gateway, sourcePorts: new Set(ports), others: new Set(others) };
      expect(findArrival(aFlow(flow), parseEntries([lines[line]]), given, knownEntries({ atMs: 0, rows: known })) !== null).to.equal(found);
    });
  it('is none of a flow without an address', () =>
    expect(findArrival(aFlow({ address: null }), parseEntries([lines.syn]), { sources: joi, translators: gateway, sourcePorts: new Set([41330]), others: new Set<number>() }, new Map())).to.equal(null));
  it('under any address is believed by our source port alone, where the translator is not known', () => {
    const given = (port: number): Ours => ({ sources: joi, translators: null, sourcePorts: new Set([port]), others: new Set() });
    expect(findArrival(aFlow({ ...udp, route: through }), parseEntries([lines.masqueraded]), given(40001), new Map())).to.not.equal(null);
    expect(findArrival(aFlow({ ...udp, route: through }), parseEntries([lines.masqueraded]), given(40002), new Map())).to.equal(null);
  });
});

describe('conntrack: a connection lives', () => {
  const live = (line: string): boolean => isLive(parseEntries([line])[0] as Entry);
  it('over TCP while it is established', () => {
    expect(live(lines.syn.replace('SYN_RECV', 'ESTABLISHED'))).to.equal(true);
    for (const state of ['SYN_SENT', 'SYN_RECV', 'TIME_WAIT', 'CLOSE']) expect(live(lines.syn.replace('SYN_RECV', state)), state).to.equal(false);
  });
  it('over UDP once there was a reply', () => {
    expect(live(lines.udp)).to.equal(false);
    expect(live(lines.udp.replace('[UNREPLIED] ', ''))).to.equal(true);
  });
});
