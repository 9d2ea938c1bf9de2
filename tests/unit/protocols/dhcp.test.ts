// DHCP: an INFORM as RFC 2131 has it, field by field, and which messages acknowledge it.
import { expect } from 'chai';
import { dhcp } from '../../../lib/protocols/dhcp.ts';
import { changed, context, good, missesAll, takesAnyBytes, takesDamage } from '../../fixtures/protocols.ts';

const { reply, token } = good('dhcp');

describe('dhcp: the request', () => {
  const packet = Buffer.from(dhcp.request('00112233445566778899aabbccddeeff', context), 'hex');

  const fields: readonly (readonly [string, Buffer, string])[] = [
    ['is a BOOTREQUEST over Ethernet', packet.subarray(0, 4), '01010600'],
    ['has the token for its transaction id', packet.subarray(4, 8), '00112233'],
    ['has the vantage\'s own address, so that the answer finds it', packet.subarray(12, 16), 'c6336466'],
    ['asks for no address', packet.subarray(16, 28), '00'.repeat(12)],
    ['has a locally administered hardware address of its own', packet.subarray(28, 44), `024455667788${'00'.repeat(10)}`],
    ['has the magic cookie', packet.subarray(236, 240), '63825363'],
    ['is an INFORM that asks for mask and router', packet.subarray(240), '35010837020103ff'],
  ];
  for (const [sentence, bytes, hex] of fields) it(sentence, () => expect(bytes.toString('hex')).to.equal(hex));
  it('goes without an address where none is known', () =>
    expect(Buffer.from(dhcp.request(token, { ...context, ownAddress: null }), 'hex').subarray(12, 16).toString('hex')).to.equal('00000000'));
  it('leaves from port 68', () => expect(dhcp.sourcePort).to.equal(68));
});

describe('dhcp: a reply', () => {
  it('of dnsmasq is an answer', () => expect(dhcp.read(reply, token)).to.deep.equal({ seen: 'answered', detail: 'DHCP ACK to our INFORM' }));
  it('with padding before its type is an answer', () =>
    expect(dhcp.read(Buffer.concat([reply.subarray(0, 240), Buffer.alloc(3), reply.subarray(240)]), token).seen).to.equal('answered'));

  it('to another client is known for one, and nothing else is', () => {
    const isForeign = (bytes: Buffer): boolean | undefined => dhcp.isForeign?.(bytes, token);
    expect([changed(reply, { 7: reply[7] === 0 ? 1 : 0 }), reply, changed(reply, { 0: 1, 7: 0 }), Buffer.alloc(0)].map(isForeign)).to.deep.equal([true, false, false, false]);
  });

  missesAll(dhcp, token, [
    ['an empty datagram', Buffer.alloc(0), /not a DHCP reply/],
    ['a head without options', reply.subarray(0, 236), /not a DHCP reply/],
    ['a request', changed(reply, { 0: 1 }), /not a DHCP reply/],
    ['our own request, echoed', Buffer.from(dhcp.request(token, context), 'hex'), /not a DHCP reply/],
    ['another cookie', changed(reply, { 236: 0 }), /not a DHCP reply/],
    ['one to another client', changed(reply, { 7: 0 }), /xid differs/],
    ['a NAK', changed(reply, { 242: 6 }), /type 6/],
    ['an OFFER', changed(reply, { 242: 2 }), /type 2/],
    ['one without a type', changed(reply, { 240: 255 }), /type none/],
    ['one whose options are cut off', reply.subarray(0, 241), /type none/],
    ['an option that is longer than the message', Buffer.concat([reply.subarray(0, 240), Buffer.from([12, 200, 53, 1, 5])]), /type none/],
  ]);
  takesAnyBytes(dhcp, token, { never: true });
  takesDamage(dhcp, reply, token);
});
