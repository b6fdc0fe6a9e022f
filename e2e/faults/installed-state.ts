/** What a resource has installed, read as the administrator, in a form in which two installations can be compared. */
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { at, isJsonArray, isJsonObject, listAt, mapAt, stringAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { displayRef, identityOf, isK8sObject, refOf } from '../../src/model/object.ts';
import { OWNED_KINDS, OWNER_NAME_LABEL, ownedSelector } from '../../src/controller/watch-table.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { pathOf } from '../deploy/manifests.ts';

/** Stay when a resource goes, or may be missing as a kind. */
const NOT_COMPARED: ReadonlySet<string> = new Set([
  'CustomResourceDefinition',
  'NetworkAttachmentDefinition',
]);

/** Everything in the cluster that says it was installed by that resource, but for definitions, by identity. */
export async function installedBy(
  plane: ControlPlane,
  owner: string,
): Promise<ReadonlyMap<string, K8sObject>> {
  const kinds = OWNED_KINDS.filter(({ kind }) => !NOT_COMPARED.has(kind));
  const found = await Promise.all(
    kinds.map(async ({ apiVersion, kind }) => {
      const collection = pathOf({ apiVersion, kind, metadata: { name: '' } }).replace(/\/$/, '');
      const selector = encodeURIComponent(
        `${ownedSelector({ apiVersion, kind })},${OWNER_NAME_LABEL}=${owner}`,
      );
      const { body } = await plane.api.request('GET', `${collection}?labelSelector=${selector}`);
      return listAt(body, 'items')
        .filter(isJsonObject)
        .map((item): JsonObject => ({ ...item, apiVersion, kind }))
        .filter(isK8sObject);
    }),
  );
  return new Map(found.flat().map((object) => [identityOf(refOf(object)), object]));
}

/** Whether planned objects of that kind are looked for by `installedBy`. */
export function isCompared({ kind }: Pick<K8sObject, 'kind'>): boolean {
  return !NOT_COMPARED.has(kind);
}

/** What differs between any two installations of the same: identity, time, and what the cluster hands out. */
const HANDED_OUT: Readonly<Record<string, readonly string[]>> = {
  metadata: ['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'selfLink'],
  spec: ['clusterIP', 'clusterIPs', 'healthCheckNodePort'],
};

/** Annotations in which Kubernetes counts the changes of a workload. */
const COUNTED_BY_CONTROLLERS = [
  'deployment.kubernetes.io/revision',
  'deprecated.daemonset.template.generation',
];

const FIELD_MANAGER = 'istio-operator';

/**
 * Names of the Deployments that an autoscaler scales. Their replicas are its own, and where we set them before it came we
 * go on applying the value that is there: dropping the field would scale the workload to one for a moment.
 */
export function scaledBy(objects: Iterable<K8sObject>): ReadonlySet<string> {
  const autoscalers = [...objects].filter(({ kind }) => kind === 'HorizontalPodAutoscaler');
  return new Set(autoscalers.map((object) => stringAt(object, 'spec', 'scaleTargetRef', 'name') ?? ''));
}

/** The object without what the cluster hands out; of the owners of fields only ours. `scaled` as from `scaledBy`. */
export function canonical(object: K8sObject, scaled: ReadonlySet<string>): JsonObject {
  return canonicalForm(isScaled(object, scaled) ? withoutReplicas(object) : object);
}

/** `scaled` as from `scaledBy`. */
export function isScaled({ kind, metadata }: K8sObject, scaled: ReadonlySet<string>): boolean {
  return kind === 'Deployment' && scaled.has(metadata.name);
}

function withoutReplicas(object: K8sObject): K8sObject {
  const managedFields = listAt(object, 'metadata', 'managedFields').map((entry) => {
    const fields = mapAt(entry, 'fieldsV1');
    const spec = without(mapAt(fields, 'f:spec'), ['f:replicas']);
    return { ...mapAt(entry), fieldsV1: { ...fields, 'f:spec': spec } };
  });
  return {
    ...object,
    metadata: { ...object.metadata, managedFields },
    spec: without(mapAt(object, 'spec'), ['replicas']),
  };
}

function canonicalForm(object: K8sObject): JsonObject {
  const { status: _status, ...rest } = object;
  const trimmed = Object.entries(rest).map(([field, value]) => [
    field,
    isJsonObject(value) ? without(value, HANDED_OUT[field] ?? []) : value,
  ]);
  const result = Object.fromEntries<JsonValue>(trimmed as [string, JsonValue][]);
  const annotations = without(mapAt(result, 'metadata', 'annotations'), COUNTED_BY_CONTROLLERS);
  const managedFields = listAt(object, 'metadata', 'managedFields')
    .filter((entry) => stringAt(entry, 'manager') === FIELD_MANAGER)
    .map((entry) => without(mapAt(entry), ['time']));
  const metadata = { ...without(mapAt(result, 'metadata'), ['annotations']), annotations, managedFields };
  return withoutEmptyAffinities(withoutNodePorts({ ...result, metadata }));
}

/** Server-side apply drops an empty affinity when what stood in it is taken back; to the scheduler it says nothing. */
function withoutEmptyAffinities(object: JsonObject): JsonObject {
  const pod = mapAt(object, 'spec', 'template', 'spec');
  if (!isJsonObject(pod['affinity'])) return object;
  const kept = Object.entries(pod['affinity']).filter(([, rules]) => Object.keys(mapAt(rules)).length > 0);
  const spec = mapAt(object, 'spec');
  const template = mapAt(spec, 'template');
  const affinity = Object.fromEntries(kept);
  return { ...object, spec: { ...spec, template: { ...template, spec: { ...pod, affinity } } } };
}

function without(map: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(map).filter(([name]) => !names.includes(name)));
}

function withoutNodePorts(object: JsonObject): JsonObject {
  const ports = at(object, 'spec', 'ports');
  if (object['kind'] !== 'Service' || !isJsonArray(ports)) return object;
  const spec = {
    ...mapAt(object, 'spec'),
    ports: ports.map((port) => (isJsonObject(port) ? without(port, ['nodePort']) : port)),
  };
  return { ...object, spec };
}

/** The names of the objects in which two states differ. */
export function differences(
  left: ReadonlyMap<string, K8sObject>,
  right: ReadonlyMap<string, K8sObject>,
): readonly string[] {
  const identities = [...new Set([...left.keys(), ...right.keys()])];
  const scaled = scaledBy(left.values());
  return identities.flatMap((identity) => {
    const [one, other] = [left.get(identity), right.get(identity)];
    if (one === undefined || other === undefined) return [`only in one of the two: ${identity}`];
    const same = sortedText(canonical(one, scaled)) === sortedText(canonical(other, scaled));
    return same ? [] : [`differs: ${displayRef(refOf(one))}`];
  });
}

/** JSON with sorted keys. */
export function sortedText(value: JsonValue): string {
  return JSON.stringify(value, (_key, inner: JsonValue) =>
    isJsonObject(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([left], [right]) => (left < right ? -1 : 1)))
      : inner,
  );
}
