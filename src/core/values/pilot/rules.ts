/** The rights of istiod, of its gateway controller and of remote readers, as tables. */
import type { JsonObject } from '../../../model/json.ts';
import { firstTruthy, textOf, truthy } from '../../go-values.ts';
import type { Release } from '../../releases.ts';
import { usesTrustBundles } from '../authority.ts';
import type { ValuesReader } from '../reader.ts';

interface Rule extends JsonObject {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const READ = ['get', 'list', 'watch'];
const WRITE = ['get', 'watch', 'list', 'update', 'patch', 'create', 'delete'];

const ISTIO_GROUPS = [
  'config.istio.io',
  'security.istio.io',
  'networking.istio.io',
  'authentication.istio.io',
  'rbac.istio.io',
  'telemetry.istio.io',
  'extensions.istio.io',
];

/** Kinds whose status istiod fills in when it analyses configuration. */
const ANALYSED_STATUSES = [
  'authorizationpolicies',
  'destinationrules',
  'envoyfilters',
  'gateways',
  'peerauthentications',
  'proxyconfigs',
  'requestauthentications',
  'serviceentries',
  'sidecars',
  'telemetries',
  'virtualservices',
  'wasmplugins',
  'workloadentries',
  'workloadgroups',
].map((kind) => `${kind}/status`);

const GATEWAY_API_STATUSES = [
  'backendtlspolicies',
  'gatewayclasses',
  'gateways',
  'grpcroutes',
  'httproutes',
  'referencegrants',
  'tcproutes',
  'tlsroutes',
  'udproutes',
].map((kind) => `${kind}/status`);

/** Kinds of the Gateway API whose status istiod fills in, by group: they move when they become stable. */
function gatewayApiStatusRules({ features }: Release): readonly Rule[] {
  const experimental = features.has('experimentalListenerSets') ? ['xlistenersets/status'] : [];
  const stable = features.has('listenerSets') ? ['listenersets/status'] : [];
  const verbs = ['update', 'patch'];
  return [
    rule(['gateway.networking.x-k8s.io'], ['xbackendtrafficpolicies/status', ...experimental], verbs),
    rule(['gateway.networking.k8s.io'], [...GATEWAY_API_STATUSES, ...stable], verbs),
  ];
}

function rule(apiGroups: readonly string[], resources: readonly string[], verbs: readonly string[]): Rule {
  return { apiGroups, resources, verbs };
}

function when(condition: boolean, ...rules: readonly Rule[]): readonly Rule[] {
  return condition ? rules : [];
}

function multiClusterServices(v: ValuesReader): readonly Rule[] {
  const group = textOf(firstTruthy(v.any('env', 'MCS_API_GROUP')) ?? 'multicluster.x-k8s.io');
  return [
    rule([group], ['serviceexports'], ['get', 'watch', 'list', 'create', 'delete']),
    rule([group], ['serviceimports'], READ),
  ];
}

/** istiod signs through Kubernetes' certificate requests only with an authority that is not its own. */
function signsByRequest(v: ValuesReader): boolean {
  const provider = v.text('global', 'pilotCertProvider');
  return truthy(v.any('env', 'EXTERNAL_CA')) || !['istiod', 'custom', 'none'].includes(provider);
}

function signerRules(v: ValuesReader): readonly Rule[] {
  const requests = [
    'certificatesigningrequests',
    'certificatesigningrequests/approval',
    'certificatesigningrequests/status',
  ];
  const approve = rule(['certificates.k8s.io'], ['signers'], ['approve']);
  const signers = v.list('global', 'certSigners');
  return [
    rule(['certificates.k8s.io'], requests, ['update', 'create', 'get', 'delete', 'watch']),
    signers.length === 0 ? approve : { ...approve, resourceNames: signers },
  ];
}

const TRUST_BUNDLE_RULES: readonly Rule[] = [
  rule(
    ['certificates.k8s.io'],
    ['clustertrustbundles'],
    ['update', 'create', 'delete', 'list', 'watch', 'get'],
  ),
  { ...rule(['certificates.k8s.io'], ['signers'], ['attest']), resourceNames: ['istio.io/istiod-ca'] },
];

export function istiodClusterRules(v: ValuesReader, release: Release): readonly Rule[] {
  const analyses = v.is('global', 'istiod', 'enableAnalysis');
  return [
    rule(['admissionregistration.k8s.io'], ['mutatingwebhookconfigurations'], [...READ, 'update', 'patch']),
    rule(['admissionregistration.k8s.io'], ['validatingwebhookconfigurations'], [...READ, 'update']),
    rule(ISTIO_GROUPS, ['*'], READ),
    ...when(analyses, rule(ISTIO_GROUPS, ANALYSED_STATUSES, ['update', 'patch'])),
    rule(['networking.istio.io'], ['workloadentries'], WRITE),
    rule(['networking.istio.io'], ['workloadentries/status', 'serviceentries/status'], WRITE),
    rule(['security.istio.io'], ['authorizationpolicies/status'], WRITE),
    rule([''], ['services/status'], WRITE),
    rule(['apiextensions.k8s.io'], ['customresourcedefinitions'], READ),
    rule([''], ['pods', 'nodes', 'services', 'namespaces', 'endpoints'], READ),
    rule(['discovery.k8s.io'], ['endpointslices'], READ),
    ...when(v.is('taint', 'enabled'), rule([''], ['nodes'], ['patch'])),
    ...when(
      analyses,
      rule(['extensions', 'networking.k8s.io'], ['ingresses'], READ),
      rule(['extensions', 'networking.k8s.io'], ['ingresses/status'], ['*']),
    ),
    rule(['networking.k8s.io'], ['ingresses', 'ingressclasses'], READ),
    rule(['networking.k8s.io'], ['ingresses/status'], ['*']),
    rule([''], ['configmaps'], ['create', ...READ, 'update']),
    ...(signsByRequest(v) ? signerRules(v) : []),
    ...(usesTrustBundles(v) ? TRUST_BUNDLE_RULES : []),
    rule(['authentication.k8s.io'], ['tokenreviews'], ['create']),
    rule(['authorization.k8s.io'], ['subjectaccessreviews'], ['create']),
    rule(['gateway.networking.k8s.io', 'gateway.networking.x-k8s.io'], ['*'], READ),
    ...gatewayApiStatusRules(release),
    rule(['gateway.networking.k8s.io'], ['gatewayclasses'], ['create', 'update', 'patch', 'delete']),
    rule(['inference.networking.k8s.io'], ['inferencepools'], READ),
    rule(['inference.networking.k8s.io'], ['inferencepools/status'], ['update', 'patch']),
    rule([''], ['secrets'], READ),
    ...multiClusterServices(v),
  ];
}

/** What istiod needs to run gateways made from Gateway API resources. */
export const GATEWAY_CONTROLLER_RULES: readonly Rule[] = [
  rule(['apps'], ['deployments'], WRITE),
  rule(['autoscaling'], ['horizontalpodautoscalers'], WRITE),
  rule(['policy'], ['poddisruptionbudgets'], WRITE),
  rule([''], ['services'], WRITE),
  rule([''], ['serviceaccounts'], WRITE),
];

/** istiod's rights in its own namespace. */
export const ISTIOD_RULES: readonly Rule[] = [
  rule(['networking.istio.io'], ['gateways'], ['create']),
  rule([''], ['secrets'], ['create', ...READ, 'update', 'delete']),
  rule([''], ['configmaps'], ['delete']),
  rule(['coordination.k8s.io'], ['leases'], ['get', 'update', 'patch', 'create']),
];

const READER_CORE = [
  'endpoints',
  'pods',
  'services',
  'nodes',
  'replicationcontrollers',
  'namespaces',
  'secrets',
];

/** What an istiod in another cluster may read here. */
export function readerRules(v: ValuesReader, { features }: Release): readonly Rule[] {
  const configMaps = features.has('readerSeesConfigMaps') ? ['configmaps'] : [];
  return [
    rule(ISTIO_GROUPS, ['*'], READ),
    rule([''], [...READER_CORE, ...configMaps], READ),
    rule(['networking.istio.io'], ['workloadentries'], READ),
    rule(['networking.x-k8s.io', 'gateway.networking.k8s.io'], ['gateways'], READ),
    rule(['apiextensions.k8s.io'], ['customresourcedefinitions'], READ),
    rule(['discovery.k8s.io'], ['endpointslices'], READ),
    ...multiClusterServices(v),
    rule(['apps'], ['replicasets'], READ),
    rule(['authentication.k8s.io'], ['tokenreviews'], ['create']),
    rule(['authorization.k8s.io'], ['subjectaccessreviews'], ['create']),
    ...when(
      v.is('istiodRemote', 'enabled'),
      rule([''], ['configmaps'], ['create', ...READ, 'update']),
      rule(['admissionregistration.k8s.io'], ['mutatingwebhookconfigurations'], [...READ, 'update', 'patch']),
      rule(['admissionregistration.k8s.io'], ['validatingwebhookconfigurations'], [...READ, 'update']),
    ),
  ];
}
