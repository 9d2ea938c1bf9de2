// What is asked of a sweep, and a sweep's folder: whatever is wrong is said before anything is sent.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Pair, UnitResult } from '../../../lib/model.ts';
import { beginProgress, noteResult, planHash, readProgress, type Of } from '../../../lib/sweep/folder.ts';
import { askedFor, UsageError } from '../../../lib/sweep/options.ts';

describe('sweep: the arguments', () => {
  it('are all that there is, at a careful rate, unless they say otherwise', () =>
    expect(askedFor([], undefined)).to.deep.equal({ from: [], to: [], transports: ['tcp', 'udp'], ports: [1, 65_535], rate: 1_000, phase: 'steady', resume: null }));
  it('name what is asked for', () =>
    expect(askedFor('--from joi --from ntp --to mesh --transport udp --ports 5-9 --rate 50 --phase setup --resume reports/x'.split(' '), 'steady')).to.deep.equal({ from: ['joi', 'ntp'], to: ['mesh'], transports: ['udp'], ports: [5, 9], rate: 50, phase: 'setup', resume: 'reports/x' }));
  it('go before the environment', () => expect([askedFor([], 'setup').phase, askedFor(['--phase', 'steady'], 'setup').phase]).to.deep.equal(['setup', 'steady']));
  const wrong: readonly (readonly [string, string])[] = [
    ['--rate 0', '--rate is "0"'], ['--rate -1', '--rate'], ['--rate 1e3', '--rate is "1e3"'], ['--rate 100000', '--rate is "100000"'], ['--ports 9-8', '--ports is "9-8"'], ['--ports 0-8', '--ports is "0-8"'], ['--ports 1-65536', '--ports is "1-65536"'], ['--ports 22', '--ports is "22"'],
    ['--transport sctp', '--transport is "sctp"; it can be tcp, udp or both'], ['--transport constructor', '--transport is "constructor"'], ['--phase x', 'the phase is "x"'], ['--fast', '--fast'], ['joi', 'joi'],
  ];
  for (const [words, sentence] of wrong) it(`are wrong: ${words}`, () => expect(() => askedFor(words.split(' '), undefined)).to.throw(UsageError, sentence));
  it('are wrong where the environment is', () => expect(() => askedFor([], 'x')).to.throw(UsageError, 'the phase is "x"'));
});

describe('sweep: a folder', () => {
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'flowproof-sweep-'))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const startedAt = new Date().toISOString();
  const unit: UnitResult = { pair: 'joi -> ntp vmbr1 tcp', first: 1, last: 9, passed: { proven: 8 }, open: [], red: [{ port: 4, result: 'fail', reason: 'reached' }], more: 0, told: [], packets: 27, ms: 5, bounds: { joi: { conntrack: { most: 5, of: 9 } } } };
  const untold: UnitResult = { ...unit, first: 10, last: 19, red: [{ port: 10, result: 'inconclusive', reason: 'who knows' }] };

  it('is gone on with as it was left, but for what could not be told', () => {
    beginProgress(folder, 'abc', startedAt);
    for (const one of [unit, untold]) noteResult(folder, one);
    expect(readProgress(folder)).to.deep.equal({ plan: 'abc', startedAt: startedAt, results: [unit] });
  });
  it('has no result of a unit whose line was cut off', () => {
    beginProgress(folder, 'abc', startedAt);
    appendFileSync(join(folder, 'sweep.jsonl'), JSON.stringify(unit).slice(0, 40));
    expect(readProgress(folder).results).to.deep.equal([]);
  });
  it('of an older sweep, which told less, is read', () => {
    const { told: _told, bounds: _bounds, ...older } = unit;
    beginProgress(folder, 'abc', startedAt);
    appendFileSync(join(folder, 'sweep.jsonl'), `${JSON.stringify(older)}\n`);
    expect(readProgress(folder).results).to.deep.equal([{ ...unit, bounds: {} }]);
  });
  it('with a line that is none of a sweep is said, with its place', () => {
    writeFileSync(join(folder, 'sweep.jsonl'), `{"schema":1,"plan":"abc","startedAt":"${startedAt}"}\n{"pair":7}\n`);
    expect(() => readProgress(folder)).to.throw(UsageError, 'sweep.jsonl, line 2: no line of a sweep');
  });
  it('of yesterday is not gone on with', () => {
    beginProgress(folder, 'abc', '2026-11-29T10:00:00.000Z');
    expect(readProgress(folder, new Date('2026-11-30T09:59:59.000Z')).startedAt).to.equal('2026-11-29T10:00:00.000Z');
    expect(() => readProgress(folder, new Date('2026-11-30T10:00:00.000Z'))).to.throw(UsageError, 'was begun at 2026-11-29T10:00:00.000Z, more than 24 hours ago');
    beginProgress(folder, 'abc', 'then');
    expect(() => readProgress(folder)).to.throw(UsageError, 'was begun at then');
  });
  it('that is not there is said', () => expect(() => readProgress('/nowhere')).to.throw('/nowhere/sweep.jsonl'));

  const of: Of = { inventory: '{}', phase: 'steady', rate: 1_000, ports: [1, 9], pairs: [{ id: 'a', address: '10.0.0.1', named: null } as Pair] };
  const others: readonly (readonly [string, Partial<Of>])[] = [
    ['inventory', { inventory: '{ }' }], ['phase', { phase: 'setup' }], ['rate', { rate: 999 }], ['range', { ports: [1, 10] }], ['pair', { pairs: [{ id: 'b', address: '10.0.0.1', named: null } as Pair] }], ['address', { pairs: [{ id: 'a', address: '10.0.0.2', named: null } as Pair] }], ['list of ports', { pairs: [{ id: 'a', address: '10.0.0.1', named: [53] } as unknown as Pair] }],
  ];
  for (const [what, over] of others) it(`of another ${what} is of another sweep`, () => expect(planHash({ ...of, ...over })).to.not.equal(planHash(of)));
});
