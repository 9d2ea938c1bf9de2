// The line protocol: commands out, events in. A prober may stand on a hostile machine, so most of these lines are wrong.
import { isIP } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Exchange, Frame, RawLook, Scan, SweepLook } from '../../lib/model.ts';
import { exchangeCommand, frameCommand, listenCommand, parseLine, rawCommand, scanCommand, sweepCommand, type Line } from '../../lib/wire.ts';

const exchange: Exchange = { transport: 'tcp', address: '172.22.22.3', port: 25, sourcePort: 0, send: '', attempts: 3, intervalMs: 150, windowMs: 700 };

describe('wire: a command', () => {
  const rows: readonly (readonly [string, Partial<Exchange>, string])[] = [
    ['that sends nothing has a dash for its bytes', {}, '7 tcp 172.22.22.3 25 0 - 3 150 700'],
    ['with bytes has them in hex', { transport: 'udp', port: 67, sourcePort: 68, send: '0aff' }, '7 udp 172.22.22.3 67 68 0aff 3 150 700'],
    ['to a scoped address keeps the scope', { address: 'fe80::1%eth0' }, '7 tcp fe80::1%eth0 25 0 - 3 150 700'],
    ['for an echo with no bytes has a dash too', { transport: 'icmp', port: 0 }, '7 icmp 172.22.22.3 - 3 150 700'],
    ['for an echo has no ports', { transport: 'icmp', port: 0, send: '00ff' }, '7 icmp 172.22.22.3 00ff 3 150 700'],
  ];
  for (const [sentence, over, line] of rows) it(sentence, () => expect(exchangeCommand(7, { ...exchange, ...over })).to.equal(line));
});

describe('wire: a datagram that is known to be let out', () => {
  it('is marked, so that the prober need not find out', () => expect(exchangeCommand(7, { ...exchange, transport: 'udp', send: '00' }, true)).to.equal('7 udp 172.22.22.3 25 0 00 =3 150 700'));
});

describe('wire: a scan', () => {
  const scan: Scan = { transport: 'tcp', windowMs: 300, places: [{ sourcePort: 0, address: '172.22.22.3', port: 25 }, { sourcePort: 53, address: 'fe80::1%eth0', port: 80 }] };
  it('is its transport, its window, and each place with its own port', () => expect(scanCommand(7, scan)).to.equal('7 scan tcp 300 0 172.22.22.3 25 53 fe80::1%eth0 80'));
});

describe('wire: a packet of our own', () => {
  const timing = { attempts: 3, intervalMs: 150, windowMs: 700 };
  const raw: RawLook = { address: 'fe80::1%eth0', ipProtocol: 6, payload: '00ff', ...timing };
  const frame: Frame = { device: 'eth0', mac: '02:00:00:00:00:0a', packet: '45ff', ...timing };
  it('through the firewall has its protocol by number', () => expect(rawCommand(7, raw)).to.equal('7 raw fe80::1%eth0 6 00ff 3 150 700'));
  it('through the firewall without bytes has a dash for them', () => expect(rawCommand(7, { ...raw, payload: '' })).to.equal('7 raw fe80::1%eth0 6 - 3 150 700'));
  it('past the firewall has its device, the neighbour and all its bytes', () => expect(frameCommand(7, frame)).to.equal('7 frame eth0 02:00:00:00:00:0a 45ff 3 150 700'));
});

describe('wire: a sweep', () => {
  const range: SweepLook = { transport: 'udp', address: 'fe80::1%eth0', first: 1, last: 65_535, sourcePort: 21_000, attempts: 3, rate: 1_000, windowMs: 700, past: null };
  it('is its transport, its range, its port and its pace', () => expect(sweepCommand(7, range)).to.equal('7 sweep udp fe80::1%eth0 1 65535 21000 3 1000 700'));
  it('past the firewall is a frame, its range and its pace', () =>
    expect(sweepCommand(7, { ...range, past: { device: 'eth0', mac: '02:00:00:00:00:0a', packet: '45ff' } })).to.equal('7 sweep-past eth0 02:00:00:00:00:0a 45ff 1 65535 3 1000 700'));
});

describe('wire: a listener', () => {
  it('has its one address, its time and those whom it hears', () =>
    expect(listenCommand(7, { id: 'l', host: 'joi', transport: 'tcp', address: 'fe80::2%eth0', port: 25 }, ['172.22.22.1', 'fe80::1'], 60_000)).to.equal('7 listen tcp fe80::2%eth0 25 60000 172.22.22.1,fe80::1'));
});

describe('wire: a line that fits', () => {
  const rows: readonly (readonly [string, Line])[] = [
    ['1 sent 1 41330 0.041', { id: 1, is: 'reply', reply: { event: 'sent', try: 1, sourcePort: 41330, ms: 0.041 } }],
    ['1 sent 2 - 330', { id: 1, is: 'reply', reply: { event: 'sent', try: 2, sourcePort: null, ms: 330 } }],
    ['1 connected 1 2.5', { id: 1, is: 'reply', reply: { event: 'connected', try: 1, ms: 2.5 } }],
    ['1 connected 1 -', { id: 1, is: 'reply', reply: { event: 'connected', try: 1, ms: null } }],
    ['1 data 3 0aff 9.9 10.0.0.1', { id: 1, is: 'reply', reply: { event: 'data', try: 3, hex: '0aff', ms: 9.9, from: '10.0.0.1' } }],
    ['1 data 1 - 9.9 fe80::1%eth0', { id: 1, is: 'reply', reply: { event: 'data', try: 1, hex: '', ms: 9.9, from: 'fe80::1%eth0' } }],
    ['1 listening', { id: 1, is: 'listening' }],
    ['1 arrived 10.0.0.1 41330 0aff', { id: 1, is: 'arrival', arrival: { how: 'arrived', source: '10.0.0.1', sourcePort: 41330, hex: '0aff' } }],
    ['1 arrived fe80::1%eth0 41330 -', { id: 1, is: 'arrival', arrival: { how: 'arrived', source: 'fe80::1%eth0', sourcePort: 41330, hex: '' } }],
    ['1 half 10.0.0.1 41330', { id: 1, is: 'arrival', arrival: { how: 'half', source: '10.0.0.1', sourcePort: 41330, hex: '' } }],
    ['1 closed 1', { id: 1, is: 'reply', reply: { event: 'closed', try: 1 } }],
    ['1 error 1 ECONNREFUSED connect', { id: 1, is: 'reply', reply: { event: 'error', try: 1, errno: 'ECONNREFUSED', operation: 'connect' } }],
    ['1 error 1 UNKNOWN nc 6e633a', { id: 1, is: 'reply', reply: { event: 'error', try: 1, errno: 'UNKNOWN', operation: 'nc' } }],
    ['1 icmp 1 4 3 13 172.22.22.4', { id: 1, is: 'reply', reply: { event: 'icmp', try: 1, version: 4, type: 3, code: 13, from: '172.22.22.4' } }],
    ['1 icmp 1 6 1 4 fd00::3', { id: 1, is: 'reply', reply: { event: 'icmp', try: 1, version: 6, type: 1, code: 4, from: 'fd00::3' } }],
    ['1 unprobed EMFILE socket', { id: 1, is: 'reply', reply: { event: 'unprobed', errno: 'EMFILE', operation: 'socket' } }],
    ['1 fact routes4 6869', { id: 1, is: 'fact', name: 'routes4', text: 'hi' }],
    ['1 row 7372633d', { id: 1, is: 'row', text: 'src=' }],
    ['1 begun', { id: 1, is: 'begun' }],
    ['1 at 10.0.0.1 25 silent', { id: 1, is: 'at', place: '10.0.0.1 25', state: 'silent' }],
    ['1 at fe80::1%eth0 25 error-EPERM', { id: 1, is: 'at', place: 'fe80::1%eth0 25', state: 'error-EPERM' }],
    ['1 ports 22 22 open', { id: 1, is: 'ports', first: 22, last: 22, state: 'open' }],
    ['1 ports 1 65535 error-EHOSTUNREACH', { id: 1, is: 'ports', first: 1, last: 65_535, state: 'error-EHOSTUNREACH' }],
    ['1 silent 0', { id: 1, is: 'count', of: 'silent', count: 0 }],
    ['1 swept 196605', { id: 1, is: 'count', of: 'swept', count: 196_605 }],
    ['4294 end', { id: 4294, is: 'end' }],
  ];
  for (const [line, parsed] of rows) it(line, () => expect(parseLine(line)).to.deep.equal(parsed));
});

describe('wire: a line that does not fit is no event', () => {
  const rows: readonly (readonly [sentence: string, line: string])[] = [
    ['nothing', ''], ['a banner', 'Welcome to Ubuntu 24.04'], ['no id', 'end'], ['a negative id', '-1 end'], ['an id in hex', '0x1 end'],
    ['an id longer than any', '9999999999 end'], ['an id with an escape', '\u001b[31m1 end'], ['an id with a leading space', ' 1 end'], ['an end with more', '1 end 2'],
    ['an unknown event', '1 open 1'], ['an event in capitals', '1 SENT 1 2 3'], ['a malformed command', '1 malformed 00'], ['two spaces', '1  end'],
    ['a try of zero', '1 closed 0'], ['a negative try', '1 closed -1'], ['a try that is none', '1 closed x'], ['a huge try', '1 closed 99999999999999999999'],
    ['no source port', '1 sent 1'], ['a source port that is none', '1 sent 1 x 2'], ['a time that is none', '1 sent 1 2 NaN'], ['a negative time', '1 sent 1 2 -3'],
    ['a time with an exponent', '1 connected 1 1e9'], ['an infinite time', '1 connected 1 Infinity'],
    ['odd hex', '1 data 1 0af 2 10.0.0.1'], ['hex in capitals', '1 data 1 0AFF 2 10.0.0.1'], ['no hex', '1 data 1 xy 2 10.0.0.1'], ['no bytes and no dash', '1 data 1  2 10.0.0.1'],
    ['more bytes than a prober reads', `1 data 1 ${'00'.repeat(2049)} 2 10.0.0.1`],
    ['an errno with an escape', '1 error 1 E\u001b[2J connect'], ['no errno', '1 error 1'], ['an operation with a quote', '1 error 1 EPERM se"nd'], ['an errno longer than any', `1 error 1 ${'E'.repeat(41)} send`],
    ['an ICMP of version 5', '1 icmp 1 5 3 13 172.22.22.4'], ['an ICMP from nobody', '1 icmp 1 4 3 13'], ['an ICMP from a name', '1 icmp 1 4 3 13 gateway'], ['an ICMP type that is none', '1 icmp 1 4 x 13 172.22.22.4'],
    ['an ICMP from a scope with an escape', '1 icmp 1 6 1 1 fe80::1%\u001b[2J'],
    ['a fact without a text', '1 fact routes4'], ['a fact in capitals', '1 fact Routes4 00'], ['a fact of a strange name', '1 fact __proto__ 00'],
    ['ports without a state', '1 ports 1 2'], ['ports in a state that there is not', '1 ports 1 2 fine'], ['ports backwards', '1 ports 2 1 open'], ['port 0', '1 ports 0 1 open'], ['port 65536', '1 ports 1 65536 open'], ['ports with more', '1 ports 1 2 open 3'], ['silence that is not counted', '1 silent many'],
    ['a place without a state', '1 at 10.0.0.1 25'], ['a place in a state that there is not', '1 at 10.0.0.1 25 open'], ['a place by name', '1 at ntp 25 silent'], ['a place with more', '1 at 10.0.0.1 25 silent 1'], ['a place without a port', '1 at 10.0.0.1 x silent'], ['a beginning with more', '1 begun 1'],
    ['a fact in odd hex', '1 fact routes4 0af'], ['a fact that is no hex', '1 fact routes4 xy'], ['a row that is no hex', '1 row xy'], ['a row with more', '1 row 00 00'],
  ];
  for (const [sentence, line] of rows) it(sentence, () => expect(parseLine(line)).to.equal(null));

  it('a sender with an escape in its scope is no sender', () => {
    expect(JSON.stringify(parseLine('1 data 1 00 2 fe80::1%\u001b[2J'))).to.not.include('fe80');
  });
});

/** The grammar said a second time, apart from the code. */
function fits({ reply, ...line }: Extract<Line, { is: 'reply' }> | (Line & { reply?: undefined })): boolean {
  if (!Number.isSafeInteger(line.id) || line.id < 0) return false;
  if (reply === undefined) return true;
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  if (/[\u0000-\u001f\u007f-\u009f]/.test(Object.values(reply).join(' '))) return false;
  if (reply.event !== 'unprobed' && !(Number.isInteger(reply.try) && reply.try >= 1)) return false;
  if (reply.event === 'data' && !/^([0-9a-f]{2}){0,2048}$/.test(reply.hex)) return false;
  return reply.event !== 'icmp' || isIP(reply.from.split('%')[0] ?? '') !== 0;
}

describe('wire: whatever comes', () => {
  const field = fc.oneof(
    fc.constantFrom('1', '0', '-', '4', '6', '00', '0af', 'EPERM', 'send', 'fe80::1%\u001b[2J', '10.0.0.1', '999999999999', '1.5', '', 'routes4', '-1', '\u0000', 'end'),
    fc.string({ maxLength: 8 }),
  );
  const line = fc.tuple(fc.constantFrom('1', '7', '-1', 'x'), fc.constantFrom('sent', 'connected', 'data', 'closed', 'error', 'icmp', 'unprobed', 'fact', 'row', 'ports', 'silent', 'swept', 'end'), fc.array(field, { maxLength: 6 }))
    .map(([id, event, rest]) => [id, event, ...rest].join(' '));

  it('no text makes it throw, and what it gives fits the grammar', () => fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), line), (text) => {
    const parsed = parseLine(text);
    if (parsed !== null) expect(fits(parsed), JSON.stringify(parsed)).to.equal(true);
  }), { numRuns: 3000 }));
});
