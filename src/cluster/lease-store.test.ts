import { expect } from 'chai';
import type { Watched, WatchEvent, WatchPort } from '../controller/watch.port.ts';
import { ClusterError } from '../model/cluster-error.ts';
import type { ClusterErrorKind } from '../model/cluster-error.ts';
import type { JsonObject } from '../model/json.ts';
import { createLeaseStore } from './lease-store.ts';
import type { LeaseStore } from './lease-store.ts';
import type { ApiRequest, Transport } from './transport.ts';

const ANSWER = { kind: 'Lease', metadata: { resourceVersion: '7' } };
const { signal } = new AbortController();
const PATH = '/apis/coordination.k8s.io/v1/namespaces/ops/leases';
const REF = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'ops', name: 'operator' };
/** What all calls have in common: not held up by other calls, and with time for several before the deadline. */
const CALL = { ref: REF, lane: 'urgent', retry: false, timeoutMs: 3_000, signal };

describe('createLeaseStore', () => {
  let requests: ApiRequest[];
  let failure: ClusterErrorKind | undefined;
  let watches: unknown[];
  let handlers: Set<(event: WatchEvent) => void>;
  let isStopped: boolean;
  let store: LeaseStore;

  beforeEach(() => {
    [requests, failure, watches, handlers, isStopped] = [[], undefined, [], new Set(), false];
    const transport: Transport = {
      request: async (request): Promise<JsonObject> => {
        requests.push(request);
        if (failure !== undefined) throw new ClusterError('no', { kind: failure, verb: request.verb });
        return ANSWER;
      },
      stream: async () => Promise.reject(new Error('not asked for')),
      close: async () => undefined,
    };
    const watched: Watched = {
      synced: Promise.resolve(),
      isSynced: () => true,
      onSync: () => () => undefined,
      get: () => undefined,
      list: () => [],
      onChange: (handler) => {
        handlers.add(handler);
        return () => handlers.delete(handler);
      },
      refresh: async () => undefined,
      stop: () => {
        isStopped = true;
      },
    };
    const watch: WatchPort = {
      watch: (kind, options) => {
        watches.push({ kind: kind.kind, apiVersion: kind.apiVersion, ...options });
        return watched;
      },
    };
    store = createLeaseStore({ transport, watch, namespace: 'ops', name: 'operator' });
  });

  it('reads the lease of that name', async () => {
    expect(await store.read(signal)).to.equal(ANSWER);
    expect(requests).to.deep.equal([
      { ...CALL, method: 'GET', path: `${PATH}/operator`, verb: 'get', query: {} },
    ]);
  });

  it('reads nothing when there is no lease yet', async () => {
    failure = 'absent';

    expect(await store.read(signal)).to.equal(undefined);
  });

  it('does not take a server that is away for one without a lease', async () => {
    failure = 'unavailable';

    const error: unknown = await store.read(signal).catch((thrown: unknown) => thrown);

    expect(error).to.include({ kind: 'unavailable' });
  });

  it('makes the lease, which fails when another process was first', async () => {
    expect(await store.create({ holderIdentity: 'a' }, signal)).to.equal(ANSWER);
    expect(requests).to.deep.equal([
      {
        ...CALL,
        method: 'POST',
        path: PATH,
        verb: 'create',
        query: { fieldManager: 'istio-operator' },
        body: {
          contentType: 'application/json',
          json: {
            apiVersion: 'coordination.k8s.io/v1',
            kind: 'Lease',
            metadata: { name: 'operator', namespace: 'ops' },
            spec: { holderIdentity: 'a' },
          },
        },
      },
    ]);
  });

  it('replaces the whole lease under the version that was read', async () => {
    const lease = { metadata: { name: 'operator', resourceVersion: '6' }, spec: { holderIdentity: 'b' } };

    expect(await store.replace(lease, signal)).to.equal(ANSWER);
    expect(requests).to.deep.equal([
      {
        ...CALL,
        method: 'PUT',
        path: `${PATH}/operator`,
        verb: 'update',
        query: { fieldManager: 'istio-operator' },
        body: { contentType: 'application/json', json: lease },
      },
    ]);
  });

  it('tells of every change of this lease until it is stopped', () => {
    let told = 0;
    const stop = store.onChange(() => {
      told += 1;
    });
    const object = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'operator' } };
    for (const handler of handlers) handler({ type: 'added', object });
    const before = isStopped;

    stop();

    expect([told, before, isStopped]).to.deep.equal([1, false, true]);
    expect(watches).to.deep.equal([
      {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        namespace: 'ops',
        fieldSelector: 'metadata.name=operator',
      },
    ]);
  });
});
