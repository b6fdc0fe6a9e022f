/** The operator must not do for a tenant what the tenant may not do itself. */
import { expect } from 'chai';
import { stringAt } from '../../src/model/json.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { displayRef, refOf, uidOf } from '../../src/model/object.ts';
import type { K8sObject } from '../../src/model/object.ts';
import type { Api } from '../control-plane/api.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { apply, deployedObjects } from '../deploy/manifests.ts';
import type { OperatorUnderTest } from '../operator/operator-under-test.ts';
import { startOperator } from '../operator/operator-under-test.ts';
import { eventually, readObject, Resources } from '../operator/resources.ts';
import { deputyAttempts } from './deputy-attempts.ts';
import { readFaultRun } from './fault-run.ts';
import { recordProof } from './figures.ts';
import { deedsOf } from './leadership.ts';
import { connectAs, createAccount, userNameOf, writeKubeconfig } from './service-accounts.ts';

const TENANT = { namespace: 'tenant', name: 'developer' };
const OPERATOR = { namespace: 'istio-operator', name: 'istio-operator' };
const COLLECTION = `/apis/install.istio.io/v1alpha1/namespaces/${TENANT.namespace}/istiooperators`;

/** All rights on the group in one namespace, as a careless administrator would give them. */
const TENANT_RIGHTS: readonly K8sObject[] = [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: TENANT,
    rules: [{ apiGroups: ['install.istio.io'], resources: ['*'], verbs: ['*'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: TENANT,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: TENANT.name },
    subjects: [{ kind: 'ServiceAccount', ...TENANT }],
  },
];

const VICTIM: K8sObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'of-somebody-else', namespace: 'istio-system' },
  data: { key: 'value' },
};

describe('a tenant who may write IstioOperators and not escalate', () => {
  let plane: ControlPlane;
  let operator: OperatorUnderTest;
  let resources: Resources;
  let tenant: Api;
  let victim: JsonObject;

  before(async () => {
    plane = await startControlPlane({ audit: true });
    for (const object of await deployedObjects()) await accept(object);
    await createAccount(plane, TENANT);
    for (const object of TENANT_RIGHTS) await accept(object);
    resources = new Resources(plane, TENANT.namespace);
    await resources.prepare();
    operator = await startOperator({ ...plane, kubeconfigPath: await writeKubeconfig(plane, OPERATOR) });
    tenant = await connectAs(plane, TENANT);
    await accept(VICTIM);
    const { namespace, name } = VICTIM.metadata;
    victim = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace: namespace ?? '',
      name,
      uid: uidOf((await readObject(plane, VICTIM)) ?? VICTIM) ?? '',
    };
    await resources.apply('mesh', { profile: 'empty' });
    await resources.until('mesh', 'HEALTHY');
    await eventually('the policies are enforced', async () => {
      const { status } = await tenant.request(
        'PATCH',
        `${COLLECTION}/mesh/status?dryRun=All`,
        { status: { version: '1' } },
        'application/merge-patch+json',
      );
      return status === 403;
    });
  });

  after(async () => {
    await tenant?.close();
    await operator?.stop();
    await plane?.stop();
  });

  async function accept(object: K8sObject): Promise<void> {
    const { status, body } = await apply(plane.api, object);
    expect(status, `${displayRef(refOf(object))}: ${stringAt(body, 'message')}`).to.be.oneOf([200, 201]);
  }

  it('is refused in every attempt, and moves the operator to nothing', async () => {
    const attempts = deputyAttempts(victim);
    const before = await deedsOf(plane, [userNameOf(OPERATOR)]);
    const stored = await resources.read('mesh');
    const refused: string[] = [];
    for (const { gain, method, path, body, contentType } of attempts) {
      const { status, body: answer } = await tenant.request(
        method,
        `${COLLECTION}${path}`,
        body,
        contentType,
      );
      if (status === 403 && stringAt(answer, 'message')?.includes('may not write') === true)
        refused.push(gain);
    }

    const after = await deedsOf(plane, [userNameOf(OPERATOR)]);

    await recordProof(readFaultRun(process.env), 'deputy', {
      counts: { attempts: attempts.length, refused: refused.length },
      isMet: attempts.length === 25 && refused.length === attempts.length,
    });
    expect(refused).to.deep.equal(attempts.map(({ gain }) => gain));
    expect(after).to.deep.equal(before);
    expect(await resources.read('mesh')).to.deep.equal(stored);
  });

  it('may still set what steers nothing: labels, and annotations of others', async () => {
    const body = { metadata: { labels: { team: 'a' }, annotations: { 'example.com/note': 'b' } } };

    const { status } = await tenant.request(
      'PATCH',
      `${COLLECTION}/mesh`,
      body,
      'application/merge-patch+json',
    );

    expect(status).to.equal(200);
  });

  it('could not have others deleted by an inventory even where no policy guards the status', async () => {
    await resources.apply('forged', { profile: 'empty' });
    await resources.until('forged', 'HEALTHY');
    const forged = { status: { inventory: [victim] } };
    await plane.api.request('PATCH', `${COLLECTION}/forged/status`, forged, 'application/merge-patch+json');

    await resources.delete('forged');
    await resources.untilGone('forged');

    expect(await readObject(plane, VICTIM)).to.not.equal(undefined);
  });
});
