// What a prober says of its host, and of its connection tracking.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { bare, far, near, run, start } from './bench.ts';
import { readRows, withoutProcNet } from './events.ts';
import { forEachKind, hello } from './suites.ts';

forEachKind('facts', ({ kind, sh, proberIn }) => {
  it('reads conntrack: an entry means that the datagram or the SYN has passed the firewall', async () => {
    const prober = await proberIn(near);
    const witness = await proberIn(far);
    await prober.ask(`udp 198.18.0.2 7998 5001 ${hello} 1 200 400`); // nobody listens
    await prober.ask(`udp 198.18.0.2 7103 5002 ${hello} 1 200 400`); // dropped
    await prober.ask('tcp 198.18.0.2 7000 5003 - 1 200 8000');
    const rows = readRows(await witness.ask('conntrack 198.18.0.1,198.18.9.9'));
    expect(rows.some((row) => /^ipv4 +2 udp +17 .*src=198\.18\.0\.1 dst=198\.18\.0\.2 sport=5001 dport=7998 /.test(row)), 'delivered').to.equal(true);
    expect(rows.some((row) => row.includes('sport=5002')), 'dropped').to.equal(false);
    expect(rows.some((row) => /^ipv4 +2 tcp +6 .*src=198\.18\.0\.1 dst=198\.18\.0\.2 sport=5003 dport=7000 /.test(row)), 'TCP').to.equal(true);
    expect(readRows(await witness.ask('conntrack 198.18.0.2'))).to.deep.equal([]); // it stands in replies alone
  });

  it('reads conntrack for IPv6, whichever way the address is written', async () => {
    const prober = await proberIn(near);
    const witness = await proberIn(far);
    const own = /inet6 (fe80::[0-9a-f:]+)/.exec(run(near, 'ip -6 addr show dev wire'))?.[1] ?? '';
    const other = /inet6 (fe80::[0-9a-f:]+)/.exec(run(far, 'ip -6 addr show dev wire'))?.[1] ?? '';
    await prober.ask(`udp ${other}%wire 7998 5004 ${hello} 1 200 400`);
    const rows = readRows(await witness.ask(`conntrack ${own}`));
    expect(rows.some((row) => /^ipv6 +10 udp +17 .*sport=5004 dport=7998 /.test(row))).to.equal(true);
  });

  const tell = async (namespace: string, command: string): Promise<Record<string, string>> => {
    const told: Record<string, string> = {};
    for (const event of await (await proberIn(namespace)).ask(command)) {
      const [what, name = '', hex = ''] = event.split(' ');
      expect(what).to.equal('fact');
      told[name] = (told[name] ?? '') + Buffer.from(hex === '-' ? '' : hex, 'hex').toString();
    }
    return told;
  };

  it('tells the rules that take packets out of connection tracking', async () => {
    expect((await tell(far, 'facts')).untracked).to.equal('');
    run(far, 'nft add table inet hole');
    try {
      run(far, 'nft add chain inet hole pre { type filter hook prerouting priority -300; }');
      run(far, 'nft add rule inet hole pre udp dport 7997 notrack');
      expect((await tell(far, 'facts')).untracked).to.match(/^\s*udp dport 7997 notrack\n$/);
    } finally {
      run(far, 'nft delete table inet hole');
    }
  });

  it('takes rules that it cannot read for such rules', async () => {
    const prober = await start(kind, { namespace: far, wrap: ['setpriv', '--bounding-set', '-net_admin', '--'] });
    const told = (await prober.ask('facts')).find((event) => event.startsWith('fact untracked '))?.split(' ')[2] ?? '';
    expect(Buffer.from(told, 'hex').toString()).to.include('notrack: unread');
    await prober.close();
  });

  it('tells its configuration, whose hash is another once another rule runs', async () => {
    const rulesOf = (text: string | undefined): string => /^rules ([0-9a-f]{64})$/m.exec(text ?? '')?.[1] ?? 'none';
    const { configuration = '' } = await tell(far, 'configuration');
    expect(configuration).to.match(/^sysctl ipv4\/ip_forward 1$/m).and.match(/^sysctl ipv6\/conf\/all\/disable_ipv6 0$/m).and.match(/^boot (same|differs|unknown) ./m);
    expect(rulesOf(configuration)).to.not.equal('none').and.not.equal(rulesOf((await tell(near, 'configuration')).configuration));
    expect(rulesOf((await tell(far, 'configuration')).configuration), 'asked again').to.equal(rulesOf(configuration));
    run(far, 'nft add table inet hole');
    try {
      expect(rulesOf((await tell(far, 'configuration')).configuration), 'with another rule').to.not.equal(rulesOf(configuration));
    } finally {
      run(far, 'nft delete table inet hole');
    }
  });

  it('loads what the boot would load into a namespace of its own, and says where that differs from what runs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fpt-boot-'));
    const file = join(folder, 'nftables.conf');
    chmodSync(folder, 0o755);
    writeFileSync(file, 'table inet boot {\n  chain in {\n    type filter hook input priority 0; policy drop;\n    iif lo accept\n    tcp dport { 22, 80 } counter accept\n  }\n}\n');
    // As on a host whose nftables.service is enabled, and no other loader.
    const wrap = ['unshare', '--mount', 'sh', '-c', `mount -t tmpfs tmpfs /etc/systemd/system && mkdir /etc/systemd/system/sysinit.target.wants && touch /etc/systemd/system/sysinit.target.wants/nftables.service && mount --bind ${file} /etc/nftables.conf && exec "$@"`, 'sh'];
    const boot = async (): Promise<readonly string[]> => {
      const prober = await start(kind, { namespace: bare, wrap });
      const told = (await prober.ask('configuration')).map((event) => Buffer.from(event.split(' ')[2] ?? '', 'hex').toString()).join('');
      await prober.close();
      return told.split('\n').filter((line) => /^(boot|running)/.test(line));
    };
    try {
      run(bare, `nft -f ${file}`);
      expect(await boot()).to.deep.equal(['boot same nft -f /etc/nftables.conf ']);
      run(bare, 'nft insert rule inet boot in udp dport 53 accept');
      run(bare, 'nft add table ip other');
      expect(await boot()).to.deep.equal(['boot differs nft -f /etc/nftables.conf ', 'running-alone inet boot in: udp dport 53 accept', 'running-alone ip other: table ip other {', 'running-alone ip other: }']);
      run(bare, 'nft flush chain inet boot in');
      expect(await boot()).to.include('boot-alone inet boot in: tcp dport { 22, 80 } counter accept');
      writeFileSync(file, 'table inet boot { chain in { tcp dport 22 acept; }; }\n');
      expect(await boot()).to.deep.equal(['boot unknown what the boot loads does not load in a namespace of its own: nft -f /etc/nftables.conf ']);
    } finally {
      run(bare, 'nft flush ruleset');
      rmSync(folder, { recursive: true });
    }
  });

  it('gives the facts of its host', async () => {
    const told = await tell(near, 'facts');
    expect(told.kernel).to.match(/^Linux \S+ \d/);
    expect(told.links).to.match(/^\d+: wire@.* link\/ether [0-9a-f:]{17} /m);
    expect(told.addresses).to.match(/^\d+: wire\S*\s+inet 198\.18\.0\.1\/24 brd 198\.18\.0\.255/m);
    expect(told.routes4).to.match(/^prohibit 198\.18\.2\.0\/24/m);
    expect(told.routes6).to.include('fe80::/64');
    expect(told.neighbours).to.include('198.18.0.2 dev wire');
    expect(told.forwarding).to.match(/^ipv4 0\nipv6 0\n?$/);
    expect(told.conntrack).to.equal('readable');
    expect(told).to.have.property('resolvers');
    expect(await (await proberIn(bare)).ask('facts'), 'an empty one').to.include('fact neighbours -');
  });

  it('tells how much a full table has cost since the host started', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fpt-full-'));
    const dropped = async (given: Omit<NonNullable<Parameters<typeof start>[1]>, 'namespace'>): Promise<readonly string[]> => {
      const prober = await start(kind, { namespace: far, ...given });
      const facts = (await prober.ask('conntrack 198.18.0.1')).filter((event) => event.startsWith('fact '));
      await prober.close();
      return facts;
    };
    const told = (count: number): readonly string[] => [`fact dropped ${Buffer.from(`${count}`).toString('hex')}`];
    try {
      // As the kernel has it, with a line a processor and counts of its own: a table of a namespace alone cannot be made to be full.
      const table = join(folder, 'nf_conntrack');
      writeFileSync(table, 'entries  clashres found new insert insert_failed drop early_drop icmp_error\n0000ffff  00000003 00000004 00000005 00000006 00000007 0000001f 00000100 00000008\n0000ffff  00000003 00000004 00000005 00000006 00000007 00000000 00000002 00000008\n');
      expect(await dropped({ edit: (text) => text.replaceAll('/proc/net/stat/nf_conntrack', table) })).to.deep.equal(told(0x1f + 0x100 + 2));
      expect(await dropped({})).to.deep.equal(told(0));
      if (!sh) expect(await dropped({ wrap: withoutProcNet }), 'by netlink').to.deep.equal(told(0));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  if (sh) {
    it('has the table of /proc alone: without it, not looked', async () => {
      const prober = await start(kind, { namespace: far, wrap: withoutProcNet });
      expect(await prober.ask('conntrack 198.18.0.1')).to.deep.equal(['unprobed ENOENT conntrack']);
      await prober.close();
    });
  } else {
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
        readRows(rows).map((row) => `${row.replace(/ (mark|zone|use)=\d+| \[ASSURED\]/g, '')}${row.includes('[ASSURED]')}`.replace(/\s+/g, ' ').replace(/^(\S+ \d+ \S+ \d+) \d+/, '$1'));
      expect(bones(dumped)).to.include.members(bones(plain).filter((row) => /port=50|icmp/.test(row)));
      expect(bones(plain).join('\n')).to.match(/sport=5011/).and.match(/sport=5012/).and.match(/icmp .*type=8 code=0 id=/);
      await witness.close();
    });
  }
});
