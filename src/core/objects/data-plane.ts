/**
 * Who uses which control plane, told from the metadata of pods alone: an injector writes down its revision, and the node
 * agent of ambient mode that it has redirected a pod.
 */
import type { JsonValue } from '../../model/json.ts';
import { at, isJsonObject, listAt, stringAt } from '../../model/json.ts';
import type { GroupVersionKind, K8sObject, ObjectRef } from '../../model/object.ts';
import { annotationsOf, labelsOf, namespaceOf } from '../../model/object.ts';
import type { DataPlane, PodCount } from '../../model/status.ts';

export const POD: GroupVersionKind = { apiVersion: 'v1', kind: 'Pod' };

/** Selects pods that still run, or may: what has ended uses no control plane, but may lie around for long. */
export const RUNNING_PODS = 'status.phase!=Succeeded,status.phase!=Failed';

/** How many namespaces are named; the rest is counted. */
const MOST_NAMESPACES = 20;

const REVISION_ANNOTATION = 'istio.io/rev';
const STATUS_ANNOTATION = 'sidecar.istio.io/status';
const REDIRECTION_ANNOTATION = 'ambient.istio.io/redirection';

/** The revision whose istiod a pod's proxy talks to, `default` for the one without a name; undefined without a proxy. */
export function revisionOfPod(pod: K8sObject): string | undefined {
  const annotations = annotationsOf(pod);
  const revision = annotations[REVISION_ANNOTATION];
  if (revision !== undefined) return revision;
  const status = annotations[STATUS_ANNOTATION];
  if (status === undefined) return undefined;
  return stringAt(parsed(status), 'revision') ?? 'default';
}

export function isInAmbient(pod: K8sObject): boolean {
  return annotationsOf(pod)[REDIRECTION_ANNOTATION] === 'enabled';
}

/** The Deployment or DaemonSet that a pod comes from, as far as its metadata tells. */
export function workloadOf(pod: K8sObject): ObjectRef | undefined {
  const controller = listAt(pod, 'metadata', 'ownerReferences').find(
    (owner) => at(owner, 'controller') === true,
  );
  const [kind, name] = [stringAt(controller, 'kind'), stringAt(controller, 'name')];
  const namespace = namespaceOf(pod);
  if (kind === undefined || name === undefined || namespace === undefined) return undefined;
  if (kind !== 'ReplicaSet') return { apiVersion: 'apps/v1', kind, namespace, name };
  const suffix = `-${labelsOf(pod)['pod-template-hash'] ?? ''}`;
  return name.endsWith(suffix)
    ? { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: name.slice(0, -suffix.length) }
    : undefined;
}

/** Counts pods by namespace; as large as there are namespaces, whatever the number of pods. */
export class PodCounter {
  readonly #namespaces = new Map<string, number>();

  add(pod: K8sObject): void {
    const namespace = namespaceOf(pod) ?? '';
    this.#namespaces.set(namespace, (this.#namespaces.get(namespace) ?? 0) + 1);
  }

  /** The namespaces with the most pods first. */
  count(): PodCount {
    const all = [...this.#namespaces].map(([name, pods]) => ({ name, pods })).toSorted(byPods);
    const more = Math.max(0, all.length - MOST_NAMESPACES);
    return {
      pods: all.reduce((sum, { pods }) => sum + pods, 0),
      namespaces: all.slice(0, MOST_NAMESPACES),
      ...(more === 0 ? {} : { moreNamespaces: more }),
    };
  }
}

/** Counts the pods of every revision. */
export class DataPlaneCounter {
  readonly #revisions = new Map<string, PodCounter>();
  readonly #ambient = new PodCounter();

  add(pod: K8sObject): void {
    const revision = revisionOfPod(pod);
    if (isInAmbient(pod)) this.#ambient.add(pod);
    if (revision === undefined) return;
    const counter = this.#revisions.get(revision) ?? new PodCounter();
    this.#revisions.set(revision, counter);
    counter.add(pod);
  }

  /** In order of revision. */
  count(): DataPlane {
    const ambient = this.#ambient.count();
    return {
      revisions: [...this.#revisions]
        .toSorted(([left], [right]) => (left < right ? -1 : 1))
        .map(([revision, counter]) => ({ revision, ...counter.count() })),
      ...(ambient.pods === 0 ? {} : { ambient }),
    };
  }
}

function byPods(left: PodCount['namespaces'][number], right: PodCount['namespaces'][number]): number {
  if (left.pods !== right.pods) return right.pods - left.pods;
  return left.name < right.name ? -1 : 1;
}

/** The annotation is written by an injector, but may be anything by now. */
function parsed(text: string): JsonValue {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
