/** The mesh configuration that istiod reads from its ConfigMap: what is derived from values, under what users give. */
import type { JsonObject, JsonValue } from '../../../model/json.ts';
import { firstTruthy, truthy } from '../../go-values.ts';
import { overlay } from '../../merge.ts';
import { withRevision } from '../labels.ts';
import type { ValuesReader } from '../reader.ts';

export function meshConfig(v: ValuesReader, namespace: string): JsonObject {
  return overlay(generatedMeshConfig(v, namespace), v.map('meshConfig'));
}

function generatedMeshConfig(v: ValuesReader, namespace: string): JsonObject {
  const providers = defaultProviders(v);
  return {
    trustDomain: 'cluster.local',
    rootNamespace: firstTruthy(v.any('meshConfig', 'rootNamespace'), v.any('global', 'istioNamespace')) ?? '',
    ...(providers === null ? {} : { defaultProviders: providers }),
    defaultConfig: {
      ...optionalField('meshId', v.whenSet('global', 'meshID')),
      ...imageType(v),
      ...tracing(v),
      discoveryAddress: discoveryAddress(v, namespace),
    },
  };
}

function optionalField(name: string, value: JsonValue): JsonObject {
  return value === null ? {} : { [name]: value };
}

/** Providers that telemetry uses unless the mesh configuration names its own. */
function defaultProviders(v: ValuesReader): JsonObject | null {
  const own = v.is('meshConfig', 'defaultProviders');
  const on = !own && v.is('telemetry', 'enabled') && v.is('telemetry', 'v2', 'enabled');
  const prometheus = on && v.is('telemetry', 'v2', 'prometheus', 'enabled');
  const stackdriver = on && v.is('telemetry', 'v2', 'stackdriver', 'enabled');
  if (!prometheus && !stackdriver) return null;
  const metrics = [...(prometheus ? ['prometheus'] : []), ...(stackdriver ? ['stackdriver'] : [])];
  return { metrics, ...(stackdriver ? { accessLogging: ['stackdriver'] } : {}) };
}

function imageType(v: ValuesReader): JsonObject {
  const variant = firstTruthy(v.any('global', 'proxy', 'variant'), v.any('global', 'variant'));
  return variant === undefined ? {} : { image: { imageType: variant } };
}

/** One way of tracing for each value of `global.proxy.tracer`. */
const TRACERS: Readonly<Record<string, (v: ValuesReader) => JsonObject>> = {
  zipkin: (v) => ({
    zipkin: {
      address:
        firstTruthy(v.any('global', 'tracer', 'zipkin', 'address')) ??
        `zipkin.${v.text('global', 'istioNamespace')}:9411`,
    },
  }),
  lightstep: (v) => ({
    lightstep: {
      address: v.any('global', 'tracer', 'lightstep', 'address'),
      accessToken: v.any('global', 'tracer', 'lightstep', 'accessToken'),
    },
  }),
  datadog: (v) => ({
    datadog: { address: firstTruthy(v.any('global', 'tracer', 'datadog', 'address')) ?? '$(HOST_IP):8126' },
  }),
  // The limits cannot be changed any more: spec/legacy-fields.ts refuses the fields.
  stackdriver: () => ({
    stackdriver: {
      debug: false,
      maxNumberOfAttributes: 200,
      maxNumberOfAnnotations: 200,
      maxNumberOfMessageEvents: 200,
    },
  }),
};

function tracing(v: ValuesReader): JsonObject {
  const tracer = v.text('global', 'proxy', 'tracer');
  if (tracer === 'none') return {};
  const settings = Object.hasOwn(TRACERS, tracer) ? TRACERS[tracer] : undefined;
  return { tracing: settings === undefined ? null : settings(v) };
}

function discoveryAddress(v: ValuesReader, namespace: string): string {
  const host = discoveryHost(v);
  return `${host}.${namespace}.svc:15012`;
}

function discoveryHost(v: ValuesReader): string {
  if (!v.is('global', 'remotePilotAddress')) return withRevision('istiod', v.text('revision'));
  // Upstream leaves the revision out here: the Service in front of a remote istiod has one fixed name for proxies.
  const local = v.is('istiodRemote', 'enabled') && v.is('istiodRemote', 'enabledLocalInjectorIstiod');
  return local ? 'istiod-remote' : 'istiod';
}

/** The text of `meshNetworks`. */
export function meshNetworks(v: ValuesReader): JsonObject {
  const networks = v.map('global', 'meshNetworks');
  return { networks: truthy(networks) ? networks : {} };
}
