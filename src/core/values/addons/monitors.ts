/** What tells the Prometheus of a cluster about Istio: objects of the Prometheus operator, in place of a Prometheus of ours. */
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { JsonObject, JsonValue } from '../../../model/json.ts';
import { listAt, mapAt } from '../../../model/json.ts';
import type { ClusterFacts } from '../../../model/plan.ts';
import { diagnose } from '../../diagnostics.ts';
import { readYaml } from '../../yaml.ts';
import type { Manifest } from '../manifest.ts';
import { addonsOf, shippedFile, usesMonitors } from './addon.ts';
import type { Addon } from './addon.ts';
import { ISTIO_JOBS, POD_LABELS, SCRAPE_INTERVAL } from './prometheus-config.ts';
import type { PodJob, Rule } from './prometheus-config.ts';

const MONITORING_API = 'monitoring.coreos.com/v1';

/** The kinds of the Prometheus operator that are used, with the names of their definitions. */
export const MONITORING_KINDS = [
  { kind: 'ServiceMonitor', definition: 'servicemonitors.monitoring.coreos.com' },
  { kind: 'PodMonitor', definition: 'podmonitors.monitoring.coreos.com' },
  { kind: 'PrometheusRule', definition: 'prometheusrules.monitoring.coreos.com' },
] as const;

type MonitoringKind = (typeof MONITORING_KINDS)[number]['kind'];

/** How a kind stands in the facts about a cluster. */
export function servedName(kind: MonitoringKind): string {
  return `${MONITORING_API}/${kind}`;
}

/** The kinds that are asked for although the cluster does not serve them. None when nobody knows. */
export function missingMonitoringKinds(
  addonComponents: JsonObject,
  { servedKinds }: ClusterFacts,
): readonly MonitoringKind[] {
  if (!usesMonitors(addonsOf({ addons: addonComponents, global: { istioNamespace: '' } }))) return [];
  return MONITORING_KINDS.map(({ kind }) => kind).filter((kind) => !isServed(kind, servedKinds));
}

function isServed(kind: MonitoringKind, servedKinds: readonly string[] | undefined): boolean {
  return servedKinds === undefined || servedKinds.includes(servedName(kind));
}

/** Says that something which was asked for is left out, and how it comes to be. */
export function tellMissingKinds(missing: readonly MonitoringKind[]): readonly Diagnostic[] {
  if (missing.length === 0) return [];
  return [
    diagnose('kindNotServed', {
      path: ['spec', 'addonComponents', 'prometheus', 'mode'],
      cause: `the cluster does not serve ${missing.join(', ')} of ${MONITORING_API}, so none is made`,
      remedy:
        'Install the Prometheus operator with its definitions, and they are made at once; or use mode: bundled.',
    }),
  ];
}

/** The monitors and the rules of those kinds that the cluster serves. */
export function monitorManifests(addon: Addon): readonly Manifest[] {
  const { servedKinds } = addon.input;
  return [istiodMonitor(), ...POD_MONITORS.map(podMonitor), alerts(addon)]
    .filter(({ kind }) => isServed(kind, servedKinds))
    .map((monitor) => manifest(addon, monitor));
}

interface Monitor {
  readonly kind: MonitoringKind;
  readonly name: string;
  readonly spec: JsonObject;
}

function manifest({ namespace, labels, settings }: Addon, { kind, name, spec }: Monitor): Manifest {
  // A Prometheus selects monitors by labels of its installation's choice.
  const own = { ...labels, ...mapAt(settings, 'monitorLabels') };
  return { template: 'addons/monitor', view: { kind, name, namespace, labels: own, spec } };
}

function istiodMonitor(): Monitor {
  const endpoint = { port: 'http-monitoring', ...endpointOf(ISTIO_JOBS.istiod) };
  return {
    kind: 'ServiceMonitor',
    name: 'istiod',
    spec: { ...selecting({ matchLabels: { app: 'istiod' } }), endpoints: [endpoint] },
  };
}

interface PodSelection {
  readonly job: PodJob;
  readonly selector: JsonObject;
}

const POD_MONITORS: readonly PodSelection[] = [
  {
    job: ISTIO_JOBS.proxies,
    // The label by which people keep pods out, as in Istio's own samples.
    selector: { matchExpressions: [{ key: 'istio-prometheus-ignore', operator: 'DoesNotExist' }] },
  },
  { job: ISTIO_JOBS.ztunnel, selector: { matchLabels: { app: 'ztunnel' } } },
  { job: ISTIO_JOBS.cni, selector: { matchLabels: { 'k8s-app': 'istio-cni-node' } } },
  { job: ISTIO_JOBS.operator, selector: { matchLabels: { 'app.kubernetes.io/name': 'istio-operator' } } },
];

function podMonitor({ job, selector }: PodSelection): Monitor {
  return {
    kind: 'PodMonitor',
    name: job.name,
    spec: { ...selecting(selector), podMetricsEndpoints: [endpointOf(job)] },
  };
}

/** Proxies are everywhere, and every revision has an istiod. */
function selecting(selector: JsonObject): JsonObject {
  return { selector, namespaceSelector: { any: true } };
}

/** The same targets with the same labels as the bundled Prometheus has: rules and dashboards go by them. */
function endpointOf({ name, rules, honorsLabels }: PodJob): JsonObject {
  const job = { action: 'replace', replacement: name, targetLabel: 'job' };
  return {
    interval: SCRAPE_INTERVAL,
    ...(honorsLabels === undefined ? {} : { honorLabels: honorsLabels }),
    relabelings: [...[...rules, ...POD_LABELS].map(relabeling), job],
  };
}

const FIELDS: Readonly<Record<string, string>> = {
  source_labels: 'sourceLabels',
  target_label: 'targetLabel',
};

/** A rule in the spelling of the Prometheus operator. */
function relabeling(rule: Rule): JsonObject {
  return Object.fromEntries(
    Object.entries(rule).map(([field, value]): [string, JsonValue] => [FIELDS[field] ?? field, value]),
  );
}

function alerts(addon: Addon): Monitor {
  const groups = listAt(readYaml(shippedFile(addon, 'rules.yaml')), 'groups');
  return { kind: 'PrometheusRule', name: 'istio', spec: { groups } };
}
