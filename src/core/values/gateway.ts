/** Ingress and egress gateways of an IstioOperator. The two kinds differ only in defaults and names. */
import type { JsonArray, JsonObject, JsonValue } from '../../model/json.ts';
import { isJsonObject } from '../../model/json.ts';
import { firstTruthy, textMap, textOf, truthy } from '../go-values.ts';
import { rootCertificate, usesTrustBundles } from './authority.ts';
import { autoscaler, disruptionBudget } from './availability.ts';
import { gatewayAffinity } from './gateway-affinity.ts';
import { imageReference } from './image.ts';
import {
  componentLabels,
  RELEASE_NAME,
  revisionLabel,
  standardLabels,
  standardPodLabels,
  withRevision,
} from './labels.ts';
import type { ComponentInput, Manifest, View } from './manifest.ts';
import { sharedManifest } from './manifest.ts';
import { tcpPorts } from './ports.ts';
import type { ValuesReader } from './reader.ts';
import { orNull, pullSecrets, readValues, unquoted } from './reader.ts';
import { resourceRequirements } from './resources.ts';

export interface GatewayKind {
  readonly component: 'IngressGateways' | 'EgressGateways';
  /** The kind's fixed name: key under `values.gateways`, and label `app.kubernetes.io/name`. */
  readonly key: 'istio-ingressgateway' | 'istio-egressgateway';
  /** Value of the label `istio` where it is fixed. */
  readonly role: 'ingressgateway' | 'egressgateway';
  readonly chart: string;
  /** Key of the list of extra Service ports. */
  readonly extraPorts: 'ingressPorts' | 'egressPorts';
}

export const INGRESS: GatewayKind = {
  component: 'IngressGateways',
  key: 'istio-ingressgateway',
  role: 'ingressgateway',
  chart: 'istio-ingress',
  extraPorts: 'ingressPorts',
};

export const EGRESS: GatewayKind = {
  component: 'EgressGateways',
  key: 'istio-egressgateway',
  role: 'egressgateway',
  chart: 'istio-egress',
  extraPorts: 'egressPorts',
};

interface Gateway {
  readonly input: ComponentInput;
  readonly kind: GatewayKind;
  readonly v: ValuesReader;
  /** The gateway's own values. */
  readonly g: ValuesReader;
  readonly name: string;
  readonly revision: string;
  /** Labels that select the pods, as the user may have set them. */
  readonly selector: JsonObject;
  readonly own: JsonObject;
  /** Labels of objects that are not selected by. */
  readonly plainLabels: JsonObject;
  readonly labels: JsonObject;
}

function gatewayOf(kind: GatewayKind, input: ComponentInput): Gateway {
  const v = readValues(input.values);
  const g = readValues(v.map('gateways', kind.key));
  const revision = v.text('revision');
  const selector = textMap(g.map('labels'));
  const own = componentLabels({ revision, owner: v.text('ownerName'), component: kind.component });
  const standard = { 'app.kubernetes.io/name': kind.key, ...standardLabels(input.release) };
  const plainLabels = { release: RELEASE_NAME, ...own, ...standard };
  const labels = { ...selector, ...plainLabels };
  return { input, kind, v, g, name: g.text('name'), revision, selector, own, plainLabels, labels };
}

/** All objects of one gateway. */
export function gatewayManifests(kind: GatewayKind, input: ComponentInput): readonly Manifest[] {
  const gateway = gatewayOf(kind, input);
  const { v, g } = gateway;
  const root = ['gateways', kind.key];
  const injected = g.is('injectionTemplate');
  return [
    sharedManifest('service-account', accountView(gateway)),
    sharedManifest('role', roleView(gateway)),
    sharedManifest('role-binding', roleView(gateway)),
    ...(g.is('customService') ? [] : [{ template: 'gateway/service', view: serviceView(gateway) }]),
    injected
      ? { template: 'gateway/deployment-injected', view: injectedDeploymentView(gateway) }
      : { template: 'gateway/deployment', view: deploymentView(gateway) },
    ...autoscaler(v, root).map((settings) => sharedManifest('autoscaler', autoscalerView(gateway, settings))),
    ...disruptionBudget(v, root).map(() =>
      sharedManifest('disruption-budget', disruptionBudgetView(gateway)),
    ),
    ...(v.is('global', 'networkPolicy', 'enabled')
      ? [sharedManifest('network-policy', networkPolicyView(gateway))]
      : []),
  ];
}

function accountName(name: string): string {
  return `${name}-service-account`;
}

function accountView({ input, v, g, name, labels }: Gateway): View {
  return {
    name: accountName(name),
    namespace: input.namespace,
    labels,
    annotations: g.whenSet('serviceAccount', 'annotations'),
    imagePullSecrets: pullSecrets(v.list('global', 'imagePullSecrets')),
  };
}

/** Gateways read the certificates of their listeners from Secrets of their namespace. */
function roleView({ input, name, plainLabels }: Gateway): View {
  return {
    name: `${name}-sds`,
    namespace: input.namespace,
    labels: plainLabels,
    rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'watch', 'list'] }],
    account: accountName(name),
    accountNamespace: null,
  };
}

function serviceView({ input, kind, g, name, labels, selector }: Gateway): View {
  const extra = g.list(kind.extraPorts).filter(isJsonObject);
  return {
    name,
    namespace: input.namespace,
    labels,
    annotations: orNull(textMap(g.map('serviceAnnotations'))),
    loadBalancerIP: g.whenSet('loadBalancerIP'),
    loadBalancerSourceRanges: g.whenSet('loadBalancerSourceRanges'),
    externalTrafficPolicy: g.whenSet('externalTrafficPolicy'),
    type: g.any('type'),
    selector,
    ports: [
      ...g.list('ports'),
      ...extra.map(({ port, name: portName }) => ({ port: port ?? null, name: portName ?? null })),
    ],
    ipFamilyPolicy: g.whenSet('ipFamilyPolicy'),
    ipFamilies: g.whenSet('ipFamilies'),
  };
}

// --- The Deployment, in its two variants ---

function deploymentView(gateway: Gateway): View {
  const { labels, revision, g } = gateway;
  return {
    ...commonDeploymentView(gateway),
    labels: { ...labels, 'istio.io/dataplane-mode': 'none' },
    podLabels: podLabels(gateway),
    podAnnotations: {
      'istio.io/rev': revisionLabel(revision),
      ...scrapeAnnotations(gateway),
      'sidecar.istio.io/inject': 'false',
      ...g.map('podAnnotations'),
    },
    args: proxyArguments(gateway.v),
    image: proxyImage(gateway),
    ...proxyView(gateway),
    userEnv: proxyEnvironment(gateway),
  };
}

function injectedDeploymentView(gateway: Gateway): View {
  const { labels, g } = gateway;
  return {
    ...commonDeploymentView(gateway),
    labels,
    podLabels: injectedPodLabels(gateway),
    podAnnotations: {
      ...scrapeAnnotations(gateway),
      'sidecar.istio.io/inject': 'true',
      'inject.istio.io/templates': g.text('injectionTemplate'),
      ...g.map('podAnnotations'),
    },
    userEnv: namedEnvironment(g.map('env')),
  };
}

function commonDeploymentView(gateway: Gateway): View {
  const { input, v, g, name, selector } = gateway;
  const unprivileged = !g.is('runAsRoot');
  return {
    name,
    namespace: input.namespace,
    replicas: g.is('autoscaleEnabled') ? null : g.whenSet('replicaCount'),
    selector,
    maxSurge: unquoted(g.any('rollingMaxSurge')),
    maxUnavailable: unquoted(g.any('rollingMaxUnavailable')),
    account: accountName(name),
    unprivileged,
    podSecurityContext: unprivileged ? podSecurityContext(v) : null,
    containerSecurityContext: unprivileged ? CONFINED : null,
    priorityClassName: v.whenSet('global', 'priorityClassName'),
    imagePullPolicy: v.whenSet('global', 'imagePullPolicy'),
    containerPorts: g.list('ports').filter(isJsonObject).map(containerPort),
    resources: resourceRequirements(
      firstTruthy(g.any('resources'), v.any('global', 'defaultResources')) ?? null,
    ),
    additionalContainers: g.list('additionalContainers'),
    userVolumeMounts: volumeMounts(g),
    userVolumes: volumes(g),
    affinity: gatewayAffinity(v, g),
    tolerations: firstTruthy(g.any('tolerations'), v.any('global', 'defaultTolerations')) ?? null,
  };
}

const CONFINED: JsonObject = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  privileged: false,
  readOnlyRootFilesystem: true,
};

function podSecurityContext(v: ValuesReader): JsonObject {
  // OpenShift gives every namespace a range of user ids of its own and refuses any other.
  const platform = firstTruthy(v.any('platform'), v.any('global', 'platform'));
  const identity = platform === 'openshift' ? {} : { runAsUser: 1337, runAsGroup: 1337 };
  return { ...identity, runAsNonRoot: true };
}

function containerPort(port: JsonObject): JsonObject {
  return {
    containerPort: firstTruthy(port['targetPort'], port['port']) ?? null,
    protocol: firstTruthy(port['protocol']) ?? 'TCP',
  };
}

/** Texts that upstream has carried along from its first charts, in istio-system only. */
function heirlooms(namespace: string): JsonObject {
  return namespace === 'istio-system' ? { heritage: 'Tiller', release: RELEASE_NAME, chart: 'gateways' } : {};
}

function canonicalLabels({ selector, name, revision }: Gateway): JsonObject {
  const version = firstTruthy(selector['app.kubernetes.io/version'], selector['version'], revision);
  return {
    'service.istio.io/canonical-name': name,
    'service.istio.io/canonical-revision': version ?? 'latest',
  };
}

function podLabels(gateway: Gateway): JsonObject {
  const { input, kind, selector, own } = gateway;
  return {
    ...selector,
    ...heirlooms(input.namespace),
    ...canonicalLabels(gateway),
    ...own,
    'sidecar.istio.io/inject': 'false',
    'app.kubernetes.io/name': kind.key,
    'istio.io/dataplane-mode': 'none',
    ...standardPodLabels(input.release, kind.chart),
  };
}

function injectedPodLabels(gateway: Gateway): JsonObject {
  const { input, kind, selector, own, revision } = gateway;
  const { 'istio.io/rev': _always, ...owner } = own;
  return {
    ...selector,
    ...heirlooms(input.namespace),
    ...owner,
    'sidecar.istio.io/inject': 'true',
    ...(revision === '' ? {} : { 'istio.io/rev': revision }),
    ...canonicalLabels(gateway),
    'app.kubernetes.io/name': kind.key,
    ...standardPodLabels(input.release, kind.chart),
  };
}

function scrapeAnnotations({ v }: Gateway): JsonObject {
  if (!v.is('meshConfig', 'enablePrometheusMerge')) return {};
  return {
    'prometheus.io/port': '15020',
    'prometheus.io/scrape': 'true',
    'prometheus.io/path': '/stats/prometheus',
  };
}

function proxyImage({ v, g }: Gateway): string {
  return imageReference({
    hub: v.any('global', 'hub'),
    image: textOf(firstTruthy(v.any('global', 'proxy', 'image')) ?? 'proxyv2'),
    tag: firstTruthy(g.any('tag'), v.any('global', 'tag')) ?? '',
    variant: firstTruthy(v.any('global', 'proxy', 'variant'), v.any('global', 'variant')) ?? '',
  });
}

function proxyArguments(v: ValuesReader): JsonArray {
  const flag = (name: string, ...path: readonly string[]): JsonArray =>
    v.is(...path) ? [`${name}=${v.text(...path)}`] : [];
  return [
    'proxy',
    'router',
    '--domain',
    `$(POD_NAMESPACE).svc.${v.text('global', 'proxy', 'clusterDomain')}`,
    ...flag('--proxyLogLevel', 'global', 'proxy', 'logLevel'),
    ...flag('--proxyComponentLogLevel', 'global', 'proxy', 'componentLogLevel'),
    ...flag('--log_output_level', 'global', 'logging', 'level'),
    ...(v.is('global', 'logAsJson') ? ['--log_as_json'] : []),
    ...flag('--stsPort', 'global', 'sts', 'servicePort'),
  ];
}

function proxyView(gateway: Gateway): View {
  const { input, kind, v, name, revision } = gateway;
  const trustDomain = v.text('meshConfig', 'trustDomain');
  const namespace = v.text('global', 'istioNamespace');
  return {
    wholeCpus: input.release.features.has('wholeCpus'),
    certificateProvider: v.text('global', 'pilotCertProvider'),
    istiodAuthority: v.text('global', 'pilotCertProvider') === 'istiod',
    authorityAddress: textOf(
      firstTruthy(v.any('global', 'caAddress')) ??
        `${withRevision('istiod', revision)}.${namespace}.svc:15012`,
    ),
    owner: `kubernetes://apis/apps/v1/namespaces/${input.namespace}/deployments/${name}`,
    meshId: textOf(firstTruthy(v.any('global', 'meshID'), trustDomain)),
    trustDomain,
    network: networkOf(gateway),
    clusterId: textOf(firstTruthy(v.any('global', 'multiCluster', 'clusterName')) ?? 'Kubernetes'),
    mountCertificates: v.is('global', 'mountMtlsCerts'),
    // Fixed: Citadel named the secret after the account of the gateway with the kind's own name.
    certificatesSecret: `istio.${accountName(kind.key)}`,
    trustBundle: usesTrustBundles(v, 'pilot'),
    ...rootCertificate(v.any('global', 'trustBundleName')),
    tokenAudience: v.any('global', 'sds', 'token', 'aud'),
    meshConfigMap: withRevision('istio', revision),
  };
}

/** The gateway's network, unless the user sets it by env. */
function networkOf({ v, g }: Gateway): string {
  return Object.hasOwn(g.map('env'), 'ISTIO_META_NETWORK') ? '' : v.text('global', 'network');
}

function namedEnvironment(env: JsonObject): JsonArray {
  return Object.entries(textMap(env)).map(([name, value]) => ({ name, value }));
}

function proxyEnvironment({ v, g }: Gateway): JsonArray {
  return [
    ...namedEnvironment(g.map('env')),
    ...namedEnvironment(v.map('meshConfig', 'defaultConfig', 'proxyMetadata')),
  ];
}

// --- Volumes of the user ---

function volumeMounts(g: ValuesReader): JsonArray {
  const secrets = g.list('secretVolumes').filter(isJsonObject);
  const configMaps = g.list('configVolumes').filter(isJsonObject);
  return [...secrets, ...configMaps.filter((volume) => truthy(volume['mountPath']))].map((volume) => ({
    name: volume['name'] ?? null,
    mountPath: volume['mountPath'] ?? null,
    readOnly: true,
  }));
}

function volumes(g: ValuesReader): JsonArray {
  const secrets = g.list('secretVolumes').filter(isJsonObject);
  const configMaps = g.list('configVolumes').filter(isJsonObject);
  return [
    ...secrets.map((volume) => ({
      name: volume['name'] ?? null,
      secret: { secretName: volume['secretName'] ?? null, optional: true },
    })),
    ...configMaps.map((volume) => ({
      name: volume['name'] ?? null,
      configMap: { name: volume['configMapName'] ?? null, optional: true },
    })),
  ];
}

// --- The rest ---

function autoscalerView({ input, g, name, labels }: Gateway, settings: View): View {
  return {
    ...settings,
    name,
    namespace: input.namespace,
    labels,
    cpu: g.any('cpu', 'targetAverageUtilization'),
    memory: null,
    behavior: null,
  };
}

function disruptionBudgetView({ input, name, labels, selector }: Gateway): View {
  return {
    name,
    namespace: input.namespace,
    labels,
    minAvailable: 1,
    maxUnavailable: null,
    unhealthyPodEvictionPolicy: null,
    selector,
  };
}

function networkPolicyView({ input, kind, g, name, revision, plainLabels, selector }: Gateway): View {
  return {
    name: withRevision(name, revision),
    namespace: input.namespace,
    labels: { app: name, istio: kind.role, ...plainLabels },
    podSelector: selector,
    spellsOutFrom: input.release.features.has('policiesWithEmptyFrom'),
    ingress: [
      tcpPorts([15021]),
      tcpPorts([15020, 15090]),
      ...g.list('ports').filter(isJsonObject).map(servedPort),
    ],
  };
}

function servedPort(port: JsonObject): JsonValue {
  const { containerPort: number, protocol } = containerPort(port);
  return [{ protocol: protocol ?? null, port: number ?? null }];
}
