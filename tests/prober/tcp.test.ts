// Handshakes and bytes over TCP, as both probers see them.
import { expect } from 'chai';
import { bare, near } from './bench.ts';
import { expectEvents, withSetting } from './events.ts';
import { binary, forEachKind, hello, saysOf, type Case } from './suites.ts';

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
];

forEachKind('TCP', ({ kind, sh, proberIn }) => {
  saysOf(cases, { kind, sh, proberIn });

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
});
