/** Installs everything of the operator but its Deployment, whose image exists only after a build; it runs here instead. */
import { loadAssets } from '../../src/assets/load.ts';
import { listAt, stringAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { readinessOf } from '../../src/apply/readiness.ts';
import { refOf } from '../../src/model/object.ts';
import { systemClock } from '../../src/cluster/system-clock.ts';
import type { Playground } from './playground.ts';
import type { Talk } from './talk.ts';

/** What the operator's process needs to act as its service account. */
export interface OperatorAccess {
  readonly server: string;
  readonly certificateAuthority: string | undefined;
  readonly token: string;
  /** Variables of the operator's Deployment, such as its limits of memory and of what may become code. */
  readonly environment: Readonly<Record<string, string>>;
}

const NAMESPACE = 'istio-operator';
/** Kinds that only matter to a pod of the operator. */
const ONLY_IN_PODS = new Set(['Deployment', 'PodDisruptionBudget', 'Service']);

export async function installOperator(
  talk: Talk,
  playground: Playground,
  signal: AbortSignal,
): Promise<OperatorAccess> {
  talk.say(talk.style('bold', 'Operator'));
  const { deployment } = await loadAssets();
  const objects = deployment.filter(({ kind }) => !ONLY_IN_PODS.has(kind));
  for (const object of objects) {
    const stored = await playground.cluster.apply(object, { signal, force: true });
    if (object.kind === 'CustomResourceDefinition') await untilReady(playground, stored, signal);
  }
  talk.say(
    `  applied ${objects.length} objects of deploy/: the IstioOperator kind and the operator's rights`,
  );
  return { ...(await accessOf(playground, signal)), environment: environmentOf(deployment) };
}

/** Variables of the operator's Deployment that hold a value of their own, and not the pod's. */
function environmentOf(deployment: readonly K8sObject[]): Readonly<Record<string, string>> {
  const pod = deployment.find(({ kind }) => kind === 'Deployment');
  const [container] = listAt(pod, 'spec', 'template', 'spec', 'containers');
  const variables = listAt(container, 'env').flatMap((variable) => {
    const value = stringAt(variable, 'value');
    return value === undefined ? [] : [[stringAt(variable, 'name') ?? '', value] as const];
  });
  return Object.fromEntries(variables);
}

async function untilReady({ cluster }: Playground, object: K8sObject, signal: AbortSignal): Promise<void> {
  for (
    let live: K8sObject | undefined = object;
    !signal.aborted;
    live = await cluster.get(refOf(object), { signal })
  ) {
    if (live !== undefined && readinessOf(live).kind === 'ready') return;
    await systemClock.sleep(100, signal);
  }
}

/** The operator gets the rights of deploy/rbac.yaml and no others: a token of its service account. */
async function accessOf(
  { transport, credentials }: Playground,
  signal: AbortSignal,
): Promise<Omit<OperatorAccess, 'environment'>> {
  const request = await transport.request({
    method: 'POST',
    path: `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${NAMESPACE}/token`,
    verb: 'create',
    body: {
      contentType: 'application/json',
      json: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 86_400 },
      },
    },
    signal,
  });
  const token = stringAt(request, 'status', 'token');
  if (token === undefined) throw new Error('the API server issued no token for the operator');
  const { tls } = await credentials.access();
  return { server: credentials.server, certificateAuthority: tls.ca, token };
}
