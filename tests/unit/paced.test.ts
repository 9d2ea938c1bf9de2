// A vantage with a bound: looks wait for their turn, what it sends to itself does not, and nobody waits for one that has ended.
import { mock } from 'node:test';
import { expect } from 'chai';
import type { Exchange, Frame, RawLook } from '../../lib/model.ts';
import { paced } from '../../lib/paced.ts';
import type { Looked, Vantage } from '../../lib/vantage.ts';
import { mute } from '../fixtures/vantage.ts';
import { failure, hosts } from '../fixtures/site.ts';

const timing = { attempts: 2, intervalMs: 10, windowMs: 100 };
const exchange: Exchange = { ...timing, transport: 'udp', address: '172.22.22.3', port: 25, sourcePort: 0, send: '00' };
const raw: RawLook = { ...timing, address: '172.22.22.3', ipProtocol: 47, payload: '00' };
const frame: Frame = { ...timing, device: 'eth0', mac: '02:00:00:00:00:0a', packet: '45' };
const nothing: Looked = { replies: [], failure: null };
const { joi } = hosts;
const facts = joi ?? failure;

type Began = Readonly<{ what: string; atMs: number; look: Exchange | RawLook | Frame }>;

/** A vantage whose looks take until they are let go, and what it was asked for, when. */
function noting(over: Partial<Vantage> = {}): Readonly<{ vantage: Vantage; began: Began[] }> {
  const began: Began[] = [];
  const note = (what: string) => (look: Exchange | RawLook | Frame): Promise<Looked> => {
    began.push({ what, atMs: Date.now(), look });
    return new Promise(() => undefined);
  };
  return { vantage: { ...mute, exchange: note('exchange'), raw: note('raw'), frame: note('frame'), ...over }, began };
}

/** Lets the clock go on by so much. */
async function pass(ms: number): Promise<void> {
  for (let gone = 0; gone < ms; gone += 10) {
    for (let turns = 0; turns < 4; turns += 1) await new Promise(setImmediate);
    mock.timers.tick(10);
  }
  for (let turns = 0; turns < 4; turns += 1) await new Promise(setImmediate);
}

describe('paced', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 }));
  afterEach(() => mock.timers.reset());
  const since = ({ atMs }: Began): number => atMs - 1_000_000;

  it('gives looks of all kinds their turn, in one row', async () => {
    const { vantage, began } = noting();
    const slow = paced(vantage, facts, 10);
    for (const look of [() => slow.exchange(exchange), () => slow.raw(raw), () => slow.frame(frame), () => slow.exchange(exchange)]) void look();
    await pass(2000);
    expect(began.map((one) => [one.what, since(one)])).to.deep.equal([['exchange', 0], ['raw', 200], ['frame', 400], ['exchange', 600]]);
    for (const { look } of began) expect(look.intervalMs).to.equal(100);
  });
  it('lets the next begin where one is over early', async () => {
    const { vantage, began } = noting({ exchange: (look) => (began.push({ what: 'exchange', atMs: Date.now(), look }), Promise.resolve(nothing)) });
    const slow = paced(vantage, facts, 10);
    await slow.exchange({ ...exchange, attempts: 16 });
    void slow.exchange(exchange);
    await pass(1000);
    expect(began.map(since)).to.deep.equal([0, 100]);
  });
  it('leaves what the vantage sends to itself alone', async () => {
    const { vantage, began } = noting();
    const slow = paced(vantage, facts, 1);
    for (const address of ['127.0.0.1', '::1', '172.22.22.2', '10.42.0.10', 'fe80::2%eth0']) void slow.exchange({ ...exchange, address });
    await pass(50);
    expect(began).to.have.length(5);
    expect(began[0]?.look).to.deep.equal({ ...exchange, address: '127.0.0.1' });
  });
  it('knows of the two tries that sh has for silent handshakes', async () => {
    const { vantage, began } = noting({ kind: 'sh' });
    void paced(vantage, facts, 10).exchange({ ...exchange, transport: 'tcp', send: '', attempts: 3, intervalMs: 150, windowMs: 700 });
    await pass(50);
    expect(began[0]?.look).to.include({ attempts: 2, intervalMs: 300, windowMs: 700 });
  });
  it('waits no longer once the prober has ended', async () => {
    const gone = { is: false };
    const { vantage, began } = noting({ ended: () => gone.is });
    const slow = paced(vantage, facts, 1);
    for (let n = 0; n < 5; n += 1) void slow.exchange(exchange);
    await pass(100);
    expect(began).to.have.length(1);
    gone.is = true;
    await pass(300);
    expect(began).to.have.length(5);
  });
  it('without a rate is the vantage itself', () => expect(paced(mute, facts, undefined)).to.equal(mute));
  it('without a rate scans where the prober is sh, and with one it does not', async () => {
    const scans: number[] = [];
    const { vantage, began } = noting({ kind: 'sh', scan: ({ places }) => (scans.push(places.length), new Promise(() => undefined)) });
    for (const rate of [undefined, 1000]) for (let port = 1; port <= 3; port += 1) void paced(vantage, facts, rate).exchange({ ...exchange, port });
    await pass(50);
    expect([scans, began.length]).to.deep.equal([[1, 1, 1], 3]);
  });
});
