/**
 * Runs tests for Stryker with mocha's public interface. Stryker's own runner reaches into files of mocha that version
 * 12.0.3 has under other names.
 */
import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import type { InstrumenterContext, StrykerOptions } from '@stryker-mutator/api/core';
import { INSTRUMENTER_CONSTANTS } from '@stryker-mutator/api/core';
import { commonTokens, declareClassPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin';
import type {
  DryRunOptions,
  DryRunResult,
  MutantRunOptions,
  MutantRunResult,
  TestResult,
  TestRunner,
} from '@stryker-mutator/api/test-runner';
import {
  determineHitLimitReached,
  DryRunStatus,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';
import Mocha from 'mocha';

/** Many times what the slowest of the tests takes. */
const HANGING_MS = 2_000;

class MochaRunner implements TestRunner {
  static readonly inject = tokens(commonTokens.options);
  readonly #patterns: readonly string[];
  readonly #context = instrumenterContext();
  /** Stryker itself ends what never gives the thread back, together with the process; this is for what only waits. */
  readonly #mocha = new Mocha({ timeout: HANGING_MS, reporter: Mocha.reporters.Base });
  #isLoaded = false;
  #isCounting = false;

  constructor(options: StrykerOptions) {
    this.#patterns = testsIn(options);
  }

  /** Modules are loaded once in the life of a process. */
  capabilities(): { readonly reloadEnvironment: boolean } {
    return { reloadEnvironment: false };
  }

  async init(): Promise<void> {
    this.#mocha.cleanReferencesAfterRun(false);
    for (const file of globSync([...this.#patterns]).toSorted()) this.#mocha.addFile(resolve(file));
    const countFor = (id: string | undefined): void => {
      if (this.#isCounting && id !== undefined) this.#context.currentTestId = id;
    };
    this.#mocha.suite.beforeEach(function countFromHere() {
      countFor(this.currentTest?.fullTitle());
    });
  }

  async dryRun({ disableBail }: DryRunOptions): Promise<DryRunResult> {
    this.#isCounting = true;
    const result = await this.#run(disableBail);
    this.#isCounting = false;
    const { mutantCoverage } = this.#context;
    return result.status === DryRunStatus.Complete && mutantCoverage !== undefined
      ? { ...result, mutantCoverage }
      : result;
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, mutantActivation, testFilter, hitLimit, disableBail } = options;
    Object.assign(this.#context, { hitLimit, hitCount: hitLimit === undefined ? undefined : 0 });
    this.#mocha.grep(testFilter === undefined ? /^/ : anyOf(testFilter));
    if (mutantActivation === 'static') this.#context.activeMutant = activeMutant.id;
    await this.#load();
    this.#context.activeMutant = activeMutant.id;
    return toMutantRunResult(await this.#run(disableBail));
  }

  async #load(): Promise<void> {
    if (!this.#isLoaded) await this.#mocha.loadFilesAsync();
    this.#isLoaded = true;
  }

  async #run(disableBail: boolean): Promise<DryRunResult> {
    await this.#load();
    setBail(this.#mocha.suite, !disableBail);
    let isHanging = false;
    const tests = await new Promise<TestResult[]>((done) => {
      const results: TestResult[] = [];
      const runner = this.#mocha.run(() => done(results));
      runner.on('pass', (test) => results.push({ ...testOf(test), status: TestStatus.Success }));
      runner.on('fail', (test, error: Error & { readonly code?: unknown }) => {
        isHanging ||= error.code === 'ERR_MOCHA_TIMEOUT';
        results.push({ ...testOf(test), status: TestStatus.Failed, failureMessage: error.message });
      });
    });
    if (isHanging) return { status: DryRunStatus.Timeout };
    const { hitCount, hitLimit } = this.#context;
    return determineHitLimitReached(hitCount, hitLimit) ?? { status: DryRunStatus.Complete, tests };
  }
}

/** Not Stryker's `testFiles`: with these, 10.1.1 tries what happens when a module is loaded without loading it anew. */
export function withTests(tests: readonly string[]): { readonly mochaTests: readonly string[] } {
  return { mochaTests: tests };
}

function testsIn({ mochaTests }: StrykerOptions): readonly string[] {
  return Array.isArray(mochaTests) ? mochaTests.map(String) : [];
}

function instrumenterContext(): InstrumenterContext {
  // Where mutated code looks which of its mutants is on: nobody else knows the name.
  const scope = globalThis as { [INSTRUMENTER_CONSTANTS.NAMESPACE]?: InstrumenterContext };
  return (scope[INSTRUMENTER_CONSTANTS.NAMESPACE] ??= {});
}

function anyOf(titles: readonly string[]): RegExp {
  return new RegExp(titles.map((title) => `^${escaped(title)}$`).join('|'));
}

function escaped(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
}

function setBail(suite: Mocha.Suite, bail: boolean): void {
  suite.bail(bail);
  for (const inner of suite.suites) setBail(inner, bail);
}

/** Also of a hook that failed: then it is the test that it was for. */
function testOf(test: Mocha.Runnable): Pick<TestResult, 'id' | 'name' | 'timeSpentMs'> {
  const title = (test.ctx?.currentTest ?? test).fullTitle();
  return { id: title, name: title, timeSpentMs: test.duration ?? 0 };
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'mocha', MochaRunner)];
