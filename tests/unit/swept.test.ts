// What a prober says of many places: those that it scans, and the ranges that it sweeps.
import { expect } from 'chai';
import type { Scan, SweepLook } from '../../lib/model.ts';
import type { Vantage } from '../../lib/vantage.ts';
import { boot, far, hex, ready } from '../fixtures/far.ts';

describe('vantage: a scan', () => {
  const scan: Scan = { transport: 'tcp', windowMs: 300, places: [25, 80, 443].map((port) => ({ sourcePort: 0, address: '172.22.22.3', port })) };
  const scanned = async (said: (id: string) => string): Promise<Readonly<{ of: Awaited<ReturnType<Vantage['scan']>>; begun: number }>> => {
    let begun = 0;
    return { of: await (await ready(far(boot, (id) => `${said(id)}${id} end\n`))).scan(scan, () => { begun += 1; }), begun };
  };
  it('is what was said of each place, and that all have sent', async () => expect(await scanned((id) => `${id} begun\n${id} at 172.22.22.3 80 silent\n${id} at 172.22.22.3 25 connected\n`)).to.deep.equal({ of: { states: new Map([['172.22.22.3 80', 'silent'], ['172.22.22.3 25', 'connected']]) }, begun: 1 }));
  it('keeps nothing of places that nobody asked for', async () => expect((await scanned((id) => `${id} at 172.22.22.4 80 silent\n${id} at 172.22.22.3 81 silent\n`)).of).to.deep.equal({ states: new Map() }));
  it('takes no word of a place of which two things are said', async () => expect((await scanned((id) => `${id} at 172.22.22.3 80 silent\n${id} at 172.22.22.3 80 connected\n`)).of).to.deep.equal({ states: new Map([['172.22.22.3 80', 'error-TWICE']]) }));
  it('of a prober that is lost is a failure', async () => {
    const stream = far(boot, (id) => `${id} at 172.22.22.3 80 silent\n`);
    const vantage = await ready(stream);
    setTimeout(() => stream.destroy(), 20);
    expect(await vantage.scan(scan, () => undefined)).to.include({ operation: 'exchange' });
  });
});

describe('vantage: a sweep', () => {
  const range: SweepLook = { transport: 'tcp', past: null, address: '172.22.22.3', first: 10, last: 19, sourcePort: 21_000, attempts: 3, rate: 1_000, windowMs: 100 };
  const swept = async (said: (id: string) => string, onPackets: (count: number) => void = () => undefined): ReturnType<Vantage['sweep']> => (await ready(far(boot, (id) => `${said(id)}${id} end\n`))).sweep(range, onPackets);
  it('is what was said of each port, and how many said nothing', async () => {
    const packets: number[] = [];
    expect(await swept((id) => `${id} swept 5\n${id} icmp 12 4 3 13 172.22.22.4\n${id} ports 12 12 error-EHOSTUNREACH\n${id} ports 15 16 reset\n${id} silent 7\n${id} swept 24\n`, (count) => packets.push(count))).to.deep.equal({
      states: new Map([[12, 'error-EHOSTUNREACH'], [15, 'reset'], [16, 'reset']]), icmp: new Map([[12, { event: 'icmp', try: 12, version: 4, type: 3, code: 13, from: '172.22.22.4' }]]), silent: 7, packets: 24,
    });
    expect(packets).to.deep.equal([5, 24]);
  });
  it('keeps nothing of ports that nobody asked for, however much is said of them', async () =>
    expect(await swept((id) => `${`${id} ports 1 65535 open\n`.repeat(200)}${id} icmp 9 4 3 13 172.22.22.4\n`)).to.deep.include({ states: new Map(Array.from({ length: 10 }, (_none, index) => [10 + index, 'open'])), icmp: new Map(), silent: 0 }));
  it('that the prober could not make is a failure', async () => expect(await swept((id) => `${id} unprobed EPERM socket\n`)).to.deep.equal({ operation: 'exchange', cause: 'socket: EPERM' }));
  it('of a prober that is lost is a failure', async () => {
    const stream = far(boot);
    const vantage = await ready(stream);
    setTimeout(() => stream.destroy(), 20);
    expect(await vantage.sweep(range, () => undefined)).to.include({ operation: 'exchange' });
  });
});

describe('vantage: bounds', () => {
  const told = async (text: string): ReturnType<Vantage['bounds']> => (await ready(far(boot, (id) => `${id} fact bounds ${hex(text)}\n${id} end\n`))).bounds();
  it('are what there is, and the bound', async () =>
    expect(await told('conntrack 12 262144\ndescriptors 9 1024\nprocesses 40 7000\n')).to.deep.equal({ conntrack: { most: 12, of: 262_144 }, descriptors: { most: 9, of: 1_024 }, processes: { most: 40, of: 7_000 } }));
  it('that the host does not tell, or not as a number, are not known', async () =>
    expect(await told('conntrack many 262144\ndescriptors 9 unlimited\n')).to.deep.equal({ conntrack: undefined, descriptors: undefined, processes: undefined }));
});
