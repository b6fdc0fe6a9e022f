/**
 * Rules about the mesh configuration. Its schema is istiod's; here are the fields that people set, because istiod does
 * not start with a value of the wrong type, and ignores a word that it does not know.
 */
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { JsonObject, JsonValue } from '../../../model/json.ts';
import { isJsonArray, isJsonObject, mapAt } from '../../../model/json.ts';
import { diagnose } from '../../diagnostics.ts';
import type { FieldPath } from '../../field-path.ts';
import { nearest } from '../../nearest.ts';
import type { Check } from './check.ts';

/** What a field holds. Numbers may be texts, as the JSON form of Protocol Buffers has it; nothing else may. */
type Holds = 'flag' | 'text' | 'number' | 'list' | 'map' | readonly string[] | Fields;

interface Fields {
  readonly [field: string]: Holds;
}

const PROXY_FIELDS: Fields = {
  availabilityZone: 'text',
  binaryPath: 'text',
  caCertificatesPem: 'list',
  concurrency: 'number',
  configPath: 'text',
  customConfigFile: 'text',
  discoveryAddress: 'text',
  drainDuration: 'text',
  envoyAccessLogService: 'map',
  envoyMetricsService: 'map',
  extraStatTags: 'list',
  gatewayTopology: 'map',
  holdApplicationUntilProxyStarts: 'flag',
  image: 'map',
  interceptionMode: ['REDIRECT', 'TPROXY', 'NONE'],
  meshId: 'text',
  privateKeyProvider: 'map',
  proxyAdminPort: 'number',
  proxyBootstrapTemplatePath: 'text',
  proxyHeaders: 'map',
  proxyMetadata: 'map',
  proxyStatsMatcher: 'map',
  readinessProbe: 'map',
  runtimeValues: 'map',
  statNameLength: 'number',
  statsdUdpAddress: 'text',
  statusPort: 'number',
  terminationDrainDuration: 'text',
  tracing: 'map',
  zipkinAddress: 'text',
};

const MESH_FIELDS: Fields = {
  accessLogEncoding: ['TEXT', 'JSON'],
  accessLogFile: 'text',
  accessLogFormat: 'text',
  ca: 'map',
  caCertificates: 'list',
  certificates: 'list',
  configSources: 'list',
  connectTimeout: 'text',
  defaultConfig: PROXY_FIELDS,
  defaultDestinationRuleExportTo: 'list',
  defaultHttpRetryPolicy: 'map',
  defaultProviders: 'map',
  defaultServiceExportTo: 'list',
  defaultVirtualServiceExportTo: 'list',
  disableEnvoyListenerLog: 'flag',
  discoverySelectors: 'list',
  dnsRefreshRate: 'text',
  enableAutoMtls: 'flag',
  enableEnvoyAccessLogService: 'flag',
  enablePrometheusMerge: 'flag',
  enableTracing: 'flag',
  extensionProviders: 'list',
  h2UpgradePolicy: ['DO_NOT_UPGRADE', 'UPGRADE'],
  inboundClusterStatName: 'text',
  inboundTrafficPolicy: { mode: ['PASSTHROUGH', 'LOCALHOST'] },
  ingressClass: 'text',
  ingressControllerMode: ['UNSPECIFIED', 'OFF', 'DEFAULT', 'STRICT'],
  ingressSelector: 'text',
  ingressService: 'text',
  localityLbSetting: 'map',
  meshMTLS: 'map',
  outboundClusterStatName: 'text',
  outboundTrafficPolicy: { mode: ['REGISTRY_ONLY', 'ALLOW_ANY'] },
  pathNormalization: {
    normalization: ['DEFAULT', 'NONE', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES'],
  },
  proxyHttpPort: 'number',
  proxyInboundListenPort: 'number',
  proxyListenPort: 'number',
  rootNamespace: 'text',
  serviceScopeConfigs: 'list',
  serviceSettings: 'list',
  tcpKeepalive: 'map',
  tlsDefaults: 'map',
  trustDomain: 'text',
  trustDomainAliases: 'list',
  verifyCertificateAtClient: 'flag',
};

/** Both places of the mesh configuration. What is given under `unvalidatedValues` is not looked at. */
export const meshConfig: Check = (spec) =>
  [['meshConfig'], ['values', 'meshConfig']].flatMap((place) =>
    checkFields(mapAt(spec, ...place), MESH_FIELDS, ['spec', ...place]),
  );

function checkFields(map: JsonObject, fields: Fields, path: FieldPath): readonly Diagnostic[] {
  return Object.entries(map).flatMap(([key, value]) => {
    const field = inCamelCase(key);
    const holds = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (holds === undefined) return unknownField(key, fields, [...path, key]);
    return value === null ? [] : checkValue(value, holds, [...path, key]);
  });
}

/** `access_log_file` is the same field as `accessLogFile`. */
function inCamelCase(key: string): string {
  return key.replaceAll(/_([a-z])/gu, (_match, letter: string) => letter.toUpperCase());
}

/** Only what looks like a mistake: there are fields that are not in the table, and newer releases bring more. */
function unknownField(key: string, fields: Fields, path: FieldPath): readonly Diagnostic[] {
  const close = nearest(key, Object.keys(fields));
  if (close === undefined) return [];
  const cause = `"${key}" looks like a mistake: istiod ignores fields that it does not know`;
  return [diagnose('suspectMeshField', { path, cause, remedy: `Did you mean "${close}"?` })];
}

function checkValue(value: JsonValue, holds: Holds, path: FieldPath): readonly Diagnostic[] {
  if (typeof holds === 'string')
    return TYPES[holds].holds(value) ? [] : [wrongType(value, TYPES[holds].form, path)];
  if (isWords(holds)) return checkWord(value, holds, path);
  return isJsonObject(value) ? checkFields(value, holds, path) : [wrongType(value, TYPES.map.form, path)];
}

function isWords(holds: Fields | readonly string[]): holds is readonly string[] {
  return Array.isArray(holds);
}

interface Type {
  readonly holds: (value: JsonValue) => boolean;
  readonly form: string;
}

const TYPES: Readonly<Record<Extract<Holds, string>, Type>> = {
  flag: { holds: (value) => typeof value === 'boolean', form: 'true or false, without quotes' },
  text: { holds: (value) => typeof value === 'string', form: 'a text' },
  number: {
    holds: (value) => typeof value === 'number' || (typeof value === 'string' && /^-?\d+$/u.test(value)),
    form: 'a whole number',
  },
  list: { holds: isJsonArray, form: 'a list' },
  map: { holds: isJsonObject, form: 'a map (name: value)' },
};

/** A word that istiod does not know is no error to it, nor to istioctl; numbers stand for words. */
function checkWord(value: JsonValue, words: readonly string[], path: FieldPath): readonly Diagnostic[] {
  if (typeof value === 'number' || (typeof value === 'string' && words.includes(value))) return [];
  if (typeof value !== 'string') return [wrongType(value, `one of ${words.join(', ')}`, path)];
  const cause = `istiod does not know "${value}" and takes its default`;
  return [diagnose('suspectMeshField', { path, cause, remedy: `Use one of ${words.join(', ')}.` })];
}

function wrongType(value: JsonValue, form: string, path: FieldPath): Diagnostic {
  return diagnose('wrongType', {
    path,
    cause: `${JSON.stringify(value)} is not ${form}`,
    remedy: `Write ${form}: istiod would refuse the mesh configuration.`,
  });
}
