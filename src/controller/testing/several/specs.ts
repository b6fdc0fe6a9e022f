/** What several resources may ask for, so that they overlap in every way that they can, and what stands beside them. */
import type { JsonObject, JsonValue } from '../../../model/json.ts';
import { at, listAt, numberAt, stringAt } from '../../../model/json.ts';
import type { GroupVersionKind, K8sObject, ObjectRef } from '../../../model/object.ts';
import { identityOf, labelsOf, refOf } from '../../../model/object.ts';
import type { ComponentName, Owner, Plan, PlannedComponent } from '../../../model/plan.ts';
import { objectsOf } from '../../../model/plan.ts';
import { planOf } from '../builders.ts';
import { keyOf, refOfKey } from '../../resource.ts';
import { OWNER_NAME_LABEL, OWNER_NAMESPACE_LABEL } from '../../watch-table.ts';

/** Where the resources may stand: some share a name, some a namespace. */
export const KEYS = ['istio-system/a', 'istio-system/b', 'team/a', 'team/b', 'other/c'] as const;

export type Key = (typeof KEYS)[number];

export const REVISIONS = ['', 'canary'] as const;
export const TAGS = ['prod', 'next'] as const;
/** Gateways of one name in two namespaces, and of two names in one. */
export const GATEWAYS = ['istio-ingress/public', 'istio-ingress/inner', 'istio-system/public'] as const;

export interface Wish {
  /** Of the control plane; absent when there is none in the plan. */
  readonly revision?: (typeof REVISIONS)[number];
  readonly hasBase: boolean;
  readonly tags: readonly (typeof TAGS)[number][];
  readonly gateways: readonly (typeof GATEWAYS)[number][];
  /** Makes the content another one. */
  readonly edition: number;
}

export function specOf({ revision, hasBase, tags, gateways, edition }: Wish): JsonObject {
  return {
    ...(revision === undefined ? {} : { revision, hasPilot: true }),
    ...(hasBase ? { hasBase } : {}),
    // A tag of nothing would be another matter.
    values: { revisionTags: revision === undefined ? [] : [...tags] },
    gateways: [...gateways],
    edition,
  };
}

const RBAC = 'rbac.authorization.k8s.io/v1';
const ADMISSION = 'admissionregistration.k8s.io/v1';
const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' };
const SERVICE = { apiVersion: 'v1', kind: 'Service' };
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' };
const INJECTOR = { apiVersion: ADMISSION, kind: 'MutatingWebhookConfiguration' };
const TAG_LABEL = 'istio.io/tag';
const ROOT = 'istio-system';

interface Making {
  readonly owner: Owner;
  readonly component: ComponentName;
}

interface Parts {
  readonly namespace?: string;
  readonly labels?: JsonObject;
  readonly body?: JsonObject;
}

function made(
  { owner, component }: Making,
  [kind, name]: readonly [GroupVersionKind, string],
  { namespace, labels = {}, body = {} }: Parts,
): K8sObject {
  const all = {
    [OWNER_NAME_LABEL]: owner.name,
    [OWNER_NAMESPACE_LABEL]: owner.namespace,
    'operator.istio.io/component': component,
    'operator.istio.io/managed': 'Reconcile',
    'operator.istio.io/version': '1.30.3',
    ...labels,
  };
  const place = namespace === undefined ? {} : { namespace };
  return { ...kind, metadata: { name, ...place, labels: all }, ...body };
}

function workload(edition: number): JsonObject {
  return { spec: { template: { spec: { containers: [{ name: 'main', image: `image:${edition}` }] } } } };
}

function base(owner: Owner): PlannedComponent {
  const making: Making = { owner, component: 'Base' };
  const definition = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };
  const objects = [
    made(making, [definition, 'gateways.networking.istio.io'], {
      body: { spec: { group: 'networking.istio.io' } },
    }),
    made(making, [{ apiVersion: 'v1', kind: 'ServiceAccount' }, 'istio-reader'], { namespace: ROOT }),
    made(making, [{ apiVersion: RBAC, kind: 'ClusterRole' }, 'istio-reader'], { body: { rules: [] } }),
  ];
  return { component: 'Base', after: [], objects };
}

function pilot(owner: Owner, spec: JsonValue, edition: number): PlannedComponent {
  const making: Making = { owner, component: 'Pilot' };
  const revision = stringAt(spec, 'revision') ?? '';
  const suffix = revision === '' ? '' : `-${revision}`;
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `istiod${suffix}` };
  const namespace = ROOT;
  const objects = [
    made(making, [{ apiVersion: RBAC, kind: 'ClusterRoleBinding' }, `istiod${suffix}`], {
      body: { roleRef },
    }),
    made(making, [CONFIG_MAP, `istio${suffix}`], { namespace, body: { data: { mesh: String(edition) } } }),
    made(making, [DEPLOYMENT, `istiod${suffix}`], { namespace, body: workload(edition) }),
    injector(making, `istio-sidecar-injector${suffix}`, { suffix, rev: revision || 'default' }),
    ...listAt(spec, 'values', 'revisionTags').map((name) => tag(making, String(name), suffix)),
  ];
  return { component: 'Pilot', after: ['Base'], objects };
}

/** Reaches the pods of namespaces with that label. */
function injector(making: Making, name: string, parts: { suffix: string; rev: string; labels?: JsonObject }) {
  const { suffix, rev, labels = {} } = parts;
  const service = { name: `istiod${suffix}`, namespace: ROOT };
  const namespaceSelector = { matchLabels: { 'istio.io/rev': rev } };
  return made(making, [INJECTOR, name], {
    labels: {
      app: 'sidecar-injector',
      'istio.io/rev': suffix === '' ? 'default' : suffix.slice(1),
      ...labels,
    },
    body: { webhooks: [{ name: 'rev.injector.istio.io', clientConfig: { service }, namespaceSelector }] },
  });
}

function tag(making: Making, name: string, suffix: string): K8sObject {
  const labels = { [TAG_LABEL]: name };
  return injector(making, `istio-revision-tag-${name}`, { suffix, rev: name, labels });
}

function ingress(owner: Owner, spec: JsonValue, edition: number): PlannedComponent {
  const making: Making = { owner, component: 'IngressGateways' };
  const objects = listAt(spec, 'gateways').flatMap((place) => {
    const { namespace = '', name } = refOfKey(String(place));
    return [
      made(making, [SERVICE, name], { namespace, body: { spec: { selector: { app: name } } } }),
      made(making, [DEPLOYMENT, name], { namespace, body: workload(edition) }),
    ];
  });
  return { component: 'IngressGateways', after: ['Pilot'], objects };
}

export function planFor(spec: JsonValue, owner: Owner): Plan {
  const edition = numberAt(spec, 'edition') ?? 0;
  const components = [
    ...(at(spec, 'hasBase') === true ? [base(owner)] : []),
    ...(at(spec, 'hasPilot') === true ? [pilot(owner, spec, edition)] : []),
    ingress(owner, spec, edition),
  ];
  const names = new Set(components.map(({ component }) => component));
  const ordered = components.map((each) => ({
    ...each,
    after: each.after.filter((name) => names.has(name)),
  }));
  return planOf({ revision: stringAt(spec, 'revision') ?? '', version: '1.30.3', components: ordered });
}

/** An object that is asked for. */
export interface Wanted {
  readonly object: K8sObject;
  /** It serves every control plane. */
  readonly isShared: boolean;
  /** Several may ask for it: one applies it, and nobody is refused. */
  readonly isForAll: boolean;
}

/** What a resource asks for, by identity. */
export function wantedBy(resource: K8sObject): ReadonlyMap<string, Wanted> {
  const owner = { name: resource.metadata.name, namespace: String(resource.metadata['namespace']) };
  const plan = planFor(resource['spec'] ?? {}, owner);
  const shared = new Set(
    plan.components.filter(({ component }) => component === 'Base').flatMap((b) => b.objects),
  );
  const wanted = (object: K8sObject): Wanted => {
    const isShared = shared.has(object);
    return { object, isShared, isForAll: isShared || labelsOf(object)[TAG_LABEL] !== undefined };
  };
  return new Map(objectsOf(plan).map((object) => [identityOf(refOf(object)), wanted(object)]));
}

export function refOfResource(key: Key): ObjectRef {
  return refOfKey(key);
}

export function ownerKey(resource: K8sObject): string {
  return keyOf(String(resource.metadata['namespace']), resource.metadata.name);
}

/** What is there before anything is installed, and must be there in the end as it was. */
export const BYSTANDERS: readonly K8sObject[] = [
  ...['istio-system', 'istio-ingress', 'team', 'other'].map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  })),
  { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'cacerts', namespace: ROOT }, data: { key: 'a2V5' } },
  // As a user would who copied a manifest: the labels are ours, and nothing else is.
  made({ owner: { name: 'a', namespace: ROOT }, component: 'Pilot' }, [CONFIG_MAP, 'of-a-user'], {
    namespace: ROOT,
  }),
];
