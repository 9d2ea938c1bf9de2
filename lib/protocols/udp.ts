// UDP with no known protocol: our token; an echo of it, or any datagram at all, shows that the port is reached.
import { answered, garbled, type ProtocolModule } from './protocol.ts';

const prefix = Buffer.from('flowproof ');

export const udp: ProtocolModule = {
  sourcePort: 0,
  request: (token) => Buffer.concat([prefix, Buffer.from(token, 'hex')]).toString('hex'),
  read: (reply, token) =>
    reply.includes(Buffer.from(token, 'hex')) ? answered('our token came back') : garbled(`${reply.length} bytes without our token`),
};
