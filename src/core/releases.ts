/**
 * The Istio release lines that this operator installs, and every difference between them, as data. Code and templates
 * ask whether a release has a feature, never which version it is; docs/adding-a-release.md says how a line is added.
 */
import type { JsonObject } from '../model/json.ts';
import { compareLines, versionOf } from './version.ts';

/** In which lines something is so, and what goes with it. */
interface Difference {
  /** The first line that has it; without it, the oldest one. */
  readonly since?: string;
  /** The last line that has it; without it, all that follow. */
  readonly until?: string;
  /** A line outside of that range that has it too. */
  readonly alsoIn?: string;
  readonly why: string;
  /** Paths under `spec.values` that other lines do not know; setting one there is told instead of ignored. */
  readonly fields?: readonly string[];
  /** Paths in the presets of compatibility versions that other lines do not have. */
  readonly switches?: readonly string[];
  /** Default values by component folder, laid over those of templates/ in other lines. */
  readonly defaultsElsewhere?: Readonly<Record<string, JsonObject>>;
}

export const DIFFERENCES = {
  istiodMemoryLimit: {
    until: '1.28',
    why: 'istiod reads GOMEMLIMIT from its memory limit; later ones find their limit themselves.',
  },
  revocationLists: {
    since: '1.29',
    why: 'Certificates are checked against revocation lists, by istiod and by ztunnel.',
    fields: ['pilot.crlConfigMapName'],
  },
  readerSeesConfigMaps: {
    since: '1.29',
    why: 'A remote istiod reads the network and trust domain of a cluster from a ConfigMap.',
  },
  agentgateway: {
    since: '1.29',
    why: 'istiod deploys Gateways of class istio-agentgateway.',
    fields: ['global.agentgateway'],
  },
  nodeAgentNetworkPolicies: {
    since: '1.29',
    why: 'With network policies on, the CNI agent and ztunnel get one too.',
  },
  wholeCpus: {
    since: '1.29',
    why: 'Proxies are told their CPU limit with an explicit divisor of 1.',
  },
  agentGracePeriod: {
    since: '1.29',
    why: 'How long the CNI agent may take to stop can be set; it was 5 seconds.',
  },
  rulesReconciledOnStart: {
    since: '1.29',
    why: 'The CNI agent brings the rules of running ambient pods up to date when it starts.',
    defaultsElsewhere: { cni: { ambient: { reconcileIptablesOnStartup: false } } },
    switches: ['cni.ambient.reconcileIptablesOnStartup'],
  },
  remainingBreakerMetrics: {
    since: '1.29',
    why: 'Proxies track what is left of circuit breakers; older behaviour switches it off.',
    switches: ['pilot.env.DISABLE_TRACK_REMAINING_CB_METRICS'],
  },
  policiesWithEmptyFrom: {
    until: '1.29',
    why: 'Rules of network policies spell out the empty list of sources.',
  },
  experimentalListenerSets: {
    until: '1.29',
    why: 'ListenerSets are still in the experimental group of the Gateway API.',
  },
  listenerSets: { since: '1.30', why: 'ListenerSets are part of the Gateway API.' },
  untaintController: {
    since: '1.30',
    why: 'istiod is told by its environment to remove the taint of nodes whose CNI agent runs.',
    fields: ['pilot.taint.name'],
  },
  optionalReader: {
    since: '1.30',
    why: 'The rights of remote readers can be left out.',
    fields: ['global.enableReaderRBAC'],
  },
  stablePolicyOnTrustDomains: {
    since: '1.30',
    why: 'AuthorizationPolicy has trust domains, which are not stable yet.',
  },
  remoteByIpv6: { since: '1.30', why: 'A remote istiod can be reached by an IPv6 address.' },
  appArmorField: {
    since: '1.30',
    why: 'AppArmor can be switched off by the field of the container instead of the old annotation.',
    fields: ['cni.useAppArmorAnnotation'],
  },
  ztunnelDns: { since: '1.30', why: 'The DNS settings of ztunnel pods can be set.' },
  bestServiceNamespace: {
    since: '1.30',
    why: 'Sidecars choose between Services of several namespaces; older behaviour switches it off.',
    switches: ['pilot.env.PILOT_SIDECAR_PICK_BEST_SERVICE_NAMESPACE'],
  },
  agentgatewayWaypoint: { since: '1.31', why: 'istiod deploys waypoints of the agentgateway kind.' },
  fipsRuntime: {
    since: '1.31',
    why: 'With the policy fips-140-3, istiod runs with the FIPS mode of its own runtime.',
  },
  terminationMessages: {
    since: '1.31',
    why: 'Where Kubernetes takes the last message of istiod from can be set; OpenShift takes it from the log.',
  },
  readerAccount: {
    since: '1.31',
    why: 'Remote readers can use an account that is already there.',
    fields: ['global.readerServiceAccount'],
  },
  ztunnelCpuShares: {
    since: '1.31',
    why: 'ztunnel is told its CPU request and limit, to choose its number of threads.',
  },
  strictGatewayMerging: {
    since: '1.31',
    why: 'istiod merges Gateways strictly, and sends unhealthy endpoints when they are wanted; older behaviour switches both off.',
    switches: [
      'pilot.env.PILOT_ENABLE_STRICT_GATEWAY_MERGING',
      'pilot.env.PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS',
    ],
  },
  replicasAsValues: {
    since: '1.31',
    alsoIn: '1.28',
    why: 'Replicas and autoscaler limits under k8s count as values, so that a disruption budget follows from them.',
  },
  cpuAsValues: {
    since: '1.31',
    why: 'CPU under k8s.resources counts as a value, so that what is derived from it follows.',
  },
} as const satisfies Readonly<Record<string, Difference>>;

/** Something that not all release lines have. */
export type Feature = keyof typeof DIFFERENCES;

export interface Release {
  /** `major.minor`; names the CRD file. */
  readonly line: string;
  /** What is installed when the resource names no tag. */
  readonly defaultTag: string;
  /** Registry prefix of the images when the resource names no hub. */
  readonly hub: string;
  /** Version written into labels and chart names; upstream stamps the release's version there, whatever the tag. */
  readonly chartVersion: string;
  /** Kubernetes version that is assumed without a cluster, as upstream does; the oldest that the line supports. */
  readonly assumedKubernetes: string;
  /** Not released yet: for trying out. */
  readonly isPreview: boolean;
  readonly features: ReadonlySet<Feature>;
}

const FEATURES = Object.keys(DIFFERENCES) as Feature[]; // the keys of a constant

const MAIN_HUB = 'registry.istio.io/release';
const DOCKER_HUB = 'docker.io/istio';

const ISTIO_1_30 = rowOf('1.30', { version: '1.30.3', hub: MAIN_HUB, assumedKubernetes: 'v1.32.0' });

/** Oldest first. */
export const RELEASES: readonly Release[] = [
  rowOf('1.28', { version: '1.28.10', hub: DOCKER_HUB, assumedKubernetes: 'v1.30.0' }),
  rowOf('1.29', { version: '1.29.6', hub: DOCKER_HUB, assumedKubernetes: 'v1.30.0' }),
  ISTIO_1_30,
  rowOf('1.31', { version: '1.31.0-rc.0', hub: MAIN_HUB, assumedKubernetes: 'v1.32.0', isPreview: true }),
];

/** What a fresh resource gets that names no tag. */
export const DEFAULT_RELEASE: Release = ISTIO_1_30;

export function releaseOfLine(line: string): Release | undefined {
  return RELEASES.find((known) => known.line === line);
}

/** The line of a version, supported or not; undefined when the text names no version. */
export function lineOfVersion(version: string): string | undefined {
  return versionOf(version)?.line;
}

/** Tells whether a line, supported or not, is newer than another. */
export function isNewerLine(line: string, other: string): boolean {
  return compareLines(line, other) > 0;
}

/** Tells whether a line, supported or not, is older than the release's. */
export function comesBefore(line: string, release: Release): boolean {
  return compareLines(line, release.line) < 0;
}

/** The differences that a release is on the other side of: what it does not have. */
export function lacking({ features }: Release): readonly Difference[] {
  return FEATURES.filter((feature) => !features.has(feature)).map((feature) => DIFFERENCES[feature]);
}

interface ReleaseRow {
  readonly version: string;
  readonly hub: string;
  readonly assumedKubernetes: string;
  readonly isPreview?: boolean;
}

function rowOf(line: string, { version, isPreview = false, ...row }: ReleaseRow): Release {
  return { line, defaultTag: version, chartVersion: version, isPreview, ...row, features: featuresOf(line) };
}

function featuresOf(line: string): ReadonlySet<Feature> {
  return new Set(FEATURES.filter((feature) => isIn(DIFFERENCES[feature], line)));
}

function isIn({ since, until, alsoIn }: Difference, line: string): boolean {
  const hasBegun = since === undefined || compareLines(since, line) <= 0;
  const isOver = until !== undefined && compareLines(until, line) < 0;
  return (hasBegun && !isOver) || alsoIn === line;
}
