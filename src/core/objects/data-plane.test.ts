import { expect } from 'chai';
import type { JsonObject } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';
import { DataPlaneCounter, PodCounter, revisionOfPod, workloadOf } from './data-plane.ts';

function pod(namespace: string, annotations: JsonObject, metadata: JsonObject = {}): K8sObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace, annotations, ...metadata } };
}

function controlledBy(kind: string, name: string): JsonObject {
  return { ownerReferences: [{ apiVersion: 'apps/v1', kind, name, controller: true }] };
}

describe('the revision of a pod', () => {
  it('is what its injector wrote down, now or in older releases', () => {
    const revisions = [
      { 'istio.io/rev': 'canary' },
      { 'sidecar.istio.io/status': '{"containers":["istio-proxy"],"revision":"1-28"}' },
      { 'sidecar.istio.io/status': 'injected by hand' },
      {},
    ].map((annotations) => revisionOfPod(pod('shop', annotations)));

    expect(revisions).to.deep.equal(['canary', '1-28', 'default', undefined]);
  });
});

describe('the workload of a pod', () => {
  it('is the Deployment behind its ReplicaSet, or its DaemonSet', () => {
    const labels = { 'pod-template-hash': '5d4f9c' };
    const replica = pod('shop', {}, { labels, ...controlledBy('ReplicaSet', 'web-5d4f9c') });
    const agent = pod('kube-system', {}, controlledBy('DaemonSet', 'ztunnel'));

    expect([workloadOf(replica)?.name, workloadOf(agent)?.kind, workloadOf(pod('shop', {}))]).to.deep.equal([
      'web',
      'DaemonSet',
      undefined,
    ]);
  });

  it('is not guessed from a ReplicaSet that no Deployment made', () => {
    expect(workloadOf(pod('shop', {}, controlledBy('ReplicaSet', 'by-hand')))?.name).to.equal(undefined);
  });
});

describe('DataPlaneCounter', () => {
  it('counts by revision and namespace, and pods of ambient mode apart', () => {
    const counter = new DataPlaneCounter();
    const canary = { 'istio.io/rev': 'canary' };
    for (const seen of [
      pod('web', canary),
      pod('shop', canary),
      pod('shop', canary),
      pod('shop', { 'istio.io/rev': 'a' }),
      pod('batch', { 'ambient.istio.io/redirection': 'enabled' }),
      pod('shop', {}),
    ])
      counter.add(seen);

    expect(counter.count()).to.deep.equal({
      revisions: [
        { revision: 'a', pods: 1, namespaces: [{ name: 'shop', pods: 1 }] },
        {
          revision: 'canary',
          pods: 3,
          namespaces: [
            { name: 'shop', pods: 2 },
            { name: 'web', pods: 1 },
          ],
        },
      ],
      ambient: { pods: 1, namespaces: [{ name: 'batch', pods: 1 }] },
    });
  });
});

describe('PodCounter', () => {
  it('names the namespaces with the most pods, and counts the others', () => {
    const counter = new PodCounter();
    for (let index = 0; index < 25; index += 1) counter.add(pod(`ns-${String(index).padStart(2, '0')}`, {}));
    counter.add(pod('ns-24', {}));

    const { pods, namespaces, moreNamespaces } = counter.count();

    expect([pods, namespaces.length, namespaces[0]?.name, moreNamespaces]).to.deep.equal([
      26,
      20,
      'ns-24',
      5,
    ]);
  });
});
