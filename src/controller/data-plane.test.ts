import { expect } from 'chai';
import type { K8sObject } from '../model/object.ts';
import { createDataPlane } from './data-plane.ts';
import { FakeClock } from './testing/fake-clock.ts';
import { InMemoryCluster } from './testing/in-memory-cluster.ts';

const { signal } = new AbortController();

function pod(name: string): K8sObject {
  const metadata = { name, namespace: 'shop', annotations: { 'istio.io/rev': 'canary' } };
  return { apiVersion: 'v1', kind: 'Pod', metadata };
}

describe('counting who uses which control plane', () => {
  let cluster: InMemoryCluster;
  let clock: FakeClock;

  beforeEach(() => {
    cluster = new InMemoryCluster();
    clock = new FakeClock();
    cluster.put(pod('a'));
  });

  it('is done once for all who ask within half a minute', async () => {
    const count = createDataPlane({ resources: cluster, clock });
    const first = await count(signal);
    cluster.put(pod('b'));

    const second = await count(signal);
    await clock.advance(31_000);
    const third = await count(signal);

    expect([first, second, third].map(({ revisions }) => revisions[0]?.pods)).to.deep.equal([1, 1, 2]);
  });

  it('tells why it is not known instead of telling old numbers', async () => {
    cluster.failures.scanMetadata = ['forbidden'];
    const count = createDataPlane({ resources: cluster, clock });

    const { revisions, message } = await count(signal);

    expect(revisions).to.deep.equal([]);
    expect(message).to.be.a('string').and.not.equal('');
  });
});
