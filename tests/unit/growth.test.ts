// What the soak calls growth: the last tenth of the runs against the first, beyond a noise that each measure has.
import { expect } from 'chai';
import { growths, median } from '../lab/growth.ts';

const runs = (name: string, values: readonly number[]): readonly Readonly<Record<string, number>>[] => values.map((value) => ({ [name]: value }));
const twenty = (of: (run: number) => number): readonly number[] => Array.from({ length: 20 }, (_none, run) => of(run));

describe('growth', () => {
  const rows: readonly (readonly [sentence: string, name: string, values: readonly number[], grows: boolean])[] = [
    ['a process more every ten runs grows', 'mesh: processes', twenty((run) => 7 + Math.floor(run / 10)), true],
    ['a process more in one run alone does not', 'mesh: processes', twenty((run) => (run === 12 ? 8 : 7)), false],
    ['fewer processes than at first do not', 'mesh: processes', twenty((run) => 27 - run), false],
    ['memory that grows by four megabytes a run grows', 'memory (MB)', twenty((run) => 180 + 4 * run), true],
    ['memory that goes up and down does not', 'memory (MB)', twenty((run) => 180 + (run % 3) * 8), false],
    ['a run that takes twice the time at the end grows', 'time (s)', twenty((run) => 12 + run), true],
    ['a slow run in the middle does not', 'time (s)', twenty((run) => (run === 10 ? 60 : 12)), false],
    ['a descriptor a run grows', 'descriptors', twenty((run) => 30 + run), true],
    ['one run alone cannot grow', 'mesh: processes', [7], false],
    ['of three runs the last may take its time: the machine may have other work', 'time (s)', [18, 15, 32], false],
    ['of three runs the last may have more memory: so may V8', 'memory (MB)', [350, 294, 462], false],
    ['of three runs the last may have been met while node opened its modules', 'descriptors', [51, 42, 92], false],
    ['of two runs the second may not have more', 'mesh: files in /tmp', [0, 1], true],
  ];
  for (const [sentence, name, values, grows] of rows) it(sentence, () => expect(growths(runs(name, values)).map((one) => one.name)).to.deep.equal(grows ? [name] : []));

  it('is told with both medians', () => expect(growths(runs('mesh: processes', [7, 9]))).to.deep.equal([{ name: 'mesh: processes', first: 7, last: 9, allowed: 7 }]));
  it('takes the middle, or the mean of the two', () => expect([median([3, 1, 2]), median([4, 1, 2, 3])]).to.deep.equal([2, 2.5]));
});
