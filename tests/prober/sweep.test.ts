// A sweep: what each port of a range says, through the machine's own firewall and past it. python by packets of its own, sh by nc.
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { far, near, run, start, until, type Prober } from './bench.ts';
import { linkLocal } from './events.ts';
import { packet, tcp, udp, type Part } from './packet.ts';
import { forEachKind } from './suites.ts';

type Swept = Readonly<{ ports: readonly string[]; silent: number; packets: number; others: readonly string[] }>;

const sweep = async (prober: Prober, command: string): Promise<Swept> => sweptBy(prober, `sweep ${command}`);

async function sweptBy(prober: Prober, command: string): Promise<Swept> {
  const events = await prober.ask(command);
  const of = (word: string): readonly string[] => events.filter((event) => event.startsWith(`${word} `)).map((event) => event.slice(word.length + 1));
  return { ports: of('ports'), silent: Number(of('silent').at(-1)), packets: Number(of('swept').at(-1)), others: events.filter((event) => !/^(ports|silent|swept) /.test(event)) };
}

/** `7000 7002 open` -> `7000 open`, `7001 open`, `7002 open`, by port: sh says them as they come. */
const each = (ports: readonly string[]): readonly string[] => ports.flatMap((line) => {
  const [first, last, state] = line.split(' ');
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_none, index) => `${Number(first) + index} ${state}`);
}).toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));

forEachKind('a sweep', ({ kind, sh, proberIn }) => {
  it('says what each port says, and how many say nothing', async () => {
    const { ports, silent, others } = await sweep(await proberIn(near), 'tcp 198.18.0.2 7099 7202 21001 2 2000 300');
    const closed = sh ? 'refused' : 'reset';
    const said = Array.from({ length: 104 }, (_none, index) => 7099 + index).flatMap((port) => {
      const special: Readonly<Record<number, string | null>> = sh
        ? { 7103: null, 7104: 'error-EHOSTUNREACH', 7201: null } // of a handshake that our own OUTPUT drops, no user hears
        : { 7101: 'error-ECONNREFUSED', 7103: null, 7104: 'error-EHOSTUNREACH', 7201: 'barred' };
      const state = port in special ? special[port] : closed;
      return state === null ? [] : [`${port} ${state}`];
    });
    expect(each(ports)).to.deep.equal(said);
    expect(silent).to.equal(sh ? 2 : 1);
    expect(others).to.deep.equal(sh ? [] : ['icmp 7101 4 3 3 198.18.0.2', 'icmp 7104 4 3 13 198.18.0.2']);
  });

  for (const [family, address] of [['IPv4', (): string => '198.18.0.2'], ['IPv6', (): string => `${linkLocal(far)}%wire`]] as const)
    it(`finds exactly the ports that listen, by ${family}`, async () => {
      const listening = run(far, 'ss -Hltn').split('\n').flatMap((line) => (/\*:(\d+) +\S+ *$/.exec(line) ?? []).slice(1).map(Number)).toSorted((a, b) => a - b);
      expect(listening.length).to.be.greaterThan(4);
      const { ports, silent } = await sweep(await proberIn(near), `tcp ${address()} ${sh ? '6900 7400' : '1 65535'} 21002 2 20000 300`);
      expect(each(ports).filter((line) => line.endsWith(' open'))).to.deep.equal(listening.map((port) => `${port} open`));
      expect(each(ports).length + silent, 'of each port something is said').to.equal(sh ? 501 : 65_535);
    });

  for (const [family, address] of [['IPv4', (): string => '198.18.0.2'], ['IPv6', (): string => `${linkLocal(far)}%wire`]] as const)
    it(`of datagrams says what each port says, by ${family}`, async () => {
      const { ports, silent, others } = await sweep(await proberIn(near), `udp ${address()} 6998 7202 21011 2 2000 300`);
      const of = (port: number): string | null => {
        if (port === 7103) return null;
        if (port === 7104) return family === 'IPv4' ? 'error-EHOSTUNREACH' : 'error-EACCES';
        if (port === 7201) return sh ? 'error-EPERM' : 'barred';
        if (port === 7000 || port === 7002 || port === 7005) return port === 7000 && !sh ? 'open' : null; // echoes, is silent, echoes late
        return sh ? 'refused' : 'error-ECONNREFUSED';
      };
      expect(each(ports)).to.deep.equal(Array.from({ length: 205 }, (_none, index) => 6998 + index).flatMap((port) => (of(port) === null ? [] : [`${port} ${of(port)}`])));
      expect(silent).to.equal(sh ? 4 : 3);
      const told = others.filter((one) => /^icmp 7104 [46] [13] (13|1) /.test(one) || /^icmp \d+ [46] [13] [34] /.test(one));
      expect(others.length, others.filter((one) => !told.includes(one)).join(', ')).to.equal(sh ? 0 : told.length);
      if (!sh) expect(new Set(told.map((one) => one.split(' ')[1])).size).to.equal(200);
    });

  if (sh) it('says that it cannot tell where the first of its datagrams is let out and the second is not', async () => {
    expect((await sweep(await proberIn(near), 'udp 198.18.0.2 7205 7205 21012 2 2000 300')).others).to.deep.equal(['unprobed EAGAIN udptest']);
    expect((await sweep(await proberIn(near), 'udp 198.18.0.2 7201 7202 21012 2 2000 300'))).to.deep.include({ silent: 0, others: [] });
  });

  it('says how much there is of what bounds it', async () => {
    const bounded = await start(kind, { before: 'ulimit -n 300; ' });
    const [fact = ''] = await bounded.ask('bounds');
    const told = Buffer.from(fact.replace('fact bounds ', ''), 'hex').toString();
    const [, held, most] = /^descriptors (\d+) (\d+)$/m.exec(told) ?? [];
    expect(Number(held), told).to.be.within(3, 40);
    expect(most).to.equal('300');
    // At least the prober's own three: others of the same user count, too.
    if (sh) expect(told).to.match(/^processes ([3-9]|\d{2,}) (\d+|unlimited)$/m);
    expect(told.split('\n').filter((line) => !/^(|(conntrack|descriptors|processes) \d+ (\d+|unlimited))$/.test(line))).to.deep.equal([]);
    await bounded.close();
  });

  it('sends no more a second than it may', async () => {
    const began = Date.now();
    expect((await sweep(await proberIn(near), 'tcp 198.18.0.2 8000 8199 21004 1 100 100')).packets).to.equal(200);
    expect(Date.now() - began).to.be.greaterThan(1_500);
  });

  if (sh) it('begins no more looks than all their packets may go at, which are three where nothing answers', async () => {
    for (const rate of [30, 90]) {
      const began = Date.now();
      await sweep(await proberIn(near), `tcp 198.18.0.2 8000 ${8000 + rate} 21005 3 ${rate} 100`);
      expect(Date.now() - began, `${rate} a second`).to.be.greaterThan(2_900);
    }
  });

  for (const bad of ['9 8 21007 1 100 100', '0 8 21007 1 100 100', '8 65536 21007 1 100 100', '8 9 0 1 100 100', '8 9 21007 0 100 100', '8 9 21007 1 0 100', '8 9 21007 1 100000 100', '8 9 21007 1 100'])
    it(`is malformed: ${bad}`, async () => expect((await (await proberIn(near)).ask(`sweep tcp 198.18.0.2 ${bad}`)).map((line) => line.split(' ')[0])).to.deep.equal(['malformed']));

  for (const bad of ['sctp 198.18.0.2 8 9 21007 1 100 100', '198.18.0.2 8 9 21007 1 100 100', 'udp -e 8 9 21007 1 100'])
    it(`is malformed: ${bad}`, async () => expect((await (await proberIn(near)).ask(`sweep ${bad}`)).map((line) => line.split(' ')[0])).to.deep.equal(['malformed']));

  if (sh) {
    it('cannot go past the firewall, and says so', async () => expect(await (await proberIn(near)).ask('sweep-past wire 02:00:00:00:00:0a 45ff 1 9 1 100 100')).to.deep.equal(['unprobed ENOSYS sweep-past']));
    rolling(kind);
    return;
  }

  const macOf = (namespace: string): string => /link\/ether (\S+)/.exec(run(namespace, 'ip link show wire'))?.[1] ?? '';
  const past = async (part: Part, [first, last]: readonly [number, number], addresses: readonly [string, string] = ['198.18.0.1', '198.18.0.2']): Promise<Swept> =>
    sweptBy(await proberIn(near), `sweep-past wire ${macOf(far)} ${packet(...addresses, part)} ${first} ${last} 2 2000 300`);
  for (const [family, addresses] of [['IPv4', (): [string, string] => ['198.18.0.1', '198.18.0.2']], ['IPv6', (): [string, string] => [linkLocal(near), linkLocal(far)]]] as const) {
    it(`past its own firewall says what each port says to a SYN, by ${family}`, async () => {
      const { ports, silent, others } = await past(tcp(21_021, 1), [7099, 7202], addresses());
      const special: Readonly<Record<number, string>> = { 7101: 'error-ICMP', 7104: 'error-ICMP' };
      expect(each(ports)).to.deep.equal(Array.from({ length: 104 }, (_none, index) => 7099 + index).flatMap((port) => (port === 7103 ? [] : [`${port} ${special[port] ?? 'reset'}`])));
      expect([silent, others.map((one) => one.split(' ').slice(0, 2).join(' ')).toSorted()]).to.deep.equal([1, ['icmp 7101', 'icmp 7104']]);
      expect(each((await past(tcp(21_022, 9), [6990, 7003], addresses())).ports).filter((line) => line.endsWith('open'))).to.deep.equal(['7000 open', '7001 open', '7002 open', '7003 open']);
    });
    it(`past its own firewall says what each port says to a datagram, by ${family}`, async () => {
      const { ports, silent, others } = await past(udp(21_023, 1, Buffer.from('hello')), [6999, 7201], addresses());
      const quiet = new Set([7002, 7005, 7103]);
      expect(each(ports)).to.deep.equal(Array.from({ length: 203 }, (_none, index) => 6999 + index).flatMap((port) => (quiet.has(port) ? [] : [`${port} ${port === 7000 ? 'open' : 'error-ICMP'}`])));
      expect([silent, others.length]).to.deep.equal([3, 199]);
    });
  }
  for (const bad of ['02:00:00:00:00 450000 1 9 1 100 100', `02:00:00:00:00:0a ${packet('198.18.0.1', '198.18.0.2', { protocol: 47, bytes: Buffer.alloc(20), checksumAt: null })} 1 9 1 100 100`, `02:00:00:00:00:0a ${packet('198.18.0.1', '198.18.0.2', tcp(21_024, 1))} 9 8 1 100 100`])
    it(`past its own firewall is malformed: ${bad.slice(0, 70)}`, async () => expect((await (await proberIn(near)).ask(`sweep-past wire ${bad}`)).map((line) => line.split(' ')[0])).to.deep.equal(['malformed']));
  it('past its own firewall is not made on a device that is not here', async () =>
    expect((await (await proberIn(near)).ask(`sweep-past nowhere ${macOf(far)} ${packet('198.18.0.1', '198.18.0.2', tcp(21_025, 1))} 1 9 1 100 100`))[0]).to.match(/^unprobed ENODEV frame$/));
  it('asks those that are silent again, and no other', async () => expect(await sweep(await proberIn(near), 'tcp 198.18.0.2 7102 7103 21003 3 1000 100')).to.deep.equal({ ports: ['7102 7102 reset'], silent: 1, packets: 4, others: [] }));
  it('says neighbours alike in one line', async () => expect((await sweep(await proberIn(near), 'tcp 198.18.0.2 7300 7399 21003 1 1000 100')).ports.length).to.be.within(1, 5));

  it('keeps to its rate from round to round', async () => {
    const began = Date.now();
    expect((await sweep(await proberIn(near), 'tcp 198.18.0.2 7103 7103 21008 5 8 0')).packets).to.equal(5);
    expect(Date.now() - began).to.be.greaterThan(450); // four of their 125 ms, and a twentieth of a second that may be made up for
  });

  it('waits while the connection tracking of its machine is half full', async () => {
    const waiting = await start(kind, { edit: (text) => text.replace('FULL = 0.5', 'FULL = -1') });
    waiting.send('w1 sweep tcp 198.18.0.2 1 1000 21005 1 50000 100');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(waiting.lines.filter((line) => line.startsWith('w1 '))).to.deep.equal(['w1 swept 0']);
    await waiting.close();
  });

  it('says that it may not without root', async () => {
    const unprivileged = await start(kind, { wrap: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] });
    expect(await sweep(unprivileged, 'tcp 198.18.0.2 7000 7000 21006 1 100 100')).to.deep.include({ ports: [], others: ['unprobed EPERM socket'] });
    await unprivileged.close();
  });
}, ['python', 'ash', 'dash', 'bash']);

/** By an nc that says what the test lets it say, in a log of who began and who ended: never by time. */
function rolling(kind: Parameters<typeof start>[0]): void {
  const withNc = async (wrap: readonly string[], edit: (text: string) => string, test: (prober: Prober, log: () => readonly string[], go: () => void) => Promise<void>): Promise<void> => {
    const folder = mkdtempSync(join(tmpdir(), 'fpt-nc-'));
    const [log, gone] = [join(folder, 'log'), join(folder, 'go')];
    writeFileSync(log, '', { mode: 0o666 });
    const script = `#!/bin/sh\nfor port; do :; done\necho "+ $port" >>${log}\ncase $port in 7103 | 72??) while [ ! -e ${gone} ]; do sleep 0.05; done ;; esac\necho "- $port" >>${log}\necho "nc: 198.18.0.2 (198.18.0.2:$port): Connection refused" >&2\nprintf "sent %02000d\\n" 0 >&2\n`;
    writeFileSync(join(folder, 'nc'), script, { mode: 0o755 });
    const prober = await start(kind, { before: `PATH=${folder}:$PATH; `, wrap, edit });
    try {
      await test(prober, () => readFileSync(log, 'utf8').split('\n').filter((line) => line !== ''), () => existsSync(gone) || appendFileSync(gone, ''));
    } finally {
      await prober.close();
      rmSync(folder, { recursive: true });
    }
  };
  const mostUnder = (log: readonly string[]): number => {
    let [under, most] = [0, 0];
    for (const line of log) most = Math.max(most, (under += line.startsWith('+') ? 1 : -1));
    return most;
  };

  it('begins the next port when one has ended, whichever it is', () => withNc([], (text) => text.replace('[ $most -gt 0 ] || most=1', 'most=4'), async (prober, log, go) => {
    const told = (): readonly string[] => prober.lines.flatMap((line) => /^q\d+ ports (\d+) /.exec(line)?.[1] ?? []);
    const ended = prober.ask('sweep tcp 198.18.0.2 7103 7142 21031 1 20000 100');
    await until('all ports are told but the one that takes its time', () => told().length === 39);
    expect(told()).to.not.include('7103');
    go();
    await ended;
    expect(told().at(-1)).to.equal('7103');
    expect(mostUnder(log())).to.be.at.most(4);
  }));

  it('sweeps several addresses at once where they are few ports', () => withNc(['prlimit', '--nproc=120'], (text) => text, async (prober, log, go) => {
    const ended = [0, 1, 2].map((n) => prober.ask(`sweep tcp 198.18.0.${2 + n} 7200 7209 21033 1 20000 100`));
    await until('all of them have begun', () => log().length === 30, 300_000);
    go();
    for (const one of ended) expect((await one).at(-1)).to.equal('swept 10');
  }));

  it('has no more of them at a time than half of what its user may have', () => withNc(['prlimit', '--nproc=120'], (text) => text, async (prober, log, go) => {
    const ended = prober.ask('sweep udp 198.18.0.2 7200 7299 21032 1 20000 100');
    await until('as many have begun as may', () => log().length >= 35);
    go();
    expect((await ended).at(-1)).to.equal('swept 100');
    // Their last words are more than a pipe holds: who waits for their end must not be who reads them.
    expect(mostUnder(log())).to.equal(35); // 60 of 120, three quarters for a sweep, ten of these for the sweep itself
  }));
}
