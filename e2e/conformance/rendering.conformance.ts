import { expect } from 'chai';
import { loadAssets } from '../../src/assets/load.ts';
import type { Planner } from '../../src/core/plan.ts';
import { createPlanner } from '../../src/core/plan.ts';
import { RELEASE_LINE_ANNOTATION } from '../../src/core/release-choice.ts';
import type { Release } from '../../src/core/releases.ts';
import { lacking, RELEASES } from '../../src/core/releases.ts';
import { printDiagnostic } from '../../src/model/diagnostic.ts';
import type { JsonValue } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { displayRef, refOf } from '../../src/model/object.ts';
import { objectsOf } from '../../src/model/plan.ts';
import { allowedDifferencesOf } from './allow-list.ts';
import { normalForm, sortedJson } from './normal-form.ts';
import type { RecordedCase } from './recorded-cases.ts';
import { recordedCases } from './recorded-cases.ts';

/** Upstream's validator does not know these fields, although its charts honour them; we accept them. */
const REFUSED_BY_VALIDATOR_ONLY = /unknown field|invalid schema for|bad StructValue/u;

let planner: Planner;

before(async () => {
  planner = createPlanner(await loadAssets());
});

for (const release of RELEASES) {
  describe(`rendering of Istio ${release.defaultTag}`, () => {
    const allowedDifferences = allowedDifferencesOf(release.line);
    const cases = recordedCases(release.defaultTag);
    for (const recorded of cases) {
      it(`${recorded.name}: is what istioctl renders`, () => {
        const differences = differencesFrom(recorded, release);

        if (allowedDifferences[recorded.name] === undefined) expect(differences).to.deep.equal([]);
        else
          expect(differences, 'the allowed difference is gone: remove it from the list').to.not.deep.equal(
            [],
          );
      });
    }

    after(() => {
      const allowed = cases.filter(({ name }) => allowedDifferences[name] !== undefined).length;
      process.stdout.write(`    ${cases.length} cases, ${allowed} with an allowed difference\n`);
    });
  });
}

/** One line for each way in which our rendering differs. */
function differencesFrom(recorded: RecordedCase, release: Release): readonly string[] {
  const result = planner({
    // Some cases have tags of other lines, or none that could be read.
    annotations: { [RELEASE_LINE_ANNOTATION]: release.line },
    layers: recorded.specs.map((spec) => ({ spec, source: recorded.name })),
    sets: recorded.sets,
    facts: { kubernetesVersion: release.assumedKubernetes },
  });
  if (recorded.expected.kind === 'error') {
    const { message } = recorded.expected;
    const weAccept = REFUSED_BY_VALIDATOR_ONLY.test(message) && !isOfOtherRelease(message, release);
    return weAccept === (result.kind === 'planned') ? [] : [`upstream says: ${message}`];
  }
  if (result.kind === 'invalid') return result.diagnostics.map(printDiagnostic);
  return compareObjects(byName(recorded.expected.objects), byName(objectsOf(result.plan)));
}

/** Whether upstream refuses a field that came with a later release, as we do. */
function isOfOtherRelease(message: string, release: Release): boolean {
  const names = lacking(release).flatMap(({ fields = [] }) => fields.map((field) => field.split('.').at(-1)));
  return names.some((name) => message.includes(`unknown field "${name}"`));
}

function byName(objects: readonly K8sObject[]): ReadonlyMap<string, JsonValue> {
  return new Map(
    objects.map((object) => [`${object.apiVersion} ${displayRef(refOf(object))}`, normalForm(object)]),
  );
}

function compareObjects(
  expected: ReadonlyMap<string, JsonValue>,
  actual: ReadonlyMap<string, JsonValue>,
): readonly string[] {
  const names = [...new Set([...expected.keys(), ...actual.keys()])];
  return names.flatMap((name) => {
    const wanted = expected.get(name);
    const found = actual.get(name);
    if (wanted === undefined) return [`${name} is rendered by us alone`];
    if (found === undefined) return [`${name} is missing`];
    const [left, right] = [sortedJson(wanted), sortedJson(found)];
    return left === right ? [] : [`${name}: ${firstDifference(left, right)}`];
  });
}

function firstDifference(wanted: string, found: string): string {
  let position = 0;
  while (wanted[position] === found[position]) position += 1;
  const start = Math.max(0, position - 60);
  return `wanted …${wanted.slice(start, position + 100)}… found …${found.slice(start, position + 100)}…`;
}
