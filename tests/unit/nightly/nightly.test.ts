// A night held against the one before: the cells that changed, the one line, the exit code, and what is kept.
import { expect } from 'chai';
import { toPrune } from '../../../lib/nightly/prune.ts';
import { readNight, since, type Night, type Since } from '../../../lib/nightly/since.ts';
import { summaryOf, type Nightly } from '../../../lib/nightly/summary.ts';

type Cells = Readonly<Record<string, 'proven' | 'inferred' | 'fail' | 'inconclusive' | 'waived'>>;

/** As evidence.json has it. */
const evidence = (cells: Cells): string =>
  JSON.stringify({
    schema: 1, run: { id: 'r' },
    flows: Object.entries(cells).map(([id, is]) => ({ id, verdict: is === 'proven' || is === 'inferred' ? 'pass' : is === 'waived' ? 'fail' : is, grade: is === 'proven' || is === 'inferred' ? is : null, waiver: is === 'waived' ? { reason: 'accepted' } : null })),
  });
const night = (cells: Cells): Night => readNight(evidence(cells));
const same: Since = { red: [], mended: [], weaker: [], gone: [], fresh: [] };

describe('nightly: since last night', () => {
  const rows: readonly (readonly [sentence: string, before: Cells, now: Cells, changed: Partial<Since>])[] = [
    ['nothing has changed', { a: 'proven', b: 'fail' }, { a: 'proven', b: 'fail' }, {}],
    ['a cell turned red', { a: 'proven' }, { a: 'fail' }, { red: ['a'] }],
    ['a cell can be told no longer', { a: 'inferred' }, { a: 'inconclusive' }, { red: ['a'] }],
    ['a cell that could not be told fails', { a: 'inconclusive' }, { a: 'fail' }, {}],
    ['a cell was mended', { a: 'fail' }, { a: 'inferred' }, { mended: ['a'] }],
    ['a cell is proven less well', { a: 'proven' }, { a: 'inferred' }, { weaker: ['a'] }],
    ['a cell is proven better', { a: 'inferred' }, { a: 'proven' }, {}],
    ['a cell is gone', { a: 'proven', b: 'proven' }, { a: 'proven' }, { gone: ['b'] }],
    ['a cell is new', { a: 'proven' }, { a: 'proven', b: 'proven' }, { fresh: ['b'] }],
    ['a cell is new and red', { a: 'proven' }, { a: 'proven', b: 'fail' }, { fresh: ['b'], red: ['b'] }],
    ['a violation was accepted', { a: 'fail' }, { a: 'waived' }, { mended: ['a'] }],
    ['a waiver has ended', { a: 'waived' }, { a: 'fail' }, { red: ['a'] }],
  ];
  for (const [sentence, before, now, changed] of rows) it(sentence, () => expect(since(night(before), night(now))).to.deep.equal({ ...same, ...changed }));
});

describe('nightly: an evidence.json that is none', () => {
  const whole = evidence({ a: 'proven', b: 'proven' });
  const rows: readonly (readonly [what: string, text: string, error: RegExp])[] = [
    ['is empty', '', /JSON/],
    ['was cut in half', whole.slice(0, whole.length / 2), /JSON/],
    ['is of another schema', whole.replace('"schema":1', '"schema":2'), /schema is 2/],
    ['has no flows', '{"schema":1,"run":{}}', /no list of flows/],
    ['has not one flow', '{"schema":1,"run":{},"flows":[]}', /not one flow/],
    ['has a flow without a verdict', whole.replace('"pass"', '"fine"'), /flows\[0\]/],
    ['has a flow that is none', '{"schema":1,"run":{},"flows":[null]}', /flows\[0\] is no object/],
  ];
  for (const [what, text, error] of rows) it(what, () => expect(() => readNight(text)).to.throw(error));
  it('may tell why there was no run', () => expect(readNight('{"schema":1,"run":{"fault":"no inventory"},"flows":[]}').fault).to.equal('no inventory'));
});

describe('nightly: the line and the exit code', () => {
  const green = night({ a: 'proven', b: 'inferred' });
  const all: Nightly = { exitCode: 0, tonight: { folder: 'reports/x', night: green }, lastNight: { name: 'yesterday', night: green }, faults: [] };
  const rows: readonly (readonly [sentence: string, nightly: Nightly, line: string, exitCode: number])[] = [
    ['a night like the last', all, 'nightly: ok: 2 cells, none red; since yesterday: no change; report: reports/x', 0],
    ['the first night', { ...all, lastNight: null }, 'nightly: ok: 2 cells, none red; no night before to compare with; report: reports/x', 0],
    ['a red cell', { ...all, exitCode: 1, tonight: { folder: 'f', night: night({ a: 'proven', b: 'fail' }) } }, 'nightly: FAIL: 1 of 2 cells red; since yesterday: 1 turned red (b); report: f', 1],
    ['a red cell that the run did not fail for', { ...all, tonight: { folder: 'f', night: night({ a: 'proven', b: 'fail' }) } }, 'nightly: FAIL: 1 of 2 cells red; since yesterday: 1 turned red (b); report: f', 1],
    ['a run that failed with no cell red', { ...all, exitCode: 7 }, 'nightly: FAIL: 2 cells, none red; exit code 7; since yesterday: no change; report: reports/x', 1],
    ['a waived cell', { ...all, tonight: { folder: 'f', night: night({ a: 'proven', b: 'waived' }) } }, 'nightly: ok: 2 cells, none red; since yesterday: no change; report: f', 0],
    ['a run that left no report', { ...all, exitCode: 1, tonight: null }, 'nightly: FAIL: the run left no report (exit code 1)', 1],
    ['a run that left no report and says all is well', { ...all, tonight: null }, 'nightly: FAIL: the run left no report (exit code 0)', 1],
    ['a run that did not start', { ...all, tonight: { folder: 'f', night: { cells: new Map(), fault: 'no inventory\nat all' } } }, 'nightly: FAIL: the run did not start: no inventory; report: f', 1],
    ['evidence of tonight that cannot be read', { ...all, tonight: { folder: 'f', unread: 'cut off' } }, "nightly: FAIL: tonight's evidence.json cannot be read: cut off; report: f", 1],
    ['evidence of last night that cannot be read', { ...all, lastNight: { name: 'y', unread: 'cut off' } }, "nightly: FAIL: 2 cells, none red; last night's evidence.json (y) cannot be read: cut off; it was left as it is; report: reports/x", 1],
    ['an old report that stays', { ...all, faults: ['an old report could not be removed: EACCES'] }, 'nightly: FAIL: 2 cells, none red; since yesterday: no change; an old report could not be removed: EACCES; report: reports/x', 1],
    ['six that turned red', { ...all, lastNight: { name: 'y', night: night({ a: 'proven' }) }, tonight: { folder: 'f', night: night({ a: 'fail', b: 'fail', c: 'fail', d: 'fail', e: 'fail', g: 'fail' }) } },
      'nightly: FAIL: 6 of 6 cells red; since y: 6 turned red (a, b, c, d, e, …), 5 new in the plan (b, c, d, e, g); report: f', 1],
    ['a cell with a hostile name', { ...all, tonight: { folder: 'f', night: night({ a: 'proven', b: 'proven', '\u001B[2J': 'proven' }) } }, 'nightly: ok: 3 cells, none red; since yesterday: 1 new in the plan (\uFFFD[2J); report: f', 0],
  ];
  for (const [sentence, nightly, line, exitCode] of rows) it(sentence, () => expect(summaryOf(nightly)).to.deep.equal({ line, exitCode }));
});

describe('nightly: what is kept', () => {
  const run = (day: number): string => `2026-11-0${day}T02-17-00-000Z`;
  const days = [3, 1, 4, 2].map(run);
  it('are the newest', () => expect(toPrune(days, 2, [])).to.deep.equal([run(1), run(2)]));
  it('is all where there are fewer', () => expect(toPrune(days, 9, [])).to.deep.equal([]));
  it('is what a link leads to', () => expect(toPrune(days, 2, [run(1), null])).to.deep.equal([run(2)]));
  it('is everything that is no run', () => expect(toPrune(['latest', '.gitkeep', 'mutation.json', '2026', `${run(1)}.part`, '..', `x${run(1)}`], 1, [])).to.deep.equal([]));
});
