/** Identities of their own in the API server, so that the audit log and RBAC can tell who did what. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../src/model/json.ts';
import { stringAt } from '../../src/model/json.ts';
import type { Api } from '../control-plane/api.ts';
import { connectApi } from '../control-plane/api.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';

export interface Account {
  readonly namespace: string;
  readonly name: string;
}

/** The name under which the API server knows it. */
export function userNameOf({ namespace, name }: Account): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** Makes the account, and its namespace, if they are not there. It has no rights yet. */
export async function createAccount(plane: ControlPlane, { namespace, name }: Account): Promise<void> {
  await plane.api.request('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  await plane.api.request('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } });
}

/** Lets an account do everything. The binding outlives the account: whoever makes it deletes it. */
export async function makeAdministrator(plane: ControlPlane, account: Account): Promise<JsonObject> {
  const binding = {
    metadata: { name: `e2e-${account.namespace}-${account.name}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  };
  await plane.api.request('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', binding);
  return binding;
}

async function tokenOf(plane: ControlPlane, { namespace, name }: Account): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const { status, body } = await plane.api.request('POST', path, request);
  const token = stringAt(body, 'status', 'token');
  if (token === undefined) throw new Error(`no token for ${name}: ${status} ${JSON.stringify(body)}`);
  return token;
}

/** Calls as that account. */
export async function connectAs(plane: ControlPlane, account: Account): Promise<Api> {
  return connectApi({ ...plane, token: await tokenOf(plane, account) });
}

/** The path of a kubeconfig of that account; `server` when it is to be reached by another way. */
export async function writeKubeconfig(
  plane: ControlPlane,
  account: Account,
  server: string = plane.server,
): Promise<string> {
  const certificate = Buffer.from(plane.certificateAuthority).toString('base64');
  const name = 'e2e';
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': certificate } }],
    users: [{ name, user: { token: await tokenOf(plane, account) } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  const path = join(plane.directory, `${account.namespace}-${account.name}.kubeconfig`);
  await writeFile(path, JSON.stringify(kubeconfig), { mode: 0o600 });
  return path;
}
