// Both probers, each started as vantage.ts starts it, against real sockets, routes and firewalls in namespaces of our own.
// What prober.sh cannot know stands in its own list of events: no ICMP, no source port, no handshake time, no `closed`.
import { expect } from 'chai';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bare, far, near, processes, putUp, run, runPython, start, takeDown, until, type Kind, type Prober } from './bench.ts';

const kinds: readonly Kind[] = ['python', 'ash', 'dash', 'bash'];
const hello = Buffer.from('hello').toString('hex');
/** An NTP-like datagram with what shells and printf stumble over: NUL, newline, %, backslash, 0xff. */
const binary = `0a00250a5c2d6e00ff0d${'00'.repeat(37)}0a`;

/** On an idle machine it takes less than 100 ms, and 2 s are promised; a loaded one needs more, a leak would stay for 30 s. */
const goneWithinMs = 10_000;

/**
 * `#` stands for a number. Windows are long enough for a loaded machine; what is decided ends early anyway.
 */
type Case = Readonly<{ name: string; command: string; python: readonly string[]; sh: readonly string[]; namespace?: string }>;

const cases: readonly Case[] = [
  {
    name: 'a TCP port that listens is connected',
    command: 'tcp 198.18.0.2 7000 0 - 1 1000 8000',
    python: ['sent 1 # #', 'connected 1 #'],
    sh: ['sent 1 - #', 'connected 1 -'],
  },
  {
    name: 'the source port is the one asked for',
    command: 'tcp 198.18.0.2 7000 4321 - 1 1000 8000',
    python: ['sent 1 4321 #', 'connected 1 #'],
    sh: ['sent 1 4321 #', 'connected 1 -'],
  },
  {
    name: 'a TCP port without a listener is refused by RST: no ICMP event',
    command: 'tcp 198.18.0.2 7999 0 - 3 2000 8000',
    python: ['sent 1 # #', 'error 1 ECONNREFUSED connect'],
    sh: ['sent 1 - #', 'error 1 ECONNREFUSED connect'],
  },
  {
    name: 'reject with tcp reset looks like a RST',
    command: 'tcp 198.18.0.2 7102 0 - 3 2000 8000',
    python: ['sent 1 # #', 'error 1 ECONNREFUSED connect'],
    sh: ['sent 1 - #', 'error 1 ECONNREFUSED connect'],
  },
  {
    name: 'reject with ICMP port unreachable names its sender and code; sh sees a refusal alone',
    command: 'tcp 198.18.0.2 7101 0 - 1 1000 8000',
    python: ['sent 1 # #', 'icmp 1 4 3 3 198.18.0.2', 'error 1 ECONNREFUSED connect'],
    sh: ['sent 1 - #', 'error 1 ECONNREFUSED connect'],
  },
  {
    name: 'reject with ICMP admin prohibited',
    command: 'tcp 198.18.0.2 7104 0 - 1 1000 8000',
    python: ['sent 1 # #', 'icmp 1 4 3 13 198.18.0.2', 'error 1 EHOSTUNREACH connect'],
    sh: ['sent 1 - #', 'error 1 EHOSTUNREACH connect'],
  },
  {
    name: 'an ICMP error from a router names the router',
    command: 'tcp 198.18.1.9 22 0 - 1 1000 8000',
    python: ['sent 1 # #', 'icmp 1 4 3 13 198.18.0.2', 'error 1 EHOSTUNREACH connect'],
    sh: ['sent 1 - #', 'error 1 EHOSTUNREACH connect'],
  },
  {
    name: 'a SYN dropped at the far end is silence, after all tries',
    command: 'tcp 198.18.0.2 7103 0 - 3 200 400',
    python: ['sent 1 # #', 'sent 2 # #', 'sent 3 # #'],
    sh: ['sent 1 - #', 'sent 2 - #', 'sent 3 - #'],
  },
  {
    name: 'a SYN dropped in our own OUTPUT chain is silence too',
    command: 'tcp 198.18.0.2 7201 0 - 2 200 400',
    python: ['sent 1 # #', 'sent 2 # #'],
    sh: ['sent 1 - #', 'sent 2 - #'],
  },
  {
    name: 'tries from one source port come one after the other',
    command: 'tcp 198.18.0.2 7103 4324 - 3 300 400',
    python: ['sent 1 4324 #', 'sent 2 4324 #', 'sent 3 4324 #'],
    sh: ['sent 1 4324 #', 'sent 2 4324 #', 'sent 3 4324 #'],
  },
  {
    name: 'no route is final',
    command: 'tcp 203.0.113.1 22 0 - 3 4000 8000',
    python: ['sent 1 - #', 'error 1 ENETUNREACH connect'],
    sh: ['sent 1 - #', 'error 1 ENETUNREACH connect'],
  },
  {
    name: 'a prohibit route',
    command: 'tcp 198.18.2.1 22 0 - 3 4000 8000',
    python: ['sent 1 - #', 'error 1 EACCES connect'],
    sh: ['sent 1 - #', 'error 1 EACCES connect'],
  },
  {
    name: 'a blackhole route',
    command: 'tcp 198.18.3.1 22 0 - 3 4000 8000',
    python: ['sent 1 - #', 'error 1 EINVAL connect'],
    sh: ['sent 1 - #', 'error 1 EINVAL connect'],
  },
  {
    name: 'an unreachable route',
    command: 'tcp 198.18.4.1 22 0 - 3 4000 8000',
    python: ['sent 1 - #', 'error 1 EHOSTUNREACH connect'],
    sh: ['sent 1 - #', 'error 1 EHOSTUNREACH connect'],
  },
  {
    name: 'a dead neighbour: python sees that our own host says so',
    command: 'tcp 198.18.0.99 22 0 - 1 1000 15000',
    python: ['sent 1 # #', 'icmp 1 4 3 1 198.18.0.1', 'error 1 EHOSTUNREACH connect'],
    sh: ['sent 1 - #', 'error 1 EHOSTUNREACH connect'],
  },
  {
    name: 'with + an error ends its try alone, and all tries are made',
    command: 'tcp 198.18.0.2 7999 0 - +3 300 15000',
    python: ['sent 1 # #', 'error 1 ECONNREFUSED connect', 'sent 2 # #', 'error 2 ECONNREFUSED connect', 'sent 3 # #', 'error 3 ECONNREFUSED connect'],
    sh: ['sent 1 - #', 'error 1 ECONNREFUSED connect', 'sent 2 - #', 'error 2 ECONNREFUSED connect', 'sent 3 - #', 'error 3 ECONNREFUSED connect'],
  },
  {
    name: 'no IPv6 address: the destination has no address that could be used',
    command: 'tcp 2001:2::1 22 0 - 3 4000 8000',
    namespace: bare,
    python: ['sent 1 - #', 'error 1 EADDRNOTAVAIL connect'],
    sh: ['sent 1 - #', 'error 1 EADDRNOTAVAIL connect'],
  },
  {
    name: 'IPv6 with a link-local address alone: no route',
    command: 'tcp 2001:2::1 22 0 - 3 4000 8000',
    python: ['sent 1 - #', 'error 1 ENETUNREACH connect'],
    sh: ['sent 1 - #', 'error 1 ENETUNREACH connect'],
  },
  {
    name: 'bytes over TCP come back',
    command: `tcp 198.18.0.2 7000 0 ${binary} 1 1000 8000`,
    python: ['sent 1 # #', 'connected 1 #', `data 1 ${binary} # 198.18.0.2`],
    sh: ['sent 1 - #', 'connected 1 -', `data 1 ${binary} # 198.18.0.2`],
  },
  {
    name: 'a server that takes a half-closed peer for a gone one, and answers after a while',
    command: `tcp 198.18.0.2 7005 0 ${hello} 1 1000 8000`,
    python: ['sent 1 # #', 'connected 1 #', `data 1 ${hello} # 198.18.0.2`],
    sh: ['sent 1 - #', 'connected 1 -', `data 1 ${hello} # 198.18.0.2`],
  },
  {
    name: 'a server that speaks first',
    command: 'tcp 198.18.0.2 7003 0 00 1 1000 8000',
    python: ['sent 1 # #', 'connected 1 #', `data 1 ${Buffer.from('hello from 7003\r\n').toString('hex')} # 198.18.0.2`],
    sh: ['sent 1 - #', 'connected 1 -', `data 1 ${Buffer.from('hello from 7003\r\n').toString('hex')} # 198.18.0.2`],
  },
  {
    name: 'of much data the first bytes alone',
    command: 'tcp 198.18.0.2 7004 0 00 1 1000 8000',
    python: ['sent 1 # #', 'connected 1 #', `data 1 ${'78'.repeat(2048)} # 198.18.0.2`],
    sh: ['sent 1 - #', 'connected 1 -', `data 1 ${'78'.repeat(1904)} # 198.18.0.2`],
  },
  {
    name: 'a peer that hangs up without a word is closed; sh, whose nc waits for its own stdin, does not see it',
    command: `tcp 198.18.0.2 7001 0 ${hello} 1 1000 2000`,
    python: ['sent 1 # #', 'connected 1 #', 'closed 1'],
    sh: ['sent 1 - #', 'connected 1 -'],
  },
  {
    name: 'a peer that says nothing is waited for, and no further try begins',
    command: `tcp 198.18.0.2 7002 0 ${hello} 3 2500 5000`,
    python: ['sent 1 # #', 'connected 1 #'],
    sh: ['sent 1 - #', 'connected 1 -'],
  },
  {
    name: 'a datagram comes back',
    command: `udp 198.18.0.2 7000 0 ${binary} 1 1000 8000`,
    python: ['sent 1 # #', `data 1 ${binary} # 198.18.0.2`],
    sh: ['sent 1 - #', `data 1 ${binary} # 198.18.0.2`],
  },
  {
    name: 'a datagram from the source port asked for, three times over: it comes back once',
    command: `udp 198.18.0.2 7000 4322 ${hello} 3 3000 8000`,
    python: ['sent 1 4322 #', `data 1 ${hello} # 198.18.0.2`],
    sh: ['sent 1 4322 #', `data 1 ${hello} # 198.18.0.2`],
  },
  {
    name: 'a late answer to the first try counts while the second is out',
    command: `udp 198.18.0.2 7005 0 ${hello} 2 600 8000`,
    python: ['sent 1 # #', 'sent 2 # #', `data 1 ${hello} # 198.18.0.2`],
    sh: ['sent 1 - #', 'sent 2 - #', `data 1 ${hello} # 198.18.0.2`],
  },
  {
    name: 'a UDP port without a listener is refused',
    command: `udp 198.18.0.2 7999 0 ${hello} 1 1000 8000`,
    python: ['sent 1 # #', 'icmp 1 4 3 3 198.18.0.2', 'error 1 ECONNREFUSED read'],
    sh: ['sent 1 - #', 'error 1 ECONNREFUSED read'],
  },
  {
    name: 'a datagram rejected as admin prohibited',
    command: `udp 198.18.0.2 7104 0 ${hello} 1 1000 8000`,
    python: ['sent 1 # #', 'icmp 1 4 3 13 198.18.0.2', 'error 1 EHOSTUNREACH read'],
    sh: ['sent 1 - #', 'error 1 EHOSTUNREACH read'],
  },
  {
    name: 'a datagram that a router calls unreachable; nc, which does not ask for such errors, hears nothing',
    command: `udp 198.18.1.8 7000 0 ${hello} 1 1000 2000`,
    python: ['sent 1 # #', 'icmp 1 4 3 1 198.18.0.2', 'error 1 EHOSTUNREACH read'],
    sh: ['sent 1 - #'],
  },
  {
    name: 'a datagram dropped at the far end is silence',
    command: `udp 198.18.0.2 7103 0 ${hello} 2 200 400`,
    python: ['sent 1 # #', 'sent 2 # #'],
    sh: ['sent 1 - #', 'sent 2 - #'],
  },
  {
    name: 'a service that does not answer is silence, also from a port of ours',
    command: `udp 198.18.0.2 7002 4323 ${hello} 2 200 400`,
    python: ['sent 1 4323 #', 'sent 2 4323 #'],
    sh: ['sent 1 4323 #', 'sent 2 4323 #'],
  },
  {
    name: 'a datagram dropped in our own OUTPUT chain is EPERM',
    command: `udp 198.18.0.2 7201 0 ${hello} 3 4000 8000`,
    python: ['sent 1 # #', 'error 1 EPERM send'],
    sh: ['sent 1 - #', 'error 1 EPERM send'],
  },
  {
    name: 'a datagram to a broadcast address: sh would not take the answers, and says that it did not look',
    command: `udp 198.18.0.255 7000 0 ${hello} 1 200 8000`,
    python: ['sent 1 # #', `data 1 ${hello} # 198.18.0.2`],
    sh: ['sent 1 - #', 'unprobed EACCES connect'],
  },
  {
    name: 'UDP by a prohibit route is no broadcast',
    command: `udp 198.18.2.1 7000 0 ${hello} 1 200 400`,
    python: ['sent 1 - #', 'error 1 EACCES connect'],
    sh: ['sent 1 - #', 'error 1 EACCES connect'],
  },
  {
    name: 'echo is answered',
    command: 'icmp 198.18.0.2 000a25 3 1000 8000',
    python: ['sent 1 # #', 'data 1 000a25 # 198.18.0.2'],
    sh: ['sent 1 - #', 'data 1 - # 198.18.0.2'],
  },
  {
    name: 'echo dropped at the far end is silence',
    command: 'icmp 198.18.0.3 00 2 200 400',
    python: ['sent 1 # #', 'sent 2 # #'],
    sh: ['sent 1 - #', 'sent 2 - #'],
  },
  {
    name: 'echo dropped in our own OUTPUT chain is EPERM',
    command: 'icmp 198.18.0.4 00 2 4000 8000',
    python: ['sent 1 # #', 'error 1 EPERM send'],
    sh: ['sent 1 - #', 'error 1 EPERM send'],
  },
  {
    name: 'echo rejected by a router; ping says nothing of it',
    command: 'icmp 198.18.1.9 00 1 200 1500',
    python: ['sent 1 # #', 'icmp 1 4 3 13 198.18.0.2', 'error 1 EHOSTUNREACH read'],
    sh: ['sent 1 - #'],
  },
  {
    name: 'echo without a route',
    command: 'icmp 203.0.113.1 00 1 200 400',
    python: ['sent 1 - #', 'error 1 ENETUNREACH connect'],
    sh: ['sent 1 - #', 'error 1 ENETUNREACH send'],
  },
  {
    name: 'a source port that another program holds: not looked',
    command: 'tcp 198.18.0.2 7000 7000 - 2 4000 8000',
    python: ['unprobed EADDRINUSE bind'],
    sh: ['sent 1 7000 #', 'unprobed EADDRINUSE bind'],
  },
  {
    name: 'an address that is none: not looked',
    command: 'tcp 198.18.0.300 7000 0 - 2 4000 8000',
    python: ['unprobed EINVAL address'],
    sh: ['sent 1 - #', 'unprobed EINVAL address'],
  },
  {
    name: 'an interface that is not there: not looked',
    command: 'udp fe80::1%nowhere 7000 0 00 2 4000 8000',
    python: ['unprobed EINVAL address'],
    sh: ['sent 1 - #', 'unprobed EINVAL address'],
  },
];

for (const kind of kinds) {
  describe(`prober, ${kind}`, function () {
    this.timeout(120_000);
    const sh = kind !== 'python';
    const probers = new Map<string, Promise<Prober>>();
    const proberIn = (namespace: string): Promise<Prober> => {
      const started = probers.get(namespace) ?? start(kind, { namespace });
      probers.set(namespace, started);
      return started;
    };
    before(putUp);
    after(takeDown);

    describe('says of', () => {
      // All at once, as in a real run; each test then awaits its own.
      const asked = new Map<Case, Promise<string[]>>();
      before(async () => {
        for (const one of cases) {
          const prober = await proberIn(one.namespace ?? near);
          asked.set(one, prober.ask(one.command));
        }
      });
      for (const one of cases) {
        it(one.name, async () => {
          expectEvents(await asked.get(one) ?? [], sh ? one.sh : one.python);
        });
      }
    });

    it('takes IPv6 link-local addresses with their interface', async () => {
      const prober = await proberIn(near);
      const address = `${/inet6 (fe80::[0-9a-f:]+)/.exec(run(far, 'ip -6 addr show dev wire'))?.[1] ?? ''}%wire`;
      const bareAddress = address.split('%')[0] ?? '';
      const shown = sh ? address : bareAddress;
      const [tcp, udp, icmp, refused] = await Promise.all([
        prober.ask(`tcp ${address} 7000 0 ${hello} 1 500 8000`),
        prober.ask(`udp ${address} 7000 0 ${hello} 1 500 8000`),
        prober.ask(`icmp ${address} 0102 1 500 8000`),
        prober.ask(`udp ${address} 7999 0 ${hello} 1 500 8000`),
      ]);
      expectEvents(tcp, sh ? ['sent 1 - #', 'connected 1 -', `data 1 ${hello} # ${shown}`] : ['sent 1 # #', 'connected 1 #', `data 1 ${hello} # ${shown}`]);
      expectEvents(udp, [sh ? 'sent 1 - #' : 'sent 1 # #', `data 1 ${hello} # ${shown}`]);
      expectEvents(icmp, sh ? ['sent 1 - #', `data 1 - # ${bareAddress}`] : ['sent 1 # #', `data 1 0102 # ${shown}`]);
      expectEvents(refused, sh ? ['sent 1 - #', 'error 1 ECONNREFUSED read'] : ['sent 1 # #', `icmp 1 6 1 4 ${bareAddress}`, 'error 1 ECONNREFUSED read']);
    });

    it('begins no try and ends no silence before its time', async () => {
      const prober = await proberIn(near);
      const asked = Date.now();
      const events = await prober.ask('tcp 198.18.0.2 7103 0 - 3 400 700');
      expect(Date.now() - asked).to.be.at.least(1490); // 2 intervals and a window; sh counts in steps of 10 ms
      const began = events.map((event) => Number(event.split(' ')[3]));
      expect(began[0]).to.be.below(400);
      expect(began[1]).to.be.at.least(390);
      expect(began[2]).to.be.at.least(790);
    });

    it('does not take a lack of free source ports for a missing address', async () => {
      const prober = await proberIn(near);
      await withSetting('net.ipv4.ip_local_port_range', '50000\t50001', async () => {
        expect((await prober.ask('tcp 198.18.0.2 7103 0 - 4 200 400')).at(-1)).to.equal(sh ? 'unprobed EADDRINUSE bind' : 'unprobed EADDRNOTAVAIL connect');
        // Sockets of nc may share a port, and for UDP that does no harm.
        if (!sh) expect((await prober.ask(`udp 198.18.0.2 7103 0 ${hello} 4 200 400`)).at(-1)).to.equal('unprobed EAGAIN connect');
      });
    });

    it('looks twice from one source port: python closes by RST; nc leaves a TIME-WAIT, and then sh says that it did not look', async () => {
      const prober = await proberIn(near);
      const ask = (): Promise<string[]> => prober.ask('tcp 198.18.0.2 7000 4325 - 1 500 8000');
      // Without timestamps no TIME-WAIT is taken over; with them it depends on the second.
      await withSetting('net.ipv4.tcp_timestamps', '0', async () => {
        expectEvents(await ask(), ['sent 1 4325 #', sh ? 'connected 1 -' : 'connected 1 #']);
        expectEvents(await ask(), ['sent 1 4325 #', sh ? 'unprobed EADDRNOTAVAIL connect' : 'connected 1 #']);
      });
    });

    it('reads conntrack: an entry means that the datagram or the SYN has passed the firewall', async () => {
      const prober = await proberIn(near);
      const witness = await proberIn(far);
      await prober.ask(`udp 198.18.0.2 7998 5001 ${hello} 1 200 400`); // nobody listens
      await prober.ask(`udp 198.18.0.2 7103 5002 ${hello} 1 200 400`); // dropped
      await prober.ask('tcp 198.18.0.2 7000 5003 - 1 200 8000');
      const rows = (await witness.ask('conntrack 198.18.0.1,198.18.9.9')).map(readRow);
      expect(rows.some((row) => /^ipv4 +2 udp +17 .*src=198\.18\.0\.1 dst=198\.18\.0\.2 sport=5001 dport=7998 /.test(row)), 'delivered').to.equal(true);
      expect(rows.some((row) => row.includes('sport=5002')), 'dropped').to.equal(false);
      expect(rows.some((row) => /^ipv4 +2 tcp +6 .*src=198\.18\.0\.1 dst=198\.18\.0\.2 sport=5003 dport=7000 /.test(row)), 'TCP').to.equal(true);
      expect(await witness.ask('conntrack 198.18.0.2')).to.deep.equal([]); // it stands in replies alone
    });

    it('reads conntrack for IPv6, whichever way the address is written', async () => {
      const prober = await proberIn(near);
      const witness = await proberIn(far);
      const own = /inet6 (fe80::[0-9a-f:]+)/.exec(run(near, 'ip -6 addr show dev wire'))?.[1] ?? '';
      const other = /inet6 (fe80::[0-9a-f:]+)/.exec(run(far, 'ip -6 addr show dev wire'))?.[1] ?? '';
      await prober.ask(`udp ${other}%wire 7998 5004 ${hello} 1 200 400`);
      const rows = (await witness.ask(`conntrack ${own}`)).map(readRow);
      expect(rows.some((row) => /^ipv6 +10 udp +17 .*sport=5004 dport=7998 /.test(row))).to.equal(true);
    });

    it('gives the facts of its host', async () => {
      const prober = await proberIn(near);
      const told: Record<string, string> = {};
      for (const event of await prober.ask('facts')) {
        const [what, name = '', hex = ''] = event.split(' ');
        expect(what).to.equal('fact');
        told[name] = (told[name] ?? '') + Buffer.from(hex === '-' ? '' : hex, 'hex').toString();
      }
      expect(told.kernel).to.match(/^Linux \S+ \d/);
      expect(told.addresses).to.match(/^\d+: wire\S*\s+inet 198\.18\.0\.1\/24 brd 198\.18\.0\.255/m);
      expect(told.routes4).to.match(/^prohibit 198\.18\.2\.0\/24/m);
      expect(told.routes6).to.include('fe80::/64');
      expect(told.neighbours).to.include('198.18.0.2 dev wire');
      expect(told.forwarding).to.match(/^ipv4 0\nipv6 0\n?$/);
      expect(told.conntrack).to.equal('readable');
      expect(told).to.have.property('resolvers');
      expect(await (await proberIn(bare)).ask('facts'), 'an empty one').to.include('fact neighbours -');
    });

    it('calls a malformed line so, runs nothing of it and goes on', async () => {
      const prober = await proberIn(near);
      const lines = ['m1', 'm2 tcp', 'm3 tcp 198.18.0.2 7000 0 - 1 200', 'm4 dance', 'm5 tcp 198.18.0.2 70000 0 - 1 200 400', 'm6 udp 198.18.0.2 7000 0 abc 1 200 400',
        'm7 tcp $(touch${IFS}/tmp/fpt-owned) 22 0 - 1 200 400', 'm8 tcp 198.18.0.2 7000 0 - 0 200 400', 'm9 tcp 198.18.0.2 7000 0 - ++1 200 400', 'm10 udp 198.18.0.2 7000 0 zz 1 200 400',
        'm11 tcp 198.18.0.2 7000 0 - 1 -5 400', 'm12 icmp 198.18.0.2 00 1 200'];
      for (const line of lines) prober.send(line);
      prober.send(Buffer.from([0xff, 0xfe, 0x20, 0x00]));
      prober.send('');
      prober.send(`m13 ${'x'.repeat(300_000)}`);
      prober.send(`m14 udp 198.18.0.2 7000 0 ${'00'.repeat(2000)} 1 500 8000`);
      if (!sh) {
        prober.child.stdin.write(`m15 ${'x'.repeat(300_000)}`);
        await until('a line without end is cut off', () => prober.lines.includes('m15 end'));
        prober.send('');
      }
      expectEvents(await prober.ask('tcp 198.18.0.2 7000 0 - 1 500 8000'), sh ? ['sent 1 - #', 'connected 1 -'] : ['sent 1 # #', 'connected 1 #']);
      const seen = prober.lines;
      for (const line of lines) {
        const id = line.split(' ')[0] ?? '';
        expect(seen.filter((other) => other.startsWith(`${id} `)), line).to.deep.equal([`${id} malformed ${Buffer.from(line).toString('hex').slice(0, 200)}`, `${id} end`]);
      }
      expect(seen.filter((line) => line.startsWith('- malformed ')).length).to.be.at.least(2);
      expect(seen.some((line) => line.startsWith('m13 malformed 6d3133')), 'a line too long').to.equal(true);
      // prober.sh takes no line that would not fit into its own pipe in one piece.
      expect(seen.some((line) => line.startsWith('m14 malformed ')), 'a long payload').to.equal(sh);
      expect(readdirSync('/tmp')).to.not.include('fpt-owned');
    });

    it(`takes ${sh ? 200 : 2000} commands at once, and each ends exactly once`, async () => {
      const prober = await start(kind);
      const count = sh ? 200 : 2000;
      // By turns open, silent, silent, refused, silent, silent: enough silence to fill prober.sh.
      const kindsOfPort = [[7000, /^connected /], [7103, /^sent 2/], [7103, /^sent 2/], [7999, /^error \d ECONNREFUSED connect/], [7103, /^sent 2/], [7103, /^sent 2/]] as const;
      const asked = Array.from({ length: count }, (_, n) => kindsOfPort[n % 6] ?? kindsOfPort[0]);
      const found = await Promise.all(asked.map(([port]) => prober.ask(`tcp 198.18.0.2 ${port} 0 - 2 2000 2000`)));
      for (const [n, events] of found.entries()) expect(events.at(-1), `${n}`).to.match(asked[n]?.[1] ?? /never/);
      expect(prober.lines.filter((line) => line.endsWith(' end')).length).to.equal(count);
      if (sh) expect(mostAtOnce(prober.lines)).to.be.within(9, 128);
      expect(await prober.close()).to.equal(0);
      expect(prober.stderr()).to.equal('');
    });

    it('leaves no process when stdin ends half-way', async () => {
      const others = processes(near);
      const prober = await start(kind);
      for (let n = 0; n < (sh ? 150 : 500); n++) prober.send(`e${n} udp 198.18.0.2 7002 0 00 3 500 30000`);
      for (let n = 0; n < 20; n++) prober.send(`t${n} tcp 198.18.0.2 7002 0 00 3 500 30000`);
      await until('the first looks are under way', () => prober.lines.some((line) => line.startsWith('e9 sent 2')));
      expect(await prober.close()).to.equal(0);
      await until('all are gone', () => processes(near).every((pid) => others.includes(pid)), goneWithinMs);
      expect(prober.stderr()).to.equal('');
    });

    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      it(`leaves no process when it gets ${signal}`, async () => {
        const others = processes(near);
        const prober = await start(kind);
        for (let n = 0; n < 10; n++) prober.send(`e${n} udp 198.18.0.2 7002 0 00 3 500 30000`);
        await until('the first looks are under way', () => prober.lines.some((line) => line.startsWith('e9 sent 2')));
        prober.child.kill(signal);
        await until('all are gone', () => processes(near).every((pid) => others.includes(pid)), goneWithinMs);
      });
    }

    it('ends by quit too', async () => {
      const prober = await start(kind);
      expect(await prober.ask('quit')).to.deep.equal([]);
      await until('it exits', () => prober.child.exitCode !== null);
      expect(prober.child.exitCode).to.equal(0);
    });

    it('puts the ready mark on a line of its own, whatever the login prints before', async () => {
      const prober = await start(kind, { before: 'echo Welcome; printf "no end of line"; ' });
      expect(prober.lines).to.include(`FLOWPROOF-1 ${sh ? 'sh' : 'python'} uid=0 `);
      expectEvents(await prober.ask('tcp 198.18.0.2 7000 0 - 1 500 8000'), sh ? ['sent 1 - #', 'connected 1 -'] : ['sent 1 # #', 'connected 1 #']);
      await prober.close();
    });

    it('says what an unprivileged login cannot look at', async () => {
      const prober = await start(kind, { wrap: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] });
      expect(prober.lines).to.include(`FLOWPROOF-1 ${sh ? 'sh' : 'python'} uid=65534 `);
      expectEvents(await prober.ask('icmp 198.18.0.2 00 1 200 4000'), [...(sh ? ['sent 1 - #'] : []), 'unprobed EPERM socket']);
      expectEvents(await prober.ask('conntrack 198.18.0.1'), ['unprobed EACCES conntrack']);
      expectEvents(await prober.ask('udp 198.18.0.2 7000 68 00 1 200 4000'), [...(sh ? ['sent 1 68 #'] : []), 'unprobed EACCES bind']);
      expectEvents(await prober.ask('tcp 198.18.0.2 7000 0 - 1 500 8000'), sh ? ['sent 1 - #', 'connected 1 -'] : ['sent 1 # #', 'connected 1 #']);
      await prober.close();
    });

    if (sh) {
      it('takes no nc that was slow to start for silence', async () => {
        const folder = mkdtempSync(join(tmpdir(), 'fpt-slow-'));
        // Busy for 700 ms, as if the machine were, and then what was asked for.
        const script = '#!/bin/sh\nnow() { read -r t _ </proc/uptime; t=${t%.*}${t#*.}; }\nnow\nend=$((t + 70))\nwhile [ $t -lt $end ]; do now; done\nexec busybox nc "$@"\n';
        writeFileSync(join(folder, 'nc'), script, { mode: 0o755 });
        try {
          const prober = await start(kind, { before: `PATH=${folder}:$PATH; ` });
          const events = await Promise.all(['tcp 198.18.0.2 7000 0 - 1 100 300', `udp 198.18.0.2 7000 0 ${hello} 2 100 300`].map(prober.ask));
          expect(events.map((list) => list.at(-1)?.split(' ')[0])).to.deep.equal(['connected', 'data']);
          await prober.close();
        } finally {
          rmSync(folder, { recursive: true });
        }
      });

      it('has the table of /proc alone: without it, not looked', async () => {
        const prober = await start(kind, { namespace: far, wrap: withoutProcNet });
        expect(await prober.ask('conntrack 198.18.0.1')).to.deep.equal(['unprobed ENOENT conntrack']);
        await prober.close();
      });
    } else {
      // busybox's ping knows this way from 1.36 on only, so prober.sh may have to say that it could not look: see above.
      it('pings without root where the kernel lets it, and takes no redirect for an error', async () => {
        await withSetting('net.ipv4.ping_group_range', '0\t2147483647', async () => {
          const prober = await start(kind, { wrap: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] });
          expectEvents(await prober.ask('icmp 198.18.0.2 00ff 1 200 8000'), ['sent 1 # #', 'data 1 00ff # 198.18.0.2']);
          expectEvents(await prober.ask('icmp 198.18.1.9 00 1 200 1500'), ['sent 1 # #', 'icmp 1 4 3 13 198.18.0.2', 'error 1 EHOSTUNREACH read']);
          await prober.close();
        });
      });

      it('reads conntrack by netlink where the kernel has no table in /proc', async () => {
        const prober = await proberIn(near);
        await prober.ask(`udp 198.18.0.2 7998 5011 ${hello} 1 200 400`);
        await prober.ask('tcp 198.18.0.2 7000 5012 - 1 200 8000');
        await prober.ask('icmp 198.18.0.2 00 1 200 8000');
        const plain = await (await proberIn(far)).ask('conntrack 198.18.0.1');
        const witness = await start(kind, { namespace: far, wrap: withoutProcNet });
        const dumped = await witness.ask('conntrack 198.18.0.1');
                // Without what changes by the second and what nobody reads, and with [ASSURED] in one place.
        const bones = (rows: readonly string[]): string[] =>
          rows.map(readRow).map((row) => `${row.replace(/ (mark|zone|use)=\d+| \[ASSURED\]/g, '')}${row.includes('[ASSURED]')}`.replace(/\s+/g, ' ').replace(/^(\S+ \d+ \S+ \d+) \d+/, '$1'));
        expect(bones(dumped)).to.include.members(bones(plain).filter((row) => /port=50|icmp/.test(row)));
        expect(bones(plain).join('\n')).to.match(/sport=5011/).and.match(/sport=5012/).and.match(/icmp .*type=8 code=0 id=/);
        await witness.close();
      });

      it('waits for descriptors rather than fail for want of them', async () => {
        const prober = await start(kind, { before: 'ulimit -n 64; ' });
        const found = await Promise.all(Array.from({ length: 100 }, () => prober.ask('udp 198.18.0.2 7002 0 00 3 50 100')));
        for (const events of found) expectEvents(events, ['sent 1 # #', 'sent 2 # #', 'sent 3 # #']);
        await prober.close();
      });

      it('listens: what comes from a listed source arrives with its bytes, by TCP and by UDP, and nothing is left', async () => {
        const [prober, witness] = [await proberIn(near), await proberIn(far)];
        const sources = '198.18.0.77,fe80::77%wire,198.18.0.1,198.18.0.78';
        const wanted = ['tcp 198.18.0.2 7310', 'tcp 198.18.0.2 7311', 'tcp 198.18.0.2 7312', 'udp 198.18.0.2 7310'];
        const [bytes, many, none, datagrams] = await Promise.all(wanted.map((what) => listenAt(witness, `${what} 30000 ${sources}`)));
        const long = '5a'.repeat(100);
        expectEvents(await prober.ask(`tcp 198.18.0.2 7310 6001 ${binary} 1 500 8000`), ['sent 1 6001 #', 'connected 1 #', 'error 1 ECONNRESET read']);
        await prober.ask(`tcp 198.18.0.2 7311 6002 ${long} 1 500 8000`);
        await prober.ask('tcp 198.18.0.2 7312 6003 - 1 500 8000'); // which it closes at once, by RST
        expectEvents(await prober.ask(`udp 198.18.0.2 7310 6004 ${binary} 1 500 300`), ['sent 1 6004 #']);
        await prober.ask(`udp 198.18.0.2 7310 6005 ${long} 1 500 300`);
        await prober.ask('udp 198.18.0.2 7310 6006 - 1 500 300');
        expect(await bytes?.hush()).to.deep.equal([`arrived 198.18.0.1 6001 ${binary}`]);
        expect(await many?.hush()).to.deep.equal([`arrived 198.18.0.1 6002 ${'5a'.repeat(64)}`]);
        expect(await none?.hush()).to.deep.equal(['arrived 198.18.0.1 6003 -']);
        expect(await datagrams?.hush()).to.deep.equal([`arrived 198.18.0.1 6004 ${binary}`, `arrived 198.18.0.1 6005 ${'5a'.repeat(64)}`, 'arrived 198.18.0.1 6006 -']);
        expect(run(far, 'cat /proc/net/tcp /proc/net/udp')).to.not.match(/:1C8[EF0] /); // 7310 to 7312
        expectEvents(await prober.ask(`tcp 198.18.0.2 7310 0 ${binary} 1 500 8000`), ['sent 1 # #', 'error 1 ECONNREFUSED connect']);
      });

      it('listens on IPv6 link-local addresses, and names no interface in the source', async () => {
        const [prober, witness] = [await proberIn(near), await proberIn(far)];
        const [own, other] = [linkLocal(near), linkLocal(far)];
        const [tcp, udp] = await Promise.all([listenAt(witness, `tcp ${other}%wire 7320 30000 fe80::77,${own}%wire`), listenAt(witness, `udp ${other}%wire 7320 30000 198.18.0.1,${own}`)]);
        const [strange, wrong] = await Promise.all([listenAt(witness, `tcp ${other}%wire 7321 30000 ${own.slice(0, -1)}${own.endsWith('1') ? '2' : '1'}`), listenAt(witness, `udp ${other}%wire 7321 30000 198.18.0.1`)]);
        await Promise.all(['tcp', 'udp'].flatMap((transport) => [7320, 7321].map((port) => prober.ask(`${transport} ${other}%wire ${port} 6011 ${hello} 1 500 500`))));
        expect(await tcp.hush()).to.deep.equal([`arrived ${own} 6011 ${hello}`]);
        expect(await udp.hush()).to.deep.equal([`arrived ${own} 6011 ${hello}`]);
        expect([...await strange.hush(), ...await wrong.hush()]).to.deep.equal([]);
      });

      it('drops strangers before they notice: no SYN of theirs is answered, no datagram refused or heard', async () => {
        const [prober, witness] = [await proberIn(near), await proberIn(far)];
        const [tcp, udp] = await Promise.all([listenAt(witness, 'tcp 198.18.0.2 7330 30000 198.18.0.11,198.18.0.2'), listenAt(witness, 'udp 198.18.0.2 7330 30000 198.18.0.11')]);
        const [syn, datagram] = await Promise.all([prober.ask('tcp 198.18.0.2 7330 0 - 2 300 700'), prober.ask(`udp 198.18.0.2 7330 0 ${hello} 2 300 700`)]);
        expectEvents(syn, ['sent 1 # #', 'sent 2 # #']);
        expectEvents(datagram, ['sent 1 # #', 'sent 2 # #']);
        await witness.ask(`tcp 198.18.0.2 7330 6021 ${hello} 1 300 700`); // it is alive
        expect(await tcp.hush()).to.deep.equal([`arrived 198.18.0.2 6021 ${hello}`]);
        expect(await udp.hush()).to.deep.equal([]);
      });

      it('says once that a connection is half-open where its own machine drops the SYN-ACKs', async () => {
        const [prober, witness] = [await proberIn(near), await proberIn(far)];
        const [own, other] = [linkLocal(near), linkLocal(far)];
        const [v4, v6] = await Promise.all([listenAt(witness, 'tcp 198.18.0.2 7301 30000 198.18.0.1'), listenAt(witness, `tcp ${other}%wire 7301 30000 ${own}`)]);
        const looks = [prober.ask('tcp 198.18.0.2 7301 6031 - 1 500 2500'), prober.ask(`tcp ${other}%wire 7301 6032 - 1 500 2500`)];
        for (const events of await Promise.all(looks)) expect(events.length, 'sent alone').to.equal(1);
        expect(witness.lines, 'before the end').to.include.members([`${v4.id} half 198.18.0.1 6031`, `${v6.id} half ${own} 6032`]);
        expect(await v4.hush()).to.deep.equal(['half 198.18.0.1 6031']);
        expect(await v6.hush()).to.deep.equal([`half ${own} 6032`]);
      });

      it('looks for half-open connections once more when it ends', async () => {
        const [prober, witness] = [await proberIn(near), await proberIn(far)];
        for (let round = 0; round < 8; round++) { // by chance it would be right in some of them; those of the last round are still there
          const one = await listenAt(witness, 'tcp 198.18.0.2 7301 30000 198.18.0.1');
          await prober.ask(`tcp 198.18.0.2 7301 ${6041 + round} - 1 500 100`);
          expect(await one.hush()).to.deep.equal([`half 198.18.0.1 ${6041 + round}`]);
        }
      });

      it('says where half-open connections cannot be seen', async () => {
        const witness = await start(kind, { namespace: far, wrap: withoutProcNet });
        const one = await listenAt(witness, 'tcp 198.18.0.2 7302 600 198.18.0.1');
        expect(await one.ended).to.deep.equal(['error 0 ENOENT half']);
        await witness.close();
      });

      it('waits for the first bytes of many connections at once, and says what sends none', async () => {
        const witness = await proberIn(far);
        const one = await listenAt(witness, 'tcp 198.18.0.2 7340 30000 198.18.0.1');
        const script = (before: string): string => `import socket, time\nfound = []\nfor n in range(50):\n  found.append(socket.create_connection(("198.18.0.2", 7340)))\n${before}for sock in found:\n  try: assert sock.recv(1) == b""\n  except ConnectionResetError: print("RST")\n`;
        expect(runPython(near, script('')).trim().split('\n')).to.deep.equal(Array.from({ length: 50 }, () => 'RST'));
        expect(runPython(near, script('time.sleep(0.05)\nfor sock in found: sock.send(b"late")\n'))).to.match(/^(RST\n){50}$/);
        const events = (await one.hush()).filter((event) => !event.startsWith('half '));
        expect(events.length).to.equal(100);
        expect(events.slice(0, 50).every((event) => event.endsWith(' -'))).to.equal(true);
        expect(events.slice(50).filter((event) => event.endsWith(` ${Buffer.from('late').toString('hex')}`)).length).to.be.above(10);
      });

      it('shares no port with another program, nor with itself, and takes no wildcard', async () => {
        const witness = await proberIn(far);
        const held = await Promise.all(['tcp', 'udp'].map((transport) => listenAt(witness, `${transport} 198.18.0.2 7350 30000 198.18.0.1`)));
        for (const transport of ['tcp', 'udp']) {
          for (const port of [7000, 7350]) expect(await witness.ask(`listen ${transport} 198.18.0.2 ${port} 300 198.18.0.1`), `${port}`).to.deep.equal(['unprobed EADDRINUSE listen']);
          for (const address of ['0.0.0.0', '::', '0', '::0.0.0.0', '198.18.0.300', 'fe80::1%nowhere']) {
            expect(await witness.ask(`listen ${transport} ${address} 7351 300 198.18.0.1`), address).to.deep.equal(['unprobed EINVAL address']);
          }
          expect(await witness.ask(`listen ${transport} ::ffff:198.18.0.2 7351 300 198.18.0.1`)).to.deep.equal(['unprobed EINVAL listen']);
          expect(await witness.ask(`listen ${transport} 198.18.0.99 7351 300 198.18.0.1`)).to.deep.equal(['unprobed EADDRNOTAVAIL listen']);
        }
        for (const one of held) await one.hush();
        for (const line of ['tcp 198.18.0.2 0 300 198.18.0.1', 'icmp 198.18.0.2 7351 300 198.18.0.1', 'tcp 198.18.0.2 7351 300 nobody', 'tcp 198.18.0.2 7351 300 ', 'tcp 198.18.0.2 7351 x 198.18.0.1']) {
          expect((await witness.ask(`listen ${line}`)).map((event) => event.split(' ')[0]), line).to.deep.equal(['malformed']);
        }
        const unprivileged = await start(kind, { namespace: far, wrap: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] });
        expect(await unprivileged.ask('listen udp 198.18.0.2 99 300 198.18.0.1')).to.deep.equal(['unprobed EACCES listen']);
        expect(await unprivileged.ask('listen udp 198.18.0.2 7351 300 198.18.0.1')).to.deep.equal(['listening']);
        expect((await unprivileged.ask('listen tcp 198.18.0.2 7351 300 198.18.0.1')).join(), 'as the kernel is').to.be.oneOf(['listening', 'unprobed EPERM listen']);
        await unprivileged.close();
      });

      it('listens where an old connection of another program is in TIME-WAIT', async () => {
        runPython(far, 'import socket\nserver = socket.create_server(("198.18.0.2", 7390))\nclient = socket.create_connection(("198.18.0.2", 7390))\nserver.accept()[0].close()\nclient.recv(1)\n');
        expect(run(far, 'cat /proc/net/tcp')).to.match(/:1CDE \S+ 06 /);
        await (await listenAt(await proberIn(far), 'tcp 198.18.0.2 7390 30000 198.18.0.1')).hush();
      });

      it('listens for its window, or until it is hushed', async () => {
        const witness = await proberIn(far);
        const began = Date.now();
        const [short, long] = await Promise.all([listenAt(witness, 'tcp 198.18.0.2 7360 1000 198.18.0.1'), listenAt(witness, 'udp 198.18.0.2 7360 90000 198.18.0.1')]);
        expect(await long.hush()).to.deep.equal([]);
        expect(await short.ended).to.deep.equal([]);
        expect(Date.now() - began).to.be.within(1000, 30_000);
        expect(await long.hush(), 'once more').to.deep.equal([]);
        expect(witness.lines.filter((line) => line === `${long.id} end`).length).to.equal(1);
      });

      it('says 200 arrivals of a listener and no more', async () => {
        const [prober, witness] = [await proberIn(near), await proberIn(far)];
        const one = await listenAt(witness, 'udp 198.18.0.2 7370 30000 198.18.0.1');
        await prober.ask(`udp 198.18.0.2 7370 0 ${hello} 250 2 1000`);
        expect((await one.hush()).length).to.equal(200);
      });

      it('has 300 listeners at once, and each hears its own', async () => {
        const [prober, witness] = [await proberIn(near), await proberIn(far)];
        const places = Array.from({ length: 300 }, (_, n) => ({ transport: n % 2 === 0 ? 'tcp' : 'udp', port: 7400 + n, token: (1000 + n).toString(16).padStart(8, '0') }));
        const all = await Promise.all(places.map(({ transport, port }) => listenAt(witness, `${transport} 198.18.0.2 ${port} 60000 198.18.0.1`)));
        await Promise.all(places.map(({ transport, port, token }) => prober.ask(`${transport} 198.18.0.2 ${port} 0 ${token} 1 500 1000`)));
        for (const [n, one] of all.entries()) {
          const events = (await one.hush()).filter((event) => !event.startsWith('half '));
          expectEvents(events, [`arrived 198.18.0.1 # ${places[n]?.token ?? ''}`]);
        }
      });

      it('has a descriptor for a look however many listeners there are, and says which could not be had', async () => {
        const witness = await start(kind, { namespace: far, before: 'ulimit -n 64; ' });
        for (let n = 0; n < 40; n++) witness.send(`d${n} listen udp 198.18.0.2 ${7400 + n} 600000 198.18.0.1`);
        for (const tries of [1, 40]) {
          const events = await witness.ask(`udp 198.18.0.2 7002 0 00 ${tries} 10 100`);
          expect(events.length).to.equal(tries);
        }
        expect(witness.lines.filter((line) => /^d\d+ listening$/.test(line)).length).to.equal(16);
        expect(witness.lines.filter((line) => /^d\d+ unprobed EMFILE listen$/.test(line)).length).to.equal(24);
        await witness.close();
      });

      it('leaves no listener, connection or process when stdin ends', async () => {
        const others = processes(far);
        const [prober, witness] = [await proberIn(near), await start(kind, { namespace: far })];
        for (const transport of ['tcp', 'udp']) await listenAt(witness, `${transport} 198.18.0.2 7380 60000 198.18.0.1`);
        const look = prober.ask(`tcp 198.18.0.2 7380 6051 ${hello} 1 500 8000`);
        await until('it arrived', () => witness.lines.some((line) => line.includes(' arrived 198.18.0.1 6051 ')));
        expect(await witness.close()).to.equal(0);
        await until('it is gone', () => processes(far).every((pid) => others.includes(pid)), goneWithinMs);
        expect(run(far, 'cat /proc/net/tcp /proc/net/udp')).to.not.match(/:1CD4 /);
        expect(witness.stderr()).to.equal('');
        await look;
      });

      it('keeps its time while nobody reads what it says', async () => {
        const prober = await start(kind);
        prober.child.stdout.pause();
        const count = 3000; // 300 kB of events: more than the pipe holds
        const asked = Array.from({ length: count }, (_, n) => prober.ask(`udp 198.18.0.2 7002 0 ${'00'.repeat(4)} 3 300 ${300 + (n % 10)}`));
        await new Promise((resolve) => setTimeout(resolve, 6000));
        prober.child.stdout.resume();
        for (const events of await Promise.all(asked)) expect(Number(events[2]?.split(' ')[3])).to.be.within(600, 4000);
        await prober.close();
      });
    }
  });
}

let listeners = 0;

/** A listener that stands. `ended` and `hush` give its events, without `listening` and the end. */
async function listenAt(prober: Prober, what: string): Promise<{ id: string; ended: Promise<string[]>; hush: () => Promise<string[]> }> {
  listeners += 1;
  const id = `l${listeners}`;
  const events = (): string[] => prober.lines.filter((line) => line.startsWith(`${id} `)).map((line) => line.slice(id.length + 1));
  prober.send(`${id} listen ${what}`);
  await until(`${what} stands`, () => events().length > 0);
  expect(events()[0], what).to.equal('listening');
  const ended = async (): Promise<string[]> => {
    await until(`${what} ends`, () => events().includes('end'));
    expect(events().at(-1)).to.equal('end');
    return events().slice(1, -1);
  };
  return {
    id,
    get ended() { return ended(); },
    async hush() {
      expect(await prober.ask(`hush ${id}`)).to.deep.equal([]);
      return await ended();
    },
  };
}

function linkLocal(namespace: string): string {
  return /inet6 (fe80::[0-9a-f:]+)/.exec(run(namespace, 'ip -6 addr show dev wire'))?.[1] ?? '';
}

/** A /proc without /proc/net, as on kernels without CONFIG_NF_CONNTRACK_PROCFS. */
const withoutProcNet = ['unshare', '--mount', 'sh', '-c', 'mount -t proc -o subset=pid proc /proc && exec "$@"', 'sh'];

/** Does something while a sysctl of the near namespace has another value. */
async function withSetting<T>(name: string, value: string, act: () => Promise<T>): Promise<T> {
  const old = run(near, `sysctl -n ${name}`).trim();
  run(near, `sysctl -qw ${name}=${value}`);
  try {
    return await act();
  } finally {
    run(near, `sysctl -qw ${name}=${old}`);
  }
}

/** How many looks were under way at the same time. */
function mostAtOnce(lines: readonly string[]): number {
  let under = 0;
  let most = 0;
  for (const line of lines) {
    if (line.includes(' sent 1 ')) under += 1;
    if (line.endsWith(' end')) under -= 1;
    most = Math.max(most, under);
  }
  return most;
}

function readRow(event: string): string {
  const [what, hex = ''] = event.split(' ');
  expect(what).to.equal('row');
  return Buffer.from(hex, 'hex').toString();
}

/** `#` in the pattern is a number. */
function expectEvents(events: readonly string[], patterns: readonly string[]): void {
  const shown = events.map((event, n) => {
    const want = patterns[n]?.split(' ') ?? [];
    return event.split(' ').map((word, at) => (want[at] === '#' && /^\d+(\.\d+)?$/.test(word) ? '#' : word)).join(' ');
  });
  const short = (event: string): string => (event.length < 300 ? event : `${event.slice(0, 100)}… (${event.length}, ${event.split(' ').at(-1) ?? ''})`);
  expect(shown.map(short)).to.deep.equal(patterns.map(short));
}
