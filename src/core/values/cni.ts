/** The CNI node agent: captures traffic of pods, so that pods themselves need no rights over their network. */
import type { JsonArray, JsonObject, JsonValue } from '../../model/json.ts';
import { firstTruthy, textMap, textOf, truthy } from '../go-values.ts';
import { printGoYaml } from '../yaml.ts';
import { imageReference } from './image.ts';
import { componentLabels, RELEASE_NAME, standardLabels, standardPodLabels, withRevision } from './labels.ts';
import type { ComponentInput, Manifest, View } from './manifest.ts';
import { tcpPorts } from './ports.ts';
import type { ValuesReader } from './reader.ts';
import { pullSecrets, readValues, unquoted } from './reader.ts';
import { resourceRequirements } from './resources.ts';

interface Agent {
  readonly input: ComponentInput;
  readonly v: ValuesReader;
  readonly ambient: boolean;
  /** Recommended labels with the component's name. */
  readonly standard: JsonObject;
  readonly labels: JsonObject;
}

const NAME_LABEL = { 'app.kubernetes.io/name': 'istio-cni' };

export function cniManifests(input: ComponentInput): readonly Manifest[] {
  const agent = agentOf(input);
  const { v } = agent;
  const scope = v.text('global', 'resourceScope');
  return [
    ...(scope === 'all' || scope === 'namespace' ? namespacedManifests(agent) : []),
    ...(scope === 'all' || scope === 'cluster' ? clusterRoleManifests(agent) : []),
    // Upstream renders this one whatever the scope.
    ...(hasNetworkPolicy(agent) ? [networkPolicy(agent)] : []),
  ];
}

function hasNetworkPolicy({ input, v }: Agent): boolean {
  return input.release.features.has('nodeAgentNetworkPolicies') && v.is('global', 'networkPolicy', 'enabled');
}

function agentOf(input: ComponentInput): Agent {
  const v = readValues(input.values);
  const standard = { ...NAME_LABEL, ...standardLabels(input.release) };
  const own = componentLabels({ revision: v.text('revision'), owner: v.text('ownerName'), component: 'Cni' });
  const labels = { app: 'istio-cni', release: RELEASE_NAME, ...own, ...standard };
  return { input, v, ambient: v.is('ambient', 'enabled'), standard, labels };
}

/** The labels of objects that name their part of the agent instead of the app. */
function partLabels({ labels }: Agent, part: string): JsonObject {
  const { app: _app, ...rest } = labels;
  return { 'k8s-app': part, ...rest };
}

function namespacedManifests(agent: Agent): readonly Manifest[] {
  const { v } = agent;
  return [
    accountManifest(agent),
    { template: 'cni/configmap', view: configMapView(agent) },
    { template: 'cni/daemonset', view: daemonSetView(agent) },
    ...(v.is('resourceQuotas', 'enabled') ? [quotaManifest(agent)] : []),
    ...(v.text('provider') === 'multus' ? [attachmentManifest(agent)] : []),
  ];
}

function accountManifest({ input, v, labels }: Agent): Manifest {
  return {
    template: 'shared/service-account',
    view: {
      name: 'istio-cni',
      namespace: input.namespace,
      labels,
      annotations: null,
      imagePullSecrets: pullSecrets(v.list('global', 'imagePullSecrets')),
    },
  };
}

function quotaManifest({ input, v, standard }: Agent): Manifest {
  return {
    template: 'shared/resource-quota',
    view: {
      name: 'istio-cni-resource-quota',
      namespace: input.namespace,
      labels: standard,
      pods: v.any('resourceQuotas', 'pods'),
    },
  };
}

function attachmentManifest({ standard }: Agent): Manifest {
  return {
    template: 'cni/network-attachment-definition',
    view: { labels: { 'operator.istio.io/component': 'Cni', ...standard } },
  };
}

function networkPolicy(agent: Agent): Manifest {
  return {
    template: 'shared/network-policy',
    view: {
      name: withRevision('istio-cni', agent.v.text('revision')),
      namespace: agent.input.namespace,
      labels: partLabels(agent, 'istio-cni-node'),
      podSelector: { 'k8s-app': 'istio-cni-node' },
      spellsOutFrom: agent.input.release.features.has('policiesWithEmptyFrom'),
      ingress: [tcpPorts([15014]), tcpPorts([8000])],
    },
  };
}

// --- Rights ---

interface Grant {
  readonly role: string;
  readonly binding: string;
  /** The part of the agent that the binding is labelled with; null for the whole agent. */
  readonly part: string | null;
  readonly rules: readonly JsonObject[];
}

function clusterRoleManifests(agent: Agent): readonly Manifest[] {
  return grants(agent).flatMap(({ role, binding, part, rules }) => [
    { template: 'shared/cluster-role', view: { name: role, labels: agent.labels, annotations: null, rules } },
    {
      template: 'shared/cluster-role-binding',
      view: {
        name: binding,
        labels: part === null ? agent.labels : partLabels(agent, part),
        annotations: null,
        role,
        account: 'istio-cni',
        accountNamespace: agent.input.namespace,
      },
    },
  ]);
}

function grants({ v, ambient }: Agent): readonly Grant[] {
  const agent: Grant = { role: 'istio-cni', binding: 'istio-cni', part: null, rules: agentRules(v) };
  const repair: Grant = {
    role: 'istio-cni-repair-role',
    binding: 'istio-cni-repair-rolebinding',
    part: 'istio-cni-repair',
    rules: repairRules(v),
  };
  const enrolment: Grant = {
    role: 'istio-cni-ambient',
    binding: 'istio-cni-ambient',
    part: 'istio-cni-repair',
    rules: AMBIENT_RULES,
  };
  return [agent, ...(v.is('repair', 'enabled') ? [repair] : []), ...(ambient ? [enrolment] : [])];
}

const AMBIENT_RULES: readonly JsonObject[] = [
  { apiGroups: [''], resources: ['pods/status'], verbs: ['patch', 'update'] },
  { apiGroups: ['apps'], resources: ['daemonsets'], resourceNames: ['istio-cni-node'], verbs: ['get'] },
];

function agentRules(v: ValuesReader): readonly JsonObject[] {
  const reads = {
    apiGroups: [''],
    resources: ['pods', 'nodes', 'namespaces'],
    verbs: ['get', 'list', 'watch'],
  };
  if (firstTruthy(v.any('platform'), v.any('global', 'platform')) !== 'openshift') return [reads];
  const privileged = {
    apiGroups: ['security.openshift.io'],
    resources: ['securitycontextconstraints'],
    resourceNames: ['privileged'],
    verbs: ['use'],
  };
  return [reads, privileged];
}

function repairRules(v: ValuesReader): readonly JsonObject[] {
  const always = [
    { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['watch', 'get', 'list'] },
  ];
  // The first way of repair that is on is the one that is used: repairing in place needs no further right.
  if (v.is('repair', 'repairPods')) return always;
  if (v.is('repair', 'deletePods'))
    return [...always, { apiGroups: [''], resources: ['pods'], verbs: ['delete'] }];
  if (!v.is('repair', 'labelPods')) return always;
  return [...always, { apiGroups: [''], resources: ['pods/status'], verbs: ['patch', 'update'] }];
}

// --- Settings ---

function configMapView({ input, v, labels }: Agent): View {
  return { namespace: input.namespace, labels, settings: settings(v) };
}

/** The agent's settings: all texts. */
function settings(v: ValuesReader): JsonObject {
  const owned = v.is('istioOwnedCNIConfig');
  return {
    CURRENT_AGENT_VERSION: textOf(firstTruthy(v.any('tag'), v.any('global', 'tag'))),
    AMBIENT_ENABLED: v.text('ambient', 'enabled'),
    AMBIENT_ENABLEMENT_SELECTOR: printGoYaml(v.any('ambient', 'enablementSelectors')).trimEnd(),
    AMBIENT_DNS_CAPTURE: v.text('ambient', 'dnsCapture'),
    AMBIENT_IPV6: v.text('ambient', 'ipv6'),
    AMBIENT_RECONCILE_POD_RULES_ON_STARTUP: v.text('ambient', 'reconcileIptablesOnStartup'),
    ENABLE_AMBIENT_DETECTION_RETRY: v.text('ambient', 'enableAmbientDetectionRetry'),
    ...(v.is('cniConfFileName') ? { CNI_CONF_NAME: v.text('cniConfFileName') } : {}),
    ISTIO_OWNED_CNI_CONFIG: v.text('istioOwnedCNIConfig'),
    ...(owned ? { ISTIO_OWNED_CNI_CONF_FILENAME: v.text('istioOwnedCNIConfigFileName') } : {}),
    CHAINED_CNI_PLUGIN: v.text('chained'),
    EXCLUDE_NAMESPACES: v.list('excludeNamespaces').map(textOf).join(','),
    REPAIR_ENABLED: v.text('repair', 'enabled'),
    REPAIR_LABEL_PODS: v.text('repair', 'labelPods'),
    REPAIR_DELETE_PODS: v.text('repair', 'deletePods'),
    REPAIR_REPAIR_PODS: v.text('repair', 'repairPods'),
    REPAIR_INIT_CONTAINER_NAME: v.text('repair', 'initContainerName'),
    REPAIR_BROKEN_POD_LABEL_KEY: v.text('repair', 'brokenPodLabelKey'),
    REPAIR_BROKEN_POD_LABEL_VALUE: v.text('repair', 'brokenPodLabelValue'),
    NATIVE_NFTABLES: v.text('global', 'nativeNftables'),
    ...textMap(v.map('env')),
  };
}

// --- The DaemonSet ---

/** In lines where it cannot be set. */
const FIXED_GRACE_PERIOD_SECONDS = 5;

function daemonSetView(agent: Agent): View {
  const { input, v, ambient } = agent;
  const hostNetwork = ambient && v.is('ambient', 'shareHostNetworkNamespace');
  return {
    namespace: input.namespace,
    labels: { ...partLabels(agent, 'istio-cni-node'), ...v.map('daemonSetLabels') },
    updateStrategy: v.whenSet('updateStrategy'),
    podLabels: {
      'k8s-app': 'istio-cni-node',
      'sidecar.istio.io/inject': 'false',
      'istio.io/dataplane-mode': 'none',
      ...NAME_LABEL,
      ...standardPodLabels(input.release, 'cni'),
      ...v.map('podLabels'),
    },
    podAnnotations: podAnnotations(agent),
    hostNetwork,
    ambient,
    affinity: v.whenSet('affinity'),
    tolerations: v.whenSet('tolerations'),
    terminationGracePeriodSeconds: input.release.features.has('agentGracePeriod')
      ? unquoted(v.any('terminationGracePeriodSeconds'))
      : FIXED_GRACE_PERIOD_SECONDS,
    ...containerView(agent),
    readsProcesses: v.is('repair', 'repairPods') || ambient,
    binaryDirectory: binaryDirectory(v, input.kubernetesVersion),
    configDirectory: v.text('cniConfDir'),
    netnsDirectory: v.text('cniNetnsDir'),
  };
}

/** How AppArmor is kept away from the agent: by the annotation, or by the field of the container. */
function usesAppArmorAnnotation({ input, v }: Agent): boolean {
  return !input.release.features.has('appArmorField') || v.is('useAppArmorAnnotation');
}

function podAnnotations(agent: Agent): JsonObject {
  const { v } = agent;
  return {
    'sidecar.istio.io/inject': 'false',
    'prometheus.io/scrape': 'true',
    'prometheus.io/port': '15014',
    'prometheus.io/path': '/metrics',
    ...(usesAppArmorAnnotation(agent)
      ? { 'container.apparmor.security.beta.kubernetes.io/install-cni': 'unconfined' }
      : {}),
    ...v.map('podAnnotations'),
  };
}

function containerView(agent: Agent): View {
  const { v } = agent;
  const level = firstTruthy(v.any('logging', 'level'), v.any('global', 'logging', 'level'));
  const args: JsonArray = [
    ...(level === undefined ? [] : [`--log_output_level=${textOf(level)}`]),
    ...(v.is('global', 'logAsJson') ? ['--log_as_json'] : []),
  ];
  return {
    image: imageReference({
      hub: firstTruthy(v.any('hub'), v.any('global', 'hub')) ?? '',
      image: textOf(firstTruthy(v.any('image')) ?? 'install-cni'),
      tag: firstTruthy(v.any('tag'), v.any('global', 'tag')) ?? '',
      variant: firstTruthy(v.any('variant'), v.any('global', 'variant')) ?? '',
    }),
    imagePullPolicy: firstTruthy(v.any('pullPolicy'), v.any('global', 'imagePullPolicy')) ?? null,
    args: args.length === 0 ? null : args,
    securityContext: securityContext(agent),
    userEnv: Object.entries(textMap(v.map('env'))).map(([name, value]) => ({ name, value })),
    resources: resourceRequirements(
      firstTruthy(v.any('resources'), v.any('global', 'defaultResources')) ?? null,
    ),
  };
}

function securityContext(agent: Agent): JsonObject {
  const { v } = agent;
  return {
    ...(usesAppArmorAnnotation(agent) ? {} : { appArmorProfile: { type: 'Unconfined' } }),
    privileged: false,
    runAsGroup: 0,
    runAsUser: 0,
    runAsNonRoot: false,
    capabilities: {
      drop: ['ALL'],
      // Networks of pods (NET_*), their namespaces (SYS_*), and files of other users on the host (DAC_OVERRIDE).
      add: ['NET_ADMIN', 'NET_RAW', 'SYS_PTRACE', 'SYS_ADMIN', 'DAC_OVERRIDE'],
    },
    ...(v.is('seLinuxOptions') ? { seLinuxOptions: { type: 'spc_t', ...v.map('seLinuxOptions') } } : {}),
    ...(v.is('seccompProfile') ? { seccompProfile: v.map('seccompProfile') } : {}),
  };
}

function binaryDirectory(v: ValuesReader, kubernetesVersion: string): JsonValue {
  const given = v.any('cniBinDir');
  if (truthy(given)) return given;
  return kubernetesVersion.includes('-gke') ? '/home/kubernetes/bin' : '/opt/cni/bin';
}
