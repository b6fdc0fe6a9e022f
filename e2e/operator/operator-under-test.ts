/** The operator's controller with its real adapters, in this process, against a real API server. */
import { loadAssets } from '../../src/assets/load.ts';
import { loadCredentials } from '../../src/cluster/credentials.ts';
import { createDiscovery } from '../../src/cluster/discovery.ts';
import { systemClock } from '../../src/cluster/system-clock.ts';
import { createTransport } from '../../src/cluster/transport.ts';
import { UNGUARDED } from '../../src/controller/admission-guard.ts';
import type { ControllerSettings } from '../../src/controller/controller.ts';
import { createMetrics } from '../../src/controller/metrics.ts';
import type { Planner } from '../../src/core/plan.ts';
import { createPlanner } from '../../src/core/plan.ts';
import type { LogFields, Logger } from '../../src/model/logger.ts';
import { assembleController } from '../../src/operator.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';

export interface OperatorUnderTest {
  /** Tells its calls apart from those of others in the audit log. */
  readonly userAgent: string;
  /** Warnings and errors that it logged, but that nothing guards it: so it is on the control plane that suites share. */
  readonly complaints: readonly string[];
  ready(): boolean;
  metrics(): Promise<string>;
  /** Ends it as SIGTERM would, and resolves when nothing of it is left. */
  stop(): Promise<void>;
}

let planner: Promise<Planner> | undefined;
let count = 0;

/** Templates are compiled once for all operators of a run. */
async function sharedPlanner(): Promise<Planner> {
  planner ??= loadAssets().then(createPlanner);
  return planner;
}

export async function startOperator(
  plane: ControlPlane,
  settings: Partial<ControllerSettings> = {},
): Promise<OperatorUnderTest> {
  const clock = systemClock;
  const random = Math.random;
  count += 1;
  const userAgent = `istio-operator/e2e-${count}`;
  const loaded = await loadCredentials({
    env: {},
    clock,
    kubeconfig: plane.kubeconfigPath,
    preferPod: false,
  });
  if (loaded.kind !== 'loaded') throw new Error(loaded.problem.cause);
  const metrics = createMetrics(() => process.memoryUsage.rss());
  const transport = createTransport({ credentials: loaded.credentials, clock, random, userAgent });
  const complaints: string[] = [];
  const stop = new AbortController();
  const controller = assembleController({
    transport,
    discovery: createDiscovery({ transport, clock }),
    planner: await sharedPlanner(),
    findProfiles: () => undefined,
    clock,
    random,
    logger: complainingLogger(complaints),
    metrics,
    instance: 'e2e',
    settings: { namespaces: [], revision: '', readinessTimeoutMs: 300_000, concurrency: 4, ...settings },
  });
  const running = controller.run(stop.signal);
  return {
    userAgent,
    complaints,
    ready: () => controller.ready(),
    metrics: async () => metrics.text(),
    stop: async () => {
      stop.abort();
      await running;
      await transport.close();
    },
  };
}

function complainingLogger(complaints: string[]): Logger {
  const complain = (message: string, fields?: LogFields): void => {
    if (message === UNGUARDED) return;
    complaints.push(`${message} ${JSON.stringify(fields, errorsAsText)}`);
  };
  return { debug: () => undefined, info: () => undefined, warn: complain, error: complain };
}

function errorsAsText(_key: string, value: unknown): unknown {
  return value instanceof Error ? `${value.name}: ${value.message}` : value;
}
