/** The controller: watches, queues, reconciles, and tells what came of it. */
import type { ClusterPort } from '../apply/cluster.port.ts';
import type { DisputeSettings } from '../apply/disputes.ts';
import { Disputes } from '../apply/disputes.ts';
import { createKnownEqual } from '../apply/known-equal.ts';
import type { Clock } from '../model/clock.ts';
import { weightOf } from '../core/spec/weight.ts';
import { assertNever, at } from '../model/json.ts';
import type { Logger } from '../model/logger.ts';
import type { K8sObject } from '../model/object.ts';
import type { Outcome, OutcomeKind } from '../model/outcome.ts';
import { changesOf } from '../model/outcome.ts';
import type { Change } from '../model/report.ts';
import { reportAdmissionGuard } from './admission-guard.ts';
import { spreadMs } from './backoff.ts';
import { Claims } from './claims.ts';
import { createDataPlane } from './data-plane.ts';
import { EventRecorder } from './events.ts';
import { createFacts } from './facts.ts';
import type { ControllerMetrics } from './metrics.ts';
import { driftOf, eventsOf } from './outcome-events.ts';
import { Patience } from './patience.ts';
import type { PlanFor } from './plan-memory.ts';
import { PlanMemory } from './plan-memory.ts';
import { WorkQueue, runWorkers } from './queue.ts';
import { reconcile } from './reconcile.ts';
import { requeueOf } from './requeue.ts';
import type { Requeue } from './requeue.ts';
import { generationOf, isReady, keyOfResource, refOfKey, storedStatus } from './resource.ts';
import { StatusWriter } from './status-writer.ts';
import { settlingState } from './survey.ts';
import type { Phase } from './verdict.ts';
import type { Engine, ReconcileDeps, ReconcileSettings, Visit } from './visit.ts';
import type { ResourcePort, WatchPort } from './watch.port.ts';
import { watchAll } from './watches.ts';
import type { Watches } from './watches.ts';

export interface ControllerSettings extends ReconcileSettings {
  /** Where IstioOperators are looked for; everywhere when it is empty. */
  readonly namespaces: readonly string[];
  /** How many resources are reconciled side by side. */
  readonly concurrency: number;
  /** When to stop putting back what others change; as the engine has it unless set. */
  readonly disputes?: Partial<DisputeSettings>;
}

export interface ControllerDeps {
  readonly watch: WatchPort;
  readonly resources: ResourcePort;
  readonly cluster: ClusterPort;
  readonly engine: Engine;
  readonly planFor: PlanFor;
  readonly clock: Clock;
  /** A number from 0 up to 1, for jitter. */
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: ControllerMetrics;
  /** Name of this process in events, such as the pod's. */
  readonly instance: string;
  readonly settings: ControllerSettings;
}

export interface Controller {
  /** Begins to watch, so that `run` can begin at once; nothing is written before that. */
  warmUp(): void;
  /**
   * Works until the signal is aborted; then ends what is going on at the next safe point, stops watching and resolves.
   * Once only: the next term of leadership needs a new controller, which knows nothing but what the cluster says.
   */
  run(signal: AbortSignal): Promise<void>;
  /** Whether all watches are synced, so that reconciles happen, or can as soon as its term begins. */
  ready(): boolean;
}

const BACKOFF = { firstMs: 1_000, lastMs: 300_000 };
/**
 * A rollout wakes its resource up about twenty times; more than two looks a second for long are no use. What drifts right
 * after a rollout is repaired at once all the same.
 */
const PACE = { burst: 20, refillMs: 500, reserve: 8 };
/** Beside those that may take anything. */
const WORKERS_FOR_DRIFT = 1;

export function createController(deps: ControllerDeps): Controller {
  return new IstioOperatorController(deps);
}

class IstioOperatorController implements Controller {
  readonly #deps: ControllerDeps;
  readonly #queue: WorkQueue;
  readonly #events: EventRecorder;
  readonly #plans: PlanMemory;
  readonly #patience = new Patience();
  readonly #claims = new Claims();
  readonly #disputes = new Map<string, Disputes>();
  readonly #reconcileDeps: ReconcileDeps;
  #watches: Watches | undefined;
  /**
   * Ends with the term, and when the server is away: what goes on then began by what may never have been, as far as the
   * server knows once it is back.
   */
  #era = new AbortController();
  #isStopped = false;
  #isSynced = false;
  #isRunning = false;

  constructor(deps: ControllerDeps) {
    const { clock, random, metrics } = deps;
    this.#deps = deps;
    this.#queue = new WorkQueue({
      clock,
      random,
      observer: metrics.queue,
      backoff: BACKOFF,
      pace: PACE,
      // Drift has to find a worker, and an edit one that is not held by what takes long.
      mostCalm: deps.settings.concurrency,
      heavy: {
        is: (key) => this.#watches?.isHeavy(key) === true,
        most: Math.max(1, deps.settings.concurrency - 1),
      },
    });
    this.#events = new EventRecorder(deps);
    this.#plans = new PlanMemory(deps.planFor);
    this.#reconcileDeps = {
      ...deps,
      patience: this.#patience,
      claims: this.#claims,
      labelledHolder: (key, ref) => this.#watches?.holder(key, ref),
      labelled: (key) => this.#watches?.labelled(key) ?? [],
      keys: () => this.#watches?.keys() ?? [],
      stateOf: (key) => this.#watches?.stateOf(key),
      find: (key) => this.#watches?.resource(key),
      isOfAnother: (key, ref) => this.#watches?.isOfAnother(key, ref) ?? false,
      injectors: () => this.#watches?.injectors() ?? [],
      wake: (key) => this.#queue.add(key),
      knownEqual: createKnownEqual(),
      disputes: (key) => this.#disputesOf(key),
      facts: createFacts({ ...deps, servedKinds: () => this.#watches?.servedKinds() ?? [] }),
      dataPlane: createDataPlane(deps),
      plan: async (resource, facts, installed) => this.#plans.plan(resource, facts, installed),
      forgetPlan: (key) => this.#plans.forget(key),
      labelledVersion: (key) => this.#watches?.labelledVersion(key),
    };
  }

  ready(): boolean {
    return this.#isSynced;
  }

  warmUp(): void {
    this.#startWatches();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { settings, logger, metrics } = this.#deps;
    const isWarm = this.#watches !== undefined;
    this.#isRunning = true;
    const watches = this.#startWatches();
    const aborted = whenAborted(signal).then(() => this.#stop());
    if (!signal.aborted) await Promise.race([isWarm ? upToDate(watches) : watches.synced, aborted]);
    if (!signal.aborted) {
      const keys = watches.keys();
      logger.info('watches are synced', { resources: keys.length });
      // What happened before this term called nobody.
      if (isWarm) for (const key of keys) this.#queue.add(key);
      const workers = settings.concurrency + WORKERS_FOR_DRIFT;
      metrics.queue.workers(workers);
      const working = runWorkers(this.#queue, workers, async (key) => this.#handle(key));
      const looking = reportAdmissionGuard(this.#deps, signal);
      await aborted;
      this.#queue.close();
      await Promise.all([working, looking]);
    }
    this.#isSynced = false;
    watches.stop();
    await this.#events.stop();
  }

  #startWatches(): Watches {
    if (this.#watches !== undefined) return this.#watches;
    const { watch, settings } = this.#deps;
    const { namespaces, revision } = settings;
    const stateOf = (resource: K8sObject): string => settlingState(resource, revision);
    const watched = { namespaces, stateOf, isHeavy };
    this.#watches = watchAll(watch, watched, {
      enqueue: (key, cause) => {
        // Drift of one that is installed shall not wait behind hundreds that are new.
        if (this.#isRunning) this.#queue.add(key, { isUrgent: cause === 'installed' });
      },
      lost: () => this.#lose(),
    });
    void this.#watches.synced.then(() => {
      this.#isSynced = true;
    });
    return this.#watches;
  }

  #stop(): void {
    this.#isStopped = true;
    this.#era.abort();
  }

  #lose(): void {
    this.#era.abort();
    if (this.#isStopped) return;
    this.#era = new AbortController();
    // What others undid, and which specification has which generation, was seen then.
    this.#disputes.clear();
    this.#plans.forgetAll();
  }

  async #handle(key: string): Promise<void> {
    // What was wished may be another wish by now. All are looked at when that is known.
    if (this.#watches?.isCurrent(key) !== true) return;
    const resource = this.#watches?.resource(key);
    if (resource === undefined) {
      this.#forget(key);
      return;
    }
    try {
      await this.#look(key, resource, this.#era.signal);
    } catch (error) {
      // Only a fault of ours gets here. It must not take the other resources down.
      this.#deps.logger.error('look at a resource failed', { key, error });
      this.#deps.metrics.panicked();
      this.#queue.addBackedOff(key);
    }
  }

  async #look(key: string, resource: K8sObject, signal: AbortSignal): Promise<void> {
    const { clock, metrics } = this.#deps;
    const startedMs = clock.nowMs();
    const writer = new StatusWriter(this.#deps, resource, signal);
    const visit: Visit = { key, resource, writer, signal, changed: (change) => this.#changed(key, change) };
    const outcome = await reconcile(this.#reconcileDeps, visit);
    const isTold = await this.#writeStatus(visit, outcome);
    const requeue: Requeue = isTold ? requeueOf(outcome) : { kind: 'backOff' };
    this.#announce(visit, outcome);
    const tookMs = Math.round(clock.nowMs() - startedMs);
    metrics.reconciled(outcome, requeue, tookMs);
    this.#log(visit, outcome, tookMs);
    if (!UNFINISHED.has(outcome.kind)) this.#plans.forget(key);
    this.#schedule(key, requeue);
  }

  #changed(key: string, { action, ref }: Change): void {
    this.#deps.metrics.changed(action, ref.kind);
    if (action !== 'pruned' && action !== 'released') return;
    for (const waiting of this.#claims.wantedBy(key, ref)) this.#queue.add(waiting);
  }

  /** Tells whether the status says what happened. */
  async #writeStatus({ key, writer, signal }: Visit, outcome: Outcome): Promise<boolean> {
    const phase = phaseOf(outcome);
    if (phase === undefined) return true;
    try {
      await writer.write(phase);
      return true;
    } catch (error) {
      if (!signal.aborted) this.#deps.logger.warn('status not written', { key, error });
      return false;
    }
  }

  #announce({ resource, writer }: Visit, outcome: Outcome): void {
    const { metrics } = this.#deps;
    const before = { generation: generationOf(resource), previous: storedStatus(resource) };
    for (const event of eventsOf(outcome, before)) this.#events.record(resource, event);
    metrics.driftRepaired(driftOf(changesOf(outcome), before).length);
    const { namespace = '', name } = refOfKey(keyOfResource(resource));
    const isGone = outcome.kind === 'deleted' || outcome.kind === 'absent';
    metrics.resourceReady(namespace, name, isGone ? undefined : isReady(writer.stored));
  }

  #log({ key, resource }: Visit, outcome: Outcome, tookMs: number): void {
    const { logger } = this.#deps;
    const changes = changesOf(outcome).filter((change) => change.action !== 'unchanged').length;
    const problem = outcome.kind === 'interrupted' ? { problem: outcome.problem } : {};
    const fields = {
      key,
      generation: generationOf(resource),
      outcome: outcome.kind,
      changes,
      tookMs,
      ...problem,
    };
    // A look at something that is ready and stays so is no news, nor is one at something that is gone.
    const isQuiet =
      outcome.kind === 'absent' || (outcome.kind === 'ready' && isReady(storedStatus(resource)));
    if (NEEDS_ATTENTION.has(outcome.kind)) logger.warn('reconciled', fields);
    else if (isQuiet && changes === 0) logger.debug('reconciled', fields);
    else logger.info('reconciled', fields);
  }

  #schedule(key: string, requeue: Requeue): void {
    const { random } = this.#deps;
    if (requeue.kind !== 'backOff') this.#queue.forget(key);
    switch (requeue.kind) {
      case 'onChange':
        return;
      case 'after':
        return this.#queue.addAfter(key, requeue.ms);
      case 'around':
        return this.#queue.addAfter(key, spreadMs(requeue.ms, random()));
      case 'backOff':
        return this.#queue.addBackedOff(key, requeue.lastMs);
      default:
        return assertNever(requeue);
    }
  }

  #disputesOf(key: string): Disputes {
    const disputes = this.#disputes.get(key) ?? new Disputes(this.#deps.settings.disputes);
    this.#disputes.set(key, disputes);
    return disputes;
  }

  #forget(key: string): void {
    const { namespace = '', name } = refOfKey(key);
    this.#disputes.delete(key);
    this.#patience.forget(key);
    this.#plans.forget(key);
    this.#queue.forget(key);
    for (const waiting of this.#claims.forget(key)) this.#queue.add(waiting);
    this.#deps.metrics.resourceReady(namespace, name, undefined);
  }
}

function isHeavy(resource: K8sObject): boolean {
  return weightOf(at(resource, 'spec')) === 'heavy';
}

/** What the status is made of; undefined when there is nothing, or nobody, to tell. */
function phaseOf(outcome: Outcome): Phase | undefined {
  if (outcome.kind === 'stopped' || outcome.kind === 'absent' || outcome.kind === 'deleted') return undefined;
  if (outcome.kind === 'ignored' && outcome.attention !== 'none') return undefined;
  // Somebody else changed the resource at the same moment: the next look settles it.
  if (outcome.kind === 'interrupted' && outcome.problem.kind === 'conflict') return undefined;
  return outcome;
}

/** A user's mistake is none of these: that is in the status, where the user looks. */
const NEEDS_ATTENTION: ReadonlySet<OutcomeKind> = new Set([
  'failed',
  'disputed',
  'interrupted',
  'pruneFailed',
  'deletionBlocked',
]);

/** After these the same plan is needed again soon. */
const UNFINISHED: ReadonlySet<OutcomeKind> = new Set([
  'progressing',
  'notReady',
  'disputed',
  'failed',
  'interrupted',
]);

/** Whoever led before may have written until a moment ago, and a watch tells of it a little later. */
async function upToDate(watches: Watches): Promise<void> {
  await watches.refresh();
  await watches.synced;
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
