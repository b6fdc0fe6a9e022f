/** How long it takes until something that another has changed or deleted is as it was. */
import { setTimeout as delay } from 'node:timers/promises';
import { pathOf } from '../../e2e/deploy/manifests.ts';
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
const ROUNDS = 60;
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

const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'istio-ingressgateway', namespace: 'istio-system' },
} as const;
const ISTIOD = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'istiod', namespace: 'istio-system' },
} as const;
const CONFIGURATION = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'istio', namespace: 'istio-system' },
} as const;
const ROLE = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'istiod-clusterrole-istio-system' },
} as const;

/** Edits and deletions of different kinds. A field is only edited once in a round, so no field counts as contested. */
const DISTURBANCES: readonly Disturbance[] = [
  {
    object: SERVICE,
    patch: { spec: { selector: { istio: 'nobody' } } },
    path: ['spec', 'selector', 'istio'],
  },
  { object: ISTIOD, patch: { metadata: { labels: { app: 'other' } } }, path: ['metadata', 'labels', 'app'] },
  { object: CONFIGURATION, patch: { data: { mesh: 'defaultConfig: {}' } }, path: ['data', 'mesh'] },
  { object: ROLE, patch: { metadata: { labels: { app: 'other' } } }, path: ['metadata', 'labels', 'app'] },
  { object: SERVICE },
  { object: CONFIGURATION },
];

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
  for (let round = 0; round < ROUNDS; round += 1) {
    const disturbance = DISTURBANCES[round % DISTURBANCES.length];
    if (disturbance === undefined) throw new Error('there is nothing to disturb');
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
