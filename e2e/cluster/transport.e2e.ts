/** The adapter against a real API server: what a fake one could only repeat of our own beliefs. */
import { expect } from 'chai';
import { createLeaseStore } from '../../src/cluster/lease-store.ts';
import type { Leadership, LeaseSettings } from '../../src/cluster/lease.ts';
import { DEFAULT_LEASE_TIMES, acquireLease } from '../../src/cluster/lease.ts';
import { systemClock } from '../../src/cluster/system-clock.ts';
import type { WatchEvent } from '../../src/controller/watch.port.ts';
import { ClusterError } from '../../src/model/cluster-error.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { at, mapAt, stringAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { refOf, uidOf } from '../../src/model/object.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import type { Connection } from './connection.ts';
import { SILENT, connectTo } from './connection.ts';

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
/** A second is wanted; the rest is for a machine that does much else. */
const LATE_MS = 3_000;
const NAMESPACE = 'cluster-e2e';
const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' } as const;
const NEVER = new AbortController().signal;
const FORCED = { signal: NEVER, force: true } as const;

describe('the cluster adapter on a real API server', () => {
  let plane: ControlPlane;
  let connection: Connection;

  before(async () => {
    plane = await sharedControlPlane();
    connection = await connectTo(plane);
    await connection.cluster.apply(namespace(NAMESPACE), FORCED);
  });

  after(async () => {
    await connection.cluster.delete(refOf(namespace(NAMESPACE)), { signal: NEVER });
    await connection.close();
  });

  describe('apply', () => {
    it('leaves the resourceVersion alone when nothing changes', async () => {
      const first = await connection.cluster.apply(configMap('same', { a: '1' }), FORCED);

      const second = await connection.cluster.apply(configMap('same', { a: '1' }), FORCED);

      expect(versionOf(second)).to.equal(versionOf(first));
    });

    it('loses none of the fields that client libraries lose', async () => {
      const peers = [{ podSelector: { matchLabels: { app: 'istiod' } } }];
      const spec = { podSelector: {}, ingress: [{ from: peers }], policyTypes: ['Ingress'] };
      const policy = namespaced('networking.k8s.io/v1', 'NetworkPolicy', 'from', { spec });

      const stored = await connection.cluster.apply(policy, FORCED);

      expect(at(stored, 'spec', 'ingress', 0, 'from')).to.deep.equal(peers);
    });

    it('patches no status that was computed from an older state, and reads it by an empty patch', async () => {
      const ref = refOf(namespace(NAMESPACE));
      const live = await connection.cluster.patchStatus(ref, {}, { signal: NEVER });
      const outdated = { signal: NEVER, resourceVersion: '1' };

      const refused = await connection.cluster
        .patchStatus(ref, { phase: 'Active' }, outdated)
        .catch((error: unknown) => error);

      const again = await connection.cluster.patchStatus(ref, {}, { signal: NEVER });
      expect(refused).to.have.property('kind', 'conflict');
      expect(versionOf(again)).to.equal(versionOf(live));
    });

    it('finds a kind as soon as its definition is established, unknown fields and all', async () => {
      const { cluster } = connection;
      const definition = widgetDefinition();
      const widget = namespaced('e2e.istio.io/v1', 'Widget', 'w', {
        spec: { $ref: 'x', default: 1, from: null },
      });
      const before = await cluster.get(refOf(widget), { signal: NEVER });

      await cluster.apply(definition, FORCED);
      const stored = await untilGiven('the kind is served', () =>
        cluster.apply(widget, FORCED).catch(ifAbsent),
      );

      const schema = ['spec', 'versions', 0, 'schema', 'openAPIV3Schema', 'properties', 'spec'] as const;
      const kept = await cluster.get(refOf(definition), { signal: NEVER });
      expect(before).to.equal(undefined);
      expect(mapAt(kept, ...schema)).to.include({ 'x-kubernetes-preserve-unknown-fields': true });
      expect(mapAt(stored, 'spec')).to.deep.include({ $ref: 'x', default: 1 });
      await cluster.delete(refOf(definition), { signal: NEVER });
      await untilGiven('the kind is gone', async () =>
        (await cluster.get(refOf(widget), { signal: NEVER })) === undefined ? true : undefined,
      );
    });

    it('computes but does not store a dry run', async () => {
      const stored = await connection.cluster.apply(configMap('dry', { a: '1' }), {
        ...FORCED,
        dryRun: true,
      });

      expect(uidOf(stored)).to.be.a('string');
      expect(await connection.cluster.get(refOf(stored), { signal: NEVER })).to.equal(undefined);
    });

    it('names the manager and the field of a conflict', async () => {
      const path = `/api/v1/namespaces/${NAMESPACE}/configmaps?fieldManager=somebody`;
      await plane.api.request('POST', path, configMap('contested', { a: '1' }));

      const failure = await failureOf(
        connection.cluster.apply(configMap('contested', { a: '2' }), { signal: NEVER, force: false }),
      );

      expect(failure.kind).to.equal('conflict');
      expect(failure.message).to.contain('conflict with "somebody"').and.contain('.data.a');
    });
  });

  describe('what the server does not accept', () => {
    const secret = (fields: JsonObject, labels: JsonObject = {}): K8sObject => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'leaky', namespace: NAMESPACE, labels },
      ...fields,
    });
    /** Each makes the API server repeat what it was sent, or could. */
    const leaks: Readonly<Record<string, K8sObject>> = {
      'a value of a wrong type': secret({ data: { password: { x: 'CANARY' } } }),
      'a list for a map': secret({ stringData: ['CANARY'] }),
      'data that is not base64': secret({ data: { password: 'CANARY!!' } }),
      'a label that is none': secret({}, { x: 'CANARY value!' }),
      'a key that is none': secret({ stringData: { 'a/': 'CANARY' } }),
      'a broken registry secret': secret({
        type: 'kubernetes.io/dockerconfigjson',
        stringData: { '.dockerconfigjson': 'CANARY' },
      }),
      'a variable of a wrong type': deployment({ name: 'X', value: { a: 'CANARY' } }),
      'a variable that does not exist': deployment({ name: 'X', valu: 'CANARY' }),
      'a variable with a bad name': deployment({ name: '=', value: 'CANARY' }),
      'a flag that is a word': deployment({ name: 'X', value: 'y' }, { stdin: 'CANARY' }),
      'a quantity that is none': deployment(
        { name: 'X', value: 'y' },
        { resources: { limits: { cpu: 'CANARY' } } },
      ),
    };

    for (const [what, refused] of Object.entries(leaks)) {
      it(`is invalid and not repeated: ${what}`, async () => {
        const before = connection.exchanges.length;

        const failure = await failureOf(connection.cluster.apply(refused, FORCED));

        expect(failure.kind).to.equal('invalid');
        expect(failure.message).to.not.contain('CANARY');
        const writes = connection.exchanges.slice(before).filter(({ method }) => method === 'PATCH');
        expect(writes).to.have.length(1);
      });
    }

    it('names the field that does not exist', async () => {
      const failure = await failureOf(connection.cluster.apply(deployment({ name: 'X', valu: 'y' }), FORCED));

      expect(failure.message).to.contain('env[name="X"].valu: field not declared in schema');
    });

    it('is absent when the namespace is missing', async () => {
      const homeless = { ...CONFIG_MAP, metadata: { name: 'a', namespace: 'cluster-e2e-missing' } };

      const failure = await failureOf(connection.cluster.apply(homeless, FORCED));

      expect(failure).to.include({ kind: 'absent', message: 'namespaces "cluster-e2e-missing" not found' });
    });

    it('is forbidden without the rights for it, with the missing right by name', async () => {
      const token = await tokenOf(plane, 'nobody');
      const nobody = await connectTo(plane, token);

      const failure = await failureOf(nobody.cluster.apply(configMap('mine', {}), FORCED));

      expect(failure).to.include({ kind: 'forbidden', httpStatus: 403 });
      expect(failure.message).to.contain('cannot patch resource "configmaps"');
      await nobody.close();
    });

    it('is forbidden with a token that the server does not know', async () => {
      const stranger = await connectTo(plane, 'no-such-token');

      const failure = await failureOf(stranger.cluster.get(refOf(configMap('a', {})), { signal: NEVER }));

      expect(failure).to.include({ kind: 'forbidden', httpStatus: 401 });
      await stranger.close();
    });

    it('is invalid when etcd cannot hold it', async () => {
      const huge = configMap('huge', { a: 'x'.repeat(1_700_000) });

      expect((await failureOf(connection.cluster.apply(huge, FORCED))).kind).to.equal('invalid');
    });
  });

  describe('delete', () => {
    it('spares an object that took the name of the one that was meant', async () => {
      const { cluster } = connection;
      const stored = await cluster.apply(configMap('named', {}), FORCED);

      const wrong = await cluster.delete(refOf(stored), {
        signal: NEVER,
        uid: 'cafe0000-0000-0000-0000-000000000000',
      });
      const still = await cluster.get(refOf(stored), { signal: NEVER });
      const right = await cluster.delete(refOf(stored), { signal: NEVER, uid: uidOf(stored) ?? '' });
      const again = await cluster.delete(refOf(stored), { signal: NEVER });

      expect([wrong, uidOf(still ?? stored), right, again]).to.deep.equal([
        'absent',
        uidOf(stored),
        'accepted',
        'absent',
      ]);
    });
  });

  describe('watches', () => {
    it('hold a collection of 1,200 objects, page by page', async () => {
      const names = Array.from({ length: 1_200 }, (_, i) => `page-${String(i).padStart(4, '0')}`);
      await inParallel(names, 8, (name) =>
        connection.cluster.apply(configMap(name, {}, { many: 'yes' }), FORCED),
      );
      const options = { namespace: NAMESPACE, labelSelector: 'many=yes' };

      const listed = await connection.cluster.list(CONFIG_MAP, { ...options, signal: NEVER });
      const watched = connection.watches.watch(CONFIG_MAP, options);
      await watched.synced;

      expect(listed.map(({ metadata }) => metadata.name).toSorted()).to.deep.equal(names);
      expect(watched.list()).to.have.length(1_200);
      watched.stop();
    });

    it('tell what others do, and answer reads without a call', async () => {
      const watched = connection.watches.watch(CONFIG_MAP, { namespace: NAMESPACE, labelSelector: 'seen' });
      await watched.synced;
      const events: string[] = [];
      watched.onChange(({ type }) => events.push(type));
      const path = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
      const mergePatch = 'application/merge-patch+json';

      await plane.api.request('POST', path, configMap('seen', { a: '1' }, { seen: 'yes' }));
      await plane.api.request('PATCH', `${path}/seen`, { data: { a: '2' } }, mergePatch);
      await untilGiven('both changes are seen', () => Promise.resolve(events.length >= 2 ? true : undefined));
      const before = connection.exchanges.length;
      const read = await connection.cached.get(refOf(configMap('seen', {})), { signal: NEVER });
      const calls = connection.exchanges.length - before;
      await plane.api.request('PATCH', `${path}/seen`, { metadata: { labels: null } }, mergePatch);
      await untilGiven('it is gone', () => Promise.resolve(events.includes('deleted') ? true : undefined));

      expect([mapAt(read, 'data')['a'], calls]).to.deep.equal(['2', 0]);
      expect(events).to.deep.equal(['added', 'updated', 'deleted']);
      watched.stop();
    });

    it('show our own writes at once and tell each of them once', async () => {
      const watched = connection.watches.watch(CONFIG_MAP, { namespace: NAMESPACE, labelSelector: 'own' });
      await watched.synced;
      const events: WatchEvent[] = [];
      watched.onChange((event) => events.push(event));
      const own = (value: string): K8sObject => configMap('own', { value }, { own: 'yes' });
      const valueOf = (object: K8sObject | undefined): unknown => mapAt(object, 'data')['value'];

      const seen: unknown[] = [];
      for (let i = 0; i < 50; i += 1) {
        await connection.cached.apply(own(String(i)), FORCED);
        seen.push(valueOf(await connection.cached.get(refOf(own('')), { signal: NEVER })));
      }
      await connection.cached.delete(refOf(own('')), { signal: NEVER });
      const after = await connection.cached.get(refOf(own('')), { signal: NEVER });
      await connection.cached.apply(own('end'), FORCED);
      await untilGiven('the end is told', () =>
        Promise.resolve(events.find((event) => valueOf(event.object) === 'end')),
      );

      expect(seen).to.deep.equal(Array.from({ length: 50 }, (_, i) => String(i)));
      expect(after).to.equal(undefined);
      expect(events).to.have.length(50 + 2);
      watched.stop();
    });

    it('wait without a call for a kind that others may define, and follow it within seconds', async () => {
      const definition = widgetDefinition('late.e2e.istio.io');
      const objects = `/apis/late.e2e.istio.io/v1/namespaces/${NAMESPACE}/widgets`;
      const watched = connection.watches.watch({ apiVersion: 'late.e2e.istio.io/v1', kind: 'Widget' }, {});
      await watched.synced;
      await systemClock.sleep(3_000, NEVER);
      const before = connection.exchanges.length;
      await systemClock.sleep(3_000, NEVER);
      const calls = connection.exchanges.length - before;

      await plane.api.request('POST', DEFINITIONS, definition);
      await untilGiven('the kind is served', async () => {
        const { status } = await plane.api.request('POST', objects, {
          apiVersion: 'late.e2e.istio.io/v1',
          kind: 'Widget',
          metadata: { name: 'w' },
        });
        return status === 201 ? true : undefined;
      });
      const servedAtMs = systemClock.nowMs();
      await untilGiven('the object is seen', () => Promise.resolve(watched.list()[0]));
      const tookMs = systemClock.nowMs() - servedAtMs;
      await plane.api.request('DELETE', `${DEFINITIONS}/${definition.metadata.name}`);
      await untilGiven('it is gone', () => Promise.resolve(watched.list().length === 0 ? true : undefined));

      expect(calls).to.equal(0);
      expect(tookMs).to.be.at.most(LATE_MS);
      watched.stop();
    });

    it('hold only metadata when told so', async () => {
      await connection.cluster.apply(configMap('slim', { large: 'x' }, { slim: 'yes' }), FORCED);
      const options = { namespace: NAMESPACE, labelSelector: 'slim', metadataOnly: true } as const;

      const watched = connection.watches.watch(CONFIG_MAP, options);
      await watched.synced;
      const [held] = watched.list();

      expect(held).to.include(CONFIG_MAP);
      expect(Object.keys(held ?? {}).toSorted()).to.deep.equal(['apiVersion', 'kind', 'metadata']);
      expect(held?.metadata).to.not.have.property('managedFields');
      watched.stop();
    });
  });

  describe('the lease', () => {
    const candidate = (identity: string, settings: Partial<LeaseSettings> = {}, name = 'lock') => {
      const { transport, watches } = connection;
      const store = createLeaseStore({ transport, watch: watches, namespace: NAMESPACE, name });
      return acquireLease(
        { store, clock: systemClock, wallClockMs: Date.now, random: Math.random, logger: SILENT },
        { ...DEFAULT_LEASE_TIMES, identity, ...settings },
        NEVER,
      );
    };

    it('goes over at once when it is given back', async () => {
      const first = leading(await candidate('first'));
      // Looks by itself only after a time that this test does not wait for, so the watch must tell it.
      const waiting = candidate('second', { retryMs: 300_000 });
      await untilGiven('the second one watches', () =>
        Promise.resolve(connection.watches.ages().get('Lease')),
      );

      await first.release();
      const second = leading(await waiting);

      expect([first.isLeader(), second.isLeader()]).to.deep.equal([false, true]);
      await second.release();
    });

    it('goes over after a crash, and never before the lease has run out', async () => {
      const times = { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 400 };
      const path = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases`;
      const spec = {
        holderIdentity: 'dead',
        leaseDurationSeconds: 3,
        renewTime: '2020-01-01T00:00:00.000000Z',
      };
      await plane.api.request('POST', path, { metadata: { name: 'crash' }, spec });
      const startedAtMs = systemClock.nowMs();

      const survivor = leading(await candidate('survivor', times, 'crash'));

      expect(systemClock.nowMs() - startedAtMs).to.be.at.least(3_000);
      expect(survivor.remainingMs()).to.be.greaterThan(0);
      await survivor.release();
    });
  });
});

describe('watches and the lease when the API server crashes', () => {
  let plane: ControlPlane;
  let connection: Connection;

  before(async () => {
    plane = await startControlPlane();
    connection = await connectTo(plane);
  });

  after(async () => {
    await connection.close();
    await plane.stop();
  });

  it('go on by themselves, with nothing lost', async () => {
    const watched = connection.watches.watch(CONFIG_MAP, { namespace: 'default' });
    await watched.synced;
    const { transport, watches } = connection;
    const store = createLeaseStore({ transport, watch: watches, namespace: 'default', name: 'lock' });
    const leadership = leading(
      await acquireLease(
        { store, clock: systemClock, wallClockMs: Date.now, random: Math.random, logger: SILENT },
        // Longer than the restart takes; what happens when it is not is tested with a clock of our own.
        { leaseMs: 90_000, renewDeadlineMs: 60_000, retryMs: 500, identity: 'only' },
        NEVER,
      ),
    );

    await plane.restartApiServer('SIGKILL');
    await plane.api.request('POST', '/api/v1/namespaces/default/configmaps', {
      ...configMap('late', {}),
      metadata: { name: 'late' },
    });
    const late = { ...CONFIG_MAP, namespace: 'default', name: 'late' };
    const seen = await untilGiven('the new object is seen', () => Promise.resolve(watched.get(late)));

    expect(stringAt(seen, 'metadata', 'name')).to.equal('late');
    expect(leadership.isLeader()).to.equal(true);
    await leadership.release();
  });
});

function leading(leadership: Leadership | undefined): Leadership {
  if (leadership === undefined) throw new Error('it does not lead');
  return leadership;
}

function namespaced(apiVersion: string, kind: string, name: string, fields: JsonObject): K8sObject {
  return { apiVersion, kind, metadata: { name, namespace: NAMESPACE }, ...fields };
}

function namespace(name: string): K8sObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

function configMap(name: string, values: JsonObject, labels: JsonObject = {}): K8sObject {
  return { ...CONFIG_MAP, metadata: { name, namespace: NAMESPACE, labels }, data: values };
}

function deployment(variable: JsonObject, container: JsonObject = {}): K8sObject {
  const labels = { app: 'leaky' };
  const containers = [{ name: 'c', image: 'i', env: [variable], ...container }];
  const spec = {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers } },
  };
  return namespaced('apps/v1', 'Deployment', 'leaky', { spec });
}

function widgetDefinition(group = 'e2e.istio.io'): K8sObject {
  const properties = { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const schema = { openAPIV3Schema: { type: 'object', properties } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      names: { plural: 'widgets', kind: 'Widget' },
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}

async function tokenOf(plane: ControlPlane, name: string): Promise<string> {
  const accounts = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`;
  await plane.api.request('POST', accounts, { metadata: { name } });
  const answer = await plane.api.request('POST', `${accounts}/${name}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {},
  });
  return stringAt(answer.body, 'status', 'token') ?? '';
}

function versionOf(stored: K8sObject): string {
  return stringAt(stored, 'metadata', 'resourceVersion') ?? '';
}

async function failureOf(work: Promise<unknown>): Promise<ClusterError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ClusterError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

/** For calls that are to be repeated while the kind is not served yet. */
function ifAbsent(error: unknown): undefined {
  if (!(error instanceof ClusterError) || error.kind !== 'absent') throw error;
}

const PATIENCE_MS = 60_000;

/** Asks until there is something; mocha's time-out is the limit if the server hangs. */
async function untilGiven<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const limitMs = systemClock.nowMs() + PATIENCE_MS;
  while (systemClock.nowMs() < limitMs) {
    const given = await ask();
    if (given !== undefined) return given;
    await systemClock.sleep(20, NEVER);
  }
  throw new Error(`in vain: waited until ${what}`);
}

async function inParallel<T>(
  items: readonly T[],
  workers: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (const item of rest) await work(item);
    }),
  );
}
