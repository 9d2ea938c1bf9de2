// Listeners, which python alone has: who is heard, who is not, and that nothing is left.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { far, near, processes, run, runPython, start, until, type Prober } from './bench.ts';
import { expectEvents, linkLocal, listenAt } from './events.ts';
import { binary, forEachKind, goneWithinMs, hello } from './suites.ts';

forEachKind('listeners', ({ kind, proberIn }) => {
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
    expect(run(far, 'cat /proc/net/raw'), 'sockets that see SYNs').to.not.match(/:0006 /);
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
    const [tcp, udp, other] = await Promise.all([listenAt(witness, 'tcp 198.18.0.2 7330 30000 198.18.0.11,198.18.0.2'), listenAt(witness, 'udp 198.18.0.2 7330 30000 198.18.0.11'), listenAt(witness, 'tcp 198.18.0.2 7331 30000 198.18.0.1')]);
    const [syn, datagram] = await Promise.all([prober.ask('tcp 198.18.0.2 7330 0 - 2 300 700'), prober.ask(`udp 198.18.0.2 7330 0 ${hello} 2 300 700`)]);
    expectEvents(syn, ['sent 1 # #', 'sent 2 # #']);
    expectEvents(datagram, ['sent 1 # #', 'sent 2 # #']);
    await witness.ask(`tcp 198.18.0.2 7330 6021 ${hello} 1 300 700`); // it is alive
    expect(await tcp.hush()).to.deep.equal([`arrived 198.18.0.2 6021 ${hello}`]);
    expect([...await udp.hush(), ...await other.hush()]).to.deep.equal([]);
  });

  it('says once that a connection is half-open where its own machine drops the SYN-ACKs', async () => {
    const [prober, witness] = [await proberIn(near), await proberIn(far)];
    const [own, other] = [linkLocal(near), linkLocal(far)];
    const [v4, v6] = await Promise.all([listenAt(witness, 'tcp 198.18.0.2 7301 30000 198.18.0.1'), listenAt(witness, `tcp ${other}%wire 7301 30000 ${own}`)]);
    const looks = [prober.ask('tcp 198.18.0.2 7301 6031 - 1 500 2500'), prober.ask(`tcp ${other}%wire 7301 6032 - 1 500 2500`)];
    for (const events of await Promise.all(looks)) expect(events.length, 'sent alone').to.equal(1);
    expect(await v4.hush()).to.deep.equal(['half 198.18.0.1 6031']);
    expect(await v6.hush()).to.deep.equal([`half ${own} 6032`]);
  });

  /** What the witness is told and what is sent to it in the same round of its loop, the word first: it stands still meanwhile. */
  async function inOneRound(witness: Prober, tell: () => void, send: () => Promise<unknown>): Promise<void> {
    const pid = witness.child.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    await until('it stands still', () => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') T '));
    tell();
    await send();
    process.kill(pid, 'SIGCONT');
  }

  it('looks once more when it ends: a SYN of that very round is half-open', async () => {
    const [prober, witness] = [await proberIn(near), await start(kind, { namespace: far })];
    const one = await listenAt(witness, 'tcp 198.18.0.2 7301 30000 198.18.0.1');
    await inOneRound(witness, () => witness.send(`hush hush ${one.id}`), () => prober.ask('tcp 198.18.0.2 7301 6041 - 1 500 100'));
    expect(await one.ended).to.deep.equal(['half 198.18.0.1 6041']);
    await witness.close();
  });

  it('calls no connection half-open, in whichever order the kernel tells of it and of its SYN', async () => {
    const prober = await proberIn(near);
    for (const order of ['', '[::-1]']) {
      const witness = await start(kind, { namespace: far, edit: (text) => text.replace('epoll.poll(wait, len(handlers))', (polled) => `${polled}${order}`) });
      const one = await listenAt(witness, 'tcp 198.18.0.2 7340 30000 198.18.0.1');
      await inOneRound(witness, () => undefined, () => prober.ask(`tcp 198.18.0.2 7340 0 ${hello} 1 500 200`));
      await until('it arrived', () => witness.lines.some((line) => line.startsWith(`${one.id} arrived `)));
      expectEvents(await one.hush(), [`arrived 198.18.0.1 # ${hello}`]);
      await witness.close();
    }
  });

  it('has none of the SYNs that came before it, nor what its own machine\'s firewall drops', async () => {
    const [prober, witness] = [await proberIn(near), await start(kind, { namespace: far })];
    const [earlier, dropped] = [await listenAt(witness, 'tcp 198.18.0.2 7301 30000 198.18.0.1'), await listenAt(witness, 'tcp 198.18.0.2 7103 30000 198.18.0.1')];
    await prober.ask('tcp 198.18.0.2 7103 6043 - 2 200 400');
    await inOneRound(witness, () => witness.send('late listen tcp 198.18.0.2 7302 30000 198.18.0.1'), () => prober.ask('tcp 198.18.0.2 7302 6042 - 1 500 2000'));
    await witness.ask('hush late');
    expect(witness.lines.filter((line) => line.startsWith('late '))).to.deep.equal(['late listening', 'late end']);
    expect([...await earlier.hush(), ...await dropped.hush()]).to.deep.equal([]);
    await witness.close();
  });

  it('says where half-open connections cannot be seen', async () => {
    const witness = await start(kind, { namespace: far, wrap: ['setpriv', '--inh-caps=-net_raw', '--bounding-set=-net_raw'] });
    const one = await listenAt(witness, 'tcp 198.18.0.2 7302 600 198.18.0.1');
    expect(await one.ended).to.deep.equal(['error 0 EPERM half']);
    await witness.close();
  });

  it('waits for the first bytes of many connections at once, and says what sends none', async () => {
    const witness = await proberIn(far);
    const one = await listenAt(witness, 'tcp 198.18.0.2 7340 30000 198.18.0.1');
    const script = (before: string): string => `import socket, time\nfound = []\nfor n in range(50):\n  found.append(socket.create_connection(("198.18.0.2", 7340)))\n${before}for sock in found:\n  try: assert sock.recv(1) == b""\n  except ConnectionResetError: print("RST")\n`;
    expect(runPython(near, script('')).trim().split('\n')).to.deep.equal(Array.from({ length: 50 }, () => 'RST'));
    expect(runPython(near, script('time.sleep(0.05)\nfor sock in found: sock.send(b"late")\n'))).to.match(/^(RST\n){50}$/);
    const events = await one.hush();
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
      const events = await one.hush();
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
    expect(witness.lines.filter((line) => /^d\d+ listening$/.test(line)).length).to.equal(12);
    expect(witness.lines.filter((line) => /^d\d+ unprobed EMFILE listen$/.test(line)).length).to.equal(28);
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
}, ['python']);
