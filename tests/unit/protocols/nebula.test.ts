// Nebula: a message to no tunnel, and the recv_error that only a node sends.
import { expect } from 'chai';
import { nebula } from '../../../lib/protocols/nebula.ts';
import { changed, context, good, missesAll, takesAnyBytes, takesDamage } from '../../fixtures/protocols.ts';

const { reply, token } = good('nebula');

describe('nebula: the request', () => {
  const packet = Buffer.from(nebula.request('00112233445566778899aabbccddeeff', context), 'hex');

  it('is a message of version 1 with room for a tag', () => expect([packet[0], packet[1], packet.length]).to.deep.equal([0x11, 0, 32]));
  it('has the token for its index and its counter', () => expect(packet.subarray(4, 16).toString('hex')).to.equal('00112233445566778899aabb'));
  it('has nothing in its reserved bytes', () => expect(packet.subarray(2, 4).toString('hex')).to.equal('0000'));
});

describe('nebula: a reply', () => {
  it('of a node is an answer', () => expect(nebula.read(reply, token).seen).to.equal('answered'));

  missesAll(nebula, token, [
    ['an empty datagram', Buffer.alloc(0), /recv_error/],
    ['one of 15 bytes', reply.subarray(0, 15), /recv_error/],
    ['one for another index', changed(reply, { 7: (reply[7] ?? 0) ^ 1 }), /recv_error/],
    ['our own packet, echoed', Buffer.from(nebula.request(token, context), 'hex'), /recv_error/],
    ['a handshake with our index', changed(reply, { 0: 0x10 }), /recv_error/],
    ['a recv_error of version 2', changed(reply, { 0: 0x22 }), /recv_error/],
  ]);
  takesAnyBytes(nebula, token, { never: true });
  takesDamage(nebula, reply, token);
});
