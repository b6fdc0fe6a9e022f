/**
 * Which release line a definition (CustomResourceDefinition) is of. All control planes of a cluster share Istio's
 * definitions, and fields are only ever added to them: so the newest line's serve everybody, and an older line's would
 * make the API server drop fields that are in use.
 */
import type { K8sObject } from '../../model/object.ts';
import { labelsOf } from '../../model/object.ts';
import { isNewerLine, lineOfVersion } from '../releases.ts';

export function isDefinition({ kind }: { readonly kind: string }): boolean {
  return kind === 'CustomResourceDefinition';
}

/** In order of trust: upstream's charts stamp the first, we and the old operator the second. */
const VERSION_LABELS = ['app.kubernetes.io/version', 'operator.istio.io/version'];

/** The release line that a definition's labels name; undefined when they name none. */
export function lineOfDefinition(definition: K8sObject): string | undefined {
  const labels = labelsOf(definition);
  const lines = VERSION_LABELS.map((label) => lineOfVersion(labels[label] ?? ''));
  return lines.find((line) => line !== undefined);
}

/** Tells whether a live definition is of a newer line than the one that is wanted; false when either does not say. */
export function isNewerDefinition(live: K8sObject, wanted: K8sObject): boolean {
  const [liveLine, wantedLine] = [lineOfDefinition(live), lineOfDefinition(wanted)];
  return liveLine !== undefined && wantedLine !== undefined && isNewerLine(liveLine, wantedLine);
}
