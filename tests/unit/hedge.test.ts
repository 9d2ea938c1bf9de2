// Fresh tries until one stands: the first that comes up is taken, a final no ends them, and what comes late is let go.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { hedged } from '../../lib/hedge.ts';

/** What each try comes to, and after how many ms. */
type Fate = Readonly<{ afterMs: number; up?: string; error?: string }>;

async function hedge(fates: readonly Fate[]): Promise<Readonly<{ came: string; begun: number; dropped: readonly string[]; tookMs: number }>> {
  const dropped: string[] = [];
  let begun = 0;
  const began = Date.now();
  const attempt = async (): Promise<string> => {
    const { afterMs, up, error } = fates[begun++] ?? { afterMs: 10_000 };
    await sleep(afterMs, null, { ref: false });
    if (up === undefined) throw new Error(error ?? 'timed out');
    return up;
  };
  const came = await hedged(attempt, { tries: 4, everyMs: 30, isFinal: ({ message }) => message === 'refused', drop: (surplus) => void dropped.push(surplus) }).catch(({ message }: Error) => message);
  const tookMs = Date.now() - began;
  await sleep(100);
  return { came, begun, dropped, tookMs };
}

const never: Fate = { afterMs: 10_000 };

describe('hedge', () => {
  it('takes the first try, and begins no other', async () => expect(await hedge([{ afterMs: 1, up: 'a' }])).to.include({ came: 'a', begun: 1 }));
  it('begins another where the first says nothing', async () => expect(await hedge([never, never, { afterMs: 1, up: 'c' }])).to.include({ came: 'c', begun: 3 }));
  it('lets go of what comes up after another was taken', async () => expect(await hedge([{ afterMs: 60, up: 'late' }, { afterMs: 1, up: 'b' }])).to.deep.include({ came: 'b', dropped: ['late'] }));
  it('ends at once where the far end says no', async () => expect(await hedge([{ afterMs: 1, error: 'refused' }])).to.include({ came: 'refused', begun: 1 }));
  it('goes on after an error that may pass', async () => expect(await hedge([{ afterMs: 1, error: 'no route' }, { afterMs: 1, up: 'b' }])).to.include({ came: 'b', begun: 2 }));
  it('says the last error when all tries are spent', async () => expect(await hedge([never, never, { afterMs: 1, error: 'no route' }, never])).to.include({ came: 'no route', begun: 4 }));
  it('is timed out one interval after the last try', async () => {
    const { came, begun, tookMs } = await hedge([never, never, never, never]);
    expect([came, begun]).to.deep.equal(['timed out', 4]);
    expect(tookMs).to.be.within(110, 300);
  });
});
