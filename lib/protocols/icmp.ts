// ICMP echo (RFC 792 page 14; RFC 4443, section 4): the token is the payload, the prober matches id and sequence.
import { answered, garbled, type ProtocolModule } from './protocol.ts';

export const icmp: ProtocolModule = {
  sourcePort: 0,
  request: (token) => token,
  read: (reply, token) =>
    reply.length === 0 || reply.includes(Buffer.from(token, 'hex')) ? answered('echo reply') : garbled('echo reply with other data'),
};
