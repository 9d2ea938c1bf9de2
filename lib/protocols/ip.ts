// IP protocols without ports of which we speak none: any packet that comes back is an answer.
import { answered, type ProtocolModule } from './protocol.ts';

export const ip: ProtocolModule = {
  sourcePort: 0,
  request: () => '',
  read: (reply) => answered(`a packet of that protocol came back, ${reply.length} bytes`),
};
