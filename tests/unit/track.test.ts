// Watching the witnesses: alive only by what they were shown to record, each address family by itself.
import { mock } from 'node:test';
import { setImmediate as settled } from 'node:timers/promises';
import { expect } from 'chai';
import type { Exchange, Failure } from '../../lib/model.ts';
import { startTracking } from '../../lib/track.ts';
import type { Vantage } from '../../lib/vantage.ts';
import { discovery } from '../fixtures/site.ts';
import { mute } from '../fixtures/vantage.ts';

type Kernel = Readonly<{ families: readonly ('ipv4' | 'ipv6')[]; forgetsAfter?: number; lateBy?: number; dropped?: number | null; fails?: Failure; extra?: readonly string[] }>;

/** A vantage whose kernel writes down what it sends to itself, or not. */
function vantage({ families, forgetsAfter = Infinity, lateBy = 0, dropped = 7, fails, extra = [] }: Kernel): Vantage {
  const table: string[] = [...extra];
  let reads = 0;
  const note = ({ address, port }: Exchange): void => {
    if (families.includes(address === '::1' ? 'ipv6' : 'ipv4')) table.push(`${address === '::1' ? 'ipv6 10' : 'ipv4 2'} udp 17 29 src=${address} dst=${address} sport=50000 dport=${port} [UNREPLIED] src=${address} dst=${address} sport=${port} dport=50000 use=2`);
  };
  return {
    ...mute,
    exchange: (exchange) => Promise.resolve({ replies: [], failure: null, noted: note(exchange) }),
    conntrack: () => Promise.resolve(fails ?? { rows: (reads += 1) > forgetsAfter || reads <= lateBy ? [] : [...table], dropped }),
  };
}

async function watch(kernel: Kernel): Promise<Awaited<ReturnType<Awaited<ReturnType<typeof startTracking>>['finish']>>> {
  return (await startTracking({ ...discovery, witnesses: ['ntp'] }, new Map([['ntp', vantage(kernel)]]))).finish();
}

const alive = async (kernel: Kernel): Promise<readonly boolean[]> => {
  const tracked = (await watch(kernel)).get('ntp');
  return [tracked?.ipv4.before.held, tracked?.ipv4.after.held, tracked?.ipv6.before.held, tracked?.ipv6.after.held].map((held) => held === true);
};

describe('track: a witness', () => {
  const rows: readonly (readonly [sentence: string, kernel: Kernel, held: readonly boolean[]])[] = [
    ['that records both families is alive before and after, in both', { families: ['ipv4', 'ipv6'] }, [true, true, true, true]],
    ['that records IPv4 alone is no witness of IPv6', { families: ['ipv4'] }, [true, true, false, false]],
    ['that records nothing is none', { families: [] }, [false, false, false, false]],
    ['that records no more at the end was not alive after', { families: ['ipv4', 'ipv6'], forgetsAfter: 1 }, [true, false, true, false]],
    ['that is busy, and late with its own datagram, is alive', { families: ['ipv4', 'ipv6'], lateBy: 2 }, [true, true, true, true]],
    ['that cannot be read is none', { families: ['ipv4', 'ipv6'], fails: { operation: 'exchange', cause: 'no root' } }, [false, false, false, false]],
  ];
  for (const [sentence, kernel, held] of rows) it(sentence, async () => expect(await alive(kernel)).to.deep.equal(held));

  it('names its four controls, each by an id of its own', async () => {
    const tracked = (await watch({ families: ['ipv4'] })).get('ntp');
    expect([tracked?.ipv4.before.id, tracked?.ipv4.after.id, tracked?.ipv6.before.id, tracked?.ipv6.after.id]).to.deep.equal(['witness ntp ipv4 before', 'witness ntp ipv4 after', 'witness ntp ipv6 before', 'witness ntp ipv6 after']);
  });
  it('says why it is none', async () => expect((await watch({ families: [], fails: { operation: 'exchange', cause: 'no root' } })).get('ntp')?.ipv4.before.detail).to.equal('ntp: no root'));
  it('keeps what was there before apart from what came later', async () => {
    const tracked = (await watch({ families: ['ipv4'], extra: ['ipv4 2 udp 17 9 src=172.22.22.2 dst=172.22.22.3 sport=1 dport=2'] })).get('ntp');
    expect(tracked?.first.rows.some((line) => line.includes('172.22.22.2'))).to.equal(true);
    expect(tracked?.later.at(-1)?.rows.length).to.be.greaterThan(tracked?.first.rows.length ?? 0);
  });
  it('is kept of each table in between what is new in it', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const tracking = await startTracking({ ...discovery, witnesses: ['ntp'] }, new Map([['ntp', vantage({ families: ['ipv4'], extra: ['ipv4 2 udp 17 9 src=172.22.22.2 dst=172.22.22.3 sport=1 dport=2'] })]]));
    for (let reading = 0; reading < 3; reading += 1) {
      mock.timers.tick(5_000);
      await settled();
    }
    mock.timers.reset();
    const { first, later = [] } = (await tracking.finish()).get('ntp') ?? {};
    expect(first?.rows).to.have.length.greaterThan(1);
    // Those that were there are told once more: they have not been set back since. The last is the whole table.
    expect(later.map(({ rows: kept }) => kept.length)).to.deep.equal([first?.rows.length, 0, 0, (first?.rows.length ?? 0) * 2 - 1]);
  });
  it('is read a few at once, and none waits for its turn for ever', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    let [reading, most] = [0, 0];
    const hosts = Array.from({ length: 12 }, (_none, index) => `vm${index}`);
    const slow = vantage({ families: ['ipv4', 'ipv6'] });
    let isWatching = false;
    const stuck: Vantage = { ...slow, conntrack: (sources) => {
      if (!isWatching) return slow.conntrack(sources);
      most = Math.max(most, (reading += 1));
      return new Promise(() => undefined);
    } };
    await startTracking({ ...discovery, witnesses: hosts }, new Map(hosts.map((host) => [host, stuck])));
    isWatching = true;
    mock.timers.tick(5_000);
    await settled();
    expect(most).to.equal(4);
    mock.timers.tick(5_000);
    await settled();
    mock.timers.reset();
    expect(most).to.equal(12);
  });
  it('tells when each table was read, also around one that could not be, and how long it keeps a datagram', async () => {
    mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000 });
    const kernel = vantage({ families: ['ipv4', 'ipv6'] });
    let reads = 0;
    const takesLong: Vantage = { ...kernel, conntrack: async (sources) => {
      reads += 1;
      if (reads === 1) return kernel.conntrack(sources);
      if (reads === 2) return { operation: 'exchange', cause: 'the table is not there' };
      mock.timers.setTime(Date.now() + 700);
      return kernel.conntrack(sources);
    } };
    const tracking = await startTracking({ ...discovery, witnesses: ['ntp'] }, new Map([['ntp', takesLong]]));
    for (let reading = 0; reading < 2; reading += 1) {
      mock.timers.tick(5_000);
      await settled();
    }
    const { first, later = [], keepsMs } = (await tracking.finish()).get('ntp') ?? {};
    mock.timers.reset();
    expect([first, ...later].map((reading) => [reading?.atMs, reading?.endMs])).to.deep.equal([[1_000, 1_000], [11_000, 11_700], [11_700, 12_400]]);
    expect(keepsMs).to.equal(29_000);
  });
  it('tells how much a full table has cost', async () => {
    const { first, later = [] } = (await watch({ families: ['ipv4'], dropped: 12 })).get('ntp') ?? {};
    expect([first?.dropped, later.at(-1)?.dropped]).to.deep.equal([12, 12]);
  });
  it('can be read before the end, and is watched on', async () => {
    const tracking = await startTracking({ ...discovery, witnesses: ['ntp'] }, new Map([['ntp', vantage({ families: ['ipv4', 'ipv6'] })]]));
    const [early, late] = [await tracking.read(), await tracking.finish()];
    expect([early.get('ntp')?.ipv4.after.held, late.get('ntp')?.ipv4.after.held]).to.deep.equal([true, true]);
  });
  it('without a vantage is not there', async () => expect((await (await startTracking({ ...discovery, witnesses: ['ntp'] }, new Map())).finish()).size).to.equal(0));
});
