// Commands by the hundreds, malformed ones, and a login that may do little.
import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import { near, start, until } from './bench.ts';
import { expectEvents, mostAtOnce } from './events.ts';
import { forEachKind } from './suites.ts';

forEachKind('commands', ({ kind, sh, proberIn }) => {
  it('calls a malformed line so, runs nothing of it and goes on', async () => {
    const prober = await proberIn(near);
    const lines = ['m1', 'm2 tcp', 'm3 tcp 198.18.0.2 7000 0 - 1 200', 'm4 dance', 'm5 tcp 198.18.0.2 70000 0 - 1 200 400', 'm6 udp 198.18.0.2 7000 0 abc 1 200 400',
      'm7 tcp $(touch${IFS}/tmp/fpt-owned) 22 0 - 1 200 400', 'm8 tcp 198.18.0.2 7000 0 - 0 200 400', 'm9 tcp 198.18.0.2 7000 0 - ++1 200 400', 'm10 udp 198.18.0.2 7000 0 zz 1 200 400',
      'm11 tcp 198.18.0.2 7000 0 - 1 -5 400', 'm12 icmp 198.18.0.2 00 1 200',
      // nc's -e runs a program, and ping's -f floods; python's sockets know no options.
      ...(sh ? ['m16 tcp -lesh 7000 4444 - 1 200 400', 'm17 udp -lesh 7000 0 00 1 200 400', 'm18 icmp -f 00 1 200 400'] : [])];
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
    expect(seen.filter((line) => line.startsWith('- malformed ')).length).to.be.at.least(1);
    expect(seen, 'an empty line is none').to.not.include('- malformed -');
    expect(seen.some((line) => line.startsWith('m13 malformed 6d3133')), 'a line too long').to.equal(true);
    // The sh prober takes no line that would not fit into its own pipe in one piece.
    expect(seen.some((line) => line.startsWith('m14 malformed ')), 'a long payload').to.equal(sh);
    expect(readdirSync('/tmp')).to.not.include('fpt-owned');
  });

  if (sh) it('tells of its host while looks wait for their turn', async () => {
    const prober = await start(kind, { edit: (text) => text.replace('least 1280 $fit $files; room=$least', 'room=4') });
    for (let n = 0; n < 6; n += 1) prober.send(`w${n} tcp 198.18.0.2 7103 0 - 1 100 3000`);
    const told = await Promise.all(['resets', 'conntrack 198.18.0.1', 'bounds', 'facts', 'configuration', 'lock 127.86.71.9', 'unlock 127.86.71.9'].map(prober.ask));
    expect(prober.lines.filter((line) => /^w\d end$/.test(line)).length, 'looks that had ended').to.be.lessThan(6);
    expect(told.map((events) => events.length > 0)).to.deep.equal([true, true, true, true, true, true, false]);
    expect(await prober.close()).to.equal(0);
  });

  it(`takes ${sh ? 200 : 2000} commands at once, and each ends exactly once`, async () => {
    const prober = await start(kind);
    const count = sh ? 200 : 2000;
    // By turns open, silent, silent, refused, silent, silent: enough silence to fill the sh prober.
    const kindsOfPort = [[7000, /^connected /], [7103, /^sent 2/], [7103, /^sent 2/], [7999, /^error \d ECONNREFUSED connect/], [7103, /^sent 2/], [7103, /^sent 2/]] as const;
    const asked = Array.from({ length: count }, (_, n) => kindsOfPort[n % 6] ?? kindsOfPort[0]);
    const found = await Promise.all(asked.map(([port]) => prober.ask(`tcp 198.18.0.2 ${port} 0 - 2 2000 2000`)));
    for (const [n, events] of found.entries()) expect(events.at(-1), `${n}`).to.match(asked[n]?.[1] ?? /never/);
    expect(prober.lines.filter((line) => line.endsWith(' end')).length).to.equal(count);
    if (sh) expect(mostAtOnce(prober.lines)).to.be.at.least(9);
    expect(await prober.close()).to.equal(0);
    expect(prober.stderr()).to.equal('');
  });

  if (sh) it('has as many looks at once as there is room for their processes', async () => {
    // Of ten processes each; of two, where `read` has a time limit, or of four with a pace maker. None is over before all that may have begun.
    for (const [command, most] of [['udp 198.18.0.2 7103 0 00 3 1000 60000', 6], ['tcp 198.18.0.2 7103 0 - 1 0 60000', kind === 'dash' ? 15 : 30]] as const) {
      const prober = await start(kind, { wrap: ['prlimit', '--nproc=120'] }); // half of them are a prober's
      for (let n = 0; n < 40; n += 1) prober.send(`w${n} ${command}`);
      await until(`${most} have begun: ${command}`, () => mostAtOnce(prober.lines) >= most, 300_000);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(mostAtOnce(prober.lines), command).to.equal(most);
      await prober.close();
    }
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
});
