// Packets of our own: through the source's firewall by raw sockets, and past it by frames. python alone can; sh says that it can't.
import { expect } from 'chai';
import { far, near, putUp, run, serve, start, takeDown, until, type Prober } from './bench.ts';
import { expectEvents, linkLocal } from './events.ts';
import { echo, other, packet, payload, tcp, udp, type Part } from './packet.ts';

const [here, there] = ['198.18.0.1', '198.18.0.2'];
const hello = Buffer.from('hello');
const unprivileged = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

/** `raw`, `frame`: the events, `*` for bytes of which the test says no more than how they begin in `begins`. */
type Case = Readonly<{ name: string; part: Part; to?: string; tries?: string; raw: readonly string[]; frame: readonly string[]; begins?: string }>;

const synAck = (sourcePort: number, port: number): string => Buffer.from([port >> 8, port & 255, sourcePort >> 8, sourcePort & 255]).toString('hex');

const cases: readonly Case[] = [
  { name: 'a SYN to a port that listens: the SYN-ACK', part: tcp(5101, 7000), raw: ['sent 1 - #', 'data 1 * # 198.18.0.2'], frame: ['sent 1 - #', 'data 1 * # 198.18.0.2'], begins: synAck(5101, 7000) },
  { name: 'a SYN to a port that does not: the RST', part: tcp(5102, 7999), raw: ['sent 1 - #', 'data 1 * # 198.18.0.2'], frame: ['sent 1 - #', 'data 1 * # 198.18.0.2'], begins: synAck(5102, 7999) },
  { name: 'a SYN that our own OUTPUT chain drops: EPERM; the frame goes past it and is answered', part: tcp(5103, 7201), raw: ['sent 1 - #', 'error 1 EPERM send'], frame: ['sent 1 - #', 'data 1 * # 198.18.0.2'], begins: synAck(5103, 7201) },
  { name: 'a SYN whose answer our own INPUT chain drops: a raw socket sees nothing, the capture sees it', part: tcp(5104, 7000), to: '198.18.0.3', tries: '2 200 900', raw: ['sent 1 - #', 'sent 2 - #'], frame: ['sent 1 - #', 'data 1 * # 198.18.0.3'], begins: synAck(5104, 7000) },
  { name: 'a SYN dropped at the far end: silence, after all tries', part: tcp(5105, 7103), tries: '3 200 400', raw: ['sent 1 - #', 'sent 2 - #', 'sent 3 - #'], frame: ['sent 1 - #', 'sent 2 - #', 'sent 3 - #'] },
  { name: 'a SYN rejected as prohibited: the ICMP error, its code and sender', part: tcp(5106, 7104), raw: ['sent 1 - #', 'icmp 1 4 3 13 198.18.0.2', 'error 1 EHOSTUNREACH read'], frame: ['sent 1 - #', 'icmp 1 4 3 13 198.18.0.2'] },
  { name: 'a SYN rejected by a router: the router', part: tcp(5107, 22), to: '198.18.1.9', raw: ['sent 1 - #', 'icmp 1 4 3 13 198.18.0.2', 'error 1 EHOSTUNREACH read'], frame: ['sent 1 - #', 'icmp 1 4 3 13 198.18.0.2'] },
  { name: 'with +, an error ends its try alone', part: tcp(5108, 7104), tries: '+2 300 900', raw: ['sent 1 - #', 'icmp 1 4 3 13 198.18.0.2', 'error 1 EHOSTUNREACH read', 'sent 2 - #', 'icmp 2 4 3 13 198.18.0.2', 'error 2 EHOSTUNREACH read'], frame: ['sent 1 - #', 'icmp 1 4 3 13 198.18.0.2', 'sent 2 - #', 'icmp 2 4 3 13 198.18.0.2'] },
  { name: 'a datagram that is echoed', part: udp(5109, 7000, hello), raw: ['sent 1 - #', 'data 1 * # 198.18.0.2'], frame: ['sent 1 - #', 'data 1 * # 198.18.0.2'], begins: synAck(5109, 7000) },
  { name: 'a datagram to a closed port', part: udp(5110, 7999, hello), raw: ['sent 1 - #', 'icmp 1 4 3 3 198.18.0.2', 'error 1 ECONNREFUSED read'], frame: ['sent 1 - #', 'icmp 1 4 3 3 198.18.0.2'] },
  { name: 'a datagram to a silent service', part: udp(5111, 7002, hello), tries: '2 200 400', raw: ['sent 1 - #', 'sent 2 - #'], frame: ['sent 1 - #', 'sent 2 - #'] },
  { name: 'an echo request: the reply to its identifier', part: echo(0x5112), raw: ['sent 1 - #', 'data 1 * # 198.18.0.2'], frame: ['sent 1 - #', 'data 1 * # 198.18.0.2'], begins: '0000' },
  { name: 'an echo request dropped at the far end, for all that others get replies', part: echo(0x5113), to: '198.18.0.3', tries: '2 200 600', raw: ['sent 1 - #', 'sent 2 - #'], frame: ['sent 1 - #', 'sent 2 - #'] },
  { name: 'a protocol that the far end does not speak', part: other(253, 'cafecafecafecafe'), raw: ['sent 1 - #', 'icmp 1 4 3 2 198.18.0.2', 'error 1 ENOPROTOOPT read'], frame: ['sent 1 - #', 'icmp 1 4 3 2 198.18.0.2'] },
];

/** The far end of a tun device: it sends a datagram back, with IP options before it and a padding behind. */
const tun = `
import fcntl, os, struct
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"tunnel", 0x1001))
os.system("ip addr add 198.18.9.1/24 dev tunnel; ip link set tunnel up")
print("ready", flush=True)
while True:
    packet = os.read(tun, 4096)
    if packet[0] != 0x45 or packet[9] != 17: continue
    body = packet[22:24] + packet[20:22] + packet[24:]
    head = bytearray(b"\\x46\\0" + struct.pack("!H", 24 + len(body)) + b"\\0\\0\\0\\0\\x40\\x11\\0\\0" + packet[16:20] + packet[12:16] + b"\\1\\1\\1\\0")
    total = sum(struct.unpack("!12H", head))
    head[10:12] = struct.pack("!H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF)
    os.write(tun, bytes(head) + body + b"padding")
`;

/** A machine that speaks protocol 254. */
const answering = `
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, 254)
print("ready", flush=True)
while True: sock.sendto(b"\\x0a\\x0b", sock.recvfrom(4096)[1])
`;

/** The bytes of data events by \`*\`, and how they began. */
function starred(events: readonly string[]): readonly [shown: string[], begins: string] {
  let begins = '';
  const shown = events.map((event) => event.replace(/^(data \d+) ([0-9a-f]+) /, (_, head: string, hex: string) => {
    begins = hex;
    return `${head} * `;
  }));
  return [shown, begins];
}

function macOf(namespace: string): string {
  return /link\/ether (\S+)/.exec(run(namespace, 'ip link show dev wire'))?.[1] ?? '';
}

function captures(): number {
  return run(near, 'cat /proc/net/packet').trim().split('\n').length - 1;
}

describe('packets of our own, python', function () {
  this.timeout(120_000);
  let prober: Prober;
  let mac: string;
  const frame = (to: string, part: Part, tries = '1 500 8000', from = here): Promise<string[]> => prober.ask(`frame wire ${mac} ${packet(from, to, part)} ${tries}`);
  const raw = (to: string, part: Part, tries = '1 500 8000', from = here): Promise<string[]> => prober.ask(`raw ${to}${to.startsWith('fe80') ? '%wire' : ''} ${part.protocol} ${payload(from, to, part)} ${tries}`);
  before(async () => {
    await putUp();
    prober = await start('python');
    mac = macOf(far);
    await prober.ask(`icmp ${there} 00 1 500 8000`); // the neighbour is known
  });
  after(takeDown);

  for (const how of ['raw', 'frame'] as const) {
    describe(`by ${how}: says of`, () => {
      // All at once: what answers one look must be taken for no other's.
      const asked = new Map<Case, Promise<string[]>>();
      before(() => { for (const one of cases) asked.set(one, (how === 'raw' ? raw : frame)(one.to ?? there, one.part, one.tries)); });
      for (const one of cases) {
        it(one.name, async () => {
          const [shown, begins] = starred(await asked.get(one) ?? []);
          expectEvents(shown, one[how]);
          if (begins !== '') expect(begins.slice(0, one.begins?.length ?? 0)).to.equal(one.begins);
        });
      }
    });
  }

  it('go to IPv6 link-local addresses', async () => {
    const [own, other6] = [linkLocal(near), linkLocal(far)];
    const [open, prohibited, framed, rejected, ping, pinged] = await Promise.all([
      raw(other6, tcp(5201, 7000), undefined, own), raw(other6, tcp(5202, 7104), undefined, own),
      frame(other6, tcp(5203, 7000), undefined, own), frame(other6, tcp(5204, 7104), undefined, own),
      raw(other6, echo(5205, 6), undefined, own), frame(other6, echo(5206, 6), undefined, own),
    ]);
    for (const events of [open, framed, ping, pinged]) expectEvents(starred(events)[0], ['sent 1 - #', `data 1 * # ${other6}`]);
    expectEvents(prohibited, ['sent 1 - #', `icmp 1 6 1 1 ${other6}`, 'error 1 EACCES read']);
    expectEvents(rejected, ['sent 1 - #', `icmp 1 6 1 1 ${other6}`]);
  });

  it('of other protocols are answered by whatever packet of it the target sends', async () => {
    await serve(far, answering);
    for (const ask of [raw, frame]) expectEvents(await ask(there, other(254, 'c0de')), ['sent 1 - #', 'data 1 0a0b # 198.18.0.2']);
  });

  it('to ourselves are not their own answers', async () => {
    expectEvents(await raw(here, other(254, 'c0de'), '2 100 300'), ['sent 1 - #', 'sent 2 - #']);
  });

  it('need root, and say so', async () => {
    const user = await start('python', { wrap: unprivileged });
    expect(await user.ask(`raw ${there} 6 ${payload(here, there, tcp(5301, 7000))} 1 200 400`)).to.deep.equal(['unprobed EPERM socket']);
    expect(await user.ask(`frame wire ${mac} ${packet(here, there, tcp(5301, 7000))} 1 200 400`)).to.deep.equal(['unprobed EPERM frame']);
    await user.close();
  });

  it('that are none, are malformed', async () => {
    const good = packet(here, there, tcp(5302, 7000));
    for (const line of [`raw ${there} 0 00 1 200 400`, `raw ${there} 256 00 1 200 400`, `raw ${there} 6 0102 1 200 400`, `raw ${there} 6 0102x 1 200 400`, `raw ${there} 1 0800 1 200 400`,
      `frame wire ${mac} - 1 200 400`, `frame wire ${mac} ${good.slice(0, 46)} 1 200 400`, `frame wire ${mac} 75${good.slice(2)} 1 200 400`, `frame wire 02:00:00 ${good} 1 200 400`, `frame wire x ${good} 1 200 400`, `frame ${mac} ${good} 1 200 400`]) {
      expect((await prober.ask(line)).map((event) => event.split(' ')[0]), line).to.deep.equal(['malformed']);
    }
  });

  it('are not sent where the device is not there or down, or goes down meanwhile', async () => {
    const bytes = packet('198.18.8.1', '198.18.8.2', udp(5401, 7000, hello));
    const ask = (device: string, tries = '1 200 30000'): Promise<string[]> => prober.ask(`frame ${device} 02:00:00:00:00:01 ${bytes} ${tries}`);
    expect(await ask('nowhere')).to.deep.equal(['unprobed ENODEV frame']);
    run(near, 'ip link add idle type veth peer name idle2');
    expectEvents(await ask('idle'), ['sent 1 - #', 'unprobed ENETDOWN frame']);
    run(near, 'ip link set idle2 up');
    run(near, 'ip link set idle up');
    const meanwhile = ask('idle');
    await until('it stands', () => prober.lines.at(-1)?.includes(' sent 1 ') === true);
    run(near, 'ip link set idle down');
    expectEvents(await meanwhile, ['sent 1 - #', 'unprobed ENETDOWN frame']);
    run(near, 'ip link delete idle');
  });

  it('go by tun as they are, and their answers may have IP options and a padding', async () => {
    await serve(near, tun);
    const part = udp(5501, 7777, hello);
    const events = await prober.ask(`frame tunnel 00:00:00:00:00:00 ${packet('198.18.9.1', '198.18.9.2', part)} 1 500 8000`);
    expectEvents(events, ['sent 1 - #', `data 1 ${synAck(5501, 7777)}${payload('198.18.9.1', '198.18.9.2', part).slice(8)} # 198.18.9.2`]);
  });

  it('go by lo', async () => {
    const events = await prober.ask(`frame lo 02:00:00:00:00:01 ${packet('::1', '::1', udp(5601, 7999, hello))} 1 500 8000`);
    expectEvents(events, ['sent 1 - #', 'icmp 1 6 1 4 ::1']);
  });

  it('are captured while frame looks stand, and then no more', async () => {
    expect(captures()).to.equal(0);
    const looks = [5701, 5702].map((port) => frame(there, tcp(port, 7103), '1 100 3000'));
    await until('both stand', () => prober.lines.slice(-2).every((line) => line.includes(' sent 1 ')));
    expect(captures()).to.equal(1);
    await Promise.all(looks);
    expect(captures()).to.equal(0);
  });

  it('are a thousand at once by frames, and each gets its own answer', async () => {
    const ports = [7000, 7103, 7104, 7999];
    const all = await Promise.all(Array.from({ length: 1000 }, (_, n) => frame(there, tcp(20_000 + n, ports[n % 4] ?? 0), '3 300 6000')));
    for (const [n, events] of all.entries()) {
      const [shown, begins] = starred(events.filter((event) => !event.startsWith('sent ')));
      const answer = ['data # * # 198.18.0.2', null, 'icmp # 4 3 13 198.18.0.2', 'data # * # 198.18.0.2'][n % 4];
      expectEvents(shown.map((event) => event.replace(/^(\w+) \d/, '$1 #')), answer === null || answer === undefined ? [] : [answer]);
      if (begins !== '') expect(begins.slice(0, 8)).to.equal(synAck(20_000 + n, ports[n % 4] ?? 0));
    }
  });
});

describe('packets of our own, sh', function () {
  this.timeout(120_000);
  before(putUp);
  after(takeDown);
  it('cannot be sent, and that is said', async () => {
    const prober = await start('ash');
    expect(await prober.ask(`raw ${there} 6 ${payload(here, there, tcp(5801, 7000))} 1 200 400`)).to.deep.equal(['unprobed ENOSYS raw']);
    expect(await prober.ask(`frame wire 02:00:00:00:00:01 ${packet(here, there, tcp(5801, 7000))} 1 200 400`)).to.deep.equal(['unprobed ENOSYS frame']);
    expect(await prober.ask('listen tcp 198.18.0.2 7000 100 198.18.0.1')).to.deep.equal(['unprobed ENOSYS listen']);
    await prober.close();
  });
});
