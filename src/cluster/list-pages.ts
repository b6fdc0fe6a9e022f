/** Reads a whole collection at one resourceVersion, in pages. */
import { ClusterError } from '../model/cluster-error.ts';
import type { JsonObject } from '../model/json.ts';
import { isJsonObject, listAt, stringAt } from '../model/json.ts';
import type { GroupVersionKind, K8sObject } from '../model/object.ts';
import { isK8sObject } from '../model/object.ts';
import type { ResourceMapping } from './resource-path.ts';
import { collectionPath } from './resource-path.ts';
import type { Transport } from './transport.ts';

export interface Selection {
  /** All namespaces when absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Only metadata is sent, without managedFields, under the kind's own name. */
  readonly metadataOnly?: boolean;
  /** Of metadata that is asked for alone, only what tells objects and their states apart is kept: no annotations. */
  readonly identityOnly?: boolean;
}

export interface Collection {
  readonly objects: readonly K8sObject[];
  /** Where a watch goes on. */
  readonly resourceVersion: string;
}

const PAGE_SIZE = '500';
// Where little is kept because much is to be expected: annotations of kubectl alone may have 256 KiB an object.
const SMALL_PAGE_SIZE = '100';
const PAGE_TIMEOUT_MS = 30_000;

/** Shows every object of a collection, a page at a time, and keeps none of them. Throws as `listPages` does. */
export async function scanPages(
  transport: Transport,
  mapping: ResourceMapping,
  selection: Selection & { readonly signal: AbortSignal },
  show: (object: K8sObject) => void,
): Promise<void> {
  await eachPage(transport, mapping, selection, (page) => {
    for (const object of objectsOn(page, mapping, selection)) show(object);
  });
}

/**
 * Throws ClusterError; `conflict` with status 410 when the list took so long that its pages are no more. No
 * resourceVersion is asked for, so the answer is never older than what was written before.
 */
export async function listPages(
  transport: Transport,
  mapping: ResourceMapping,
  selection: Selection,
  options: { readonly signal: AbortSignal; readonly retry?: boolean },
): Promise<Collection> {
  const objects: K8sObject[] = [];
  const last = await eachPage(transport, mapping, { ...selection, ...options }, (page) => {
    objects.push(...objectsOn(page, mapping, selection));
  });
  const resourceVersion = stringAt(last, 'metadata', 'resourceVersion');
  // Without it a watch would start anywhere, and changes in between would be lost.
  if (resourceVersion === undefined)
    throw new ClusterError('the list has no resourceVersion', { kind: 'unavailable', verb: 'list' });
  return { objects, resourceVersion };
}

/** Gives the last page. */
async function eachPage(
  transport: Transport,
  mapping: ResourceMapping,
  {
    signal,
    retry = true,
    ...selection
  }: Selection & { readonly signal: AbortSignal; readonly retry?: boolean },
  take: (page: JsonObject) => void,
): Promise<JsonObject> {
  let page: JsonObject = {};
  do {
    const next = stringAt(page, 'metadata', 'continue');
    page = await transport.request({
      method: 'GET',
      path: collectionPath(mapping, selection.namespace),
      query: {
        ...selectorsOf(selection),
        limit: selection.identityOnly === true ? SMALL_PAGE_SIZE : PAGE_SIZE,
        ...(next === undefined ? {} : { continue: next }),
      },
      accept: acceptOf(selection, 'PartialObjectMetadataList'),
      timeoutMs: PAGE_TIMEOUT_MS,
      verb: 'list',
      retry,
      signal,
    });
    take(page);
  } while ((stringAt(page, 'metadata', 'continue') ?? '') !== '');
  return page;
}

function objectsOn(page: JsonObject, mapping: ResourceMapping, selection: Selection): readonly K8sObject[] {
  return listAt(page, 'items').flatMap((item) => objectOf(mapping, item, selection) ?? []);
}

export function selectorsOf({ labelSelector, fieldSelector }: Selection): Record<string, string> {
  return {
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
}

export function acceptOf(selection: Selection, partialKind: string): string {
  const partial = `application/json;as=${partialKind};g=meta.k8s.io;v=v1`;
  return selection.metadataOnly === true ? partial : 'application/json';
}

/** The object under its own kind: items of lists have none, those with metadata only have another. */
export function objectOf(kind: GroupVersionKind, item: unknown, selection: Selection): K8sObject | undefined {
  if (!isJsonObject(item) || !isJsonObject(item['metadata'])) return undefined;
  const { managedFields, ...metadata } = item['metadata'];
  const kept = selection.metadataOnly === true || managedFields === undefined ? metadata : item['metadata'];
  const object = { ...item, apiVersion: kind.apiVersion, kind: kind.kind, metadata: kept };
  if (!isK8sObject(object)) return undefined;
  return selection.identityOnly === true ? identityAlone(object) : object;
}

const IDENTITY: ReadonlySet<string> = new Set(['namespace', 'uid', 'resourceVersion']);

function identityAlone({ apiVersion, kind, metadata }: K8sObject): K8sObject {
  const kept = Object.entries(metadata).filter(([key]) => IDENTITY.has(key));
  return { apiVersion, kind, metadata: { ...Object.fromEntries(kept), name: metadata.name } };
}
