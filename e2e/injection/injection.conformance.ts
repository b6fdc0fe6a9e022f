/** The ConfigMap that the operator installs, executed as istiod would, against pods of the real injector. */
import { expect } from 'chai';
import type { InjectionCase } from './cases.ts';
import { readCaseFolder, readCases } from './cases.ts';
import { DEVIATIONS } from './deviations.ts';
import type { RunAnswer } from './harness-process.ts';
import { runCases } from './harness-process.ts';
import { readDistribution, requestFor } from './requests.ts';
import { SWITCHES } from './switches.ts';

/** The first run on a machine builds the harness. */
const COLD_BUILD_MS = 10 * 60_000;

/** A folder with Istio's own cases, laid out as `cases/` once was; they are not ours to keep. */
const UPSTREAM = process.env['ISTIO_INJECTION_UPSTREAM'] ?? '';

describe('injection templates', () => {
  const cases = readCases();
  let answer: RunAnswer;

  before(async function () {
    this.timeout(COLD_BUILD_MS);
    const all = [...cases, ...SWITCHES.map(({ given }) => given)];
    answer = await runCases(requestFor(await readDistribution(), all));
  });

  describe('inject as the real injector did', () => {
    reportCount('project', cases, () => answer);
    for (const { name } of cases) it(name, () => expectNoOtherDifference(answer, name));
  });

  describe('obey every switch', () => {
    for (const { given, verify } of SWITCHES) {
      it(given.name, () => {
        const result = answer.results.get(given.name);

        expect(result?.differences).to.deep.equal([]);
        if (given.expectError === undefined) expect(result?.error).to.equal(undefined);
        verify(result?.objects ?? []);
      });
    }
  });

  it('have no branch that the cases and switches do not go through', () => {
    expect(answer.unvisited).to.deep.equal([]);
  });

  it('deviate from upstream only in cases that are there', () => {
    const names = cases.map(({ name }) => name);

    expect(names).to.include.members(Object.keys(DEVIATIONS));
  });
});

if (UPSTREAM !== '') {
  describe("injection templates on Istio's own inputs", () => {
    const cases = readCaseFolder(UPSTREAM);
    let answer: RunAnswer;

    before(async function () {
      this.timeout(COLD_BUILD_MS);
      answer = await runCases(requestFor(await readDistribution(), cases));
    });

    reportCount('upstream', cases, () => answer);
    for (const { name } of cases) it(name, () => expectNoOtherDifference(answer, name));
  });
}

function expectNoOtherDifference(answer: RunAnswer, name: string): void {
  const differences = answer.results.get(name)?.differences ?? ['the harness did not answer'];
  const places = differences.map((line) => line.split(': got ')[0]);
  const deviation = DEVIATIONS[name];

  if (deviation === undefined) expect(differences, differences.join('\n')).to.deep.equal([]);
  else expect(places).to.deep.equal(deviation.places);
}

function reportCount(source: string, cases: readonly InjectionCase[], answerOf: () => RunAnswer): void {
  after(() => {
    const { results } = answerOf();
    const differing = cases.filter(({ name }) => results.get(name)?.differences.length !== 0);
    const allowed = differing.filter(({ name }) => DEVIATIONS[name] !== undefined).length;
    const failed = differing.length - allowed;
    console.log(
      `      ${source} injection cases: ${cases.length - failed} matched, ${failed} failed` +
        (allowed === 0 ? '' : ` (${allowed} of them with an allowed deviation)`),
    );
  });
}
