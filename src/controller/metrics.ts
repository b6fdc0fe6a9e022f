/** The operator's metrics, with controller-runtime's names where it has them, so that existing dashboards work. */
import { Counter, Gauge, Histogram, Registry } from '@prometheus-io/client';
import type { Outcome, OutcomeKind } from '../model/outcome.ts';
import type { ChangeAction } from '../model/report.ts';
import type { QueueObserver } from './queue.ts';
import type { Requeue } from './requeue.ts';

const CONTROLLER = 'istiooperator';
const SECONDS_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** One call to the API server, as the transport reports it. */
export interface RequestSeen {
  readonly method: string;
  readonly host: string;
  /** HTTP status, or `<error>` when there was no answer. */
  readonly code: string;
}

export interface ControllerMetrics {
  readonly queue: QueueObserver;
  reconciled(outcome: Outcome, requeue: Requeue, tookMs: number): void;
  changed(action: ChangeAction, kind: string): void;
  driftRepaired(count: number): void;
  /** Undefined when the resource is gone. */
  resourceReady(namespace: string, name: string, isReady: boolean | undefined): void;
  requested(request: RequestSeen): void;
  leading(isLeader: boolean): void;
  /** In Prometheus' text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

/**
 * Makes a registry of its own each time: nothing is shared between two operators in one process. `residentBytes` is
 * asked at each scrape how much memory the process takes, and `loopDelay` how late its event loop was since the last one.
 */
export function createMetrics(residentBytes: () => number, loopDelay?: () => LoopDelay): ControllerMetrics {
  const registry = new Registry();
  return {
    queue: queueMetrics(registry),
    ...reconcileMetrics(registry),
    ...resourceMetrics(registry),
    ...processMetrics(registry, residentBytes),
    ...(loopDelay === undefined ? {} : delayMetrics(registry, loopDelay)),
    text: async () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** How late the event loop was, in seconds. */
export interface LoopDelay {
  readonly p99: number;
  readonly max: number;
}

/** prom-client's names, as every program on Node.js has them. */
function delayMetrics(registry: Registry, loopDelay: () => LoopDelay): Record<string, never> {
  const registers = [registry];
  const max: Gauge = new Gauge({
    name: 'nodejs_eventloop_lag_max_seconds',
    help: 'How late the event loop was at most since the last scrape.',
    registers,
  });
  const p99: Gauge = new Gauge({
    name: 'nodejs_eventloop_lag_p99_seconds',
    help: 'How late the event loop was in all but one of a hundred cases since the last scrape.',
    registers,
    collect: () => {
      const delay = loopDelay();
      p99.set(delay.p99);
      max.set(delay.max);
    },
  });
  return {};
}

/** The value of the label `result`, as controller-runtime would have it. */
function resultOf(kind: OutcomeKind, requeue: Requeue): 'success' | 'error' | 'requeue' | 'requeue_after' {
  const errors: readonly OutcomeKind[] = ['failed', 'interrupted', 'pruneFailed', 'deletionBlocked'];
  if (errors.includes(kind)) return 'error';
  if (requeue.kind === 'backOff') return 'requeue';
  return requeue.kind === 'onChange' || kind === 'ready' ? 'success' : 'requeue_after';
}

function queueMetrics(registry: Registry): QueueObserver {
  const of = { labelNames: ['name'] as const, registers: [registry] };
  const depth = new Gauge({ name: 'workqueue_depth', help: 'Resources that wait for a worker.', ...of });
  const adds = new Counter({ name: 'workqueue_adds_total', help: 'Resources put into the queue.', ...of });
  const retries = new Counter({ name: 'workqueue_retries_total', help: 'Retries after failures.', ...of });
  const waits = new Histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'How long resources waited for a worker.',
    buckets: SECONDS_BUCKETS,
    ...of,
  });
  const name = { name: CONTROLLER };
  return {
    added: () => adds.inc(name),
    retried: () => retries.inc(name),
    taken: (waitedMs) => waits.observe(name, waitedMs / 1000),
    depthChanged: (length) => depth.set(name, length),
  };
}

function reconcileMetrics(registry: Registry): Pick<ControllerMetrics, 'reconciled'> {
  const registers = [registry];
  const total = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Reconciles by result.',
    labelNames: ['controller', 'result'],
    registers,
  });
  const errors = new Counter({
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Reconciles that failed.',
    labelNames: ['controller'],
    registers,
  });
  const time = new Histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'How long reconciles took.',
    labelNames: ['controller'],
    buckets: SECONDS_BUCKETS,
    registers,
  });
  return {
    reconciled: (outcome, requeue, tookMs) => {
      const result = resultOf(outcome.kind, requeue);
      total.inc({ controller: CONTROLLER, result });
      if (result === 'error') errors.inc({ controller: CONTROLLER });
      time.observe({ controller: CONTROLLER }, tookMs / 1000);
    },
  };
}

function resourceMetrics(
  registry: Registry,
): Pick<ControllerMetrics, 'changed' | 'driftRepaired' | 'resourceReady'> {
  const registers = [registry];
  const changes = new Counter({
    name: 'istio_operator_changes_total',
    help: 'Changes made to installed objects.',
    labelNames: ['action', 'kind'],
    registers,
  });
  const drift = new Counter({
    name: 'istio_operator_drift_repaired_total',
    help: 'Objects that others had changed or deleted and that were restored.',
    registers,
  });
  const ready = new Gauge({
    name: 'istio_operator_resource_ready',
    help: '1 for an IstioOperator that is Ready, 0 for one that is not.',
    labelNames: ['namespace', 'name'],
    registers,
  });
  return {
    changed: (action, kind) => changes.inc({ action, kind }),
    driftRepaired: (count) => drift.inc(count),
    resourceReady: (namespace, name, isReady) => {
      if (isReady === undefined) ready.remove({ namespace, name });
      else ready.set({ namespace, name }, isReady ? 1 : 0);
    },
  };
}

function processMetrics(
  registry: Registry,
  residentBytes: () => number,
): Pick<ControllerMetrics, 'requested' | 'leading'> {
  const registers = [registry];
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Calls to the API server.',
    labelNames: ['code', 'method', 'host'],
    registers,
  });
  const leading = new Gauge({
    name: 'leader_election_master_status',
    help: '1 for the replica that acts, 0 for one that waits.',
    labelNames: ['name'],
    registers,
  });
  const memory: Gauge = new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory size in bytes.',
    registers,
    collect: () => {
      memory.set(residentBytes());
    },
  });
  return {
    requested: ({ code, method, host }) => requests.inc({ code, method, host }),
    leading: (isLeader) => leading.set({ name: CONTROLLER }, isLeader ? 1 : 0),
  };
}
