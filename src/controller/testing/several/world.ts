/** Several resources and one operator, which may be away, in a cluster that is made of memory. */
import { applyPlan } from '../../../apply/apply-plan.ts';
import { deleteInstallation } from '../../../apply/delete-installation.ts';
import { previewPlan } from '../../../apply/preview-plan.ts';
import type { JsonObject } from '../../../model/json.ts';
import { numberAt } from '../../../model/json.ts';
import type { K8sObject, ObjectRef } from '../../../model/object.ts';
import { annotationsOf, displayRef, identityOf, refOf } from '../../../model/object.ts';
import { createController } from '../../controller.ts';
import { ownerKeyOf } from '../../drift.ts';
import { createMetrics } from '../../metrics.ts';
import { conditionOf, generationOf, isOrphanedOnDeletion, isPaused, storedStatus } from '../../resource.ts';
import { rfc3339 } from '../../status.ts';
import type { Engine } from '../../visit.ts';
import type { Fate, Surroundings } from '../schedules/connection.ts';
import { Connection } from '../schedules/connection.ts';
import type { Snapshot } from '../schedules/model-api.ts';
import { ModelApi } from '../schedules/model-api.ts';
import { isOfOthers, unsoundStatus } from '../schedules/oracles.ts';
import { turn, VirtualTime } from '../schedules/virtual-time.ts';
import { SILENT_LOGGER } from '../silent-logger.ts';
import { isWantedByAnother, livingIn } from './oracles.ts';
import type { Key, Wish } from './specs.ts';
import { BYSTANDERS, ownerKey, planFor, refOfResource, specOf } from './specs.ts';

export type Act =
  | { readonly kind: 'ask'; readonly key: Key; readonly wish: Wish }
  | { readonly kind: 'delete' | 'orphan' | 'pause' | 'resume'; readonly key: Key };

/** What people do before the operator is left alone; without acts it is only started again. */
export interface Step {
  readonly acts: readonly Act[];
  /** While nobody looks. */
  readonly isAway: boolean;
}

export const ENGINE: Engine = { apply: applyPlan, delete: deleteInstallation, preview: previewPlan };

export interface Tally {
  /** Objects that a resource deleted that lives on. */
  pruned: number;
  /** Objects that went with their resource. */
  deleted: number;
  /** Times at which a resource was found to be refused. */
  refused: number;
  /** Objects that came into the hands of another resource. */
  handedOver: number;
}

interface Process {
  readonly connection: Connection;
  readonly stop: AbortController;
}

const METRICS = createMetrics(() => 0);
const ROLLOUT_MS = 50;
/** Who is refused is looked at every minute. */
const QUIET_MS = 130_000;
const MOST_STEPS = 4_000;
const PAUSE = 'install.istio.io/ignoreReconcile';
const FORCE = 'install.istio.io/force-removal';
const POLICY = 'install.istio.io/deletion-policy';

export class World implements Surroundings {
  readonly api: ModelApi;
  readonly start: Snapshot;
  readonly tally: Tally = { pruned: 0, deleted: 0, refused: 0, handedOver: 0 };
  readonly findings = new Set<string>();
  /** Objects whose resource went without them, as it was told to. */
  readonly leftBehind = new Set<string>();
  readonly #time = new VirtualTime();
  readonly #engine: Engine;
  readonly #random: () => number;
  #process: Process | undefined;
  #lastStoredMs = 0;
  /** What was stored last, for whoever wonders why. */
  lastStored = 'nothing';
  readonly #resources = new Map<string, K8sObject>();
  readonly #owners = new Map<string, string | undefined>();

  constructor(random: () => number, engine: Engine = ENGINE) {
    this.#random = random;
    this.#engine = engine;
    this.api = new ModelApi((ref, now) => this.#changed(ref, now));
    for (const object of BYSTANDERS) this.api.update('user', refOf(object), () => object);
    this.start = this.api.snapshot();
  }

  /** Does what people do, and waits until nothing more comes of it. */
  async go({ acts, isAway }: Step): Promise<void> {
    if (isAway) this.endProcess();
    for (const act of acts) this.#act(act);
    await this.settle();
  }

  /** Goes on until nothing was stored for some time, in which everybody was looked at. */
  async settle(): Promise<void> {
    this.#lastStoredMs = this.#time.nowMs;
    this.#process ??= this.#startProcess();
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const { version } = this.api;
      await turn();
      if (this.api.version !== version) continue;
      if (this.#time.nowMs > this.#lastStoredMs + QUIET_MS || this.#time.nextDueMs === Infinity) return;
      this.#time.advance();
    }
    this.find('it does not come to rest');
  }

  endProcess(): void {
    if (this.#process === undefined) return;
    this.#process.connection.isDead = true;
    this.#process.stop.abort();
    this.#time.end(this.#process.connection);
    this.#process = undefined;
  }

  find(finding: string): void {
    this.findings.add(finding);
  }

  now(): string {
    return rfc3339(this.#time.nowMs);
  }

  derived(): readonly K8sObject[] {
    return [];
  }

  fateOf(): Fate {
    return { kind: 'answered' };
  }

  done(): void {
    // What was stored is looked at in `#changed`.
  }

  created(): void {
    // Only deletions are judged one by one.
  }

  deleted(object: K8sObject): void {
    const owner = ownerKeyOf(object);
    const isPruned = livingIn(this.api).some((resource) => ownerKey(resource) === owner);
    this.tally[isPruned ? 'pruned' : 'deleted'] += 1;
    const name = displayRef(refOf(object));
    const wanting = isWantedByAnother(this.api, object);
    if (wanting !== undefined) this.find(`${name} was deleted although ${wanting} wants it`);
    if (isOfOthers(object)) this.find(`${name} was deleted although it is somebody else's`);
  }

  #act(act: Act): void {
    const ref = refOfResource(act.key);
    const live = this.api.read(ref);
    if (act.kind === 'ask') return this.#ask(ref, specOf(act.wish));
    if (live === undefined) return;
    const { [PAUSE]: _paused, ...others } = annotationsOf(live);
    if (act.kind === 'pause') this.#annotate(ref, { ...others, [PAUSE]: 'true' });
    if (act.kind === 'resume') this.#annotate(ref, others);
    // A tag that was left behind would keep its control plane: that is another matter.
    if (act.kind === 'delete') this.#annotate(ref, { ...annotationsOf(live), [FORCE]: 'true' });
    if (act.kind === 'orphan') this.#annotate(ref, { ...others, [POLICY]: 'Orphan' });
    if (act.kind === 'delete' || act.kind === 'orphan') this.api.delete(ref, { now: this.now() });
  }

  #ask(ref: ObjectRef, spec: JsonObject): void {
    this.api.update('kubectl', ref, ({ metadata, ...object }) => ({ ...object, metadata, spec }));
  }

  #annotate(ref: ObjectRef, annotations: Readonly<Record<string, string>>): void {
    this.api.update('kubectl', ref, (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations },
    }));
  }

  #startProcess(): Process {
    const connection = new Connection(this);
    const process: Process = { connection, stop: new AbortController() };
    const controller = createController({
      watch: connection,
      resources: connection,
      cluster: connection,
      engine: this.#engine,
      planFor: (spec, owner) => ({ kind: 'planned', plan: planFor(spec, owner) }),
      clock: this.#time.clockOf(connection),
      random: this.#random,
      logger: SILENT_LOGGER,
      metrics: METRICS,
      instance: 'model',
      settings: { namespaces: [], revision: '', readinessTimeoutMs: 300_000, concurrency: 2 },
    });
    void controller.run(process.stop.signal);
    return process;
  }

  #changed(ref: ObjectRef, now: K8sObject | undefined): void {
    this.#lastStoredMs = this.#time.nowMs;
    const message = now === undefined ? 'gone' : conditionOf(storedStatus(now), 'Ready')?.message;
    this.lastStored = `${displayRef(ref)}${message === undefined ? '' : `: ${message}`}`;
    if (ref.kind === 'IstioOperator') this.#resourceChanged(ref, now);
    else this.#objectChanged(ref, now);
    this.#process?.connection.tell(ref, false);
  }

  #resourceChanged(ref: ObjectRef, now: K8sObject | undefined): void {
    const before = this.#resources.get(identityOf(ref));
    if (now === undefined) {
      this.#resources.delete(identityOf(ref));
      if (before !== undefined) this.#gone(before);
      return;
    }
    this.#resources.set(identityOf(ref), now);
    for (const identity of (storedStatus(now)?.inventory ?? []).map(identityOf))
      if (this.#owners.get(identity) === ownerKey(now)) this.leftBehind.delete(identity);
    if (before?.['status'] === now['status']) return;
    for (const finding of unsoundStatus(before, now)) this.find(finding);
  }

  #gone(resource: K8sObject): void {
    if (!isOrphanedOnDeletion(resource) && !isPaused(resource)) return;
    for (const entry of storedStatus(resource)?.inventory ?? []) this.leftBehind.add(identityOf(entry));
  }

  #objectChanged(ref: ObjectRef, now: K8sObject | undefined): void {
    const identity = identityOf(ref);
    const before = this.#owners.get(identity);
    const owner = now === undefined ? undefined : ownerKeyOf(now);
    this.#owners.set(identity, owner);
    if (now === undefined || (before !== undefined && before !== owner)) this.leftBehind.delete(identity);
    if (now !== undefined && before !== undefined && before !== owner) this.tally.handedOver += 1;
    if (now?.kind === 'Deployment' && numberAt(now, 'status', 'observedGeneration') !== generationOf(now))
      this.#time.after(ROLLOUT_MS, () => this.#rollOut(ref));
  }

  #rollOut(ref: ObjectRef): void {
    const live = this.api.read(ref);
    if (live === undefined) return;
    const replicas = numberAt(live, 'spec', 'replicas') ?? 1;
    const counts = { replicas, updatedReplicas: replicas, availableReplicas: replicas };
    this.api.setStatus(ref, { observedGeneration: generationOf(live), ...counts });
  }
}
