/** One schedule, tried: the real controller and engine in a cluster that is made of memory, until nothing is left to do. */
import { applyPlan } from '../../../apply/apply-plan.ts';
import { deleteInstallation } from '../../../apply/delete-installation.ts';
import { previewPlan } from '../../../apply/preview-plan.ts';
import { assertNever, stringAt } from '../../../model/json.ts';
import type { K8sObject, ObjectRef } from '../../../model/object.ts';
import { displayRef, identityOf, refOf } from '../../../model/object.ts';
import type { PlanResult } from '../../../model/plan.ts';
import { createController } from '../../controller.ts';
import { createMetrics } from '../../metrics.ts';
import { rfc3339 } from '../../status.ts';
import type { Engine } from '../../visit.ts';
import { SILENT_LOGGER } from '../silent-logger.ts';
import { ClusterControllers } from './cluster-controllers.ts';
import type { Fate, Ports, Request, Surroundings, Verb } from './connection.ts';
import { Connection } from './connection.ts';
import type { Snapshot } from './model-api.ts';
import { clusterError, ModelApi } from './model-api.ts';
import type { End } from './oracles.ts';
import {
  differences,
  endOf,
  harmed,
  isOfOthers,
  isPrunedTooEarly,
  isWanted,
  orphans,
  ours,
  outdatedEntries,
  stateOf,
  unsoundStatus,
  untruth,
} from './oracles.ts';
import type { Act, CallFault, Choice, Fault } from './schedule.ts';
import { SecondActor, stationOf } from './second-actor.ts';
import type { StationName } from './stations.ts';
import { planFor, RESOURCE, WANTED } from './stations.ts';
import { turn, VirtualTime } from './virtual-time.ts';

/** The code under test; a test of the oracles puts something worse in its place. */
export interface Subject {
  readonly engine: Engine;
  /** What a process is given of its connection. */
  readonly connect: (connection: Ports) => Ports;
}

export const OPERATOR: Subject = {
  engine: { apply: applyPlan, delete: deleteInstallation, preview: previewPlan },
  connect: (connection) => connection,
};

export interface Way {
  readonly start: Snapshot;
  /** What is asked for at the start. */
  readonly act: Act;
}

/**
 * What is known of states that trials came to: a process that has just been started knows nothing, so what it does
 * depends on the cluster alone, and needs to be seen once only.
 */
export interface Known {
  /** States in which such a process does nothing. */
  readonly atRest: Set<string>;
  /** What was still done in trials that went well from a state on. */
  readonly tails: Map<string, Tail>;
}

interface Tail {
  readonly requests: readonly Request[];
  readonly effort: Effort;
}

/** How often each object was made and deleted by the operator. */
export interface Effort {
  readonly created: ReadonlyMap<string, number>;
  readonly deleted: ReadonlyMap<string, number>;
}

export interface Reference {
  /** Where each station ends undisturbed; for a resource that is gone, `gone`. */
  readonly ends: Readonly<Record<StationName | 'gone', End>>;
  /** Of the way without any fault; absent when that is what is being found out. */
  readonly effort?: Effort;
}

export interface Result {
  /** Empty when everything held. */
  readonly findings: readonly string[];
  /** Every request until the cluster was at rest. */
  readonly trace: readonly Request[];
  readonly effort: Effort;
  readonly end: End;
  readonly snapshot: Snapshot;
  /** What happened, line by line. */
  readonly events: readonly string[];
}

export interface TrialSettings {
  readonly subject?: Subject;
  /** Keeps a record of what happens. */
  readonly isVerbose?: boolean;
  /** Of other trials of the same subject. */
  readonly known?: Known;
}

interface Process {
  readonly connection: Connection;
  readonly stop: AbortController;
  isEnded: boolean;
}

const METRICS = createMetrics(() => 0);

const WRITES: ReadonlySet<Verb> = new Set(['apply', 'delete', 'patch status', 'set finalizers']);

/** More than every wait of the operator but its resync. */
const QUIET_MS = 480_000;
const MOST_STEPS = 5_000;

export class Trial implements Surroundings {
  readonly api: ModelApi;
  readonly #time = new VirtualTime();
  readonly #controllers: ClusterControllers;
  readonly #actor: SecondActor;
  readonly #way: Way;
  readonly #subject: Subject;
  readonly #isVerbose: boolean;
  readonly #known: Known;
  readonly #lastChoice: number;
  readonly #choices: ReadonlyMap<number, Fault>;
  readonly #findings = new Set<string>();
  readonly #requests: Request[] = [];
  readonly #events: string[] = [];
  readonly #created = new Map<string, number>();
  readonly #deleted = new Map<string, number>();
  /** Objects that an act of somebody else has put out of our reach. */
  readonly #explained = new Set<string>();
  /** What was asked for since the operator was idle last. */
  readonly #asked = new Set<StationName | undefined>();
  /** Whether somebody has changed something since the operator was idle last. */
  #isInterfered = false;
  #hasActed = false;
  #isLate = false;
  #isResting = false;
  /** The state in which a process was started after the last fault, and what had been done by then. */
  #fork: { readonly state: string; readonly requests: number; readonly effort: Effort } | undefined;
  /** How it goes on from there was seen in another trial. */
  #isKnown = false;
  #process: Process | undefined;
  #resourceBefore: K8sObject | undefined;

  constructor(
    way: Way,
    choices: readonly Choice[],
    {
      subject = OPERATOR,
      isVerbose = false,
      known = { atRest: new Set(), tails: new Map() },
    }: TrialSettings = {},
  ) {
    this.#way = way;
    this.#subject = subject;
    this.#isVerbose = isVerbose;
    this.#known = known;
    this.#lastChoice = choices.at(-1)?.at ?? 0;
    this.#choices = new Map(choices.map(({ at, fault }) => [at, fault]));
    this.api = new ModelApi((ref, now) => this.#changed(ref, now));
    this.#controllers = new ClusterControllers(this.api, this.#time);
    this.#actor = new SecondActor(this.api, () => this.now());
  }

  /** Gives what did not hold. `reference` is absent when it is being made. */
  async run(reference?: Reference): Promise<Result> {
    this.api.restore(this.#way.start);
    this.#actor.act(this.#way.act);
    await this.#settle();
    const end = endOf(this.api);
    const snapshot = this.api.snapshot();
    const trace = [...this.#requests];
    if (reference !== undefined) this.#judge(end, reference);
    if (!this.#isKnown) await this.#restartAtRest();
    this.#endProcess();
    this.#remember(trace);
    return {
      findings: [...this.#findings],
      trace,
      effort: this.#effort(),
      end,
      snapshot,
      events: this.#events,
    };
  }

  now(): string {
    return rfc3339(this.#time.nowMs);
  }

  derived(kind: string): readonly K8sObject[] {
    return this.#controllers.derived(kind);
  }

  fateOf(request: Request): Fate {
    if (this.#process?.stop.signal.aborted === true)
      return { kind: 'refused', error: clusterError('cancelled') };
    this.#resourceBefore = this.api.read(RESOURCE);
    this.#requests.push(request);
    this.#note(`${this.#requests.length} ${request.verb} ${request.target}`);
    const fault = this.#isResting ? undefined : this.#choices.get(this.#requests.length);
    return fault === undefined ? { kind: 'answered' } : this.#strike(fault);
  }

  done(request: Request): void {
    for (const finding of orphans(this.api, this.#explained)) this.#find(finding);
    for (const finding of harmed(this.api, this.#way.start)) this.#find(finding);
    const resource = this.api.read(RESOURCE);
    if (request.verb !== 'patch status' || resource === undefined || resource === this.#resourceBefore)
      return;
    for (const finding of unsoundStatus(this.#resourceBefore, resource)) this.#find(finding);
    if (this.#isInterfered) return;
    for (const finding of untruth(this.api)) this.#find(finding);
  }

  created(object: K8sObject): void {
    count(this.#created, object);
  }

  deleted(object: K8sObject): void {
    count(this.#deleted, object);
    const name = displayRef(refOf(object));
    const isWantedByAll = [...this.#asked].every((station) => isWanted(station, object));
    if (isWantedByAll) this.#find(`${name} was deleted although it is wanted`);
    if (isOfOthers(object)) this.#find(`${name} was deleted although it is somebody else's`);
    if (!this.#isInterfered && isPrunedTooEarly(this.api, object))
      this.#find(`${name} was pruned before everything that is wanted was there`);
  }

  #strike(fault: Fault): Fate {
    if (fault.kind !== 'act') return this.#fateBy(fault);
    this.#note(`somebody: ${JSON.stringify(fault.act)}${fault.isLate ? ', not heard of' : ''}`);
    this.#hasActed = true;
    this.#isInterfered = true;
    this.#isLate = fault.isLate;
    if (fault.act.kind === 'replace') this.#explainLeftovers();
    this.#actor.act(fault.act);
    this.#isLate = false;
    this.#asked.add(stationOf(this.api));
    this.#resourceBefore = this.api.read(RESOURCE);
    return { kind: 'answered' };
  }

  /** What was asked for by a resource that was taken away by force, a run that does not know yet included. */
  #explainLeftovers(): void {
    for (const [identity] of ours(this.api)) this.#explained.add(identity);
    for (const station of this.#asked)
      if (station !== undefined) for (const identity of WANTED[station].keys()) this.#explained.add(identity);
  }

  #fateBy(fault: CallFault): Fate {
    this.#note(`fault: ${JSON.stringify(fault)}`);
    switch (fault.kind) {
      case 'refused':
        return { kind: 'refused', error: clusterError(fault.error) };
      case 'lost':
        return { kind: 'unanswered', error: clusterError('unavailable') };
      case 'repeated':
        return { kind: 'repeated' };
      case 'crash':
        this.#endProcess();
        return { kind: 'orphaned', isDone: fault.isDone };
      case 'stop':
        this.#process?.stop.abort();
        return { kind: fault.isDone ? 'unanswered' : 'refused', error: clusterError('cancelled') };
      default:
        return assertNever(fault);
    }
  }

  /** Goes on until nobody has anything to do for a long time. */
  async #settle(): Promise<void> {
    for (let step = 0; step < MOST_STEPS; step += 1) {
      if (this.#process === undefined && this.#isAsBefore()) return;
      this.#process ??= this.#startProcess();
      await turn();
      if (this.#process === undefined || this.#process.isEnded) {
        this.#endProcess();
        continue;
      }
      if (this.#othersActed()) continue;
      if (this.#time.nextDueMs > this.#time.nowMs + QUIET_MS) return;
      this.#time.advance();
    }
    this.#find('it does not come to rest');
  }

  /** Whether a trial that went well has come to this state before, with nothing but the cluster left to know it. */
  #isAsBefore(): boolean {
    if (this.#isResting || this.#requests.length < this.#lastChoice || this.#fork !== undefined) return false;
    if (this.#requests.length === 0) return false;
    const state = stateOf(this.api, [...this.#explained, ...this.#time.pending(), this.#actor.intention]);
    const tail = this.#known.tails.get(state);
    if (tail === undefined) {
      this.#fork = { state, requests: this.#requests.length, effort: this.#effort() };
      return false;
    }
    this.#isKnown = true;
    this.#requests.push(...tail.requests);
    add(this.#created, tail.effort.created);
    add(this.#deleted, tail.effort.deleted);
    return true;
  }

  #remember(trace: readonly Request[]): void {
    if (this.#fork === undefined || this.#findings.size > 0) return;
    const { state, requests, effort } = this.#fork;
    this.#known.tails.set(state, {
      requests: trace.slice(requests),
      effort: {
        created: since(effort.created, this.#created),
        deleted: since(effort.deleted, this.#deleted),
      },
    });
  }

  /** Whether something happened that the operator may not have heard of. */
  #othersActed(): boolean {
    const before = this.api.version;
    this.#actor.goOn();
    this.#controllers.act();
    const connection = this.#process?.connection;
    const hasNews = connection?.hasNews === true;
    connection?.tellNews();
    return hasNews || this.api.version !== before;
  }

  /** A process that knows nothing finds nothing to do. */
  async #restartAtRest(): Promise<void> {
    const state = stateOf(this.api, []);
    if (this.#known.atRest.has(state)) return;
    const before = this.api.version;
    const requests = this.#requests.length;
    const found = this.#findings.size;
    this.#endProcess();
    this.#isResting = true;
    this.#note('started again, at rest');
    await this.#settle();
    const writes = this.#requests.slice(requests).filter(({ verb }) => WRITES.has(verb));
    for (const { verb, target } of writes)
      this.#find(`${verb} ${target} of a process that was started at rest`);
    if (this.api.version !== before) this.#find('something was stored at rest');
    if (this.#findings.size === found) this.#known.atRest.add(state);
  }

  #startProcess(): Process {
    const connection = new Connection(this);
    const clock = this.#time.clockOf(connection);
    const port = this.#subject.connect(connection);
    const process: Process = { connection, stop: new AbortController(), isEnded: false };
    const controller = createController({
      watch: port,
      resources: port,
      cluster: port,
      engine: this.#subject.engine,
      planFor: (spec): PlanResult => ({
        kind: 'planned',
        plan: planFor(stringAt(spec, 'station') === 'full' ? 'full' : 'lean'),
      }),
      clock,
      random: () => 0.5,
      logger: SILENT_LOGGER,
      metrics: { ...METRICS, queue: { ...METRICS.queue, taken: () => this.#beginRun(connection) } },
      instance: 'model',
      settings: { namespaces: [], revision: '', readinessTimeoutMs: 300_000, concurrency: 1 },
    });
    void controller.run(process.stop.signal).then(() => {
      process.isEnded = true;
    });
    return process;
  }

  #endProcess(): void {
    if (this.#process === undefined) return;
    this.#process.connection.isDead = true;
    this.#time.end(this.#process.connection);
    this.#process = undefined;
  }

  /** From here on the operator works by what its watches show now. */
  #beginRun(connection: Connection): void {
    if (!connection.hasNews) {
      this.#asked.clear();
      this.#isInterfered = false;
    }
    this.#asked.add(stationOf(this.api));
  }

  #changed(ref: ObjectRef, now: K8sObject | undefined): void {
    if (this.#isVerbose) this.#events.push(`  stored ${displayRef(ref)}${now === undefined ? ' gone' : ''}`);
    this.#process?.connection.tell(ref, this.#isLate);
  }

  #judge(end: End, { ends, effort }: Reference): void {
    const surplus = effort === undefined || this.#hasActed ? [] : this.#surplus(effort);
    for (const finding of surplus) this.#find(finding);
    if (this.#isKnown) return;
    const resource = this.api.read(RESOURCE);
    const station = stationOf(this.api);
    if (resource !== undefined && station === undefined) this.#find('the resource is still being deleted');
    const missed = differences(ends[station ?? 'gone'], end, this.#explained);
    for (const finding of [...missed, ...outdatedEntries(this.api)]) this.#find(finding);
  }

  #effort(): Effort {
    return { created: new Map(this.#created), deleted: new Map(this.#deleted) };
  }

  /** Without anybody else, nothing is made or deleted more often than undisturbed. */
  #surplus({ created, deleted }: Effort): readonly string[] {
    return [...excess(created, this.#created, 'created'), ...excess(deleted, this.#deleted, 'deleted')];
  }

  #find(finding: string): void {
    this.#findings.add(finding);
    this.#note(`  FOUND ${finding}`);
  }

  #note(event: string): void {
    if (this.#isVerbose) this.#events.push(event);
  }
}

function add(counts: Map<string, number>, others: ReadonlyMap<string, number>): void {
  for (const [identity, times] of others) counts.set(identity, (counts.get(identity) ?? 0) + times);
}

function since(
  before: ReadonlyMap<string, number>,
  now: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  return new Map([...now].map(([identity, times]) => [identity, times - (before.get(identity) ?? 0)]));
}

function count(counts: Map<string, number>, object: K8sObject): void {
  const identity = identityOf(refOf(object));
  counts.set(identity, (counts.get(identity) ?? 0) + 1);
}

function excess(
  expected: ReadonlyMap<string, number>,
  actual: ReadonlyMap<string, number>,
  what: string,
): readonly string[] {
  return [...actual]
    .filter(([identity, times]) => times > (expected.get(identity) ?? 0))
    .map(([identity, times]) => `${identity} was ${what} ${times} times, not ${expected.get(identity) ?? 0}`);
}
