/** istiod's Deployment: every value that its template prints. */
import type { JsonArray, JsonObject } from '../../../model/json.ts';
import { firstTruthy, textMap, textOf, truthy } from '../../go-values.ts';
import { rootCertificate, usesTrustBundles } from '../authority.ts';
import { imageReference } from '../image.ts';
import { RELEASE_NAME, revisionLabel, standardPodLabels, withRevision } from '../labels.ts';
import type { View } from '../manifest.ts';
import type { ValuesReader } from '../reader.ts';
import { unquoted } from '../reader.ts';
import { resourceRequirements } from '../resources.ts';
import type { Istiod } from './istiod.ts';
import { NAME_LABEL } from './istiod.ts';

/** For `pilot/deployment`. */
export function deploymentView(istiod: Istiod): View {
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
    ...rootCertificate(v.any('global', 'trustBundleName')),
    tokenAudience: v.any('global', 'sds', 'token', 'aud'),
    extraAuthority: v.is('jwksResolverExtraRootCA')
      ? withRevision('pilot-jwks-extra-cacerts', revision)
      : null,
    userVolumes: v.list('volumes'),
    userVolumeMounts: v.list('volumeMounts'),
  };
}

function containerView(istiod: Istiod): View {
  const { input, v } = istiod;
  const { features } = input.release;
  return {
    image: imageReference({
      hub: firstTruthy(v.any('hub'), v.any('global', 'hub')) ?? '',
      image: textOf(firstTruthy(v.any('image')) ?? 'pilot'),
      tag: firstTruthy(v.any('tag'), v.any('global', 'tag')) ?? '',
      variant: firstTruthy(v.any('variant'), v.any('global', 'variant')) ?? '',
    }),
    imagePullPolicy: v.whenSet('global', 'imagePullPolicy'),
    terminationMessagePolicy: features.has('terminationMessages')
      ? v.whenSet('terminationMessagePolicy')
      : null,
    args: discoveryArguments(v),
    revisionLabel: revisionLabel(v.text('revision')),
    certificateProvider: v.text('global', 'pilotCertProvider'),
    trustedNodeAccounts: trustedNodeAccounts(v, input.namespace),
    userEnv: userEnvironment(istiod),
    traceSampling: v.whenSet('traceSampling'),
    untaint: features.has('untaintController') && v.is('taint', 'enabled'),
    taintName: v.text('taint', 'name'),
    externalIstiod: truthy(v.any('env', 'EXTERNAL_ISTIOD')) ? null : v.whenSet('global', 'externalIstiod'),
    caConfigMap: v.whenSet('global', 'trustBundleName'),
    crlConfigMap: features.has('revocationLists') ? v.whenSet('crlConfigMapName') : null,
    memoryLimit: features.has('istiodMemoryLimit'),
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

/** Makes the Go runtime refuse everything that the policy does not allow. */
const FIPS_RUNTIME = { name: 'GODEBUG', value: 'fips140=only' };

function userEnvironment({ input, v }: Istiod): JsonArray {
  const named = Object.entries(textMap(v.map('env'))).map(([name, value]) => ({ name, value }));
  const wantsFips = v.text('env', 'COMPLIANCE_POLICY') === 'fips-140-3';
  const runtime = wantsFips && input.release.features.has('fipsRuntime') ? [FIPS_RUNTIME] : [];
  return [...named, ...runtime, ...v.list('envVarFrom')];
}
