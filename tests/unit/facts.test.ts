// What `ip` prints, iproute2's and busybox's, -> facts; and the route a host would take. The texts are the lab's own.
import { expect } from 'chai';
import fc from 'fast-check';
import { interfaceOf, isUntracked, parseFacts, routeTo, sourceAddress } from '../../lib/facts.ts';
import type { Address, Facts, Route } from '../../lib/model.ts';

const told = {
  kernel: 'Linux mesh 6.18.44 x86_64\n',
  addresses: [
    '1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever',
    '1: lo    inet6 ::1/128 scope host \\       valid_lft forever preferred_lft forever',
    '2: eth0    inet 198.51.100.102/24 metric 100 brd 198.51.100.255 scope global dynamic eth0\\       valid_lft 3000sec preferred_lft 3000sec',
    '2: eth0    inet6 fe80::1046:2fff:fed8:6f28/64 scope link \\       valid_lft forever preferred_lft forever',
    '3: eth1@if7    inet 172.22.22.1/29 brd 172.22.22.7 scope global eth1\\       valid_lft forever preferred_lft forever',
    '4: nebula1    inet6 fe80::1a29:c791:9cb1:f8a1/64 scope link stable-privacy \\       valid_lft forever preferred_lft forever',
    '4: nebula1    inet 10.42.0.1/16 scope global nebula1\\       valid_lft forever preferred_lft forever',
    '5: ppp0    inet 100.64.0.2 peer 100.64.0.1/32 scope global ppp0\\       valid_lft forever preferred_lft forever',
    '6: eth2    inet6 2001:db8::5/64 scope global dynamic mngtmpaddr \\       valid_lft 86000sec preferred_lft 14000sec',
  ].join('\n'),
  routes4: [
    'default via 198.51.100.1 dev eth0 ', '10.42.0.0/16 dev nebula1 proto kernel scope link src 10.42.0.1 mtu 1300 ', '172.22.22.0/29 dev eth1 scope link  src 172.22.22.1 ',
    '100.64.0.1 dev ppp0 proto kernel scope link src 100.64.0.2', 'prohibit 10.0.0.0/8 ', 'blackhole 192.168.0.0/16', 'unreachable 192.0.2.0/24 metric 9',
    'throw 203.0.113.0/24', 'default via 10.42.0.9 dev nebula1 table 99', 'local 172.22.22.1 dev eth1 table local proto kernel scope host src 172.22.22.1',
    'broadcast 172.22.22.7 dev eth1 table local proto kernel scope link src 172.22.22.1',
  ].join('\n'),
  routes6: [
    'fe80::/64 dev eth0 proto kernel metric 256 pref medium', 'fe80::/64 dev eth1 proto kernel metric 256 pref medium', 'default via fe80::1 dev eth0 proto ra metric 1024 pref medium',
    'local ::1 dev lo table local proto kernel metric 0 pref medium', 'multicast ff00::/8 dev eth0 table local proto kernel metric 256 pref medium',
    'unreachable default dev lo table unspec proto kernel metric 4294967295 error -101 pref medium',
  ].join('\n'),
  resolvers: '# made by hand\nsearch example.com\nnameserver 198.51.100.1\nnameserver  fd00::53\nnameserver nonsense\noptions edns0\n',
};
const facts = parseFacts(told) as Facts;

describe('facts: addresses', () => {
  const rows: readonly (readonly [string, Address])[] = [
    ['of the host itself', { interface: 'lo', address: '127.0.0.1', prefix: 8, scope: 'host' }],
    ['of the host itself, IPv6', { interface: 'lo', address: '::1', prefix: 128, scope: 'host' }],
    ['by DHCP, with a metric', { interface: 'eth0', address: '198.51.100.102', prefix: 24, scope: 'global' }],
    ['link-local', { interface: 'eth0', address: 'fe80::1046:2fff:fed8:6f28', prefix: 64, scope: 'link' }],
    ['of a veth, without its other end', { interface: 'eth1', address: '172.22.22.1', prefix: 29, scope: 'global' }],
    ['with flags behind its scope', { interface: 'nebula1', address: 'fe80::1a29:c791:9cb1:f8a1', prefix: 64, scope: 'link' }],
    ['of one end of a line to a peer', { interface: 'ppp0', address: '100.64.0.2', prefix: 32, scope: 'global' }],
    ['by router advertisement', { interface: 'eth2', address: '2001:db8::5', prefix: 64, scope: 'global' }],
  ];
  for (const [sentence, address] of rows) it(`one ${sentence}`, () => expect(facts.addresses).to.deep.include(address));
  it('no others', () => expect(facts.addresses).to.have.length(9));
});

describe('facts: what the rules take out of connection tracking', () => {
  const of = (transport: 'tcp' | 'udp', first: number, last = first): Readonly<{ transport: 'tcp' | 'udp'; first: number; last: number }> => ({ transport, first, last });
  const rows: readonly (readonly [rules: string, untracked: Facts['untracked']])[] = [
    ['', []],
    ['\t\tudp dport 53 notrack', [of('udp', 53)]],
    ['udp sport { 53, 123-124 } notrack\ntcp dport 80 notrack', [of('udp', 53), of('udp', 123, 124), of('tcp', 80)]],
    ['meta l4proto { tcp, udp } th dport 53 notrack', [of('tcp', 53), of('udp', 53)]],
    ['-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack', [of('udp', 53)]],
    ['-A OUTPUT -p udp -m multiport --dports 53,123:125 -j NOTRACK', [of('udp', 53), of('udp', 123, 125)]],
    ['th dport 53 notrack', 'all'],
    ['ip saddr 10.0.0.0/8 notrack', 'all'],
    ['udp dport != 53 notrack', 'all'], ['-A PREROUTING -p udp -m udp ! --dport 53 -j CT --notrack', 'all'],
    ['udp dport domain notrack', 'all'], ['udp dport @open notrack', 'all'],
    ['udp dport 53 notrack\nmeta l4proto udp notrack', 'all'],
    ['iif "lo" notrack\noifname "lo" notrack\n-A OUTPUT -o lo -j CT --notrack', []],
  ];
  for (const [rules, untracked] of rows) it(`${JSON.stringify(rules)}: ${JSON.stringify(untracked)}`, () => expect(parseFacts({ ...told, untracked: rules })?.untracked).to.deep.equal(untracked));
  it('may be anything where the host does not tell', () => expect(facts.untracked).to.equal('all'));
  it('is a port on either side of a flow', () => {
    const some: Facts = { ...facts, untracked: [of('udp', 123, 124)] };
    const flows = [{ transport: 'udp', port: 53, sourcePort: 123 }, { transport: 'udp', port: 124 }, { transport: 'udp', port: 125, sourcePort: 9 }, { transport: 'tcp', port: 123 }, { transport: 'icmp', port: 0 }] as const;
    expect(flows.map((flow) => isUntracked(some, flow))).to.deep.equal([true, true, false, false, false]);
  });
});

describe('facts: routes', () => {
  const rows: readonly (readonly [string, Route])[] = [
    ['the default one', { destination: '0.0.0.0/0', kind: 'unicast', via: '198.51.100.1', interface: 'eth0' }],
    ['one on the link', { destination: '10.42.0.0/16', kind: 'unicast', interface: 'nebula1' }],
    ['one on the link, as busybox prints it', { destination: '172.22.22.0/29', kind: 'unicast', interface: 'eth1' }],
    ['one to a single host', { destination: '100.64.0.1', kind: 'unicast', interface: 'ppp0' }],
    ['one that prohibits', { destination: '10.0.0.0/8', kind: 'prohibit' }], ['a black hole', { destination: '192.168.0.0/16', kind: 'blackhole' }],
    ['one that is unreachable', { destination: '192.0.2.0/24', kind: 'unreachable' }],
    ['the default one, IPv6', { destination: '::/0', kind: 'unicast', via: 'fe80::1', interface: 'eth0' }],
  ];
  for (const [sentence, route] of rows) it(sentence, () => expect(facts.routes).to.deep.include(route));
  it('none of other tables, and none of a kind that ends nowhere', () => expect(facts.routes).to.have.length(10));
});

describe('facts: the rest', () => {
  it('the resolvers are the addresses among them', () => expect(facts.resolvers).to.deep.equal(['198.51.100.1', 'fd00::53']));
  it('the kernel is named', () => expect(facts.kernel).to.equal('Linux mesh 6.18.44 x86_64'));
  it('a host without addresses tells nothing', () => expect(parseFacts({ ...told, addresses: '' })).to.equal(null));
  it('a host that does not tell its routes tells nothing', () => expect(parseFacts({ addresses: told.addresses })).to.equal(null));
  it('a host may be without IPv6 and resolvers', () => expect(parseFacts({ addresses: told.addresses, routes4: told.routes4 })).to.deep.include({ resolvers: [], kernel: '' }));
});

describe('facts: the route to an address', () => {
  const rows: readonly (readonly [address: string, destination: string | null])[] = [
    ['172.22.22.4', '172.22.22.0/29'], ['8.8.8.8', '0.0.0.0/0'], ['10.42.0.10', '10.42.0.0/16'], ['10.1.1.1', '10.0.0.0/8'], ['192.168.1.1', '192.168.0.0/16'],
    ['100.64.0.1', '100.64.0.1'], ['2001:db8:1::1', '::/0'], ['fe80::9', 'fe80::/64'], ['fe80::9%eth1', 'fe80::/64'],
  ];
  for (const [address, destination] of rows) it(`${address} goes by ${destination}`, () => expect(routeTo(facts, address)?.destination).to.equal(destination));
  it('is none without a fitting one', () => expect(routeTo({ ...facts, routes: [] }, '8.8.8.8')).to.equal(null));
  it('is the first where two are alike', () => expect(routeTo(facts, 'fe80::9')?.interface).to.equal('eth0'));
  it('gives the address a packet leaves with', () => expect(['172.22.22.4', '8.8.8.8', '10.1.1.1'].map((to) => sourceAddress(facts, to))).to.deep.equal(['172.22.22.1', '198.51.100.102', null]));
  it('and the interface that holds an address', () => expect(['172.22.22.1', '172.22.22.2'].map((own) => interfaceOf(facts, own))).to.deep.equal(['eth1', null]));
});

describe('facts: whatever a host tells', () => {
  const hostile = ['10.0.0.0/99 dev eth0', '10.0.0.0/x dev eth0', '10.0.0.0/ dev eth0', '10.0.0.0/-1 dev eth0', 'fd00::/129 dev eth0', 'default via evil dev eth0', 'via via via', 'dev', 'prohibit', 'default'];
  for (const line of hostile)
    it(`the route "${line}" makes nothing throw`, () => routeTo(parseFacts({ ...told, routes4: line }) ?? facts, '10.0.0.1'));
  const taken: readonly (readonly [sentence: string, told: Partial<Record<string, string>>, expected: Partial<Facts> | null])[] = [
    ['a next hop that is an option is none', { routes4: 'default via -esh dev eth0', routes6: '' }, { routes: [] }],
    ['a next hop that is a command is none', { routes4: 'default via $(reboot) dev eth0', routes6: '' }, { routes: [] }],
    ['an interface that is a command is none', { routes4: 'default via 172.22.22.4 dev $(reboot)', routes6: '' }, { routes: [] }],
    ['an interface with an escape holds no address', { addresses: '2: eth0    inet 10.0.0.1/8 scope global eth0\n3: \u001b[2J    inet 10.0.0.2/8 scope global x' }, { addresses: [{ interface: 'eth0', address: '10.0.0.1', prefix: 8, scope: 'global' }] }],
    ['a fourth resolver is asked by nobody', { resolvers: [1, 2, 3, 4].map((n) => `nameserver 10.0.0.${n}\n`).join('') }, { resolvers: ['10.0.0.1', '10.0.0.2', '10.0.0.3'] }],
    ['a line without end is nothing to plan from', { links: `1: ${'a'.repeat(100_000)}` }, null],
    ['lines without end are nothing to plan from', { routes4: '10.0.0.0/8 dev eth0\n'.repeat(100_000) }, null],
  ];
  for (const [sentence, over, expected] of taken)
    it(sentence, () => {
      const parsed = parseFacts({ ...told, ...over });
      if (expected === null) expect(parsed).to.equal(null);
      else expect(parsed).to.deep.include(expected);
    });
  it('no text makes anything throw', () => fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.array(fc.constantFrom('10.0.0.0/8', 'default', 'via', 'dev', 'table', 'eth0', 'fe80::1', '2:', 'inet', 'scope', '/33', '\n', 'global', '1.2.3.4/77')), (text, words) => {
    for (const addresses of [told.addresses, text, words.join(' ')]) {
      const parsed = parseFacts({ addresses, routes4: words.join(' '), routes6: text, resolvers: text, kernel: text });
      if (parsed !== null) routeTo(parsed, '10.0.0.1');
    }
  })));
});
