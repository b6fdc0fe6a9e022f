/** The operator's own view of a cluster into which deploy/ was applied. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringAt } from '../../src/model/json.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';

/** The path of a kubeconfig with a token of the operator's ServiceAccount. */
export async function operatorKubeconfig(plane: ControlPlane): Promise<string> {
  const path = '/api/v1/namespaces/istio-operator/serviceaccounts/istio-operator/token';
  const { body } = await plane.api.request('POST', path, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {},
  });
  const certificate = Buffer.from(plane.certificateAuthority).toString('base64');
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'e2e', cluster: { server: plane.server, 'certificate-authority-data': certificate } }],
    users: [{ name: 'operator', user: { token: stringAt(body, 'status', 'token') ?? '' } }],
    contexts: [{ name: 'e2e', context: { cluster: 'e2e', user: 'operator' } }],
    'current-context': 'e2e',
  };
  const file = join(plane.directory, 'operator.kubeconfig');
  await writeFile(file, JSON.stringify(kubeconfig), { mode: 0o600 });
  return file;
}
