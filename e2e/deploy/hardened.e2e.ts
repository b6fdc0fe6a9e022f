/**
 * The operator in hardened mode, with the rights of deploy/hardened/ and no others: what an administrator applies
 * beforehand is found equal and never written, and what is missing is told with the command that brings it.
 */
import { expect } from 'chai';
import { isAdministered } from '../../src/apply/administered.ts';
import { conditionOf, storedStatus } from '../../src/controller/resource.ts';
import { readManifests } from '../../src/core/manifests.ts';
import { listAt, stringAt } from '../../src/model/json.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { displayRef, refOf } from '../../src/model/object.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { run } from '../cli/program.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { startOperator } from '../operator/operator-under-test.ts';
import type { OperatorUnderTest } from '../operator/operator-under-test.ts';
import { eventually, readObject, Resources } from '../operator/resources.ts';
import { apply, deployedObjects, pathOf } from './manifests.ts';
import { operatorKubeconfig } from './operator-kubeconfig.ts';

const SPEC: JsonObject = {
  profile: 'demo',
  values: { defaultRevision: 'default', experimental: { stableValidationPolicy: true } },
};

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

  it('asks for a role that somebody deleted', async () => {
    const role = named('Role', 'istio-ingressgateway-sds');
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

  it('keeps its promise to be stalled, not to be at work, while an administrator is awaited', async () => {
    for (const object of administered.filter(({ kind }) => kind === 'ClusterRole'))
      await plane.api.request('DELETE', pathOf(object));
    await resources.apply('mesh', SPEC);

    const status = await resources.until('mesh', 'ACTION_REQUIRED');
    await resources.clear();

    expect(conditionOf(status, 'Stalled')?.status).to.equal('True');
    expect(conditionOf(status, 'Reconciling')?.status).to.equal('False');
  });

  /** What the administrator's command prints for a resource. */
  async function printedForAdministrator(resource: K8sObject): Promise<readonly K8sObject[]> {
    const args = ['manifest', 'generate', '--scope', 'admin', '-f', '-'];
    const { stdout, stderr } = await run(args, JSON.stringify(resource));
    const read = readManifests(stdout, 'the printed objects');
    if (read.kind === 'invalid') throw new Error(stderr);
    return read.objects;
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

  async function accept(object: K8sObject, manager = 'e2e'): Promise<void> {
    const { status, body } = await apply(plane.api, object, '', manager);
    expect(status, `${displayRef(refOf(object))}: ${stringAt(body, 'message')}`).to.be.oneOf([200, 201]);
  }
});
