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
