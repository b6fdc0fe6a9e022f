/** `kube-inject` against a real API server, with a webhook of our own in the place of istiod's. */
import { expect } from 'chai';
import { readManifests } from '../../src/core/manifests.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { at, listAt, stringAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import type { Finished } from './program.ts';
import { run } from './program.ts';
import type { WebhookServer } from './webhook-server.ts';
import { serveWebhook } from './webhook-server.ts';

const LABELLED = 'inject-e2e';
const PLAIN = 'inject-e2e-plain';
const PROXY = { name: 'istio-proxy', image: 'proxyv2:1.30.3' };
const STATUS = { op: 'add', path: '/metadata/annotations', value: { 'sidecar.istio.io/status': '{}' } };

const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

function configuration({ url, caBundle }: Pick<WebhookServer, 'url' | 'caBundle'>): JsonObject {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: LABELLED, labels: { app: 'sidecar-injector' } },
    webhooks: [
      {
        name: 'namespace.sidecar-injector.istio.io',
        clientConfig: { url, caBundle },
        rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
        namespaceSelector: { matchLabels: { 'inject-e2e': 'yes' } },
        objectSelector: {
          matchExpressions: [{ key: 'sidecar.istio.io/inject', operator: 'NotIn', values: ['false'] }],
        },
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        failurePolicy: 'Fail',
      },
    ],
  };
}

const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: not-there-yet
      containers:
      - {name: web, image: "web:1"}
`;
const SERVICE = 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n';

describe('kube-inject on a real API server', () => {
  let plane: ControlPlane;
  let webhook: WebhookServer;

  before(async () => {
    plane = await sharedControlPlane();
    webhook = await serveWebhook(() => [{ op: 'add', path: '/spec/containers/0', value: PROXY }, STATUS]);
    for (const [name, labels] of [
      [LABELLED, { 'inject-e2e': 'yes' }],
      [PLAIN, {}],
    ] as const) {
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
      await plane.api.request('POST', '/api/v1/namespaces', namespace);
      const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
      await plane.api.request('POST', `/api/v1/namespaces/${name}/serviceaccounts`, account);
    }
    await plane.api.request('POST', WEBHOOKS, configuration(webhook));
    await untilInjecting();
  });

  after(async () => {
    await plane.api.request('DELETE', `${WEBHOOKS}/${LABELLED}`);
    await plane.api.request('DELETE', `/api/v1/namespaces/${LABELLED}`);
    await plane.api.request('DELETE', `/api/v1/namespaces/${PLAIN}`);
    await webhook.close();
  });

  const inject = async (input: string, namespace: string, ...more: readonly string[]): Promise<Finished> =>
    run(['kube-inject', '-f', '-', '-n', namespace, '--kubeconfig', plane.kubeconfigPath, ...more], input);

  /** The API server learns of a new webhook a moment later. */
  async function untilInjecting(): Promise<void> {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'probe' },
      spec: { containers: [{ name: 'a', image: 'a' }] },
    };
    while (webhook.pods.length === 0) {
      await plane.api.request('POST', `/api/v1/namespaces/${LABELLED}/pods?dryRun=All`, pod);
    }
  }

  it("adds just what the webhook adds, and leaves the rest of the author's file alone", async () => {
    const { exitCode, stdout, stderr } = await inject(`${DEPLOYMENT}---\n${SERVICE}`, LABELLED);

    expect(stderr).to.equal('');
    expect(exitCode).to.equal(0);
    const [deployment, service] = objectsIn(stdout);
    const template = at(deployment, 'spec', 'template');
    expect(at(template, 'metadata')).to.deep.equal({
      labels: { app: 'web' },
      annotations: { 'sidecar.istio.io/status': '{}' },
    });
    expect(at(template, 'spec', 'serviceAccountName')).to.equal('not-there-yet');
    expect(listAt(template, 'spec', 'containers').map((each) => stringAt(each, 'name'))).to.deep.equal([
      'istio-proxy',
      'web',
    ]);
    expect(at(template, 'spec', 'containers', 1)).to.deep.equal({ name: 'web', image: 'web:1' });
    expect(Object.keys(at(template, 'spec') as JsonObject)).to.have.members([
      'serviceAccountName',
      'containers',
    ]);
    expect(service?.kind).to.equal('Service');
  });

  it('shows the webhook a pod by which istiod finds the Deployment, and stores nothing', async () => {
    await inject(DEPLOYMENT, LABELLED);

    const pod = webhook.pods.at(-1);
    const hash = stringAt(pod, 'metadata', 'labels', 'pod-template-hash');
    expect(stringAt(pod, 'metadata', 'generateName')).to.equal(`web-${hash}-`);
    expect(at(pod, 'metadata', 'ownerReferences', 0)).to.include({ kind: 'ReplicaSet', name: `web-${hash}` });
    const { body } = await plane.api.request('GET', `/api/v1/namespaces/${LABELLED}/pods`);
    expect(listAt(body, 'items')).to.deep.equal([]);
  });

  it('prints JSON when asked to', async () => {
    const { stdout } = await inject(DEPLOYMENT, LABELLED, '-o', 'json');

    expect(JSON.parse(stdout)).to.have.property('kind', 'Deployment');
  });

  it('leaves a workload that does not want to be injected, and says so', async () => {
    const unwilling = DEPLOYMENT.replace(
      '{app: web}}\n    spec',
      '{app: web, sidecar.istio.io/inject: "false"}}\n    spec',
    );

    const { exitCode, stdout, stderr } = await inject(unwilling, LABELLED);

    expect(exitCode).to.equal(0);
    expect(stderr).to.contain('Deployment web is left as it is: it says sidecar.istio.io/inject: "false"');
    expect(listAt(objectsIn(stdout)[0], 'spec', 'template', 'spec', 'containers')).to.have.length(1);
  });

  it('prints nothing and tells what is missing when no webhook minds the namespace', async () => {
    const { exitCode, stdout, stderr } = await inject(DEPLOYMENT, PLAIN);

    expect([exitCode, stdout]).to.deep.equal([1, '']);
    expect(stderr).to.contain('IOP633').and.contain('has no label that asks for injection');
  });

  it('tells a namespace that is not there', async () => {
    const { exitCode, stderr } = await inject(DEPLOYMENT, 'inject-e2e-nowhere');

    expect(exitCode).to.equal(1);
    expect(stderr).to.contain('IOP631').and.contain('kubectl create namespace inject-e2e-nowhere');
  });

  it('tells which webhook cannot be reached', async () => {
    const gone = await serveWebhook(() => []);
    await gone.close();
    await plane.api.request('DELETE', `${WEBHOOKS}/${LABELLED}`);
    await plane.api.request('POST', WEBHOOKS, configuration(gone));
    try {
      const { exitCode, stderr } = await untilRefused();

      expect(exitCode).to.equal(1);
      expect(stderr).to.contain('IOP631').and.contain('namespace.sidecar-injector.istio.io');
    } finally {
      await plane.api.request('DELETE', `${WEBHOOKS}/${LABELLED}`);
      await plane.api.request('POST', WEBHOOKS, configuration(webhook));
    }
  });

  async function untilRefused(): Promise<Finished> {
    for (;;) {
      const finished = await inject(DEPLOYMENT, LABELLED);
      if (finished.exitCode !== 0 && finished.stderr.includes('IOP631')) return finished;
    }
  }

  it('tells that there is no cluster', async () => {
    const { exitCode, stdout } = await run(['kube-inject', '-f', '-'], DEPLOYMENT);

    expect([exitCode, stdout]).to.deep.equal([1, '']);
  });
});

function objectsIn(text: string): readonly K8sObject[] {
  const read = readManifests(text, 'output');
  return read.kind === 'read' ? read.objects : [];
}
