// ntp-client through a vantage that answers when it likes, and what it likes.
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import type { Exchange } from '../../lib/model.ts';
import { askThroughRelay } from '../../lib/relay.ts';
import { good } from '../fixtures/protocols.ts';
import { mute } from '../fixtures/vantage.ts';

const exchange: Exchange = { transport: 'udp', address: '172.22.22.3', port: 123, sourcePort: 0, send: '', attempts: 1, intervalMs: 10, windowMs: 100 };

async function said(hex: string | null, afterMs = 0): Promise<string> {
  const answer = async (): Promise<{ replies: { event: 'data'; try: number; hex: string; ms: null; from: null }[]; failure: null }> => {
    await wait(afterMs);
    return { replies: hex === null ? [] : [{ event: 'data', try: 1, hex, ms: null, from: null }], failure: null };
  };
  return askThroughRelay({ ...mute, exchange: answer }, exchange);
}

describe('relay', () => {
  it('tells the time that a server gives', async () => expect(await said(good('ntp').reply.toString('hex'))).to.match(/^ntp-client: \d{4}-/));
  it('tells that none came', async () => expect(await said(null)).to.equal('ntp-client: Timeout waiting for NTP response.'));
  for (const hex of ['', '00', 'ff'.repeat(2048)]) it(`takes ${hex.length / 2} bytes of anything for what it will`, async () => expect(await said(hex)).to.match(/^ntp-client: /));
  it('lets an answer go that comes when nobody waits any more', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    expect(await said('00'.repeat(48), 200)).to.match(/Timeout/);
    await wait(200);
    process.off('unhandledRejection', note);
    expect(unhandled).to.deep.equal([]);
  });
});
