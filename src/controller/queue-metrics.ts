/** What controller-runtime reports of a queue and its workers, under its names and labels. */
import { Counter, Gauge, Histogram } from '@prometheus-io/client';
import type { Registry } from '@prometheus-io/client';
import type { QueueObserver } from './queue.ts';

/** Our only controller; its queue bears its name, as in controller-runtime. */
export const CONTROLLER = 'istiooperator';

export const SECONDS_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const QUEUE = { name: CONTROLLER, controller: CONTROLLER };

export interface QueueMetrics extends QueueObserver {
  /** How many resources are reconciled side by side at most. */
  workers(count: number): void;
}

export function queueMetrics(registry: Registry): QueueMetrics {
  const of = { labelNames: ['name', 'controller'] as const, registers: [registry] };
  const depth = new Gauge({ name: 'workqueue_depth', help: 'Resources that wait for a worker.', ...of });
  const adds = new Counter({ name: 'workqueue_adds_total', help: 'Resources put into the queue.', ...of });
  const retries = new Counter({ name: 'workqueue_retries_total', help: 'Retries after failures.', ...of });
  const waits = new Histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'How long resources waited for a worker.',
    buckets: SECONDS_BUCKETS,
    ...of,
  });
  const work = new Histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'How long the worker took, once it was done.',
    buckets: SECONDS_BUCKETS,
    ...of,
  });
  return {
    ...runningMetrics(registry),
    added: () => adds.inc(QUEUE),
    retried: () => retries.inc(QUEUE),
    taken: (waitedMs) => waits.observe(QUEUE, waitedMs / 1000),
    done: (workedMs) => work.observe(QUEUE, workedMs / 1000),
    depthChanged: (length) => depth.set(QUEUE, length),
  };
}

/** What is asked at each scrape: a run that hangs tells nothing by itself. */
function runningMetrics(registry: Registry): Pick<QueueMetrics, 'runs' | 'workers'> {
  const registers = [registry];
  const controller = { controller: CONTROLLER };
  let running = noRuns;
  const ofRuns = (name: string, help: string, value: (agesMs: readonly number[]) => number): void => {
    const gauge: Gauge<keyof typeof QUEUE> = new Gauge({
      name,
      help,
      labelNames: ['name', 'controller'],
      registers,
      collect: () => gauge.set(QUEUE, value(running()) / 1000),
    });
  };
  ofRuns('workqueue_unfinished_work_seconds', 'How long all runs that are going on have taken so far.', sum);
  ofRuns(
    'workqueue_longest_running_processor_seconds',
    'How long the longest run has taken so far.',
    longest,
  );
  const active: Gauge<'controller'> = new Gauge({
    name: 'controller_runtime_active_workers',
    help: 'Workers that reconcile a resource at this moment.',
    labelNames: ['controller'],
    registers,
    collect: () => active.set(controller, running().length),
  });
  const most = new Gauge({
    name: 'controller_runtime_max_concurrent_reconciles',
    help: 'How many resources are reconciled side by side at most.',
    labelNames: ['controller'],
    registers,
  });
  return {
    runs: (agesMs) => {
      running = agesMs;
    },
    workers: (count) => most.set(controller, count),
  };
}

/** Until there is a queue. */
function noRuns(): readonly number[] {
  return [];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function longest(values: readonly number[]): number {
  return Math.max(0, ...values);
}
