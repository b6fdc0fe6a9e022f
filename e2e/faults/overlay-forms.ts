/** Patches of overlays: every form of path that they know, on every kind of object that a default installation has. */
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import type { Mutation, Path } from './mutations.ts';

/** A list of an object, with what can be done to its elements. */
interface PatchedList {
  readonly path: string;
  /** Of one element, as in a path: `name:discovery`. Undefined where no field of the elements is a plain text. */
  readonly selector?: string;
  /** Below an element. */
  readonly leaf: string;
  readonly value: JsonValue;
  readonly added: JsonValue;
}

interface Target {
  readonly gateway?: true;
  readonly kind: string;
  readonly name: string;
  readonly list?: PatchedList;
}

const GATEWAY = 'istio-ingressgateway';
const SUBJECTS: PatchedList = {
  path: 'subjects',
  selector: 'kind:ServiceAccount',
  leaf: 'namespace',
  value: 'elsewhere',
  added: { kind: 'ServiceAccount', name: 'added', namespace: 'elsewhere' },
};
const RULES: PatchedList = {
  path: 'rules',
  leaf: 'verbs',
  value: ['get', 'list'],
  added: { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] },
};
const PORTS: PatchedList = {
  path: 'spec.ports',
  selector: 'protocol:TCP',
  leaf: 'appProtocol',
  value: 'tcp',
  added: { name: 'added', port: 9_999 },
};
const METRICS: PatchedList = {
  path: 'spec.metrics',
  selector: 'type:Resource',
  leaf: 'resource.target.averageUtilization',
  value: 71,
  added: {
    type: 'Resource',
    resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 50 } },
  },
};
const WEBHOOKS: PatchedList = {
  path: 'webhooks',
  leaf: 'timeoutSeconds',
  value: 7,
  added: { name: 'added' },
};

function containers(selector: string): PatchedList {
  return {
    path: 'spec.template.spec.containers',
    selector,
    leaf: 'terminationMessagePolicy',
    value: 'FallbackToLogsOnError',
    added: { name: 'added', image: 'added' },
  };
}

const TARGETS: readonly Target[] = [
  { kind: 'ServiceAccount', name: 'istiod' },
  { kind: 'ConfigMap', name: 'istio' },
  { kind: 'ClusterRole', name: 'istiod-clusterrole-istio-system', list: RULES },
  { kind: 'ClusterRoleBinding', name: 'istiod-clusterrole-istio-system', list: SUBJECTS },
  { kind: 'Role', name: 'istiod', list: RULES },
  { kind: 'RoleBinding', name: 'istiod', list: SUBJECTS },
  { kind: 'Deployment', name: 'istiod', list: containers('name:discovery') },
  { kind: 'Service', name: 'istiod', list: PORTS },
  { kind: 'HorizontalPodAutoscaler', name: 'istiod', list: METRICS },
  { kind: 'MutatingWebhookConfiguration', name: 'istio-sidecar-injector', list: WEBHOOKS },
  { kind: 'ValidatingWebhookConfiguration', name: 'istio-validator-istio-system', list: WEBHOOKS },
  { gateway: true, kind: 'Deployment', name: GATEWAY, list: containers('name:istio-proxy') },
  { gateway: true, kind: 'Service', name: GATEWAY, list: PORTS },
  { gateway: true, kind: 'HorizontalPodAutoscaler', name: GATEWAY, list: METRICS },
];

/** What can be done to any object. */
const EVERYWHERE: readonly (readonly [string, JsonValue])[] = [
  ['metadata.annotations.added', 'x'],
  ['metadata.annotations', { added: 'x', another: 'y' }],
  ['metadata.labels.added', 'yes'],
  ['metadata.labels.app', null],
];

function listPatches({
  path,
  selector,
  leaf,
  value,
  added,
}: PatchedList): readonly (readonly [string, JsonValue])[] {
  const selected: readonly (readonly [string, JsonValue])[] =
    selector === undefined
      ? []
      : [
          [`${path}.[${selector}].${leaf}`, value],
          [`${path}.[${selector.split(':')[0]}:.*].${leaf}`, value],
        ];
  return [
    ...selected,
    [`${path}.[0].${leaf}`, value],
    [`${path}.[-1]`, added],
    [`${path}.[0].${leaf}`, null],
  ];
}

/** One mutation for each form and target; each replaces the overlays that were there before. */
export function overlayForms(): readonly Mutation[] {
  return TARGETS.flatMap(({ gateway, kind, name, list }) =>
    [...EVERYWHERE, ...(list === undefined ? [] : listPatches(list))].map(([path, value]): Mutation => {
      const overlays = [{ kind, name, patches: [{ path, value }] }];
      return { family: 'overlay', ...placed(overlays, gateway === true) };
    }),
  );
}

function placed(
  overlays: readonly JsonObject[],
  isGateway: boolean,
): { readonly path: Path; readonly value: JsonValue } {
  if (!isGateway) return { path: ['components', 'pilot', 'k8s', 'overlays'], value: overlays };
  const gateway = { name: GATEWAY, enabled: true, k8s: { overlays } };
  return { path: ['components', 'ingressGateways'], value: [gateway] };
}
