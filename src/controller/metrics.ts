/** The operator's metrics, with controller-runtime's names where it has them, so that existing dashboards work. */
import { Counter, Gauge, Histogram, Registry } from '@prometheus-io/client';
import type { Outcome, OutcomeKind } from '../model/outcome.ts';
import type { ChangeAction } from '../model/report.ts';
import type { AdmissionPolicy } from './admission-guard.ts';
import type { QueueMetrics } from './queue-metrics.ts';
import { CONTROLLER, SECONDS_BUCKETS, queueMetrics } from './queue-metrics.ts';
import type { Requeue } from './requeue.ts';

/** One call to the API server, as the transport reports it. */
export interface RequestSeen {
  readonly method: string;
  readonly host: string;
  /** HTTP status, or `<error>` when there was no answer. */
  readonly code: string;
}

export interface ControllerMetrics {
  readonly queue: QueueMetrics;
  reconciled(outcome: Outcome, requeue: Requeue, tookMs: number): void;
  /** A reconcile ended by a fault of ours. */
  panicked(): void;
  changed(action: ChangeAction, kind: string): void;
  driftRepaired(count: number): void;
  /** Undefined when the resource is gone. */
  resourceReady(namespace: string, name: string, isReady: boolean | undefined): void;
  requested(request: RequestSeen): void;
  leading(isLeader: boolean): void;
  /** Told how to ask for how long the watch of each kind has heard nothing, in milliseconds; the last one is asked. */
  watching(agesMs: () => ReadonlyMap<string, number>): void;
  admissionPolicy(policy: AdmissionPolicy, isInForce: boolean): void;
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
    ...watchMetrics(registry),
    ...guardMetrics(registry),
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

function reconcileMetrics(registry: Registry): Pick<ControllerMetrics, 'reconciled' | 'panicked'> {
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
  const panics = new Counter({
    name: 'controller_runtime_reconcile_panics_total',
    help: 'Reconciles that ended by a fault of the operator itself.',
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
    panicked: () => {
      total.inc({ controller: CONTROLLER, result: 'error' });
      errors.inc({ controller: CONTROLLER });
      panics.inc({ controller: CONTROLLER });
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

/** A watch hears a bookmark every minute at least; one that is older by much shows the past. */
function watchMetrics(registry: Registry): Pick<ControllerMetrics, 'watching'> {
  let watches = noWatches;
  const age: Gauge<'kind'> = new Gauge({
    name: 'istio_operator_watch_age_seconds',
    help: 'Seconds since the last event or bookmark of the watch of each kind, of the oldest where there are several.',
    labelNames: ['kind'],
    registers: [registry],
    collect: () => {
      age.reset();
      for (const [kind, ageMs] of watches()) age.set({ kind }, ageMs / 1000);
    },
  });
  return {
    watching: (agesMs) => {
      watches = agesMs;
    },
  };
}

/** Until there are watches. */
function noWatches(): ReadonlyMap<string, number> {
  return new Map();
}

function guardMetrics(registry: Registry): Pick<ControllerMetrics, 'admissionPolicy'> {
  const inForce = new Gauge({
    name: 'istio_operator_admission_policy_in_force',
    help: '1 for a policy of deploy/admission.yaml that is there and bound, 0 for one that is not; as of when this replica began to lead.',
    labelNames: ['policy'],
    registers: [registry],
  });
  return { admissionPolicy: (policy, isInForce) => inForce.set({ policy }, isInForce ? 1 : 0) };
}
