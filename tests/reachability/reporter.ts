// mocha's voice during the reachability run: quiet, since the run record is told by lib/reports/console.ts. Only what is
// in no record is said here: a test that failed outside the plan.
import Mocha from 'mocha';
import { printable } from '../../lib/reports/console.ts';

const { EVENT_RUN_END, EVENT_TEST_FAIL, EVENT_TEST_PASS } = Mocha.Runner.constants;

export default class Quiet extends Mocha.reporters.Base {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.on(EVENT_TEST_FAIL, (test, error: Error) => {
      if (test.type !== 'test' || test.parent?.root !== true) process.stdout.write(`${`${test.fullTitle()}: ${error.message}`.split('\n').map(printable).join('\n')}\n`);
    });
    let waived = 0;
    runner.on(EVENT_TEST_PASS, (test) => {
      if ('waived' in test) waived += 1;
    });
    runner.once(EVENT_RUN_END, () => {
      const { passes, failures } = this.stats;
      process.stdout.write(`${passes - waived} passed, ${waived === 0 ? '' : `${waived} waived, `}${failures} failed\n`);
    });
  }
}
