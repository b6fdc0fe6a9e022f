/** What the operator costs a cluster in which nothing happens. */
import { setTimeout as delay } from 'node:timers/promises';
import { operatorCalls, operatorWatches } from './cluster/audit.ts';
import { OPERATOR_NAMESPACE, openBenchCluster, resourceOf } from './cluster/bench-cluster.ts';
import type { BenchCluster } from './cluster/bench-cluster.ts';
import { startMeasured, until } from './cluster/operator-process.ts';
import type { MeasuredOperator, OperatorSettings } from './cluster/operator-process.ts';
import type { Figure } from './figure.ts';

const TIMEOUT_MS = 120_000;
/** After the installation, for what comes late: the last pods, the controllers' own writes. */
const SETTLE_MS = 10_000;
const WATCHED_MS = 60_000;

/** Installs demo, then counts for a minute; then restarts the operator, and counts what its first looks take. */
export async function restFigures(program: string): Promise<readonly Figure[]> {
  const cluster = await openBenchCluster();
  try {
    const settings = { program, namespace: OPERATOR_NAMESPACE };
    const operator = await startMeasured(cluster.plane, settings);
    await cluster.create(resourceOf('mesh', 'istio-system', { profile: 'demo' }));
    await cluster.untilHealthy(1, TIMEOUT_MS);
    await delay(SETTLE_MS);
    const idle = await idleFigures(cluster, operator);
    await operator.stop();
    return [...idle, ...(await restartFigures(cluster, settings))];
  } finally {
    await cluster.close();
  }
}

async function idleFigures({ plane }: BenchCluster, operator: MeasuredOperator): Promise<readonly Figure[]> {
  const from = new Date();
  const before = await operator.counter('rest_client_requests_total');
  await delay(WATCHED_MS);
  const calls = (await operator.counter('rest_client_requests_total')) - before;
  const { reads, writes } = await operatorCalls(plane, from, new Date());
  const [connections, watches] = await Promise.all([operator.connections(), operatorWatches(plane)]);
  return [
    { what: 'at rest, calls with the Lease', value: calls / (WATCHED_MS / 1000), unit: '/s', target: 1 },
    { what: 'at rest for a minute, writes', value: writes, unit: '', target: 0 },
    { what: 'at rest for a minute, reads', value: reads, unit: '', target: 0 },
    { what: `connections, with ${watches} watches`, value: connections, unit: '', target: watches + 4 },
  ];
}

async function restartFigures(
  { plane }: BenchCluster,
  settings: OperatorSettings,
): Promise<readonly Figure[]> {
  const from = new Date();
  const operator = await startMeasured(plane, settings);
  try {
    const reconciled = async (): Promise<boolean> =>
      (await operator.counter('controller_runtime_reconcile_total')) > 0;
    await until('the restarted operator has looked at the resource', TIMEOUT_MS, reconciled);
    await delay(SETTLE_MS);
  } finally {
    await operator.stop();
  }
  const { writes } = await operatorCalls(plane, from, new Date());
  const former = '31 objects applied, with 61 GETs and 36 LISTs';
  return [{ what: 'writes after a restart', value: writes, unit: '', target: 0, former }];
}
