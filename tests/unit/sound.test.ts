// Round trips by readings that are made anyway: the longest counts, and who cannot tell is not measured.
import { expect } from 'chai';
import type { Failure } from '../../lib/model.ts';
import { startCounting } from '../../lib/resets.ts';
import { sounding } from '../../lib/sound.ts';
import { mute } from '../fixtures/vantage.ts';
import { failure } from '../fixtures/site.ts';

describe('sounding', () => {
  /** A host whose readings take so long each, by a clock of its own. */
  const host = (tookMs: readonly number[], count: number | Failure = 7): ReturnType<typeof sounding> => {
    let [nowMs, reading] = [1000, 0];
    const resets = (): Promise<number | Failure> => {
      nowMs += tookMs[reading++] ?? 0;
      return Promise.resolve(count);
    };
    return sounding(new Map([['ntp', { ...mute, resets }]]), () => nowMs);
  };

  it('takes the time of the first reading of the count of RSTs, and asks for none of its own', async () => {
    const { vantages, roundTrips } = host([12.3, 99]);
    await startCounting(vantages);
    expect([...roundTrips]).to.deep.equal([['ntp', 13]]);
  });
  it('takes the longest of several, never the shortest', async () => {
    const { vantages, roundTrips } = host([12, 40, 3]);
    for (let left = 3; left > 0; left -= 1) await vantages.get('ntp')?.resets();
    expect(roundTrips.get('ntp')).to.equal(40);
  });
  it('gives the reading as it came', async () => expect(await host([1]).vantages.get('ntp')?.resets()).to.equal(7));
  it('does not measure by a reading that failed, which may be over at once', async () => {
    const { vantages, roundTrips } = host([1], failure);
    expect(await vantages.get('ntp')?.resets()).to.equal(failure);
    expect([...roundTrips]).to.deep.equal([]);
  });
});
