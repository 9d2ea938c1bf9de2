// The bound on packets, with real probers and a real kernel: what leaves the machine, by its own firewall's count.
import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { expect } from 'chai';
import { bootCommand } from '../../lib/boot.ts';
import type { Exchange } from '../../lib/model.ts';
import { kindOf, packetTimes, slotMsOf, sparing, spread } from '../../lib/pace.ts';
import { paced } from '../../lib/paced.ts';
import { openVantage, type Vantage } from '../../lib/vantage.ts';
import { appletsFor, near, putUp, run, takeDown } from './bench.ts';
import { hello } from './suites.ts';

const rate = 40;
const silent: Exchange = { transport: 'tcp', address: '198.18.0.2', port: 7103, sourcePort: 0, send: '', attempts: 3, intervalMs: 150, windowMs: 900 };
const looks: readonly Exchange[] = Array.from({ length: 40 }, (_none, index) => (index % 2 === 0 ? silent : { ...silent, transport: 'udp', send: hello }));

async function vantageOf(kind: Vantage['kind']): Promise<Vantage> {
  const path = kind === 'python' ? '/usr/bin:/bin' : appletsFor('ash');
  const child = spawn('ip', ['netns', 'exec', near, '/usr/bin/env', `PATH=${path}`, kind === 'python' ? '/bin/sh' : `${path}/sh`, '-c', bootCommand('pace')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const vantage = await openVantage(Duplex.from({ writable: child.stdin, readable: child.stdout }), 'pace');
  if ('cause' in vantage) throw new Error(vantage.cause);
  expect(vantage.kind).to.equal(kind);
  return vantage;
}

const sentBy = (): number => Number(/counter packets (\d+)/.exec(run(near, 'nft list chain inet pace out'))?.[1]);

describe('a vantage with a rate', function () {
  this.timeout(120_000);
  before(putUp);
  after(takeDown);
  for (const kind of ['python', 'sh'] as const)
    it(`sends no more packets than were reckoned, and no faster, by ${kind}`, async () => {
      for (const rule of ['add table inet pace', 'add chain inet pace out { type filter hook postrouting priority 10 ; }', 'flush chain inet pace out', 'add rule inet pace out th dport 7103 counter']) run(near, `nft ${rule}`);
      const vantage = await vantageOf(kind);
      // On a busy machine a look takes longer than it should, and the kernel repeats a SYN meanwhile: what it really took counts.
      let most = 0;
      const timed: Vantage = {
        ...vantage,
        exchange: async (look) => {
          const begun = Date.now();
          const looked = await vantage.exchange(look);
          most += packetTimes({ ...look, windowMs: Date.now() - begun }, kindOf(kind, look)).length;
          return looked;
        },
      };
      const slow = paced(timed, { operation: 'facts', cause: 'not asked' }, rate);
      const begun = Date.now();
      const seen = await Promise.all(looks.map((look) => slow.exchange(look)));
      const tookMs = Date.now() - begun;
      vantage.close();
      expect(seen.map(({ failure }) => failure)).to.deep.equal(looks.map(() => null));
      const least = seen.flatMap(({ replies }) => replies.filter(({ event }) => event === 'sent')).length;
      expect(sentBy()).to.be.within(least, most);
      const slots = looks.map((look) => (kind === 'sh' ? sparing(look) : look)).flatMap((look) => spread(look, kindOf(kind, look), slotMsOf(rate)).slots);
      expect(tookMs).to.be.at.least((slots.length - 1) * slotMsOf(rate));
    });
});
