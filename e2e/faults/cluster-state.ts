/** All of the cluster that an IstioOperator can have brought about, as the administrator sees it. */
import { OWNED_KINDS, OWNER_NAME_LABEL } from '../../src/controller/watch-table.ts';
import { isJsonObject, listAt } from '../../src/model/json.ts';
import type { GroupVersionKind, K8sObject } from '../../src/model/object.ts';
import { identityOf, isK8sObject, labelsOf, namespaceOf, refOf } from '../../src/model/object.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { pathOf } from '../deploy/manifests.ts';
import { canonicalForm, canonicalText } from './canonical-form.ts';
import { isScaled, scaledBy } from './installed-state.ts';

/** The canonical text of each object by its identity. */
export type ClusterState = ReadonlyMap<string, string>;

const ISTIO_OPERATOR: GroupVersionKind = { apiVersion: 'install.istio.io/v1alpha1', kind: 'IstioOperator' };

/**
 * Every object of the kinds that can be rendered that is in the namespace or is labelled as an installation's, and the
 * IstioOperators of the namespace. What others make from these (`ownerReferences`) is left out.
 */
export async function readState(plane: ControlPlane, namespace: string): Promise<ClusterState> {
  const kinds = [ISTIO_OPERATOR, ...OWNED_KINDS];
  const lists = await Promise.all(kinds.map(async (kind) => objectsOfKind(plane, kind)));
  const objects = lists.flat().filter((object) => isConcerned(object, namespace));
  const scaled = scaledBy(objects);
  return new Map(
    objects
      .map(
        (object) =>
          [
            identityOf(refOf(object)),
            canonicalText(canonicalForm(object, isScaled(object, scaled))),
          ] as const,
      )
      .toSorted(([left], [right]) => (left < right ? -1 : 1)),
  );
}

/** What differs, one line an object, with the first line that is another one. Empty when nothing does. */
export function differences(expected: ClusterState, actual: ClusterState): readonly string[] {
  const identities = new Set([...expected.keys(), ...actual.keys()]);
  return [...identities].flatMap((identity) => {
    const [wanted, found] = [expected.get(identity), actual.get(identity)];
    if (wanted === found) return [];
    if (wanted === undefined) return [`${identity}: should not be there`];
    if (found === undefined) return [`${identity}: is missing`];
    return [`${identity}: ${firstDifference(wanted, found)}`];
  });
}

function firstDifference(wanted: string, found: string): string {
  const [left, right] = [wanted.split('\n'), found.split('\n')];
  const index = left.findIndex((line, at) => line !== right[at]);
  return `"${left[index] ?? ''}" became "${right[index] ?? ''}"`;
}

function isConcerned(object: K8sObject, namespace: string): boolean {
  if (object.metadata['ownerReferences'] !== undefined) return false;
  return namespaceOf(object) === namespace || OWNER_NAME_LABEL in labelsOf(object);
}

async function objectsOfKind(plane: ControlPlane, kind: GroupVersionKind): Promise<readonly K8sObject[]> {
  const collection = pathOf({ ...kind, metadata: { name: '' } });
  const { body } = await plane.api.request('GET', collection);
  // A kind that is not served answers 404, which is a body without items.
  return listAt(body, 'items')
    .map((item) => (isJsonObject(item) ? { ...item, ...kind } : item))
    .filter(isK8sObject);
}
