/** Runs the in-cluster operator until it is told to stop. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { CommandError, EXIT, failure } from './cli/command-error.ts';
import type { Credentials } from './cluster/credentials.ts';
import { loadCredentials } from './cluster/credentials.ts';
import { createDiscovery } from './cluster/discovery.ts';
import { acquireLease } from './cluster/lease.ts';
import type { LeaseDeps } from './cluster/lease.ts';
import { createLeaseStore } from './cluster/lease-store.ts';
import { createTransport } from './cluster/transport.ts';
import type { WriteFence } from './cluster/transport.ts';
import { createWatches } from './cluster/watches.ts';
import type { Settings } from './config/settings.ts';
import { readSettings } from './config/settings.ts';
import { createMetrics } from './controller/metrics.ts';
import type { ControllerMetrics, LoopDelay } from './controller/metrics.ts';
import type { Term } from './controller/terms.ts';
import { Terms } from './controller/terms.ts';
import { createPlanner } from './core/plan.ts';
import { loadAssets } from './assets/load.ts';
import type { HttpServer, HttpServerSettings } from './http/server.ts';
import { startHttpServer } from './http/server.ts';
import { createLogger } from './log/logger.ts';
import type { AssetBundle } from './model/assets.ts';
import type { Clock } from './model/clock.ts';
import type { Logger } from './model/logger.ts';
import { mountedProfiles } from './mounted-profiles.ts';
import type { ControllerParts } from './operator.ts';
import { assembleController } from './operator.ts';
import { createGuardedPlanner } from './planner/guarded-planner.ts';
import type { GuardedPlanner } from './planner/guarded-planner.ts';
import { PLANNING_LIMITS } from './planner/limits.ts';
import { PlanThread } from './planner/plan-thread.ts';
import { VERSION } from './version.ts';

export interface OperatorRun {
  readonly flags: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by SIGTERM: then everything ends at the next safe point. */
  readonly signal: AbortSignal;
  /** The module of the planning thread. */
  readonly planWorker: URL;
  readonly clock: Clock;
}

/**
 * Serves health and metrics at once and IstioOperators as soon as this replica leads. Resolves to the exit code when
 * the signal is aborted and the lease is given back. Rejects with a CommandError when settings or credentials are of
 * no use.
 */
export async function runOperator(run: OperatorRun): Promise<number> {
  const settings = settingsOf(run);
  const instance = settings.podName ?? hostname();
  const logger = createLogger({ level: settings.logLevel, output: process.stdout, fields: { instance } });
  const metrics = createMetrics(() => process.memoryUsage.rss(), watchLoop());
  const parts = await connect(run, settings, { logger, metrics, instance });
  const terms = new Terms<OperatorTerm>({
    acquire: acquirer(parts, settings),
    nextController: (term) =>
      assembleController({
        ...parts,
        fence: {
          remainingMs: () => term()?.fence.remainingMs() ?? 0,
          sent: (landed) => term()?.fence.sent(landed),
        },
      }),
    leading: (isLeader) => {
      metrics.leading(isLeader);
      logger.info(isLeader ? 'leading' : 'not leading any more');
    },
  });
  const servers = await startServers(settings, { terms, metrics, logger });
  logger.info('started', {
    version: VERSION,
    namespaces: settings.watchedNamespaces,
    revision: settings.revision,
  });
  try {
    await terms.run(run.signal);
  } finally {
    await Promise.all(servers.map(async (server) => server.close()));
    await parts.transport.close();
  }
  logger.info('stopped');
  return EXIT.ok;
}

/** Often enough to see every wait that a person could notice, and seldom enough to cost nothing. */
const LOOP_RESOLUTION_MS = 20;

function watchLoop(): () => LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  histogram.enable();
  // The histogram has the whole time between two turns, of which the resolution was meant.
  const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - LOOP_RESOLUTION_MS / 1e3);
  return () => {
    const delay = { p99: seconds(histogram.percentile(99)), max: seconds(histogram.max) };
    histogram.reset();
    return delay;
  };
}

function settingsOf({ flags, env }: OperatorRun): Settings {
  const read = readSettings({ flags, env });
  if (read.kind === 'invalid') throw new CommandError(read.problems);
  return read.settings;
}

type Telling = Pick<ControllerParts, 'logger' | 'metrics' | 'instance'>;

async function connect(run: OperatorRun, settings: Settings, telling: Telling): Promise<ControllerParts> {
  const { clock } = run;
  const random = Math.random;
  const [credentials, assets, findProfiles] = await Promise.all([
    credentialsOf(run, settings),
    loadAssets(),
    mountedProfiles(settings.profilesDir),
  ]);
  const transport = createTransport({
    credentials,
    clock,
    random,
    userAgent: `istio-operator/${VERSION}`,
    onExchange: (exchange) => telling.metrics.requested(exchange),
  });
  return {
    ...telling,
    clock,
    random,
    transport,
    discovery: createDiscovery({ transport, clock }),
    planner: guardedPlanner(run, assets),
    findProfiles,
    settings: {
      namespaces: settings.watchedNamespaces,
      revision: settings.revision === 'default' ? '' : settings.revision,
      readinessTimeoutMs: settings.readinessTimeoutMs,
      hardened: settings.hardened === 'true',
      concurrency: settings.maxConcurrentReconciles,
    },
  };
}

function guardedPlanner({ planWorker: module }: OperatorRun, assets: AssetBundle): GuardedPlanner {
  const thread = new PlanThread({ module, ...PLANNING_LIMITS });
  return createGuardedPlanner({ planner: createPlanner(assets), thread, assets, ...PLANNING_LIMITS });
}

async function credentialsOf(
  { env, clock }: OperatorRun,
  { kubeconfig, context }: Settings,
): Promise<Credentials> {
  const loaded = await loadCredentials({
    env,
    clock,
    preferPod: true,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  if (loaded.kind === 'unusable') throw new CommandError([loaded.problem]);
  return loaded.credentials;
}

/** Without election there is one term, which lasts until the process ends. */
interface OperatorTerm extends Term {
  readonly fence: WriteFence;
}

function acquirer(
  parts: ControllerParts,
  { leaseNamespace: namespace, leaseName: name, ...times }: Settings,
): (signal: AbortSignal) => Promise<OperatorTerm | undefined> {
  if (namespace === undefined)
    return async (signal) => ({
      ended: signal,
      problem: () => undefined,
      release: async () => undefined,
      fence: { remainingMs: () => Infinity, sent: () => undefined },
    });
  const lease: LeaseDeps = {
    ...parts,
    store: createLeaseStore({ transport: parts.transport, watch: createWatches(parts), namespace, name }),
    wallClockMs: Date.now,
  };
  // Two processes of one pod, one after the other, are two candidates.
  const identity = `${parts.instance}_${randomUUID()}`;
  const { leaseMs, leaseRenewDeadlineMs: renewDeadlineMs, leaseRetryMs: retryMs } = times;
  const settings = { identity, leaseMs, renewDeadlineMs, retryMs };
  return async (signal) => {
    const leadership = await acquireLease(lease, settings, signal);
    return (
      leadership && {
        ended: leadership.ended,
        problem: () => leadership.problem(),
        release: async () => leadership.release(),
        fence: leadership,
      }
    );
  };
}

interface Served {
  readonly terms: Terms<OperatorTerm>;
  readonly metrics: ControllerMetrics;
  readonly logger: Logger;
}

/** One server, or two when health and metrics are to be had in different places. */
async function startServers(
  settings: Settings,
  { terms, metrics, logger }: Served,
): Promise<readonly HttpServer[]> {
  const { healthHost, healthPort, monitoringHost, monitoringPort } = settings;
  const health = {
    liveness: [{ name: 'lease', problem: () => terms.wedged() }],
    readiness: [{ name: 'watches', problem: () => terms.problem() }],
  };
  const monitoring = {
    metrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
  };
  if (healthHost === monitoringHost && healthPort === monitoringPort) {
    return [await serve({ host: healthHost, port: healthPort, ...health, ...monitoring, logger })];
  }
  return Promise.all([
    serve({ host: healthHost, port: healthPort, ...health, logger }),
    serve({ host: monitoringHost, port: monitoringPort, ...monitoring, logger }),
  ]);
}

async function serve(settings: HttpServerSettings): Promise<HttpServer> {
  try {
    return await startHttpServer(settings);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    const remedy =
      'Choose another address with --health-host, --health-port, --monitoring-host and --monitoring-port.';
    throw failure('cannotServe', `cannot serve on ${settings.host}:${settings.port}: ${cause}`, remedy);
  }
}
