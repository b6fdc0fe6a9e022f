import { expect } from 'chai';
import type { JsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import type { Usage } from '../model/outcome.ts';
import { labelsOf } from '../model/object.ts';
import type { InventoryEntry } from '../model/status.ts';
import { OWNER_NAME_LABEL, OWNER_NAMESPACE_LABEL } from './watch-table.ts';
import type { Deletion } from './in-use.ts';
import { usageOf } from './in-use.ts';
import type { ResourceParts } from './testing/builders.ts';
import { istioOperator, NAMESPACE } from './testing/builders.ts';
import { InMemoryCluster, UNREACHABLE_CLUSTER } from './testing/in-memory-cluster.ts';

const ISTIOD: InventoryEntry = entry('Deployment', 'istiod-canary');
const GATEWAY: InventoryEntry = entry('Deployment', 'istio-ingressgateway');

function entry(kind: string, name: string): InventoryEntry {
  return { apiVersion: 'apps/v1', kind, namespace: NAMESPACE, name };
}

function pod(name: string, namespace: string, annotations: JsonObject): K8sObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, annotations } };
}

function podOf(deployment: InventoryEntry, annotations: JsonObject): K8sObject {
  const plain = pod(`${deployment.name}-5d4f-x`, deployment.namespace ?? '', annotations);
  const owner = { kind: 'ReplicaSet', name: `${deployment.name}-5d4f`, controller: true };
  const metadata = { ...plain.metadata, labels: { 'pod-template-hash': '5d4f' }, ownerReferences: [owner] };
  return { ...plain, metadata };
}

function tag(name: string, revision: string): K8sObject {
  const labels = { app: 'sidecar-injector', 'istio.io/tag': name, 'istio.io/rev': revision };
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: `istio-revision-tag-${name}`, labels },
  };
}

const CANARY = { 'istio.io/rev': 'canary' };

describe('whether a control plane is in use', () => {
  let cluster: InMemoryCluster;
  let injectors: K8sObject[];
  let namespace: K8sObject | undefined;

  beforeEach(() => {
    cluster = new InMemoryCluster();
    injectors = [];
    namespace = undefined;
  });

  async function usage(
    inventory: readonly InventoryEntry[],
    parts: ResourceParts = {},
  ): Promise<Usage | undefined> {
    const deletion: Deletion = { resource: istioOperator(parts), signal: new AbortController().signal };
    const deps = {
      resources: cluster,
      injectors: () => injectors,
      cluster: { ...UNREACHABLE_CLUSTER, get: async () => namespace },
    };
    const status = {
      status: 'HEALTHY',
      message: '',
      observedGeneration: 1,
      conditions: [],
      componentStatus: {},
    } as const;
    return usageOf(deps, deletion, { ...status, revision: 'canary', inventory });
  }

  it('counts the pods of its revision, and no others', async () => {
    cluster.put(pod('a', 'shop', CANARY));
    cluster.put(pod('b', 'shop', { 'istio.io/rev': 'default' }));
    cluster.put(pod('c', 'shop', {}));

    expect(await usage([ISTIOD])).to.deep.equal({
      kind: 'used',
      revision: 'canary',
      count: { pods: 1, namespaces: [{ name: 'shop', pods: 1 }] },
      tags: [],
    });
  });

  it('does not count pods that go with it, such as its gateways', async () => {
    cluster.put(podOf(GATEWAY, CANARY));

    expect(await usage([ISTIOD, GATEWAY])).to.equal(undefined);
    expect((await usage([ISTIOD]))?.kind).to.equal('used');
  });

  it('counts pods of ambient mode where it brought ztunnel', async () => {
    cluster.put(pod('a', 'shop', { 'ambient.istio.io/redirection': 'enabled' }));

    expect([
      await usage([ISTIOD]),
      (await usage([ISTIOD, entry('DaemonSet', 'ztunnel')]))?.kind,
    ]).to.deep.equal([undefined, 'used']);
  });

  it('is said of a tag of others that points to it, not of its own', async () => {
    const own = tag('next', 'canary');
    injectors = [own, tag('prod', 'canary'), tag('stable', 'default')];

    const found = await usage([
      ISTIOD,
      { apiVersion: own.apiVersion, kind: own.kind, name: own.metadata.name },
    ]);

    expect(found?.kind === 'used' && found.tags).to.deep.equal(['prod']);
  });

  it('is not said of a tag that an administrator has made for this very resource', async () => {
    const { metadata } = istioOperator();
    const made = tag('prod', 'canary');
    const owner = {
      [OWNER_NAME_LABEL]: metadata.name,
      [OWNER_NAMESPACE_LABEL]: String(metadata['namespace']),
    };
    injectors = [{ ...made, metadata: { ...made.metadata, labels: { ...labelsOf(made), ...owner } } }];

    expect(await usage([ISTIOD])).to.equal(undefined);
  });

  it('is assumed when it cannot be told', async () => {
    cluster.failures.scanMetadata = ['forbidden'];

    const found = await usage([ISTIOD]);

    expect(found?.kind === 'unknown' && found.cause).to.be.a('string');
  });

  it('is not asked where no control plane was installed', async () => {
    cluster.failures.scanMetadata = ['forbidden'];

    expect(await usage([GATEWAY])).to.equal(undefined);
  });

  it('does not matter to who insists by annotation', async () => {
    cluster.put(pod('a', 'shop', CANARY));

    const annotations = { 'install.istio.io/force-removal': 'true' };

    expect(await usage([ISTIOD], { annotations })).to.equal(undefined);
  });

  it('does not matter in a namespace that is being deleted anyway', async () => {
    cluster.put(pod('a', 'shop', CANARY));
    namespace = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: NAMESPACE, deletionTimestamp: '2026-01-01T12:00:00Z' },
    };

    expect(await usage([ISTIOD])).to.equal(undefined);
  });
});
