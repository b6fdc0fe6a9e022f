import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { loadAll } from 'js-yaml';
import { isAdministered } from '../src/apply/administered.ts';
import { listAt, stringAt } from '../src/model/json.ts';
import type { JsonValue } from '../src/model/json.ts';
import type { K8sObject } from '../src/model/object.ts';
import { API_RESOURCES } from './rendered-kinds.ts';
import { commonRights, grantedRights, hardenedRights } from './rights.ts';

const COMMON = commonRights(['gateways.networking.istio.io']);
const CANARY = grantedRights({
  controlPlanes: [{ namespace: 'istio-system', revision: 'canary' }],
  tags: [],
  namespaces: [],
});
const EDGE = grantedRights({
  controlPlanes: [],
  tags: [],
  namespaces: [{ namespace: 'edge', parts: ['gateways'] }],
});
const ALL = [...COMMON, ...CANARY, ...EDGE];

const RIGHTS = ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'];

const CLUSTER_SCOPED: ReadonlySet<string> = new Set(
  Object.values(API_RESOURCES)
    .filter(({ scope }) => scope === 'cluster')
    .map(({ resource }) => resource),
);

describe("the operator's rights", () => {
  it('hold no wildcard', () => {
    const words = ALL.flatMap(rulesOf).flatMap((rule) => [
      ...texts(rule, 'apiGroups'),
      ...texts(rule, 'resources'),
      ...texts(rule, 'verbs'),
      ...texts(rule, 'resourceNames'),
    ]);

    expect(words.filter((word) => word.includes('*'))).to.deep.equal([]);
  });

  it('change cluster-scoped objects by name only', () => {
    const unnamed = ALL.flatMap(rulesOf).filter(
      (rule) =>
        texts(rule, 'resources').some((resource) => CLUSTER_SCOPED.has(resource)) &&
        texts(rule, 'verbs').some((verb) => !['get', 'list', 'watch'].includes(verb)) &&
        texts(rule, 'resourceNames').length === 0,
    );

    expect(unnamed).to.deep.equal([]);
  });

  it('escalate nothing but named cluster roles, and bind by name only', () => {
    const rules = ALL.flatMap(rulesOf).filter((rule) =>
      texts(rule, 'verbs').some((verb) => ['escalate', 'bind', 'impersonate'].includes(verb)),
    );

    expect(rules).not.to.deep.equal([]);
    for (const rule of rules) {
      const isEscalating = texts(rule, 'verbs').includes('escalate');
      expect(texts(rule, 'resources')).to.deep.equal([isEscalating ? 'clusterroles' : 'roles']);
      expect(texts(rule, 'resourceNames')).not.to.deep.equal([]);
      expect(texts(rule, 'verbs')).not.to.include('impersonate');
    }
  });

  it('read no Secrets but in namespaces that were opened, and do nothing to pods but list them', () => {
    const clusterWide = new Set(
      ALL.filter(({ kind }) => kind === 'ClusterRoleBinding').map((binding) =>
        stringAt(binding, 'roleRef', 'name'),
      ),
    );
    const roles = ALL.filter(
      ({ kind, metadata }) => kind === 'ClusterRole' && clusterWide.has(metadata.name),
    );

    const rules = roles.flatMap(rulesOf);
    const onPods = rules.filter((rule) => texts(rule, 'resources').includes('pods'));
    expect(rules.flatMap((rule) => texts(rule, 'resources')))
      .to.include('deployments')
      .and.not.include('secrets');
    expect(onPods.flatMap((rule) => texts(rule, 'verbs'))).to.deep.equal(['list']);
  });

  it('never delete the definitions of Istio, which hold what users wrote', () => {
    const verbs = ALL.flatMap(rulesOf)
      .filter((rule) => texts(rule, 'resources').includes('customresourcedefinitions'))
      .flatMap((rule) => texts(rule, 'verbs'));

    expect(verbs).to.include('patch').and.not.include('delete');
  });

  it('cover what one more revision adds to the cluster', () => {
    const names = CANARY.flatMap(rulesOf).flatMap((rule) => texts(rule, 'resourceNames'));

    expect([...new Set(names)].toSorted()).to.deep.equal([
      'istio-reader-clusterrole-canary-istio-system',
      'istio-sidecar-injector-canary',
      'istio-validator-canary-istio-system',
      'istiod-canary',
      'istiod-clusterrole-canary-istio-system',
      'istiod-gateway-controller-canary-istio-system',
      'stable-channel-policy-binding-canary-istio-system.istio.io',
      'stable-channel-policy-canary-istio-system.istio.io',
    ]);
  });

  it('name the webhooks after a control plane that is not in istio-system', () => {
    const rights = grantedRights({
      controlPlanes: [{ namespace: 'mesh', revision: '' }],
      tags: [{ namespace: 'mesh', tag: 'prod' }],
      namespaces: [],
    });

    const webhooks = rights
      .flatMap(rulesOf)
      .filter((rule) => texts(rule, 'resources').includes('mutatingwebhookconfigurations'));
    expect(webhooks.map((rule) => texts(rule, 'resourceNames'))).to.deep.equal([
      ['istio-sidecar-injector-mesh'],
      ['istio-revision-tag-prod-mesh'],
    ]);
  });

  it('are given to the ServiceAccount of the operator in each namespace that is opened', () => {
    expect(EDGE).to.have.lengthOf(1);
    expect(EDGE[0]).to.deep.include({
      kind: 'RoleBinding',
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: 'istio-operator-gateways',
      },
      subjects: [{ kind: 'ServiceAccount', name: 'istio-operator', namespace: 'istio-operator' }],
    });
  });

  it('are in the samples as the generator makes them', async () => {
    const gateways = grantedRights({
      controlPlanes: [],
      tags: [],
      namespaces: ['istio-ingress', 'istio-internal'].map((namespace) => ({
        namespace,
        parts: ['gateways'],
      })),
    });

    expect(await rbacOf('samples/canary.yaml')).to.deep.equal(CANARY);
    expect(await rbacOf('samples/gateways.yaml')).to.deep.equal(gateways);
  });
});

describe("the operator's rights in hardened mode", () => {
  const parts = ['control-plane', 'gateways', 'node-agents', 'addons'] as const;
  const rules = hardenedRights([{ namespace: 'istio-system', parts }]).flatMap(rulesOf);
  const isReading = (verb: string): boolean => ['get', 'list', 'watch'].includes(verb);
  const written = rules
    .filter((rule) => !texts(rule, 'verbs').every(isReading))
    .flatMap((rule) => texts(rule, 'resources'));

  it('write no rights, hand none out and read no Secrets', () => {
    const verbs = rules.flatMap((rule) => texts(rule, 'verbs'));

    expect(written).to.include('deployments').and.not.include.oneOf(RIGHTS);
    expect(verbs).to.include('patch').and.not.include.oneOf(['escalate', 'bind', 'impersonate', '*']);
    expect(rules.flatMap((rule) => texts(rule, 'resources'))).not.to.include('secrets');
  });

  it('write nothing that is cluster-scoped', () => {
    expect(written.filter((resource) => CLUSTER_SCOPED.has(resource))).to.deep.equal([]);
  });

  it('read all that they do not write, to tell an administrator what differs', () => {
    const read = rules
      .filter((rule) => texts(rule, 'verbs').includes('watch'))
      .flatMap((rule) => texts(rule, 'resources'));

    expect(read).to.include.members([...CLUSTER_SCOPED, ...RIGHTS]);
  });

  it('are missing for exactly what the engine leaves to an administrator', () => {
    const administered = Object.values(API_RESOURCES)
      .filter(({ group }) => isAdministered({ apiVersion: group === '' ? 'v1' : `${group}/v1` }))
      .map(({ resource }) => resource);

    expect(administered).to.have.members([...new Set([...CLUSTER_SCOPED, ...RIGHTS])]);
  });
});

function rulesOf(object: K8sObject): readonly JsonValue[] {
  return listAt(object, 'rules');
}

function texts(rule: JsonValue, field: string): readonly string[] {
  return listAt(rule, field).map(String);
}

async function rbacOf(file: string): Promise<readonly JsonValue[]> {
  const text = await readFile(new URL(`../deploy/${file}`, import.meta.url), 'utf8');
  const documents = loadAll(text) as JsonValue[]; // js-yaml loads plain JSON types
  return documents.filter((document) => stringAt(document, 'apiVersion')?.startsWith('rbac.'));
}
