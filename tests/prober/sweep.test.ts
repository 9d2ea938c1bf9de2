// A sweep: what each port of a range says, through the machine's own firewall. python by SYNs of its own, sh by nc.
import { expect } from 'chai';
import { far, near, run, start, type Prober } from './bench.ts';
import { linkLocal } from './events.ts';
import { forEachKind } from './suites.ts';

type Swept = Readonly<{ ports: readonly string[]; silent: number; packets: number; others: readonly string[] }>;

async function sweep(prober: Prober, command: string): Promise<Swept> {
  const events = await prober.ask(`sweep ${command}`);
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
    const { ports, silent, others } = await sweep(await proberIn(near), '198.18.0.2 7099 7202 21001 2 2000 300');
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
      const { ports, silent } = await sweep(await proberIn(near), `${address()} ${sh ? '6900 7400' : '1 65535'} 21002 2 20000 300`);
      expect(each(ports).filter((line) => line.endsWith(' open'))).to.deep.equal(listening.map((port) => `${port} open`));
      expect(each(ports).length + silent, 'of each port something is said').to.equal(sh ? 501 : 65_535);
    });

  it('sends no more a second than it may', async () => {
    const began = Date.now();
    expect((await sweep(await proberIn(near), '198.18.0.2 8000 8199 21004 1 100 100')).packets).to.equal(200);
    expect(Date.now() - began).to.be.greaterThan(1_500);
  });

  for (const bad of ['9 8 21007 1 100 100', '0 8 21007 1 100 100', '8 65536 21007 1 100 100', '8 9 0 1 100 100', '8 9 21007 0 100 100', '8 9 21007 1 0 100', '8 9 21007 1 100000 100', '8 9 21007 1 100'])
    it(`is malformed: ${bad}`, async () => expect((await (await proberIn(near)).ask(`sweep 198.18.0.2 ${bad}`)).map((line) => line.split(' ')[0])).to.deep.equal(['malformed']));

  if (sh) return;
  it('asks those that are silent again, and no other', async () => expect(await sweep(await proberIn(near), '198.18.0.2 7102 7103 21003 3 1000 100')).to.deep.equal({ ports: ['7102 7102 reset'], silent: 1, packets: 4, others: [] }));
  it('says neighbours alike in one line', async () => expect((await sweep(await proberIn(near), '198.18.0.2 7300 7399 21003 1 1000 100')).ports.length).to.be.within(1, 5));

  it('waits while the connection tracking of its machine is half full', async () => {
    const waiting = await start(kind, { edit: (text) => text.replace('FULL = 0.5', 'FULL = -1') });
    waiting.send('w1 sweep 198.18.0.2 1 1000 21005 1 50000 100');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(waiting.lines.filter((line) => line.startsWith('w1 '))).to.deep.equal(['w1 swept 0']);
    await waiting.close();
  });

  it('says that it may not without root', async () => {
    const unprivileged = await start(kind, { wrap: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] });
    expect(await sweep(unprivileged, '198.18.0.2 7000 7000 21006 1 100 100')).to.deep.include({ ports: [], others: ['unprobed EPERM socket'] });
    await unprivileged.close();
  });
}, ['python', 'ash']);
