/** The image of the operator's own Deployment. */
import { isJsonObject, listAt, mapAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';

/** The objects with another image in every container of every Deployment. */
export function withImage(objects: readonly K8sObject[], image: string): readonly K8sObject[] {
  return objects.map((object) =>
    object.kind === 'Deployment' ? deploymentWithImage(object, image) : object,
  );
}

function deploymentWithImage(object: K8sObject, image: string): K8sObject {
  const spec = mapAt(object, 'spec');
  const template = mapAt(spec, 'template');
  const pod = mapAt(template, 'spec');
  const containers = listAt(pod, 'containers')
    .filter(isJsonObject)
    .map((container) => ({ ...container, image }));
  return { ...object, spec: { ...spec, template: { ...template, spec: { ...pod, containers } } } };
}
