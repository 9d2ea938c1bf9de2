// ntp-client at the operator's seat, its datagrams carried to a socket on the VM and back: SSH forwards no UDP. It is the
// user's view of the server; protocols/ntp.ts decides, since ntp-client takes almost any 48 bytes for the time.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import ntpClient from 'ntp-client';
import type { Exchange } from './model.ts';
import type { Vantage } from './vantage.ts';

/**
 * Asks an NTP server for the time with ntp-client, from a vantage.
 * @returns what ntp-client said, in a sentence; never rejects
 */
export async function askThroughRelay(vantage: Vantage, exchange: Exchange): Promise<string> {
  const socket = createSocket('udp4');
  socket.on('message', (datagram, client) => {
    void carry(datagram).then((answer) => answer !== null && !over && socket.send(answer, client.port, client.address));
  });
  let over = false; // ntp-client waits no longer than it likes, the vantage answers when it likes
  const carry = async (datagram: Buffer): Promise<Buffer | null> => {
    const { replies } = await vantage.exchange({ ...exchange, send: datagram.toString('hex') });
    const data = replies.find((reply) => reply.event === 'data');
    return data === undefined ? null : Buffer.from(data.hex, 'hex');
  };
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  try {
    ntpClient.ntpReplyTimeout = exchange.attempts * exchange.intervalMs + exchange.windowMs;
    const time = await new Promise<Date | null>((resolve, reject) => {
      ntpClient.getNetworkTime('127.0.0.1', socket.address().port, (error, date) => (error ? reject(new Error(String(error))) : resolve(date)));
    });
    return time === null || Number.isNaN(time.getTime()) ? 'ntp-client: no valid time' : `ntp-client: ${time.toISOString()}`;
  } catch (error) {
    return `ntp-client: ${(error as Error).message}`;
  } finally {
    over = true;
    socket.close();
  }
}
