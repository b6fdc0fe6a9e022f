/**
 * The API server of a model: what is stored, with uids, resource versions, generations, finalizers, preconditions and
 * server-side apply. Every call is answered at once; who may call, and when, is decided elsewhere.
 */
import { ClusterError } from '../../../model/cluster-error.ts';
import type { ClusterErrorKind } from '../../../model/cluster-error.ts';
import type { JsonObject } from '../../../model/json.ts';
import { at, jsonEqual, mapAt, numberAt, stringAt } from '../../../model/json.ts';
import type { K8sObject, ObjectRef } from '../../../model/object.ts';
import { displayRef, groupOf, identityOf, refOf, uidOf } from '../../../model/object.ts';
import { finalizersOf, resourceVersionOf } from '../../resource.ts';
import { applyMergePatch } from '../in-memory-cluster.ts';
import type { Content } from './content.ts';
import { applied, updated } from './content.ts';

export interface Stored {
  /** As the API gives it. */
  readonly object: K8sObject;
  readonly content: Content;
}

export interface Snapshot {
  readonly stored: ReadonlyMap<string, Stored>;
  readonly counter: number;
}

/** Told of each change once it is stored; `now` is undefined when the object is gone. */
export type OnChange = (ref: ObjectRef, now: K8sObject | undefined) => void;

interface ServerFields {
  readonly uid: string;
  readonly generation: number;
  readonly deletionTimestamp?: string;
}

export class ModelApi {
  #stored = new Map<string, Stored>();
  #counter = 0;
  readonly #onChange: OnChange;

  constructor(onChange: OnChange) {
    this.#onChange = onChange;
  }

  snapshot(): Snapshot {
    return { stored: new Map(this.#stored), counter: this.#counter };
  }

  restore({ stored, counter }: Snapshot): void {
    this.#stored = new Map(stored);
    this.#counter = counter;
  }

  /** Counts what was stored. */
  get version(): number {
    return this.#counter;
  }

  find(identity: string): Stored | undefined {
    return this.#stored.get(identity);
  }

  read(ref: ObjectRef): K8sObject | undefined {
    return this.#stored.get(identityOf(ref))?.object;
  }

  entries(): Iterable<readonly [string, Stored]> {
    return this.#stored;
  }

  apply(config: K8sObject, { dryRun = false }: { readonly dryRun?: boolean | undefined }): K8sObject {
    const ref = refOf(config);
    const before = this.find(identityOf(ref));
    this.#expectNamespace(ref);
    const content = applied(before?.content, config);
    if (before !== undefined) expectMutable(before.content.object, content.object);
    return dryRun ? this.#published(content, before).object : this.#store(content, before);
  }

  /** Lets another manager create or change an object by an ordinary update. */
  update(manager: string, ref: ObjectRef, change: (object: K8sObject) => K8sObject): void {
    const before = this.find(identityOf(ref));
    const object = before?.content.object ?? { ...bare(ref) };
    this.#store(updated(before?.content, change(object), manager), before);
  }

  /** Writes the status of an object as its controller does. */
  setStatus(ref: ObjectRef, status: JsonObject): K8sObject {
    const before = this.#expect(ref);
    if (jsonEqual(at(before.object, 'status'), status)) return before.object;
    return this.#put({ content: before.content, object: { ...before.object, status } });
  }

  patchStatus(ref: ObjectRef, patch: JsonObject, resourceVersion: string | undefined): K8sObject {
    const { object } = this.#expect(ref);
    expectVersion(object, resourceVersion);
    return this.setStatus(ref, mapAt({ status: applyMergePatch(mapAt(object, 'status'), patch) }, 'status'));
  }

  setFinalizers(ref: ObjectRef, finalizers: readonly string[], resourceVersion: string): K8sObject {
    const { object, content } = this.#expect(ref);
    expectVersion(object, resourceVersion);
    const now = { ...object, metadata: { ...object.metadata, finalizers } };
    if (finalizers.length > 0 || at(object, 'metadata', 'deletionTimestamp') === undefined)
      return this.#put({ content, object: now });
    this.erase(ref);
    return now;
  }

  /** False when there is nothing, or another one than was meant. */
  delete(ref: ObjectRef, { uid, now }: { readonly uid?: string | undefined; readonly now: string }): boolean {
    const before = this.find(identityOf(ref));
    if (before === undefined || (uid !== undefined && uidOf(before.object) !== uid)) return false;
    if (finalizersOf(before.object).length === 0) this.erase(ref);
    else if (at(before.object, 'metadata', 'deletionTimestamp') === undefined)
      this.#put({ ...before, object: withMetadata(before.object, { deletionTimestamp: now }) });
    return true;
  }

  /** Takes an object away, whatever holds it. */
  erase(ref: ObjectRef): void {
    if (!this.#stored.delete(identityOf(ref))) return;
    this.#counter += 1;
    this.#onChange(ref, undefined);
  }

  #expect(ref: ObjectRef): Stored {
    const stored = this.find(identityOf(ref));
    if (stored === undefined) throw clusterError('absent', ref);
    return stored;
  }

  #expectNamespace(ref: ObjectRef): void {
    const { namespace } = ref;
    if (namespace === undefined) return;
    if (this.#stored.get(`/Namespace//${namespace}`) === undefined) throw clusterError('absent', ref);
  }

  #store(content: Content, before: Stored | undefined): K8sObject {
    if (before?.content === content) return before.object;
    return this.#put(this.#published(content, before));
  }

  #published(content: Content, before: Stored | undefined): Stored {
    const isSame = before !== undefined && jsonEqual(before.content.object['spec'], content.object['spec']);
    const generation = (numberAt(before?.object, 'metadata', 'generation') ?? 0) + (isSame ? 0 : 1);
    const old: JsonObject = before?.object.metadata ?? {};
    const server: ServerFields = {
      uid: stringAt(before?.object, 'metadata', 'uid') ?? `uid-${this.#counter + 1}`,
      generation,
    };
    const kept = ['deletionTimestamp', 'finalizers'].flatMap((name) => {
      const value = old[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    const managedFields = content.managedFields;
    const metadata = { ...content.object.metadata, ...Object.fromEntries(kept), ...server, managedFields };
    const status = before?.object['status'] ?? statusOfNew(content.object);
    const object = { ...content.object, metadata, ...(status === undefined ? {} : { status }) };
    return { content, object };
  }

  #put({ content, object }: Stored): K8sObject {
    this.#counter += 1;
    const stored = { content, object: withMetadata(object, { resourceVersion: String(this.#counter) }) };
    const ref = refOf(object);
    this.#stored.set(identityOf(ref), stored);
    this.#onChange(ref, stored.object);
    return stored.object;
  }
}

export function clusterError(kind: ClusterErrorKind, ref?: ObjectRef, message?: string): ClusterError {
  const place = ref === undefined ? '' : `${displayRef(ref)}: `;
  const details = { kind, verb: 'call', ...(ref === undefined ? {} : { ref }) };
  return new ClusterError(message ?? `${place}it was made to fail as ${kind}`, details);
}

function withMetadata(object: K8sObject, fields: JsonObject): K8sObject {
  return { ...object, metadata: { ...object.metadata, ...fields } };
}

function bare({ apiVersion, kind, name, namespace }: ObjectRef): K8sObject {
  return { apiVersion, kind, metadata: namespace === undefined ? { name } : { name, namespace } };
}

function expectVersion(object: K8sObject, resourceVersion: string | undefined): void {
  if (resourceVersion === undefined || resourceVersionOf(object) === resourceVersion) return;
  throw clusterError('conflict', refOf(object));
}

/** As the API server refuses it. */
function expectMutable(before: K8sObject, after: K8sObject): void {
  if (groupOf(before.apiVersion) !== 'rbac.authorization.k8s.io') return;
  if (jsonEqual(before['roleRef'], after['roleRef'])) return;
  throw clusterError('invalid', refOf(after), `${displayRef(refOf(after))}: roleRef: cannot change roleRef`);
}

function statusOfNew({ kind }: K8sObject): JsonObject | undefined {
  if (kind === 'CustomResourceDefinition') return { conditions: [{ type: 'Established', status: 'True' }] };
  return kind === 'Namespace' ? { phase: 'Active' } : undefined;
}
