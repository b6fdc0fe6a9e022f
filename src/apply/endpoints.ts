/** Waits until the Services behind webhooks are answered: a webhook without a server refuses what it is asked about. */
import { isClusterError } from '../model/cluster-error.ts';
import type { JsonValue } from '../model/json.ts';
import { at, listAt, stringAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { namespaceOf, refOf } from '../model/object.ts';
import type { NotReady } from '../model/report.ts';
import type { BoundedRun } from './run.ts';
import { pollUntil } from './run.ts';

const ENDPOINT_SLICE = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' };

/** The Services among these objects that select pods and that webhooks among these objects call. */
export function webhookServices(objects: readonly K8sObject[]): readonly K8sObject[] {
  const called = new Set(objects.flatMap((object) => listAt(object, 'webhooks').map(serviceOf)));
  return objects.filter(
    (object) =>
      object.kind === 'Service' &&
      at(object, 'spec', 'selector') !== undefined &&
      called.has(`${namespaceOf(object) ?? ''}/${object.metadata.name}`),
  );
}

/** Gives the Services that have no ready endpoint by the deadline of the run. */
export async function waitForEndpoints(
  run: BoundedRun,
  services: readonly K8sObject[],
): Promise<readonly NotReady[]> {
  const missing: NotReady[] = [];
  for (const service of services) {
    const isAnswered = await pollUntil(run, async () =>
      (await hasEndpoint(run, service)) ? true : undefined,
    );
    if (isAnswered !== true) missing.push({ ref: refOf(service), reason: 'it has no ready endpoint yet' });
  }
  return missing;
}

/** Without the right to look, the readiness of the pods has to do. */
async function hasEndpoint(run: BoundedRun, service: K8sObject): Promise<boolean> {
  try {
    const slices = await run.cluster.list(ENDPOINT_SLICE, {
      signal: run.signal,
      namespace: namespaceOf(service) ?? '',
      labelSelector: `kubernetes.io/service-name=${service.metadata.name}`,
    });
    return slices.some((slice) => listAt(slice, 'endpoints').some(isReady));
  } catch (error) {
    if (!isClusterError(error) || error.kind === 'cancelled') throw error;
    return error.kind === 'forbidden';
  }
}

/** The API says that an unknown condition counts as ready. */
function isReady(endpoint: JsonValue): boolean {
  return at(endpoint, 'conditions', 'ready') !== false;
}

function serviceOf(webhook: JsonValue): string {
  const service = at(webhook, 'clientConfig', 'service');
  return `${stringAt(service, 'namespace') ?? ''}/${stringAt(service, 'name') ?? ''}`;
}
