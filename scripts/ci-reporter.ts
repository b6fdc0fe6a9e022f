/** Mocha's readable report, which beside it leaves the counts of the run where scripts/ci.ts adds them up. */
import Mocha from 'mocha';
import { appendFileSync } from 'node:fs';
import { COUNTS_VARIABLE } from './ci-counts.ts';

class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const file = process.env[COUNTS_VARIABLE];
    if (file === undefined) throw new Error(`${COUNTS_VARIABLE} must name the file for the counts`);
    runner.once('end', () => {
      const { passes, failures } = this.stats;
      appendFileSync(file, `${JSON.stringify({ passed: passes, failed: failures })}\n`);
    });
  }
}

// oxlint-disable-next-line import/no-default-export -- mocha takes a reporter from the default export
export default CountingReporter;
