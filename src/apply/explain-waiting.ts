/** Adds to what is not ready why its pods don't run: the line that a person would look for with kubectl. */
import { isClusterError } from '../model/cluster-error.ts';
import type { JsonValue } from '../model/json.ts';
import { at, listAt, numberAt, stringAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { stringMap } from '../model/object.ts';
import type { NotReady } from '../model/report.ts';
import { mapParallel } from './parallel.ts';
import type { Run } from './run.ts';
import { CALLS_AT_ONCE } from './run.ts';

const POD = { apiVersion: 'v1', kind: 'Pod' };
const EVENT = { apiVersion: 'v1', kind: 'Event' };

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
    const workload = await run.cluster.get(item.ref, { signal: run.signal });
    const trouble = podTrouble(await podsOf(run, item, workload));
    if (trouble !== undefined) return { ...item, reason: `${item.reason}: ${trouble}` };
    const refusal = lacksPods(workload) ? await podRefusal(run, item) : undefined;
    return refusal === undefined ? item : { ...item, reason: `${item.reason}: ${refusal}`, refused: true };
  } catch (error) {
    if (!isClusterError(error) || error.kind === 'cancelled') throw error;
    return item;
  }
}

/** A DaemonSet has no condition that tells why nodes have no pod of it. */
function lacksPods(workload: K8sObject | undefined): boolean {
  const count = (field: string): number => numberAt(workload, 'status', field) ?? 0;
  return workload?.kind === 'DaemonSet' && count('currentNumberScheduled') < count('desiredNumberScheduled');
}

/** What the controller says before the cause, also where it sums up several events. */
const REPEATED = /^(\(combined from similar events\): )?(Error creating: )?/;

/** Why the API server let no pod of a workload in the last time, as its controller tells it in an event. */
async function podRefusal(run: Run, { ref }: NotReady): Promise<string | undefined> {
  const { kind, name, namespace = '' } = ref;
  const fieldSelector = `involvedObject.kind=${kind},involvedObject.name=${name},reason=FailedCreate`;
  const events = await run.cluster.list(EVENT, { signal: run.signal, namespace, fieldSelector });
  const [latest] = events.toSorted((left, right) => (lastSeen(left) < lastSeen(right) ? 1 : -1));
  const message = stringAt(latest, 'message')?.replace(REPEATED, '');
  return message?.slice(0, LONGEST_MESSAGE).replace(/\.$/, '');
}

function lastSeen(event: K8sObject): string {
  return stringAt(event, 'lastTimestamp') ?? createdAt(event);
}

async function podsOf(
  run: Run,
  { ref }: NotReady,
  workload: K8sObject | undefined,
): Promise<readonly K8sObject[]> {
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
