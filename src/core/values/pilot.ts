/** istiod: which objects make up the control plane, and every value that their templates print. */
import type { JsonArray, JsonObject, JsonValue } from '../../model/json.ts';
import { isJsonObject } from '../../model/json.ts';
import { firstTruthy, sortedEntries, textMap, textOf, truthy } from '../go-values.ts';
import { printGoYaml } from '../yaml.ts';
import { autoscaler, disruptionBudget } from './availability.ts';
import { imageReference } from './image.ts';
import { injectorConfig, injectorValues } from './injector.ts';
import { goJson } from './go-json.ts';
import {
  componentLabels,
  RELEASE_NAME,
  revisionLabel,
  standardLabels,
  standardPodLabels,
  withRevision,
} from './labels.ts';
import type { ComponentInput, Manifest, View } from './manifest.ts';
import { ipFamilyOf, meshConfig, meshNetworks } from './mesh-config.ts';
import {
  GATEWAY_CONTROLLER_RULES,
  ISTIOD_RULES,
  istiodClusterRules,
  readerRules,
  usesTrustBundles,
} from './pilot-rules.ts';
import type { ValuesReader } from './reader.ts';
import { orNull, pullSecrets, readValues, unquoted } from './reader.ts';
import { resourceRequirements } from './resources.ts';
import { configValidator, stableChannelPolicy } from './validation.ts';
import { tcpPorts } from './ports.ts';
import { injectionWebhooks, webhookClient } from './webhooks.ts';

/** What nearly every object of istiod is made from. */
interface Istiod {
  readonly input: ComponentInput;
  readonly v: ValuesReader;
  readonly revision: string;
  /** `istiod`, or `istiod-REVISION`. */
  readonly name: string;
  /** Namespace of accounts and of whom webhooks call; differs from the component's only when a user splits them. */
  readonly istioNamespace: string;
  readonly standard: JsonObject;
  readonly own: JsonObject;
  readonly selector: JsonObject;
}

const NAME_LABEL = { 'app.kubernetes.io/name': 'istiod' };

function istiodOf(input: ComponentInput): Istiod {
  const v = readValues(input.values);
  const revision = v.text('revision');
  return {
    input,
    v,
    revision,
    name: withRevision('istiod', revision),
    istioNamespace: v.text('global', 'istioNamespace'),
    standard: { ...NAME_LABEL, ...standardLabels(input.release) },
    own: componentLabels({ revision, owner: v.text('ownerName'), component: 'Pilot' }),
    selector: revision === '' ? { istio: 'pilot' } : { 'istio.io/rev': revision },
  };
}

/** All objects of istiod, in no particular order. */
export function pilotManifests(input: ComponentInput): readonly Manifest[] {
  const istiod = istiodOf(input);
  const { v } = istiod;
  const scope = v.text('global', 'resourceScope');
  return [
    ...(scope === 'all' || scope === 'namespace' ? namespacedManifests(istiod) : []),
    ...(scope === 'all' || scope === 'cluster' ? clusterManifests(istiod) : []),
  ];
}

/** Whether istiod itself runs here; not when it runs in another cluster. */
function runsLocally(v: ValuesReader): boolean {
  return !v.is('istiodRemote', 'enabled') || v.is('istiodRemote', 'enabledLocalInjectorIstiod');
}

/** Whether this cluster's configuration is istiod's, wherever istiod runs. */
function servesConfig(v: ValuesReader): boolean {
  return runsLocally(v) || v.is('global', 'configCluster');
}

function namespacedManifests(istiod: Istiod): readonly Manifest[] {
  const { v } = istiod;
  return [
    ...(runsLocally(v) ? workloadManifests(istiod) : []),
    ...(servesConfig(v) ? [shared('service-account', accountView(istiod)), ...roleManifests(istiod)] : []),
    ...(servesConfig(v) && v.is('experimental', 'stableValidationPolicy') ? policyManifests(istiod) : []),
    manifest('configmap-values', valuesView(istiod)),
    ...(v.is('configMap') ? [manifest('configmap-mesh', meshView(istiod))] : []),
    ...(v.is('global', 'omitSidecarInjectorConfigMap')
      ? []
      : [manifest('configmap-injector', injectorView(istiod))]),
    ...gatewayClassManifests(istiod),
    ...(v.is('global', 'networkPolicy', 'enabled')
      ? [shared('network-policy', networkPolicyView(istiod))]
      : []),
    ...revisionTags(v).map((tag) => manifest('service', tagServiceView(istiod, tag))),
    ...remoteManifests(istiod),
  ];
}

function clusterManifests(istiod: Istiod): readonly Manifest[] {
  const { v } = istiod;
  const injects = !v.is('global', 'operatorManageWebhooks');
  return [
    ...(servesConfig(v) ? clusterRoleManifests(istiod) : []),
    ...(v.any('global', 'enableReaderRBAC') === false ? [] : readerManifests(istiod)),
    ...(injects ? [manifest('mutating-webhook', injectorWebhookView(istiod))] : []),
    ...(injects
      ? revisionTags(v).map((tag) => manifest('mutating-webhook', tagWebhookView(istiod, tag)))
      : []),
    ...(servesConfig(v) && v.is('global', 'configValidation') ? [validatorManifest(istiod)] : []),
  ];
}

function manifest(template: string, view: View): Manifest {
  return { template: `pilot/${template}`, view };
}

function shared(template: string, view: View): Manifest {
  return { template: `shared/${template}`, view };
}

function revisionTags(v: ValuesReader): readonly string[] {
  return v.list('revisionTags').map(textOf);
}

// --- The workload and what belongs to it ---

function workloadManifests(istiod: Istiod): readonly Manifest[] {
  const { v } = istiod;
  return [
    manifest('deployment', deploymentView(istiod)),
    manifest('service', serviceView(istiod)),
    ...autoscaler(v, []).map((settings) => shared('autoscaler', autoscalerView(istiod, settings))),
    ...disruptionBudget(v, []).map(() => shared('disruption-budget', disruptionBudgetView(istiod))),
    ...(v.is('jwksResolverExtraRootCA') ? [manifest('configmap-jwks', jwksView(istiod))] : []),
  ];
}

function deploymentView(istiod: Istiod): View {
  const { input, v, name, own, standard, revision } = istiod;
  return {
    name,
    namespace: input.namespace,
    labels: {
      app: 'istiod',
      ...own,
      istio: 'pilot',
      release: RELEASE_NAME,
      ...standard,
      ...textMap(v.map('deploymentLabels')),
    },
    annotations: v.whenSet('deploymentAnnotations'),
    replicas: v.is('autoscaleEnabled') ? null : v.whenSet('replicaCount'),
    maxSurge: unquoted(v.any('rollingMaxSurge')),
    maxUnavailable: unquoted(v.any('rollingMaxUnavailable')),
    selector: revision === '' ? istiod.selector : { app: 'istiod', ...istiod.selector },
    podLabels: podLabels(istiod),
    podAnnotations: {
      'prometheus.io/port': '15014',
      'prometheus.io/scrape': 'true',
      'sidecar.istio.io/inject': 'false',
      ...v.map('podAnnotations'),
    },
    ...podView(istiod),
    ...containerView(istiod),
  };
}

function podLabels({ input, v, own, revision }: Istiod): JsonObject {
  return {
    app: 'istiod',
    ...own,
    'sidecar.istio.io/inject': 'false',
    istio: revision === '' ? 'pilot' : 'istiod',
    ...textMap(v.map('podLabels')),
    'istio.io/dataplane-mode': 'none',
    ...NAME_LABEL,
    ...standardPodLabels(input.release, 'istiod'),
  };
}

function podView({ v, name, revision }: Istiod): View {
  return {
    nodeSelector: v.whenSet('nodeSelector'),
    affinity: v.whenSet('affinity'),
    tolerations: v.list('tolerations'),
    topologySpreadConstraints: v.whenSet('topologySpreadConstraints'),
    priorityClassName: v.whenSet('global', 'priorityClassName'),
    initContainers: v.whenSet('initContainers'),
    serviceAccountName: name,
    trustBundle: usesTrustBundles(v),
    ...authoritySource(v),
    tokenAudience: v.any('global', 'sds', 'token', 'aud'),
    extraAuthority: v.is('jwksResolverExtraRootCA')
      ? withRevision('pilot-jwks-extra-cacerts', revision)
      : null,
    userVolumes: v.list('volumes'),
    userVolumeMounts: v.list('volumeMounts'),
  };
}

/** Where the root certificate comes from: a ConfigMap, or a ClusterTrustBundle. */
function authoritySource(v: ValuesReader): View {
  const name = firstTruthy(v.any('global', 'trustBundleName'));
  return {
    caConfigMapName: textOf(name ?? 'istio-ca-root-cert'),
    trustBundleReference: `istio.io:istiod-ca:${textOf(name ?? 'root-cert')}`,
  };
}

function containerView({ input, v }: Istiod): View {
  return {
    image: imageReference({
      hub: firstTruthy(v.any('hub'), v.any('global', 'hub')) ?? '',
      image: textOf(firstTruthy(v.any('image')) ?? 'pilot'),
      tag: firstTruthy(v.any('tag'), v.any('global', 'tag')) ?? '',
      variant: firstTruthy(v.any('variant'), v.any('global', 'variant')) ?? '',
    }),
    imagePullPolicy: v.whenSet('global', 'imagePullPolicy'),
    args: discoveryArguments(v),
    revisionLabel: revisionLabel(v.text('revision')),
    certificateProvider: v.text('global', 'pilotCertProvider'),
    trustedNodeAccounts: trustedNodeAccounts(v, input.namespace),
    userEnv: userEnvironment(v),
    traceSampling: v.whenSet('traceSampling'),
    untaint: v.is('taint', 'enabled'),
    taintName: v.text('taint', 'name'),
    externalIstiod: truthy(v.any('env', 'EXTERNAL_ISTIOD')) ? null : v.whenSet('global', 'externalIstiod'),
    caConfigMap: v.whenSet('global', 'trustBundleName'),
    crlConfigMap: v.whenSet('crlConfigMapName'),
    analyses: v.any('global', 'istiod', 'enableAnalysis'),
    clusterId: firstTruthy(v.any('global', 'multiCluster', 'clusterName')) ?? 'Kubernetes',
    platform: firstTruthy(v.any('global', 'platform'), v.any('platform')) ?? '',
    seccompProfile: v.whenSet('seccompProfile'),
    resources: resourceRequirements(
      firstTruthy(v.any('resources'), v.any('global', 'defaultResources')) ?? null,
    ),
  };
}

function discoveryArguments(v: ValuesReader): JsonArray {
  return [
    'discovery',
    '--monitoringAddr=:15014',
    ...(v.is('global', 'logging', 'level')
      ? [`--log_output_level=${v.text('global', 'logging', 'level')}`]
      : []),
    ...(v.is('global', 'logAsJson') ? ['--log_as_json'] : []),
    '--domain',
    v.text('global', 'proxy', 'clusterDomain'),
    ...(v.is('taint', 'namespace') ? [`--cniNamespace=${v.text('taint', 'namespace')}`] : []),
    '--keepaliveMaxServerConnectionAge',
    v.text('keepaliveMaxServerConnectionAge'),
    ...v.list('extraContainerArgs').map(unquoted),
  ];
}

/** Accounts of node agents that may ask for certificates of other workloads; null when the user names them by env. */
function trustedNodeAccounts(v: ValuesReader, namespace: string): string | null {
  if (truthy(v.any('env', 'CA_TRUSTED_NODE_ACCOUNTS'))) return null;
  const agentNamespace = firstTruthy(v.any('trustedZtunnelNamespace')) ?? namespace;
  const agent = firstTruthy(v.any('trustedZtunnelName')) ?? 'ztunnel';
  return `${textOf(agentNamespace)}/${textOf(agent)}`;
}

function userEnvironment(v: ValuesReader): JsonArray {
  const named = Object.entries(textMap(v.map('env'))).map(([name, value]) => ({ name, value }));
  return [...named, ...v.list('envVarFrom')];
}

function serviceView(istiod: Istiod): View {
  const { name, own, standard } = istiod;
  return {
    ...sharedServiceView(istiod),
    name,
    labels: { ...own, app: 'istiod', istio: 'pilot', release: RELEASE_NAME, ...standard },
    trafficDistribution: istiod.v.whenSet('trafficDistribution'),
  };
}

/** A tag's Service leads to the revision that the tag stands for. */
function tagServiceView(istiod: Istiod, tag: string): View {
  const { own, standard } = istiod;
  return {
    ...sharedServiceView(istiod),
    name: `istiod-revision-tag-${tag}`,
    labels: {
      ...own,
      'istio.io/tag': tag,
      app: 'istiod',
      istio: 'pilot',
      release: RELEASE_NAME,
      ...standard,
    },
    trafficDistribution: null,
  };
}

function sharedServiceView({ input, v, selector }: Istiod): View {
  return {
    namespace: input.namespace,
    annotations: v.whenSet('serviceAnnotations'),
    selector: { app: 'istiod', ...selector },
    ipFamilyPolicy: v.whenSet('ipFamilyPolicy'),
    ipFamilies: v.whenSet('ipFamilies'),
  };
}

function autoscalerView({ input, v, name, own, standard }: Istiod, settings: View): View {
  return {
    ...settings,
    name,
    namespace: input.namespace,
    labels: { app: 'istiod', release: RELEASE_NAME, ...own, ...standard },
    cpu: v.any('cpu', 'targetAverageUtilization'),
    memory: v.whenSet('memory', 'targetAverageUtilization'),
    behavior: v.whenSet('autoscaleBehavior'),
  };
}

function disruptionBudgetView({ input, v, name, own, standard, selector }: Istiod): View {
  const budget = v.map('pdb');
  // The mere presence of maxUnavailable switches minAvailable off, whatever its value: so does upstream.
  const [field, value] = Object.hasOwn(budget, 'maxUnavailable')
    ? (['maxUnavailable', budget['maxUnavailable']] as const)
    : (['minAvailable', budget['minAvailable']] as const);
  return {
    name,
    namespace: input.namespace,
    labels: { app: 'istiod', ...own, release: RELEASE_NAME, istio: 'pilot', ...standard },
    minAvailable: field === 'minAvailable' ? orNull(value ?? null) : null,
    maxUnavailable: field === 'maxUnavailable' ? orNull(value ?? null) : null,
    unhealthyPodEvictionPolicy: v.whenSet('pdb', 'unhealthyPodEvictionPolicy'),
    selector: { app: 'istiod', ...selector },
  };
}

function jwksView({ input, v, revision, own, standard }: Istiod): View {
  return {
    name: withRevision('pilot-jwks-extra-cacerts', revision),
    namespace: input.namespace,
    labels: { release: RELEASE_NAME, ...own, ...standard },
    authority: v.text('jwksResolverExtraRootCA'),
  };
}

function networkPolicyView({ input, name, own, standard, revision }: Istiod): View {
  return {
    name,
    namespace: input.namespace,
    labels: { app: 'istiod', ...own, istio: 'pilot', release: RELEASE_NAME, ...standard },
    podSelector: { app: 'istiod', 'istio.io/rev': revisionLabel(revision) },
    // The API server calls the webhooks; proxies and whoever looks at istiod use the rest.
    ingress: [tcpPorts([15017]), tcpPorts([15010, 15011, 15012, 8080, 15014])],
  };
}

// --- Accounts and rights ---

function accountView({ v, name, istioNamespace, standard }: Istiod): View {
  return {
    name,
    namespace: istioNamespace,
    labels: { app: 'istiod', release: RELEASE_NAME, ...standard },
    annotations: v.whenSet('serviceAccountAnnotations'),
    imagePullSecrets: pullSecrets(v.list('global', 'imagePullSecrets')),
  };
}

interface Grant {
  readonly name: string;
  readonly labels: JsonObject;
  readonly rules: readonly JsonObject[];
  readonly account: string;
}

function roleManifests({ name, istioNamespace, standard }: Istiod): readonly Manifest[] {
  const labels = { app: 'istiod', release: RELEASE_NAME, ...standard };
  const view = {
    name,
    namespace: istioNamespace,
    labels,
    rules: ISTIOD_RULES,
    account: name,
    accountNamespace: istioNamespace,
  };
  return [shared('role', view), shared('role-binding', view)];
}

function clusterGrant({ istioNamespace }: Istiod, grant: Grant): readonly Manifest[] {
  const view = { ...grant, role: grant.name, annotations: null, accountNamespace: istioNamespace };
  return [shared('cluster-role', view), shared('cluster-role-binding', view)];
}

function clusterName(istiod: Istiod, stem: string): string {
  return `${withRevision(stem, istiod.revision)}-${istiod.input.namespace}`;
}

function clusterRoleManifests(istiod: Istiod): readonly Manifest[] {
  const { v, name, standard } = istiod;
  const labels = { app: 'istiod', release: RELEASE_NAME, ...standard };
  const switchedOff = [false, 'false'].includes(
    textOrBoolean(v.any('env', 'PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER')),
  );
  const istiodGrant = {
    name: clusterName(istiod, 'istiod-clusterrole'),
    labels,
    rules: istiodClusterRules(v),
    account: name,
  };
  const gatewayGrant = {
    name: clusterName(istiod, 'istiod-gateway-controller'),
    labels,
    rules: GATEWAY_CONTROLLER_RULES,
    account: name,
  };
  return [...clusterGrant(istiod, istiodGrant), ...(switchedOff ? [] : clusterGrant(istiod, gatewayGrant))];
}

function textOrBoolean(value: JsonValue): string | boolean {
  return typeof value === 'boolean' ? value : textOf(value);
}

function readerManifests(istiod: Istiod): readonly Manifest[] {
  const labels = {
    app: 'istio-reader',
    release: RELEASE_NAME,
    ...standardLabels(istiod.input.release),
    'app.kubernetes.io/name': 'istio-reader',
  };
  return clusterGrant(istiod, {
    name: clusterName(istiod, 'istio-reader-clusterrole'),
    labels,
    rules: readerRules(istiod.v),
    account: 'istio-reader-service-account',
  });
}

// --- Configuration ---

function configMapLabels({ own, standard }: Istiod): JsonObject {
  return { ...own, release: RELEASE_NAME, ...standard };
}

function valuesView(istiod: Istiod): View {
  const { input, revision } = istiod;
  return {
    name: withRevision('values', revision),
    namespace: input.namespace,
    labels: configMapLabels(istiod),
    original: goJson(input.givenValues),
    merged: goJson(input.values),
  };
}

function meshView(istiod: Istiod): View {
  const { input, v, revision } = istiod;
  return {
    name: withRevision('istio', revision),
    namespace: input.namespace,
    labels: configMapLabels(istiod),
    mesh: printGoYaml(meshConfig(v, input.namespace)),
    meshNetworks: printGoYaml(meshNetworks(v)),
  };
}

function injectorView(istiod: Istiod): View {
  const { input, v, revision } = istiod;
  return {
    name: withRevision('istio-sidecar-injector', revision),
    namespace: input.namespace,
    labels: configMapLabels(istiod),
    config: injectorConfig(v, input.injectionTemplates),
    values: goJson(injectorValues(v)),
  };
}

function gatewayClassManifests(istiod: Istiod): readonly Manifest[] {
  const { input, v, revision } = istiod;
  return sortedEntries(v.map('gatewayClasses')).map(([gatewayClass, overlays]) =>
    manifest('configmap-gateway-class', {
      name: `istio-${revisionLabel(revision)}-gatewayclass-${gatewayClass}`,
      namespace: input.namespace,
      labels: { ...configMapLabels(istiod), 'gateway.istio.io/defaults-for-class': gatewayClass },
      overlays: isJsonObject(overlays) ? overlayTexts(overlays) : {},
    }),
  );
}

function overlayTexts(overlays: JsonObject): JsonObject {
  return Object.fromEntries(
    sortedEntries(overlays).map(([kind, tree]) => [kind, printGoYaml(tree).trimEnd()]),
  );
}

// --- Webhooks and policies ---

/** Names outside istio-system carry the namespace, so that several control planes can stand side by side. */
function webhookName(name: string, namespace: string): string {
  return namespace === 'istio-system' ? name : `${name}-${namespace}`;
}

function injectorWebhookView(istiod: Istiod): View {
  const { input, v, revision, own, standard } = istiod;
  return {
    ...sharedWebhookView(istiod),
    name: webhookName(withRevision('istio-sidecar-injector', revision), input.namespace),
    labels: { ...own, app: 'sidecar-injector', release: RELEASE_NAME, ...standard },
    webhooks: injectionWebhooks({
      revision: revisionLabel(revision),
      isDefault: revision === '',
      everywhere: v.is('sidecarInjectorWebhook', 'enableNamespacesByDefault'),
    }),
  };
}

function tagWebhookView(istiod: Istiod, tag: string): View {
  const { input, v, own, standard } = istiod;
  return {
    ...sharedWebhookView(istiod),
    name: webhookName(`istio-revision-tag-${tag}`, input.namespace),
    labels: { 'istio.io/tag': tag, ...own, app: 'sidecar-injector', release: RELEASE_NAME, ...standard },
    webhooks: injectionWebhooks({
      revision: tag,
      isDefault: tag === 'default',
      everywhere: v.is('sidecarInjectorWebhook', 'enableNamespacesByDefault'),
    }),
  };
}

function sharedWebhookView({ input, v, name }: Istiod): View {
  const service = {
    name,
    namespace: input.namespace,
    path: v.any('istiodRemote', 'injectionPath'),
    port: 443,
  };
  return {
    annotations: v.whenSet('sidecarInjectorWebhookAnnotations'),
    client: webhookClient({
      url: v.whenSet('istiodRemote', 'injectionURL'),
      service,
      caBundle: v.whenSet('istiodRemote', 'injectionCABundle'),
    }),
    reinvocationPolicy: v.any('sidecarInjectorWebhook', 'reinvocationPolicy'),
  };
}

function validatorManifest(istiod: Istiod): Manifest {
  const { v, name, revision, istioNamespace, standard } = istiod;
  return configValidator(v, {
    name: `${withRevision('istio-validator', revision)}-${istioNamespace}`,
    webhook: 'rev.validation.istio.io',
    labels: {
      app: 'istiod',
      release: RELEASE_NAME,
      istio: 'istiod',
      'istio.io/rev': revisionLabel(revision),
      ...standard,
    },
    service: { name, namespace: istioNamespace },
    revision: revisionLabel(revision),
  });
}

function policyManifests({ revision, istioNamespace, standard }: Istiod): readonly Manifest[] {
  const suffix = `${withRevision('', revision)}-${istioNamespace}`;
  return stableChannelPolicy({
    name: `stable-channel-policy${suffix}.istio.io`,
    bindingName: `stable-channel-policy-binding${suffix}.istio.io`,
    labels: standard,
    revision: revisionLabel(revision),
  });
}

// --- A control plane in another cluster ---

function remoteManifests(istiod: Istiod): readonly Manifest[] {
  const { input, v, name, revision, standard } = istiod;
  const address = v.any('global', 'remotePilotAddress');
  if (!truthy(address) || !v.is('istiodRemote', 'enabled')) return [];
  const family = ipFamilyOf(address);
  const serviceName = v.is('istiodRemote', 'enabledLocalInjectorIstiod') ? `${name}-remote` : name;
  const view = { name: serviceName, namespace: input.namespace, standard, address: textOf(address) };
  const service = manifest('remote-service', {
    ...view,
    labels: { 'istio.io/rev': revisionLabel(revision), ...standard },
    isName: family === undefined,
    ipFamilyPolicy: v.whenSet('global', 'ipFamilyPolicy'),
    ipFamilies: v.whenSet('global', 'ipFamilies'),
  });
  if (family === undefined) return [service];
  return [
    service,
    manifest('remote-endpoints', { ...view, addressType: family, labels: endpointLabels(view) }),
  ];
}

function endpointLabels(view: { readonly name: string; readonly standard: JsonObject }): JsonObject {
  return {
    'kubernetes.io/service-name': view.name,
    // The API's own label: tells the endpoint controllers that the slice is not theirs.
    'endpointslice.kubernetes.io/managed-by': 'Helm',
    ...view.standard,
  };
}
