/** Environment variables that a user set as well as Istio does, in a way that the API server refuses. */
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { JsonValue } from '../../model/json.ts';
import { at, listAt } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';
import { displayRef, refOf } from '../../model/object.ts';
import { diagnose } from '../diagnostics.ts';
import type { FieldPath } from '../field-path.ts';
import { textOf } from '../go-values.ts';

/** Warns; the variables stay as istioctl renders them. `path` is of the component or gateway in the specification. */
export function refusedVariables(objects: readonly K8sObject[], path: FieldPath): readonly Diagnostic[] {
  return objects.flatMap((object) =>
    listAt(object, 'spec', 'template', 'spec', 'containers').flatMap((container) =>
      causesIn(listAt(container, 'env')).map(({ cause, remedy }) =>
        diagnose('refusedVariable', { path, cause: `${displayRef(refOf(object))}: ${cause}`, remedy }),
      ),
    ),
  );
}

interface Refusal {
  readonly cause: string;
  readonly remedy: string;
}

function causesIn(env: readonly JsonValue[]): readonly Refusal[] {
  const names = env.map((variable) => at(variable, 'name'));
  const repeated = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  const twice = [...repeated].map((name) => ({
    cause: `the variable ${textOf(name)} is there twice, once by Istio itself`,
    remedy: 'Use the setting that Istio makes the variable from, or an overlay that changes its value.',
  }));
  const both = env
    .filter(
      (variable) => (at(variable, 'valueFrom') ?? null) !== null && (at(variable, 'value') ?? '') !== '',
    )
    .map((variable) => ({
      cause: `the variable ${textOf(at(variable, 'name'))} has a value and takes it from elsewhere as well`,
      remedy: 'Write "valueFrom: null" beside the value.',
    }));
  return [...twice, ...both];
}
