/** What all objects of istiod are made from: its names, its labels, and where it runs. */
import type { JsonObject } from '../../../model/json.ts';
import { componentLabels, standardLabels, withRevision } from '../labels.ts';
import type { ComponentInput, Manifest, View } from '../manifest.ts';
import type { ValuesReader } from '../reader.ts';
import { readValues } from '../reader.ts';

/** What nearly every object of istiod is made from. */
export interface Istiod {
  readonly input: ComponentInput;
  readonly v: ValuesReader;
  readonly revision: string;
  /** `istiod`, or `istiod-REVISION`. */
  readonly name: string;
  /** Namespace of accounts and of whom webhooks call; differs from the component's only when a user splits them. */
  readonly istioNamespace: string;
  readonly standard: JsonObject;
  readonly own: JsonObject;
  readonly selector: JsonObject;
}

/** The recommended name of the application; on every object of istiod. */
export const NAME_LABEL = { 'app.kubernetes.io/name': 'istiod' };

/** Reads what all views need from the values. */
export function istiodOf(input: ComponentInput): Istiod {
  const v = readValues(input.values);
  const revision = v.text('revision');
  return {
    input,
    v,
    revision,
    name: withRevision('istiod', revision),
    istioNamespace: v.text('global', 'istioNamespace'),
    standard: { ...NAME_LABEL, ...standardLabels(input.release) },
    own: componentLabels({ revision, owner: v.text('ownerName'), component: 'Pilot' }),
    selector: revision === '' ? { istio: 'pilot' } : { 'istio.io/rev': revision },
  };
}

/** A manifest from istiod's own templates. */
export function pilotManifest(template: string, view: View): Manifest {
  return { template: `pilot/${template}`, view };
}
