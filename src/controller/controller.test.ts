import { expect } from 'chai';
import fc from 'fast-check';
import type { EngineDeps } from '../apply/engine.port.ts';
import type { JsonValue } from '../model/json.ts';
import { at, stringAt } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { labelsOf, refOf } from '../model/object.ts';
import type { ClusterFacts, Plan, PlanResult } from '../model/plan.ts';
import type { ApplyReport, Change, ComponentResult, DeletionReport } from '../model/report.ts';
import type { InventoryEntry, OperatorStatus } from '../model/status.ts';
import type { Controller, ControllerSettings } from './controller.ts';
import { createController } from './controller.ts';
import { FINALIZER } from './finalizer.ts';
import { createMetrics } from './metrics.ts';
import { conditionOf, finalizersOf, storedStatus } from './resource.ts';
import type { Engine } from './visit.ts';
import { OWNER_NAME_LABEL } from './watch-table.ts';
import {
  GATEWAY,
  GATEWAY_SKIPPED,
  INVENTORY,
  ISTIOD,
  ISTIOD_WAITS,
  READER,
  changeOf,
  entryOf,
  istioOperator,
  planOf,
  reportOf,
} from './testing/builders.ts';
import type { ResourceParts } from './testing/builders.ts';
import { FakeClock, settled } from './testing/fake-clock.ts';
import { InMemoryCluster, UNREACHABLE_CLUSTER, clusterError } from './testing/in-memory-cluster.ts';
import { SILENT_LOGGER } from './testing/silent-logger.ts';

type Apply = Engine['apply'];
type Delete = Engine['delete'];

const SETTINGS: ControllerSettings = {
  namespaces: [],
  revision: '',
  readinessTimeoutMs: 300_000,
  concurrency: 4,
};
const PLAN: PlanResult = { kind: 'planned', plan: planOf() };

/** An operator with a scripted engine, in a cluster that is made of memory. */
class World {
  readonly clock = new FakeClock();
  readonly cluster = new InMemoryCluster();
  readonly stop = new AbortController();
  readonly applied: { plan: Plan; inventory: readonly InventoryEntry[]; readinessTimeoutMs: number }[] = [];
  readonly metrics = createMetrics(() => 4096);
  planned = 0;
  apply: Apply = async () => reportOf();
  delete: Delete = async () => ({ kind: 'deleted' });
  plan: (spec: JsonValue, facts: ClusterFacts) => PlanResult | Promise<PlanResult> = () => PLAN;
  running: Promise<void> = Promise.resolve();

  start(settings: Partial<ControllerSettings> = {}): Controller {
    const controller = this.create(settings);
    this.running = controller.run(this.stop.signal);
    return controller;
  }

  create(settings: Partial<ControllerSettings> = {}): Controller {
    return createController({
      watch: this.cluster,
      resources: this.cluster,
      cluster: UNREACHABLE_CLUSTER,
      engine: {
        apply: async (deps, plan, run) => {
          this.applied.push({ plan, inventory: run.inventory, readinessTimeoutMs: run.readinessTimeoutMs });
          return this.apply(deps, plan, run);
        },
        delete: async (deps, run) => this.delete(deps, run),
        preview: async () => ({ changes: [], failures: [] }),
      },
      planFor: (spec, _owner, facts) => {
        this.planned += 1;
        return this.plan(spec, facts);
      },
      clock: this.clock,
      random: () => 0.5,
      logger: SILENT_LOGGER,
      metrics: this.metrics,
      instance: 'test',
      settings: { ...SETTINGS, ...settings },
    });
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.running;
    expect(this.cluster.unsound).to.deep.equal([]);
  }

  resource(name = 'demo'): K8sObject | undefined {
    return this.cluster.read(refOf(istioOperator({ name })));
  }

  status(name = 'demo'): OperatorStatus | undefined {
    return storedStatus(this.resource(name));
  }

  /** `HEALTHY Installed`, in short. */
  verdict(name = 'demo'): string {
    const status = this.status(name);
    return `${status?.status} ${conditionOf(status, 'Ready')?.reason}`;
  }

  eventReasons(): unknown[] {
    return this.cluster.events.map((event) => at(event, 'reason'));
  }
}

const WAITING = reportOf({ components: { Pilot: ISTIOD_WAITS, IngressGateways: GATEWAY_SKIPPED } });

const DIAGNOSTIC = {
  code: 'IOP101',
  severity: 'error',
  path: 'spec.profile',
  cause: 'no',
  remedy: 'Yes.',
} as const;

const FAILING_CALLS = [
  ['patchStatus', 'unavailable'],
  ['patchStatus', 'forbidden'],
  ['setFinalizers', 'conflict'],
  ['createEvent', 'forbidden'],
] as const;

function edited(parts: ResourceParts): K8sObject {
  return istioOperator({ finalizers: [FINALIZER], ...parts });
}

describe('controller', () => {
  let world: World;

  beforeEach(() => {
    world = new World();
  });

  afterEach(async () => {
    await world.end();
  });

  describe('a kind that planning asks about', () => {
    const definition = (established: 'True' | 'False'): K8sObject => ({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'podmonitors.monitoring.coreos.com' },
      status: { conditions: [{ type: 'Established', status: established }] },
    });

    it('is planned for as soon as the cluster serves it, and no longer', async () => {
      const served: unknown[] = [];
      world.plan = (_spec, facts) => {
        served.push(facts.servedKinds);
        return PLAN;
      };
      world.cluster.put(istioOperator());
      world.start();
      await settled();

      for (const change of [
        () => world.cluster.put(definition('False')),
        () => world.cluster.put(definition('True')),
        () => world.cluster.remove(refOf(definition('True'))),
      ]) {
        change();
        await world.clock.advance(1_000);
        await settled();
      }

      expect(served).to.deep.equal([[], ['monitoring.coreos.com/v1/PodMonitor'], []]);
    });
  });

  describe('installing', () => {
    it('brings a resource to HEALTHY and Ready, and says what is installed', async () => {
      world.cluster.put(istioOperator());
      world.start();
      await settled();

      const status = world.status();
      expect(world.verdict()).to.equal('HEALTHY Installed');
      expect([status?.observedGeneration, status?.profile, status?.revision, status?.version]).to.deep.equal([
        1,
        'demo',
        'default',
        '1.30.3',
      ]);
      expect(status?.inventory).to.deep.equal(INVENTORY);
      expect(world.eventReasons()).to.deep.equal(['Installed']);
    });

    it('holds the resource by its finalizer before the engine writes anything', async () => {
      let finalizers: readonly string[] = [];
      world.apply = async () => {
        finalizers = finalizersOf(world.resource() ?? istioOperator());
        return reportOf();
      };
      world.cluster.put(istioOperator({ finalizers: ['example.com/other'] }));
      world.start();
      await settled();

      expect(finalizers).to.deep.equal(['example.com/other', FINALIZER]);
    });

    it('stores the inventory before the engine goes on, and gives it back in the next run', async () => {
      const seen: number[] = [];
      world.apply = async (deps: EngineDeps) => {
        await deps.recordInventory([entryOf(ISTIOD), entryOf(GATEWAY)]);
        seen.push(world.status()?.inventory.length ?? 0);
        throw clusterError('unavailable', 'apply');
      };
      world.cluster.put(istioOperator());
      world.start();
      await world.clock.advance(2_000);

      expect(seen).to.deep.equal([2, 2]);
      expect(world.applied[1]?.inventory).to.deep.equal([entryOf(ISTIOD), entryOf(GATEWAY)]);
    });

    it('does not apply when the inventory could not be stored', async () => {
      let isApplied = false;
      world.cluster.failures.patchStatus = ['unavailable', 'unavailable', 'unavailable'];
      world.apply = async (deps) => {
        await deps.recordInventory([entryOf(ISTIOD)]);
        isApplied = true;
        return reportOf();
      };
      world.cluster.put(istioOperator());
      world.start();
      await settled();

      expect(isApplied).to.equal(false);
    });

    it('shows the components one by one while it works', async () => {
      const shown: unknown[] = [];
      world.apply = async (deps, _plan, run) => {
        for (const component of ['Base', 'Pilot'] as const) {
          deps.observer?.componentStarted?.(component);
          await world.clock.sleep(400, run.signal);
          shown.push(Object.values(world.status()?.componentStatus ?? {}).map((entry) => entry.status));
          deps.observer?.componentFinished?.(component, { kind: 'ready' });
        }
        return reportOf();
      };
      world.cluster.put(istioOperator());
      world.start();
      await world.clock.advance(800);

      expect(shown).to.deep.equal([
        ['RECONCILING', 'NONE', 'NONE'],
        ['HEALTHY', 'RECONCILING', 'NONE'],
      ]);
    });

    it('waits for nothing: an unready component ends the run and the next event starts another', async () => {
      const reports = [WAITING, reportOf()];
      world.apply = async () => reports.shift() ?? reportOf();
      world.cluster.put(istioOperator());
      world.start();
      await settled();
      const before = world.verdict();

      world.cluster.put(ISTIOD);
      await settled();

      expect([before, world.verdict()]).to.deep.equal(['RECONCILING Progressing', 'HEALTHY Installed']);
      expect(world.planned).to.equal(1);
    });

    it('says so when something is not ready in time, and goes on looking', async () => {
      let report = WAITING;
      world.apply = async () => report;
      world.cluster.put(istioOperator());
      world.start();

      await world.clock.advance(299_000);
      const before = world.verdict();
      await world.clock.advance(20_000);
      const after = world.verdict();
      report = reportOf();
      await world.clock.advance(40_000);

      expect([before, after, world.verdict()]).to.deep.equal([
        'RECONCILING Progressing',
        'ERROR NotReady',
        'HEALTHY Installed',
      ]);
      expect(world.eventReasons()).to.deep.equal(['NotReady', 'Installed']);
    });

    it('does not show progress in turns with a failure that lasts', async () => {
      world.apply = async () => WAITING;
      world.cluster.put(istioOperator());
      world.start();
      await world.clock.advance(330_000);
      const patches = world.cluster.statusPatches.length;

      await world.clock.advance(600_000);

      expect(world.verdict()).to.equal('ERROR NotReady');
      expect(world.cluster.statusPatches).to.have.length(patches);
    });

    it('gives a fix its chance at once and the full time', async () => {
      world.apply = async () => WAITING;
      world.cluster.put(istioOperator());
      world.start();
      await world.clock.advance(330_000);

      world.cluster.put(edited({ spec: { profile: 'demo', tag: '1.30.3' } }));
      await settled();

      expect(world.verdict()).to.equal('RECONCILING Progressing');
      expect(world.status()?.observedGeneration).to.equal(2);
      expect(world.applied.at(-1)?.readinessTimeoutMs).to.equal(1_000);
    });

    it('backs off from what may pass and recovers by itself', async () => {
      let isAway = true;
      world.apply = async () => {
        if (isAway) throw clusterError('unavailable', 'apply');
        return reportOf();
      };
      world.cluster.put(istioOperator());
      world.start();
      await world.clock.advance(20_000);
      const tries = world.applied.length;
      const during = world.verdict();
      isAway = false;
      await world.clock.advance(20_000);

      expect([during, world.verdict()]).to.deep.equal(['ERROR ClusterUnavailable', 'HEALTHY Installed']);
      expect(tries).to.equal(5); // at 0, 1, 3, 7 and 15 s
    });

    it('forgets the failures of before once it has succeeded', async () => {
      let isAway = true;
      world.apply = async () => {
        if (isAway) throw clusterError('unavailable', 'apply');
        return reportOf();
      };
      world.cluster.put(istioOperator());
      world.start();
      await world.clock.advance(20_000);
      isAway = false;
      await world.clock.advance(20_000);
      isAway = true;
      const before = world.applied.length;
      world.cluster.put(ISTIOD);
      await world.clock.advance(1_000);

      expect(world.applied.length - before).to.equal(2);
    });

    it('turns a fault of its own into a status, and serves the other resources', async () => {
      world.plan = (spec) => {
        if (at(spec, 'profile') === 'poison') throw new RangeError('Maximum call stack size exceeded');
        return PLAN;
      };
      world.cluster.put(istioOperator({ name: 'poison', spec: { profile: 'poison' } }));
      world.cluster.put(istioOperator());
      world.start();
      await settled();

      expect([world.verdict('poison'), world.verdict()]).to.deep.equal([
        'ERROR InternalError',
        'HEALTHY Installed',
      ]);
      expect(world.status('poison')?.message).to.contain('Maximum call stack size exceeded');
    });

    it('reports an invalid specification, changes nothing, and waits for the correction', async () => {
      world.plan = (spec) =>
        at(spec, 'profile') === 'dmeo' ? { kind: 'invalid', diagnostics: [DIAGNOSTIC] } : PLAN;
      world.cluster.put(istioOperator({ spec: { profile: 'dmeo' } }));
      world.start();
      await world.clock.advance(3_600_000);
      const before = [
        world.verdict(),
        world.planned,
        world.applied.length,
        finalizersOf(world.resource() ?? ISTIOD),
      ];

      world.cluster.put(istioOperator({ spec: { profile: 'demo' } }));
      await settled();

      expect(before).to.deep.equal(['ERROR InvalidSpec', 1, 0, []]);
      expect(world.verdict()).to.equal('HEALTHY Installed');
    });

    it('settles a conflict about the finalizer silently', async () => {
      world.cluster.failures.setFinalizers = ['conflict'];
      world.cluster.put(istioOperator());
      world.start();
      await settled();
      const during = world.status();
      await world.clock.advance(2_000);

      expect(during).to.equal(undefined);
      expect(world.verdict()).to.equal('HEALTHY Installed');
      expect(world.eventReasons()).to.deep.equal(['Installed']);
    });
  });

  describe('at rest', () => {
    beforeEach(async () => {
      world.cluster.put(istioOperator());
      world.start();
      await settled();
      world.cluster.statusPatches.length = 0;
    });

    it('looks again now and then without writing anything', async () => {
      const looks = world.applied.length;

      await world.clock.advance(3_600_000);

      expect(world.applied.length).to.be.within(looks + 5, looks + 7);
      expect(world.cluster.statusPatches).to.deep.equal([]);
      expect(world.cluster.events).to.have.length(1);
    });

    it('is not woken up by its own status', () => {
      expect(world.applied).to.have.length(1);
    });

    it('does not hold a worker while it looks', async () => {
      world.cluster.put(ISTIOD);
      await settled();

      expect(world.applied.at(-1)?.readinessTimeoutMs).to.equal(0);
    });

    it('leaves HEALTHY while it restores what others changed, and tells who did', async () => {
      const change: Change = changeOf(ISTIOD, {
        action: 'configured',
        fields: ['spec.replicas'],
        changedBy: ['kubectl'],
      });
      const during: string[] = [];
      world.apply = async (deps) => {
        deps.observer?.changed?.(change);
        await settled();
        during.push(`${world.verdict()}: ${world.status()?.message}`);
        return reportOf({ changes: [change] });
      };

      world.cluster.put(ISTIOD);
      await world.clock.advance(1_000);

      expect(during[0]).to.equal(
        'RECONCILING Recovering: Restoring: configured Deployment istio-system/istiod: spec.replicas (changed by kubectl).',
      );
      expect(world.verdict()).to.equal('HEALTHY Installed');
      expect(world.eventReasons()).to.deep.equal(['Installed', 'DriftRepaired']);
      expect(await world.metrics.text()).to.contain('istio_operator_drift_repaired_total 1');
    });

    it('leaves HEALTHY when a replica is lost and returns when it is back', async () => {
      let report: ApplyReport = WAITING;
      world.apply = async () => report;
      world.cluster.put(ISTIOD);
      await settled();
      const lost = world.verdict();

      report = reportOf();
      world.cluster.remove(refOf(ISTIOD));
      await settled();

      expect([lost, world.verdict()]).to.deep.equal(['RECONCILING Recovering', 'HEALTHY Installed']);
      expect(world.eventReasons()).to.deep.equal(['Installed', 'Recovered']);
    });

    it('is not kept busy by what istioctl installed', async () => {
      const queued = async (): Promise<string | undefined> =>
        /workqueue_adds_total\S* (\d+)/.exec(await world.metrics.text())?.[1];
      const before = await queued();

      const labels = { ...labelsOf(ISTIOD), [OWNER_NAME_LABEL]: 'installed-state' };
      world.cluster.put({ ...ISTIOD, metadata: { ...ISTIOD.metadata, labels } });
      await settled();

      expect(await queued()).to.equal(before);
    });

    it('pauses on request, says so, and goes on when the pause ends', async () => {
      const paused = edited({ annotations: { 'install.istio.io/ignoreReconcile': 'true' } });
      world.cluster.put(paused);
      await settled();
      world.cluster.put(ISTIOD);
      await world.clock.advance(3_600_000);
      const during = [world.verdict(), world.applied.length];

      world.cluster.put(edited({}));
      await settled();

      expect(during).to.deep.equal(['NONE Paused', 1]);
      expect(world.verdict()).to.equal('HEALTHY Installed');
    });

    it('puts its finalizer and its status back when somebody removes them', async () => {
      world.cluster.put(istioOperator({ status: {} }));
      await world.clock.advance(1_000);

      expect(finalizersOf(world.resource() ?? ISTIOD)).to.deep.equal([FINALIZER]);
      expect(world.verdict()).to.equal('HEALTHY Installed');
    });
  });

  describe('deleting', () => {
    const ref: ObjectRef = refOf(istioOperator());

    beforeEach(async () => {
      world.cluster.put(istioOperator());
      world.start();
      await settled();
    });

    function requestDeletion(): void {
      world.cluster.requestDeletion(ref, new Date(world.clock.nowMs()).toISOString());
    }

    it('deletes the inventory and lets the resource go', async () => {
      let deleted: readonly InventoryEntry[] = [];
      let during = '';
      world.delete = async (_deps, run) => {
        deleted = run.inventory;
        during = `${world.verdict()}: ${world.status()?.message}`;
        return { kind: 'deleted' };
      };

      requestDeletion();
      await settled();

      expect(deleted).to.deep.equal(INVENTORY);
      expect(during).to.equal('RECONCILING Deleting: Deleting 3 objects.');
      expect(world.resource()).to.equal(undefined);
      expect(world.eventReasons()).to.deep.equal(['Installed', 'Deleted']);
      expect(await world.metrics.text()).to.not.contain('istio_operator_resource_ready{');
    });

    it('says after a minute what does not go, and ends when it goes', async () => {
      const remaining = [{ ref: refOf(ISTIOD), reason: 'example.com/hold keeps it' }];
      let report: DeletionReport = { kind: 'blocked', remaining, inventory: [entryOf(ISTIOD)] };
      world.delete = async () => report;

      requestDeletion();
      await world.clock.advance(30_000);
      const early = [world.verdict(), world.status()?.message];
      await world.clock.advance(120_000);
      const late = [world.verdict(), world.status()?.inventory.length];
      report = { kind: 'deleted' };
      await world.clock.advance(300_000);

      expect(early).to.deep.equal([
        'RECONCILING Deleting',
        'Deleting 1 object; waiting for Deployment istio-system/istiod: example.com/hold keeps it.',
      ]);
      expect(late).to.deep.equal(['ERROR DeletionBlocked', 1]);
      expect(world.resource()).to.equal(undefined);
    });

    it('says at once that a deletion is refused', async () => {
      const remaining = [{ ref: refOf(ISTIOD), reason: 'no rights', refused: true }] as const;
      world.delete = async () => ({ kind: 'blocked', remaining, inventory: [entryOf(ISTIOD)] });

      requestDeletion();
      await settled();

      expect(world.verdict()).to.equal('ERROR DeletionBlocked');
      expect(world.status()?.message).to.match(/^Not deleted: Deployment istio-system\/istiod: no rights\./);
    });

    it('says what another operator installed for the resource, and leaves it', async () => {
      const former = istioOperator({ name: 'former', finalizers: [FINALIZER], spec: { tag: '1.23.4' } });
      const labels = { [OWNER_NAME_LABEL]: 'former', 'operator.istio.io/managed': 'Reconcile' };
      for (const object of [READER, ISTIOD])
        world.cluster.put({
          ...object,
          metadata: { ...object.metadata, labels: { ...labelsOf(object), ...labels } },
        });
      world.plan = () => ({ kind: 'invalid', diagnostics: [DIAGNOSTIC], unsupportedLine: '1.23' });
      world.cluster.put(former);
      await settled();

      world.cluster.requestDeletion(refOf(former), new Date(world.clock.nowMs()).toISOString());
      await settled();

      expect(world.cluster.read(refOf(former))).to.equal(undefined);
      expect(world.cluster.read(refOf(ISTIOD))).not.to.equal(undefined);
      expect(world.cluster.events.map((event) => stringAt(event, 'note'))).to.include(
        '2 objects with its labels stay, such as Deployment istio-system/istiod: another operator installed them, and this one never took them over. To keep them, make the resource again, of a release that this operator installs. To remove them: kubectl delete deployment,serviceaccount -A -l install.operator.istio.io/owning-resource=former,install.operator.istio.io/owning-resource-namespace=istio-system',
      );
    });

    it('leaves everything when the deletion policy is Orphan', async () => {
      let calls = 0;
      world.delete = async () => {
        calls += 1;
        return { kind: 'deleted' };
      };
      world.cluster.put(edited({ annotations: { 'install.istio.io/deletion-policy': 'Orphan' } }));

      requestDeletion();
      await settled();

      expect([calls, world.resource()]).to.deep.equal([0, undefined]);
    });

    it('lets a resource go at once that installed nothing', async () => {
      let calls = 0;
      world.delete = async () => {
        calls += 1;
        return { kind: 'deleted' };
      };
      const old = { name: 'old', finalizers: [FINALIZER], deletionTimestamp: '2026-01-01T00:00:00Z' };

      world.cluster.put(istioOperator(old));
      await settled();

      expect([calls, world.resource('old')]).to.deep.equal([0, undefined]);
    });

    it('keeps its hold when deleting fails, and tries again', async () => {
      let fails = 2;
      world.delete = async () => {
        fails -= 1;
        if (fails >= 0) throw clusterError('unavailable', 'delete');
        return { kind: 'deleted' };
      };

      requestDeletion();
      await settled();
      const held = world.resource() !== undefined;
      await world.clock.advance(10_000);

      expect([held, world.resource()]).to.deep.equal([true, undefined]);
    });
  });

  describe('with a revision', () => {
    it('keeps quiet while the operator of the other revision reports', async () => {
      const reported = { status: 'HEALTHY', observedGeneration: 1 };
      world.cluster.put(istioOperator({ status: reported }));
      world.start({ revision: 'canary' });
      await world.clock.advance(60_000);

      expect(world.cluster.statusPatches).to.deep.equal([]);
    });

    it('says that it ignores a resource that nobody else reports on', async () => {
      world.cluster.put(istioOperator());
      world.start({ revision: 'canary' });
      await settled();
      const atOnce = world.status();
      await world.clock.advance(4_000);

      expect(atOnce).to.equal(undefined);
      expect(world.verdict()).to.equal('NONE IgnoredRevision');
      expect(world.applied).to.deep.equal([]);
    });
  });

  describe('with two resources that ask for the same', () => {
    beforeEach(async () => {
      world.cluster.put(istioOperator({ name: 'first' }));
      world.start();
      await settled();
      world.cluster.put(istioOperator({ name: 'second' }));
      await settled();
    });

    it('installs the first and tells the second who has what', async () => {
      expect([world.verdict('first'), world.verdict('second')]).to.deep.equal([
        'HEALTHY Installed',
        'ERROR Contested',
      ]);
      expect(world.applied).to.have.length(1);
      expect(world.eventReasons()).to.deep.equal(['Installed', 'Contested']);
    });

    it('looks at the second again when the first gives something up', async () => {
      world.plan = () => ({ kind: 'planned', plan: planOf({ components: [] }) });
      world.apply = async (deps) => {
        deps.observer?.changed?.(changeOf(ISTIOD, { action: 'pruned' }));
        return reportOf();
      };

      world.cluster.put(edited({ name: 'first', spec: { profile: 'empty' } }));
      await settled();

      expect(world.verdict('second')).to.equal('HEALTHY Installed');
    });

    it('installs the second as soon as the first is gone', async () => {
      world.cluster.requestDeletion(refOf(istioOperator({ name: 'first' })), '2026-01-01T00:00:00Z');
      await settled();

      expect(world.verdict('second')).to.equal('HEALTHY Installed');
    });

    it('keeps for the second what the first would delete', async () => {
      let kept: readonly boolean[] = [];
      world.delete = async (_deps, run) => {
        kept = run.inventory.map((entry) => run.keep?.(entry) ?? false);
        return { kind: 'deleted' };
      };

      world.cluster.requestDeletion(refOf(istioOperator({ name: 'first' })), '2026-01-01T00:00:00Z');
      await settled();

      expect(kept).to.deep.equal([true, true, true]);
    });

    it('keeps nothing for the second when both go', async () => {
      const kept: boolean[] = [];
      world.delete = async (_deps, run) => {
        kept.push(...run.inventory.map((entry) => run.keep?.(entry) ?? false));
        return { kind: 'deleted' };
      };
      const second = refOf(istioOperator({ name: 'second' }));
      world.cluster.put(edited({ name: 'second', finalizers: ['of/somebody'] }));

      world.cluster.requestDeletion(second, '2026-01-01T00:00:00Z');
      world.cluster.requestDeletion(refOf(istioOperator({ name: 'first' })), '2026-01-01T00:00:00Z');
      await settled();

      expect(kept).to.deep.equal([false, false, false]);
    });
  });

  it('keeps what a resource asks for that it has not looked at since it was started', async () => {
    let kept: readonly boolean[] = [];
    world.delete = async (_deps, run) => {
      kept = run.inventory.map((entry) => run.keep?.(entry) ?? false);
      return { kind: 'deleted' };
    };
    const status = { observedGeneration: 1, inventory: INVENTORY.map((entry) => ({ ...entry })) };
    const deletionTimestamp = '2026-01-01T00:00:00Z';
    world.cluster.put(istioOperator({ name: 'first', finalizers: [FINALIZER], deletionTimestamp, status }));
    world.cluster.put(istioOperator({ name: 'second' }));

    world.start({ concurrency: 1 });
    await settled();

    expect(kept).to.deep.equal([true, true, true]);
  });

  it('watches before its term and does nothing, and looks at all resources when that begins', async () => {
    world.cluster.put(istioOperator({ name: 'before' }));
    const controller = world.create();
    controller.warmUp();
    world.cluster.put(istioOperator({ name: 'meanwhile' }));
    await world.clock.advance(60_000);
    const early = [world.planned, world.cluster.statusPatches.length, world.cluster.refreshes];
    const isReady = controller.ready();

    world.running = controller.run(world.stop.signal);
    await world.clock.advance(1_000);

    expect([early, isReady]).to.deep.equal([[0, 0, 0], true]);
    // Two of one revision cannot both be installed; that it says so shows that it looked at both.
    expect([world.verdict('before'), world.verdict('meanwhile')]).to.deep.equal([
      'HEALTHY Installed',
      'ERROR Contested',
    ]);
  });

  it('begins its term only when it has listed the resources anew: the last leader may just have written', async () => {
    const listed = Promise.withResolvers<void>();
    world.cluster.refreshed = listed.promise;
    world.cluster.put(istioOperator({}));
    const controller = world.create();
    controller.warmUp();

    world.running = controller.run(world.stop.signal);
    await world.clock.advance(1_000);
    const early = world.planned;
    listed.resolve();
    await world.clock.advance(1_000);

    expect([early, world.verdict()]).to.deep.equal([0, 'HEALTHY Installed']);
  });

  describe('when the server was away, as while a backup is restored', () => {
    it('looks at nothing until the resources were listed anew, and then at all of them', async () => {
      world.cluster.put(istioOperator());
      world.start();
      await settled();
      world.cluster.goAway();
      world.cluster.put(istioOperator({ spec: { profile: 'minimal' } }));
      await world.clock.advance(5_000);
      const early = [world.applied.length, world.planned];
      world.cluster.remove(refOf(istioOperator()));
      world.cluster.put(istioOperator({ status: { status: 'RECONCILING' } }));
      world.cluster.comeBack();
      await world.clock.advance(1_000);

      expect(early).to.deep.equal([1, 1]);
      expect(world.verdict()).to.equal('HEALTHY Installed');
    });

    it('plans anew what comes again with the same generation', async () => {
      const specs: unknown[] = [];
      world.plan = (spec) => {
        specs.push(spec);
        return PLAN;
      };
      // What goes on keeps its plan.
      world.apply = async () => WAITING;
      world.cluster.put(istioOperator({ generation: 2 }));
      world.start();
      await settled();
      world.cluster.goAway();
      world.cluster.remove(refOf(istioOperator()));
      world.cluster.put(istioOperator({ generation: 2, spec: { profile: 'minimal' } }));
      world.cluster.comeBack();
      await world.clock.advance(1_000);

      expect(specs).to.deep.equal([{ profile: 'demo' }, { profile: 'minimal' }]);
    });

    it('ends the run that is going on at once, and begins it anew', async () => {
      const ended: boolean[] = [];
      world.apply = async (_deps, _plan, run) => {
        await world.clock.sleep(ended.length === 0 ? 60_000 : 0, run.signal);
        ended.push(run.signal.aborted);
        return reportOf();
      };
      world.cluster.put(istioOperator());
      world.start();
      await settled();
      world.cluster.goAway();
      await settled();
      const early = [...ended];
      world.cluster.comeBack();
      await world.clock.advance(1_000);

      expect([early, ended, world.verdict()]).to.deep.equal([[true], [true, false], 'HEALTHY Installed']);
    });
  });

  it('stops watching when its term never comes', async () => {
    const controller = world.create();
    controller.warmUp();
    const before = world.cluster.watches;

    await controller.run(AbortSignal.abort());

    expect(before).to.be.greaterThan(20);
    expect([world.cluster.watches, world.cluster.refreshes]).to.deep.equal([0, 0]);
  });

  it('ends HEALTHY with sound statuses, whatever happened before', async () => {
    const failure: ComponentResult = { kind: 'failed', ref: refOf(ISTIOD), message: 'no', retryable: true };
    const reports: readonly ApplyReport[] = [
      reportOf(),
      WAITING,
      reportOf({ changes: [changeOf(ISTIOD)] }),
      reportOf({ components: { Pilot: failure, IngressGateways: GATEWAY_SKIPPED } }),
      reportOf({ components: { Pilot: { ...failure, retryable: false }, IngressGateways: GATEWAY_SKIPPED } }),
      reportOf({ pruneFailures: [{ ref: refOf(GATEWAY), message: 'no' }] }),
    ];
    const happening = fc.oneof(
      fc.record({ edit: fc.integer({ min: 0, max: 5 }) }),
      fc.record({ report: fc.constantFrom(...reports) }),
      fc.record({ failing: fc.constantFrom(...FAILING_CALLS) }),
      fc.record({ isPaused: fc.boolean() }),
      fc.record({ isInvalid: fc.boolean() }),
      fc.constant({ isDrifting: true }),
      fc.record({ passedMs: fc.integer({ min: 1, max: 400_000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 15 }), async (happenings) => {
        world = new World();
        let isInvalid = false;
        let report = reportOf();
        let resource = edited({});
        world.apply = async () => report;
        world.plan = () => (isInvalid ? { kind: 'invalid', diagnostics: [DIAGNOSTIC] } : PLAN);
        world.cluster.put(resource);
        world.start();

        for (const next of happenings) {
          if ('edit' in next) resource = { ...resource, spec: { profile: 'demo', hub: `hub-${next.edit}` } };
          if ('report' in next) ({ report } = next);
          if ('failing' in next) world.cluster.failures[next.failing[0]] = [next.failing[1]];
          if ('isInvalid' in next) ({ isInvalid } = next);
          if ('isPaused' in next) {
            const annotations = { 'install.istio.io/ignoreReconcile': String(next.isPaused) };
            resource = { ...resource, metadata: { ...resource.metadata, annotations } };
          }
          if ('isDrifting' in next)
            world.cluster.put({ ...ISTIOD, spec: { replicas: world.applied.length } });
          world.cluster.put(resource);
          await world.clock.advance('passedMs' in next ? next.passedMs : 10);
        }
        isInvalid = false;
        report = reportOf();
        world.cluster.put(edited({ spec: { profile: 'demo', hub: 'last' } }));
        await world.clock.advance(700_000);
        const verdict = world.verdict();
        await world.end();

        expect(verdict).to.equal('HEALTHY Installed');
      }),
      { numRuns: 40 },
    );
  });

  describe('starting and stopping', () => {
    it('is not ready and reconciles nothing before every watch is synced', async () => {
      let sync = (): void => undefined;
      world.cluster.synced = new Promise((resolve) => {
        sync = resolve;
      });
      world.cluster.put(istioOperator());
      const controller = world.start();
      await world.clock.advance(10_000);
      const before = [controller.ready(), world.applied.length];

      sync();
      await settled();

      expect(before).to.deep.equal([false, 0]);
      expect([controller.ready(), world.applied.length]).to.deep.equal([true, 1]);
    });

    it('stops although it never synced', async () => {
      world.cluster.synced = new Promise(() => undefined);
      world.start();
      await settled();

      await world.end();

      expect(world.cluster.watches).to.equal(0);
    });

    it('ends the run that is going on and leaves no timer, watch or status behind', async () => {
      world.apply = async (_deps, _plan, run) => {
        await world.clock.sleep(60_000, run.signal);
        throw clusterError('cancelled', 'apply');
      };
      world.cluster.put(istioOperator());
      world.start();
      await settled();

      await world.end();

      expect([world.cluster.watches, world.clock.sleeping]).to.deep.equal([0, 0]);
      expect(world.verdict()).to.equal('RECONCILING Progressing');
      expect(world.eventReasons()).to.deep.equal([]);
    });

    it('watches only the namespaces that it is given', async () => {
      world.cluster.put(istioOperator());
      world.start({ namespaces: ['elsewhere'] });
      await settled();

      expect(world.applied).to.deep.equal([]);
    });

    it('finds a worker for an edit while others are planned that take long', async () => {
      world.cluster.put(istioOperator());
      world.start();
      await settled();
      const before = world.applied.length;
      const held = Promise.withResolvers<PlanResult>();
      world.plan = (spec) => (at(spec, 'values') === undefined ? PLAN : held.promise);
      const values = { list: Array.from({ length: 500 }, () => 1) };
      for (let index = 0; index < 9; index += 1)
        world.cluster.put(istioOperator({ name: `heavy-${index}`, spec: { values } }));
      await settled();

      world.cluster.put(edited({ spec: { profile: 'demo', tag: '1.30.3' } }));
      await settled();

      expect(world.applied).to.have.length(before + 1);
      held.resolve({ kind: 'invalid', diagnostics: [DIAGNOSTIC] });
      await settled();
      expect(world.verdict('heavy-8')).to.equal('ERROR InvalidSpec');
    });

    it('serves several resources side by side, and no more than it may', async () => {
      let running = 0;
      let most = 0;
      world.plan = () => ({ kind: 'planned', plan: planOf({ components: [] }) });
      world.apply = async (_deps, _plan, run) => {
        running += 1;
        most = Math.max(most, running);
        await world.clock.sleep(100, run.signal);
        running -= 1;
        return reportOf();
      };
      for (let index = 0; index < 10; index += 1) world.cluster.put(istioOperator({ name: `r${index}` }));
      world.start({ concurrency: 3 });
      await world.clock.advance(1_000);

      expect(most).to.equal(3);
      expect(world.verdict('r9')).to.equal('HEALTHY Installed');
    });
  });
});
