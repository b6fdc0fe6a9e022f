/** What proxies are told about the addons: providers in the mesh configuration, and a Telemetry resource that uses them. */
import type { JsonObject, JsonValue } from '../../../model/json.ts';
import { at, listAt, mapAt, numberAt } from '../../../model/json.ts';
import { textOf, truthy } from '../../go-values.ts';
import { overlay } from '../../merge.ts';
import { standardLabels } from '../labels.ts';
import type { ComponentInput, Manifest } from '../manifest.ts';
import { addonsOf, hostOf, isBundled, isOn } from './addon.ts';
import type { Addons } from './addon.ts';

/** Names of the extension providers, for Telemetry resources of users. */
const TRACING_PROVIDER = 'istio-addon-tracing';
const ACCESS_LOG_PROVIDER = 'istio-addon-access-log';

/** How spans are sent: field of the provider, and the port that listens for it unless the address names another. */
const PROTOCOLS = {
  opentelemetry: { port: 4317, service: 'jaeger-collector' },
  zipkin: { port: 9411, service: 'zipkin' },
} as const;

type Protocol = keyof typeof PROTOCOLS;

/**
 * The values with the providers of the addons in their mesh configuration. One that a user defines by the same name
 * stays as it is. Without addons the values come back unchanged.
 */
export function withAddonProviders(values: JsonObject, addonComponents: JsonObject): JsonObject {
  const addons = withFormerCollector(addonsOf({ ...values, addons: addonComponents }), values);
  const given = listAt(values, 'meshConfig', 'extensionProviders');
  const names = new Set(given.map((provider) => at(provider, 'name')));
  const missing = providersOf(addons).filter((provider) => !names.has(provider['name']));
  if (missing.length === 0) return values;
  return overlay(values, { meshConfig: { extensionProviders: [...given, ...missing] } });
}

function providersOf(addons: Addons): readonly JsonObject[] {
  const address = tracingAddress(addons);
  const tracing =
    address === undefined
      ? []
      : [{ name: TRACING_PROVIDER, [protocolOf(addons)]: { service: address.host, port: address.port } }];
  const logs = isBundled(addons, 'loki') ? [accessLogProvider(addons)] : [];
  return [...tracing, ...logs];
}

/** Loki indexes none of these; they are metadata of each line, to filter by. */
const LOGGED: JsonObject = {
  authority: '%REQ(:AUTHORITY)%',
  duration: '%DURATION%',
  method: '%REQ(:METHOD)%',
  path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
  request_id: '%REQ(X-REQUEST-ID)%',
  response_code: '%RESPONSE_CODE%',
  response_flags: '%RESPONSE_FLAGS%',
  trace_id: '%TRACE_ID%',
  upstream_cluster: '%UPSTREAM_CLUSTER%',
};

function accessLogProvider(addons: Addons): JsonObject {
  const service = hostOf(addons, 'loki', 'access-log-collector');
  return { name: ACCESS_LOG_PROVIDER, envoyOtelAls: { service, port: 4317, logFormat: { labels: LOGGED } } };
}

function protocolOf({ settings }: Addons): Protocol {
  return at(settings, 'tracing', 'protocol') === 'zipkin' ? 'zipkin' : 'opentelemetry';
}

interface Address {
  readonly host: string;
  readonly port: number;
}

function tracingAddress(addons: Addons): Address | undefined {
  if (!isOn(addons, 'tracing')) return undefined;
  const { port, service } = PROTOCOLS[protocolOf(addons)];
  if (isBundled(addons, 'tracing')) return { host: hostOf(addons, 'tracing', service), port };
  return addressIn(textOf(at(addons.settings, 'tracing', 'collector')), port);
}

/** Tracing elsewhere goes to the address that older releases had in the values, when it names no collector itself. */
function withFormerCollector(addons: Addons, values: JsonObject): Addons {
  const address = textOf(at(values, 'global', 'tracer', 'zipkin', 'address'));
  const tracing = mapAt(addons.settings, 'tracing');
  if (address === '' || textOf(tracing['collector']) !== '') return addons;
  const settings = { ...addons.settings, tracing: { ...tracing, collector: address, protocol: 'zipkin' } };
  // A bundled backend is not elsewhere, whatever the values say.
  return isBundled(addons, 'tracing') ? addons : { ...addons, settings };
}

/** Reads `host`, `host:port`, or either as a URL. */
function addressIn(text: string, usualPort: number): Address | undefined {
  const [, host, port] = /^(?:\w+:\/\/)?([\w.-]+)(?::(\d+))?/u.exec(text) ?? [];
  return host === undefined ? undefined : { host, port: port === undefined ? usualPort : Number(port) };
}

/** One Telemetry resource for the whole mesh: of several without a selector, Istio reads only the oldest. */
export function telemetryManifests(input: ComponentInput): readonly Manifest[] {
  const addons = withFormerCollector(addonsOf(input.values), input.values);
  const tracing = tracingRules(addons);
  const accessLogging = accessLogRules(input, addons);
  if (tracing === null && accessLogging === null) return [];
  const root = textOf(at(input.values, 'meshConfig', 'rootNamespace'));
  const view = {
    namespace: root === '' ? addons.controlPlaneNamespace : root,
    labels: standardLabels(input.release),
    tracing,
    accessLogging,
  };
  return [{ template: 'addons/telemetry', view }];
}

function tracingRules(addons: Addons): JsonValue {
  if (tracingAddress(addons) === undefined) return null;
  const percentage = numberAt(addons.settings, 'tracing', 'sampling');
  const sampling = percentage === undefined ? {} : { randomSamplingPercentage: percentage };
  return [{ providers: [{ name: TRACING_PROVIDER }], ...sampling }];
}

/** Who had access logs on the proxies' standard output keeps them. */
function accessLogRules({ values }: ComponentInput, addons: Addons): JsonValue {
  if (!isBundled(addons, 'loki')) return null;
  const toOutput = truthy(at(values, 'meshConfig', 'accessLogFile')) ? [{ name: 'envoy' }] : [];
  return [{ providers: [...toOutput, { name: ACCESS_LOG_PROVIDER }] }];
}
