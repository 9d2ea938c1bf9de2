// What is left out of the readings of a witness: nothing that any verdict, or its reason, would be made from.
import { expect } from 'chai';
import fc from 'fast-check';
import { newsSince, parseEntries, type Reading } from '../../lib/conntrack.ts';
import { findingsOf } from '../../lib/findings.ts';
import type { Finding, Flow, Observation, Resets, Tracked } from '../../lib/model.ts';
import { held } from '../fixtures/flows.ts';
import { judgedRecord, short } from '../fixtures/judged.ts';
import { plan } from '../fixtures/site.ts';

const row = (source: string, port: number, { seconds = 29, state = 'SYN_SENT', replied = false } = {}): string =>
  `ipv4     2 tcp      6 ${seconds} ${state} src=${source} dst=172.22.22.3 sport=${port} dport=9090 ${replied ? '' : '[UNREPLIED] '}src=172.22.22.3 dst=${source} sport=9090 dport=${port} mark=0 zone=0 use=2`;
const joi = '172.22.22.2';

describe('news of a table', () => {
  type Step = readonly [seconds: number, rows: readonly string[]];
  const told = (first: readonly string[], ...later: readonly Step[]): readonly (readonly string[])[] => {
    const news = newsSince({ atMs: 0, rows: first });
    return later.map(([seconds, rows]) => news({ atMs: seconds * 1000, rows }).rows);
  };
  const [fresh, older] = [row(joi, 40_001), row(joi, 40_001, { seconds: 24 })];
  it('are a row that was never met', () => expect(told([], [5, [fresh]])).to.deep.equal([[fresh]]));
  it('are none where it is met again, its timer counted down or set back', () => expect(told([], [5, [fresh]], [10, [older]], [15, [fresh]])).to.deep.equal([[fresh], [], []]));
  it('are the same entry in another state, and one that was answered', () => {
    const next = row(joi, 40_001, { state: 'ESTABLISHED', replied: true });
    expect(told([], [5, [fresh]], [10, [next]], [15, [next]])).to.deep.equal([[fresh], [next], []]);
  });
  it('are an entry from before whose timer was set back, once', () => expect(told([fresh], [5, [older]], [10, [fresh]], [15, [fresh]])).to.deep.equal([[older], [fresh], []]));
  it('are no rows that are no entries', () => expect(told([], [5, ['', 'noise', 'ipv4 2 tcp']])).to.deep.equal([[]]));
});

describe('findings', () => {
  const record = judgedRecord(plan({ inventory: short }));
  const { account, findings } = record;
  if (account === undefined) throw new Error('no account');
  const looks = [...record.controls, ...findings.flatMap(({ observation, walls }) => [observation, walls?.near.observation, walls?.far.observation])].flatMap((one) => one ?? []);
  // Few flows, each from its own address and port, so that the same entries are met again and again.
  const asked = findings.map(({ flow }) => flow).filter(({ from, to, network, transport, expected }) => from === 'joi' && ['mesh', 'ntp'].includes(to) && network === 'vmbr1' && transport === 'tcp' && expected === 'denied').slice(0, 5);
  /** Refused by a firewall, as the count of RSTs says: then an entry's state counts, too. */
  const refused = new Set(asked.slice(0, 3).map(({ id }) => id));
  const observations = new Map(looks.map((one): [string, Observation] => [one.id, refused.has(one.id) ? { ...one, outcome: { seen: 'refused', by: 'rst' } } : one]));
  const resets = new Map([...refused].map((id): [string, Resets] => [id, { id: 'resets', sent: false, counted: true, detail: 'none was sent' }]));
  const seenBy = (tracked: Tracked): readonly Finding[] => findingsOf({ ...account, phase: 'steady', observations, resets, tracked: new Map(account.discovery.witnesses.map((host) => [host, tracked])) });

  const lineOf = ({ address, port }: Flow, seconds: number, state: string, replied: boolean): string =>
    `ipv4 2 tcp 6 ${seconds} ${state} src=${joi} dst=${address} sport=40001 dport=${port} ${replied ? '' : '[UNREPLIED] '}src=${address} dst=${joi} sport=${port} dport=40001 use=2`;
  const rows = fc.array(fc.tuple(fc.constantFrom(...asked), fc.integer({ min: 0, max: 30 }), fc.constantFrom('SYN_SENT', 'ESTABLISHED'), fc.boolean()).map((fields) => lineOf(...fields)), { maxLength: 6 });
  const alive = { before: held('before'), after: held('after') };

  it('from news alone are those from whole readings, words and all', function () {
    this.timeout(0);
    let saw = 0;
    fc.assert(fc.property(rows, fc.array(fc.tuple(fc.integer({ min: 0, max: 9_000 }), rows), { minLength: 1, maxLength: 6 }), (before, steps) => {
      const first: Reading = { atMs: 0, rows: before };
      let atMs = 0;
      const later = steps.map(([ms, read]): Reading => ({ atMs: (atMs += ms), rows: read }));
      const news = newsSince(first);
      const lean = [...later.slice(0, -1).map(news), ...later.slice(-1)];
      const shown = { ipv4: alive, ipv6: alive, first };
      const whole = seenBy({ ...shown, later });
      saw += whole.filter(({ backing }) => backing.witnesses.some((witness) => witness.saw !== null)).length;
      expect(seenBy({ ...shown, later: lean })).to.deep.equal(whole);
      expect(parsedCount(lean)).to.be.at.most(parsedCount(later));
    }), { numRuns: 60 });
    expect(saw).to.be.greaterThan(40);
  });
  const parsedCount = (readings: readonly Reading[]): number => readings.flatMap(parseEntries).length;
});
