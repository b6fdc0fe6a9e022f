/** Small worlds for tests: each shows only what matters to it. */
import type { JsonObject } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';
import { refOf } from '../../model/object.ts';
import type { ComponentName, Plan, PlannedComponent } from '../../model/plan.ts';
import type { ApplyReport, Change, ComponentResult } from '../../model/report.ts';
import type { InventoryEntry } from '../../model/status.ts';
import { OWNER_NAMESPACE_LABEL, OWNER_NAME_LABEL } from '../watch-table.ts';

export const NAMESPACE = 'istio-system';

export interface ResourceParts {
  readonly name?: string;
  readonly generation?: number;
  readonly spec?: JsonObject;
  readonly annotations?: JsonObject;
  readonly finalizers?: readonly string[];
  readonly deletionTimestamp?: string;
  readonly status?: JsonObject;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export function istioOperator(parts: ResourceParts = {}): K8sObject {
  const { name = 'demo', generation = 1, spec = { profile: 'demo' }, status, ...metadata } = parts;
  return {
    apiVersion: 'install.istio.io/v1alpha1',
    kind: 'IstioOperator',
    metadata: {
      name,
      namespace: NAMESPACE,
      uid: `uid-${name}`,
      resourceVersion: '1',
      generation,
      ...metadata,
    },
    spec,
    ...(status === undefined ? {} : { status }),
  };
}

/** An object as a plan for the resource `demo` has it. */
export function owned(kind: string, name: string, fields: JsonObject = {}): K8sObject {
  const apiVersion = kind === 'Deployment' ? 'apps/v1' : 'v1';
  const labels = { [OWNER_NAME_LABEL]: 'demo', [OWNER_NAMESPACE_LABEL]: NAMESPACE };
  return { apiVersion, kind, metadata: { name, namespace: NAMESPACE, labels }, ...fields };
}

export const ISTIOD = owned('Deployment', 'istiod');
export const GATEWAY = owned('Deployment', 'istio-ingressgateway');
export const READER = owned('ServiceAccount', 'istio-reader');

const DEMO: readonly PlannedComponent[] = [
  { component: 'Base', after: [], objects: [READER] },
  { component: 'Pilot', after: ['Base'], objects: [ISTIOD] },
  { component: 'IngressGateways', after: ['Pilot'], objects: [GATEWAY] },
];

export function planOf(parts: Partial<Plan> = {}): Plan {
  return {
    profile: 'demo',
    revision: '',
    version: '1.30.3',
    releaseLine: '1.30',
    namespace: NAMESPACE,
    namespaceLabels: {},
    components: DEMO,
    images: [],
    missingKinds: [],
    spec: {},
    userSpec: {},
    warnings: [],
    ...parts,
  };
}

export function entryOf(object: K8sObject): InventoryEntry {
  return { ...refOf(object), uid: `uid-${object.metadata.name}` };
}

export const INVENTORY: readonly InventoryEntry[] = [READER, ISTIOD, GATEWAY].map(entryOf);

export interface ReportParts {
  readonly components?: Partial<Record<ComponentName, ComponentResult>>;
  readonly changes?: readonly Change[];
  readonly inventory?: readonly InventoryEntry[];
  readonly pruneFailures?: ApplyReport['pruneFailures'];
}

/** A report on the plan above in which everything is ready that the parts do not speak about. */
export function reportOf(parts: ReportParts = {}): ApplyReport {
  const results = DEMO.map(({ component }) => [component, parts.components?.[component] ?? READY] as const);
  return {
    components: new Map(results),
    changes: parts.changes ?? [],
    inventory: parts.inventory ?? INVENTORY,
    pruneFailures: parts.pruneFailures ?? [],
  };
}

const READY: ComponentResult = { kind: 'ready' };

export const ISTIOD_WAITS: ComponentResult = {
  kind: 'notReady',
  waitingFor: [{ ref: refOf(ISTIOD), reason: '0 of 1 pods are available' }],
};

export const GATEWAY_SKIPPED: ComponentResult = { kind: 'skipped', waitingFor: ['Pilot'] };

export function changeOf(object: K8sObject, parts: Partial<Change> = {}): Change {
  return { ref: refOf(object), action: 'created', fields: [], changedBy: [], ...parts };
}
