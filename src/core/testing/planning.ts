/** Planning with everything that ships, for tests of what a specification comes to. */
import { loadAssets } from '../../assets/load.ts';
import type { AssetBundle } from '../../model/assets.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { printDiagnostic } from '../../model/diagnostic.ts';
import type { JsonValue } from '../../model/json.ts';
import { at } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';
import { displayRef, refOf } from '../../model/object.ts';
import type { Plan, PlanResult } from '../../model/plan.ts';
import { objectsOf } from '../../model/plan.ts';
import type { PlanInput } from '../plan.ts';
import { createPlanner } from '../plan.ts';

/** What is not the usual: layers in place of the one specification, flags, an owner, facts. */
type Options = Partial<PlanInput>;

/** A planner to which only what matters is said. Throws when a specification that should be good is not. */
export interface TestPlanner {
  readonly assets: AssetBundle;
  readonly result: (spec: unknown, options?: Options) => PlanResult;
  readonly plan: (spec: unknown, options?: Options) => Plan;
  /** Errors and warnings as they are printed. */
  readonly findings: (spec: unknown, options?: Options) => readonly string[];
  /** The rendered objects, but for Istio's definitions, which no setting changes. */
  readonly objects: (spec: unknown, options?: Options) => readonly K8sObject[];
  /** `Deployment istio-system/istiod` for each of `objects`. */
  readonly names: (spec: unknown, options?: Options) => readonly string[];
  /** The value at a path of the object that is displayed by that name. */
  readonly field: (
    spec: unknown,
    name: string,
    ...path: readonly (string | number)[]
  ) => JsonValue | undefined;
}

/** A planner for the source tree; `change` may put something else in place of an asset. */
export async function testPlanner(
  change: (assets: AssetBundle) => AssetBundle = (assets) => assets,
): Promise<TestPlanner> {
  const assets = change(await loadAssets());
  const planner = createPlanner(assets);
  const result = (spec: unknown, options: Options = {}): PlanResult =>
    planner({ layers: [{ spec, source: 'test' }], facts: { kubernetesVersion: 'v1.32.0' }, ...options });
  const plan = (spec: unknown, options?: Options): Plan => {
    const planned = result(spec, options);
    if (planned.kind === 'planned') return planned.plan;
    throw new Error(planned.diagnostics.map(printDiagnostic).join('\n'));
  };
  const objects = (spec: unknown, options?: Options): readonly K8sObject[] =>
    objectsOf(plan(spec, options)).filter(({ kind }) => kind !== 'CustomResourceDefinition');
  return {
    assets,
    result,
    plan,
    objects,
    findings: (spec, options) => diagnosticsOf(result(spec, options)).map(printDiagnostic),
    names: (spec, options) => objects(spec, options).map(nameOf),
    field: (spec, name, ...path) =>
      at(
        objects(spec).find((object) => nameOf(object) === name),
        ...path,
      ),
  };
}

function nameOf(object: K8sObject): string {
  return displayRef(refOf(object));
}

/** What was found, whatever it came to. */
export function diagnosticsOf(result: PlanResult): readonly Diagnostic[] {
  return result.kind === 'planned' ? result.plan.warnings : result.diagnostics;
}
