/** What all rules about the content of a specification have in common. */
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { JsonObject } from '../../../model/json.ts';

/** A rule: looks at a merged specification and tells every breach. It relies on no shape. */
export type Check = (spec: JsonObject) => readonly Diagnostic[];

/** Where the namespace of the control plane stands under `spec`. */
export const CONTROL_PLANE_NAMESPACE: readonly string[] = ['values', 'global', 'istioNamespace'];
