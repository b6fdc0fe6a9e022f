import { expect } from 'chai';
import { loadAssets } from '../../src/assets/load.ts';
import type { Planner } from '../../src/core/plan.ts';
import { createPlanner } from '../../src/core/plan.ts';
import { RELEASE_LINE_ANNOTATION } from '../../src/core/release-choice.ts';
import { DEFAULT_RELEASE } from '../../src/core/releases.ts';
import { printDiagnostic } from '../../src/model/diagnostic.ts';
import { isJsonObject } from '../../src/model/json.ts';
import { displayRef, refOf } from '../../src/model/object.ts';
import { objectsOf } from '../../src/model/plan.ts';
import { recordedCases } from './recorded-cases.ts';
import type { Phrasing, Rephrase } from './rephrasings.ts';
import { REPHRASINGS } from './rephrasings.ts';

/** Each rephrasing takes another third of the inputs: all of them would take minutes on a small machine. */
const SHARES = 3;

/** Objects by name, as they are printed; or what is wrong. */
type Meaning = ReadonlyMap<string, string>;

describe('what a recorded input comes to', () => {
  let planner: Planner;
  let inputs: readonly { readonly name: string; readonly said: Phrasing; readonly meaning: Meaning }[];

  before(async () => {
    planner = createPlanner(await loadAssets());
    inputs = recordedCases(DEFAULT_RELEASE.defaultTag).flatMap(({ name, specs, sets }) => {
      const said = { specs: specs.filter(isJsonObject), sets };
      const meaning = meaningOf(said);
      return meaning === undefined ? [] : [{ name, said, meaning }];
    });
  });

  for (const [turn, [how, rephrase]] of Object.entries<Rephrase>(REPHRASINGS).entries()) {
    it(`is the same ${how}`, () => {
      const share = inputs.filter((_input, index) => (index + turn) % SHARES === 0);
      const rephrased = share.flatMap((input) => {
        const phrasing = rephrase(input.said);
        return phrasing === undefined ? [] : [{ ...input, phrasing }];
      });

      const differences = rephrased.flatMap(({ name, meaning, phrasing }) =>
        differencesOf(meaning, phrasing).map((difference) => `${name}: ${difference}`),
      );

      expect(rephrased).to.have.length.above(20);
      expect(differences).to.deep.equal([]);
    });
  }

  function meaningOf(said: Phrasing): Meaning | undefined {
    const result = planOf(said);
    if (result.kind === 'invalid') return undefined;
    const objects = objectsOf(result.plan).filter(({ kind }) => kind !== 'CustomResourceDefinition');
    return new Map(objects.map((object) => [displayRef(refOf(object)), JSON.stringify(object)]));
  }

  function planOf({ specs, ...said }: Phrasing): ReturnType<Planner> {
    return planner({
      ...said,
      layers: specs.map((spec) => ({ spec, source: 'recorded' })),
      annotations: { [RELEASE_LINE_ANNOTATION]: DEFAULT_RELEASE.line },
      facts: { kubernetesVersion: DEFAULT_RELEASE.assumedKubernetes },
    });
  }

  function differencesOf(wanted: Meaning, said: Phrasing): readonly string[] {
    const found = meaningOf(said);
    if (found === undefined) {
      const result = planOf(said);
      return result.kind === 'invalid' ? result.diagnostics.map(printDiagnostic) : [];
    }
    const names = [...new Set([...wanted.keys(), ...found.keys()])];
    return names.filter((name) => wanted.get(name) !== found.get(name));
  }
});
