/** How the operator bears many resources in a cluster that is full of other people's objects. */
import { setTimeout as delay } from 'node:timers/promises';
import type { JsonObject } from '../../src/model/json.ts';
import { OPERATOR_NAMESPACE, namespaceOf, openBenchCluster, resourceOf } from './cluster/bench-cluster.ts';
import type { BenchCluster } from './cluster/bench-cluster.ts';
import { startMeasured, until } from './cluster/operator-process.ts';
import type { MeasuredOperator, OperatorSettings } from './cluster/operator-process.ts';
import type { Figure } from './figure.ts';

const FOREIGN = { secrets: 10_000, pods: 5_000 } as const;
const FOREIGN_NAMESPACE = 'others';
const COUNTS = [1, 100, 300] as const;
const TIMEOUT_MS = 900_000;
const SETTLE_MS = 15_000;
const CONCURRENCY = 16;

/**
 * Each resource is a gateway in a namespace of its own, next to one control plane: what an organization with many
 * teams has.
 */
export async function manyFigures(program: string): Promise<readonly Figure[]> {
  const cluster = await openBenchCluster();
  try {
    await fillWithForeignObjects(cluster);
    const settings = { program, namespace: OPERATOR_NAMESPACE };
    const first = await startMeasured(cluster.plane, settings);
    const grown = await growthFigures(cluster, first).finally(() => first.stop());
    return [...grown, ...(await coldStartFigures(cluster, settings))];
  } finally {
    await cluster.close();
  }
}

async function growthFigures(cluster: BenchCluster, operator: MeasuredOperator): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  let made = 0;
  for (const count of COUNTS) {
    const startMs = performance.now();
    for (; made < count; made += 1) await createTeam(cluster, made);
    await cluster.untilHealthy(count, TIMEOUT_MS);
    const seconds = (performance.now() - startMs) / 1000;
    await delay(SETTLE_MS);
    const { residentMib, peakMib } = await operator.memory();
    const with_ = `with ${count} ${count === 1 ? 'resource' : 'resources'}`;
    figures.push(
      { what: `${with_}, all made and healthy`, value: seconds, unit: 's' },
      { what: `${with_}, resident at rest`, value: residentMib, unit: 'MiB', target: 110 },
      { what: `${with_}, resident at most`, value: peakMib, unit: 'MiB', target: 180 },
    );
  }
  return figures;
}

async function coldStartFigures(
  cluster: BenchCluster,
  settings: OperatorSettings,
): Promise<readonly Figure[]> {
  const count = Math.max(...COUNTS);
  const startMs = performance.now();
  const operator = await startMeasured(cluster.plane, settings);
  try {
    const verified = async (): Promise<boolean> =>
      (await operator.counter('controller_runtime_reconcile_total', SUCCESS)) >= count;
    await until('all resources are verified', TIMEOUT_MS, verified, 100);
    const seconds = (performance.now() - startMs) / 1000;
    return [
      { what: `cold start until ${count} resources are verified`, value: seconds, unit: 's', target: 120 },
    ];
  } finally {
    await operator.stop();
  }
}

const SUCCESS = { name: 'result', value: 'success' } as const;

async function createTeam(cluster: BenchCluster, index: number): Promise<void> {
  if (index === 0) return cluster.create(resourceOf('mesh', 'istio-system', { profile: 'minimal' }));
  const namespace = `team-${index}`;
  await cluster.create(namespaceOf(namespace));
  await cluster.create(resourceOf('gateway', namespace, gatewaySpec(index)));
}

function gatewaySpec(index: number): JsonObject {
  const name = `gateway-${index}`;
  return {
    profile: 'empty',
    components: {
      ingressGateways: [{ name, namespace: `team-${index}`, enabled: true, label: { istio: name } }],
    },
  };
}

/** Secrets and pods that are no business of the operator: it must not even keep their names. */
async function fillWithForeignObjects({ plane, create }: BenchCluster): Promise<void> {
  await create(namespaceOf(FOREIGN_NAMESPACE));
  const account = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: FOREIGN_NAMESPACE },
  };
  await create(account);
  const path = `/api/v1/namespaces/${FOREIGN_NAMESPACE}`;
  await posted(FOREIGN.secrets, async (index) =>
    plane.api.request('POST', `${path}/secrets`, {
      metadata: { name: `secret-${index}` },
      stringData: { content: 'x'.repeat(500) },
    }),
  );
  await posted(FOREIGN.pods, async (index) =>
    plane.api.request('POST', `${path}/pods`, {
      metadata: { name: `pod-${index}`, labels: { app: `app-${index % 100}` } },
      spec: { schedulerName: 'nobody', containers: [{ name: 'main', image: 'app' }] },
    }),
  );
}

async function posted(count: number, post: (index: number) => Promise<{ status: number }>): Promise<void> {
  const indices = Array.from({ length: count }, (_, index) => index).values();
  const worker = async (): Promise<void> => {
    for (const index of indices) {
      const { status } = await post(index);
      if (status !== 201) throw new Error(`a foreign object was refused with ${status}`);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}
