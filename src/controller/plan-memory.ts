/** Remembers the plans of resources that are being worked on: a rollout takes several looks at the same plan. */
import type { JsonValue } from '../model/json.ts';
import { RELEASE_LINE_ANNOTATION } from '../core/release-choice.ts';
import { at } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { annotationsOf, namespaceOf, uidOf } from '../model/object.ts';
import type { ClusterFacts, Owner, PlanResult } from '../model/plan.ts';
import { generationOf, keyOfResource } from './resource.ts';

/** What planning depends on beside the specification. */
export interface PlanContext {
  readonly annotations: Readonly<Record<string, string>>;
  /** What is installed. */
  readonly installedVersion?: string;
}

/** What a specification means. Pure; may run elsewhere, hence the promise. */
export type PlanFor = (
  spec: JsonValue,
  owner: Owner,
  facts: ClusterFacts,
  context: PlanContext,
) => PlanResult | Promise<PlanResult>;

interface Memory {
  readonly facts: ClusterFacts;
  readonly identity: string;
  readonly result: Promise<PlanResult>;
}

export class PlanMemory {
  readonly #planFor: PlanFor;
  readonly #memories = new Map<string, Memory>();

  constructor(planFor: PlanFor) {
    this.#planFor = planFor;
  }

  /**
   * Plans, or answers with the plan of the same generation, facts and context. `installedVersion` is what stands in the
   * cluster, as a tag; undefined when nothing does.
   */
  async plan(
    resource: K8sObject,
    facts: ClusterFacts,
    installedVersion: string | undefined,
  ): Promise<PlanResult> {
    const key = keyOfResource(resource);
    const context = contextOf(resource, installedVersion);
    const identity = JSON.stringify([uidOf(resource), generationOf(resource), context]);
    const known = this.#memories.get(key);
    if (known?.identity === identity && known.facts === facts) return known.result;
    const result = this.#plan(resource, facts, context);
    this.#memories.set(key, { facts, identity, result });
    return result;
  }

  /** Frees the memory of a resource that nothing more is to be done about for now. */
  forget(key: string): void {
    this.#memories.delete(key);
  }

  /** An older state of the server may be restored, and then the same generation comes again for another specification. */
  forgetAll(): void {
    this.#memories.clear();
  }

  async #plan(resource: K8sObject, facts: ClusterFacts, context: PlanContext): Promise<PlanResult> {
    const owner = { name: resource.metadata.name, namespace: namespaceOf(resource) ?? '' };
    // A resource without specification asks for the default profile, as upstream's did.
    return this.#planFor(at(resource, 'spec') ?? {}, owner, facts, context);
  }
}

/** Only the annotation that planning asks for: others change often and mean nothing to it. */
function contextOf(resource: K8sObject, installedVersion: string | undefined): PlanContext {
  const line = annotationsOf(resource)[RELEASE_LINE_ANNOTATION];
  return {
    annotations: line === undefined ? {} : { [RELEASE_LINE_ANNOTATION]: line },
    ...(installedVersion === undefined ? {} : { installedVersion }),
  };
}
