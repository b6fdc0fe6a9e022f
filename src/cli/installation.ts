/**
 * What is installed in a cluster, and where that is written down: in the status of an IstioOperator that the operator
 * keeps, or in a ConfigMap of ours beside the control plane for what the command line installed without the operator.
 */
import { readInventory } from '../apply/inventory.ts';
import { at, isJsonObject, listAt, stringAt } from '../model/json.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import type { GroupVersionKind, K8sObject, ObjectRef } from '../model/object.ts';
import { namespaceOf } from '../model/object.ts';
import type { Owner } from '../model/plan.ts';
import type { InventoryEntry } from '../model/status.ts';
import type { CommandCluster } from './environment.ts';

export interface Installation {
  /** `resource`: the operator keeps it. `record`: the command line does. */
  readonly kind: 'resource' | 'record';
  readonly owner: Owner;
  readonly profile: string;
  /** `default` for the revision without a name. */
  readonly revision: string;
  readonly version: string;
  readonly inventory: readonly InventoryEntry[];
  /** What the user asked for; undefined in records of before it was written down. */
  readonly spec?: JsonObject;
  /** Namespaces that were made for it; known of records only. */
  readonly madeNamespaces: readonly string[];
  /** The IstioOperator or the ConfigMap. */
  readonly object: K8sObject;
}

/** What a record says, beside whose it is. */
export type RecordContent = Pick<
  Installation,
  'profile' | 'revision' | 'version' | 'spec' | 'inventory' | 'madeNamespaces'
>;

interface Reading {
  readonly signal: AbortSignal;
}

export const ISTIO_OPERATOR: GroupVersionKind = {
  apiVersion: 'install.istio.io/v1alpha1',
  kind: 'IstioOperator',
};

const CONFIG_MAP: GroupVersionKind = { apiVersion: 'v1', kind: 'ConfigMap' };
const RECORD_LABEL = 'install.istio.io/record';
const RECORD_KEY = 'installation.json';

/** All installations, resources first, by namespace and name. */
export async function listInstallations(
  cluster: CommandCluster,
  selection: Reading & { readonly namespace?: string },
): Promise<readonly Installation[]> {
  const [resources, records] = await Promise.all([
    cluster.list(ISTIO_OPERATOR, selection),
    cluster.list(CONFIG_MAP, { ...selection, labelSelector: `${RECORD_LABEL}=installation` }),
  ]);
  return [...resources.map(fromResource), ...records.map(fromRecord)].toSorted(byOwner);
}

/** The installation of an owner. A resource is preferred: where both are, the operator has taken over. */
export async function findInstallation(
  cluster: CommandCluster,
  owner: Owner,
  { signal }: Reading,
): Promise<Installation | undefined> {
  const resource = await cluster.get({ ...ISTIO_OPERATOR, ...owner }, { signal });
  if (resource !== undefined) return fromResource(resource);
  const record = await cluster.get(recordRef(owner), { signal });
  return record === undefined ? undefined : fromRecord(record);
}

/** Writes the record; its namespace has to be there. */
export async function storeRecord(
  cluster: CommandCluster,
  owner: Owner,
  content: RecordContent,
  { signal }: Reading,
): Promise<void> {
  const { kind, apiVersion, ...identity } = recordRef(owner);
  const record: K8sObject = {
    apiVersion,
    kind,
    metadata: { ...identity, labels: { [RECORD_LABEL]: 'installation' } },
    data: { [RECORD_KEY]: JSON.stringify({ owner: owner.name, ...content }, null, 1) },
  };
  await cluster.apply(record, { signal, force: true });
}

export async function deleteRecord(
  cluster: CommandCluster,
  owner: Owner,
  { signal }: Reading,
): Promise<void> {
  await cluster.delete(recordRef(owner), { signal });
}

function recordRef({ name, namespace }: Owner): ObjectRef {
  return { ...CONFIG_MAP, namespace, name: `istio-operator.installation.${name}` };
}

function fromResource(object: K8sObject): Installation {
  const status = at(object, 'status');
  return {
    kind: 'resource',
    owner: { name: object.metadata.name, namespace: namespaceOf(object) ?? '' },
    ...releaseFields(status),
    inventory: readInventory(at(status, 'inventory')),
    ...specField(object['spec']),
    madeNamespaces: [],
    object,
  };
}

/** A record that somebody damaged counts as one of nothing: nothing is ever deleted on a guess. */
function fromRecord(object: K8sObject): Installation {
  const content = parsed(stringAt(object, 'data', RECORD_KEY) ?? '');
  const made = listAt(content, 'madeNamespaces').filter((name) => typeof name === 'string');
  return {
    kind: 'record',
    owner: { name: stringAt(content, 'owner') ?? object.metadata.name, namespace: namespaceOf(object) ?? '' },
    ...releaseFields(content),
    inventory: readInventory(content['inventory']),
    ...specField(content['spec']),
    madeNamespaces: made,
    object,
  };
}

function releaseFields(value: JsonValue | undefined): Pick<Installation, 'profile' | 'revision' | 'version'> {
  return {
    profile: stringAt(value, 'profile') ?? '',
    revision: stringAt(value, 'revision') ?? '',
    version: stringAt(value, 'version') ?? '',
  };
}

function specField(value: JsonValue | undefined): Pick<Installation, 'spec'> {
  return isJsonObject(value) ? { spec: value } : {};
}

function parsed(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

function byOwner(left: Installation, right: Installation): number {
  const [a, b] = [sortKey(left), sortKey(right)];
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function sortKey({ kind, owner }: Installation): string {
  return `${kind === 'resource' ? 0 : 1}/${displayOwner(owner)}`;
}

export function displayOwner({ namespace, name }: Owner): string {
  return `${namespace}/${name}`;
}
