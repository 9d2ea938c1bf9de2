// A prober at the far end of a stream that ends in this process: what it may say, when it is ready, what a loss does.
import { mock } from 'node:test';
import { expect } from 'chai';
import type { Exchange, Frame, RawLook } from '../../lib/model.ts';
import { openVantage } from '../../lib/vantage.ts';
import { boot, far, hex, mark, ready } from '../fixtures/far.ts';

const exchange: Exchange = { transport: 'tcp', address: '172.22.22.3', port: 25, sourcePort: 0, send: '', attempts: 1, intervalMs: 10, windowMs: 100 };

describe('vantage: the start', () => {
  const rows: readonly (readonly [sentence: string, said: string, expected: object])[] = [
    ['python as root', boot, { kind: 'python', root: true }],
    ['sh as a user', '\nFLOWPROOF-BOOT 5d9f0c3e sh\n\nFLOWPROOF-1 sh uid=1000 \n', { kind: 'sh', root: false }],
    ['is found behind a banner and the noise of a profile', `Welcome!\r\n\u001b[31m 1 end\nFLOWPROOF\n${boot}`, { kind: 'python', root: true }],
    ['is found behind lines that look like its own', `FLOWPROOF-BOOT none\nFLOWPROOF-BOOT 00000000 sh\nFLOWPROOF-1 sh uid=1000 \n1 end\n${boot}`, { kind: 'python', root: true }],
    ['with neither python3 nor nc fails and says so', 'FLOWPROOF-BOOT 5d9f0c3e none\n', { operation: 'start-prober', cause: 'neither python3 nor nc is on the host; install one of them' }],
  ];
  for (const [sentence, said, expected] of rows) it(sentence, async () => expect(await openVantage(far(said), mark)).to.deep.include(expected));
  it('fails where the stream ends first', async () => {
    const stream = far('Welcome!\n');
    setImmediate(() => stream.destroy());
    expect(await openVantage(stream, mark)).to.include({ operation: 'start-prober' });
  });
  it('gives the prober to the host that asked for it', async () => {
    const got: string[] = [];
    await ready(far(boot, () => null, (text) => got.push(text)));
    expect(got.join('')).to.include('The prober for hosts with python3').and.not.include('busybox\'s nc (stock');
  });
});

describe('vantage: an exchange', () => {
  const silent: Exchange = { ...exchange, attempts: 3, intervalMs: 150, windowMs: 700 };
  const asked = async (booted: string, of: Exchange): Promise<string> => {
    const got: string[] = [];
    const vantage = await ready(far(booted, (id) => `${id} end\n`, (text) => got.push(text)));
    await vantage.exchange(of);
    return got.join('').split('\n').find((line) => / (tcp|udp) /.test(line) && /^\d/.test(line)) ?? '';
  };
  const sh = boot.replaceAll('python', 'sh');
  it('of a handshake that is not awaited has the first and the last try of sh, at their times', async () => {
    expect(await asked(sh, silent)).to.match(/ tcp 172\.22\.22\.3 25 0 - 2 300 700$/);
    expect(await asked(sh, { ...silent, windowMs: 200 })).to.match(/ tcp 172\.22\.22\.3 25 0 - 2 300 200$/);
  });
  it('keeps its tries in python', async () => expect(await asked(boot, silent)).to.match(/ - 3 150 700$/));
  it('keeps its tries where an answer is awaited, or the port is its own', async () => {
    expect(await asked(sh, { ...silent, attempts: 8, intervalMs: 250, windowMs: 1500 })).to.match(/ - 8 250 1500$/);
    expect(await asked(sh, { ...silent, sourcePort: 53 })).to.match(/ 53 - 3 150 700$/);
    expect(await asked(sh, { ...silent, transport: 'udp' })).to.match(/ - 3 150 700$/);
  });
  it('gives what the prober said of it, and of nothing else', async () => {
    const vantage = await ready(far(boot, (id) => `noise\n99 closed 1\n${id} sent 1 40001 0.1\n99 end\n${id} connected 1 2.5\n${id} closed 1\n${id} end\n`));
    const { replies, failure } = await vantage.exchange(exchange);
    expect(replies.map(({ event }) => event)).to.deep.equal(['sent', 'connected', 'closed']);
    expect(failure).to.equal(null);
  });
  it('keeps two that are under way apart', async () => {
    const held: string[] = [];
    const stream = far(boot, (id) => {
      held.push(id);
      return held.length < 2 ? null : held.map((each) => `${each} error 1 E${each} connect\n`).toReversed().join('') + held.map((each) => `${each} end\n`).join('');
    });
    const vantage = await ready(stream);
    const both = await Promise.all([vantage.exchange(exchange), vantage.exchange(exchange)]);
    expect(both.map(({ replies }) => replies.map((reply) => (reply.event === 'error' ? reply.errno : '')))).to.deep.equal([['E1'], ['E2']]);
  });
  it('that the prober does not end is a failure with what it had said', async () => {
    const stream = far(boot, (id) => `${id} sent 1 40001 0.1\n`);
    const vantage = await ready(stream);
    setTimeout(() => stream.destroy(), 20);
    const { replies, failure } = await vantage.exchange(exchange);
    expect(replies).to.have.length(1);
    expect(failure).to.include({ operation: 'exchange' });
  });
  it('after the loss of the prober is a failure at once', async () => {
    const stream = far(boot);
    const vantage = await ready(stream);
    stream.destroy();
    await new Promise((resolve) => stream.once('close', resolve));
    expect((await vantage.exchange(exchange)).failure).to.deep.equal({ operation: 'exchange', cause: 'the prober ended, or the connection to it broke' });
  });
  const all = Array.from({ length: 20 }, (_none, index) => `ID sent ${index + 1} 40001 0.1\nID icmp ${index + 1} 4 3 13 172.22.22.4\nID error ${index + 1} EHOSTUNREACH connect\n`).join('') + `ID data 1 ${'00'.repeat(2048)} 2 10.0.0.1\n`;
  const sizes: readonly (readonly [sentence: string, said: string, failure: unknown])[] = [
    ['may say all that there is to say', all, null],
    ['that is told in lines without end is a failure', 'ID closed 1\n'.repeat(1000), { operation: 'exchange', cause: 'the prober says more than it can have to say: is the machine still yours?' }],
  ];
  for (const [sentence, said, failure] of sizes) it(sentence, async () => expect((await (await ready(far(boot, (id) => `${said.replaceAll('ID', id)}${id} end\n`))).exchange(exchange)).failure).to.deep.equal(failure));
  it('survives a line without an end', async () => {
    const vantage = await ready(far(boot, (id) => `${'x'.repeat((1 << 20) + 2)}\n${id} end\n`));
    expect((await vantage.exchange(exchange)).failure).to.equal(null);
  });
});

describe('vantage: facts and connection tracking', () => {
  it('of many goes out in one piece', async () => {
    const heard: string[] = [];
    const vantage = await ready(far(boot, (id) => `${id} end\n`, (text) => heard.push(text)));
    heard.length = 0; // the program
    await Promise.all([1, 2, 3].map(() => vantage.exchange(exchange)));
    expect(heard.map((text) => text.split('\n').length - 1)).to.deep.equal([3]);
  });
  it('a fact that comes in several lines is joined', async () => {
    const vantage = await ready(far(boot, (id) => `${id} fact routes4 ${hex('default via 198.51.100.1 dev eth0\n172.22.')}\n${id} fact kernel ${hex('Linux')}\n${id} fact routes4 ${hex('22.0/29 dev eth1\n')}\n${id} end\n`));
    expect(await vantage.facts()).to.deep.equal({ told: { routes4: 'default via 198.51.100.1 dev eth0\n172.22.22.0/29 dev eth1\n', kernel: 'Linux' } });
  });
  it('facts that were cut off are a failure', async () => {
    const stream = far(boot, (id) => `${id} fact kernel ${hex('Linux')}\n`);
    const vantage = await ready(stream);
    setTimeout(() => stream.destroy(), 20);
    expect(await vantage.facts()).to.include({ operation: 'exchange' });
  });
  it('rows come as they are', async () => {
    const vantage = await ready(far(boot, (id) => `${id} row ${hex('ipv4 2 udp')}\n${id} fact dropped ${hex('12')}\n${id} end\n`));
    expect(await vantage.conntrack(['172.22.22.2'])).to.deep.equal({ rows: ['ipv4 2 udp'], dropped: 12 });
  });
  for (const told of ['', `fact dropped ${hex('-1')}`, `fact dropped ${hex('many')}`])
    it(`how much a full table has cost is not known by: ${told}`, async () => {
      const vantage = await ready(far(boot, (id) => `${told === '' ? '' : `${id} ${told}\n`}${id} end\n`));
      expect(await vantage.conntrack(['172.22.22.2'])).to.deep.equal({ rows: [], dropped: null });
    });
  it('the count of resets is read beside it', async () => {
    const vantage = await ready(far(boot, (id) => `${id} fact resets ${hex('12')}\n${id} end\n`));
    expect(await vantage.resets()).to.equal(12);
  });
  it('connection tracking that cannot be read is a failure, not an empty table', async () => {
    const vantage = await ready(far(boot, (id) => `${id} unprobed EACCES conntrack\n${id} end\n`));
    expect(await vantage.conntrack(['172.22.22.2'])).to.include({ operation: 'exchange' });
  });
  it('connection tracking that was cut off is a failure, not a short table', async () => {
    const stream = far(boot, (id) => `${id} row ${hex('ipv4 2 udp')}\n`);
    const vantage = await ready(stream);
    setTimeout(() => stream.destroy(), 20);
    expect(await vantage.conntrack(['172.22.22.2'])).to.include({ operation: 'exchange' });
  });
});

describe('vantage: packets of our own', () => {
  const timing = { attempts: 1, intervalMs: 10, windowMs: 100 };
  const raw: RawLook = { address: '172.22.22.3', ipProtocol: 6, payload: '00ff', ...timing };
  const frame: Frame = { device: 'eth0', mac: '02:00:00:00:00:0a', packet: '45ff', ...timing };
  it('a raw look gives what the prober said of it', async () => {
    const vantage = await ready(far(boot, (id, command) => `${id} sent 1 - 0.1\n${id} error 1 EPERM ${command}\n${id} end\n`));
    expect(await vantage.raw(raw)).to.deep.equal({ replies: [{ event: 'sent', try: 1, sourcePort: null, ms: 0.1 }, { event: 'error', try: 1, errno: 'EPERM', operation: 'raw' }], failure: null });
  });
  it('a frame gives what the prober said of it', async () => {
    const vantage = await ready(far(boot, (id, command) => `${id} unprobed ENETDOWN ${command}\n${id} end\n`));
    expect(await vantage.frame(frame)).to.deep.equal({ replies: [{ event: 'unprobed', errno: 'ENETDOWN', operation: 'frame' }], failure: null });
  });
  it('two thousand frames may be under way at once, while a look has its turn', async () => {
    const under = new Set<string>();
    const stream = far(boot, (id, command) => {
      if (command === 'frame') under.add(id);
      return command === 'frame' ? null : `${id} sent 1 - 0.1\n${id} end\n`;
    });
    const vantage = await ready(stream);
    for (let n = 0; n < 2200; n++) void vantage.frame(frame);
    expect((await vantage.exchange(exchange)).replies).to.have.length(1);
    expect(under.size).to.equal(2000);
    stream.destroy();
  });
});

describe('vantage: resets', () => {
  const rows: readonly (readonly [sentence: string, said: (id: string) => string, expected: unknown])[] = [
    ['are a number', (id) => `${id} fact resets ${hex('4711')}\n`, 4711],
    ['that cannot be read are a failure', (id) => `${id} unprobed ENOENT resets\n`, { operation: 'exchange', cause: 'the count of resets cannot be read there: ENOENT' }],
    ['that are no number are a failure', (id) => `${id} fact resets ${hex('-1')}\n`, { operation: 'exchange', cause: 'the count of resets cannot be read there: it is no number' }],
    ['of which nothing is said are a failure', () => '', { operation: 'exchange', cause: 'the count of resets cannot be read there: it is no number' }],
  ];
  for (const [sentence, said, expected] of rows) it(sentence, async () => expect(await (await ready(far(boot, (id) => `${said(id)}${id} end\n`))).resets()).to.deep.equal(expected));
});

describe('vantage: a prober that has nothing to do', () => {
  it('hears an empty line every 20 s, and none once it is closed', async () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      const got: string[] = [];
      const vantage = await ready(far(boot, () => null, (text) => got.push(text)));
      const heard = async (ms: number): Promise<number> => {
        got.length = 0;
        mock.timers.tick(ms);
        await new Promise(setImmediate);
        await new Promise(setImmediate);
        expect(got.join('').replaceAll('\n', '')).to.equal('');
        return got.join('').length;
      };
      expect(await heard(19_000)).to.equal(0);
      expect(await heard(1_000)).to.equal(1);
      expect(await heard(20_000)).to.equal(1);
      vantage.close();
      expect(await heard(60_000)).to.equal(0);
    } finally {
      mock.timers.reset();
    }
  });
});

describe('vantage: the lock', () => {
  const rows: readonly (readonly [sentence: string, said: (id: string) => string, expected: unknown])[] = [
    ['is held where the prober says so', (id) => `${id} fact lock ${hex('held')}\n`, null],
    ['that another run has is a failure that says what to do', (id) => `${id} unprobed EADDRINUSE lock\n`, { operation: 'start-prober', cause: 'another run of flowproof is under way on this host: wait for its end' }],
    ['that cannot be had is a failure', (id) => `${id} unprobed EADDRNOTAVAIL lock\n`, { operation: 'start-prober', cause: 'the lock against a second run could not be had on this host: EADDRNOTAVAIL' }],
    ['of which nothing is said is a failure', () => '', { operation: 'start-prober', cause: 'the lock against a second run could not be had on this host: it did not say why' }],
  ];
  for (const [sentence, said, expected] of rows) it(sentence, async () => expect(await (await ready(far(boot, (id) => `${said(id)}${id} end\n`))).lock('127.86.70.0')).to.deep.equal(expected));
});

describe('vantage: a listener that goes on when it was told to end', () => {
  it('is waited for no longer than a prober that is stuck, not for its half an hour', async () => {
    const stream = far(boot, (id, command) => (command === 'listen' ? `${id} listening\n` : `${id} end\n`));
    const vantage = await ready(stream);
    const listening = await vantage.listen({ id: 'listener joi 172.22.22.2 tcp/25', host: 'joi', transport: 'tcp', address: '172.22.22.2', port: 25 }, ['172.22.22.1']);
    if ('cause' in listening) throw new Error(listening.cause);
    mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    try {
        const over = listening.hush();
      for (let seconds = 0; seconds < 60; seconds += 1) {
        await new Promise(setImmediate);
        mock.timers.tick(1_000);
      }
        expect(await Promise.race([over, new Promise((resolve) => setImmediate(() => resolve('still waiting')))])).to.deep.include({ cause: 'listener joi 172.22.22.2 tcp/25 did not end when it was told to' });
    } finally {
      mock.timers.reset();
      stream.destroy(); // or its half an hour would keep this process alive
    }
  });
});
