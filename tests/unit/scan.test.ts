// Many looks as one: which of them, how they are put together, and that what a scan says is what the look by itself would have.
import { expect } from 'chai';
import type { Exchange, Reply, Scan, Scanned, Failure } from '../../lib/model.ts';
import { isScannable } from '../../lib/pace.ts';
import { batchesOf, scanning } from '../../lib/scan.ts';
import type { Looked, Vantage } from '../../lib/vantage.ts';
import { mute } from '../fixtures/vantage.ts';

const tcp: Exchange = { transport: 'tcp', address: '172.22.22.3', port: 25, sourcePort: 0, send: '', attempts: 3, intervalMs: 150, windowMs: 300 };
const udp: Exchange = { ...tcp, transport: 'udp', send: '00ff', windowMs: 700 };
const single: Looked = { replies: [{ event: 'closed', try: 1 }], failure: null };

type Asked = Readonly<{ exchange: Exchange; isLetOut: boolean }>;

/** A vantage whose scans say `states`, one list a scan, and begin when they are let. */
function noting(...states: readonly (Readonly<Record<string, string>> | Failure)[]): Readonly<{ vantage: Vantage; scans: Scan[]; alone: Asked[]; begin: (() => void)[] }> {
  const [scans, alone, begin]: [Scan[], Asked[], (() => void)[]] = [[], [], []];
  const vantage: Vantage = {
    ...mute,
    kind: 'sh',
    exchange: (exchange, isLetOut = false) => (alone.push({ exchange, isLetOut }), Promise.resolve(single)),
    scan: (scan, onBegun) => {
      begin.push(onBegun);
      const said = states[scans.push(scan) - 1] ?? {};
      return Promise.resolve('cause' in said && 'operation' in said ? (said as Failure) : ({ states: new Map(Object.entries(said)) } satisfies Scanned));
    },
  };
  return { vantage: scanning(vantage), scans, alone, begin };
}

describe('scan: the looks that it is made of', () => {
  const rows: readonly (readonly [sentence: string, exchange: Exchange, isScanned: boolean])[] = [
    ['a denied handshake', tcp, true],
    ['one of two tries', { ...tcp, attempts: 2 }, true],
    ['one from a port of its own', { ...tcp, sourcePort: 53 }, true],
    ['a denied datagram', udp, true],
    ['one whose window is as long as may be', { ...udp, windowMs: 1_000 }, true],
    ['no handshake behind which something is asked', { ...tcp, send: '00' }, false],
    ['no echo request', { ...tcp, transport: 'icmp' }, false],
    ['no single try', { ...tcp, attempts: 1 }, false],
    ['none that is made again for lost packets', { ...tcp, attempts: 4 }, false],
    ['none that waits longer than nc would', { ...tcp, windowMs: 1_001 }, false],
  ];
  for (const [sentence, exchange, isScanned] of rows)
    it(sentence, async () => {
      expect(isScannable(exchange)).to.equal(isScanned);
      const { vantage, scans } = noting();
      void vantage.exchange(exchange);
      await new Promise(setImmediate);
      expect(scans.length).to.equal(isScanned ? 1 : 0);
    });
  it('no datagram that is known to be let out', async () => {
    const { vantage, scans, alone } = noting();
    await vantage.exchange(udp, true);
    expect([scans.length, alone]).to.deep.equal([0, [{ exchange: udp, isLetOut: true }]]);
  });
  it('none of python', () => expect(scanning(mute)).to.equal(mute));
});

describe('scan: the batches', () => {
  const sizes = (exchanges: readonly Exchange[]): readonly number[] => batchesOf(exchanges.map((exchange) => ({ exchange }))).map((batch) => batch.length);
  const ports = (count: number, over: Partial<Exchange> = {}): readonly Exchange[] => Array.from({ length: count }, (_none, index) => ({ ...tcp, port: index + 1, ...over }));
  it('are of 64 places at most', () => expect(sizes(ports(130))).to.deep.equal([64, 64, 2]));
  it('are of one transport each', () => expect(sizes([...ports(3), ...ports(2, { transport: 'udp' }), ...ports(4).slice(3)])).to.deep.equal([4, 2]));
  it('have no place twice, whatever port it is asked from', () => expect(sizes([tcp, { ...tcp, sourcePort: 53 }, { ...tcp, sourcePort: 443 }, { ...tcp, address: '172.22.22.4' }])).to.deep.equal([1, 1, 2]));
  it('fit into a line', () => {
    const long = ports(64).map((one) => ({ ...one, address: 'fe80:1111:2222:3333:4444:5555:6666:7777%enp0s31f6', sourcePort: 60_000, port: 60_000 + one.port }));
    expect(sizes(long)).to.deep.equal([61, 3]);
  });
});

describe('scan: a look', () => {
  const sent: Reply = { event: 'sent', try: 1, sourcePort: null, ms: 0 };
  const error = (errno: string, operation: string): readonly Reply[] => [sent, { event: 'error', try: 1, errno, operation }];
  const rows: readonly (readonly [sentence: string, exchange: Exchange, state: string, replies: readonly Reply[]])[] = [
    ['that connects', tcp, 'connected', [sent, { event: 'connected', try: 1, ms: null }]],
    ['that nothing answers has two SYNs of the kernel', tcp, 'silent', [sent, { ...sent, try: 2, ms: 1_000 }]],
    ['that is barred', tcp, 'error-EPERM', error('EPERM', 'connect')],
    ['that is refused', tcp, 'error-ECONNREFUSED', error('ECONNREFUSED', 'connect')],
    ['that has no route', tcp, 'error-ENETUNREACH', error('ENETUNREACH', 'connect')],
    ['whose neighbour is not there', tcp, 'error-EHOSTUNREACH', error('EHOSTUNREACH', 'connect')],
    ['by a datagram that is barred', udp, 'error-EPERM', error('EPERM', 'send')],
    ['from a port of its own names it', { ...tcp, sourcePort: 53 }, 'error-EPERM', [{ ...sent, sourcePort: 53 }, { event: 'error', try: 1, errno: 'EPERM', operation: 'connect' }]],
  ];
  for (const [sentence, exchange, state, replies] of rows)
    it(sentence, async () => {
      const { vantage, scans, alone } = noting({ '172.22.22.3 25': state });
      expect(await vantage.exchange(exchange)).to.deep.equal({ replies, failure: null });
      expect(alone).to.deep.equal([]);
      expect(scans[0]).to.deep.include({ transport: exchange.transport, windowMs: exchange.windowMs });
    });
  const others: readonly (readonly [sentence: string, exchange: Exchange, states: Readonly<Record<string, string>> | Failure, isLetOut: boolean])[] = [
    ['of which nothing is told', tcp, { '172.22.22.3 26': 'silent' }, false],
    ['of which something unusual is told', tcp, { '172.22.22.3 25': 'error-EACCES' }, false],
    ['of which two things are told', tcp, { '172.22.22.3 25': 'error-TWICE' }, false],
    ['whose scan failed', tcp, { operation: 'exchange', cause: 'lost' }, false],
    ['by a datagram of which nothing is told', udp, {}, false],
    ['by a datagram that may leave, which need not be found out', udp, { '172.22.22.3 25': 'silent' }, true],
  ];
  for (const [sentence, exchange, states, isLetOut] of others)
    it(`${sentence}, is made by itself`, async () => {
      const { vantage, alone } = noting(states);
      expect(await vantage.exchange(exchange)).to.equal(single);
      expect(alone).to.deep.equal([{ exchange, isLetOut }]);
    });
});

describe('scan: many looks', () => {
  const turn = async (): Promise<void> => { for (let turns = 0; turns < 5; turns += 1) await new Promise(setImmediate); };
  it('are one scan, with the longest of their windows', async () => {
    const { vantage, scans } = noting();
    for (const windowMs of [200, 400, 300]) void vantage.exchange({ ...tcp, port: windowMs, windowMs });
    await turn();
    expect(scans.map(({ windowMs, places }) => [windowMs, places.map(({ port }) => port)])).to.deep.equal([[400, [200, 400, 300]]]);
  });
  it('begin when those before them have sent, or ended', async () => {
    const { vantage, scans, begin } = noting();
    const looks = Array.from({ length: 130 }, (_none, index) => vantage.exchange({ ...tcp, port: index + 1 }));
    await turn();
    // These scans end at once, without a word that they have begun.
    await Promise.all(looks);
    expect([scans.length, begin.length]).to.deep.equal([3, 3]);
  });
  it('wait for those before them', async () => {
    const begin: (() => void)[] = [];
    const vantage = scanning({ ...mute, kind: 'sh', scan: (_scan, onBegun) => (begin.push(onBegun), new Promise(() => undefined)) });
    for (let port = 1; port <= 130; port += 1) void vantage.exchange({ ...tcp, port });
    for (const begun of [1, 2, 3]) {
      await turn();
      expect(begin.length).to.equal(begun);
      begin.at(-1)?.();
    }
  });
});
