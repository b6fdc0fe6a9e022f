import { expect } from 'chai';
import { FakeClock } from '../controller/testing/fake-clock.ts';
import { ClusterError } from '../model/cluster-error.ts';
import type { K8sObject } from '../model/object.ts';
import { displayRef, refOf } from '../model/object.ts';
import type { Cluster, WriteObserver } from './cluster.ts';
import { createCluster } from './cluster.ts';
import { createDiscovery } from './discovery.ts';
import { connect } from './testing/connect.ts';
import type { ReceivedRequest, Reply } from './testing/fake-api-server.ts';
import { FakeApiServer, bodyOf, json, notFound, refusal, statusObject } from './testing/fake-api-server.ts';
import { CONFIG_MAP, CORE_RESOURCES, configMap, listOf } from './testing/objects.ts';
import { until } from './testing/until.ts';
import type { Transport } from './transport.ts';

const NEVER = new AbortController().signal;
const OBJECT: K8sObject = { ...CONFIG_MAP, metadata: { name: 'a', namespace: 'n' }, data: { from: 'x' } };
const REF = refOf(OBJECT);
const STORED = configMap('a', 5);

const CLOSED_FENCE = { remainingMs: () => 0, sent: () => undefined } as const;

describe('the cluster', () => {
  let server: FakeApiServer;
  let transport: Transport;
  let cluster: Cluster;
  let observed: string[];
  let reply: Reply;
  /** Requests other than those of discovery. */
  const calls = (): readonly ReceivedRequest[] => server.requests.filter(({ path }) => path !== '/api/v1');

  beforeEach(async () => {
    server = new FakeApiServer();
    await server.start();
    reply = notFound;
    server.always((response, request) =>
      (request.path === '/api/v1' ? json(CORE_RESOURCES) : reply)(response, request),
    );
    const clock = new FakeClock();
    transport = connect({ url: server.url, clock });
    observed = [];
    const observer: WriteObserver = {
      stored: (object) => observed.push(`stored ${displayRef(refOf(object))}`),
      deleted: (ref, uid) => observed.push(`deleted ${displayRef(ref)} ${uid ?? ''}`.trim()),
    };
    cluster = createCluster({ transport, discovery: createDiscovery({ transport, clock }), observer });
  });

  afterEach(async () => {
    await server.close();
    await transport.close();
  });

  describe('apply', () => {
    it('sends the object unchanged, with strict validation and our field manager', async () => {
      reply = json(STORED);

      const stored = await cluster.apply(OBJECT, { signal: NEVER, force: true });

      const [request] = calls();
      expect(request).to.include({
        method: 'PATCH',
        path: '/api/v1/namespaces/n/configmaps/a',
        body: JSON.stringify(OBJECT),
      });
      expect(request?.query).to.deep.equal({
        fieldManager: 'istio-operator',
        force: 'true',
        fieldValidation: 'Strict',
      });
      expect(request?.headers['content-type']).to.equal('application/apply-patch+yaml');
      expect(stored).to.deep.equal(STORED);
      expect(observed).to.deep.equal(['stored ConfigMap n/a']);
    });

    it('tells the observer nothing of a dry run', async () => {
      reply = json(STORED);

      await cluster.apply(OBJECT, { signal: NEVER, force: false, dryRun: true });

      expect(calls()[0]?.query).to.include({ dryRun: 'All', force: 'false' });
      expect(observed).to.deep.equal([]);
    });

    it('refuses an object without the namespace that its kind needs, and sends nothing', async () => {
      const failure = await failureOf(
        cluster.apply({ ...CONFIG_MAP, metadata: { name: 'a' } }, { signal: NEVER, force: true }),
      );

      expect(failure).to.include({ kind: 'invalid', message: 'ConfigMap a needs a namespace' });
      expect(calls()).to.have.length(0);
    });

    it('is absent for a kind that is not served', async () => {
      const object: K8sObject = { apiVersion: 'v1', kind: 'Nothing', metadata: { name: 'a' } };

      const failure = await failureOf(cluster.apply(object, { signal: NEVER, force: true }));

      expect(failure).to.include({ kind: 'absent', message: 'the API server does not serve Nothing in v1' });
    });

    it('asks discovery again after the server turned out not to know the kind', async () => {
      reply = notFound;

      await failureOf(cluster.apply(OBJECT, { signal: NEVER, force: true }));
      await failureOf(cluster.apply(OBJECT, { signal: NEVER, force: true }));

      expect(server.requests.filter(({ path }) => path === '/api/v1')).to.have.length(2);
    });
  });

  describe('get', () => {
    it('gives the object with fields that nobody knows', async () => {
      reply = json({ ...STORED, fieldOfTheFuture: { from: 1 } });

      expect(await cluster.get(REF, { signal: NEVER })).to.deep.equal({
        ...STORED,
        fieldOfTheFuture: { from: 1 },
      });
    });

    it('gives nothing for an absent object and for a kind that is not served', async () => {
      reply = refusal(404, 'NotFound', 'configmaps "a" not found');

      const found = [
        await cluster.get(REF, { signal: NEVER }),
        await cluster.get({ apiVersion: 'v1', kind: 'Nothing', name: 'a' }, { signal: NEVER }),
      ];

      expect(found).to.deep.equal([undefined, undefined]);
    });

    it('fails when it is forbidden: unknown is not absent', async () => {
      reply = refusal(403, 'Forbidden', 'User "x" cannot get resource "configmaps"');

      expect(await failureOf(cluster.get(REF, { signal: NEVER }))).to.include({ kind: 'forbidden' });
    });
  });

  describe('delete', () => {
    const remove = (uid?: string): Promise<'accepted' | 'absent'> =>
      cluster.delete(REF, { signal: NEVER, ...(uid === undefined ? {} : { uid }) });

    it('is absent where an object of the kind cannot be, as one that was refused for that', async () => {
      const placeless = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a' };

      expect(await cluster.delete(placeless, { signal: NEVER })).to.equal('absent');
      expect(await cluster.get(placeless, { signal: NEVER })).to.equal(undefined);
      expect(calls()).to.have.length(0);
    });

    it('deletes in the background, and only the object with that uid', async () => {
      reply = json({ kind: 'Status', status: 'Success', details: { uid: 'u1' } });

      const result = await remove('u1');

      const [request] = calls();
      expect(request?.method).to.equal('DELETE');
      expect(request === undefined ? {} : bodyOf(request)).to.deep.equal({
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        preconditions: { uid: 'u1' },
      });
      expect([result, ...observed]).to.deep.equal(['accepted', 'deleted ConfigMap n/a u1']);
    });

    it('shows the object that finalizers still hold', async () => {
      reply = json(STORED);

      expect([await remove(), ...observed]).to.deep.equal(['accepted', 'stored ConfigMap n/a']);
    });

    it('is absent when there is nothing', async () => {
      reply = refusal(404, 'NotFound', 'configmaps "a" not found');

      expect([await remove('u1'), ...observed]).to.deep.equal(['absent', 'deleted ConfigMap n/a u1']);
    });

    it('is absent when another object has the name', async () => {
      reply = refusal(
        409,
        'Conflict',
        'the UID in the precondition (u1) does not match the UID in record (u2).',
      );

      expect(await remove('u1')).to.equal('absent');
    });

    it('fails on any other conflict', async () => {
      reply = refusal(409, 'Conflict', 'the object has been modified');

      expect(await failureOf(remove('u1'))).to.include({ kind: 'conflict' });
      expect(observed).to.deep.equal([]);
    });
  });

  it('shows the metadata of a kind page by page', async () => {
    reply = (response, request) => {
      const last = request.query['continue'] === 'next';
      const page = last ? listOf([configMap('b', 2)], 9) : listOf([configMap('a', 1)], 9, 'next');
      json(page)(response, request);
    };
    const shown: string[] = [];

    const options = { signal: NEVER, fieldSelector: 'metadata.name!=c' };
    await cluster.scanMetadata(
      CONFIG_MAP,
      ({ kind, metadata }) => shown.push(`${kind} ${metadata.name}`),
      options,
    );

    expect(shown).to.deep.equal(['ConfigMap a', 'ConfigMap b']);
    expect(
      calls().map(({ headers }) => headers.accept?.includes('as=PartialObjectMetadataList')),
    ).to.deep.equal([true, true]);
    expect(calls()[0]?.query['fieldSelector']).to.equal('metadata.name!=c');
  });

  describe('list', () => {
    it('puts pages together and names the kind of each object', async () => {
      reply = (response, request) => {
        const last = request.query['continue'] === 'next';
        const page = last ? listOf([configMap('b', 2)], 9) : listOf([configMap('a', 1)], 9, 'next');
        json(page)(response, request);
      };

      const objects = await cluster.list(CONFIG_MAP, { signal: NEVER, namespace: 'n', labelSelector: 'app' });

      expect(objects).to.deep.equal([configMap('a', 1), configMap('b', 2)]);
      expect(calls().map(({ query }) => query)).to.deep.equal([
        { labelSelector: 'app', limit: '500' },
        { labelSelector: 'app', limit: '500', continue: 'next' },
      ]);
    });

    it('is empty for a kind that is not served', async () => {
      expect(await cluster.list({ apiVersion: 'v1', kind: 'Nothing' }, { signal: NEVER })).to.deep.equal([]);
    });
  });

  describe('the watched resource', () => {
    it('gets a merge patch of its status only', async () => {
      reply = json(STORED);

      await cluster.patchStatus(REF, { status: 'HEALTHY', error: null }, { signal: NEVER });

      const [request] = calls();
      expect(request).to.include({ method: 'PATCH', path: '/api/v1/namespaces/n/configmaps/a/status' });
      expect(request?.headers['content-type']).to.equal('application/merge-patch+json');
      expect(request === undefined ? {} : bodyOf(request)).to.deep.equal({
        status: { status: 'HEALTHY', error: null },
      });
      expect(observed).to.deep.equal(['stored ConfigMap n/a']);
    });

    it('keeps its status when it changed meanwhile', async () => {
      reply = refusal(409, 'Conflict', 'the object has been modified');

      const failure = await failureOf(
        cluster.patchStatus(REF, { status: 'HEALTHY' }, { signal: NEVER, resourceVersion: '7' }),
      );

      expect(failure).to.include({ kind: 'conflict' });
      const [request] = calls();
      expect(request === undefined ? {} : bodyOf(request)).to.deep.equal({
        metadata: { resourceVersion: '7' },
        status: { status: 'HEALTHY' },
      });
    });

    it('keeps its finalizers when it changed meanwhile', async () => {
      reply = refusal(409, 'Conflict', 'the object has been modified');

      const failure = await failureOf(
        cluster.setFinalizers(REF, ['a/b'], { signal: NEVER, resourceVersion: '7' }),
      );

      expect(failure).to.include({ kind: 'conflict' });
      const [request] = calls();
      expect(request === undefined ? {} : bodyOf(request)).to.deep.equal({
        metadata: { finalizers: ['a/b'], resourceVersion: '7' },
      });
    });

    it('gets an event even when an earlier try was stored without an answer', async () => {
      reply = refusal(409, 'AlreadyExists', 'events "a" already exists');

      await cluster.createEvent(OBJECT, { signal: NEVER });

      expect(calls()[0]).to.include({ method: 'POST', path: '/api/v1/namespaces/n/configmaps' });
    });
  });

  it('tells the version of the server', async () => {
    reply = json({ gitVersion: 'v1.34.4' });

    expect(await cluster.serverVersion({ signal: NEVER })).to.equal('v1.34.4');
  });

  it('asks discovery again for the group of a definition that was applied', async () => {
    const definition: K8sObject = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'gateways.networking.istio.io' },
    };
    const gateway = { apiVersion: 'networking.istio.io/v1', kind: 'Gateway', namespace: 'n', name: 'g' };
    const definitions = {
      resources: [{ name: 'customresourcedefinitions', kind: 'CustomResourceDefinition' }],
    };
    const replies: Readonly<Record<string, Reply>> = {
      '/apis/apiextensions.k8s.io/v1': json(definitions),
      '/apis/networking.istio.io/v1': json({ resources: [] }),
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gateways.networking.istio.io':
        json(definition),
    };
    reply = (response, request) => (replies[request.path] ?? notFound)(response, request);

    await cluster.get(gateway, { signal: NEVER });
    await cluster.apply(definition, { signal: NEVER, force: true });
    await cluster.get(gateway, { signal: NEVER });

    expect(calls().filter(({ path }) => path === '/apis/networking.istio.io/v1')).to.have.length(2);
  });

  it('does not write without the lease, but reads', async () => {
    reply = json(STORED);
    const clock = new FakeClock();
    const discovery = createDiscovery({ transport, clock });
    const follower = createCluster({ transport, discovery, fence: CLOSED_FENCE });

    const failure = await failureOf(follower.apply(OBJECT, { signal: NEVER, force: true }));
    const read = await follower.get(REF, { signal: NEVER });

    expect(failure).to.include({ kind: 'cancelled', message: 'this replica does not hold the lease' });
    expect(read).to.deep.equal(STORED);
    await until('all answers came', () => calls().length === 1);
  });

  it('lets no write of any sort pass without the lease', async () => {
    reply = json(STORED);
    const discovery = createDiscovery({ transport, clock: new FakeClock() });
    const follower = createCluster({ transport, discovery, fence: CLOSED_FENCE });
    const options = { signal: NEVER, resourceVersion: '5' };

    const failures = [
      await failureOf(follower.apply(OBJECT, { signal: NEVER, force: true })),
      await failureOf(follower.replaceManagedFields(OBJECT, [], options)),
      await failureOf(follower.delete(REF, { signal: NEVER })),
      await failureOf(follower.patchStatus(REF, {}, options)),
      await failureOf(follower.setFinalizers(REF, [], options)),
      await failureOf(follower.patchMetadata(REF, {}, options)),
      await failureOf(follower.createEvent(OBJECT, { signal: NEVER })),
    ];

    expect(failures.map((failure) => (failure as ClusterError).kind)).to.deep.equal(
      failures.map(() => 'cancelled'),
    );
    expect(calls()).to.deep.equal([]);
  });

  it('looks for an object under another version only when told to, and when its own is not served', async () => {
    reply = json(STORED);
    const asked: string[] = [];
    const served = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
    const discovery = {
      resolve: async ({ apiVersion }: { readonly apiVersion: string }) =>
        apiVersion === 'v1' ? served : undefined,
      resolveServed: async ({ apiVersion }: { readonly apiVersion: string }) => {
        asked.push(apiVersion);
        return served;
      },
      forget: () => undefined,
      definitionsChanged: () => undefined,
      onDefinitionsChanged: () => () => undefined,
    };
    const reader = createCluster({ transport, discovery });
    const old = { ...REF, apiVersion: 'v1beta1' };

    const found = [
      await reader.get(REF, { signal: NEVER, anyVersion: true }),
      await reader.get(old, { signal: NEVER }),
      await reader.get(old, { signal: NEVER, anyVersion: true }),
    ];

    expect(found).to.deep.equal([STORED, undefined, STORED]);
    expect(asked).to.deep.equal(['v1beta1']);
  });

  it('fails with a ClusterError when the answer is no object', async () => {
    reply = json(statusObject(200, '', ''));

    expect(await failureOf(cluster.get(REF, { signal: NEVER }))).to.be.instanceOf(ClusterError);
  });
});

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
}
