/** Writes Events about resources: few, never twice the same, and never at the expense of a reconcile. */
import type { Clock } from '../model/clock.ts';
import type { Logger } from '../model/logger.ts';
import type { K8sObject } from '../model/object.ts';
import { namespaceOf, uidOf } from '../model/object.ts';
import { capped } from './messages.ts';
import type { EventDraft } from './outcome-events.ts';
import { Pace } from './pace.ts';
import { keyOfResource, resourceVersionOf } from './resource.ts';
import type { ResourcePort } from './watch.port.ts';

const CONTROLLER = 'istio-operator.install.istio.io';

/** The same event about the same resource is not repeated within that time. */
const SILENCE_MS = 600_000;
/** How long a process that is to end waits for its last events. */
const LAST_MOMENT_MS = 500;
/**
 * Like client-go's spam filter: a burst, then one event in a while for each resource. What was repaired many times must
 * not keep a warning from being told.
 */
const PACE = { burst: 25, refillMs: 30_000, reserve: 25 };
/** The API server takes 1024 characters. */
const LONGEST_NOTE = 1_024;

export interface EventRecorderDeps {
  readonly resources: Pick<ResourcePort, 'createEvent'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Name of this process, such as the pod's. */
  readonly instance: string;
}

export class EventRecorder {
  readonly #deps: EventRecorderDeps;
  readonly #pace = new Pace(PACE);
  /** When events were written last, by resource, reason and note. */
  readonly #written = new Map<string, number>();
  readonly #pending = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #sequence = 0;

  constructor(deps: EventRecorderDeps) {
    this.#deps = deps;
  }

  /** Writes an event in the background, unless it was written lately or there were too many. */
  record(resource: K8sObject, draft: EventDraft): void {
    const now = this.#deps.clock.nowMs();
    const identity = [uidOf(resource), draft.reason, draft.note].join('|');
    this.#forgetOld(now);
    if (this.#written.has(identity)) return;
    if (this.#pace.take(keyOfResource(resource), now, draft.type === 'Warning') > 0) return;
    this.#written.set(identity, now);
    const writing = this.#write(resource, draft, now);
    this.#pending.add(writing);
    void writing.finally(() => this.#pending.delete(writing));
  }

  /** Gives what is not written yet a moment, and resolves when nothing is going on any more. */
  async stop(): Promise<void> {
    const written = Promise.all(this.#pending);
    await Promise.race([written, this.#deps.clock.sleep(LAST_MOMENT_MS, this.#stop.signal)]);
    this.#stop.abort();
    await written;
  }

  async #write(resource: K8sObject, draft: EventDraft, nowMs: number): Promise<void> {
    this.#sequence += 1;
    const event = eventObject(resource, draft, {
      nowMs,
      sequence: this.#sequence,
      instance: this.#deps.instance,
    });
    try {
      await this.#deps.resources.createEvent(event, { signal: this.#stop.signal });
    } catch (error) {
      this.#deps.logger.debug('event not written', { reason: draft.reason, error });
    }
  }

  #forgetOld(nowMs: number): void {
    for (const [identity, writtenMs] of this.#written) {
      if (nowMs - writtenMs < SILENCE_MS) break; // in the order in which they were written
      this.#written.delete(identity);
    }
    this.#pace.sweep(nowMs);
  }
}

interface Occasion {
  readonly nowMs: number;
  /** Tells events of the same millisecond apart. */
  readonly sequence: number;
  readonly instance: string;
}

function eventObject(
  resource: K8sObject,
  draft: EventDraft,
  { nowMs, sequence, instance }: Occasion,
): K8sObject {
  const namespace = namespaceOf(resource) ?? 'default';
  const { apiVersion, kind } = resource;
  const { name } = resource.metadata;
  const suffix = `${Math.trunc(nowMs).toString(16)}${sequence.toString(16).padStart(4, '0')}`;
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: `${name.slice(0, 220)}.${suffix}`, namespace },
    // The API wants exactly six digits here.
    eventTime: new Date(nowMs).toISOString().replace('Z', '000Z'),
    type: draft.type,
    reason: draft.reason,
    action: 'Reconcile',
    note: capped(draft.note, LONGEST_NOTE),
    reportingController: CONTROLLER,
    reportingInstance: capped(instance, 128),
    regarding: {
      apiVersion,
      kind,
      namespace,
      name,
      uid: uidOf(resource) ?? '',
      resourceVersion: resourceVersionOf(resource),
    },
  };
}
