/** How the results of all steps and suites become two numbers. */

/** Environment variable that names the file to which each run of mocha adds its counts, one line of JSON a run. */
export const COUNTS_VARIABLE = 'CI_TEST_COUNTS';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** A step of the build, and the counts of the suites that it ran. */
export interface StepResult {
  readonly name: string;
  readonly succeeded: boolean;
  readonly suites: readonly Counts[];
}

/**
 * Adds up the tests of all suites. A step that failed although none of its tests did counts as one more failure, so
 * that a broken build never reads "0 failed".
 */
export function totalCounts(results: readonly StepResult[]): Counts {
  const suites = results.flatMap((result) => result.suites);
  const failedSteps = results.filter(
    ({ succeeded, suites: own }) => !succeeded && own.every(({ failed }) => failed === 0),
  );
  return {
    passed: suites.reduce((sum, { passed }) => sum + passed, 0),
    failed: suites.reduce((sum, { failed }) => sum + failed, 0) + failedSteps.length,
  };
}

/** Reads what the reporter wrote. */
export function parseCounts(text: string): readonly Counts[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Counts); // written by our own reporter
}
