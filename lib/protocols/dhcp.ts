// DHCP INFORM (RFC 2131, sections 2 and 4.4.3) over a UDP socket from port 68. A DISCOVER would not do: clients send
// those over raw sockets, past the firewall that is being tested.
import { answered, garbled, type ProtocolModule } from './protocol.ts';

const bootRequest = 1;
const bootReply = 2;
const ethernet = 1;
const magicCookie = Buffer.from('63825363', 'hex'); // RFC 2131, section 3
const messageType = 53; // RFC 2132, section 9.6
const inform = 8;
const acknowledge = 5;
const parameterList = 55; // RFC 2132, section 9.8
const end = 255;
const fixedBytes = 236; // RFC 2131, figure 1, up to the options

export const dhcp: ProtocolModule = {
  sourcePort: 68,
  request(token, { ownAddress }) {
    const head = Buffer.alloc(fixedBytes);
    const random = Buffer.from(token, 'hex');
    head.set([bootRequest, ethernet, 6], 0);
    head.set(random.subarray(0, 4), 4); // xid
    if (ownAddress !== null) head.set(ownAddress.split('.').map(Number), 12); // ciaddr
    head.set([0x02, ...random.subarray(4, 9)], 28); // a locally administered chaddr: no lease hangs on it
    return Buffer.concat([head, magicCookie, Buffer.from([messageType, 1, inform, parameterList, 2, 1, 3, end])]).toString('hex');
  },
  read(reply, token) {
    if (!isReply(reply)) return garbled('not a DHCP reply');
    if (!isOurs(reply, token)) return garbled('DHCP reply to another client (xid differs)');
    const type = option(reply.subarray(fixedBytes + 4), messageType)?.[0];
    return type === acknowledge ? answered('DHCP ACK to our INFORM') : garbled(`DHCP message of type ${type ?? 'none'}, an INFORM gets an ACK`);
  },
  isForeign: (reply, token) => isReply(reply) && !isOurs(reply, token),
};

const isReply = (reply: Buffer): boolean => reply.length >= fixedBytes + 4 && reply[0] === bootReply && reply.subarray(fixedBytes, fixedBytes + 4).equals(magicCookie);
/** By its xid. */
const isOurs = (reply: Buffer, token: string): boolean => reply.subarray(4, 8).equals(Buffer.from(token, 'hex').subarray(0, 4));

/** The value of one option; a truncated list ends the search (RFC 2132, section 2). */
function option(options: Buffer, code: number): Buffer | null {
  for (let at = 0; at < options.length; ) {
    const found = options[at] ?? end;
    if (found === end) return null;
    if (found === 0) {
      at += 1;
      continue;
    }
    const length = options[at + 1] ?? 0;
    if (found === code) return options.subarray(at + 2, at + 2 + length);
    at += 2 + length;
  }
  return null;
}
