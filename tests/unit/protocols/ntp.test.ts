// NTP: what we ask in, and which replies are a synchronised server's answer to us.
import { expect } from 'chai';
import { ntp } from '../../../lib/protocols/ntp.ts';
import { captured, changed, context, good, missesAll, takesAnyBytes, takesDamage } from '../../fixtures/protocols.ts';

const { reply, token } = good('ntp');

describe('ntp: the request', () => {
  const packet = Buffer.from(ntp.request('00112233445566778899aabbccddeeff', context), 'hex');

  it('is a client\'s, of version 4', () => {
    expect(packet).to.have.length(48);
    expect({ leap: (packet[0] ?? 0) >> 6, version: ((packet[0] ?? 0) >> 3) & 7, mode: (packet[0] ?? 0) & 7 }).to.deep.equal({ leap: 0, version: 4, mode: 3 });
  });
  it('has the token for its transmit time and nothing else', () => {
    expect(packet.subarray(40).toString('hex')).to.equal('0011223344556677');
    expect(packet.subarray(1, 40).every((byte) => byte === 0)).to.equal(true);
  });
});

describe('ntp: a reply', () => {
  for (const one of captured.filter(({ protocol }) => protocol === 'ntp'))
    it(`of ${one.of} is an answer`, () => expect(ntp.read(Buffer.from(one.hex, 'hex'), one.token).seen).to.equal('answered'));
  it('tells stratum, leap and time', () => expect(ntp.read(reply, token).detail).to.equal('NTP stratum 3, leap 0, time 2026-11-23T04:05:42.529Z'));
  it('that announces a leap second is an answer', () => expect(ntp.read(changed(reply, { 0: 0x64 }), token).seen).to.equal('answered'));
  it('of stratum 15 is an answer', () => expect(ntp.read(changed(reply, { 1: 15 }), token).seen).to.equal('answered'));

  missesAll(ntp, token, [
    ['an empty datagram', Buffer.alloc(0), /0 bytes/],
    ['one of 47 bytes', reply.subarray(0, 47), /47 bytes/],
    ['one for another request', changed(reply, { 31: 0 }), /origin time differs/],
    ['our own request, echoed', Buffer.from(ntp.request(token, context), 'hex'), /mode 3/],
    ['a client\'s packet with our origin time', changed(reply, { 0: 0x23 }), /mode 3/],
    ['a broadcast', changed(reply, { 0: 0x25 }), /mode 5/],
    ['a kiss-o\'-death', changed(reply, { 1: 0, 12: 0x52, 13: 0x41, 14: 0x54, 15: 0x45 }), /kiss-o'-death RATE/],
    ['a server that has no source: chrony says stratum 0 and no code', changed(reply, { 0: 0xe4, 1: 0, 12: 0, 13: 0, 14: 0, 15: 0 }), /not synchronised \(stratum 0, leap 3\)/],
    ['leap 3', changed(reply, { 0: 0xe4 }), /not synchronised \(stratum 3, leap 3\)/],
    ['stratum 16', changed(reply, { 1: 16 }), /not synchronised \(stratum 16, leap 0\)/],
    ['stratum 255', changed(reply, { 1: 255 }), /not synchronised/],
    ['a transmit time of zero', Buffer.concat([reply.subarray(0, 40), Buffer.alloc(8)]), /transmit time is zero/],
    ['48 bytes of an echo service', Buffer.alloc(48, 0x41), /NTP mode/],
  ]);
  takesAnyBytes(ntp, token, { never: true });
  takesDamage(ntp, reply, token);
});
