/**
 * A small mesh as its metrics tell of it: the names and labels with which Istio's parts report, and values that are a
 * function of time. Fake targets serve it to a real Prometheus, and the pictures of the dashboards are drawn from it.
 */

export type Labels = Readonly<Record<string, string>>;

/** One time series. `value` is what it shows that many seconds after the beginning; counters never fall. */
export interface Series {
  readonly name: string;
  readonly labels: Labels;
  readonly value: (seconds: number) => number;
}

/** Who offers metrics, as the pod that it is found by. */
export interface Target {
  /** The job of the scrape configuration that finds it. */
  readonly job: string;
  readonly pod: string;
  readonly podLabels: Labels;
  readonly annotations: Labels;
  readonly container: string;
  readonly port: { readonly number: number; readonly name?: string };
  readonly series: readonly Series[];
}

export const STORY_NAMESPACE = 'prometheus-e2e';

/** The choices that a reader of the dashboards makes. */
export const CHOICES: Readonly<Record<string, string>> = {
  service: 'reviews.shop.svc.cluster.local',
  namespace: 'shop',
  workload: 'reviews',
};

/** How the load swings: each wave with its length in seconds and its share of the whole. */
const WAVES = [
  { seconds: 1300, share: 0.25 },
  { seconds: 410, share: 0.12 },
  { seconds: 130, share: 0.06 },
] as const;

/** A counter that grows by about so much a second; `phase` keeps several apart. */
function growing(perSecond: number, phase = 0): Series['value'] {
  const swing = (at: number): number =>
    WAVES.reduce((sum, { seconds, share }) => {
      const turn = (2 * Math.PI) / seconds;
      return sum + (share / turn) * (Math.cos(phase) - Math.cos(turn * at + phase));
    }, 0);
  return (seconds) => 1000 + perSecond * (seconds + swing(seconds));
}

/** A gauge that swings around a value. */
function around(value: number, phase = 0): Series['value'] {
  return (at) =>
    WAVES.reduce(
      (sum, { seconds, share }) => sum + value * share * 0.4 * Math.sin((2 * Math.PI * at) / seconds + phase),
      value,
    );
}

/** As `around`, of things that can be counted. */
function countedAround(value: number, phase = 0): Series['value'] {
  const exact = around(value, phase);
  return (seconds) => Math.round(exact(seconds));
}

const steady =
  (value: number): Series['value'] =>
  () =>
    value;

const series = (name: string, labels: Labels, value: Series['value']): Series => ({ name, labels, value });

/** A histogram of a given rate whose observations have that median, in the unit of the buckets. */
function histogram(
  name: string,
  labels: Labels,
  shape: { readonly buckets: readonly number[]; readonly median: number; readonly perSecond: number },
): readonly Series[] {
  const total = growing(shape.perSecond, shape.median);
  const share = (bound: number): number => 1 - 0.5 ** (bound / shape.median);
  const buckets = shape.buckets.map((bound) =>
    series(`${name}_bucket`, { ...labels, le: String(bound) }, (seconds) => total(seconds) * share(bound)),
  );
  return [
    ...buckets,
    series(`${name}_bucket`, { ...labels, le: '+Inf' }, total),
    series(`${name}_count`, labels, total),
    series(`${name}_sum`, labels, (seconds) => total(seconds) * shape.median * 1.44),
  ];
}

const MILLISECONDS = [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];
const SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 3, 5, 10, 20, 30];

/** Who calls whom. */
interface Traffic {
  readonly source: string;
  readonly sourceNamespace: string;
  readonly destination: string;
  readonly perSecond: number;
  readonly medianMs: number;
  /** Share of requests that end with 503. */
  readonly failing: number;
}

const GATEWAY_TO_FRONT: Traffic = {
  source: 'istio-ingressgateway',
  sourceNamespace: 'istio-system',
  destination: 'front',
  perSecond: 42,
  medianMs: 38,
  failing: 0.01,
};
const FRONT_TO_REVIEWS: Traffic = {
  source: 'front',
  sourceNamespace: 'shop',
  destination: 'reviews',
  perSecond: 30,
  medianMs: 14,
  failing: 0.03,
};
const REVIEWS_TO_RATINGS: Traffic = {
  source: 'reviews',
  sourceNamespace: 'shop',
  destination: 'ratings',
  perSecond: 18,
  medianMs: 4,
  failing: 0.005,
};

type Reporter = 'source' | 'destination' | 'waypoint';

/** What a proxy reports of the requests that it sees. */
function traffic(reporter: Reporter, edge: Traffic): readonly Series[] {
  const labels = {
    reporter,
    source_workload: edge.source,
    source_workload_namespace: edge.sourceNamespace,
    destination_workload: edge.destination,
    destination_workload_namespace: 'shop',
    destination_service: `${edge.destination}.shop.svc.cluster.local`,
    connection_security_policy: 'mutual_tls',
  };
  const codes = { 200: 0.97 - edge.failing, 404: 0.03, 503: edge.failing };
  const requests = Object.entries(codes).map(([code, share]) =>
    series(
      'istio_requests_total',
      { ...labels, request_protocol: 'http', response_code: code },
      growing(edge.perSecond * share, Number(code)),
    ),
  );
  const durations = histogram(
    'istio_request_duration_milliseconds',
    { ...labels, request_protocol: 'http', response_code: '200' },
    { buckets: MILLISECONDS, median: edge.medianMs, perSecond: edge.perSecond },
  );
  return [
    ...requests,
    ...durations,
    series('istio_tcp_sent_bytes_total', labels, growing(edge.perSecond * 900, 1)),
    series('istio_tcp_received_bytes_total', labels, growing(edge.perSecond * 250, 2)),
  ];
}

function build(component: string): Series {
  return series('istio_build', { component, tag: '1.30.3' }, steady(1));
}

const PROXY_ANNOTATIONS = {
  'prometheus.io/scrape': 'true',
  'prometheus.io/port': '15020',
  'prometheus.io/path': '/stats/prometheus',
};

/** A pod with a sidecar, a gateway or a waypoint. */
function proxy(pod: string, reported: readonly Series[], annotations: Labels = {}): Target {
  return {
    job: 'istio-proxies',
    pod,
    podLabels: { app: pod },
    annotations: { ...PROXY_ANNOTATIONS, ...annotations },
    container: 'istio-proxy',
    port: { number: 15_020, name: 'http-monitoring' },
    series: [build('proxy'), ...reported],
  };
}

const SIDECAR = { 'sidecar.istio.io/status': '{}' };

/** The first of January 2036, in Unix seconds. */
const ROOT_EXPIRES = 2_082_758_400;

function istiod(pod: string, index: number): Target {
  const xds = ['cds', 'eds', 'lds', 'rds'].map((type, at) =>
    series('pilot_xds_pushes', { type }, growing(0.6 + 0.8 * at + 0.2 * index, at)),
  );
  const events = (['add', 'update', 'delete'] as const).flatMap((event, at) => [
    series('pilot_k8s_reg_events', { type: 'EndpointSlice', event }, growing(0.9 / (at + 1), at)),
    series('pilot_k8s_cfg_events', { type: 'VirtualService', event }, growing(0.2 / (at + 1), at)),
  ]);
  return {
    job: 'istiod',
    pod,
    podLabels: { app: 'istiod' },
    annotations: {},
    container: 'discovery',
    port: { number: 15_014, name: 'http-monitoring' },
    series: [
      build('pilot'),
      series('process_resident_memory_bytes', {}, around(180e6, index)),
      series('process_cpu_seconds_total', {}, growing(0.12, index)),
      ...xds,
      series('pilot_total_xds_rejects', { type: 'lds' }, steady(3)),
      series('pilot_total_xds_internal_errors', {}, steady(2)),
      ...histogram('pilot_xds_push_time', { type: 'eds' }, { buckets: SECONDS, median: 0.05, perSecond: 4 }),
      series('pilot_xds', { version: '1.30.3' }, countedAround(24 + 3 * index, index)),
      ...events,
      series('sidecar_injection_success_total', {}, growing(0.3, index)),
      series('sidecar_injection_failure_total', {}, steady(1)),
      series('galley_validation_passed', {}, growing(0.15, index)),
      series('galley_validation_failed', {}, growing(0.02, index)),
      series('citadel_server_root_cert_expiry_timestamp', {}, steady(ROOT_EXPIRES)),
    ],
  };
}

function ztunnel(pod: string, index: number): Target {
  const labels = { reporter: 'source', source_workload: 'front', destination_workload: 'ratings' };
  const service = { ...labels, destination_service: 'ratings.shop.svc.cluster.local' };
  const counters = {
    istio_tcp_connections_opened_total: 3.1,
    istio_tcp_connections_closed_total: 2.9,
    istio_tcp_sent_bytes_total: 41_000,
    istio_tcp_received_bytes_total: 18_000,
  };
  return {
    job: 'ztunnel',
    pod,
    podLabels: { app: 'ztunnel' },
    annotations: PROXY_ANNOTATIONS,
    container: 'istio-proxy',
    port: { number: 15_020, name: 'ztunnel-stats' },
    series: [
      build('ztunnel'),
      ...Object.entries(counters).map(([name, perSecond]) =>
        series(name, service, growing(perSecond * (1 + index / 3), index)),
      ),
      series('istio_dns_requests_total', {}, growing(5 + index, index)),
      series('workload_manager_active_proxy_count', {}, countedAround(12 + 4 * index, index)),
      series('workload_manager_pending_proxy_count', {}, steady(index)),
    ],
  };
}

const OPERATOR: Target = {
  job: 'istio-operator',
  pod: 'istio-operator-0',
  podLabels: { 'app.kubernetes.io/name': 'istio-operator' },
  annotations: {},
  container: 'operator',
  port: { number: 8383, name: 'http-metrics' },
  series: [
    series('istio_operator_resource_ready', { namespace: 'istio-system', name: 'demo' }, steady(1)),
    ...['success', 'requeue_after'].map((result, index) =>
      series('controller_runtime_reconcile_total', { result }, growing(0.2 / (index + 1), index)),
    ),
    ...histogram(
      'controller_runtime_reconcile_time_seconds',
      {},
      { buckets: SECONDS, median: 0.06, perSecond: 0.3 },
    ),
    series('workqueue_depth', {}, countedAround(1.5)),
    series('istio_operator_changes_total', { action: 'configured', kind: 'Deployment' }, growing(0.4)),
    series('istio_operator_drift_repaired_total', {}, growing(0.02, 1)),
    ...['200', '409'].map((code, index) =>
      series('rest_client_requests_total', { code }, growing(2 / (1 + 9 * index), index)),
    ),
    series('process_resident_memory_bytes', {}, around(76e6)),
  ],
};

const CNI: Target = {
  job: 'istio-cni',
  pod: 'istio-cni-node-0',
  podLabels: { 'k8s-app': 'istio-cni-node' },
  annotations: {},
  container: 'install-cni',
  port: { number: 15_014, name: 'metrics' },
  series: [build('cni'), series('istio_cni_install_ready', {}, steady(1))],
};

const APPLICATION: Target = {
  job: 'kubernetes-pods',
  pod: 'batch-0',
  podLabels: { app: 'batch' },
  annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9999' },
  container: 'batch',
  port: { number: 9999 },
  series: [series('batch_jobs_total', {}, growing(1))],
};

/** Everything that is found by pods. */
export const TARGETS: readonly Target[] = [
  istiod('istiod-0', 0),
  istiod('istiod-1', 1),
  proxy('istio-ingressgateway', traffic('source', GATEWAY_TO_FRONT)),
  proxy(
    'front',
    [...traffic('destination', GATEWAY_TO_FRONT), ...traffic('source', FRONT_TO_REVIEWS)],
    SIDECAR,
  ),
  proxy(
    'reviews',
    [...traffic('destination', FRONT_TO_REVIEWS), ...traffic('source', REVIEWS_TO_RATINGS)],
    SIDECAR,
  ),
  proxy('ratings', traffic('destination', REVIEWS_TO_RATINGS), SIDECAR),
  proxy('waypoint', traffic('waypoint', { ...FRONT_TO_REVIEWS, destination: 'details', perSecond: 12 })),
  ztunnel('ztunnel-a', 0),
  ztunnel('ztunnel-b', 1),
  CNI,
  OPERATOR,
  APPLICATION,
];

/** What the kubelet of a node tells about containers. */
export const CONTAINERS: readonly Series[] = ['ztunnel-a', 'ztunnel-b'].flatMap((pod, index) => {
  const labels = { namespace: STORY_NAMESPACE, pod, container: 'istio-proxy' };
  return [
    series('container_memory_working_set_bytes', labels, around(24e6 + 6e6 * index, index)),
    series('container_cpu_usage_seconds_total', labels, growing(0.03 + 0.02 * index, index)),
  ];
});

/** Prometheus' text format. */
export function exposition(reported: readonly Series[], seconds: number): string {
  return reported.map((one) => `${one.name}${printLabels(one.labels)} ${one.value(seconds)}\n`).join('');
}

export function printLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${pairs.join(',')}}`;
}
