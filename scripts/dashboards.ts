/** Generates templates/addons/files/dashboards/: Grafana dashboards, each a short table of panels and queries. */
import type { JsonObject } from '../src/model/json.ts';

export const name = 'the dashboards of Grafana';

export type Unit = 'short' | 'reqps' | 'Bps' | 'bytes' | 'percentunit' | 'ms' | 'ops' | 's';

export interface Panel {
  readonly title: string;
  readonly unit: Unit;
  /** Queries by legend; a legend may name labels, such as `{{pod}}`. */
  readonly queries: Readonly<Record<string, string>>;
}

export interface Dashboard {
  readonly title: string;
  /** Label values to choose from, by variable: the query of each. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly panels: readonly Panel[];
}

const RATE = '[$__rate_interval]';
const rate = (by: string, series: string): string => `sum by (${by}) (rate(${series}${RATE}))`;
const panel = (title: string, unit: Unit, queries: Panel['queries']): Panel => ({ title, unit, queries });

/** Sidecars report a request twice; seen by clients, waypoints and gateways each is counted once. */
const CLIENT = 'reporter=~"source|waypoint"';

function successRate(by: string, filter: string): string {
  const good = rate(by, `istio_requests_total{${filter},response_code!~"5.."}`);
  return `${good} / ${rate(by, `istio_requests_total{${filter}}`)}`;
}

function quantiles(filter: string): Panel['queries'] {
  const buckets = rate('le', `istio_request_duration_milliseconds_bucket{${filter}}`);
  return Object.fromEntries([50, 90, 99].map((p) => [`P${p}`, `histogram_quantile(0.${p}, ${buckets})`]));
}

/** Requests, errors and duration by one peer, and the bytes of TCP. */
function traffic(prefix: string, by: string, filter: string): readonly Panel[] {
  const legend = `{{${by}}}`;
  return [
    panel(`${prefix}: requests`, 'reqps', {
      [`${legend} {{response_code}}`]: rate(`${by}, response_code`, `istio_requests_total{${filter}}`),
    }),
    panel(`${prefix}: success rate`, 'percentunit', { [legend]: successRate(by, filter) }),
    panel(`${prefix}: duration`, 'ms', quantiles(filter)),
    panel(`${prefix}: TCP`, 'Bps', {
      [`${legend} sent`]: rate(by, `istio_tcp_sent_bytes_total{${filter}}`),
      [`${legend} received`]: rate(by, `istio_tcp_received_bytes_total{${filter}}`),
    }),
  ];
}

function processPanels(job: string): readonly Panel[] {
  return [
    panel('Versions', 'short', {
      '{{component}} {{tag}}': `count by (component, tag) (istio_build{job="${job}"})`,
    }),
    panel('Memory', 'bytes', { '{{pod}}': `sum by (pod) (process_resident_memory_bytes{job="${job}"})` }),
    panel('CPU', 'short', { '{{pod}}': rate('pod', `process_cpu_seconds_total{job="${job}"}`) }),
  ];
}

export const DASHBOARDS: Readonly<Record<string, Dashboard>> = {
  mesh: {
    title: 'Istio Mesh',
    panels: [
      panel('Requests', 'reqps', { total: `sum(rate(istio_requests_total{${CLIENT}}${RATE}))` }),
      panel('Errors', 'reqps', {
        '4xx': `sum(rate(istio_requests_total{${CLIENT},response_code=~"4.."}${RATE}))`,
        '5xx': `sum(rate(istio_requests_total{${CLIENT},response_code=~"5.."}${RATE}))`,
      }),
      ...traffic('By service', 'destination_service', CLIENT),
      panel('Versions of Istio', 'short', {
        '{{component}} {{tag}}': 'count by (component, tag) (istio_build)',
      }),
    ],
  },
  service: {
    title: 'Istio Service',
    variables: { service: 'label_values(istio_requests_total, destination_service)' },
    panels: [
      ...traffic('By client', 'source_workload', `${CLIENT},destination_service="$service"`),
      ...traffic(
        'By workload',
        'destination_workload',
        'reporter="destination",destination_service="$service"',
      ),
    ],
  },
  workload: {
    title: 'Istio Workload',
    variables: {
      namespace: 'label_values(istio_requests_total, destination_workload_namespace)',
      workload:
        'label_values(istio_requests_total{destination_workload_namespace="$namespace"}, destination_workload)',
    },
    panels: [
      ...traffic(
        'Inbound',
        'source_workload',
        'reporter="destination",destination_workload_namespace="$namespace",destination_workload="$workload"',
      ),
      ...traffic(
        'Outbound',
        'destination_service',
        `${CLIENT},source_workload_namespace="$namespace",source_workload="$workload"`,
      ),
    ],
  },
  'control-plane': {
    title: 'Istio Control Plane',
    panels: [
      ...processPanels('istiod'),
      panel('Pushes', 'ops', { '{{type}}': rate('type', 'pilot_xds_pushes') }),
      panel('Push errors', 'ops', {
        'rejected {{type}}': rate('type', 'pilot_total_xds_rejects'),
        internal: `sum(rate(pilot_total_xds_internal_errors${RATE}))`,
      }),
      panel('Push time', 's', {
        P99: `histogram_quantile(0.99, ${rate('le', 'pilot_xds_push_time_bucket')})`,
      }),
      panel('Connected proxies', 'short', { '{{pod}}': 'sum by (pod) (pilot_xds)' }),
      panel('Events', 'ops', {
        'registry {{type}}': rate('type', 'pilot_k8s_reg_events'),
        'configuration {{type}}': rate('type', 'pilot_k8s_cfg_events'),
      }),
      panel('Injection', 'ops', {
        injected: `sum(rate(sidecar_injection_success_total${RATE}))`,
        failed: `sum(rate(sidecar_injection_failure_total${RATE}))`,
      }),
      panel('Validation', 'ops', {
        accepted: `sum(rate(galley_validation_passed${RATE}))`,
        refused: `sum(rate(galley_validation_failed${RATE}))`,
      }),
      panel('Time until the root certificate expires', 's', {
        '{{pod}}': 'min by (pod) (citadel_server_root_cert_expiry_timestamp) - time()',
      }),
    ],
  },
  ztunnel: {
    title: 'Istio Ztunnel',
    panels: [
      panel('Versions', 'short', { '{{tag}}': 'count by (tag) (istio_build{component="ztunnel"})' }),
      panel('Memory', 'bytes', {
        '{{pod}}':
          'sum by (pod) (container_memory_working_set_bytes{container="istio-proxy",pod=~"ztunnel-.*"})',
      }),
      panel('CPU', 'short', {
        '{{pod}}': rate(
          'pod',
          'container_cpu_usage_seconds_total{container="istio-proxy",pod=~"ztunnel-.*"}',
        ),
      }),
      panel('Connections', 'ops', {
        '{{pod}} opened': rate('pod', 'istio_tcp_connections_opened_total{job="ztunnel"}'),
        '{{pod}} closed': rate('pod', 'istio_tcp_connections_closed_total{job="ztunnel"}'),
      }),
      panel('Bytes', 'Bps', {
        '{{pod}} sent': rate('pod', 'istio_tcp_sent_bytes_total{job="ztunnel"}'),
        '{{pod}} received': rate('pod', 'istio_tcp_received_bytes_total{job="ztunnel"}'),
      }),
      panel('DNS requests', 'reqps', { '{{pod}}': rate('pod', 'istio_dns_requests_total') }),
      panel('Workloads', 'short', {
        '{{pod}} active': 'sum by (pod) (workload_manager_active_proxy_count)',
        '{{pod}} pending': 'sum by (pod) (workload_manager_pending_proxy_count)',
      }),
    ],
  },
  operator: {
    title: 'Istio Operator',
    panels: [
      panel('Ready', 'short', {
        '{{namespace}}/{{name}}': 'min by (namespace, name) (istio_operator_resource_ready)',
      }),
      panel('Reconciles', 'ops', { '{{result}}': rate('result', 'controller_runtime_reconcile_total') }),
      panel('Duration', 's', {
        P99: `histogram_quantile(0.99, ${rate('le', 'controller_runtime_reconcile_time_seconds_bucket')})`,
      }),
      panel('Queue', 'short', { waiting: 'sum(workqueue_depth)' }),
      panel('Changes', 'ops', { changes: `sum(rate(istio_operator_changes_total${RATE}))` }),
      panel('Drift repaired', 'ops', { repaired: `sum(rate(istio_operator_drift_repaired_total${RATE}))` }),
      panel('Calls to the API server', 'reqps', { '{{code}}': rate('code', 'rest_client_requests_total') }),
      panel('Memory', 'bytes', {
        '{{pod}}': 'sum by (pod) (process_resident_memory_bytes{job="istio-operator"})',
      }),
    ],
  },
};

export async function generate(): Promise<ReadonlyMap<string, string>> {
  const entries = Object.entries(DASHBOARDS).map(
    ([key, dashboard]) =>
      [
        `templates/addons/files/dashboards/istio-${key}.json`,
        `${JSON.stringify(grafanaDashboard(key, dashboard), null, 2)}\n`,
      ] as const,
  );
  return new Map(entries);
}

const SOURCE = { type: 'prometheus', uid: 'prometheus' };

function grafanaDashboard(key: string, { title, variables = {}, panels }: Dashboard): JsonObject {
  return {
    uid: `istio-${key}`,
    title,
    tags: ['istio'],
    schemaVersion: 41,
    editable: false,
    refresh: '30s',
    time: { from: 'now-30m', to: 'now' },
    templating: {
      list: Object.entries(variables).map(([variable, query]) => templateVariable(variable, query)),
    },
    panels: panels.map(grafanaPanel),
  };
}

function templateVariable(variable: string, query: string): JsonObject {
  return { name: variable, type: 'query', datasource: SOURCE, query, refresh: 2, sort: 1 };
}

const WIDTH = 12;
const HEIGHT = 8;

function grafanaPanel({ title, unit, queries }: Panel, index: number): JsonObject {
  const perRow = 24 / WIDTH;
  return {
    id: index + 1,
    type: 'timeseries',
    title,
    datasource: SOURCE,
    gridPos: { h: HEIGHT, w: WIDTH, x: (index % perRow) * WIDTH, y: Math.floor(index / perRow) * HEIGHT },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: Object.entries(queries).map(([legendFormat, expr], position) => ({
      refId: String.fromCodePoint('A'.charCodeAt(0) + position),
      datasource: SOURCE,
      expr,
      legendFormat,
    })),
  };
}
