/** ztunnel: the node proxy of the ambient data plane. Its values stand at the top level, globals among them. */
import type { JsonArray, JsonObject } from '../../model/json.ts';
import { firstTruthy, textMap, textOf } from '../go-values.ts';
import { rootCertificate, usesTrustBundles } from './authority.ts';
import { imageReference } from './image.ts';
import {
  componentLabels,
  RELEASE_NAME,
  standardLabels,
  standardPodLabels,
  UNKNOWN_OWNER,
  withRevision,
} from './labels.ts';
import type { ComponentInput, Manifest, View } from './manifest.ts';
import { tcpPorts } from './ports.ts';
import type { ValuesReader } from './reader.ts';
import { orNull, pullSecrets, readValues, unquoted } from './reader.ts';
import { resourceRequirements } from './resources.ts';

interface Ztunnel {
  readonly input: ComponentInput;
  readonly v: ValuesReader;
  readonly name: string;
  readonly revision: string;
  readonly standard: JsonObject;
  readonly labels: JsonObject;
  readonly annotations: JsonObject;
}

const NAME_LABEL = { 'app.kubernetes.io/name': 'ztunnel' };

export function ztunnelManifests(input: ComponentInput): readonly Manifest[] {
  const ztunnel = ztunnelOf(input);
  const { v } = ztunnel;
  const scope = v.text('resourceScope');
  return [
    ...(scope === 'all' || scope === 'namespace' ? namespacedManifests(ztunnel) : []),
    ...((scope === 'all' || scope === 'cluster') && v.text('platform') === 'openshift'
      ? privilegeManifests(ztunnel)
      : []),
    // Upstream renders this one whatever the scope.
    ...(hasNetworkPolicy(ztunnel) ? [networkPolicy(ztunnel)] : []),
  ];
}

function hasNetworkPolicy({ input, v }: Ztunnel): boolean {
  return input.release.features.has('nodeAgentNetworkPolicies') && v.is('global', 'networkPolicy', 'enabled');
}

function ztunnelOf(input: ComponentInput): Ztunnel {
  const v = readValues(input.values);
  const revision = v.text('revision');
  const standard = { ...NAME_LABEL, ...standardLabels(input.release) };
  return {
    input,
    v,
    name: textOf(firstTruthy(v.any('resourceName')) ?? 'ztunnel'),
    revision,
    standard,
    labels: { ...standard, ...v.map('labels') },
    annotations: { ...v.map('annotations'), ...(revision === '' ? {} : { 'istio.io/rev': revision }) },
  };
}

function namespacedManifests(ztunnel: Ztunnel): readonly Manifest[] {
  const { input, v, name, labels, annotations } = ztunnel;
  const account = {
    name,
    namespace: input.namespace,
    labels,
    annotations: orNull(annotations),
    imagePullSecrets: pullSecrets(v.list('imagePullSecrets')),
  };
  const quota = { name, namespace: input.namespace, labels, pods: v.any('resourceQuotas', 'pods') };
  return [
    { template: 'shared/service-account', view: account },
    { template: 'ztunnel/daemonset', view: daemonSetView(ztunnel) },
    ...(v.is('resourceQuotas', 'enabled') ? [{ template: 'shared/resource-quota', view: quota }] : []),
  ];
}

/** OpenShift runs a pod with these capabilities only for an account that may use the privileged constraint. */
function privilegeManifests({ input, v, name, standard, annotations }: Ztunnel): readonly Manifest[] {
  const shared = {
    name,
    labels: {
      app: 'ztunnel',
      release: name,
      'install.operator.istio.io/owning-resource': textOf(firstTruthy(v.any('ownerName')) ?? UNKNOWN_OWNER),
      ...standard,
    },
    annotations: orNull(annotations),
  };
  const rules = [
    {
      apiGroups: ['security.openshift.io'],
      resources: ['securitycontextconstraints'],
      resourceNames: ['privileged'],
      verbs: ['use'],
    },
  ];
  return [
    { template: 'shared/cluster-role', view: { ...shared, rules } },
    {
      template: 'shared/cluster-role-binding',
      view: { ...shared, role: name, account: name, accountNamespace: input.namespace },
    },
  ];
}

function networkPolicy({ input, v, name, revision, standard }: Ztunnel): Manifest {
  const own = componentLabels({ revision, owner: v.text('ownerName'), component: 'Ztunnel' });
  const dns = [
    { protocol: 'TCP', port: 15053 },
    { protocol: 'UDP', port: 15053 },
  ];
  return {
    template: 'shared/network-policy',
    view: {
      name: withRevision(name, revision),
      namespace: input.namespace,
      labels: { app: 'ztunnel', ...own, release: RELEASE_NAME, ...standard },
      podSelector: { app: 'ztunnel' },
      spellsOutFrom: input.release.features.has('policiesWithEmptyFrom'),
      ingress: [...[15021, 15020, 15000, 15008, 15001, 15006].map((port) => tcpPorts([port])), dns],
    },
  };
}

function daemonSetView(ztunnel: Ztunnel): View {
  const { input, v, name, labels, annotations, revision } = ztunnel;
  const hasDns = input.release.features.has('ztunnelDns');
  return {
    name,
    namespace: input.namespace,
    labels,
    annotations: orNull(annotations),
    updateStrategy: v.whenSet('updateStrategy'),
    podLabels: {
      'sidecar.istio.io/inject': 'false',
      'istio.io/dataplane-mode': 'none',
      app: 'ztunnel',
      ...NAME_LABEL,
      ...standardPodLabels(input.release, 'ztunnel'),
      ...v.map('podLabels'),
    },
    podAnnotations: {
      'sidecar.istio.io/inject': 'false',
      ...(revision === '' ? {} : { 'istio.io/rev': revision }),
      ...v.map('podAnnotations'),
    },
    nodeSelector: { 'kubernetes.io/os': 'linux', ...v.map('nodeSelector') },
    affinity: v.whenSet('affinity'),
    tolerations: v.whenSet('tolerations'),
    dnsPolicy: hasDns ? v.whenSet('dnsPolicy') : null,
    dnsConfig: hasDns ? v.whenSet('dnsConfig') : null,
    terminationGracePeriodSeconds: unquoted(v.any('terminationGracePeriodSeconds')),
    ...containerView(ztunnel),
    trustBundle: usesTrustBundles(v),
    ...rootCertificate(v.any('trustBundleName')),
  };
}

function containerView({ input, v, revision }: Ztunnel): View {
  const { features } = input.release;
  const tellsCpuShares = features.has('ztunnelCpuShares');
  const istiod = `${withRevision('istiod', revision)}.${v.text('istioNamespace')}.svc:15012`;
  return {
    image: imageReference({
      hub: v.any('hub'),
      image: textOf(firstTruthy(v.any('image')) ?? 'ztunnel'),
      tag: v.any('tag'),
      variant: v.any('variant'),
    }),
    imagePullPolicy: v.whenSet('imagePullPolicy'),
    resources: resourceRequirements(v.any('resources')),
    seLinuxOptions: v.whenSet('seLinuxOptions'),
    authorityAddress: textOf(firstTruthy(v.any('caAddress')) ?? istiod),
    discoveryAddress: textOf(firstTruthy(v.any('xdsAddress')) ?? istiod),
    logAsJson: v.is('logAsJson'),
    network: v.text('network'),
    logLevel: v.text('logLevel'),
    clusterId: textOf(firstTruthy(v.any('multiCluster', 'clusterName')) ?? 'Kubernetes'),
    proxyMetadata: environment(v.map('meshConfig', 'defaultConfig', 'proxyMetadata')),
    userEnv: environment(v.map('env')),
    wholeCpus: features.has('wholeCpus'),
    cpuLimit: tellsCpuShares && v.is('resources', 'limits', 'cpu'),
    cpuRequest: tellsCpuShares && v.is('resources', 'requests', 'cpu'),
    revocationList: features.has('revocationLists') && v.is('peerCaCrl', 'enabled'),
    userVolumeMounts: v.list('volumeMounts'),
    userVolumes: v.list('volumes'),
  };
}

function environment(map: JsonObject): JsonArray {
  return Object.entries(textMap(map)).map(([name, value]) => ({ name, value }));
}
