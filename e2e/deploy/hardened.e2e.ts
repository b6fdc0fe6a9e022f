/**
 * The operator in hardened mode, with the rights of deploy/hardened/ and no others: what an administrator applies
 * beforehand is found equal and never written, and what is missing is told with the command that brings it.
 */
import { rootCertificates } from 'node:tls';
import { expect } from 'chai';
import { isAdministered } from '../../src/apply/administered.ts';
import { conditionOf, storedStatus } from '../../src/controller/resource.ts';
import { listAt, stringAt } from '../../src/model/json.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { displayRef, refOf } from '../../src/model/object.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { startOperator } from '../operator/operator-under-test.ts';
import type { OperatorUnderTest } from '../operator/operator-under-test.ts';
import { eventually, readObject, Resources } from '../operator/resources.ts';
import { printedForAdministrator } from './administrator.ts';
import { apply, deployedObjects, pathOf } from './manifests.ts';
import { operatorKubeconfig } from './operator-kubeconfig.ts';

const SPEC: JsonObject = {
  profile: 'demo',
  values: {
    defaultRevision: 'default',
    revisionTags: ['default'],
    experimental: { stableValidationPolicy: true },
  },
};

/** Any certificate that the API server takes for one. */
const CERTIFICATE = Buffer.from(rootCertificates[0] ?? '').toString('base64');

describe('the operator in hardened mode', () => {
  let plane: ControlPlane;
  let operator: OperatorUnderTest;
  let resources: Resources;
  let administered: readonly K8sObject[];

  before(async () => {
    plane = await startControlPlane();
    for (const object of await deployedObjects('hardened')) await accept(object);
    resources = new Resources(plane, 'istio-system');
    await resources.prepare();
    operator = await startOperator(
      { ...plane, kubeconfigPath: await operatorKubeconfig(plane) },
      { hardened: true },
    );
  });

  after(async () => {
    await operator.stop();
    await plane.stop();
  });

  it('says what an administrator has to apply, with the command, and writes nothing of it', async () => {
    const resource = await resources.apply('mesh', SPEC);

    const status = await resources.until('mesh', 'ACTION_REQUIRED');

    administered = await printedForAdministrator(resource);
    expect(conditionOf(status, 'Stalled')?.status).to.equal('True');
    expect(Resources.reasonOf(status)).to.equal('AwaitingAdministrator');
    expect(status.message)
      .to.contain('it is missing')
      .and.contain(
        'kubectl get istiooperator mesh -n istio-system -o yaml | istio-operator manifest generate --scope admin -f - | kubectl apply',
      );
    expect(new Set(administered.map(({ kind }) => kind))).to.deep.equal(
      new Set([
        'ClusterRole',
        'ClusterRoleBinding',
        'CustomResourceDefinition',
        'MutatingWebhookConfiguration',
        'Role',
        'RoleBinding',
        'ValidatingAdmissionPolicy',
        'ValidatingAdmissionPolicyBinding',
        'ValidatingWebhookConfiguration',
      ]),
    );
    expect(await presentOf(administered)).to.deep.equal([]);
  });

  it('becomes healthy once an administrator has applied it, and claims none of it', async () => {
    for (const object of administered) await accept(object, 'kubectl');

    const status = await resources.until('mesh', 'HEALTHY');

    expect(status.inventory.map(({ kind }) => kind)).to.include('Deployment');
    expect(status.inventory.filter(isAdministered)).to.deep.equal([]);
    for (const object of administered) expect(await writersOf(object)).not.to.include('istio-operator');
    expect(operator.complaints).to.deep.equal([]);
  });

  it('tells a changed cluster role and its field, leaves it, and is healthy when it is put back', async () => {
    const role = named('ClusterRole', 'istiod-clusterrole-istio-system');
    const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }, ...listAt(role, 'rules')];
    await accept({ ...role, rules }, 'kubectl');

    const status = await resources.until('mesh', 'ACTION_REQUIRED');
    const left = await readObject(plane, role);
    await accept(role, 'kubectl');
    await resources.until('mesh', 'HEALTHY');

    expect(Resources.reasonOf(status)).to.equal('AwaitingAdministrator');
    expect(status.message).to.contain(
      'ClusterRole istiod-clusterrole-istio-system: it differs from the plan in rules',
    );
    expect(listAt(left, 'rules')[0]).to.deep.equal(rules[0]);
    expect(await writersOf(role)).to.deep.equal(['kubectl']);
  });

  it('asks for a role that somebody deleted, and for no webhook that istiod has written into', async () => {
    const role = named('Role', 'istio-ingressgateway-sds');
    await certify(named('ValidatingWebhookConfiguration', 'istio-validator-istio-system'));
    await certify(named('MutatingWebhookConfiguration', 'istio-sidecar-injector'));
    await plane.api.request('DELETE', pathOf(role));

    const status = await resources.until('mesh', 'ACTION_REQUIRED');
    await accept(role, 'kubectl');
    await resources.until('mesh', 'HEALTHY');

    expect(status.message).to.contain('Role istio-system/istio-ingressgateway-sds: it is missing');
  });

  it('still repairs what is its own', async () => {
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'istiod', namespace: 'istio-system' },
    };
    await plane.api.request('DELETE', pathOf(service));

    await eventually('the service is back', async () => (await readObject(plane, service)) !== undefined);
    await resources.until('mesh', 'HEALTHY');
  });

  it('takes away what it applied when the resource is deleted, and says what stays and how it goes', async () => {
    const inventory = storedStatus(await resources.read('mesh'))?.inventory ?? [];

    await resources.delete('mesh');
    await resources.untilGone('mesh');

    const left = await presentOf(
      inventory.map(({ uid: _uid, apiVersion, kind, ...metadata }) => ({ apiVersion, kind, metadata })),
    );
    expect([inventory.length > 0, left]).to.deep.equal([true, []]);
    expect(await presentOf(administered)).to.have.lengthOf(administered.length);
    await eventually('the event tells the command', async () => {
      const deleted = (await resources.eventsOf('mesh')).find((event) => event.startsWith('Deleted:'));
      return deleted?.includes('kubectl delete mutatingwebhookconfigurations,') === true;
    });
    expect(resources.unsound).to.deep.equal([]);
    expect(operator.complaints).to.deep.equal([]);
  });

  it('takes an ambient mesh that a GitOps tool has created for the administrator', async () => {
    // The event of the deletion asked the administrator for that.
    for (const { apiVersion, kind, metadata } of administered.filter(isWebhook))
      await plane.api.request('DELETE', pathOf({ apiVersion, kind, metadata }));
    const resource = await resources.apply('ambient', { profile: 'ambient' });
    for (const object of await printedForAdministrator(resource)) await create(object, 'argocd-controller');

    const status = await resources.until('ambient', 'HEALTHY');
    await resources.clear();

    expect(Object.keys(status.componentStatus)).to.include.members(['Cni', 'Ztunnel']);
    expect(resources.unsound).to.deep.equal([]);
    expect(operator.complaints).to.deep.equal([]);
  });

  function isWebhook({ kind }: K8sObject): boolean {
    return kind.endsWith('WebhookConfiguration');
  }

  function named(kind: string, name: string): K8sObject {
    const found = administered.find((object) => object.kind === kind && object.metadata.name === name);
    if (found === undefined) throw new Error(`no ${kind} ${name} was printed`);
    return found;
  }

  async function presentOf(objects: readonly K8sObject[]): Promise<readonly string[]> {
    const found = await Promise.all(objects.map(async (object) => readObject(plane, object)));
    return objects
      .filter((_object, index) => found[index] !== undefined)
      .map((object) => displayRef(refOf(object)));
  }

  async function writersOf(object: K8sObject): Promise<readonly string[]> {
    const live = await readObject(plane, object);
    const managers = listAt(live, 'metadata', 'managedFields').map(
      (entry) => stringAt(entry, 'manager') ?? '',
    );
    return [...new Set(managers)].toSorted();
  }

  /** Without server-side apply, as many tools do; what is there already is made anew, but for definitions. */
  async function create(object: K8sObject, manager: string): Promise<void> {
    if (object.kind === 'CustomResourceDefinition') return accept(object, manager);
    const path = pathOf(object);
    await plane.api.request('DELETE', path);
    const collection = path.slice(0, path.lastIndexOf('/'));
    const { status, body } = await plane.api.request('POST', `${collection}?fieldManager=${manager}`, object);
    expect(status, stringAt(body, 'message')).to.equal(201);
  }

  /** Writes into a webhook what istiod writes when it has its certificate. */
  async function certify(webhook: K8sObject): Promise<void> {
    const operations = listAt(webhook, 'webhooks').flatMap((_webhook, index) => [
      { op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: CERTIFICATE },
      { op: 'add', path: `/webhooks/${index}/failurePolicy`, value: 'Fail' },
    ]);
    const path = `${pathOf(webhook)}?fieldManager=pilot-discovery`;
    const { status, body } = await plane.api.request(
      'PATCH',
      path,
      operations,
      'application/json-patch+json',
    );
    expect(status, stringAt(body, 'message')).to.equal(200);
  }

  async function accept(object: K8sObject, manager = 'e2e'): Promise<void> {
    const { status, body } = await apply(plane.api, object, '', manager);
    expect(status, `${displayRef(refOf(object))}: ${stringAt(body, 'message')}`).to.be.oneOf([200, 201]);
  }
});
