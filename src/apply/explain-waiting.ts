/** Adds to what is not ready why its pods don't run: the line that a person would look for with kubectl. */
import { isClusterError } from '../model/cluster-error.ts';
import type { JsonValue } from '../model/json.ts';
import { at, listAt, stringAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { stringMap } from '../model/object.ts';
import type { NotReady } from '../model/report.ts';
import { mapParallel } from './parallel.ts';
import type { Run } from './run.ts';
import { CALLS_AT_ONCE } from './run.ts';

const POD = { apiVersion: 'v1', kind: 'Pod' };

const WITH_PODS: ReadonlySet<string> = new Set(['Deployment', 'DaemonSet', 'StatefulSet']);

const LONGEST_MESSAGE = 200;

/** Lists the pods of workloads that are not ready. Where that is not possible, the reasons stay as they are. */
export async function explainWaiting(run: Run, waiting: readonly NotReady[]): Promise<readonly NotReady[]> {
  return mapParallel(waiting, CALLS_AT_ONCE, (item) => explain(run, item));
}

/** Why the newest pod that doesn't run doesn't run, such as `ImagePullBackOff`; undefined when nothing tells. */
export function podTrouble(pods: readonly K8sObject[]): string | undefined {
  const newestFirst = pods.toSorted((left, right) => (createdAt(left) < createdAt(right) ? 1 : -1));
  return newestFirst.map(troubleOf).find((trouble) => trouble !== undefined);
}

async function explain(run: Run, item: NotReady): Promise<NotReady> {
  if (!WITH_PODS.has(item.ref.kind)) return item;
  try {
    const trouble = podTrouble(await podsOf(run, item));
    return trouble === undefined ? item : { ...item, reason: `${item.reason}: ${trouble}` };
  } catch (error) {
    if (!isClusterError(error) || error.kind === 'cancelled') throw error;
    return item;
  }
}

async function podsOf(run: Run, { ref }: NotReady): Promise<readonly K8sObject[]> {
  const workload = await run.cluster.get(ref, { signal: run.signal });
  const labels = Object.entries(stringMap(at(workload, 'spec', 'selector', 'matchLabels')));
  if (labels.length === 0 || ref.namespace === undefined) return [];
  const labelSelector = labels.map(([name, value]) => `${name}=${value}`).join(',');
  return run.cluster.list(POD, { signal: run.signal, namespace: ref.namespace, labelSelector });
}

function troubleOf(pod: K8sObject): string | undefined {
  const statuses = [
    ...listAt(pod, 'status', 'initContainerStatuses'),
    ...listAt(pod, 'status', 'containerStatuses'),
  ];
  const waiting = statuses.map((status) => at(status, 'state', 'waiting')).find((state) => isTelling(state));
  if (waiting !== undefined) return describe(waiting);
  const conditions = listAt(pod, 'status', 'conditions').filter(
    (condition) => stringAt(condition, 'status') === 'False',
  );
  const unscheduled = conditions.find((condition) => stringAt(condition, 'type') === 'PodScheduled');
  return unscheduled === undefined ? undefined : describe(unscheduled);
}

/** A container that waits for others to start is no explanation. */
function isTelling(state: JsonValue | undefined): boolean {
  const reason = stringAt(state, 'reason');
  return reason !== undefined && reason !== 'PodInitializing' && reason !== 'ContainerCreating';
}

function describe(state: JsonValue): string {
  const reason = stringAt(state, 'reason') ?? 'unknown reason';
  const message = (stringAt(state, 'message') ?? '').slice(0, LONGEST_MESSAGE).replace(/\.$/, '');
  return message === '' ? reason : `${reason} (${message})`;
}

function createdAt(pod: K8sObject): string {
  return stringAt(pod, 'metadata', 'creationTimestamp') ?? '';
}
