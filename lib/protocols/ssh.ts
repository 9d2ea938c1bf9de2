// SSH: looked at by our own login (OpenSSH 9.8 and newer penalise addresses that connect and do not log in),
// so nothing is sent here; an identification line (RFC 4253, section 4.2) is read where one comes.
import { answered, garbled, type ProtocolModule } from './protocol.ts';

export const ssh: ProtocolModule = {
  sourcePort: 0,
  request: () => '',
  read: (reply) =>
    reply.subarray(0, 4).toString('latin1') === 'SSH-' ? answered('SSH identification line') : garbled('no SSH identification line'),
};
