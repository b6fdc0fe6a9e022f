import { expect } from 'chai';
import { ClusterError } from '../model/cluster-error.ts';
import type { JsonObject } from '../model/json.ts';
import { at, mapAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { identityOf, refOf, uidOf } from '../model/object.ts';
import type { ComponentName, Plan } from '../model/plan.ts';
import type { ApplyReport, Change } from '../model/report.ts';
import type { InventoryEntry } from '../model/status.ts';
import { applyPlan } from './apply-plan.ts';
import type { ClusterPort } from './cluster.port.ts';
import type { ApplySettings, KnownEqual } from './engine.port.ts';
import { createKnownEqual } from './known-equal.ts';
import { healthyStatus, InMemoryApi } from './testing/in-memory-api.ts';
import { JumpingClock } from './testing/jumping-clock.ts';
import { component, configMap, deployment, object, OWNER, planOf } from './testing/objects.ts';

class Engine {
  readonly api = new InMemoryApi();
  readonly clock = new JumpingClock();
  readonly recorded: (readonly InventoryEntry[])[] = [];
  readonly told: string[] = [];
  readonly abort = new AbortController();
  knownEqual: KnownEqual = createKnownEqual();
  inventory: readonly InventoryEntry[] = [];

  /** Applies a plan on top of what the runs before it left. */
  async run(plan: Plan, settings: Partial<ApplySettings> = {}): Promise<ApplyReport> {
    this.api.calls.length = 0;
    this.recorded.length = 0;
    const deps = {
      cluster: this.api,
      clock: this.clock,
      knownEqual: this.knownEqual,
      observer: {
        componentStarted: (name: ComponentName) => this.told.push(`${name} started`),
        componentFinished: (name: ComponentName, { kind }: { kind: string }) =>
          this.told.push(`${name} ${kind}`),
        changed: (change: Change) => this.told.push(`${change.action} ${change.ref.name}`),
      },
      recordInventory: async (entries: readonly InventoryEntry[]) => {
        this.recorded.push(entries);
        this.api.calls.push({ verb: 'list', target: 'the inventory is recorded' });
      },
    };
    const report = await applyPlan(deps, plan, {
      signal: this.abort.signal,
      inventory: this.inventory,
      readinessTimeoutMs: 60_000,
      owner: OWNER,
      ...settings,
    });
    this.inventory = report.inventory;
    return report;
  }

  applied(): readonly string[] {
    return this.api.callsOf('apply').map((call) => call.replace(/^apply \w+ (istio-system\/)?/, ''));
  }
}

function resultsOf(report: ApplyReport): Readonly<Record<string, string>> {
  return Object.fromEntries([...report.components].map(([name, { kind }]) => [name, kind]));
}

function actionsOf(report: ApplyReport): Readonly<Record<string, string>> {
  return Object.fromEntries(report.changes.map(({ ref, action }) => [ref.name, action]));
}

function unavailable(): JsonObject {
  return { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 0 };
}

const NAMES = (entries: readonly InventoryEntry[]): readonly string[] => entries.map(({ name }) => name);

describe('applyPlan', () => {
  let engine: Engine;
  beforeEach(() => {
    engine = new Engine();
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
        'get Namespace istio-system',
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

  describe('asks by a dry run where comparing cannot tell', () => {
    const withEmptyMap = planOf(component('Base', [deployment('istiod', { strategy: {} })]));
    const fillIn = (): void =>
      engine.api.edit('api-server', refOf(deployment('istiod')), (live) => ({
        spec: { ...mapAt(live, 'spec'), strategy: { type: 'RollingUpdate' } },
      }));

    it('asks once and then remembers', async () => {
      await engine.run(withEmptyMap);
      fillIn();

      const first = await engine.run(withEmptyMap);
      const asked = engine.api.callsOf('dry-run', 'apply');
      await engine.run(withEmptyMap);

      expect(actionsOf(first)).to.deep.equal({ istiod: 'unchanged' });
      expect(asked).to.deep.equal(['dry-run Deployment istio-system/istiod']);
      expect(engine.api.callsOf('dry-run', 'apply')).to.deep.equal([]);
    });

    it('asks again when the object has changed since', async () => {
      await engine.run(withEmptyMap);
      fillIn();
      await engine.run(withEmptyMap);
      engine.api.edit('somebody', refOf(deployment('istiod')), (live) => ({
        spec: { ...mapAt(live, 'spec'), strategy: { type: 'Recreate' } },
      }));

      await engine.run(withEmptyMap);

      expect(engine.api.callsOf('dry-run')).to.have.length(1);
    });

    it('does not repeat a write of which the server makes nothing', async () => {
      await engine.run(withEmptyMap);
      const port = engine.api;
      const apply = port.apply.bind(port);
      port.apply = async (wanted, options) => {
        await apply(wanted, { ...options, dryRun: true });
        return port.read(refOf(wanted)) as K8sObject; // it was applied before
      };
      const wanted = planOf(component('Base', [deployment('istiod', { replicas: 2 })]));

      const first = await engine.run(wanted);
      await engine.run(wanted);

      expect(actionsOf(first)).to.deep.equal({ istiod: 'unchanged' });
      expect(engine.api.callsOf('apply', 'dry-run')).to.deep.equal([]);
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

      expect(engine.applied().slice(1)).to.deep.equal([
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

  describe('namespaces', () => {
    const plan = planOf(
      component('Base', [
        configMap('istio'),
        object('ConfigMap', 'other', { metadata: { namespace: 'gateways' } }),
      ]),
    );

    it('creates those that are missing, the one of the control plane with the labels of the plan', async () => {
      await engine.run(plan);

      const labels = (name: string): unknown =>
        engine.api.read({ apiVersion: 'v1', kind: 'Namespace', name })?.metadata['labels'];
      expect(labels('istio-system')).to.deep.equal({ 'topology.istio.io/network': 'network-1' });
      expect(labels('gateways')).to.equal(undefined);
    });

    it('neither touches nor lists those that exist', async () => {
      engine.api.update('kubectl', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'istio-system' },
      });

      await engine.run(plan);

      expect(engine.api.callsOf('apply')).not.to.include('apply Namespace istio-system');
      expect(NAMES(engine.inventory)).to.deep.equal(['other', 'istio']);
    });

    it('applies nothing into a namespace that is being deleted, and says so', async () => {
      const metadata = { name: 'istio-system', deletionTimestamp: '2026-01-01T00:00:00Z' };
      engine.api.update('kubectl', { apiVersion: 'v1', kind: 'Namespace', metadata });

      const report = await engine.run(planOf(component('Base', [configMap('istio')])));

      const result = report.components.get('Base');
      expect(result).to.deep.include({ kind: 'failed', retryable: true });
      expect(result)
        .to.have.property('message')
        .that.matches(/^Namespace istio-system: it is being deleted/);
      expect(engine.api.callsOf('apply')).to.deep.equal([]);
    });
  });

  describe('inventory', () => {
    const plan = planOf(component('Base', [configMap('istio')]));

    it('is recorded before the first write, as the union of old and new', async () => {
      await engine.run(planOf(component('Base', [configMap('old')])));

      await engine.run(plan);

      expect(engine.recorded.map(NAMES)).to.deep.equal([['istio', 'old']]);
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

      expect(NAMES(report.inventory)).to.deep.equal(['istio']);
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

  describe('pruning', () => {
    const before = planOf(
      component('Base', [configMap('istio'), configMap('old'), object('Service', 'svc')]),
    );
    const after = planOf(component('Base', [configMap('istio')]));
    const old = refOf(configMap('old'));

    it('deletes what the plan no longer has, under its uid', async () => {
      await engine.run(before);

      const report = await engine.run(after);

      expect(actionsOf(report)).to.deep.equal({ istio: 'unchanged', svc: 'pruned', old: 'pruned' });
      expect(engine.api.read(old)).to.equal(undefined);
      expect(NAMES(report.inventory)).to.deep.equal(['istio']);
    });

    it('deletes webhooks before workloads, and rights last', async () => {
      const objects = [
        object('ClusterRole', 'role'),
        deployment('istiod'),
        object('Deployment', 'gateway', {
          metadata: { labels: { 'operator.istio.io/component': 'IngressGateways' } },
        }),
        object('Service', 'svc'),
        configMap('istio'),
        object('MutatingWebhookConfiguration', 'injector'),
      ];
      await engine.run(planOf(component('Pilot', objects)));

      await engine.run(planOf());

      expect(engine.api.callsOf('delete').map((call) => call.split(/[ /]/).at(-1))).to.deep.equal([
        'injector',
        'gateway',
        'istiod',
        'svc',
        'istio',
        'role',
      ]);
    });

    it('waits until everything in the plan is ready', async () => {
      await engine.run(before);
      engine.api.statusOf = () => unavailable();

      const report = await engine.run(planOf(component('Base', [configMap('istio'), deployment('new')])));

      expect(engine.api.callsOf('delete')).to.deep.equal([]);
      expect(NAMES(report.inventory)).to.have.members(['istio', 'old', 'svc', 'new']);
    });

    it('ignores the version of the API', async () => {
      const beta = { ...object('HorizontalPodAutoscaler', 'istiod'), apiVersion: 'autoscaling/v2beta2' };
      await engine.run(planOf(component('Pilot', [beta])));

      await engine.run(planOf(component('Pilot', [object('HorizontalPodAutoscaler', 'istiod')])));

      expect(engine.api.callsOf('delete')).to.deep.equal([]);
    });

    it('releases what another owner has taken over', async () => {
      await engine.run(before);
      engine.api.edit('istio-operator', old, (live) => ({
        metadata: { ...live.metadata, labels: { 'install.operator.istio.io/owning-resource': 'other' } },
      }));

      const report = await engine.run(after);

      expect(actionsOf(report)['old']).to.equal('released');
      expect(engine.api.read(old)).not.to.equal(undefined);
      expect(NAMES(report.inventory)).to.deep.equal(['istio']);
    });

    it('releases an object of that name that is not the one we made', async () => {
      await engine.run(before);
      engine.api.erase(old);
      engine.api.update('kubectl', { ...old, metadata: { name: 'old', namespace: 'istio-system' } });

      const report = await engine.run(after);

      expect(actionsOf(report)['old']).to.equal('released');
      expect(engine.api.callsOf('delete')).not.to.include('delete ConfigMap istio-system/old');
    });

    it('deletes an object of ours that was restored from a backup, so has another uid', async () => {
      await engine.run(before);
      engine.api.erase(old);
      engine.api.update('velero', configMap('old'));

      const report = await engine.run(after);

      expect(actionsOf(report)['old']).to.equal('pruned');
    });

    it('releases what is gone', async () => {
      await engine.run(before);
      engine.api.erase(old);

      const report = await engine.run(after);

      expect(actionsOf(report)['old']).to.equal('released');
    });

    it('neither deletes nor forgets what cannot be read', async () => {
      await engine.run(before);
      engine.api.fail('get ConfigMap istio-system/old', 'unavailable', 'no answer');

      const report = await engine.run(after);

      expect(engine.api.callsOf('delete')).to.deep.equal(['delete Service istio-system/svc']);
      expect(NAMES(report.inventory)).to.deep.equal(['istio', 'old']);
      expect(report.pruneFailures.map(({ ref }) => ref)).to.deep.equal([old]);
      expect(report.pruneFailures[0]?.message).to.match(/^ConfigMap istio-system\/old: no answer\. /);
    });

    it('remembers what cannot be deleted, and goes on with the rest', async () => {
      await engine.run(before);
      engine.api.fail('delete Service istio-system/svc', 'forbidden');

      const report = await engine.run(after);

      expect(actionsOf(report)['old']).to.equal('pruned');
      expect(NAMES(report.inventory)).to.deep.equal(['istio', 'svc']);
      expect(report.pruneFailures.map(({ ref }) => ref.name)).to.deep.equal(['svc']);
    });

    it('keeps what is marked as not to be pruned, and the memory of it', async () => {
      const mark = { 'install.operator.istio.io/owning-resource-not-pruned': 'true' };
      const marked = object('ConfigMap', 'old', { metadata: { annotations: mark } });
      await engine.run(planOf(component('Base', [configMap('istio'), marked])));

      const report = await engine.run(after);

      expect(engine.api.callsOf('delete')).to.deep.equal([]);
      expect(actionsOf(report)).to.deep.equal({ istio: 'unchanged' });
      expect(NAMES(report.inventory)).to.deep.equal(['istio', 'old']);
    });

    for (const entry of [
      {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        name: 'gateways.networking.istio.io',
      },
      { apiVersion: 'v1', kind: 'Namespace', name: 'istio-system' },
      { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'istio-system', name: 'data' },
      { apiVersion: 'v1', kind: 'Secret', namespace: 'istio-system', name: 'cacerts' },
      { apiVersion: 'v1', kind: 'Secret', namespace: 'istio-system', name: 'istio-ca-secret' },
    ]) {
      it(`never deletes ${entry.kind} ${entry.name}, even when the inventory has it`, async () => {
        const live = { ...object(entry.kind, entry.name), apiVersion: entry.apiVersion };
        engine.api.update('kubectl', live);
        engine.inventory = [{ ...entry, uid: uidOf(engine.api.read(entry) as K8sObject) ?? '' }]; // it was just stored

        const report = await engine.run(planOf());

        expect(engine.api.read(entry)).not.to.equal(undefined);
        expect(report.inventory).to.deep.equal([]);
      });
    }
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

      expect(engine.applied().slice(1)).to.deep.equal(['a', 'b']);
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
        .that.matches(/^ConfigMap istio-system\/a: data\.x is wrong\. .* \(1 more object/);
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

  describe('immutable fields', () => {
    const change = (kind: string, spec: JsonObject): [Plan, Plan] => [
      planOf(component('Pilot', [object(kind, 'x', { spec: { selector: 'a' } })])),
      planOf(component('Pilot', [object(kind, 'x', { spec })])),
    ];
    const refuseChange = (kind: string): void => {
      engine.api.beforeCall = ({ verb, target }) => {
        if (
          verb === 'apply' &&
          engine.api.read(refOf(object(kind, 'x'))) !== undefined &&
          target.endsWith('x')
        ) {
          throw new ClusterError('spec.selector: field is immutable', { kind: 'invalid', verb: 'apply' });
        }
      };
    };

    it('of a Deployment are changed by making it anew', async () => {
      const [first, second] = change('Deployment', { selector: 'b' });
      await engine.run(first);
      refuseChange('Deployment');

      const report = await engine.run(second);

      expect(report.changes).to.deep.equal([
        {
          ref: refOf(object('Deployment', 'x')),
          action: 'configured',
          fields: ['spec.selector'],
          changedBy: [],
          recreated: true,
        },
      ]);
      expect(engine.api.read(refOf(object('Deployment', 'x')))?.['spec']).to.deep.equal({ selector: 'b' });
    });

    it('of a Service are a failure: it would lose its addresses', async () => {
      const [first, second] = change('Service', { selector: 'b' });
      await engine.run(first);
      refuseChange('Service');

      const report = await engine.run(second);

      expect(engine.api.callsOf('delete')).to.deep.equal([]);
      expect(report.components.get('Pilot')).to.deep.include({ kind: 'failed', retryable: false });
    });
  });

  describe('an object that is being deleted', () => {
    const held = object('ConfigMap', 'held', { metadata: { finalizers: ['example.com/wait'] } });
    const plan = planOf(component('Base', [held]));

    it('is awaited and made anew', async () => {
      await engine.run(plan);
      engine.api.remove(refOf(held));
      engine.clock.whileAsleep = (nowMs) => {
        if (nowMs === 1_000) engine.api.erase(refOf(held));
      };

      const report = await engine.run(plan);

      expect(actionsOf(report)).to.deep.equal({ held: 'created' });
    });

    it('is told with what it waits for when it does not go', async () => {
      await engine.run(plan);
      engine.api.remove(refOf(held));

      const report = await engine.run(plan);

      const result = report.components.get('Base');
      expect(result).to.deep.include({ kind: 'failed', retryable: true });
      expect(result)
        .to.have.property('message')
        .that.matches(
          /^ConfigMap istio-system\/held: it is being deleted and waits for the finalizer example\.com\/wait\./,
        );
    });
  });

  describe('replicas', () => {
    const replicas = (): unknown => at(engine.api.read(refOf(deployment('istiod'))), 'spec', 'replicas');
    const scale = (count: number): void =>
      engine.api.edit('kube-controller-manager', refOf(deployment('istiod')), (live) => ({
        spec: { ...mapAt(live, 'spec'), replicas: count },
      }));
    const autoscaler = (name: string): K8sObject =>
      object('HorizontalPodAutoscaler', name, {
        spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'istiod' } },
      });
    const fixed = planOf(component('Pilot', [deployment('istiod', { replicas: 2 })]));
    const scaled = planOf(component('Pilot', [deployment('istiod', { replicas: 2 }), autoscaler('istiod')]));

    it('are left to an autoscaler of the plan', async () => {
      await engine.run(scaled);
      scale(5);

      const report = await engine.run(scaled);

      expect(replicas()).to.equal(5);
      expect(actionsOf(report)['istiod']).to.equal('unchanged');
    });

    it('do not fall to one when autoscaling is turned on', async () => {
      await engine.run(fixed);
      const { replicas: _replicas, ...spec } = mapAt(deployment('istiod'), 'spec');
      const unscaled = object('Deployment', 'istiod', { spec });

      await engine.run(planOf(component('Pilot', [unscaled, autoscaler('istiod')])));

      expect(replicas()).to.equal(2);
    });

    it('are ours again when autoscaling is turned off', async () => {
      await engine.run(scaled);
      scale(5);

      await engine.run(fixed);

      expect(replicas()).to.equal(2);
    });

    it("are left to a user's own autoscaler", async () => {
      await engine.run(fixed);
      engine.api.update('keda', {
        ...autoscaler('keda-hpa-istiod'),
        metadata: { name: 'k', namespace: 'istio-system' },
      });
      scale(7);

      await engine.run(fixed);

      expect(replicas()).to.equal(7);
    });

    it('are repaired when a person scales', async () => {
      await engine.run(fixed);
      engine.api.edit('kubectl', refOf(deployment('istiod')), (live) => ({
        spec: { ...mapAt(live, 'spec'), replicas: 0 },
      }));

      await engine.run(fixed);

      expect(replicas()).to.equal(2);
      expect(engine.api.callsOf('list')).to.deep.equal([]);
    });
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
      const subject = new Engine();
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
  engine: Engine,
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

function stateOf({ api, inventory }: Engine): unknown {
  return inventory.map((entry) => {
    const live = api.read(entry);
    return { identity: identityOf(entry), data: live?.['data'], spec: live?.['spec'] };
  });
}
