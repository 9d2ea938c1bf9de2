// Where a run's time goes: each step from the end of the one before.
import { expect } from 'chai';
import { makeSteps } from '../../lib/steps.ts';

it('the steps of a run follow each other, the first from the start of the process', () => {
  const at = [400.4, 1_000, 3_500.6];
  const steps = makeSteps(() => at.shift() ?? 0);
  for (const name of ['start', 'enter', 'look']) steps.end(name);
  expect(steps.taken()).to.deep.equal([{ name: 'start', ms: 400 }, { name: 'enter', ms: 600 }, { name: 'look', ms: 2_501 }]);
  expect(steps.taken()).to.deep.equal([]);
});
