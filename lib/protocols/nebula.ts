// Nebula's underlay: a message packet with an index that no tunnel has makes a node answer recv_error with that index,
// to strangers too (slackhq/nebula header/header.go and outside.go; `listen.send_recv_error` can turn it off).
import { answered, garbled, type ProtocolModule } from './protocol.ts';

const message = 0x11; // version 1, type 1
const receiveError = 0x12; // version 1, type 2
const headerBytes = 16; // version+type, subtype, reserved(2), remote index(4), counter(8)

export const nebula: ProtocolModule = {
  sourcePort: 0,
  request(token) {
    const packet = Buffer.alloc(headerBytes + 16); // header and room for the tag of an empty AEAD message
    packet[0] = message;
    packet.set(index(token), 4);
    packet.set(Buffer.from(token, 'hex').subarray(4, 12), 8);
    return packet.toString('hex');
  },
  read: (reply, token) =>
    reply.length >= headerBytes && reply[0] === receiveError && reply.subarray(4, 8).equals(index(token))
      ? answered('Nebula recv_error for our index')
      : garbled('not a Nebula recv_error for our index'),
};

function index(token: string): Buffer {
  return Buffer.from(token, 'hex').subarray(0, 4);
}
