// What a prober said -> what was seen: every errno, every ICMP error, and tries that differ.
import { expect } from 'chai';
import fc from 'fast-check';
import type { Failure, Flow, Reply, Route } from '../../lib/model.ts';
import { readOutcome } from '../../lib/outcome.ts';
import { aFlow, token } from '../fixtures/flows.ts';

type Asked = Readonly<{ flow?: Partial<Flow>; address?: string; send?: string; failure?: Failure; hasFamily?: boolean }>;
type Row = readonly [sentence: string, replies: readonly Reply[], asked: Asked, seen: string, detail?: RegExp];

const sent = (number = 1): Reply => ({ event: 'sent', try: number, sourcePort: 40_000 + number, ms: 0 });
const connected: Reply = { event: 'connected', try: 1, ms: 2.5 };
const data = (hex: string, number = 1): Reply => ({ event: 'data', try: number, hex, ms: 3.5, from: '172.22.22.3' });
const error = (errno: string, operation = 'connect', number = 1): Reply => ({ event: 'error', try: number, errno, operation });
const icmp = (type: number, code: number, from = '172.22.22.3', version: 4 | 6 = 4, number = 1): Reply => ({ event: 'icmp', try: number, version, type, code, from });

const udp: Partial<Flow> = { transport: 'udp', port: 161, protocol: 'udp' };
const ntp: Partial<Flow> = { transport: 'udp', port: 123, protocol: 'ntp' };
const route = (kind: Route['kind']): Asked => ({ flow: { route: { destination: '172.22.22.3/32', kind } } });
const ipv6: Asked = { flow: { address: 'fd00::3' }, address: 'fd00::3' };
const echoed = Buffer.concat([Buffer.from('flowproof '), Buffer.from(token, 'hex')]).toString('hex');
const failure: Failure = { operation: 'exchange', cause: 'the prober ended, or the connection to it broke' };

function outcomeOf(replies: readonly Reply[], { flow = {}, address = '172.22.22.3', send = '', failure: why, hasFamily = true }: Asked): ReturnType<typeof readOutcome> {
  return readOutcome({ flow: aFlow({ address, ...flow }), address, token, send, hasFamily }, replies, why ?? null);
}

function holds(rows: readonly Row[]): void {
  for (const [sentence, replies, asked, seen, detail] of rows)
    it(`${sentence} is ${seen}`, () => {
      const outcome = outcomeOf(replies, asked);
      expect(outcome.seen, JSON.stringify(outcome)).to.equal(seen);
      if (detail !== undefined) expect(JSON.stringify(outcome)).to.match(detail);
    });
}

describe('outcome: an answer outweighs everything', () => {
  holds([
    ['a handshake where nothing is sent', [sent(), connected], {}, 'answered', /TCP handshake.*2\.5/],
    ['a handshake that was reset before the prober had looked', [sent(), error('ECONNRESET', 'connect')], {}, 'answered', /TCP handshake, and a reset/],
    ['the same where a question was to be sent', [sent(), error('ECONNRESET', 'connect')], { flow: { protocol: 'tls' }, send: '16' }, 'garbled', /nothing answers in tls/],
    ['a handshake and no word where a question was sent', [sent(), connected], { flow: { protocol: 'tls' }, send: '16' }, 'garbled', /nothing answers in tls/],
    ['a handshake and a close where a question was sent', [sent(), connected, { event: 'closed', try: 1 }], { flow: { protocol: 'tls' }, send: '16' }, 'garbled'],
    ['a handshake and a reset where a question was sent', [sent(), connected, error('ECONNRESET', 'read')], { flow: { protocol: 'tls' }, send: '16' }, 'garbled'],
    ['our token', [sent(), data(echoed)], { flow: udp, send: '00' }, 'answered', /3\.5/],
    ['another protocol', [sent(), data('00')], { flow: ntp, send: '00' }, 'garbled', /1 bytes/],
    ['one answer in three tries', [sent(1), sent(2), sent(3), data(echoed, 2)], { flow: udp, send: '00' }, 'answered'],
    ['one answer beside two refusals', [sent(1), error('ECONNREFUSED', 'read'), sent(2), data(echoed, 2), error('ECONNREFUSED', 'read', 3)], { flow: udp, send: '00' }, 'answered'],
    ['a right answer after a wrong one', [sent(1), data('00'), data(echoed, 2)], { flow: udp, send: '00' }, 'answered'],
    ['an answer before the prober was lost', [sent(), data(echoed)], { flow: udp, send: '00', failure }, 'answered'],
    ['an answer that comes late', [sent(1), sent(2), sent(3), { ...data(echoed, 3), ms: 2999 } as Reply], { flow: udp, send: '00' }, 'answered', /2999/],
    ['an answer beside a failed try', [sent(), data(echoed), { event: 'unprobed', errno: 'EMFILE', operation: 'socket' }], { flow: udp, send: '00' }, 'answered'],
    ['an empty datagram', [sent(), data('')], { flow: udp, send: '00' }, 'garbled'],
  ]);
});

describe('outcome: a failed look outweighs every kind of "blocked"', () => {
  holds([
    ['no reply at all', [], {}, 'unprobed', /sent nothing/],
    ['a lost prober', [sent()], { failure }, 'unprobed', /connection to it broke/],
    ['a lost prober after a refusal', [sent(), error('ECONNREFUSED')], { failure }, 'unprobed'],
    ['a lost prober after EPERM', [sent(), error('EPERM', 'send')], { flow: udp, failure }, 'unprobed'],
    ['a prober without descriptors', [{ event: 'unprobed', errno: 'EMFILE', operation: 'socket' }], {}, 'unprobed', /socket: EMFILE/],
    ['a failed try beside a silent one', [sent(1), { event: 'unprobed', errno: 'EMFILE', operation: 'socket' }], {}, 'unprobed'],
    ['a failed try beside a barred one', [sent(1), error('EPERM', 'send'), { event: 'unprobed', errno: 'ENOBUFS', operation: 'send' }], { flow: udp }, 'unprobed'],
    ...['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EADDRINUSE', 'EAGAIN', 'EIO', 'E9999', 'UNKNOWN'].map((errno): Row => [`${errno} on connect`, [sent(), error(errno)], {}, 'unprobed']),
    ...['EMFILE', 'EADDRINUSE', 'EACCES', 'EPERM', 'ECONNREFUSED', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'].flatMap((errno): Row[] => [
      [`${errno} on bind`, [error(errno, 'bind')], {}, 'unprobed'],
      [`${errno} on socket`, [error(errno, 'socket')], {}, 'unprobed'],
    ]),
    ['an unknown errno beside a refusal', [sent(1), error('ECONNREFUSED'), sent(2), error('EIO', 'connect', 2)], {}, 'unprobed', /EIO/],
    ['EPERM on a socket of a family that the source lacks', [error('EPERM', 'socket')], { ...ipv6, hasFamily: false }, 'unprobed'],
    ['EACCES without a prohibit route', [sent(), error('EACCES')], route('unicast'), 'unprobed'],
    ['EINVAL without a blackhole route', [sent(), error('EINVAL')], route('unicast'), 'unprobed'],
    ['EADDRNOTAVAIL where the source has such an address', [sent(), error('EADDRNOTAVAIL')], {}, 'unprobed'],
    ['EAFNOSUPPORT where the source has such an address', [sent(), error('EAFNOSUPPORT')], {}, 'unprobed'],
  ]);
});

describe('outcome: an errno', () => {
  holds([
    ['three tries and no word', [sent(1), sent(2), sent(3)], {}, 'silent'],
    ['ETIMEDOUT', [sent(), error('ETIMEDOUT')], {}, 'silent'],
    ['EPERM on send', [sent(), error('EPERM', 'send')], { flow: udp }, 'barred', /EPERM on send/],
    ['EPERM on every try', [sent(1), error('EPERM', 'send'), sent(2), error('EPERM', 'send', 2)], { flow: udp }, 'barred'],
    ['ECONNREFUSED on TCP', [sent(), error('ECONNREFUSED')], {}, 'refused', /rst/],
    ['ECONNREFUSED on UDP', [sent(), error('ECONNREFUSED', 'read')], { flow: udp }, 'refused', /port-unreachable/],
    ['ENETUNREACH', [sent(), error('ENETUNREACH')], {}, 'unrouted', /no route/],
    ['EHOSTUNREACH', [sent(), error('EHOSTUNREACH')], {}, 'dead', /neighbour/],
    ['EHOSTUNREACH by an unreachable route', [sent(), error('EHOSTUNREACH')], route('unreachable'), 'unrouted', /unreachable route/],
    ['EACCES by a prohibit route', [sent(), error('EACCES')], route('prohibit'), 'unrouted', /prohibit/],
    ['EINVAL by a blackhole route', [sent(), error('EINVAL')], route('blackhole'), 'unrouted', /blackhole/],
    ['EADDRNOTAVAIL where the source has no such address', [error('EADDRNOTAVAIL')], { ...ipv6, hasFamily: false }, 'absent', /EADDRNOTAVAIL/],
    ['EAFNOSUPPORT on socket where the source has no such address', [error('EAFNOSUPPORT', 'socket')], { ...ipv6, hasFamily: false }, 'absent'],
  ]);
});

describe('outcome: an ICMP error', () => {
  holds([
    ['port unreachable from the target', [sent(), icmp(3, 3)], { flow: udp }, 'refused', /port-unreachable/],
    ['port unreachable from another', [sent(), icmp(3, 3, '172.22.22.4')], { flow: udp }, 'rejected', /172\.22\.22\.4.*false/],
    ...[9, 10, 13].map((code): Row => [`code ${code}`, [sent(), icmp(3, code, '172.22.22.4')], {}, 'rejected', /"prohibited":true/]),
    ...[0, 1, 5, 6, 7].map((code): Row => [`code ${code}`, [sent(), icmp(3, code, '172.22.22.4')], {}, 'dead', /172\.22\.22\.4/]),
    ['protocol unreachable', [sent(), icmp(3, 2)], {}, 'rejected', /"prohibited":false/],
    ['port unreachable over IPv6', [sent(), icmp(1, 4, 'fd00::3', 6)], { ...ipv6, flow: { ...udp, address: 'fd00::3' } }, 'refused'],
    ['port unreachable over IPv6 from another', [sent(), icmp(1, 4, 'fd00::4', 6)], { ...ipv6, flow: { ...udp, address: 'fd00::3' } }, 'rejected'],
    ['port unreachable from a scoped target', [sent(), icmp(1, 4, 'fe80::3', 6)], { address: 'fe80::3%eth0', flow: udp }, 'refused'],
    ['port unreachable from a target in another spelling', [sent(), icmp(1, 4, 'fd00::3', 6)], { address: 'FD00:0:0::3', flow: udp }, 'refused'],
    ...[1, 5, 6].map((code): Row => [`code ${code} over IPv6`, [sent(), icmp(1, code, 'fd00::4', 6)], ipv6, 'rejected', /ICMPv6.*"prohibited":true/]),
    ...[0, 3].map((code): Row => [`code ${code} over IPv6`, [sent(), icmp(1, code, 'fd00::4', 6)], ipv6, 'dead']),
    ['an ICMP error before its errno', [sent(), icmp(3, 13, '172.22.22.4'), error('EHOSTUNREACH')], {}, 'rejected'],
    ['an ICMP error after its errno', [sent(), error('EHOSTUNREACH'), icmp(3, 13, '172.22.22.4')], {}, 'rejected'],
    ['port unreachable from another beside its ECONNREFUSED', [sent(), icmp(3, 3, '172.22.22.4'), error('ECONNREFUSED')], {}, 'rejected'],
  ]);
});

describe('outcome: where tries differ, the one that came furthest counts', () => {
  holds([
    ['a refusal after a dead neighbour', [sent(1), error('EHOSTUNREACH'), sent(2), error('ECONNREFUSED', 'connect', 2)], {}, 'refused'],
    ['a refusal after EPERM', [sent(1), error('EPERM', 'send'), sent(2), error('ECONNREFUSED', 'read', 2)], { flow: udp }, 'refused'],
    ['a rejection after silence', [sent(1), sent(2), icmp(3, 13, '172.22.22.4', 4, 2)], {}, 'rejected'],
    ['a refusal after silence', [sent(1), sent(2), error('ECONNREFUSED', 'read', 2)], { flow: udp }, 'refused'],
    ['EPERM after a try that left', [sent(1), sent(2), error('EPERM', 'send', 2)], { flow: udp }, 'silent'],
    ['EPERM before a try that left', [sent(1), error('EPERM', 'send', 1), sent(2)], { flow: udp }, 'silent'],
    ['EPERM after a dead neighbour, whom a try went out to look for', [sent(1), error('EHOSTUNREACH'), sent(2), error('EPERM', 'send', 2)], { flow: udp }, 'dead'],
  ]);
});

describe('outcome: whatever a prober says', () => {
  const word = fc.constantFrom('EPERM', 'ECONNREFUSED', 'EACCES', 'EINVAL', 'EMFILE', 'ETIMEDOUT', 'EHOSTUNREACH', 'EADDRNOTAVAIL', 'X');
  const operation = fc.constantFrom('connect', 'send', 'read', 'bind', 'socket', 'nc');
  const number = fc.integer({ min: 1, max: 4 });
  const reply: fc.Arbitrary<Reply> = fc.oneof(
    fc.record({ event: fc.constant('sent' as const), try: number, sourcePort: fc.option(fc.nat(65_535)), ms: fc.option(fc.double()) }),
    fc.record({ event: fc.constant('connected' as const), try: number, ms: fc.option(fc.double()) }),
    fc.record({ event: fc.constant('data' as const), try: number, hex: fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes).toString('hex')), ms: fc.option(fc.double()), from: fc.constant(null) }),
    fc.record({ event: fc.constant('error' as const), try: number, errno: word, operation }),
    fc.record({ event: fc.constant('icmp' as const), try: number, version: fc.constantFrom(4 as const, 6 as const), type: fc.nat(255), code: fc.nat(255), from: fc.oneof(fc.ipV4(), fc.ipV6()) }),
    fc.record({ event: fc.constant('unprobed' as const), errno: word, operation }),
  );
  const replies = fc.array(reply, { maxLength: 8 });
  const flows = fc.constantFrom<Partial<Flow>>({}, udp, ntp, { protocol: 'tls' }, { protocol: 'dns', transport: 'udp' }, { protocol: 'icmp', transport: 'icmp' });

  it('it never throws, and only what came back is an answer', () => fc.assert(fc.property(replies, flows, fc.boolean(), (said, flow, hasFamily) => {
    const { seen } = outcomeOf(said, { flow, send: '00', hasFamily });
    if (seen === 'answered' || seen === 'garbled') expect(said.some(({ event }) => event === 'data' || event === 'connected')).to.equal(true);
  })));
  it('a lost prober leaves an answer or nothing', () => fc.assert(fc.property(replies, flows, (said, flow) => {
    expect(outcomeOf(said, { flow, send: '00', failure }).seen).to.be.oneOf(['answered', 'garbled', 'unprobed']);
  })));
});
