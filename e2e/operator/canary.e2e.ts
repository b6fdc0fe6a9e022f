/** Several control planes side by side, on a real API server: what they share, and how pods move from one to another. */
import { expect } from 'chai';
import {
  INJECTOR_SELECTOR,
  isActive,
  overlap,
  tagOf,
  targetOfInjector,
} from '../../src/core/objects/injectors.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { at, numberAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { labelsOf, uidOf } from '../../src/model/object.ts';
import { conditionOf } from '../../src/controller/resource.ts';
import { INJECTORS } from '../../src/controller/watch-table.ts';
import type { Connection } from '../cluster/connection.ts';
import { connectTo } from '../cluster/connection.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { apply, pathOf } from '../deploy/manifests.ts';
import { writesOf } from './audit-log.ts';
import type { OperatorUnderTest } from './operator-under-test.ts';
import { startOperator } from './operator-under-test.ts';
import { eventually, readObject, Resources } from './resources.ts';

const NAMESPACE = 'istio-system';
const GATEWAY = deployment('istio-ingressgateway');
const DEFINITION: K8sObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gateways.networking.istio.io' },
};

function deployment(name: string): K8sObject {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: NAMESPACE } };
}

/** The one that was there first, with a gateway; without a name unless it has one. */
function old(values: JsonObject = {}, spec: JsonObject = {}): JsonObject {
  const ingressGateways = [{ name: 'istio-ingressgateway', enabled: true }];
  return { profile: 'minimal', tag: '1.29.6', components: { ingressGateways }, values, ...spec };
}

function canary(values: JsonObject = {}): JsonObject {
  return { profile: 'minimal', tag: '1.30.3', revision: 'canary', values };
}

const DEFAULT_TAG: JsonObject = { revisionTags: ['default'] };

describe('two control planes side by side', () => {
  let plane: ControlPlane;
  let resources: Resources;
  let operator: OperatorUnderTest;
  let connection: Connection;

  before(async () => {
    plane = await sharedControlPlane();
    connection = await connectTo(plane);
    resources = new Resources(plane, NAMESPACE);
    await resources.prepare();
  });

  beforeEach(async () => {
    operator = await startOperator(plane);
  });

  afterEach(async () => {
    await resources.clear();
    await operator.stop();
    expect(resources.unsound).to.deep.equal([]);
  });

  after(async () => {
    await connection.close();
  });

  async function restart(): Promise<void> {
    await operator.stop();
    operator = await startOperator(plane);
    await eventually('the operator is ready', async () => operator.ready());
  }

  async function installed(name: string, spec: JsonObject): Promise<void> {
    await resources.apply(name, spec);
    await resources.until(name, 'HEALTHY');
  }

  async function conflictOf(name: string): Promise<string | undefined> {
    const status = await resources.until(name, 'HEALTHY');
    return conditionOf(status, 'InjectionConflict')?.reason;
  }

  async function settledConflict(name: string, reason: string | undefined): Promise<void> {
    await eventually(`${name} has the conflict ${reason}`, async () => (await conflictOf(name)) === reason);
  }

  /** What this operator wrote beside statuses and events. */
  async function objectWrites(): Promise<readonly string[]> {
    const writes = await writesOf(plane, operator.userAgent);
    return writes
      .filter(({ resource }) => !/^(istiooperators|events)/u.test(resource))
      .map(({ verb, resource, name }) => `${verb} ${resource} ${name}`);
  }

  async function versionOfDefinition(): Promise<string | undefined> {
    const live = await eventually('the definition is there', async () => readObject(plane, DEFINITION));
    return labelsOf(live)['app.kubernetes.io/version'];
  }

  /** Follows all injectors from now on, and tells after each event which istiods serve pods that name no revision. */
  async function followDefault(): Promise<{ readonly seen: string[]; stop(): void }> {
    const watched = connection.watches.watch(INJECTORS, { labelSelector: INJECTOR_SELECTOR });
    await watched.synced;
    const seen: string[] = [];
    const note = (): void => {
      const serving = watched.list().filter((injector) => isActive(injector) && servesDefault(injector));
      const state = [...new Set(serving.map(targetOfInjector))].join(' and ') || 'nobody';
      if (seen.at(-1) !== state) seen.push(state);
    };
    watched.onChange(note);
    note();
    return { seen, stop: () => watched.stop() };
  }

  it('share the definitions of the newest line, whoever came first, and write nothing at rest', async () => {
    await installed('new', canary());
    await installed('old', old());
    const both = await versionOfDefinition();
    await restart();
    await resources.apply('old', old({}, { meshConfig: { accessLogFile: '/dev/stdout' } }));
    await eventually('the change is rolled out', async () => (await objectWrites()).length > 0);
    await resources.until('old', 'HEALTHY');
    const writes = await objectWrites();

    await resources.delete('new');
    await resources.untilGone('new');
    await resources.apply('old', old({}, { meshConfig: { accessLogFile: '' } }));
    await resources.until('old', 'HEALTHY');

    expect(writes.toSorted()).to.deep.equal(['patch configmaps istio', 'patch configmaps values']);
    expect([both, await versionOfDefinition()]).to.deep.equal(['1.30.3', '1.30.3']);
  });

  it('give the definitions of the older line way to the newer one that comes later', async () => {
    await installed('old', old());

    await installed('new', canary());

    expect(await versionOfDefinition()).to.equal('1.30.3');
    await restart();
    await resources.apply('old', old({ pilot: { traceSampling: 2 } }));
    await resources.until('old', 'HEALTHY');
    expect(await versionOfDefinition()).to.equal('1.30.3');
    expect(
      (await objectWrites()).filter((write) => write.includes('customresourcedefinitions')),
    ).to.deep.equal([]);
  });

  it('hand the default tag over by one write, through restarts, and leave the gateway alone', async () => {
    await installed('old', old(DEFAULT_TAG, { revision: 'stable' }));
    await installed('new', canary());
    const gateway = await readObject(plane, GATEWAY);
    const follow = await followDefault();

    await installed('new', canary(DEFAULT_TAG));
    await settledConflict('new', 'TagHeld');
    await restart();
    await settledConflict('new', 'TagHeld');
    await resources.apply('old', old({}, { revision: 'stable' }));
    await settledConflict('new', undefined);
    await restart();
    await resources.until('old', 'HEALTHY');
    follow.stop();

    expect(follow.seen).to.deep.equal(['istio-system/istiod-stable', 'istio-system/istiod-canary']);
    const after = await readObject(plane, GATEWAY);
    expect([after && uidOf(after), numberAt(after, 'metadata', 'generation')]).to.deep.equal([
      gateway && uidOf(gateway),
      numberAt(gateway, 'metadata', 'generation'),
    ]);
  });

  it('hand the default over from the revision without a name: at no moment do two serve, or nobody', async () => {
    await installed('old', old());
    await installed('new', canary());
    const follow = await followDefault();

    await resources.apply('new', canary(DEFAULT_TAG));
    await eventually('the tag is switched', async () => follow.seen.length > 1);
    await settledConflict('new', undefined);
    await restart();
    await resources.until('old', 'HEALTHY');
    const forth = [...follow.seen];

    await resources.apply('old', old(DEFAULT_TAG));
    await settledConflict('old', 'TagHeld');
    await resources.apply('new', canary());
    await settledConflict('old', undefined);
    await restart();
    await resources.until('old', 'HEALTHY');
    follow.stop();

    expect(forth).to.deep.equal(['istio-system/istiod', 'istio-system/istiod-canary']);
    expect(follow.seen).to.deep.equal([...forth, 'istio-system/istiod']);
  });

  it('tell of a tag that points to nothing, and of an injector that is in the way', async () => {
    await installed('old', old());
    const injectors = await connection.cluster.list(INJECTORS, {
      labelSelector: INJECTOR_SELECTOR,
      signal: new AbortController().signal,
    });
    const [mine] = injectors;
    if (mine === undefined) throw new Error('there is no injector');
    const foreign = (name: string, labels: JsonObject, service: string): K8sObject => ({
      apiVersion: mine.apiVersion,
      kind: mine.kind,
      metadata: { name, labels: { app: 'sidecar-injector', ...labels } },
      webhooks: [
        { ...webhookOf(mine), clientConfig: { service: { name: service, namespace: 'elsewhere' } } },
      ],
    });
    const overlapping = foreign('theirs', { 'istio.io/rev': 'theirs' }, 'istiod-theirs');
    const dangling = foreign(
      'istio-revision-tag-prod',
      { 'istio.io/rev': 'gone', 'istio.io/tag': 'prod' },
      'istiod-gone',
    );

    expect((await apply(plane.api, overlapping)).status).to.equal(201);
    await settledConflict('old', 'OverlappingInjectors');
    await plane.api.request('DELETE', pathOf(overlapping));
    await settledConflict('old', undefined);
    expect((await apply(plane.api, withOwnSelector(dangling))).status).to.equal(201);
    await settledConflict('old', 'DanglingTag');
    await plane.api.request('DELETE', pathOf(dangling));
    await settledConflict('old', undefined);
  });

  it('keep one that pods use from being deleted, without keeping the other waiting', async () => {
    await installed('old', old());
    await installed('new', canary());
    const pod = injectedPod('canary');
    await eventually('the pod is accepted', async () => (await apply(plane.api, pod)).status === 201);

    await resources.delete('new');
    const blocked = await resources.until('new', 'ACTION_REQUIRED');
    await installed('old', old({ pilot: { traceSampling: 3 } }));
    const istiod = await readObject(plane, deployment('istiod-canary'));

    expect(blocked.message).to.include('Revision canary is used by 1 pod: 1 in default');
    expect(istiod).to.not.equal(undefined);

    await plane.api.request('DELETE', `${pathOf(pod)}?gracePeriodSeconds=0`);
    await resources.untilGone('new');
    expect(await readObject(plane, deployment('istiod-canary'))).to.equal(undefined);
  });

  it('let one go that pods use when the annotation insists', async () => {
    await installed('new', canary());
    const pod = injectedPod('canary');
    await eventually('the pod is accepted', async () => (await apply(plane.api, pod)).status === 201);
    await resources.delete('new');
    await resources.until('new', 'ACTION_REQUIRED');

    await resources.apply('new', canary(), { 'install.istio.io/force-removal': 'true' });
    await resources.untilGone('new');

    await plane.api.request('DELETE', `${pathOf(pod)}?gracePeriodSeconds=0`);
  });

  it('say who uses which of them where that is asked for', async () => {
    const pod = injectedPod('stable');
    await eventually('the pod is accepted', async () => (await apply(plane.api, pod)).status === 201);

    await resources.apply('old', old(), { 'install.istio.io/data-plane': 'true' });
    const asked = await resources.until('old', 'HEALTHY');
    await resources.apply('old', old());
    await eventually('nothing is said any more', async () => {
      const status = await resources.until('old', 'HEALTHY');
      return status.dataPlane === undefined;
    });

    await plane.api.request('DELETE', `${pathOf(pod)}?gracePeriodSeconds=0`);
    const stable = asked.dataPlane?.revisions.find(({ revision }) => revision === 'stable');
    expect(stable).to.deep.equal({ revision: 'stable', pods: 1, namespaces: [{ name: 'default', pods: 1 }] });
  });

  it('are each known by their labels when the status is lost', async () => {
    await installed('old', old());
    await operator.stop();
    const path = `/apis/install.istio.io/v1alpha1/namespaces/${NAMESPACE}/istiooperators/old`;
    const lost = { metadata: {}, status: null };
    await plane.api.request('PATCH', `${path}/status`, lost, 'application/merge-patch+json');
    const { tag: _tag, ...untagged } = old();
    await resources.apply('old', untagged);
    operator = await startOperator(plane);

    expect((await resources.until('old', 'HEALTHY')).version).to.equal('1.29.6');

    await plane.api.request('PATCH', `${path}/status`, lost, 'application/merge-patch+json');
    await resources.apply('old', old({}, { tag: '1.28.10' }));
    expect(Resources.reasonOf(await resources.until('old', 'ERROR'))).to.equal('UpgradeRefused');
  });

  it('are taken over from the old operator in the version that it left them in', async () => {
    await leftByOldOperator('1.29.6');
    const { tag: _tag, ...untagged } = old();

    await resources.apply('old', untagged);
    const { version } = await resources.until('old', 'HEALTHY');

    const istiod = await readObject(plane, deployment('istiod'));
    expect([version, istiod && labelsOf(istiod)['operator.istio.io/version']]).to.deep.equal([
      '1.29.6',
      '1.29.6',
    ]);
    expect((await objectWrites()).filter((write) => write.startsWith('delete'))).to.deep.equal([]);
  });

  it('are left alone, without a tag, when the old operator left a version that nobody installs any more', async () => {
    await leftByOldOperator('1.23.4');
    const { tag: _tag, ...untagged } = old();

    await resources.apply('old', untagged);
    const status = await resources.until('old', 'ERROR');
    const writes = await objectWrites();
    await installed('old', old());

    expect([Resources.reasonOf(status), writes]).to.deep.equal(['UnsupportedRelease', []]);
  });

  /** An istiod as the old operator made it: with its labels, by an update, and without a status of ours. */
  async function leftByOldOperator(version: string): Promise<void> {
    const labels = {
      app: 'istiod',
      'operator.istio.io/component': 'Pilot',
      'operator.istio.io/managed': 'Reconcile',
      'operator.istio.io/version': version,
      'install.operator.istio.io/owning-resource': 'old',
      'install.operator.istio.io/owning-resource-namespace': NAMESPACE,
      'istio.io/rev': 'default',
    };
    const podLabels = { app: 'istiod', istio: 'pilot' };
    const istiod: K8sObject = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'istiod', namespace: NAMESPACE, labels },
      spec: {
        selector: { matchLabels: { istio: 'pilot' } },
        template: {
          metadata: { labels: podLabels },
          spec: { containers: [{ name: 'discovery', image: 'pilot' }] },
        },
      },
    };
    const path = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments?fieldManager=operator`;
    expect((await plane.api.request('POST', path, istiod)).status).to.equal(201);
  }
});

/** Reaches pods of namespaces with `istio-injection: enabled`. */
function servesDefault(injector: K8sObject): boolean {
  const probe: K8sObject = {
    ...injector,
    webhooks: [
      {
        clientConfig: { url: 'https://probe.example.com' },
        namespaceSelector: { matchLabels: { 'istio-injection': 'enabled' } },
        objectSelector: {},
      },
    ],
  };
  return overlap(injector, probe);
}

function webhookOf(injector: K8sObject): JsonObject {
  const webhook = at(injector, 'webhooks', 0);
  if (typeof webhook !== 'object' || webhook === null || Array.isArray(webhook))
    throw new Error('no webhook');
  return webhook as JsonObject; // what is left of a JsonValue
}

/** Reaches only pods that name its tag. */
function withOwnSelector(injector: K8sObject): K8sObject {
  const matchLabels = { 'istio.io/rev': tagOf(injector) ?? '' };
  const matchExpressions = [{ key: 'istio-injection', operator: 'DoesNotExist' }];
  const namespaceSelector = { matchLabels, matchExpressions };
  const webhook = { ...webhookOf(injector), namespaceSelector, objectSelector: {} };
  return { ...injector, webhooks: [webhook] };
}

/** A pod as the injector of a revision leaves it. */
function injectedPod(revision: string): K8sObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `user-of-${revision}`,
      namespace: 'default',
      annotations: { 'istio.io/rev': revision },
    },
    spec: { nodeName: 'fake-node', containers: [{ name: 'app', image: 'app' }] },
  };
}
