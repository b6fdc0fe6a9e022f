/** Which kinds the API server serves, under which path and in which scope. */
import type { Clock } from '../model/clock.ts';
import { isClusterError } from '../model/cluster-error.ts';
import type { JsonValue } from '../model/json.ts';
import { at, isJsonObject, listAt, stringAt } from '../model/json.ts';
import type { GroupVersionKind } from '../model/object.ts';
import { groupOf } from '../model/object.ts';
import { cancelledError } from './api-error.ts';
import type { ResourceMapping } from './resource-path.ts';
import { groupVersionPath } from './resource-path.ts';
import type { Transport } from './transport.ts';

export interface ResolveOptions {
  readonly signal: AbortSignal;
  /** Asks the server again when the kind was missing, however lately that was. For writes: a CRD may be new. */
  readonly afresh?: boolean;
}

export interface Discovery {
  /** How the kind is reached, or undefined when the server does not serve it. Throws ClusterError. */
  resolve(kind: GroupVersionKind, options: ResolveOptions): Promise<ResourceMapping | undefined>;
  /**
   * As `resolve`, in whatever version of its group the server has the kind; undefined only when it has it in none.
   * Asks the server each time.
   */
  resolveServed(kind: GroupVersionKind, options: ResolveOptions): Promise<ResourceMapping | undefined>;
  /** Forgets what is known of an API group, after a kind turned out to be gone. */
  forget(group: string): void;
  /** Forgets it because a definition of the group is new or changed, so that kinds of it may be served from now on. */
  definitionsChanged(group: string): void;
  /** Told the group after `definitionsChanged`, and only then. Returns the way to stop. */
  onDefinitionsChanged(listener: (group: string) => void): () => void;
}

export interface DiscoveryDeps {
  readonly transport: Transport;
  readonly clock: Clock;
}

// Definitions that change behind our back are told, or noticed by 404s; this is for those that are not.
const KNOWN_FOR_MS = 3_600_000;
// So that a kind that is polled for does not cost a request each time.
const MISSING_FOR_MS = 1_000;

interface GroupVersion {
  readonly kinds: ReadonlyMap<string, ResourceMapping>;
  readonly readAtMs: number;
}

export function createDiscovery(deps: DiscoveryDeps): Discovery {
  return new CachedDiscovery(deps);
}

/** One request for each group and version in use; a group whose server is down does not hinder the others. */
class CachedDiscovery implements Discovery {
  readonly #deps: DiscoveryDeps;
  readonly #listeners = new Set<(group: string) => void>();
  readonly #known = new Map<string, GroupVersion>();
  readonly #reading = new Map<string, Promise<GroupVersion>>();

  constructor(deps: DiscoveryDeps) {
    this.#deps = deps;
  }

  async resolve(kind: GroupVersionKind, options: ResolveOptions): Promise<ResourceMapping | undefined> {
    const known = this.#known.get(kind.apiVersion);
    const mapping = known?.kinds.get(kind.kind);
    const ageMs = known === undefined ? Infinity : this.#deps.clock.nowMs() - known.readAtMs;
    if (mapping !== undefined && ageMs < KNOWN_FOR_MS) return mapping;
    if (mapping === undefined && options.afresh !== true && ageMs < MISSING_FOR_MS) return undefined;
    try {
      const fresh = await abandonable(this.#read(kind.apiVersion), options.signal);
      return fresh.kinds.get(kind.kind);
    } catch (error) {
      // Old knowledge is better than none while the server is away.
      if (mapping !== undefined && isClusterError(error, 'unavailable')) return mapping;
      throw error;
    }
  }

  async resolveServed(kind: GroupVersionKind, options: ResolveOptions): Promise<ResourceMapping | undefined> {
    for (const apiVersion of await this.#servedVersions(groupOf(kind.apiVersion), options.signal)) {
      const mapping = await this.resolve({ apiVersion, kind: kind.kind }, options);
      if (mapping !== undefined) return mapping;
    }
    return undefined;
  }

  forget(group: string): void {
    // Also what is under way: it may have been answered before the change.
    for (const cache of [this.#known, this.#reading]) {
      for (const apiVersion of cache.keys()) if (groupOf(apiVersion) === group) cache.delete(apiVersion);
    }
  }

  definitionsChanged(group: string): void {
    this.forget(group);
    for (const listener of this.#listeners) listener(group);
  }

  onDefinitionsChanged(listener: (group: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The preferred one first, as the server lists them. The core group has one version. */
  async #servedVersions(group: string, signal: AbortSignal): Promise<readonly string[]> {
    if (group === '') return ['v1'];
    try {
      const answer = await this.#deps.transport.request({
        method: 'GET',
        path: `/apis/${encodeURIComponent(group)}`,
        verb: 'discover',
        signal,
      });
      return listAt(answer, 'versions').flatMap((version) => stringAt(version, 'groupVersion') ?? []);
    } catch (error) {
      if (isClusterError(error, 'absent')) return [];
      throw error;
    }
  }

  #read(apiVersion: string): Promise<GroupVersion> {
    const underWay = this.#reading.get(apiVersion);
    if (underWay !== undefined) return underWay;
    const reading = this.#fetch(apiVersion);
    this.#reading.set(apiVersion, reading);
    void this.#keep(apiVersion, reading);
    return reading;
  }

  async #keep(apiVersion: string, reading: Promise<GroupVersion>): Promise<void> {
    const groupVersion = await reading.catch(() => undefined);
    // Forgotten meanwhile: what was read may be from before the change.
    if (this.#reading.get(apiVersion) !== reading) return;
    this.#reading.delete(apiVersion);
    if (groupVersion !== undefined) this.#known.set(apiVersion, groupVersion);
  }

  async #fetch(apiVersion: string): Promise<GroupVersion> {
    const readAtMs = this.#deps.clock.nowMs();
    try {
      const list = await this.#deps.transport.request({
        method: 'GET',
        path: groupVersionPath(apiVersion),
        verb: 'discover',
        // Shared by all who wait for it, so no single caller may end it; the deadline does.
        signal: new AbortController().signal,
      });
      const mappings = listAt(list, 'resources').map((entry) => mappingOf(apiVersion, entry));
      return {
        readAtMs,
        kinds: new Map(mappings.flatMap((found) => (found === undefined ? [] : [[found.kind, found]]))),
      };
    } catch (error) {
      if (isClusterError(error, 'absent')) return { readAtMs, kinds: new Map() };
      throw error;
    }
  }
}

function mappingOf(apiVersion: string, entry: JsonValue): ResourceMapping | undefined {
  const [plural, kind, namespaced] = [at(entry, 'name'), at(entry, 'kind'), at(entry, 'namespaced')];
  if (!isJsonObject(entry) || typeof plural !== 'string' || typeof kind !== 'string') return undefined;
  // Subresources, such as `deployments/scale`, repeat kinds.
  if (plural.includes('/')) return undefined;
  return { apiVersion, kind, plural, namespaced: namespaced === true };
}

/** The work, or a `cancelled` error as soon as the signal is aborted; the work itself goes on. */
async function abandonable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) throw cancelledError({ verb: 'discover' });
  const { promise: cancelled, reject } = Promise.withResolvers<never>();
  const cancel = (): void => reject(cancelledError({ verb: 'discover' }));
  signal.addEventListener('abort', cancel);
  try {
    return await Promise.race([work, cancelled]);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}
