import { expect } from 'chai';
import { applyPlan } from '../apply/apply-plan.ts';
import { deleteInstallation } from '../apply/delete-installation.ts';
import { previewPlan } from '../apply/preview-plan.ts';
import { InMemoryApi } from '../apply/testing/in-memory-api.ts';
import { at, stringAt } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import type { OperatorStatus } from '../model/status.ts';
import { createController } from './controller.ts';
import { FINALIZER } from './finalizer.ts';
import { createMetrics } from './metrics.ts';
import { conditionOf, finalizersOf, storedStatus } from './resource.ts';
import { istioOperator, owned, planOf } from './testing/builders.ts';
import { FakeClock } from './testing/fake-clock.ts';
import { InMemoryCluster, clusterError } from './testing/in-memory-cluster.ts';
import { SILENT_LOGGER } from './testing/silent-logger.ts';

const DRY_RUN = { 'install.istio.io/dry-run': 'true' };
const REQUIRE_APPROVAL = { 'install.istio.io/require-approval': 'true' };
const RESOURCE = refOf(istioOperator());
const REPORT: ObjectRef = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace: 'istio-system',
  name: 'istio-operator-plan-demo',
};
/** Long enough for everything that wakes up by itself within the same look. */
const A_WHILE_MS = 5_000;

function mesh(text: string): K8sObject {
  return owned('ConfigMap', 'istio', { data: { mesh: text } });
}

function planWith(...objects: readonly K8sObject[]): Plan {
  return planOf({ components: [{ component: 'Pilot', after: [], objects }] });
}

/** An operator with its real engine, and an API server that is made of memory. */
class World {
  readonly clock = new FakeClock();
  readonly resources = new InMemoryCluster();
  readonly api = new InMemoryApi();
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  plan: Plan = planWith(mesh('first'), owned('ConfigMap', 'old'));

  start(): void {
    const controller = createController({
      watch: this.resources,
      resources: this.resources,
      cluster: this.api,
      engine: { apply: applyPlan, delete: deleteInstallation, preview: previewPlan },
      planFor: () => ({ kind: 'planned', plan: this.plan }),
      clock: this.clock,
      random: () => 0.5,
      logger: SILENT_LOGGER,
      metrics: createMetrics(() => 0),
      instance: 'test',
      settings: { namespaces: [], revision: '', readinessTimeoutMs: 300_000, concurrency: 4 },
    });
    this.#running = controller.run(this.#stop.signal);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    expect(this.resources.unsound).to.deep.equal([]);
  }

  /** Edits the resource: another text of the specification is another generation. */
  async put(annotations: Record<string, string>, text = 'first'): Promise<void> {
    const finalizers = finalizersOf(this.resource() ?? istioOperator());
    this.resources.put(istioOperator({ annotations, finalizers, spec: { profile: 'demo', text } }));
    await this.clock.advance(A_WHILE_MS);
  }

  async approve(hash = this.status?.plan?.hash ?? '', text = 'first'): Promise<void> {
    await this.put({ ...REQUIRE_APPROVAL, 'install.istio.io/approved-plan': hash }, text);
  }

  resource(): K8sObject | undefined {
    return this.resources.read(RESOURCE);
  }

  get status(): OperatorStatus | undefined {
    return storedStatus(this.resource());
  }

  get verdict(): string {
    return `${this.status?.status} ${conditionOf(this.status, 'Ready')?.reason}`;
  }

  get report(): string | undefined {
    return stringAt(this.api.read(REPORT), 'data', 'plan.diff');
  }

  /** What was written since the last time, but for the report. */
  takeWrites(): readonly string[] {
    const writes = this.api
      .callsOf('apply', 'delete')
      .filter((call) => !call.includes('istio-operator-plan-'));
    this.api.calls.length = 0;
    return writes;
  }

  eventReasons(): unknown[] {
    return this.resources.events.map((event) => at(event, 'reason'));
  }
}

describe('modes', () => {
  let world: World;

  beforeEach(() => {
    world = new World();
    world.start();
  });

  afterEach(async () => {
    await world.end();
  });

  describe('dry run', () => {
    it('tells the plan and writes nothing of it, not even its finalizer', async () => {
      await world.put(DRY_RUN);

      expect(world.verdict).to.equal('NONE DryRun');
      expect(world.status?.message).to.equal(
        'Dry run: 2 objects to create, 0 to change, 0 to delete, 0 unchanged; the differences are in ConfigMap istio-operator-plan-demo.',
      );
      expect(world.status?.plan).to.include({ create: 2, configMap: 'istio-operator-plan-demo' });
      expect(world.report)
        .to.include('+  mesh: first\n')
        .and.to.include('+++ wanted ConfigMap istio-system/old');
      expect(world.takeWrites()).to.deep.equal([]);
      expect(finalizersOf(world.resource() ?? mesh(''))).to.deep.equal([]);
      expect(world.eventReasons()).to.deep.equal(['Planned']);
    });

    it('shows what would be changed and deleted of an installation, and leaves it alone', async () => {
      await world.put({});
      world.takeWrites();
      world.plan = planWith(mesh('second'));

      await world.put(DRY_RUN, 'second');

      expect(world.status?.plan).to.include({ create: 0, configure: 1, prune: 1, unchanged: 0 });
      expect(world.report).to.include('-  mesh: first\n+  mesh: second\n').and.to.include('+++ /dev/null');
      expect([world.takeWrites(), world.status?.inventory.length]).to.deep.equal([[], 2]);
    });

    it('rests: looking again writes nothing at all', async () => {
      await world.put(DRY_RUN);
      const patches = world.resources.statusPatches.length;
      world.api.calls.length = 0;

      await world.clock.advance(3_600_000);

      expect(world.api.callsOf('get').length).to.be.greaterThan(0);
      expect(world.api.callsOf('apply', 'delete')).to.deep.equal([]);
      expect([world.resources.statusPatches.length, world.eventReasons()]).to.deep.equal([
        patches,
        ['Planned'],
      ]);
    });

    it('goes on as usual without the annotation, and takes its report away', async () => {
      await world.put(DRY_RUN);

      await world.put({});

      expect([world.verdict, world.status?.plan, world.report]).to.deep.equal([
        'HEALTHY Installed',
        undefined,
        undefined,
      ]);
    });

    it('leaves everything when the resource is deleted meanwhile', async () => {
      await world.put({});
      await world.put(DRY_RUN);
      world.takeWrites();

      world.resources.requestDeletion(RESOURCE, '2026-01-01T00:00:00Z');
      await world.clock.advance(A_WHILE_MS);

      expect([world.takeWrites(), world.resource()]).to.deep.equal([[], undefined]);
    });

    it('tells the counts all the same when it may not store the differences', async () => {
      world.api.failures.set(
        `apply ConfigMap istio-system/${REPORT.name}`,
        clusterError('forbidden', 'apply'),
      );

      await world.put(DRY_RUN);

      expect(world.verdict).to.equal('NONE DryRun');
      expect(world.status?.message).to.match(
        /2 objects to create.*could not be stored: apply failed: forbidden/,
      );
    });

    it('shows neither values of Secrets nor definitions', async () => {
      const secret = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'key' },
        data: { key: 'aHVzaA==' },
      };
      const definition = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'a.istio.io' },
        spec: { group: 'istio.io' },
      };
      world.plan = planWith(secret, definition);

      await world.put(DRY_RUN);

      expect(world.report).to.equal(
        '# created Secret key (not shown: its values are secret)\n' +
          '# created CustomResourceDefinition a.istio.io (not shown: the definition of the release)\n',
      );
    });

    it('leaves out what a ConfigMap has no room for, and says so', async () => {
      const large = (name: string): K8sObject =>
        owned('ConfigMap', name, { data: { text: 'x'.repeat(200_000) } });
      world.plan = planWith(large('a'), large('b'), large('c'));

      await world.put(DRY_RUN);

      expect(world.report?.length).to.be.lessThan(256 * 1024);
      expect(world.report).to.match(/# 2 more objects are left out: .* See "istio-operator diff"\.\n$/);
    });
  });

  describe('approval', () => {
    it('applies nothing until the plan is approved by its hash', async () => {
      await world.put(REQUIRE_APPROVAL);
      const waiting = [world.verdict, world.takeWrites()];
      const message = world.status?.message;
      const hash = world.status?.plan?.hash;

      await world.approve();

      expect(waiting).to.deep.equal(['ACTION_REQUIRED AwaitingApproval', []]);
      expect(message).to.equal(
        `Plan ${hash} waits for approval: 2 objects to create, 0 to change, 0 to delete, 0 unchanged; ` +
          'the differences are in ConfigMap istio-operator-plan-demo. Approve it with: kubectl annotate ' +
          `istiooperator demo -n istio-system --overwrite install.istio.io/approved-plan=${hash}`,
      );
      expect([world.verdict, world.status?.plan, world.report]).to.deep.equal([
        'HEALTHY Installed',
        undefined,
        undefined,
      ]);
      expect(world.eventReasons()).to.deep.equal(['AwaitingApproval', 'Installed']);
    });

    it('does not take the approval of another plan', async () => {
      await world.put(REQUIRE_APPROVAL);
      world.takeWrites();

      await world.approve('0123');

      expect(world.takeWrites()).to.deep.equal([]);
      expect(world.verdict).to.equal('ACTION_REQUIRED AwaitingApproval');
      expect(world.status?.message).to.include('(what is approved is another plan, 0123)');
    });

    it('asks again when the specification means something else, and leaves the installation alone', async () => {
      await world.put(REQUIRE_APPROVAL);
      await world.approve();
      const approved = world.status?.approvedContent;
      world.takeWrites();
      world.plan = planWith(mesh('second'));

      await world.put({ ...REQUIRE_APPROVAL, 'install.istio.io/approved-plan': 'old' }, 'second');
      const waiting = [world.verdict, world.takeWrites(), world.status?.plan?.prune];
      await world.approve(undefined, 'second');

      expect(waiting).to.deep.equal(['ACTION_REQUIRED AwaitingApproval', [], 1]);
      expect(world.takeWrites()).to.deep.equal([
        'apply ConfigMap istio-system/istio',
        'delete ConfigMap istio-system/old',
      ]);
      expect(world.status?.approvedContent).not.to.equal(approved);
      expect(world.eventReasons()).to.include('Updated').and.not.to.include('DriftRepaired');
    });

    it('repairs what was approved without asking, also when the hash is taken away', async () => {
      await world.put(REQUIRE_APPROVAL);
      await world.approve();
      await world.put(REQUIRE_APPROVAL);
      world.takeWrites();
      world.api.edit('kubectl-edit', refOf(mesh('')), () => ({ data: { mesh: 'drifted' } }));

      await world.clock.advance(3_600_000);

      expect(world.takeWrites()).to.deep.equal(['apply ConfigMap istio-system/istio']);
      expect(world.api.read(refOf(mesh('')))?.['data']).to.deep.equal({ mesh: 'first' });
    });

    it('finishes what it began when it was ended half-way', async () => {
      await world.put(REQUIRE_APPROVAL);
      const call = 'apply ConfigMap istio-system/old';
      world.api.failures.set(call, clusterError('unavailable', 'apply'));
      await world.approve();
      const during = world.verdict;
      world.api.failures.delete(call);

      await world.clock.advance(600_000);

      expect([during, world.verdict]).to.deep.equal(['ERROR ClusterUnavailable', 'HEALTHY Installed']);
    });

    it('needs no approval to find that nothing is to be done', async () => {
      await world.put({});
      world.takeWrites();

      await world.put(REQUIRE_APPROVAL);

      expect([world.verdict, world.takeWrites()]).to.deep.equal(['HEALTHY Installed', []]);
    });

    it('forgets an approval while none is required', async () => {
      await world.put(REQUIRE_APPROVAL);
      await world.approve();
      world.plan = planWith(mesh('second'));
      await world.put({}, 'second');
      world.plan = planWith(mesh('first'));

      await world.put(REQUIRE_APPROVAL, 'first');

      expect(world.verdict).to.equal('ACTION_REQUIRED AwaitingApproval');
    });

    it('deletes the installation of a resource that is deleted', async () => {
      await world.put(REQUIRE_APPROVAL);
      await world.approve();
      const held = finalizersOf(world.resource() ?? mesh(''));

      world.resources.requestDeletion(RESOURCE, '2026-01-01T00:00:00Z');
      await world.clock.advance(A_WHILE_MS);

      expect([held, world.resource(), world.api.read(refOf(mesh('')))]).to.deep.equal([
        [FINALIZER],
        undefined,
        undefined,
      ]);
    });
  });
});
