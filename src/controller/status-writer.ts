/** Brings the status of one resource into the cluster, with as few writes as tell the truth. */
import { ClusterError, isClusterError } from '../model/cluster-error.ts';
import type { Clock } from '../model/clock.ts';
import type { JsonObject } from '../model/json.ts';
import { jsonEqual, mapAt } from '../model/json.ts';
import type { Logger } from '../model/logger.ts';
import type { K8sObject } from '../model/object.ts';
import { displayRef, refOf, uidOf } from '../model/object.ts';
import type { OperatorStatus } from '../model/status.ts';
import { mergePatchBetween } from './merge-patch.ts';
import { generationOf, isReady, resourceVersionOf, storedStatus } from './resource.ts';
import { rfc3339, statusOf } from './status.ts';
import type { Phase } from './verdict.ts';
import type { ResourcePort } from './watch.port.ts';

/** Progress is shown about four times a second at most: more often nobody can read it. */
const PROGRESS_INTERVAL_MS = 250;

/** Of one write, when others change the resource at the same moment again and again. */
const MOST_TRIES = 5;

export interface StatusWriterDeps {
  readonly resources: Pick<ResourcePort, 'patchStatus'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Writes for one run, one after the other. The generation is that of the resource given at first, although it may
 * have changed meanwhile: what is told is about the specification that the run has seen.
 */
export class StatusWriter {
  readonly #deps: StatusWriterDeps;
  readonly #signal: AbortSignal;
  readonly #given: K8sObject;
  readonly #generation: number;
  #resource: K8sObject;
  /** A write got no answer, so it may have been stored or not; or somebody else has changed the resource. */
  #isUnsure = false;
  #isReplaced = false;
  #writing: Promise<void> = Promise.resolve();
  #offered: Phase | undefined;
  #isPumping = false;
  #lastWriteMs = -Infinity;

  constructor(deps: StatusWriterDeps, resource: K8sObject, signal: AbortSignal) {
    this.#deps = deps;
    this.#given = resource;
    this.#resource = resource;
    this.#generation = generationOf(resource);
    this.#signal = signal;
  }

  /** The resource as it was stored last, as far as this run knows. */
  get resource(): K8sObject {
    return this.#resource;
  }

  get stored(): OperatorStatus | undefined {
    return storedStatus(this.#resource);
  }

  /** Tells the writer about a newer state that was stored by another kind of write. */
  noteStored(resource: K8sObject): void {
    this.#resource = resource;
  }

  /**
   * Writes a phase after everything that was offered before, unless the status says so already. Does nothing when the
   * resource is gone; throws ClusterError when the write fails, a `conflict` when another resource has its name by now
   * or an older state of it was restored.
   */
  async write(phase: Phase): Promise<void> {
    const offered = this.#offered;
    this.#offered = undefined;
    const written = this.#writing.then(async () => {
      if (offered !== phase && this.#endsReadiness(offered)) await this.#show(offered);
      await this.#store(phase);
    });
    // The next write must come even if this one fails; the failure is the caller's, not the successor's.
    this.#writing = written.catch(() => undefined);
    await written;
  }

  /**
   * Shows progress soon: at once after a quiet time, otherwise coalesced. Losing it is no harm, so failures are only
   * logged.
   */
  offer(phase: Phase): void {
    this.#offered = phase;
    if (!this.#isPumping) void this.#pump();
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    const { clock } = this.#deps;
    while (this.#offered !== undefined && !this.#signal.aborted) {
      const sinceLastMs = clock.nowMs() - this.#lastWriteMs;
      await clock.sleep(Math.max(0, PROGRESS_INTERVAL_MS - sinceLastMs), this.#signal);
      const phase: Phase | undefined = this.#offered;
      if (phase === undefined || this.#signal.aborted) break;
      await this.write(phase).catch((error: unknown) => this.#notShown(error));
    }
    this.#isPumping = false;
  }

  /**
   * Of the generation that was ready something had to be restored. A repair takes less time than showing it, and whoever
   * watches must not believe that nothing was wrong.
   */
  #endsReadiness(offered: Phase | undefined): offered is Phase {
    return (
      offered !== undefined && isReady(this.stored) && this.stored?.observedGeneration === this.#generation
    );
  }

  async #show(phase: Phase): Promise<void> {
    await this.#store(phase).catch((error: unknown) => this.#notShown(error));
  }

  #notShown(error: unknown): void {
    this.#deps.logger.debug('progress not shown', { resource: refOf(this.#resource), error });
  }

  async #store(phase: Phase): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        // A patch from what is not there any more would leave parts of the status that contradict each other.
        if (this.#isUnsure) await this.#readAgain();
        await this.#patchTo(phase);
        return;
      } catch (error) {
        if (isClusterError(error, 'absent')) return;
        if (isClusterError(error, 'unavailable') || isClusterError(error, 'conflict')) this.#isUnsure = true;
        if (!isClusterError(error, 'conflict') || this.#isReplaced || tries === MOST_TRIES) throw error;
      }
    }
  }

  async #patchTo(phase: Phase): Promise<void> {
    const { resources, clock } = this.#deps;
    const now = rfc3339(clock.nowMs());
    const next = statusOf({ generation: this.#generation, phase, previous: this.stored, now });
    const patch = mergePatchBetween(mapAt(this.#resource, 'status'), asJson(next));
    if (patch === undefined) return;
    this.#lastWriteMs = clock.nowMs();
    const options = { signal: this.#signal, resourceVersion: resourceVersionOf(this.#resource) };
    this.#resource = await resources.patchStatus(refOf(this.#resource), patch, options);
  }

  /** An empty patch changes nothing and tells what is stored. */
  async #readAgain(): Promise<void> {
    const ref = refOf(this.#resource);
    const stored = await this.#deps.resources.patchStatus(ref, {}, { signal: this.#signal });
    this.#isReplaced = uidOf(stored) !== uidOf(this.#resource) || isOfAnotherPast(stored, this.#given);
    if (this.#isReplaced) {
      const message = `${displayRef(ref)} was replaced by another one meanwhile`;
      throw new ClusterError(message, { kind: 'conflict', verb: 'patch status', ref });
    }
    this.#resource = stored;
    this.#isUnsure = false;
  }
}

/**
 * Whether a resource never was, or will never be, as it was given: an older state of it was restored from a backup. A
 * later one is no such case, even if its status tells of that generation already, as after a server that lags has shown
 * the past: what was applied by then has to be in the inventory, from which the next look takes it away again.
 */
function isOfAnotherPast(stored: K8sObject, given: K8sObject): boolean {
  if (generationOf(stored) !== generationOf(given)) return generationOf(stored) < generationOf(given);
  return !jsonEqual(stored['spec'] ?? {}, given['spec'] ?? {});
}

/** Interfaces have no index signature, so the compiler cannot see that every member of a status is JSON. */
function asJson(status: OperatorStatus): JsonObject {
  return status as unknown as JsonObject;
}
