// The packets of our own make: lengths, fields, and checksums that a receiver's own sum agrees with.
import { expect } from 'chai';
import fc from 'fast-check';
import { echoRequest, firstPacketOf, ipPacket, ipProtocols, tcpSyn, toPort, udpDatagram } from '../../lib/packet.ts';

const v4 = { source: '172.22.22.2', destination: '198.18.20.1' };
const v6 = { source: 'fe80::2', destination: 'fe80::1' };
const token = '00112233445566778899aabbccddeeff';
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

/** A receiver's view (RFC 1071): with the checksum in its place, everything sums up to ones. */
function sum(...parts: readonly Buffer[]): number {
  const all = Buffer.concat(parts);
  let total = 0;
  for (let at = 0; at < all.length; at += 2) total += ((all[at] ?? 0) << 8) | (all[at + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000);
  return total;
}

function pseudo(ends: typeof v4, protocol: number, length: number): Buffer {
  const whole = bytes(ipPacket(ends, protocol, '00'.repeat(length)));
  const addresses = ends === v6 ? whole.subarray(8, 40) : whole.subarray(12, 20);
  return Buffer.concat([addresses, Buffer.from([0, 0, length >> 8, length & 0xff, 0, 0, 0, protocol])]);
}

/** By a table, apart from the code; RFC 3720, appendix B.4, has the test vector. */
function crc32c(data: Buffer): number {
  const table = Array.from({ length: 256 }, (_none, index) => {
    let value = index;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
    return value >>> 0;
  });
  return (data.reduce((crc, byte) => (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0), 0xffffffff) ^ 0xffffffff) >>> 0;
}

describe('packet: IP', () => {
  it('version 4 has its lengths, its addresses and a good header sum', () => {
    const packet = bytes(ipPacket(v4, ipProtocols.udp, 'aabbcc'));
    expect([packet[0], packet.readUInt16BE(2), packet[9], packet.length]).to.deep.equal([0x45, 23, 17, 23]);
    expect([...packet.subarray(12, 20)]).to.deep.equal([172, 22, 22, 2, 198, 18, 20, 1]);
    expect(sum(packet.subarray(0, 20))).to.equal(0xffff);
  });
  it('version 6 has its length and its addresses, however they are spelled', () => {
    const packet = bytes(ipPacket({ source: 'fe80::2%eth0', destination: 'FE80:0:0::1' }, ipProtocols.tcp, 'aabb'));
    expect([packet[0], packet.readUInt16BE(4), packet[6], packet.length]).to.deep.equal([0x60, 2, 6, 42]);
    expect(packet.subarray(8, 40).toString('hex')).to.equal(`fe80${'0'.repeat(27)}2fe80${'0'.repeat(27)}1`);
  });
});

describe('packet: a receiver agrees with the checksum', () => {
  const port = fc.integer({ min: 1, max: 65535 });
  for (const [family, ends] of [['IPv4', v4], ['IPv6', v6]] as const) {
    it(`of a SYN over ${family}`, () => fc.assert(fc.property(port, port, fc.nat({ max: 0xffffffff }), (sourcePort, to, sequence) => {
      const segment = bytes(tcpSyn(ends, { sourcePort, port: to }, sequence));
      expect([segment.readUInt16BE(0), segment.readUInt16BE(2), segment.readUInt32BE(4), segment[12], segment[13], segment.length]).to.deep.equal([sourcePort, to, sequence, 0x50, 2, 20]);
      expect(sum(pseudo(ends, 6, segment.length), segment)).to.equal(0xffff);
    })));
    it(`of a datagram over ${family}`, () => fc.assert(fc.property(port, port, fc.uint8Array({ maxLength: 60 }), (sourcePort, to, send) => {
      const datagram = bytes(udpDatagram(ends, { sourcePort, port: to }, Buffer.from(send).toString('hex')));
      expect([datagram.readUInt16BE(0), datagram.readUInt16BE(2), datagram.readUInt16BE(4), datagram.length]).to.deep.equal([sourcePort, to, 8 + send.length, 8 + send.length]);
      expect(datagram.readUInt16BE(6), 'no checksum').to.not.equal(0);
      expect(sum(pseudo(ends, 17, datagram.length), datagram)).to.equal(0xffff);
    })));
    it(`of either to another port over ${family}`, () => fc.assert(fc.property(port, port, port, fc.uint8Array({ maxLength: 60 }), (sourcePort, to, other, send) => {
      const hex = Buffer.from(send).toString('hex');
      for (const [ipProtocol, made] of [[ipProtocols.tcp, (at: number) => tcpSyn(ends, { sourcePort, port: at }, 7)], [ipProtocols.udp, (at: number) => udpDatagram(ends, { sourcePort, port: at }, hex)]] as const)
        expect(toPort(ipPacket(ends, ipProtocol, made(to)), other)).to.equal(ipPacket(ends, ipProtocol, made(other)));
    })));
    it(`of an echo request over ${family}`, () => {
      const message = bytes(echoRequest(ends, 4242, token));
      expect([message[0], message.readUInt16BE(4), message.subarray(8).toString('hex')]).to.deep.equal([ends === v4 ? 8 : 128, 4242, token]);
      expect(ends === v4 ? sum(message) : sum(pseudo(ends, 58, message.length), message)).to.equal(0xffff);
    });
  }
});

describe('packet: IP protocols without ports', () => {
  it('GRE and the two kinds of IP in IP carry a whole packet', () => {
    expect(bytes(firstPacketOf(v4, ipProtocols.gre, token)).readUInt32BE(0)).to.equal(0x0800);
    for (const inner of [bytes(firstPacketOf(v4, ipProtocols.gre, token)).subarray(4), bytes(firstPacketOf(v4, ipProtocols.ipip, token))]) {
      expect([inner[0], inner.readUInt16BE(2)]).to.deep.equal([0x45, inner.length]);
      expect(inner.includes(bytes(token))).to.equal(true);
    }
    const six = bytes(firstPacketOf(v4, ipProtocols.ipv6, token));
    expect([six[0], six.readUInt16BE(4)]).to.deep.equal([0x60, six.length - 40]);
  });
  it('SCTP begins with an INIT whose CRC32c is right', () => {
    expect(crc32c(Buffer.from('123456789'))).to.equal(0xe3069283);
    const packet = bytes(firstPacketOf(v4, ipProtocols.sctp, token));
    expect([packet[12], packet.readUInt16BE(14), packet.length]).to.deep.equal([1, 20, 32]);
    const bare = Buffer.from(packet);
    bare.fill(0, 8, 12);
    expect(packet.readUInt32LE(8)).to.equal(crc32c(bare));
  });
  it('of which we know no first packet have none', () => expect(firstPacketOf(v4, 89, token)).to.equal(''));
});
