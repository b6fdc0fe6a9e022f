/** The bundled Loki in one process, and the collector through which proxies send it their access logs. */
import type { JsonObject } from '../../../model/json.ts';
import { printYaml } from '../../yaml.ts';
import type { ComponentInput, Manifest } from '../manifest.ts';
import {
  accountManifest,
  addonManifests,
  addonsOf,
  claimManifests,
  configManifest,
  imageOf,
  isBundled,
  isOn,
  podView,
  serviceManifest,
} from './addon.ts';
import type { Addon } from './addon.ts';
import { telemetryManifests } from './telemetry.ts';

export function lokiManifests(input: ComponentInput): readonly Manifest[] {
  const addons = addonsOf(input.values);
  const bundled = addonManifests('loki', input, (addon) => [
    ...lokiOwnManifests(addon),
    ...collectorManifests(collectorOf(addon)),
  ]);
  // One resource holds what is said to proxies; with tracing on, it is there.
  const telemetry = isBundled(addons, 'loki') && !isOn(addons, 'tracing') ? telemetryManifests(input) : [];
  return [...bundled, ...telemetry];
}

/** The collector is part of the addon: same namespace and registry, another name, and nothing to store. */
function collectorOf(addon: Addon): Addon {
  const name = 'access-log-collector';
  const selector = { 'app.kubernetes.io/name': name };
  return { ...addon, name, selector, labels: { ...addon.labels, ...selector, app: name } };
}

function lokiOwnManifests(addon: Addon): readonly Manifest[] {
  const config = printYaml(LOKI_CONFIG);
  return [
    accountManifest(addon),
    configManifest(addon, addon.name, { 'config.yaml': config }),
    ...claimManifests(addon),
    serviceManifest(addon, addon.name, [{ name: 'http-metrics', port: 3100, targetPort: 3100 }]),
    { template: 'addons/loki', view: { ...podView(addon, config), image: imageOf(addon, 'loki') } },
  ];
}

const LOKI_CONFIG: JsonObject = {
  auth_enabled: false,
  server: { http_listen_port: 3100, grpc_listen_port: 9095 },
  common: {
    path_prefix: '/var/loki',
    replication_factor: 1,
    ring: { instance_addr: '127.0.0.1', kvstore: { store: 'inmemory' } },
    storage: { filesystem: { chunks_directory: '/var/loki/chunks', rules_directory: '/var/loki/rules' } },
  },
  schema_config: {
    configs: [
      {
        from: '2024-04-01',
        store: 'tsdb',
        object_store: 'filesystem',
        schema: 'v13',
        index: { prefix: 'index_', period: '24h' },
      },
    ],
  },
  limits_config: {
    // What the proxies say of a request arrives as metadata of its line.
    allow_structured_metadata: true,
    reject_old_samples: true,
    reject_old_samples_max_age: '168h',
    retention_period: '168h',
    volume_enabled: true,
  },
  compactor: {
    working_directory: '/var/loki/compactor',
    retention_enabled: true,
    delete_request_store: 'filesystem',
  },
  analytics: { reporting_enabled: false },
};

function collectorManifests(collector: Addon): readonly Manifest[] {
  const config = printYaml(collectorConfig(collector));
  return [
    accountManifest(collector),
    configManifest(collector, collector.name, { 'config.yaml': config }),
    serviceManifest(collector, collector.name, [{ name: 'grpc-otlp', port: 4317, targetPort: 4317 }], {
      isInternal: true,
    }),
    {
      template: 'addons/collector',
      view: { ...podView(collector, config), image: imageOf(collector, 'collector', true) },
    },
  ];
}

/** Envoy speaks OpenTelemetry's gRPC, Loki its HTTP: the collector stands between, and names the stream. */
function collectorConfig({ namespace }: Addon): JsonObject {
  return {
    extensions: { health_check: { endpoint: '0.0.0.0:13133' } },
    receivers: { otlp: { protocols: { grpc: { endpoint: '0.0.0.0:4317' } } } },
    processors: {
      batch: {},
      resource: {
        attributes: [{ key: 'service.name', value: 'istio-access-log', action: 'upsert' }],
      },
    },
    exporters: { otlphttp: { endpoint: `http://loki.${namespace}.svc.cluster.local:3100/otlp` } },
    service: {
      extensions: ['health_check'],
      pipelines: {
        logs: { receivers: ['otlp'], processors: ['resource', 'batch'], exporters: ['otlphttp'] },
      },
    },
  };
}
