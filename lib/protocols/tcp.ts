// Plain TCP: the handshake is the answer (RFC 9293, section 3.5); nothing is sent.
import { answered, type ProtocolModule } from './protocol.ts';

export const tcp: ProtocolModule = {
  sourcePort: 0,
  request: () => '',
  read: (reply) => answered(`handshake; the service sent ${reply.length} bytes`),
};
