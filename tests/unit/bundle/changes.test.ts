// What changed from one run to another, by name and in words.
import { expect } from 'chai';
import { changeLines, changesOf, type CellState } from '../../../lib/changes.ts';

const cell = (id: string, over: Partial<CellState> = {}): CellState => ({ id, expected: 'denied', verdict: 'pass', grade: 'proven', seen: 'silent', reason: 'silent', waived: false, ...over });
const linesOf = (before: readonly CellState[], after: readonly CellState[]): readonly string[] => changeLines(changesOf(before, after));

describe('changesOf', () => {
  it('finds none where only the reason has other numbers', () => expect(changesOf([cell('a'), cell('b')], [cell('b', { reason: 'silent for 701 ms' }), cell('a')])).to.deep.equal({ changed: [], fresh: [], gone: [] }));
  const steps: readonly (readonly [string, Partial<CellState>, string])[] = [
    ['a verdict', { verdict: 'fail', grade: null, seen: 'answered', reason: 'reached' }, 'a: pass (proven) -> fail, silent -> answered: reached'],
    ['a grade', { grade: 'inferred' }, 'a: pass (proven) -> pass (inferred): silent'],
    ['a waiver', { waived: true }, 'a: pass (proven) -> pass (proven) (waived): silent'],
    ['what was seen', { seen: 'refused', reason: 'refused by RST' }, 'a: silent -> refused: refused by RST'],
    ['what the matrix expects', { expected: 'allowed' }, 'a: denied -> allowed: silent'],
  ];
  for (const [what, over, line] of steps) it(`tells ${what} that changed`, () => expect(linesOf([cell('a'), cell('b')], [cell('a', over), cell('b')])).to.deep.equal([line]));
  it('tells cells that are new, and those that are no longer there', () =>
    expect(linesOf([cell('a'), cell('old', { verdict: 'inconclusive', grade: null })], [cell('new'), cell('a')])).to.deep.equal(['new: new, pass (proven): silent', 'old: no longer there, was inconclusive']));
});
