/**
 * Mocha's readable report, which beside it leaves the counts of the run where scripts/ci.ts adds them up, and names the
 * suites that take most of the time.
 */
import Mocha from 'mocha';
import { appendFileSync } from 'node:fs';
import { COUNTS_VARIABLE } from './ci-counts.ts';

class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const file = process.env[COUNTS_VARIABLE];
    if (file === undefined) throw new Error(`${COUNTS_VARIABLE} must name the file for the counts`);
    const slow = timed(runner);
    runner.once('end', () => {
      for (const line of slow()) console.log(line);
      const { passes, failures } = this.stats;
      appendFileSync(file, `${JSON.stringify({ passed: passes, failed: failures })}\n`);
    });
  }
}

const SLOW = { shown: 12, seconds: 10 } as const;

/** Gives the slowest suites of the top level, with their hooks, once the run is over. */
function timed(runner: Mocha.Runner): () => readonly string[] {
  const started = new Map<Mocha.Suite, number>();
  const took: { readonly title: string; readonly seconds: number }[] = [];
  runner.on('suite', (suite) => void started.set(suite, performance.now()));
  runner.on('suite end', (suite) => {
    const startMs = started.get(suite);
    if (startMs === undefined || suite.parent?.root !== true) return;
    took.push({ title: suite.title, seconds: Math.round((performance.now() - startMs) / 1000) });
  });
  return () =>
    took
      .filter(({ seconds }) => seconds >= SLOW.seconds)
      .toSorted((left, right) => right.seconds - left.seconds)
      .slice(0, SLOW.shown)
      .map(({ title, seconds }) => `${String(seconds).padStart(6)} s  ${title}`);
}

// oxlint-disable-next-line import/no-default-export -- mocha takes a reporter from the default export
export default CountingReporter;
