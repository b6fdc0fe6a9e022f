/** What the bundled Prometheus collects: a table of its jobs, each of which finds one kind of target. */
import type { JsonObject } from '../../../model/json.ts';

const POD = '__meta_kubernetes_pod_';
const SCRAPE = `${POD}annotation_prometheus_io_scrape`;
const PATH = `${POD}annotation_prometheus_io_path`;
const PORT = `${POD}annotation_prometheus_io_port`;
const SCHEME = `${POD}annotation_prometheus_io_scheme`;
const INJECTED = `${POD}annotationpresent_sidecar_istio_io_status`;
const CONTAINER = `${POD}container_name`;
const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** A relabelling rule as Prometheus' configuration has it. */
export type Rule = JsonObject;

export const SCRAPE_INTERVAL = '15s';

const keep = (label: string, regex: string): Rule => ({ action: 'keep', source_labels: [label], regex });
const drop = (label: string, regex: string): Rule => ({ action: 'drop', source_labels: [label], regex });
const copy = (label: string, target: string): Rule => ({ source_labels: [label], target_label: target });
const copyMatch = (label: string, regex: string, target: string): Rule => ({ ...copy(label, target), regex });

/** A pod says by annotations where its metrics are; an IPv6 address needs brackets. */
const WHERE_ANNOTATED: readonly Rule[] = [
  copyMatch(SCHEME, '(https?)', '__scheme__'),
  copyMatch(PATH, '(.+)', '__metrics_path__'),
  {
    source_labels: [PORT, `${POD}ip`],
    regex: '(\\d+);(.*:.*)',
    replacement: '[$2]:$1',
    target_label: '__address__',
  },
  {
    source_labels: [PORT, `${POD}ip`],
    regex: '(\\d+);([\\d.]+)',
    replacement: '$2:$1',
    target_label: '__address__',
  },
];

/** Labels of the pod itself come first, so that the ones below are always what they say. */
export const POD_LABELS: readonly Rule[] = [
  drop(`${POD}phase`, 'Pending|Succeeded|Failed|Completed'),
  { action: 'labelmap', regex: `${POD}label_(.+)` },
  copy('__meta_kubernetes_namespace', 'namespace'),
  copy(`${POD}name`, 'pod'),
  copy(`${POD}node_name`, 'node'),
];

/** One kind of target that is found as pods. */
export interface PodJob {
  readonly name: string;
  /** Which container ports are targets, and where their metrics are. Labels come from `POD_LABELS`. */
  readonly rules: readonly Rule[];
  /** Labels in the metrics win over those of the target. */
  readonly honorsLabels?: true;
}

function podJob({ name, rules, honorsLabels }: PodJob): JsonObject {
  return {
    job_name: name,
    ...(honorsLabels === undefined ? {} : { honor_labels: honorsLabels }),
    kubernetes_sd_configs: [{ role: 'pod' }],
    relabel_configs: [...rules, ...POD_LABELS],
  };
}

/** Metrics of the kubelet, among them the memory and processor time of every container. */
function nodeJob(name: string, options: JsonObject): JsonObject {
  return {
    job_name: name,
    scheme: 'https',
    ...options,
    // Kubelets sign their own certificates in most clusters; the address comes from the API server.
    tls_config: { ca_file: `${ACCOUNT}/ca.crt`, insecure_skip_verify: true },
    authorization: { credentials_file: `${ACCOUNT}/token` },
    kubernetes_sd_configs: [{ role: 'node' }],
    relabel_configs: [copy('__meta_kubernetes_node_name', 'node')],
  };
}

/** Parts of Istio that have a job of their own. */
const OWN_JOBS = 'istiod|ztunnel|istio-cni-node';

/** How istiod, proxies and agents of Istio are found, and the operator. */
export const ISTIO_JOBS = {
  istiod: {
    name: 'istiod',
    rules: [keep(`${POD}label_app`, 'istiod'), keep(`${POD}container_port_number`, '15014')],
  },
  // Sidecars, gateways and waypoints. The annotations lead to the merged metrics of proxy, agent and application.
  proxies: {
    name: 'istio-proxies',
    rules: [
      keep(CONTAINER, 'istio-proxy'),
      drop(`${POD}label_app`, 'ztunnel'),
      keep(SCRAPE, 'true'),
      ...WHERE_ANNOTATED,
    ],
    // The application's own metrics are among them, with labels that it has chosen.
    honorsLabels: true,
  },
  ztunnel: {
    name: 'ztunnel',
    rules: [keep(`${POD}label_app`, 'ztunnel'), keep(`${POD}container_port_number`, '15020')],
  },
  cni: {
    name: 'istio-cni',
    rules: [keep(`${POD}label_k8s_app`, 'istio-cni-node'), keep(`${POD}container_port_number`, '15014')],
  },
  operator: {
    name: 'istio-operator',
    rules: [
      keep(`${POD}label_app_kubernetes_io_name`, 'istio-operator'),
      keep(`${POD}container_port_name`, 'http-metrics'),
    ],
    // It reports namespaces and names of resources; its own would hide them.
    honorsLabels: true,
  },
} as const satisfies Readonly<Record<string, PodJob>>;

/** What applications offer without a sidecar. */
const OTHER_PODS: PodJob = {
  name: 'kubernetes-pods',
  rules: [
    keep(SCRAPE, 'true'),
    // The merged metrics of a pod with a sidecar are collected from the sidecar.
    drop(INJECTED, 'true'),
    drop(CONTAINER, 'istio-proxy'),
    drop(`${POD}label_app`, OWN_JOBS),
    drop(`${POD}label_k8s_app`, OWN_JOBS),
    ...WHERE_ANNOTATED,
  ],
};

const JOBS: readonly JsonObject[] = [
  ...Object.values(ISTIO_JOBS).map(podJob),
  podJob(OTHER_PODS),
  nodeJob('kubernetes-cadvisor', { metrics_path: '/metrics/cadvisor' }),
  { job_name: 'prometheus', static_configs: [{ targets: ['localhost:9090'] }] },
];

/** The configuration file. Rules are in a file beside it. */
export const PROMETHEUS_CONFIG: JsonObject = {
  global: { scrape_interval: SCRAPE_INTERVAL, scrape_timeout: '10s', evaluation_interval: '30s' },
  rule_files: ['/etc/config/rules.yml'],
  scrape_configs: JOBS,
};
