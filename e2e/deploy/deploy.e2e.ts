/** What `kubectl apply -k deploy` puts into a cluster, and what the operator may and may not do with it. */
import { expect } from 'chai';
import { loadAssets } from '../../src/assets/load.ts';
import { createPlanner } from '../../src/core/plan.ts';
import { printDiagnostic } from '../../src/model/diagnostic.ts';
import { at, mapAt, stringAt } from '../../src/model/json.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { displayRef, identityOf, refOf } from '../../src/model/object.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { objectsOf } from '../../src/model/plan.ts';
import { connectApi } from '../control-plane/api.ts';
import type { Api, ApiResponse } from '../control-plane/api.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { eventually } from '../operator/resources.ts';
import { apply, deployedObjects, pathOf, readObjects } from './manifests.ts';

const RBAC = 'rbac.authorization.k8s.io';

const EVERYTHING: JsonObject = {
  global: { networkPolicy: { enabled: true } },
  experimental: { stableValidationPolicy: true },
  cni: { resourceQuotas: { enabled: true } },
  ztunnel: { resourceQuotas: { enabled: true } },
  gateways: { 'istio-ingressgateway': { autoscaleEnabled: true, autoscaleMin: 2 } },
  defaultRevision: 'default',
  revisionTags: ['default'],
};

/** The question of a SelfSubjectAccessReview. */
interface Access {
  readonly verb: string;
  readonly resource: string;
  readonly group?: string;
  readonly subresource?: string;
  readonly name?: string;
  readonly namespace?: string;
}

describe('kubectl apply -k deploy', () => {
  let plane: ControlPlane;
  let objects: readonly K8sObject[];

  // A control plane of its own: the admission policy would reach into the other suites.
  before(async () => {
    plane = await startControlPlane();
    objects = await deployedObjects();
    for (const object of objects) await accept(object);
  });

  after(async () => {
    await plane.stop();
  });

  it('is accepted as it is, and again', async () => {
    for (const object of objects) {
      const { status } = await apply(plane.api, object);
      expect(status, displayRef(refOf(object))).to.equal(200);
    }
  });

  it('runs the operator in a namespace that lets no less restricted pod in', async () => {
    const deployment = objects.find((object) => object.kind === 'Deployment');
    const pod = podOf(deployment);
    const spec = mapAt(pod, 'spec');

    const accepted = await apply(plane.api, pod, '&dryRun=All');
    const refused = await apply(plane.api, { ...pod, spec: { ...spec, hostNetwork: true } }, '&dryRun=All');

    expect(accepted.status, stringAt(accepted.body, 'message')).to.equal(201);
    expect(refused.status).to.equal(403);
    expect(stringAt(refused.body, 'message')).to.contain('violates PodSecurity "restricted');
  });

  for (const sample of ['demo', 'minimal', 'gateways', 'canary']) {
    it(`accepts the sample ${sample}`, async () => {
      for (const object of await readObjects(`samples/${sample}.yaml`)) await accept(object);
    });
  }

  it('accepts the optional network policy', async () => {
    for (const object of await readObjects('optional/network-policy.yaml')) await accept(object);
  });

  describe('the operator', () => {
    let operator: Api;

    before(async () => {
      operator = await connectAs('istio-operator', 'istio-operator');
    });

    after(async () => {
      await operator.close();
    });

    const ALLOWED: readonly Access[] = [
      { group: 'install.istio.io', resource: 'istiooperators', verb: 'watch' },
      { group: 'install.istio.io', resource: 'istiooperators', subresource: 'status', verb: 'patch' },
      { group: 'apps', resource: 'deployments', verb: 'list' },
      { group: 'apps', resource: 'deployments', verb: 'create', namespace: 'istio-system', name: 'edge' },
      { group: 'coordination.k8s.io', resource: 'leases', verb: 'update', namespace: 'istio-operator' },
      { group: 'coordination.k8s.io', resource: 'leases', verb: 'watch', namespace: 'istio-operator' },
      { group: RBAC, resource: 'clusterroles', verb: 'escalate', name: 'istiod-clusterrole-istio-system' },
      { group: RBAC, resource: 'clusterroles', verb: 'bind', name: 'istio-cni' },
      // Who uses a control plane is counted before it is deleted.
      { resource: 'pods', verb: 'list' },
      { group: 'events.k8s.io', resource: 'events', verb: 'create', namespace: 'elsewhere' },
    ];
    const DENIED: readonly Access[] = [
      { resource: 'secrets', verb: 'list' },
      { resource: 'secrets', verb: 'get', namespace: 'kube-system', name: 'any' },
      { resource: 'pods', verb: 'watch' },
      { resource: 'pods', verb: 'get', namespace: 'elsewhere', name: 'any' },
      { resource: 'pods', subresource: 'exec', verb: 'create', namespace: 'istio-system' },
      { resource: 'serviceaccounts', verb: 'impersonate' },
      { resource: 'namespaces', verb: 'delete', name: 'istio-system' },
      { group: 'apps', resource: 'deployments', verb: 'create', namespace: 'elsewhere', name: 'edge' },
      { group: RBAC, resource: 'clusterroles', verb: 'escalate' },
      { group: RBAC, resource: 'clusterroles', verb: 'bind', name: 'cluster-admin' },
      { group: RBAC, resource: 'roles', verb: 'escalate', namespace: 'istio-system' },
      { group: RBAC, resource: 'roles', verb: 'bind', namespace: 'istio-system', name: 'of-somebody-else' },
      { group: 'install.istio.io', resource: 'istiooperators', verb: 'delete', namespace: 'istio-system' },
      {
        group: 'apiextensions.k8s.io',
        resource: 'customresourcedefinitions',
        verb: 'delete',
        name: 'gateways.networking.istio.io',
      },
      {
        group: 'admissionregistration.k8s.io',
        resource: 'mutatingwebhookconfigurations',
        verb: 'patch',
        name: 'of-somebody-else',
      },
    ];

    for (const [attributes, expected] of [
      ...ALLOWED.map((allowed) => [allowed, true] as const),
      ...DENIED.map((denied) => [denied, false] as const),
    ]) {
      it(`${expected ? 'may' : 'may not'} ${describeAccess(attributes)}`, async () => {
        expect(await may(operator, attributes)).to.equal(expected);
      });
    }

    it('installs and removes all that is rendered for the default revision', async () => {
      const rendered = await renderedObjects();
      for (const object of rendered) {
        const { status, body } = await apply(operator, object);
        expect(status, `${displayRef(refOf(object))}: ${stringAt(body, 'message')}`).to.be.oneOf([200, 201]);
      }

      for (const object of rendered.toReversed()) {
        const { status } = await operator.request('DELETE', pathOf(object));
        const isDefinition = object.kind === 'CustomResourceDefinition';
        expect(status, displayRef(refOf(object))).to.equal(isDefinition ? 403 : 200);
      }
    });

    it('installs a gateway of any name in the namespace of the control plane', async () => {
      expect((await apply(operator, gatewayRole('edge'))).status).to.equal(201);

      // The authorizer sees a new Role a moment after it was stored.
      await eventually('the role is bound', async () => {
        const { status } = await apply(operator, gatewayRoleBinding('edge'));
        return status === 201;
      });
    });

    it('cannot make a role that holds more than a gateway or istiod needs', async () => {
      const role = gatewayRole('enlarged');
      const rules = [{ apiGroups: [''], resources: ['pods/exec'], verbs: ['create'] }];

      const { status, body } = await apply(operator, { ...role, rules });

      expect(status).to.equal(403);
      expect(stringAt(body, 'message')).to.contain('attempting to grant RBAC permissions not currently held');
    });

    it('writes the cluster role of istiod, with more rights than its own', async () => {
      const role = clusterRole('istiod-clusterrole-istio-system', [
        { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] },
        { apiGroups: ['networking.istio.io'], resources: ['*'], verbs: ['get', 'list', 'watch'] },
      ]);
      const binding = clusterRoleBinding(role.metadata.name, role.metadata.name);

      for (const object of [role, binding]) {
        const { status, body } = await apply(operator, object);
        expect(status, stringAt(body, 'message')).to.equal(201);
      }
    });

    it('gets nowhere with another cluster role', async () => {
      const attempts = [
        clusterRole('evil', []),
        clusterRole('istio-operator', []),
        clusterRoleBinding('evil', 'cluster-admin'),
        clusterRoleBinding('istio-cni', 'cluster-admin'),
        gatewayRole('edge', 'kube-system'),
      ];

      for (const attempt of attempts) {
        const { status } = await apply(operator, attempt);
        expect(status, displayRef(refOf(attempt))).to.equal(403);
      }
    });
  });

  describe('whoever writes an IstioOperator', () => {
    const TENANT = 'tenant-a';
    let tenant: Api;

    before(async () => {
      for (const object of tenantObjects(TENANT)) await accept(object);
      tenant = await connectAs(TENANT, 'developer');
      await eventually('the policy is enforced', async () => {
        const { status } = await createResource(tenant, TENANT, {}, '?dryRun=All');
        return status === 403;
      });
    });

    after(async () => {
      await tenant.close();
    });

    it('must be allowed to escalate cluster roles', async () => {
      const refused = await createResource(tenant, TENANT, { profile: 'demo' });

      expect(refused.status).to.equal(403);
      expect(stringAt(refused.body, 'message')).to.contain(
        'system:serviceaccount:tenant-a:developer may not write IstioOperators',
      );
    });

    it('may set labels without that right, but not the specification', async () => {
      const path = `${resourcesIn(TENANT)}/mesh`;
      expect((await createResource(plane.api, TENANT, { profile: 'empty', tag: '1.30' })).status).to.equal(
        201,
      );

      const labelled = await merge(tenant, path, { metadata: { labels: { team: 'a' } } });
      const changed = await merge(tenant, path, { spec: { profile: 'demo' } });
      const hidden = await merge(tenant, path, { spec: { unknownField: { a: 1 } } });
      const emptied = await merge(tenant, path, { spec: null });

      expect(labelled.status).to.equal(200);
      expect([changed.status, hidden.status, emptied.status]).to.deep.equal([403, 403, 403]);
    });

    it('may take the last annotation away, also where the file still has an empty map of them', async () => {
      const pausedWith = (annotations: JsonObject): Promise<ApiResponse> =>
        apply(plane.api, {
          apiVersion: 'install.istio.io/v1alpha1',
          kind: 'IstioOperator',
          metadata: { name: 'paused', namespace: TENANT, annotations },
          spec: { profile: 'empty' },
        });

      const paused = await pausedWith({ 'install.istio.io/ignoreReconcile': 'true' });
      const resumed = await pausedWith({});
      const again = await pausedWith({ 'install.istio.io/ignoreReconcile': 'true' });

      expect([paused.status, resumed.status, again.status]).to.deep.equal([201, 200, 200]);
    });

    it('lets the operator set a finalizer and the status, but not the specification', async () => {
      const operator = await connectAs('istio-operator', 'istio-operator');
      const path = `${resourcesIn(TENANT)}/mesh`;

      const finalizer = await merge(operator, path, {
        metadata: { finalizers: ['istio-finalizer.install.istio.io'] },
      });
      const status = await merge(operator, `${path}/status`, { status: { status: 'HEALTHY' } });
      const spec = await merge(operator, path, { spec: { profile: 'demo' } });
      const released = await merge(operator, path, { metadata: { finalizers: [] } });

      expect([finalizer.status, status.status, spec.status, released.status]).to.deep.equal([
        200, 200, 403, 200,
      ]);
      await operator.close();
    });
  });

  async function accept(object: K8sObject): Promise<void> {
    const { status, body } = await apply(plane.api, object);
    expect(status, `${displayRef(refOf(object))}: ${stringAt(body, 'message')}`).to.be.oneOf([200, 201]);
  }

  /** A view of the cluster with the rights of a ServiceAccount. */
  async function connectAs(namespace: string, account: string): Promise<Api> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
    const { body } = await plane.api.request('POST', path, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    });
    const token = stringAt(body, 'status', 'token') ?? '';
    return connectApi({ server: plane.server, certificateAuthority: plane.certificateAuthority, token });
  }
});

/** The union of two profiles with everything turned on that needs nothing but Kubernetes, in apply order. */
async function renderedObjects(): Promise<readonly K8sObject[]> {
  const plan = createPlanner(await loadAssets());
  const objects = ['demo', 'ambient'].flatMap((profile) => {
    const result = plan({
      layers: [{ spec: { profile, values: EVERYTHING }, source: 'e2e' }],
      owner: { name: 'mesh', namespace: 'istio-system' },
      facts: { kubernetesVersion: 'v1.34.4' },
    });
    if (result.kind === 'invalid') throw new Error(result.diagnostics.map(printDiagnostic).join('\n'));
    return objectsOf(result.plan);
  });
  return [...new Map(objects.map((object) => [identityOf(refOf(object)), object])).values()];
}

function resourcesIn(namespace: string): string {
  return `/apis/install.istio.io/v1alpha1/namespaces/${namespace}/istiooperators`;
}

async function createResource(
  api: Api,
  namespace: string,
  spec: JsonObject,
  query = '',
): Promise<ApiResponse> {
  return api.request('POST', `${resourcesIn(namespace)}${query}`, {
    apiVersion: 'install.istio.io/v1alpha1',
    kind: 'IstioOperator',
    metadata: { name: 'mesh' },
    spec,
  });
}

async function merge(api: Api, path: string, patch: JsonObject): Promise<ApiResponse> {
  return api.request('PATCH', path, patch, 'application/merge-patch+json');
}

async function may(api: Api, access: Access): Promise<boolean> {
  const { body } = await api.request('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { ...access } },
  });
  return at(body, 'status', 'allowed') === true;
}

function describeAccess({ verb, resource, subresource, name, namespace }: Access): string {
  const what = [resource, subresource, name].filter((part) => part !== undefined).join('/');
  return `${verb} ${what} ${namespace === undefined ? 'in the whole cluster' : `in ${namespace}`}`;
}

/** A pod as the Deployment's controller would make it. */
function podOf(deployment: K8sObject | undefined): K8sObject {
  const template = mapAt(deployment, 'spec', 'template');
  const metadata = { ...mapAt(template, 'metadata'), name: 'probe', namespace: 'istio-operator' };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: mapAt(template, 'spec') };
}

function gatewayRole(gateway: string, namespace = 'istio-system'): K8sObject {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata: { name: `${gateway}-sds`, namespace },
    rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'watch', 'list'] }],
  };
}

function gatewayRoleBinding(gateway: string): K8sObject {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'RoleBinding',
    metadata: { name: `${gateway}-sds`, namespace: 'istio-system' },
    roleRef: { apiGroup: RBAC, kind: 'Role', name: `${gateway}-sds` },
    subjects: [{ kind: 'ServiceAccount', name: `${gateway}-service-account` }],
  };
}

function clusterRole(name: string, rules: readonly JsonObject[]): K8sObject {
  return { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: { name }, rules };
}

function clusterRoleBinding(name: string, role: string): K8sObject {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', name: 'istio-operator', namespace: 'istio-operator' }],
  };
}

/** A developer who may do everything with IstioOperators of a namespace, and nothing else. */
function tenantObjects(namespace: string): readonly K8sObject[] {
  const name = 'developer';
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'Role',
      metadata: { name, namespace },
      rules: [
        {
          apiGroups: ['install.istio.io'],
          resources: ['istiooperators'],
          verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
        },
      ],
    },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'RoleBinding',
      metadata: { name, namespace },
      roleRef: { apiGroup: RBAC, kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  ];
}
