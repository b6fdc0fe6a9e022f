/** Lets gateways that run already replace their pods one after the other, so that a bad change stops at the first. */
import { listAt, stringAt } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { displayRef, identityOf, refOf } from '../model/object.ts';
import type { NotReady } from '../model/report.ts';
import { isBeingDeleted } from './deletion-state.ts';
import { isUnobserved, readinessOf } from './readiness.ts';
import type { BoundedRun } from './run.ts';
import { pollUntil } from './run.ts';

/** A change of a live object, as far as it matters here. */
export interface Rollout {
  readonly intended: K8sObject;
  /** As in Change. */
  readonly verdict: { readonly fields: readonly string[] };
}

export class GatewayTurns {
  readonly #gateways: ReadonlyMap<string, ObjectRef>;
  readonly #patienceMs: number;
  #previous: Promise<unknown> = Promise.resolve();

  /**
   * `gateways` are the Deployments that take turns. One that has made no progress for `patienceMs` ends the order: the
   * rest go on together, so that the times of several gateways that never become ready do not add up.
   */
  constructor(gateways: readonly ObjectRef[], patienceMs: number) {
    this.#gateways = new Map(gateways.map((ref) => [identityOf(ref), ref]));
    this.#patienceMs = patienceMs;
  }

  /**
   * Does the change when its turn has come, or at once when it replaces no pods of a gateway. When the time of the run
   * is over before, gives what it waits for, and nothing was done.
   */
  async take<T>(run: BoundedRun, change: Rollout, rollOut: () => Promise<T>): Promise<T | TurnNotCome> {
    const identity = identityOf(refOf(change.intended));
    if (!this.#gateways.has(identity) || !replacesPods(change)) return rollOut();
    const turn = this.#previous.then(async () => this.#inTurn(run, refOf(change.intended), rollOut));
    // A turn that fails ends all the same.
    this.#previous = turn.catch(() => undefined);
    return turn;
  }

  async #inTurn<T>(run: BoundedRun, ref: ObjectRef, rollOut: () => Promise<T>): Promise<T | TurnNotCome> {
    let busy: ObjectRef | undefined;
    await pollUntil(run, async () => {
      busy = await this.#busy(run, ref);
      return busy === undefined ? true : undefined;
    });
    if (busy === undefined) return rollOut();
    const reason = `its update waits until ${displayRef(busy)} is ready`;
    return { kind: 'withheld', notReady: { ref, reason } };
  }

  /** Another gateway that is still at it; undefined when there is none, or one has taken too long. */
  async #busy(run: BoundedRun, ref: ObjectRef): Promise<ObjectRef | undefined> {
    const others = [...this.#gateways.values()].filter((other) => identityOf(other) !== identityOf(ref));
    let busy: ObjectRef | undefined;
    for (const other of others) {
      const live = await run.cluster.get(other, { signal: run.signal });
      if (live === undefined || isBeingDeleted(live)) continue;
      const readiness = readinessOf(live);
      if (readiness.kind === 'ready') continue;
      if (readiness.kind === 'failed' || this.#hasTakenTooLong(live, run.clock.nowMs())) return undefined;
      busy ??= other;
    }
    return busy;
  }

  /** By its own condition, so that a restart of the operator begins nothing anew. */
  #hasTakenTooLong(live: K8sObject, nowMs: number): boolean {
    if (isUnobserved(live)) return false;
    const progressing = listAt(live, 'status', 'conditions').find(
      (condition) => stringAt(condition, 'type') === 'Progressing',
    );
    const progressedAt = stringAt(progressing, 'lastUpdateTime');
    return progressedAt !== undefined && nowMs - Date.parse(progressedAt) >= this.#patienceMs;
  }
}

export interface TurnNotCome {
  readonly kind: 'withheld';
  readonly notReady: NotReady;
}

function replacesPods({ verdict }: Rollout): boolean {
  return verdict.fields.some((field) => /^spec\.template\b/.test(field));
}
