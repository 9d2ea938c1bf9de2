// A spec reporter that also adds its counts to a file, so that verify's last line is a sum of what really ran, and the names of what failed.
import { appendFileSync } from 'node:fs';
import Mocha from 'mocha';

export default class Tally extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const file = process.env.FLOWPROOF_TALLY;
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      if (file !== undefined) appendFileSync(file, [`${this.stats.passes} ${this.stats.failures}`, ...this.failures.map((one) => `${one.fullTitle()}: ${one.err?.message ?? ''}`.replaceAll(/\s+/g, ' ')), ''].join('\n'));
    });
  }
}
