// Datagrams and pings, as both probers see them.
import { far, near, run } from './bench.ts';
import { expectEvents } from './events.ts';
import { binary, forEachKind, hello, saysOf, type Case } from './suites.ts';

const cases: readonly Case[] = [
  {
    name: 'a datagram comes back',
    command: `udp 198.18.0.2 7000 0 ${binary} 1 1000 8000`,
    python: ['sent 1 # #', `data 1 ${binary} # 198.18.0.2`],
    sh: ['sent 1 - #', `data 1 ${binary} # 198.18.0.2`],
  },
  {
    name: 'a datagram from the source port asked for, three times over: it comes back once',
    command: `udp 198.18.0.2 6890 4322 ${hello} 3 3000 8000`,
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
    name: 'an interface that is not there: not looked',
    command: 'udp fe80::1%nowhere 7000 0 00 2 4000 8000',
    python: ['unprobed EINVAL address'],
    sh: ['sent 1 - #', 'unprobed EINVAL address'],
  },
];

forEachKind('datagrams', ({ kind, sh, proberIn }) => {
  saysOf(cases, { kind, sh, proberIn });

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
});
