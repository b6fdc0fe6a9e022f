/** Where the lease is kept: one Lease object in the operator's namespace, on a connection of its own. */
import type { WatchPort } from '../controller/watch.port.ts';
import { isClusterError } from '../model/cluster-error.ts';
import type { JsonObject } from '../model/json.ts';
import type { ObjectRef } from '../model/object.ts';
import { FIELD_MANAGER } from './cluster.ts';
import type { ResourceMapping } from './resource-path.ts';
import { collectionPath, objectPath } from './resource-path.ts';
import type { ApiRequest, Transport } from './transport.ts';

export interface LeaseStore {
  /** Undefined when there is no lease yet. Like all calls here it throws ClusterError and nothing else. */
  read(signal: AbortSignal): Promise<JsonObject | undefined>;
  /** `conflict` when somebody else made it first. */
  create(spec: JsonObject, signal: AbortSignal): Promise<JsonObject>;
  /** `conflict` when the lease changed since it was read. */
  replace(lease: JsonObject, signal: AbortSignal): Promise<JsonObject>;
  /** Told of every change, renewals included. Returns the way to stop. */
  onChange(listener: () => void): () => void;
}

export interface LeaseStoreDeps {
  readonly transport: Transport;
  readonly watch: WatchPort;
  readonly namespace: string;
  readonly name: string;
}

const LEASE: ResourceMapping = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
};

// Several tries must fit before the deadline for renewal.
const TIMEOUT_MS = 3_000;

export function createLeaseStore(deps: LeaseStoreDeps): LeaseStore {
  const { namespace, name } = deps;
  const ref: ObjectRef = { apiVersion: LEASE.apiVersion, kind: LEASE.kind, namespace, name };
  const path = objectPath(LEASE, ref);
  const call = (
    request: Pick<ApiRequest, 'method' | 'path' | 'verb' | 'signal' | 'body'>,
  ): Promise<JsonObject> =>
    deps.transport.request({
      ...request,
      ref,
      lane: 'urgent',
      retry: false,
      timeoutMs: TIMEOUT_MS,
      query: queryFor(request),
    });
  return {
    read: async (signal) => {
      try {
        return await call({ method: 'GET', path, verb: 'get', signal });
      } catch (error) {
        if (isClusterError(error, 'absent')) return undefined;
        throw error;
      }
    },
    create: (spec, signal) => {
      const lease = { apiVersion: LEASE.apiVersion, kind: LEASE.kind, metadata: { name, namespace }, spec };
      const collection = collectionPath(LEASE, namespace);
      return call({ method: 'POST', path: collection, verb: 'create', signal, body: jsonBody(lease) });
    },
    replace: (lease, signal) => call({ method: 'PUT', path, verb: 'update', signal, body: jsonBody(lease) }),
    onChange: (listener) => {
      const watched = deps.watch.watch(LEASE, { namespace, fieldSelector: `metadata.name=${name}` });
      watched.onChange(() => listener());
      return () => watched.stop();
    },
  };
}

function queryFor({ method }: Pick<ApiRequest, 'method'>): Record<string, string> {
  return method === 'GET' ? {} : { fieldManager: FIELD_MANAGER };
}

function jsonBody(json: JsonObject): NonNullable<ApiRequest['body']> {
  return { contentType: 'application/json', json };
}
