/** How long it takes until something that another has changed or deleted is as it was. */
import { setTimeout as delay } from 'node:timers/promises';
import { pathOf } from '../../e2e/deploy/manifests.ts';
import { storedStatus } from '../../src/controller/resource.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { at } from '../../src/model/json.ts';
import { uidOf } from '../../src/model/object.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { OPERATOR_NAMESPACE, openBenchCluster, resourceOf } from './cluster/bench-cluster.ts';
import type { BenchCluster } from './cluster/bench-cluster.ts';
import { startMeasured, until } from './cluster/operator-process.ts';
import { percentile } from './figure.ts';
import type { Figure } from './figure.ts';

const TIMEOUT_MS = 120_000;
const REPAIR_TIMEOUT_MS = 30_000;
/** Between two rounds: who disturbs without a pause is slowed down on purpose, which is not what is measured here. */
const PAUSE_MS = 1_000;
const POLL_MS = 2;

interface Disturbance {
  readonly object: K8sObject;
  /** A merge patch; undefined deletes the object. */
  readonly patch?: JsonObject;
  /** What the patch changes. */
  readonly path?: readonly (string | number)[];
}

/** Kinds whose objects can go for a moment without anything in the cluster noticing. */
const DELETED_KINDS: ReadonlySet<string> = new Set([
  'Service',
  'ServiceAccount',
  'ConfigMap',
  'Role',
  'RoleBinding',
  'ClusterRole',
  'ClusterRoleBinding',
]);
const EDITED_LABEL = 'operator.istio.io/component';

/**
 * An edit of every object, and a deletion of most. Each field once only: what somebody undoes again and again counts as
 * contested and is left alone.
 */
function disturbancesOf(resource: K8sObject | undefined): readonly Disturbance[] {
  const objects = (storedStatus(resource)?.inventory ?? [])
    .filter(({ kind }) => kind !== 'CustomResourceDefinition')
    .map(({ apiVersion, kind, namespace, name }): K8sObject => {
      return { apiVersion, kind, metadata: namespace === undefined ? { name } : { name, namespace } };
    });
  const patch = { metadata: { labels: { [EDITED_LABEL]: 'other' } } };
  const edits = objects.map((object) => ({ object, patch, path: ['metadata', 'labels', EDITED_LABEL] }));
  const deletions = objects.filter(({ kind }) => DELETED_KINDS.has(kind)).map((object) => ({ object }));
  return [...edits, ...deletions];
}

/** Disturbs an installation of demo and measures from the API server's answer to the first look that finds it repaired. */
export async function driftFigures(program: string): Promise<readonly Figure[]> {
  const cluster = await openBenchCluster();
  try {
    const operator = await startMeasured(cluster.plane, { program, namespace: OPERATOR_NAMESPACE });
    try {
      await cluster.create(resourceOf('mesh', 'istio-system', { profile: 'demo' }));
      await cluster.untilHealthy(1, TIMEOUT_MS);
      const times = await repairTimes(cluster);
      return [
        {
          what: `repair of drift, median of ${times.length}`,
          value: percentile(times, 50),
          unit: 'ms',
          target: 150,
          former: 'a deleted Service 0.6 s; an edited port of it never, with status HEALTHY',
        },
        { what: 'repair of drift, 99th percentile', value: percentile(times, 99), unit: 'ms', target: 1000 },
      ];
    } finally {
      await operator.stop();
    }
  } finally {
    await cluster.close();
  }
}

async function repairTimes(cluster: BenchCluster): Promise<readonly number[]> {
  const times: number[] = [];
  const [resource] = await cluster.resources();
  for (const disturbance of disturbancesOf(resource)) {
    times.push(await repairTime(cluster, disturbance));
    await cluster.untilHealthy(1, TIMEOUT_MS);
    await delay(PAUSE_MS);
  }
  return times;
}

async function repairTime(cluster: BenchCluster, { object, patch, path }: Disturbance): Promise<number> {
  const before = await cluster.read(object);
  if (before === undefined) throw new Error(`there is no ${object.kind} ${object.metadata.name}`);
  const { api } = cluster.plane;
  const answer =
    patch === undefined
      ? await api.request('DELETE', pathOf(object))
      : await api.request('PATCH', pathOf(object), patch, 'application/merge-patch+json');
  const startMs = performance.now();
  if (answer.status !== 200) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
  const isRepaired = async (): Promise<boolean> => {
    const now = await cluster.read(object);
    if (now === undefined) return false;
    if (path === undefined) return uidOf(now) !== uidOf(before);
    return at(now, ...path) === at(before, ...path);
  };
  await until(`${object.kind} ${object.metadata.name} is repaired`, REPAIR_TIMEOUT_MS, isRepaired, POLL_MS);
  return performance.now() - startMs;
}
