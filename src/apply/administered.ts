/**
 * Objects that an administrator applies for an operator in hardened mode: whatever decides about the whole cluster, and
 * all rights, also those inside of a namespace. They are read and held against the plan, never written.
 */
import { isDefinition, isNewerDefinition } from '../core/objects/definition-release.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { isJsonArray, isJsonObject, jsonEqual } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { displayRef, groupOf, refOf } from '../model/object.ts';
import type { Owner } from '../model/plan.ts';
import type { ClusterPort } from './cluster.port.ts';
import { isBeingDeleted } from './deletion-state.ts';
import { likeness } from './equal-value.ts';
import type { Failure } from './failure.ts';
import { leaveToOthers } from './hands-off.ts';

const RBAC = 'rbac.authorization.k8s.io';

/** Every kind of these groups that can be rendered is cluster-scoped, or a right. */
const ADMINISTERED_GROUPS: ReadonlySet<string> = new Set([
  RBAC,
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
]);

/** Whether an administrator applies the object in hardened mode. */
export function isAdministered(ref: Pick<ObjectRef, 'apiVersion'>): boolean {
  return ADMINISTERED_GROUPS.has(groupOf(ref.apiVersion));
}

/** Applies all of them for the resource as it is in the cluster; for a person who may escalate cluster roles. */
export function administratorCommand({ name, namespace }: Owner): string {
  return `kubectl get istiooperator ${name} -n ${namespace} -o yaml | istio-operator manifest generate --scope admin -f - | kubectl apply --server-side --force-conflicts -f -`;
}

/** Deletes all of them but Istio's definitions, webhooks first: without istiod they only refuse. */
export function administratorDeletion({ name, namespace }: Owner): string {
  const labels = 'install.operator.istio.io/owning-resource';
  const kinds =
    'mutatingwebhookconfigurations,validatingwebhookconfigurations,validatingadmissionpolicybindings,validatingadmissionpolicies,clusterrolebindings,clusterroles,rolebindings,roles';
  return `kubectl delete ${kinds} -A -l ${labels}=${name},${labels}-namespace=${namespace}`;
}

export type Inspected =
  | { readonly kind: 'asPlanned'; readonly object: K8sObject }
  | { readonly kind: 'failed'; readonly failure: Failure };

/**
 * Reads an administered object and holds it against the plan, `desired` in its applied form. Writes nothing, not even in
 * a dry run, for which the right is missing as well. Throws ClusterError.
 */
export async function inspect(
  { cluster, signal }: { readonly cluster: ClusterPort; readonly signal: AbortSignal },
  desired: K8sObject,
): Promise<Inspected> {
  const live = await cluster.get(refOf(desired), { signal });
  if (live === undefined) return failed(desired, 'it is missing');
  if (isBeingDeleted(live)) return failed(desired, 'it is being deleted');
  const fields = differingFields(desired, live);
  return fields.length === 0 ? { kind: 'asPlanned', object: live } : failed(desired, differsIn(fields));
}

const MOST_FIELDS = 3;

function differsIn(fields: readonly string[]): string {
  const more = fields.length > MOST_FIELDS ? ` and ${fields.length - MOST_FIELDS} more` : '';
  return `it differs from the plan in ${fields.slice(0, MOST_FIELDS).join(', ')}${more}`;
}

/** Once the administrator has acted the watch wakes us up, where the object carries the owner's labels. */
function failed(desired: K8sObject, reason: string): Inspected {
  const ref = refOf(desired);
  const message = `${displayRef(ref)}: ${reason}`;
  return { kind: 'failed', failure: { ref, message, retryable: false, cause: 'rights', administered: true } };
}

/**
 * The fields in which a live object is not what is wanted, such as `webhooks[0].rules`. Who wrote them doesn't matter:
 * an administrator may use kubectl, Helm or a GitOps tool. What others put beside is as little looked at as when the
 * operator applies by itself; but rules are compared as a whole, because one more is one more right.
 */
export function differingFields(desired: K8sObject, live: K8sObject): readonly string[] {
  // Another control plane, or a version that was set back, left fields that objects may be using.
  if (isDefinition(live) && isNewerDefinition(live, desired)) return [];
  const { apiVersion, kind, metadata, ...body } = leaveToOthers(desired, live, { autoscaled: false });
  const { labels = {}, annotations = {} } = metadata;
  const { apiVersion: _version, kind: _kind, metadata: liveMetadata, ...liveBody } = live;
  const marks = missing({ labels, annotations }, liveMetadata, { kind, trail: ['metadata'] });
  const content =
    groupOf(apiVersion) === RBAC
      ? differingRights(body, liveBody, kind)
      : missing(body, liveBody, { kind, trail: [] });
  return [...marks, ...content];
}

interface Place {
  readonly kind: string;
  /** As it is displayed, such as `['webhooks[0]', 'rules']`. */
  readonly trail: readonly string[];
}

/** Beside them the API server fills in defaults, such as the group of a subject. */
const EXACT_RIGHTS: ReadonlySet<string> = new Set(['rules', 'aggregationRule']);

function differingRights(desired: JsonObject, live: JsonObject, kind: string): readonly string[] {
  const fields = [...new Set([...Object.keys(desired), ...Object.keys(live)])].toSorted();
  return fields.flatMap((field) => {
    const [wanted, present] = [filled(desired[field]), filled(live[field])];
    if (EXACT_RIGHTS.has(field)) return jsonEqual(wanted, present) ? [] : [field];
    return missing(wanted, present, { kind, trail: [field] });
  });
}

/** The API server returns a role without rules as `rules: null`. */
function filled(value: JsonValue | undefined): JsonValue {
  return value ?? [];
}

/** Fields that the live value lacks or has otherwise; what it has beyond, such as defaults, does not count. */
function missing(desired: JsonValue, live: JsonValue | undefined, place: Place): readonly string[] {
  if (isJsonObject(desired) && isJsonObject(live)) return missingInMap(desired, live, place);
  if (isJsonArray(desired) && isJsonArray(live) && desired.length === live.length)
    return desired.flatMap((item, index) => missing(item, live[index], itemOf(place, index)));
  const trail = place.trail.map((step) => step.replace(/\[\d+\]$/u, ''));
  return likeness(desired, live, { kind: place.kind, trail }) === 'different' ? [place.trail.join('.')] : [];
}

/** istiod writes its certificate authority into its webhooks, and no administrator can know it beforehand. */
const WRITTEN_BY_ISTIOD = 'caBundle';

function missingInMap(desired: JsonObject, live: JsonObject, { kind, trail }: Place): readonly string[] {
  return Object.entries(desired)
    .filter(([field]) => field !== WRITTEN_BY_ISTIOD)
    .flatMap(([field, value]) => missing(value, live[field], { kind, trail: [...trail, field] }));
}

function itemOf({ kind, trail }: Place, index: number): Place {
  return { kind, trail: [...trail.slice(0, -1), `${trail.at(-1) ?? ''}[${index}]`] };
}
