// DNS (RFC 1035, section 4.1): an A query with a random id; the codec is dns-packet's.
import { isIPv4 } from 'node:net';
import dnsPacket from 'dns-packet';
import { answered, garbled, type ProtocolModule, type Reading } from './protocol.ts';

/** A name that is not there is an answer as good as an address (RFC 1035, section 4.1.1). */
const resolving: ReadonlySet<string> = new Set(['NOERROR', 'NXDOMAIN']);
const mend: Readonly<Record<string, string>> = {
  SERVFAIL: 'the resolver answers but cannot resolve (SERVFAIL): look at its upstream',
  REFUSED: 'the resolver answers but will not resolve for this client (REFUSED): look at its access list',
};

export const dns: ProtocolModule = {
  sourcePort: 0,
  request: (token, { question }) => encodeQuery(token, question).toString('hex'),
  read(reply, token): Reading {
    const packet = decode(reply);
    if (packet === null) return garbled('not a DNS message');
    if (packet.type !== 'response' || packet.id !== queryId(token)) return garbled('DNS message, but no reply to our query');
    const code = rcode(packet);
    return resolving.has(code) ? answered(`DNS ${code}, ${packet.answers?.length ?? 0} answers`) : garbled(mend[code] ?? `the resolver answers ${code}`);
  },
};

/** One recursive A query for `name`, id from the token. */
export function encodeQuery(token: string, name: string): Buffer {
  return dnsPacket.encode({
    type: 'query',
    id: queryId(token),
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ type: 'A', name }],
  });
}

/** The A records of a reply to `encodeQuery(token, …)`; null if it is none. */
export function readAddresses(reply: Buffer, token: string): readonly string[] | null {
  const packet = decode(reply);
  if (packet === null || packet.type !== 'response' || packet.id !== queryId(token) || rcode(packet) !== 'NOERROR') return null;
  return (packet.answers ?? []).flatMap((answer) => (answer.type === 'A' ? [answer.data] : []));
}

function queryId(token: string): number {
  return Buffer.from(token, 'hex').readUInt16BE(0);
}

function decode(reply: Buffer): dnsPacket.DecodedPacket | null {
  try {
    const packet = dnsPacket.decode(reply);
    // A message cut off in an address does not throw.
    return (packet.answers ?? []).every((answer) => answer.type !== 'A' || isIPv4(answer.data)) ? packet : null;
  } catch {
    return null; // any bytes may come; what does not parse is no DNS
  }
}

function rcode(packet: dnsPacket.DecodedPacket): string {
  return (packet as { rcode?: string }).rcode ?? 'without a response code';
}
