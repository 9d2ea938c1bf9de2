// A prober at the far end of a stream that ends in this process: what it may say, when it is ready, what a loss does.
import { Duplex } from 'node:stream';
import { expect } from 'chai';
import type { Exchange } from '../../lib/model.ts';
import { openVantage, type Vantage } from '../../lib/vantage.ts';

const exchange: Exchange = { transport: 'tcp', address: '172.22.22.3', port: 25, sourcePort: 0, send: '', attempts: 1, intervalMs: 10, windowMs: 100 };
const hex = (text: string): string => Buffer.from(text).toString('hex');

/** A far end that says `first` and then, to each command, what `answer` makes of it. */
function far(first: string, answer: (id: string, command: string) => string | null = () => null, hear: (text: string) => void = () => undefined): Duplex {
  let rest = '';
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      hear(chunk.toString());
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [, id = '', command = ''] = /^(\d+) (facts|conntrack|tcp|udp|icmp)\b/.exec(line) ?? [];
        const said = id === '' ? null : answer(id, command);
        if (said !== null) stream.push(said);
      }
      done();
    },
  });
  setImmediate(() => stream.push(first));
  return stream;
}

async function ready(stream: Duplex): Promise<Vantage> {
  const vantage = await openVantage(stream);
  if ('operation' in vantage) throw new Error(vantage.cause);
  return vantage;
}

const boot = '\nFLOWPROOF-BOOT python\n\nFLOWPROOF-1 python uid=0 \n';

describe('vantage: the start', () => {
  const rows: readonly (readonly [sentence: string, said: string, expected: object])[] = [
    ['python as root', boot, { kind: 'python', root: true }],
    ['sh as a user', '\nFLOWPROOF-BOOT sh\n\nFLOWPROOF-1 sh uid=1000 \n', { kind: 'sh', root: false }],
    ['is found behind a banner and the noise of a profile', `Welcome!\r\n\u001b[31m 1 end\nFLOWPROOF\n${boot}`, { kind: 'python', root: true }],
    ['with neither python3 nor nc fails and says so', 'FLOWPROOF-BOOT none\n', { operation: 'start-prober', cause: 'neither python3 nor nc is on the host; install one of them' }],
  ];
  for (const [sentence, said, expected] of rows) it(sentence, async () => expect(await openVantage(far(said))).to.deep.include(expected));
  it('fails where the stream ends first', async () => {
    const stream = far('Welcome!\n');
    setImmediate(() => stream.destroy());
    expect(await openVantage(stream)).to.include({ operation: 'start-prober' });
  });
  it('gives the prober to the host that asked for it', async () => {
    const got: string[] = [];
    await ready(far(boot, () => null, (text) => got.push(text)));
    expect(got.join('')).to.include('The prober for hosts with python3').and.not.include('busybox\'s nc (stock');
  });
});

describe('vantage: an exchange', () => {
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
  it('survives a line without an end', async () => {
    const vantage = await ready(far(boot, (id) => `${'x'.repeat((1 << 20) + 2)}\n${id} end\n`));
    expect((await vantage.exchange(exchange)).failure).to.equal(null);
  });
});

describe('vantage: facts and connection tracking', () => {
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
    const vantage = await ready(far(boot, (id) => `${id} row ${hex('ipv4 2 udp')}\n${id} end\n`));
    expect(await vantage.conntrack(['172.22.22.2'])).to.deep.equal(['ipv4 2 udp']);
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
