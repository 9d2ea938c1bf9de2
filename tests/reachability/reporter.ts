// mocha's voice during the reachability run: quiet, since the run record is told by lib/reports/console.ts. Only what is
// in no record is said here: a test that failed outside the plan.
import Mocha from 'mocha';
import { printable } from '../../lib/reports/console.ts';

const { EVENT_RUN_END, EVENT_TEST_FAIL, EVENT_TEST_PASS } = Mocha.Runner.constants;

/** What came of a test's cells. */
export type Cells = Readonly<{ passed: number; waived: number; failed: number }>;

const cellsOf = (test: Mocha.Runnable): Cells | undefined => ('cells' in test ? (test.cells as Cells) : undefined);

export default class Quiet extends Mocha.reporters.Base {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.on(EVENT_TEST_FAIL, (test, error: Error) => {
      if (test.type !== 'test' || test.parent?.root !== true) process.stdout.write(`${`${test.fullTitle()}: ${error.message}`.split('\n').map(printable).join('\n')}\n`);
    });
    // A test that says nothing of cells counts for itself.
    const sums = { passed: 0, waived: 0, failed: 0 };
    const add = ({ passed, waived, failed }: Cells): void => void Object.assign(sums, { passed: sums.passed + passed, waived: sums.waived + waived, failed: sums.failed + failed });
    runner.on(EVENT_TEST_PASS, (test) => add(cellsOf(test) ?? { passed: 1, waived: 0, failed: 0 }));
    runner.on(EVENT_TEST_FAIL, (test) => add(cellsOf(test) ?? { passed: 0, waived: 0, failed: 1 }));
    runner.once(EVENT_RUN_END, () => {
      const { passed, waived, failed } = sums;
      process.stdout.write(`${passed} passed, ${waived === 0 ? '' : `${waived} waived, `}${failed} failed\n`);
    });
  }
}
