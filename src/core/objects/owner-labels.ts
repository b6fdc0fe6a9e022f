/** Labels that tell whose an object is. Upstream's names and meaning, so that istioctl and old scripts find them. */
import type { K8sObject } from '../../model/object.ts';
import { labelsOf } from '../../model/object.ts';
import type { ComponentName, Owner } from '../../model/plan.ts';

export interface Ownership {
  readonly owner: Owner;
  readonly component: ComponentName;
  readonly revision: string;
  readonly version: string;
}

/** Adds the owner's labels to the object itself; pod templates stay as they are, so that no pod restarts. */
export function withOwnerLabels(object: K8sObject, ownership: Ownership): K8sObject {
  const { owner, component, revision, version } = ownership;
  const labels = {
    ...labelsOf(object),
    'operator.istio.io/managed': 'Reconcile',
    'operator.istio.io/version': version,
    'operator.istio.io/component': component,
    'install.operator.istio.io/owning-resource': owner.name,
    'install.operator.istio.io/owning-resource-namespace': owner.namespace,
    'istio.io/rev': revision === '' ? 'default' : revision,
  };
  return { ...object, metadata: { ...object.metadata, labels } };
}
