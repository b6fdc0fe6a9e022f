/**
 * The operator's rights as RBAC objects. docs/security.md explains the model: cluster-scoped objects by name, everything
 * else only in namespaces that an administrator has opened, and no right to hand out more than the operator holds
 * except for the named cluster roles of istiod.
 */
import type { ComponentName } from '../src/model/plan.ts';
import type { JsonObject } from '../src/model/json.ts';
import type { K8sObject } from '../src/model/object.ts';
import {
  API_RESOURCES,
  RENDERED_KINDS,
  USUAL_GATEWAY_ROLES,
  addonNames,
  controlPlaneRole,
  namesOf,
  sharedNames,
  tagNames,
} from './rendered-kinds.ts';
import type { ApiResource, ClusterNames, ControlPlane, RenderedKind } from './rendered-kinds.ts';

/** Who gets the rights; the ServiceAccount of deploy/operator.yaml. */
const OPERATOR = { name: 'istio-operator', namespace: 'istio-operator' } as const;

interface PolicyRule extends JsonObject {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

interface NamedRule extends PolicyRule {
  readonly resourceNames: readonly string[];
}

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'delete', 'patch'];
/** For what the engine never deletes. */
const KEEP = ['create', 'patch'];
const RBAC = 'rbac.authorization.k8s.io';
const LABELS = { 'app.kubernetes.io/name': 'istio-operator', 'app.kubernetes.io/part-of': 'istio' };

/** What is done with objects of these kinds, if not all that WRITE has. */
const OTHER_VERBS: Readonly<Partial<Record<RenderedKind, readonly string[]>>> = {
  // istiod's role holds wildcards and Secrets, which the operator itself shall not hold: so it needs escalate and bind.
  ClusterRole: ['bind', 'create', 'delete', 'escalate', 'patch'],
  CustomResourceDefinition: KEEP,
  PersistentVolumeClaim: KEEP,
};

/** A part of Istio that is installed into one namespace, with its own ClusterRole to be bound there. */
interface NamespacedPart {
  readonly kinds: readonly RenderedKind[];
  /**
   * What the Roles among these objects contain. The API server lets nobody write a Role that holds more than its writer,
   * so these rights bound what an overlay can make of them, and no escalate is needed.
   */
  readonly handedOut: readonly PolicyRule[];
  readonly others: readonly PolicyRule[];
}

/** For the status: why the pods of a workload do not run. */
const LOOK_AT_PODS = rule('', ['pods'], ['list']);
/** Likewise: only an event tells why a DaemonSet has no pods at all. */
const LOOK_AT_EVENTS = rule('', ['events'], ['list']);
const LOOKS: readonly PolicyRule[] = [LOOK_AT_PODS, LOOK_AT_EVENTS];

const PARTS = {
  'control-plane': {
    kinds: namespacedKinds(['Base', 'Pilot']),
    handedOut: [
      rule('', ['secrets'], ['create', 'delete', 'get', 'list', 'update', 'watch']),
      rule('coordination.k8s.io', ['leases'], ['create', 'get', 'patch', 'update']),
      rule('networking.istio.io', ['gateways'], ['create']),
    ],
    others: [LOOK_AT_PODS],
  },
  gateways: {
    kinds: namespacedKinds(['IngressGateways', 'EgressGateways']),
    handedOut: [rule('', ['secrets'], READ)],
    others: [LOOK_AT_PODS, bindRoles(USUAL_GATEWAY_ROLES)],
  },
  'node-agents': {
    kinds: namespacedKinds(['Cni', 'Ztunnel']).filter((kind) => kind !== 'NetworkAttachmentDefinition'),
    handedOut: [],
    others: [LOOK_AT_PODS, LOOK_AT_EVENTS],
  },
  addons: {
    kinds: namespacedKinds(['Prometheus', 'Grafana', 'Kiali', 'Tracing', 'Loki']),
    handedOut: [],
    others: [LOOK_AT_PODS],
  },
  // For a namespace that only has an IstioOperator: the report of a plan that is not applied lies beside its resource.
  reports: {
    kinds: ['ConfigMap'],
    handedOut: [],
    others: [],
  },
  // Apart from the agents, because it goes to the namespace `default`, where nothing else is installed.
  'network-attachments': {
    kinds: ['NetworkAttachmentDefinition'],
    handedOut: [],
    others: [],
  },
} as const satisfies Readonly<Record<string, NamespacedPart>>;

export type Part = keyof typeof PARTS;

export function isPart(text: string): text is Part {
  return Object.hasOwn(PARTS, text);
}

/** What an operator may do beyond watching; nothing else is needed to install it. */
export interface Grants {
  readonly controlPlanes: readonly ControlPlane[];
  /** Revision tags, each with the namespace of its control plane. */
  readonly tags: readonly { readonly namespace: string; readonly tag: string }[];
  /** Which parts of Istio may be installed into which namespaces. */
  readonly namespaces: readonly { readonly namespace: string; readonly parts: readonly Part[] }[];
}

/**
 * What every operator has, whatever it may install: it watches, reports, elects its leader and writes the objects that
 * all control planes share. `definitions` are the names of Istio's own CustomResourceDefinitions.
 */
export function commonRights(definitions: readonly string[]): readonly K8sObject[] {
  return [
    clusterRole(OPERATOR.name, [...watchingRules(), ...namedRules(sharedNames(definitions))]),
    clusterRoleBinding(OPERATOR.name),
    ...electionRights(),
    ...Object.entries(PARTS).map(([part, { kinds, handedOut, others }]) =>
      clusterRole(`${OPERATOR.name}-${part}`, [...writingRules(kinds), ...handedOut, ...others]),
    ),
  ];
}

/**
 * What an operator in hardened mode has: it watches and reports everywhere, and writes namespaced objects other than
 * rights where an administrator has opened a namespace. Since it hands no rights out, it needs none of those that istiod
 * and the gateways hold: it reads no Secret at all.
 */
export function hardenedRights(namespaces: Grants['namespaces']): readonly K8sObject[] {
  return [
    clusterRole(OPERATOR.name, watchingRules()),
    clusterRoleBinding(OPERATOR.name),
    ...electionRights(),
    ...Object.entries(PARTS).map(([part, { kinds, others }]) =>
      clusterRole(`${OPERATOR.name}-${part}`, [
        ...writingRules(kinds.filter(isNoRight)),
        ...others.filter((other) => LOOKS.includes(other)),
      ]),
    ),
    ...openedNamespaces(namespaces),
  ];
}

function isNoRight(kind: RenderedKind): boolean {
  return API_RESOURCES[kind].group !== RBAC;
}

/** What every operator does in the whole cluster. */
function watchingRules(): readonly PolicyRule[] {
  return [
    ...rulesFor(allKinds(), READ),
    rule('', ['namespaces'], ['get']),
    // Of the metadata only: before a control plane is deleted, and for status.dataPlane.
    LOOK_AT_PODS,
    rule('install.istio.io', ['istiooperators'], ['list', 'patch', 'watch']),
    rule('install.istio.io', ['istiooperators/status'], ['patch']),
    rule('events.k8s.io', ['events'], ['create']),
  ];
}

/** Lets the operator install parts into namespaces; the same in hardened mode, where the parts hold less. */
export function openedNamespaces(namespaces: Grants['namespaces']): readonly K8sObject[] {
  return namespaces.flatMap(({ namespace, parts }) =>
    parts.map((part) => roleBinding(namespace, 'ClusterRole', `${OPERATOR.name}-${part}`)),
  );
}

/** What these grants add; to be applied by somebody who may escalate cluster roles. */
export function grantedRights(grants: Grants): readonly K8sObject[] {
  const revisions = grants.controlPlanes.flatMap((controlPlane) => {
    const { namespace, revision } = controlPlane;
    const name = `revision-${revision === '' ? 'default' : revision}-${namespace}`;
    return rights(name, [...namedRules(namesOf(controlPlane)), bindRoles([controlPlaneRole(controlPlane)])]);
  });
  const tags = grants.tags.flatMap(({ namespace, tag }) =>
    rights(`tag-${tag}-${namespace}`, namedRules(tagNames(namespace, tag))),
  );
  const addons = grants.namespaces
    .filter(({ parts }) => parts.includes('addons'))
    .flatMap(({ namespace }) => rights(`addons-${namespace}`, namedRules(addonNames(namespace))));
  return [...revisions, ...tags, ...addons, ...openedNamespaces(grants.namespaces)];
}

/** Rights in the whole cluster. */
function rights(suffix: string, rules: readonly PolicyRule[]): readonly K8sObject[] {
  const name = `${OPERATOR.name}-${suffix}`;
  return [clusterRole(name, rules), clusterRoleBinding(name)];
}

function allKinds(): readonly RenderedKind[] {
  return unique(Object.values(RENDERED_KINDS).flat());
}

function namespacedKinds(components: readonly ComponentName[]): readonly RenderedKind[] {
  const kinds = components.flatMap((component): readonly RenderedKind[] => RENDERED_KINDS[component]);
  return unique(kinds).filter((kind) => API_RESOURCES[kind].scope === 'namespaced');
}

/** Rules for kinds that are written, whatever their names. */
function writingRules(kinds: readonly RenderedKind[]): readonly PolicyRule[] {
  const special = kinds.filter((kind) => kind in OTHER_VERBS);
  return [
    ...rulesFor(
      kinds.filter((kind) => !special.includes(kind)),
      WRITE,
    ),
    ...special.flatMap((kind) => rulesFor([kind], OTHER_VERBS[kind] ?? WRITE)),
  ];
}

/** One rule for each API group. */
function rulesFor(kinds: readonly RenderedKind[], verbs: readonly string[]): readonly PolicyRule[] {
  const resources = kinds.map((kind): ApiResource => API_RESOURCES[kind]);
  const groups = unique(resources.map(({ group }) => group)).toSorted();
  return groups.map((group) => {
    const members = resources.filter((resource) => resource.group === group);
    return rule(group, members.map(({ resource }) => resource).toSorted(), verbs);
  });
}

/** One rule for each kind that has names: a rule without names would mean every object. */
function namedRules(names: Partial<ClusterNames>): readonly NamedRule[] {
  return Object.entries(names).flatMap(([key, resourceNames]) => {
    if (resourceNames.length === 0) return [];
    const kind = key as RenderedKind; // the keys of ClusterNames are kinds
    const { group, resource } = API_RESOURCES[kind];
    const verbs = OTHER_VERBS[kind] ?? WRITE;
    return [{ ...rule(group, [resource], verbs), resourceNames: resourceNames.toSorted() }];
  });
}

/** The Lease lies in the operator's own namespace. A create by POST carries no name, so no name is given here. */
function electionRights(): readonly K8sObject[] {
  const name = `${OPERATOR.name}-election`;
  const role = {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata: { name, namespace: OPERATOR.namespace, labels: LABELS },
    rules: [rule('coordination.k8s.io', ['leases'], ['create', 'get', 'list', 'update', 'watch'])],
  };
  return [role, roleBinding(OPERATOR.namespace, 'Role', name)];
}

/**
 * Who holds all that a Role holds may bind it, but only once the API server's authorizer has seen the Role. With this
 * right the first try succeeds.
 */
function bindRoles(resourceNames: readonly string[]): NamedRule {
  return { ...rule(RBAC, ['roles'], ['bind']), resourceNames };
}

function rule(group: string, resources: readonly string[], verbs: readonly string[]): PolicyRule {
  return { apiGroups: [group], resources, verbs };
}

function clusterRole(name: string, rules: readonly PolicyRule[]): K8sObject {
  return { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: { name, labels: LABELS }, rules };
}

function clusterRoleBinding(name: string): K8sObject {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name, labels: LABELS },
    ...boundTo('ClusterRole', name),
  };
}

function roleBinding(namespace: string, kind: 'ClusterRole' | 'Role', name: string): K8sObject {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'RoleBinding',
    metadata: { name, namespace, labels: LABELS },
    ...boundTo(kind, name),
  };
}

function boundTo(kind: 'ClusterRole' | 'Role', name: string): JsonObject {
  return {
    roleRef: { apiGroup: RBAC, kind, name },
    subjects: [{ kind: 'ServiceAccount', ...OPERATOR }],
  };
}

function unique<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)];
}
