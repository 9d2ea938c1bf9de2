// IP packets by hand, for the raw and frame looks: header fields in network order, checksums as the RFCs have them (RFC 1071).
import { isIPv4 } from 'node:net';

export type Part = Readonly<{ protocol: number; bytes: Buffer; checksumAt: number | null }>;

/** A segment without data; `flags`: 2 is SYN. */
export function tcp(sourcePort: number, port: number, flags = 2): Part {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt16BE(sourcePort, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.writeUInt32BE(0x01020304, 4);
  bytes.writeUInt16BE(0x5000 + flags, 12);
  bytes.writeUInt16BE(1024, 14);
  return { protocol: 6, bytes, checksumAt: 16 };
}

export function udp(sourcePort: number, port: number, data: Buffer): Part {
  const bytes = Buffer.concat([Buffer.alloc(8), data]);
  bytes.writeUInt16BE(sourcePort, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.writeUInt16BE(bytes.length, 4);
  return { protocol: 17, bytes, checksumAt: 6 };
}

export function echo(identifier: number, version: 4 | 6 = 4): Part {
  const bytes = Buffer.from([version === 4 ? 8 : 128, 0, 0, 0, 0, 0, 0, 1, 0xca, 0xfe]);
  bytes.writeUInt16BE(identifier, 4);
  return { protocol: version === 4 ? 1 : 58, bytes, checksumAt: 2 };
}

export function other(protocol: number, hex: string): Part {
  return { protocol, bytes: Buffer.from(hex, 'hex'), checksumAt: null };
}

/** The payload of an IP packet between the two, in hex. */
export function payload(from: string, to: string, part: Part): string {
  return summed(from, to, part).toString('hex');
}

/** The whole packet, in hex. */
export function packet(from: string, to: string, part: Part): string {
  const body = summed(from, to, part);
  if (!isIPv4(from)) {
    const head = Buffer.from('600000000000ff40', 'hex'); // next header and length follow; 64 hops
    head.writeUInt16BE(body.length, 4);
    head.writeUInt8(part.protocol, 6);
    return Buffer.concat([head, pack(from), pack(to), body]).toString('hex');
  }
  const head = Buffer.concat([Buffer.from('450000000000400040000000', 'hex'), pack(from), pack(to)]);
  head.writeUInt16BE(head.length + body.length, 2);
  head.writeUInt8(part.protocol, 9);
  head.writeUInt16BE(sum(head), 10);
  return Buffer.concat([head, body]).toString('hex');
}

function summed(from: string, to: string, { protocol, bytes, checksumAt }: Part): Buffer {
  const body = Buffer.from(bytes);
  if (checksumAt === null) return body;
  const tail = Buffer.alloc(8);
  tail.writeUInt32BE(body.length, 0);
  tail.writeUInt32BE(protocol, 4);
  const pseudo = protocol === 1 ? Buffer.alloc(0) : Buffer.concat([pack(from), pack(to), tail]);
  body.writeUInt16BE(sum(Buffer.concat([pseudo, body])), checksumAt);
  return body;
}

function sum(bytes: Buffer): number {
  const even = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
  let total = 0;
  for (let n = 0; n < even.length; n += 2) total += even.readUInt16BE(n);
  while (total > 0xffff) total = (total >>> 16) + (total & 0xffff);
  return ~total & 0xffff;
}

/** An address in its bytes. */
function pack(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [left = '', right] = address.split('::');
  const words = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(':'));
  const [before, after] = [words(left), words(right)];
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after];
  return Buffer.from(all.map((word) => word.padStart(4, '0')).join(''), 'hex');
}
