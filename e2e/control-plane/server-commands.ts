/** How each program is called. Flags that are not self-evident say why they are there. */
import { basename, join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { kubeconfigPathOf } from './credentials.ts';
import type { Program } from './programs.ts';
import type { ServerCommand } from './server-process.ts';

export interface PlaneLayout {
  readonly directory: string;
  readonly etcdPort: number;
  readonly apiPort: number;
  readonly audit: boolean;
}

/** Files in the control plane's folder that more than one part has to find. */
export const FILES = {
  tokens: 'tokens.csv',
  serviceAccountKey: 'service-account.key',
  auditPolicy: 'audit-policy.json',
  auditLog: 'audit.log',
  certificates: 'certificates',
} as const;

const ARGUMENTS: Readonly<Record<Program, (layout: PlaneLayout) => readonly string[]>> = {
  etcd: etcdArguments,
  'kube-apiserver': apiServerArguments,
  'kube-controller-manager': ({ directory }) => [
    `--kubeconfig=${kubeconfigPathOf(directory, 'kube-controller-manager')}`,
    `--service-account-private-key-file=${join(directory, FILES.serviceAccountKey)}`,
    // Publishes kube-root-ca.crt in every namespace, as a real cluster does.
    `--root-ca-file=${join(directory, FILES.certificates, 'apiserver.crt')}`,
    '--use-service-account-credentials=true',
    ...CONTROLLER_ARGUMENTS,
  ],
  'kube-scheduler': ({ directory }) => [
    `--kubeconfig=${kubeconfigPathOf(directory, 'kube-scheduler')}`,
    ...CONTROLLER_ARGUMENTS,
  ],
  kwok: ({ directory }) => [
    `--kubeconfig=${kubeconfigPathOf(directory, 'kwok')}`,
    '--manage-all-nodes=true',
    // Without a lease that is renewed, the node counts as lost after 50 s, and its pods never become Ready again.
    '--node-lease-duration-seconds=40',
  ],
};

/** There is one of each, nobody asks them anything, and their polite default rate of calls would slow every test. */
const CONTROLLER_ARGUMENTS = [
  '--leader-elect=false',
  '--secure-port=0',
  '--kube-api-qps=500',
  '--kube-api-burst=1000',
];

export function serverCommand(program: Program, binaries: Binaries, layout: PlaneLayout): ServerCommand {
  return { program, path: binaries[program], args: ARGUMENTS[program](layout) };
}

/** The folder of etcd's data. */
export function storeOf({ directory }: Pick<PlaneLayout, 'directory'>): string {
  return join(directory, 'etcd');
}

function etcdArguments({ directory, etcdPort }: PlaneLayout): readonly string[] {
  const clients = `http://127.0.0.1:${etcdPort}`;
  // There are no peers, but etcd insists on listening for them: on any port.
  const peers = 'http://127.0.0.1:0';
  return [
    `--data-dir=${storeOf({ directory })}`,
    `--listen-client-urls=${clients}`,
    `--advertise-client-urls=${clients}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=default=${peers}`,
    '--log-level=warn',
    '--unsafe-no-fsync', // what it stores is thrown away in the end
  ];
}

function apiServerArguments({ directory, etcdPort, apiPort, audit }: PlaneLayout): readonly string[] {
  const serviceAccountKey = join(directory, FILES.serviceAccountKey);
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    // Should another control plane have taken the port at the same moment, we must not write into its store.
    `--etcd-prefix=/${basename(directory)}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${apiPort}`,
    `--cert-dir=${join(directory, FILES.certificates)}`, // it makes its own certificate there
    `--token-auth-file=${join(directory, FILES.tokens)}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${serviceAccountKey}`,
    `--service-account-signing-key-file=${serviceAccountKey}`,
    '--service-cluster-ip-range=10.0.0.0/16',
    '--endpoint-reconciler-type=none', // a loopback address is not allowed as an endpoint
    '--allow-privileged=true', // istio-cni and ztunnel are privileged
    ...(audit ? auditArguments(directory) : []),
  ];
}

function auditArguments(directory: string): readonly string[] {
  return [
    `--audit-policy-file=${join(directory, FILES.auditPolicy)}`,
    `--audit-log-path=${join(directory, FILES.auditLog)}`,
    // In MiB. A new file every 100 MiB would cost those who read this one as it grows.
    '--audit-log-maxsize=100000',
  ];
}

const EVENTS = [
  { group: '', resources: ['events'] },
  { group: 'events.k8s.io', resources: ['events'] },
];

/**
 * One entry for each call that was answered: who, what, which object, no content. Probes, the leases of the cluster and
 * all events but those of the installed operator are left out: they go on without end and concern no test.
 */
export const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    // Whoever looks which of its rights the installed operator uses has to know all that it does.
    {
      level: 'Metadata',
      users: ['system:serviceaccount:istio-operator:istio-operator'],
      resources: EVENTS,
    },
    {
      level: 'None',
      resources: EVENTS,
    },
    // The cluster's own leases are renewed all the time; others tell who was the leader when, if their holder is known.
    {
      level: 'None',
      namespaces: ['kube-system', 'kube-node-lease'],
      resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }],
    },
    {
      level: 'Request',
      verbs: ['create', 'update'],
      resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }],
    },
    { level: 'None', nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', '/version'] },
    { level: 'Metadata' },
  ],
};
