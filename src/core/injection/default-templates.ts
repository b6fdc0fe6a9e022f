/** Which templates a pod gets that says nothing: each of them has to exist, or istiod injects nothing at all. */
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { JsonObject } from '../../model/json.ts';
import { listAt, mapAt } from '../../model/json.ts';
import { diagnose } from '../diagnostics.ts';
import { textOf } from '../go-values.ts';
import { nearest } from '../nearest.ts';

const ROOT = ['sidecarInjectorWebhook'] as const;

/**
 * Names in `defaultTemplates` that are neither built in nor among the user's own templates. A warning, because istioctl
 * renders such a file, and somebody may add the template to the ConfigMap by other means.
 */
export function unknownTemplates(values: JsonObject, builtIn: readonly string[]): readonly Diagnostic[] {
  const known = [...new Set([...builtIn, ...Object.keys(mapAt(values, ...ROOT, 'templates'))])].toSorted();
  return listAt(values, ...ROOT, 'defaultTemplates').flatMap((given, index) => {
    const name = textOf(given);
    if (known.includes(name)) return [];
    const meant = nearest(name, known);
    return diagnose('unknownTemplate', {
      path: ['spec', 'values', ...ROOT, 'defaultTemplates', index],
      cause: `there is no injection template "${name}"`,
      remedy:
        meant === undefined
          ? `Use one of ${known.join(', ')}, or add it to spec.values.sidecarInjectorWebhook.templates.`
          : `Use "${meant}", or add it to spec.values.sidecarInjectorWebhook.templates.`,
    });
  });
}
