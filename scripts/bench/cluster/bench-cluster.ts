/** A control plane for measuring, with what every measurement needs in it. */
import { apply, pathOf, readObjects } from '../../../e2e/deploy/manifests.ts';
import { startControlPlane } from '../../../e2e/control-plane/control-plane.ts';
import type { ControlPlane } from '../../../e2e/control-plane/control-plane.ts';
import { storedStatus, generationOf } from '../../../src/controller/resource.ts';
import type { JsonObject, JsonValue } from '../../../src/model/json.ts';
import { listAt } from '../../../src/model/json.ts';
import { isK8sObject } from '../../../src/model/object.ts';
import type { K8sObject } from '../../../src/model/object.ts';
import { until } from './operator-process.ts';

export const OPERATOR_NAMESPACE = 'istio-operator';
const RESOURCES = '/apis/install.istio.io/v1alpha1/istiooperators';
/** How many calls are under way at a time when many objects are made. */
const CONCURRENCY = 16;

export interface BenchCluster {
  readonly plane: ControlPlane;
  create(object: K8sObject): Promise<void>;
  /** Many of them, several at a time. */
  createAll(objects: readonly K8sObject[]): Promise<void>;
  read(object: K8sObject): Promise<K8sObject | undefined>;
  resources(): Promise<readonly K8sObject[]>;
  /** Resolves when so many resources are HEALTHY in their present generation. */
  untilHealthy(count: number, timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Starts it with an audit log, the IstioOperator kind, and the namespaces of operator and control plane. */
export async function openBenchCluster(): Promise<BenchCluster> {
  const plane = await startControlPlane({ audit: true });
  const cluster = clusterOn(plane);
  try {
    for (const object of await readObjects('crd.yaml')) await cluster.create(object);
    for (const name of [OPERATOR_NAMESPACE, 'istio-system']) await cluster.create(namespaceOf(name));
    await until('the definition is served', 30_000, async () => {
      return (await plane.api.request('GET', RESOURCES)).status === 200;
    });
    return cluster;
  } catch (error) {
    await plane.stop();
    throw error;
  }
}

export function namespaceOf(name: string): K8sObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

export function resourceOf(name: string, namespace: string, spec: JsonObject): K8sObject {
  return {
    apiVersion: 'install.istio.io/v1alpha1',
    kind: 'IstioOperator',
    metadata: { name, namespace },
    spec,
  };
}

function clusterOn(plane: ControlPlane): BenchCluster {
  const create = async (object: K8sObject): Promise<void> => {
    const { status, body } = await apply(plane.api, object);
    if (status !== 200 && status !== 201) throw new Error(`${status}: ${JSON.stringify(body)}`);
  };
  const resources = async (): Promise<readonly K8sObject[]> =>
    listAt((await plane.api.request('GET', RESOURCES)).body, 'items').map(itemOf);
  return {
    plane,
    create,
    createAll: async (objects) => {
      const queue = objects.values();
      const worker = async (): Promise<void> => {
        for (const object of queue) await create(object);
      };
      await Promise.all(Array.from({ length: CONCURRENCY }, worker));
    },
    read: async (object) => {
      const { status, body } = await plane.api.request('GET', pathOf(object));
      return status === 200 && isK8sObject(body) ? body : undefined;
    },
    resources,
    untilHealthy: (count, timeoutMs) =>
      until(
        `${count} resources are healthy`,
        timeoutMs,
        async () => (await resources()).filter(isHealthy).length >= count,
        count > 1 ? 500 : 20,
      ),
    close: () => plane.stop(),
  };
}

function isHealthy(resource: K8sObject): boolean {
  const status = storedStatus(resource);
  return status?.status === 'HEALTHY' && status.observedGeneration === generationOf(resource);
}

/** Items of a list carry no kind of their own. */
function itemOf(item: JsonValue): K8sObject {
  return {
    ...(item as JsonObject),
    apiVersion: 'install.istio.io/v1alpha1',
    kind: 'IstioOperator',
  } as unknown as K8sObject; // the API server lists nothing else under this path
}
