// NTP version 4, client mode (RFC 5905, section 7.3). A reply is ours if its origin time is our transmit time.
import { answered, garbled, type ProtocolModule } from './protocol.ts';

export const packetBytes = 48;
const clientVersion4 = 0x23; // leap 0, version 4, mode 3
const serverMode = 4;
const unsynchronisedLeap = 3;
const firstUnsynchronisedStratum = 16;
/** Seconds from 1900 (NTP) to 1970 (Unix); RFC 5905, figure 4. */
const eraOffsetS = 2_208_988_800;

export const ntp: ProtocolModule = {
  sourcePort: 0,
  request(token) {
    const packet = Buffer.alloc(packetBytes);
    packet[0] = clientVersion4;
    // A random transmit time instead of the clock's: unforgeable off the path, and it tells nothing of this machine.
    packet.set(transmitTime(token), 40);
    return packet.toString('hex');
  },
  read(reply, token) {
    if (reply.length < packetBytes) return garbled(`${reply.length} bytes, an NTP packet has ${packetBytes}`);
    const [first = 0, stratum = 0] = reply;
    const leap = first >> 6;
    const mode = first & 7;
    if (mode !== serverMode) return garbled(`NTP mode ${mode}, a server answers in mode ${serverMode}`);
    if (!reply.subarray(24, 32).equals(transmitTime(token))) return garbled('NTP reply to another request (origin time differs)');
    const kiss = reply.subarray(12, 16).toString('latin1');
    // RFC 5905, section 7.4: a code of four letters; chrony without a source says stratum 0, too, and no code.
    if (stratum === 0 && /^[A-Z]{4}$/.test(kiss)) return garbled(`NTP kiss-o'-death ${kiss}`);
    if (leap === unsynchronisedLeap || stratum === 0 || stratum >= firstUnsynchronisedStratum)
      return garbled(`NTP server is not synchronised (stratum ${stratum}, leap ${leap})`);
    if (reply.readUInt32BE(40) === 0) return garbled('NTP transmit time is zero');
    return answered(`NTP stratum ${stratum}, leap ${leap}, time ${new Date(serverTimeOf(reply)).toISOString()}`);
  },
};

/** When the server sent it, in ms since 1970; RFC 5905, figure 8: seconds and their binary fraction. */
export function serverTimeOf(reply: Buffer): number {
  return (reply.readUInt32BE(40) - eraOffsetS) * 1000 + Math.round((reply.readUInt32BE(44) / 2 ** 32) * 1000);
}

function transmitTime(token: string): Buffer {
  return Buffer.from(token, 'hex').subarray(0, 8);
}
