/** What others put into a cluster that makes the API server refuse what the operator, or a controller for it, writes. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import type { WebhookServer } from '../cli/webhook-server.ts';
import { serveAdmission } from '../cli/webhook-server.ts';

/** Webhooks that this process serves. */
export interface Servers {
  /** Says no to everything. */
  readonly denying: WebhookServer;
  /** Takes connections and never answers. */
  readonly silentUrl: string;
  close(): Promise<void>;
}

export async function serveFaults(): Promise<Servers> {
  const denying = await serveAdmission(() => ({
    allowed: false,
    status: { message: 'frozen until Monday' },
  }));
  const silent = createServer();
  await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo; // listens on a port, not on a pipe
  return {
    denying,
    silentUrl: `https://127.0.0.1:${port}/silent`,
    close: async () => {
      silent.close();
      await denying.close();
    },
  };
}

const ADMISSION = 'admissionregistration.k8s.io/v1';

interface Hook {
  readonly kind?: 'MutatingWebhookConfiguration' | 'ValidatingWebhookConfiguration';
  readonly client: JsonObject;
  readonly resources: readonly string[];
  readonly group?: string;
  readonly operations?: readonly string[];
}

/** A webhook with failurePolicy Fail that is asked about some objects of one namespace. */
export function webhook(namespace: string, hook: Hook): K8sObject {
  const { kind = 'ValidatingWebhookConfiguration', group = 'apps', client } = hook;
  return {
    apiVersion: ADMISSION,
    kind,
    metadata: { name: `e2e-${namespace}` },
    webhooks: [
      {
        name: 'guard.example.com',
        clientConfig: client,
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: 1,
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        rules: [
          {
            apiGroups: [group],
            apiVersions: ['*'],
            resources: hook.resources,
            operations: hook.operations ?? ['CREATE', 'UPDATE'],
          },
        ],
      },
    ],
  };
}

/** A Service that no pod stands behind, and how a webhook names it. */
export function deadService(namespace: string): { readonly service: K8sObject; readonly client: JsonObject } {
  const name = 'nobody';
  return {
    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { selector: { app: 'nobody' }, ports: [{ port: 443 }] },
    },
    client: { service: { name, namespace, path: '/validate' } },
  };
}

/** An admission policy that refuses Deployments in one namespace. */
export function denyingPolicy(namespace: string): readonly K8sObject[] {
  const name = `e2e-${namespace}`;
  const policy = {
    apiVersion: ADMISSION,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: ['apps'],
            apiVersions: ['*'],
            resources: ['deployments'],
            operations: ['CREATE', 'UPDATE'],
          },
        ],
      },
      validations: [{ expression: 'false', message: 'no workloads here' }],
    },
  };
  const binding = {
    apiVersion: ADMISSION,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: {
      policyName: name,
      validationActions: ['Deny'],
      matchResources: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      },
    },
  };
  return [policy, binding];
}

export function quota(namespace: string, hard: JsonObject): K8sObject {
  return { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'e2e', namespace }, spec: { hard } };
}
