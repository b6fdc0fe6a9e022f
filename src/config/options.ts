/** Every setting of `istio-operator run`; `--help` and the reference in docs/ are made from this table. */
import type { ValueType } from './value-types.ts';
import {
  DURATION_MS,
  HOST,
  NAMESPACES,
  OPTIONAL_NAME,
  OPTIONAL_TEXT,
  choice,
  wholeNumber,
} from './value-types.ts';

export interface OptionSpec<T> {
  /** Without the dashes. */
  readonly flag: string;
  /** Variables, in the order in which they are looked at; a flag wins over all of them. */
  readonly env: readonly string[];
  readonly type: ValueType<T>;
  /** As text, in the form of a flag. */
  readonly default: string;
  /** One sentence without a full stop. */
  readonly description: string;
}

const option = <T>(spec: OptionSpec<T>): OptionSpec<T> => spec;

export const RUN_OPTIONS = {
  watchedNamespaces: option({
    flag: 'watched-namespaces',
    env: ['WATCH_NAMESPACE'],
    type: NAMESPACES,
    default: '',
    description: 'Namespaces whose IstioOperator resources are handled; empty for all',
  }),
  operatorNamespace: option({
    flag: 'operator-namespace',
    env: ['LEADER_ELECTION_NAMESPACE', 'POD_NAMESPACE'],
    type: OPTIONAL_NAME,
    default: '',
    description: 'Namespace of the operator itself, where the Lease is kept',
  }),
  podName: option({
    flag: 'pod-name',
    env: ['POD_NAME'],
    type: OPTIONAL_TEXT,
    default: '',
    description: 'Name of this replica in the Lease, in events and in logs; the host name when empty',
  }),
  profilesDir: option({
    flag: 'profiles-dir',
    env: ['PROFILES_DIR'],
    type: OPTIONAL_TEXT,
    default: '',
    description:
      'Folder whose profiles resources may use: it, or those below it, may be an installPackagePath; none when empty',
  }),
  revision: option({
    flag: 'revision',
    env: ['REVISION'],
    type: OPTIONAL_NAME,
    default: '',
    description:
      'Handles only resources of this revision, "default" for the one without a name; empty for all',
  }),
  hardened: option({
    flag: 'hardened',
    env: ['HARDENED'],
    type: choice(['true', 'false']),
    default: 'false',
    description: 'Writes no rights and nothing cluster-scoped: an administrator applies both beforehand',
  }),
  readinessTimeoutMs: option({
    flag: 'wait-for-resources-timeout',
    env: ['WAIT_FOR_RESOURCES_TIMEOUT'],
    type: DURATION_MS,
    default: '300s',
    description: 'How long one component may take until it is ready',
  }),
  maxConcurrentReconciles: option({
    flag: 'max-concurrent-reconciles',
    env: ['MAX_CONCURRENT_RECONCILES'],
    type: wholeNumber(1, 64),
    default: '4',
    description:
      'How many resources are reconciled at the same time; one more may be while drift is repaired',
  }),
  leaderElection: option({
    flag: 'leader-elect',
    env: ['LEADER_ELECTION'],
    type: choice(['auto', 'true', 'false']),
    default: 'auto',
    description:
      'Whether replicas elect a leader by a Lease; auto does so when the namespace of the operator is known',
  }),
  leaseMs: option({
    flag: 'leader-elect-lease-duration',
    env: [],
    type: DURATION_MS,
    default: '15s',
    description: 'How long other replicas wait for a sign of life before they take over the Lease',
  }),
  leaseRenewDeadlineMs: option({
    flag: 'leader-elect-renew-deadline',
    env: [],
    type: DURATION_MS,
    default: '10s',
    description:
      'How long the leader goes on acting without having renewed the Lease; shorter than the Lease',
  }),
  leaseRetryMs: option({
    flag: 'leader-elect-retry-period',
    env: [],
    type: DURATION_MS,
    default: '2s',
    description: 'How often the Lease is renewed, or looked at by those who wait; shorter than the deadline',
  }),
  monitoringHost: option({
    flag: 'monitoring-host',
    env: ['MONITORING_HOST'],
    type: HOST,
    default: '0.0.0.0',
    description: 'Address on which /metrics is served',
  }),
  monitoringPort: option({
    flag: 'monitoring-port',
    env: ['MONITORING_PORT'],
    type: wholeNumber(0, 65_535),
    default: '8383',
    description: 'Port on which /metrics is served; 0 takes a free one',
  }),
  healthHost: option({
    flag: 'health-host',
    env: ['HEALTH_HOST'],
    type: HOST,
    default: '0.0.0.0',
    description: 'Address on which /healthz and /readyz are served',
  }),
  healthPort: option({
    flag: 'health-port',
    env: ['HEALTH_PORT'],
    type: wholeNumber(0, 65_535),
    default: '8383',
    description: 'Port on which /healthz and /readyz are served; may be that of /metrics',
  }),
  logLevel: option({
    flag: 'log-level',
    env: ['LOG_LEVEL'],
    type: choice(['error', 'warn', 'info', 'debug']),
    default: 'info',
    description: 'The least severe log lines that are written',
  }),
  kubeconfig: option({
    flag: 'kubeconfig',
    env: [],
    type: OPTIONAL_TEXT,
    default: '',
    description: 'Kubeconfig file to use instead of the service account of the pod',
  }),
  context: option({
    flag: 'context',
    env: [],
    type: OPTIONAL_TEXT,
    default: '',
    description: 'Context of the kubeconfig to use instead of its current one',
  }),
} as const satisfies Readonly<Record<string, OptionSpec<unknown>>>;
