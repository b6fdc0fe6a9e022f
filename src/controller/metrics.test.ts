import { expect } from 'chai';
import type { Outcome } from '../model/outcome.ts';
import { createMetrics } from './metrics.ts';
import type { ControllerMetrics } from './metrics.ts';
import { requeueOf } from './requeue.ts';

/** The samples whose name begins so, without comments. */
async function samples(metrics: ControllerMetrics, name: string): Promise<string[]> {
  const lines = (await metrics.text()).split('\n');
  return lines.filter((line) => line.startsWith(name));
}

function reconciled(metrics: ControllerMetrics, outcome: Outcome): void {
  metrics.reconciled(outcome, requeueOf(outcome), 30);
}

describe('createMetrics', () => {
  it('counts reconciles by result, as controller-runtime does', async () => {
    const metrics = createMetrics(() => 4096);
    reconciled(metrics, { kind: 'invalid', diagnostics: [] });
    reconciled(metrics, { kind: 'deleting', remaining: [], inventory: [] });
    reconciled(metrics, {
      kind: 'interrupted',
      problem: { kind: 'unavailable', message: 'no' },
      changes: [],
    });
    reconciled(metrics, { kind: 'ignored', revision: '', operatorRevision: 'a', attention: 'awaited' });

    expect(await samples(metrics, 'controller_runtime_reconcile_total')).to.have.members([
      'controller_runtime_reconcile_total{controller="istiooperator",result="success"} 1',
      'controller_runtime_reconcile_total{controller="istiooperator",result="requeue"} 1',
      'controller_runtime_reconcile_total{controller="istiooperator",result="error"} 1',
      'controller_runtime_reconcile_total{controller="istiooperator",result="requeue_after"} 1',
    ]);
    expect(await samples(metrics, 'controller_runtime_reconcile_errors_total')).to.deep.equal([
      'controller_runtime_reconcile_errors_total{controller="istiooperator"} 1',
    ]);
  });

  it('counts a reconcile that ended by a fault of ours as an error and as a panic', async () => {
    const metrics = createMetrics(() => 4096);
    metrics.panicked();

    expect(await samples(metrics, 'controller_runtime_reconcile_')).to.have.members([
      'controller_runtime_reconcile_total{controller="istiooperator",result="error"} 1',
      'controller_runtime_reconcile_errors_total{controller="istiooperator"} 1',
      'controller_runtime_reconcile_panics_total{controller="istiooperator"} 1',
    ]);
  });

  it('tells of the runs that are going on how many there are and how long they take', async () => {
    const metrics = createMetrics(() => 4096);
    const labels = '{name="istiooperator",controller="istiooperator"}';
    let running: readonly number[] = [];
    const seen = async (): Promise<readonly string[]> =>
      Promise.all(
        [
          'workqueue_unfinished_work_seconds',
          'workqueue_longest_running_processor_seconds',
          'controller_runtime_active_workers',
        ].map(async (name) => (await samples(metrics, name)).join()),
      );
    metrics.queue.runs(() => running);
    const before = await seen();
    running = [1_500, 500];

    expect([before, await seen()]).to.deep.equal([
      [
        `workqueue_unfinished_work_seconds${labels} 0`,
        `workqueue_longest_running_processor_seconds${labels} 0`,
        'controller_runtime_active_workers{controller="istiooperator"} 0',
      ],
      [
        `workqueue_unfinished_work_seconds${labels} 2`,
        `workqueue_longest_running_processor_seconds${labels} 1.5`,
        'controller_runtime_active_workers{controller="istiooperator"} 2',
      ],
    ]);
  });

  it('tells how long runs took that are over, and how many there may be at once', async () => {
    const metrics = createMetrics(() => 4096);
    metrics.queue.done(1_500);
    metrics.queue.workers(4);

    expect(await samples(metrics, 'workqueue_work_duration_seconds_sum')).to.deep.equal([
      'workqueue_work_duration_seconds_sum{name="istiooperator",controller="istiooperator"} 1.5',
    ]);
    expect(await samples(metrics, 'controller_runtime_max_concurrent_reconciles')).to.deep.equal([
      'controller_runtime_max_concurrent_reconciles{controller="istiooperator"} 4',
    ]);
  });

  it('tells the ages of the watches that there are at the moment of the scrape', async () => {
    const metrics = createMetrics(() => 4096);
    let ages = new Map([
      ['Service', 500],
      ['Deployment', 61_000],
    ]);
    metrics.watching(() => ages);
    const before = await samples(metrics, 'istio_operator_watch_age_seconds');
    ages = new Map([['Service', 1_000]]);

    expect([before, await samples(metrics, 'istio_operator_watch_age_seconds')]).to.deep.equal([
      [
        'istio_operator_watch_age_seconds{kind="Service"} 0.5',
        'istio_operator_watch_age_seconds{kind="Deployment"} 61',
      ],
      ['istio_operator_watch_age_seconds{kind="Service"} 1'],
    ]);
  });

  it('tells which admission policies are in force', async () => {
    const metrics = createMetrics(() => 4096);
    metrics.admissionPolicy('istiooperators.install.istio.io', true);
    metrics.admissionPolicy('istiooperators-status.install.istio.io', false);

    expect(await samples(metrics, 'istio_operator_admission_policy_in_force')).to.deep.equal([
      'istio_operator_admission_policy_in_force{policy="istiooperators.install.istio.io"} 1',
      'istio_operator_admission_policy_in_force{policy="istiooperators-status.install.istio.io"} 0',
    ]);
  });

  it('forgets a resource that is gone', async () => {
    const metrics = createMetrics(() => 4096);
    metrics.resourceReady('istio-system', 'demo', true);
    metrics.resourceReady('istio-system', 'other', false);
    metrics.resourceReady('istio-system', 'demo', undefined);

    expect(await samples(metrics, 'istio_operator_resource_ready')).to.deep.equal([
      'istio_operator_resource_ready{namespace="istio-system",name="other"} 0',
    ]);
  });

  it('counts changes by action and kind', async () => {
    const metrics = createMetrics(() => 4096);
    metrics.changed('created', 'Deployment');
    metrics.changed('created', 'Deployment');

    expect(await samples(metrics, 'istio_operator_changes_total')).to.deep.equal([
      'istio_operator_changes_total{action="created",kind="Deployment"} 2',
    ]);
  });

  it('keeps apart two operators of one process', async () => {
    const [one, other] = [createMetrics(() => 4096), createMetrics(() => 4096)];
    one.requested({ code: '200', method: 'GET', host: 'kubernetes' });

    expect(await samples(one, 'rest_client_requests_total')).to.have.length(1);
    expect(await samples(other, 'rest_client_requests_total')).to.have.length(0);
  });

  it('tells how much memory is resident', async () => {
    expect(
      await samples(
        createMetrics(() => 4096),
        'process_resident_memory_bytes',
      ),
    ).to.deep.equal(['process_resident_memory_bytes 4096']);
  });
});
