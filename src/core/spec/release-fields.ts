/** Fields that only some release lines have: ignoring one in silence would look as if it had an effect. */
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { JsonObject } from '../../model/json.ts';
import { at } from '../../model/json.ts';
import { diagnose } from '../diagnostics.ts';
import type { Release } from '../releases.ts';
import { lacking } from '../releases.ts';

/** Tells each value that the user set and that the release does not have. */
export function checkReleaseFields(userSpec: JsonObject, release: Release): readonly Diagnostic[] {
  return lacking(release).flatMap(({ fields = [], since, why }) =>
    fields
      .map((field) => ['values', ...field.split('.')])
      .filter((path) => (at(userSpec, ...path) ?? null) !== null)
      .map((path) =>
        diagnose('fieldOfOtherRelease', {
          path: ['spec', ...path],
          cause: `Istio ${release.line} does not have this${since === undefined ? '' : `, only ${since} and later`}`,
          remedy: `Remove it, or change spec.tag. What it is about: ${why}`,
        }),
      ),
  );
}
