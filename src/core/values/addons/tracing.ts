/** The bundled tracing backend: Jaeger in one process. */
import type { JsonObject } from '../../../model/json.ts';
import { at } from '../../../model/json.ts';
import { textOf } from '../../go-values.ts';
import { printYaml } from '../../yaml.ts';
import type { ComponentInput, Manifest } from '../manifest.ts';
import {
  accountManifest,
  addonManifests,
  addonsOf,
  claimManifests,
  configManifest,
  imageOf,
  isOn,
  podView,
  serviceManifest,
} from './addon.ts';
import type { Addon } from './addon.ts';
import { telemetryManifests } from './telemetry.ts';

export function tracingManifests(input: ComponentInput): readonly Manifest[] {
  const bundled = addonManifests('tracing', input, (addon) => {
    const config = printYaml(configuration(addon));
    return [
      accountManifest(addon),
      configManifest(addon, addon.name, { 'config.yaml': config }),
      ...claimManifests(addon),
      ...serviceManifests(addon),
      { template: 'addons/jaeger', view: { ...podView(addon, config), image: imageOf(addon, 'jaeger') } },
    ];
  });
  return [...bundled, ...(isOn(addonsOf(input.values), 'tracing') ? telemetryManifests(input) : [])];
}

/** Upstream's names: proxies, Kiali and people's files send and ask there. */
function serviceManifests(addon: Addon): readonly Manifest[] {
  return [
    serviceManifest(addon, 'tracing', [
      { name: 'http-query', port: 80, targetPort: 16_686 },
      { name: 'grpc-query', port: 16_685, targetPort: 16_685 },
    ]),
    serviceManifest(addon, 'zipkin', [{ name: 'http-query', port: 9411, targetPort: 9411 }], {
      isInternal: true,
    }),
    serviceManifest(
      addon,
      'jaeger-collector',
      [
        { name: 'grpc-otel', port: 4317, targetPort: 4317 },
        { name: 'http-otel', port: 4318, targetPort: 4318 },
        { name: 'http-zipkin', port: 9411, targetPort: 9411 },
      ],
      { isInternal: true },
    ),
  ];
}

/** Without storage, this many traces are kept in memory. */
const TRACES_IN_MEMORY = 50_000;

function backend({ settings }: Addon): JsonObject {
  const isKept = textOf(at(settings, 'storage', 'size')) !== '';
  if (!isKept) return { memory: { max_traces: TRACES_IN_MEMORY } };
  return { badger: { directories: { keys: '/badger/keys', values: '/badger/values' }, ephemeral: false } };
}

function configuration(addon: Addon): JsonObject {
  return {
    service: {
      extensions: ['jaeger_storage', 'jaeger_query', 'healthcheckv2'],
      pipelines: {
        traces: {
          receivers: ['otlp', 'zipkin'],
          processors: ['batch'],
          exporters: ['jaeger_storage_exporter'],
        },
      },
      telemetry: {
        resource: { 'service.name': 'jaeger' },
        metrics: {
          level: 'normal',
          readers: [{ pull: { exporter: { prometheus: { host: '0.0.0.0', port: 8888 } } } }],
        },
      },
    },
    extensions: {
      healthcheckv2: { use_v2: true, http: { endpoint: '0.0.0.0:13133' } },
      jaeger_query: { base_path: '/jaeger', storage: { traces: 'traces' } },
      jaeger_storage: { backends: { traces: backend(addon) } },
    },
    receivers: {
      otlp: { protocols: { grpc: { endpoint: '0.0.0.0:4317' }, http: { endpoint: '0.0.0.0:4318' } } },
      zipkin: { endpoint: '0.0.0.0:9411' },
    },
    processors: { batch: {} },
    exporters: { jaeger_storage_exporter: { trace_storage: 'traces' } },
  };
}
