// What the runs under loss call wrong: a verdict against the truth, a cell lost or found, a grade with no cause.
import { expect } from 'chai';
import { compare, neverEntered, showsNothing } from '../lab/compare.ts';

const cell = (id: string, verdict: string, reason = '', grade: string | null = verdict === 'pass' ? 'proven' : null): Parameters<typeof compare>[0][number] => ({ id, from: 'joi', to: 'ntp', verdict, reason, grade });
const truth = [cell('open', 'fail', 'reached'), cell('shut', 'pass')];

describe('compare', () => {
  const rows: readonly (readonly [sentence: string, now: Parameters<typeof compare>[1], wrong: number, regraded: number, inconclusive: number, blind?: readonly string[]])[] = [
    ['the same verdicts are right, whatever their reasons', [cell('open', 'fail', 'reached: otherwise'), cell('shut', 'pass', 'silent')], 0, 0, 0],
    ['a pass where a fail is true is wrong', [cell('open', 'pass'), cell('shut', 'pass')], 1, 0, 0],
    ['a fail where a pass is true is wrong', [cell('open', 'fail'), cell('shut', 'fail')], 1, 0, 0],
    ['doubt is honest, on either side', [cell('open', 'inconclusive'), cell('shut', 'inconclusive')], 0, 0, 2],
    ['a cell that is not there any more is wrong', [cell('open', 'fail')], 1, 0, 0],
    ['a cell that is not there is doubt where its source was not entered', [cell('open', 'inconclusive')], 0, 0, 2, ['joi']],
    ['or its destination was not', [cell('open', 'fail')], 0, 0, 1, ['ntp']],
    ['and wrong where another was not', [cell('open', 'inconclusive')], 1, 0, 1, ['mesh']],
    ['a wrong verdict is wrong wherever nobody was', [cell('open', 'pass'), cell('shut', 'fail'), cell('new', 'pass')], 3, 0, 0, ['joi', 'ntp']],
    ['no cell at all is wrong', [], 2, 0, 0],
    ['a new cell that passes is wrong', [...truth, cell('new', 'pass')], 1, 0, 0],
    ['a new cell in doubt is doubt', [...truth, cell('new', 'inconclusive')], 0, 0, 1],
    ['another grade is wrong', [cell('open', 'fail'), cell('shut', 'pass', 'silent, and alive from elsewhere', 'inferred')], 0, 1, 0],
    ['another grade whose reason names the loss is right', [cell('open', 'fail'), cell('shut', 'pass', 'nor would there be one of a SYN whose RST was lost', 'inferred')], 0, 0, 0],
  ];
  for (const [sentence, now, wrong, regraded, inconclusive, blind] of rows)
    it(sentence, () => {
      const found = compare(truth, now, blind);
      expect([found.wrong.length, found.regraded.length, found.inconclusive.length]).to.deep.equal([wrong, regraded, inconclusive]);
    });
  it('calls a run that shows nothing one with more doubt than verdicts', () => {
    const doubt = (id: string): Parameters<typeof compare>[0][number] => cell(id, 'inconclusive');
    expect([truth, [doubt('open'), cell('shut', 'pass')], [doubt('open'), doubt('shut')]].map((now) => showsNothing(compare(truth, now)))).to.deep.equal([false, false, true]);
    expect(showsNothing(compare(truth, [doubt('open')], ['joi'])), 'what is not there is doubt as well').to.equal(true);
  });
  it('names the machines that no run entered, of two at least', () => {
    const [both, one] = [['joi', 'ntp'], ['ntp']].map((blind) => compare(truth, truth, blind)) as [ReturnType<typeof compare>, ReturnType<typeof compare>];
    expect([[both], [both, one], [one, both], [both, compare(truth, truth)]].map(neverEntered)).to.deep.equal([[], ['ntp'], ['ntp'], []]);
  });
  it('says which cell, what it is now and what is true', () => expect(compare(truth, [cell('open', 'pass', 'silent'), cell('shut', 'pass')]).wrong).to.deep.equal(['open: pass, is fail (silent)']));
});
