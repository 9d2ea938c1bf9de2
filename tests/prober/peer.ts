// The far end of the prober tests: a few services that behave in ways a test can name. Runs inside a namespace; with the
// argument `hold` it holds port 7000 alone, on the near side, so that a prober finds it taken.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** Port -> what it does with a connection (`data` null: that it is there). 7005 hangs up on a peer that closes its side. */
const tcp: Readonly<Record<number, (send: (data: Buffer) => void, hangUp: () => void, data: Buffer | null) => void>> = {
  7000: (send, _, data) => { if (data !== null) send(data); },
  7001: (_, hangUp, data) => { if (data !== null) hangUp(); },
  7002: () => undefined,
  7003: (send, _, data) => { if (data === null) send(Buffer.from('hello from 7003\r\n')); },
  7004: (send, _, data) => { if (data === null) send(Buffer.alloc(100_000, 'x')); },
  7005: (send, _, data) => { if (data !== null) setTimeout(send, 500, data); },
};

const hold = process.argv.includes('hold');

for (const [port, act] of Object.entries(tcp)) {
  if (hold && port !== '7000') continue;
  const server = createServer((socket) => {
    const send = (data: Buffer): void => { if (socket.writable) socket.write(data); };
    const hangUp = (): void => { socket.end(); };
    socket.on('error', () => undefined); // a prober that closes by RST is no fault
    socket.on('data', (data) => { act(send, hangUp, data); });
    act(send, hangUp, null);
  });
  server.listen({ port: Number(port), host: '::', backlog: 4096 });
}

/**
 * 7000 echoes, 7002 is silent, 7005 echoes so late that a prober, on a busy machine too, has begun its next try. 6890 echoes all but the one zero byte
 * of nc's scan mode, by which sh hears whether datagrams may leave: on a busy machine that echo would come to the question that has its port next.
 */
const udp: Readonly<Record<number, (echo: () => void, data: Buffer) => void>> = {
  7000: (echo) => { echo(); },
  7002: () => undefined,
  7005: (echo) => { setTimeout(echo, 5_000); },
  6890: (echo, data) => { if (!data.equals(Buffer.of(0))) echo(); },
};

for (const [port, act] of Object.entries(udp)) {
  if (hold) break;
  const socket = createSocket('udp6');
  socket.on('message', (data, from) => { act(() => { socket.send(data, from.port, from.address); }, data); });
  socket.bind(Number(port), '::');
}
process.stdout.write('ready\n');
process.stdin.on('end', () => process.exit(0)).resume(); // nothing stays if the test dies
