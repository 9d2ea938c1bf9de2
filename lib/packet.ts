// The packets that no socket of a transport makes: for looks by raw sockets and by frames. Pure; bytes in and out are hex.
import { isIPv4 } from 'node:net';
import { addressBytes } from './address.ts';

/** IANA's protocol numbers. */
export const ipProtocols = { icmp: 1, ipip: 4, tcp: 6, udp: 17, ipv6: 41, gre: 47, icmpv6: 58, sctp: 132 } as const;

type Ends = Readonly<{ source: string; destination: string }>;
type Ports = Readonly<{ sourcePort: number; port: number }>;

const hopLimit = 64;
const syn = 0x02;

/** An IP packet (RFC 791, section 3.1; RFC 8200, section 3) around a payload that begins with the transport's header. */
export function ipPacket({ source, destination }: Ends, ipProtocol: number, payload: string): string {
  const length = payload.length / 2;
  if (!isIPv4(destination)) {
    const header = Buffer.alloc(8);
    header.writeUInt32BE(0x6000_0000);
    header.writeUInt16BE(length, 4);
    header.set([ipProtocol, hopLimit], 6);
    return Buffer.concat([header, addressBytes(source), addressBytes(destination)]).toString('hex') + payload;
  }
  const header = Buffer.alloc(12);
  header.set([0x45, 0]);
  header.writeUInt16BE(20 + length, 2);
  header.set([hopLimit, ipProtocol], 8);
  const whole = Buffer.concat([header, addressBytes(source), addressBytes(destination)]);
  whole.writeUInt16BE(onesComplement(whole), 10);
  return whole.toString('hex') + payload;
}

/** The first segment of a handshake (RFC 9293, section 3.1), without options. */
export function tcpSyn(ends: Ends, { sourcePort, port }: Ports, sequence: number): string {
  const segment = Buffer.alloc(20);
  segment.writeUInt16BE(sourcePort);
  segment.writeUInt16BE(port, 2);
  segment.writeUInt32BE(sequence, 4);
  segment.set([5 << 4, syn], 12);
  segment.writeUInt16BE(0xffff, 14);
  segment.writeUInt16BE(transportChecksum(ends, ipProtocols.tcp, segment), 16);
  return segment.toString('hex');
}

/** A datagram (RFC 768). */
export function udpDatagram(ends: Ends, { sourcePort, port }: Ports, send: string): string {
  const data = Buffer.from(send, 'hex');
  const datagram = Buffer.concat([Buffer.alloc(8), data]);
  datagram.writeUInt16BE(sourcePort);
  datagram.writeUInt16BE(port, 2);
  datagram.writeUInt16BE(datagram.length, 4);
  datagram.writeUInt16BE(transportChecksum(ends, ipProtocols.udp, datagram) || 0xffff, 6); // 0 would mean that there is none
  return datagram.toString('hex');
}

/** A packet of `ipPacket` around a SYN or a datagram, to another port: its checksum follows (RFC 1624). */
export function toPort(packet: string, port: number): string {
  const bytes = Buffer.from(packet, 'hex');
  const v4 = (bytes[0] ?? 0) >> 4 === 4;
  const head = v4 ? 20 : 40;
  const isTcp = (v4 ? bytes[9] : bytes[6]) === ipProtocols.tcp;
  const check = head + (isTcp ? 16 : 6);
  let sum = (~bytes.readUInt16BE(check) & 0xffff) + (~bytes.readUInt16BE(head + 2) & 0xffff) + port;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes.writeUInt16BE(port, head + 2);
  bytes.writeUInt16BE((~sum & 0xffff) || (isTcp ? 0 : 0xffff), check);
  return bytes.toString('hex');
}

/** An echo request (RFC 792 page 14; RFC 4443, section 4.1). */
export function echoRequest(ends: Ends, identifier: number, send: string): string {
  const v4 = isIPv4(ends.destination);
  const message = Buffer.concat([Buffer.alloc(8), Buffer.from(send, 'hex')]);
  message[0] = v4 ? 8 : 128;
  message.writeUInt16BE(identifier, 4);
  message.writeUInt16BE(1, 6);
  message.writeUInt16BE(v4 ? onesComplement(message) : transportChecksum(ends, ipProtocols.icmpv6, message), 2);
  return message.toString('hex');
}

/** Something of an IP protocol that a receiver, and connection tracking on the way, would take for well-formed; '' where we know none. */
export function firstPacketOf(ends: Ends, ipProtocol: number, token: string): string {
  switch (ipProtocol) {
    case ipProtocols.gre: // RFC 2784, section 2: no flags, version 0, IPv4 within
      return `00000800${ipPacket(ends, ipProtocols.udp, udpDatagram(ends, noPorts, token))}`;
    case ipProtocols.ipip: // RFC 2003
      return ipPacket(ends, ipProtocols.udp, udpDatagram(ends, noPorts, token));
    case ipProtocols.ipv6: { // RFC 4213; within it, a datagram from nowhere to nowhere (RFC 3849's documentation prefix)
      const inner: Ends = { source: '2001:db8::1', destination: '2001:db8::2' };
      return ipPacket(inner, ipProtocols.udp, udpDatagram(inner, noPorts, token));
    }
    case ipProtocols.sctp:
      return sctpInit(token);
    default:
      return '';
  }
}

const noPorts: Ports = { sourcePort: 9, port: 9 }; // discard

/** An INIT chunk (RFC 9260, sections 3.1 and 3.3.2): connection tracking takes nothing else for a beginning. */
function sctpInit(token: string): string {
  const packet = Buffer.alloc(32);
  packet.writeUInt16BE(noPorts.sourcePort);
  packet.writeUInt16BE(noPorts.port, 2);
  packet.set([1, 0, 0, 20], 12); // type INIT, no flags, 20 bytes
  packet.write(token.slice(0, 8), 16, 'hex'); // initiate tag
  packet.writeUInt32BE(0xffff, 20); // receiver window
  packet.writeUInt16BE(1, 24); // streams out
  packet.writeUInt16BE(1, 26); // streams in
  packet.write(token.slice(8, 16), 28, 'hex'); // initial TSN
  packet.writeUInt32LE(crc32c(packet), 8);
  return packet.toString('hex');
}

/** RFC 9260, appendix A: the CRC32c that SCTP has in place of a checksum. */
function crc32c(data: Buffer): number {
  let crc = 0xffff_ffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? 0x82f6_3b78 : 0);
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}

/** Over the pseudo-header of RFC 9293, section 3.1, or RFC 8200, section 8.1: their sums are the same. */
function transportChecksum({ source, destination }: Ends, ipProtocol: number, segment: Buffer): number {
  const pseudo = Buffer.alloc(4);
  pseudo.writeUInt16BE(segment.length);
  pseudo.writeUInt16BE(ipProtocol, 2);
  return onesComplement(Buffer.concat([addressBytes(source), addressBytes(destination), pseudo, segment]));
}

/** RFC 1071. */
function onesComplement(data: Buffer): number {
  const even = data.length % 2 === 0 ? data : Buffer.concat([data, Buffer.alloc(1)]);
  let sum = 0;
  for (let at = 0; at < even.length; at += 2) sum += even.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
