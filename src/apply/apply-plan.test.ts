import { expect } from 'chai';
import { ClusterError } from '../model/cluster-error.ts';
import type { JsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { identityOf, refOf, uidOf } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import type { InventoryEntry } from '../model/status.ts';
import { applyPlan } from './apply-plan.ts';
import type { ClusterPort } from './cluster.port.ts';
import type { ApplySettings } from './engine.port.ts';
import { actionsOf, EngineHarness, namesOf, resultsOf, unavailable } from './testing/engine-harness.ts';
import { healthyStatus, InMemoryApi } from './testing/in-memory-api.ts';
import { component, configMap, deployment, object, OWNER, planOf } from './testing/objects.ts';

function configMapWithoutOwner(name: string): K8sObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'istio-system' } };
}

describe('applyPlan', () => {
  let engine: EngineHarness;
  beforeEach(() => {
    engine = new EngineHarness();
  });

  describe('writes only what differs', () => {
    const plan = planOf(component('Base', [configMap('istio'), deployment('istiod')]));

    it('creates everything at first', async () => {
      const report = await engine.run(plan);

      expect(actionsOf(report)).to.deep.equal({ istio: 'created', istiod: 'created' });
      expect(resultsOf(report)).to.deep.equal({ Base: 'ready' });
    });

    it('writes nothing, asks nothing and records nothing when nothing has changed', async () => {
      await engine.run(plan);

      const report = await engine.run(plan);

      expect(actionsOf(report)).to.deep.equal({ istio: 'unchanged', istiod: 'unchanged' });
      expect(engine.api.callsOf('apply', 'dry-run', 'delete', 'list')).to.deep.equal([]);
      expect(engine.recorded).to.deep.equal([]);
    });

    it('reads each object once at rest, although it waits for readiness', async () => {
      await engine.run(plan);

      await engine.run(plan);

      expect(engine.api.callsOf('get')).to.have.members([
        'get ConfigMap istio-system/istio',
        'get Deployment istio-system/istiod',
      ]);
    });

    it('repairs an edited field and tells field and manager', async () => {
      await engine.run(plan);
      engine.api.edit('kubectl-edit', refOf(configMap('istio')), () => ({ data: { key: 'other' } }));

      const report = await engine.run(plan);

      expect(report.changes.filter(({ action }) => action !== 'unchanged')).to.deep.equal([
        {
          ref: refOf(configMap('istio')),
          action: 'configured',
          fields: ['data.key'],
          changedBy: ['kubectl-edit'],
          drifted: true,
        },
      ]);
      expect(engine.api.read(refOf(configMap('istio')))?.['data']).to.deep.equal({ key: 'value' });
    });

    it('leaves alone what others add', async () => {
      await engine.run(plan);
      engine.api.edit('kubectl-edit', refOf(configMap('istio')), () => ({
        data: { key: 'value', more: 'x' },
      }));

      const report = await engine.run(plan);

      expect(actionsOf(report)['istio']).to.equal('unchanged');
      expect(engine.api.read(refOf(configMap('istio')))?.['data']).to.deep.equal({ key: 'value', more: 'x' });
    });

    it('removes a field that is no longer in the plan', async () => {
      await engine.run(planOf(component('Base', [configMap('istio', { key: 'value', old: 'x' })])));

      const report = await engine.run(planOf(component('Base', [configMap('istio')])));

      expect(report.changes[0]?.fields).to.deep.equal(['data.old']);
      expect(engine.api.read(refOf(configMap('istio')))?.['data']).to.deep.equal({ key: 'value' });
    });

    it('creates anew what was deleted', async () => {
      await engine.run(plan);
      engine.api.remove(refOf(deployment('istiod')));

      const report = await engine.run(plan);

      expect(actionsOf(report)).to.deep.equal({ istio: 'unchanged', istiod: 'created' });
    });
  });

  describe('gateways of several namespaces', () => {
    const inNamespace = (namespace: string, made: K8sObject): K8sObject => ({
      ...made,
      metadata: { ...made.metadata, namespace },
    });
    const gateway = (namespace: string): readonly K8sObject[] => [
      inNamespace(namespace, object('ServiceAccount', `${namespace}-account`)),
      inNamespace(namespace, deployment(namespace)),
    ];
    const plan = planOf(component('IngressGateways', [...gateway('edge'), ...gateway('shop')]));

    it('are installed although another namespace refuses its own', async () => {
      engine.api.fail('apply ServiceAccount edge/edge-account', 'refused', 'exceeded quota: small');

      const report = await engine.run(plan);

      expect(actionsOf(report)).to.deep.equal({ 'shop-account': 'created', shop: 'created' });
      expect(report.components.get('IngressGateways')).to.deep.include({ kind: 'failed', cause: 'quota' });
      expect(namesOf(report.inventory)).to.have.members(['edge-account', 'shop-account', 'shop']);
    });

    it('are waited for together', async () => {
      engine.api.statusOf = (live) => (live.kind === 'Deployment' ? unavailable() : healthyStatus(live));

      const report = await engine.run(plan);
      const result = report.components.get('IngressGateways');

      expect(result?.kind === 'notReady' && result.waitingFor.map(({ ref }) => ref.name)).to.have.members([
        'edge',
        'shop',
      ]);
      expect(engine.clock.nowMs()).to.equal(60_000);
    });
  });

  describe('order', () => {
    it('applies definitions, rights, configuration, workloads and then webhooks', async () => {
      const objects = [
        object('ValidatingWebhookConfiguration', 'validator'),
        deployment('istiod'),
        configMap('istio'),
        object('ClusterRole', 'istiod-role'),
        object('CustomResourceDefinition', 'gateways.networking.istio.io'),
      ];

      await engine.run(planOf(component('Pilot', objects)));

      expect(engine.applied()).to.deep.equal([
        'gateways.networking.istio.io',
        'istiod-role',
        'istio',
        'istiod',
        'validator',
      ]);
    });

    it('applies webhooks only once the workloads before them are ready', async () => {
      engine.api.statusOf = (live) => (live.kind === 'Deployment' ? unavailable() : healthyStatus(live));
      const objects = [deployment('istiod'), object('MutatingWebhookConfiguration', 'injector')];

      const report = await engine.run(planOf(component('Pilot', objects)));

      expect(resultsOf(report)).to.deep.equal({ Pilot: 'notReady' });
      expect(engine.applied()).not.to.include('injector');
    });

    it('begins a component when those before it are ready, and runs independent ones side by side', async () => {
      const plan = planOf(
        component('Base', [configMap('base')]),
        component('Pilot', [deployment('istiod')], ['Base']),
        component('IngressGateways', [deployment('ingress')], ['Base', 'Pilot']),
        component('EgressGateways', [deployment('egress')], ['Base', 'Pilot']),
      );

      await engine.run(plan);

      const order = engine.told.filter((line) => / (started|ready)$/.test(line));
      expect(order.slice(0, 4)).to.deep.equal(['Base started', 'Base ready', 'Pilot started', 'Pilot ready']);
      expect(order.slice(4, 6)).to.have.members(['IngressGateways started', 'EgressGateways started']);
    });

    it('does not wait for a component that the plan does not have', async () => {
      const report = await engine.run(planOf(component('Pilot', [deployment('istiod')], ['Base'])));

      expect(resultsOf(report)).to.deep.equal({ Pilot: 'ready' });
    });

    it('has at most six calls under way in a stage', async () => {
      let underWay = 0;
      let most = 0;
      const port = engine.api;
      const get = port.get.bind(port);
      port.get = async (ref) => {
        underWay += 1;
        most = Math.max(most, underWay);
        await Promise.resolve();
        const found = await get(ref);
        underWay -= 1;
        return found;
      };
      const many = Array.from({ length: 30 }, (_, index) => configMap(`c${index}`));

      await engine.run(planOf(component('Base', many)));

      expect(most).to.equal(6);
    });
  });

  describe('waiting', () => {
    it('waits until a workload is ready', async () => {
      engine.api.statusOf = () => unavailable();
      engine.clock.whileAsleep = (nowMs) => {
        if (nowMs < 3_000) return;
        engine.api.statusOf = healthyStatus;
        engine.api.edit('kube-controller-manager', refOf(deployment('istiod')), () => ({ rolledOut: true }));
      };

      const report = await engine.run(planOf(component('Pilot', [deployment('istiod')])));

      expect(resultsOf(report)).to.deep.equal({ Pilot: 'ready' });
      expect(engine.clock.nowMs()).to.equal(3_000);
    });

    it('gives up after the time-out, says why, and leaves dependents untouched', async () => {
      engine.api.statusOf = () => unavailable();
      const plan = planOf(
        component('Pilot', [deployment('istiod')]),
        component('IngressGateways', [deployment('ingress')], ['Pilot']),
      );

      const report = await engine.run(plan);

      expect(report.components.get('Pilot')).to.deep.equal({
        kind: 'notReady',
        waitingFor: [{ ref: refOf(deployment('istiod')), reason: '0 of 1 pods are available' }],
      });
      expect(report.components.get('IngressGateways')).to.deep.equal({
        kind: 'skipped',
        waitingFor: ['Pilot'],
      });
      expect(engine.clock.nowMs()).to.equal(60_000);
      expect(engine.applied()).not.to.include('ingress');
    });

    it('does not wait for what has given up', async () => {
      const condition = {
        type: 'Progressing',
        status: 'False',
        reason: 'ProgressDeadlineExceeded',
        message: 'Too slow.',
      };
      engine.api.statusOf = () => ({ ...unavailable(), conditions: [condition] });

      const report = await engine.run(planOf(component('Pilot', [deployment('istiod')])));

      expect(report.components.get('Pilot')).to.deep.equal({
        kind: 'notReady',
        waitingFor: [{ ref: refOf(deployment('istiod')), reason: 'Too slow' }],
      });
      expect(engine.clock.nowMs()).to.equal(0);
    });

    it('polls fast at first and slower later', async () => {
      engine.api.statusOf = () => unavailable();

      await engine.run(planOf(component('Pilot', [deployment('istiod')])), { readinessTimeoutMs: 12_000 });

      expect(engine.clock.pauses.filter((pause) => pause === 100)).to.have.length(100);
      expect(engine.clock.pauses.filter((pause) => pause === 500)).to.have.length(4);
    });

    it('goes on looking when a look fails', async () => {
      engine.api.statusOf = () => unavailable();
      engine.clock.whileAsleep = (nowMs) => {
        if (nowMs === 100) engine.api.fail('get Deployment istio-system/istiod', 'unavailable');
        if (nowMs !== 500) return;
        engine.api.failures.clear();
        engine.api.statusOf = healthyStatus;
        engine.api.edit('kube-controller-manager', refOf(deployment('istiod')), () => ({ rolledOut: true }));
      };

      const report = await engine.run(planOf(component('Pilot', [deployment('istiod')])));

      expect(resultsOf(report)).to.deep.equal({ Pilot: 'ready' });
    });
  });

  describe('inventory', () => {
    const plan = planOf(component('Base', [configMap('istio')]));

    it('is recorded before the first write, as the union of old and new', async () => {
      await engine.run(planOf(component('Base', [configMap('old')])));

      await engine.run(plan);

      expect(engine.recorded.map(namesOf)).to.deep.equal([['istio', 'old']]);
      expect(engine.api.callsOf('list', 'apply', 'delete')).to.deep.equal([
        'list the inventory is recorded',
        'apply ConfigMap istio-system/istio',
        'delete ConfigMap istio-system/old',
      ]);
    });

    it('holds what was applied with its uid', async () => {
      const report = await engine.run(plan);

      const uid = uidOf(engine.api.read(refOf(configMap('istio'))) as K8sObject); // it was just applied
      expect(report.inventory).to.deep.equal([{ ...refOf(configMap('istio')), uid }]);
    });

    it('never holds definitions', async () => {
      const definition = object('CustomResourceDefinition', 'gateways.networking.istio.io');

      const report = await engine.run(planOf(component('Base', [definition])));

      expect(report.inventory).to.deep.equal([]);
      expect(engine.recorded).to.deep.equal([]);
    });

    it('keeps what could not be applied, since the answer may have got lost, but not what was not tried', async () => {
      engine.api.fail('apply ConfigMap istio-system/istio', 'unavailable');
      const both = planOf(
        component('Base', [configMap('istio')]),
        component('Pilot', [deployment('istiod')], ['Base']),
      );

      const report = await engine.run(both);

      expect(namesOf(report.inventory)).to.deep.equal(['istio']);
    });

    it('keeps what was applied before by a component that is skipped now', async () => {
      const both = planOf(
        component('Base', [configMap('istio')]),
        component('Pilot', [deployment('istiod')], ['Base']),
      );
      const before = (await engine.run(both)).inventory;
      engine.api.fail('get ConfigMap istio-system/istio', 'unavailable');

      const report = await engine.run(both);

      expect(report.inventory).to.deep.equal(before);
    });

    it('says whose the installation is by the labels of its objects, unless it is told', async () => {
      const labels = (owner: string): { readonly metadata: JsonObject } => ({
        metadata: {
          labels: {
            'install.operator.istio.io/owning-resource': owner,
            'install.operator.istio.io/owning-resource-namespace': owner === 'bare' ? '' : 'istio-system',
          },
        },
      });
      const applied = object('ConfigMap', 'applied', labels('us'));
      const prunedFor = async (given: Pick<ApplySettings, 'owner'>): Promise<readonly string[]> => {
        const api = new InMemoryApi();
        // Restored from a backup, so that only the labels tell whose they are.
        const surplus = ['us', 'other', 'bare'].map((owner) => object('ConfigMap', owner, labels(owner)));
        for (const restored of surplus) api.update('velero', restored);
        const { signal } = engine.abort;
        const report = await applyPlan(
          { cluster: api, clock: engine.clock, recordInventory: async () => undefined },
          planOf(component('Base', [configMapWithoutOwner('plain'), applied])),
          { signal, inventory: surplus.map(refOf), readinessTimeoutMs: 1_000, ...given },
        );
        return report.changes.filter(({ action }) => action === 'pruned').map(({ ref }) => ref.name);
      };

      expect(await prunedFor({})).to.deep.equal(['us']);
      expect(await prunedFor({ owner: { name: 'other', namespace: 'istio-system' } })).to.deep.equal([
        'other',
      ]);
      expect(await prunedFor({ owner: { name: 'bare', namespace: '' } })).to.deep.equal(['bare']);
    });

    it('goes by what was recorded when nothing says whose the installation is', async () => {
      const { inventory } = await engine.run(planOf(component('Base', [configMap('old')])));
      const { signal } = engine.abort;

      const report = await applyPlan(
        { cluster: engine.api, clock: engine.clock, recordInventory: async () => undefined },
        planOf(component('Base', [configMapWithoutOwner('plain')])),
        { signal, inventory, readinessTimeoutMs: 1_000 },
      );

      expect(actionsOf(report)).to.deep.equal({ plain: 'created', old: 'pruned' });
    });

    it('takes objects without a namespace in their labels for those of an owner without one', async () => {
      const bare = (name: string): K8sObject => ({
        ...configMapWithoutOwner(name),
        metadata: {
          name,
          namespace: 'istio-system',
          labels: { 'install.operator.istio.io/owning-resource': 'bare' },
        },
      });
      const named = object('ConfigMap', 'named', {
        metadata: {
          labels: {
            'install.operator.istio.io/owning-resource': 'bare',
            'install.operator.istio.io/owning-resource-namespace': '',
          },
        },
      });
      for (const restored of [named, bare('old')]) engine.api.update('velero', restored);
      const { signal } = engine.abort;

      const report = await applyPlan(
        { cluster: engine.api, clock: engine.clock, recordInventory: async () => undefined },
        planOf(component('Base', [bare('new')])),
        { signal, inventory: [named, bare('old')].map(refOf), readinessTimeoutMs: 1_000 },
      );

      expect(actionsOf(report)).to.deep.equal({ new: 'created', named: 'pruned', old: 'pruned' });
    });

    it('lets nothing be written when it cannot be recorded', async () => {
      const deps = {
        cluster: engine.api,
        clock: engine.clock,
        recordInventory: async () =>
          Promise.reject(new ClusterError('no', { kind: 'unavailable', verb: 'patch' })),
      };
      const settings = { signal: engine.abort.signal, inventory: [], readinessTimeoutMs: 1_000 };

      const error: unknown = await applyPlan(deps, plan, settings).catch((thrown: unknown) => thrown);

      expect(error).to.be.instanceOf(ClusterError);
      expect(engine.api.calls).to.deep.equal([]);
    });
  });

  describe('failures', () => {
    it('stop the component after its stage, and those that depend on it', async () => {
      engine.api.fail(
        'apply ConfigMap istio-system/a',
        'refused',
        'admission webhook "x" denied the request',
      );
      const plan = planOf(
        component('Base', [configMap('a'), configMap('b'), deployment('c')]),
        component('Pilot', [deployment('istiod')], ['Base']),
      );

      const report = await engine.run(plan);

      expect(engine.applied()).to.deep.equal(['a', 'b']);
      expect(resultsOf(report)).to.deep.equal({ Base: 'failed', Pilot: 'skipped' });
      expect(report.components.get('Base')).to.deep.include({ ref: refOf(configMap('a')), retryable: true });
    });

    it('name the object and how many more there are', async () => {
      engine.api.fail('apply ConfigMap istio-system/a', 'invalid', 'data.x is wrong');
      engine.api.fail('apply ConfigMap istio-system/b', 'invalid', 'data.x is wrong');

      const report = await engine.run(planOf(component('Base', [configMap('a'), configMap('b')])));

      const result = report.components.get('Base');
      expect(result).to.deep.include({ kind: 'failed', retryable: false });
      expect(result)
        .to.have.property('message')
        .that.matches(/^ConfigMap istio-system\/a: data\.x is wrong\. .* \(and 1 more of its component\)$/);
    });

    it('are told of one object without keeping the others of its stage', async () => {
      engine.api.fail('get ConfigMap istio-system/a', 'forbidden');

      const report = await engine.run(planOf(component('Base', [configMap('a'), configMap('b')])));

      expect(actionsOf(report)).to.deep.equal({ b: 'created' });
    });

    it('that are no answer of the API server are thrown', async () => {
      const bug = new TypeError('a bug');
      engine.api.beforeCall = ({ verb }) => {
        if (verb === 'apply') throw bug;
      };

      const error: unknown = await engine
        .run(planOf(component('Base', [configMap('a')])))
        .catch((thrown: unknown) => thrown);

      expect(error).to.equal(bug);
    });
  });

  it('tells what it changes as it does, and needs nobody to listen', async () => {
    const both = planOf(
      component('Base', [configMap('istio'), configMap('old')]),
      component('Pilot', [deployment('istiod')], ['Base']),
    );
    const { signal } = engine.abort;
    const deps = { cluster: engine.api, clock: engine.clock, recordInventory: async () => undefined };
    const { inventory } = await applyPlan(deps, both, { signal, inventory: [], readinessTimeoutMs: 1_000 });
    const settings = { signal, inventory, readinessTimeoutMs: 1_000, owner: OWNER };
    await applyPlan({ ...deps, observer: {} }, planOf(component('Base', [configMap('istio')])), settings);
    engine.inventory = inventory;

    await engine.run(planOf(component('Base', [configMap('istio'), configMap('new')])));

    expect(engine.told).to.deep.equal([
      'Base started',
      'created new',
      'Base ready',
      'released old',
      'released istiod',
    ]);
  });

  it('has nothing to tell of a component that was skipped', async () => {
    engine.api.fail('get ConfigMap istio-system/istio', 'unavailable');

    const report = await engine.run(
      planOf(component('Base', [configMap('istio')]), component('Pilot', [deployment('istiod')], ['Base'])),
    );

    expect(report.changes).to.deep.equal([]);
    expect(report.pruneFailures).to.deep.equal([]);
  });

  describe('cancelling', () => {
    it('throws before anything is done when it is cancelled already', async () => {
      engine.abort.abort();

      const error: unknown = await engine
        .run(planOf(component('Base', [configMap('a')])))
        .catch((thrown: unknown) => thrown);

      expect(error).to.deep.include({ kind: 'cancelled' });
      expect(engine.api.calls).to.deep.equal([]);
    });

    it('starts no further call and throws', async () => {
      engine.api.beforeCall = ({ verb, target }) => {
        if (verb === 'apply' && target.endsWith('c0')) engine.abort.abort();
      };
      const many = Array.from({ length: 30 }, (_, index) => configMap(`c${index}`));

      const error: unknown = await engine
        .run(planOf(component('Base', many)))
        .catch((thrown: unknown) => thrown);

      expect(error).to.deep.include({ kind: 'cancelled' });
      expect(engine.api.callsOf('apply').length).to.be.lessThan(8);
    });
  });

  it('ends in the same state when it is ended before or after any of its writes and run again', async () => {
    const first = planOf(
      component('Base', [configMap('istio'), configMap('old')]),
      component('Pilot', [deployment('istiod'), object('Service', 'gone')], ['Base']),
    );
    const second = planOf(
      component('Base', [configMap('istio', { key: 'changed' }), configMap('new')]),
      component('Pilot', [deployment('istiod', { replicas: 3 })], ['Base']),
    );
    const upgraded = async (crash: {
      readonly at: number;
      readonly when: 'before' | 'after';
    }): Promise<Upgrade> => {
      const subject = new EngineHarness();
      await subject.run(first);
      let writes = 0;
      await runAndCrash(subject, second, () => {
        writes += 1;
        return writes === crash.at ? crash.when : undefined;
      });
      await subject.run(second);
      return { writes, state: stateOf(subject) };
    };
    const undisturbed = await upgraded({ at: 0, when: 'before' });
    expect(undisturbed.writes).to.equal(5);

    for (let write = 1; write <= undisturbed.writes; write += 1) {
      const { state } = undisturbed;
      expect((await upgraded({ at: write, when: 'before' })).state, `before write ${write}`).to.deep.equal(
        state,
      );
      expect((await upgraded({ at: write, when: 'after' })).state, `after write ${write}`).to.deep.equal(
        state,
      );
    }
  });
});

interface Upgrade {
  readonly writes: number;
  readonly state: unknown;
}

/** Runs a plan in a process that dies at a write: only what was recorded of the inventory survives it. */
async function runAndCrash(
  engine: EngineHarness,
  plan: Plan,
  crash: () => 'before' | 'after' | undefined,
): Promise<void> {
  const { api } = engine;
  let dead = false;
  const write = async <T>(act: () => Promise<T>): Promise<T> => {
    const moment = dead ? 'before' : crash();
    dead ||= moment !== undefined;
    if (moment === 'before') throw new Error('crashed');
    const result = await act();
    if (moment === 'after') throw new Error('crashed');
    return result;
  };
  const cluster: ClusterPort = {
    get: api.get.bind(api),
    list: api.list.bind(api),
    apply: async (wanted, options) => write(async () => api.apply(wanted, options)),
    replaceManagedFields: api.replaceManagedFields.bind(api),
    delete: async (ref, options) => write(async () => api.delete(ref, options)),
  };
  const recordInventory = async (entries: readonly InventoryEntry[]): Promise<void> => {
    engine.inventory = entries;
  };
  const settings = {
    signal: engine.abort.signal,
    inventory: engine.inventory,
    readinessTimeoutMs: 1_000,
    owner: OWNER,
  };
  const report = await applyPlan({ cluster, clock: engine.clock, recordInventory }, plan, settings).catch(
    () => undefined,
  );
  engine.inventory = report?.inventory ?? engine.inventory;
}

function stateOf({ api, inventory }: EngineHarness): unknown {
  return inventory.map((entry) => {
    const live = api.read(entry);
    return { identity: identityOf(entry), data: live?.['data'], spec: live?.['spec'] };
  });
}
