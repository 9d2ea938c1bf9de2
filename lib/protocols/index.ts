// The table of protocols. A new one is a file beside this one, a word in model.ts and a line here; the compiler asks for both.
import type { Protocol, Transport } from '../model.ts';
import { dhcp } from './dhcp.ts';
import { dns } from './dns.ts';
import { icmp } from './icmp.ts';
import { ip } from './ip.ts';
import { nebula } from './nebula.ts';
import { ntp } from './ntp.ts';
import { ollama } from './ollama.ts';
import type { ProtocolModule } from './protocol.ts';
import { ssh } from './ssh.ts';
import { tcp } from './tcp.ts';
import { tls } from './tls.ts';
import { udp } from './udp.ts';

export const protocols = { tcp, udp, icmp, ip, ssh, tls, ollama, dns, ntp, dhcp, nebula } satisfies Record<Protocol, ProtocolModule>;

/** UDP services answer nothing but their own protocol, so a denied cell is asked in it as well (IANA's port registry; Nebula's default port). */
const spokenOnUdp: Readonly<Record<number, Protocol>> = { 53: 'dns', 67: 'dhcp', 123: 'ntp', 4242: 'nebula' };

/** What to speak to a port of which no row says it: TCP's handshake is an answer by itself. */
export function protocolFor(transport: Transport, port: number): Protocol {
  return transport === 'udp' ? (spokenOnUdp[port] ?? 'udp') : transport;
}
