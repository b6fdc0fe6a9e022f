import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { isJsonArray, isJsonObject, mapAt, stringAt } from '../src/model/json.ts';
import type { JsonObject, JsonValue } from '../src/model/json.ts';

describe('the schema of spec.values', () => {
  let schema: JsonObject;
  let check: ValidateFunction;

  before(async () => {
    const text = await readFile(new URL('../crds/values.schema.json', import.meta.url), 'utf8');
    schema = JSON.parse(text) as JsonObject; // checked by the compiler below
    check = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictTypes: false }).compile(schema);
  });

  const ACCEPTED: Readonly<Record<string, JsonObject>> = {
    'a percentage or a number of pods': {
      pilot: { rollingMaxSurge: '100%', rollingMaxUnavailable: 1 },
      cni: { rollingMaxUnavailable: 1 },
    },
    'quantities as text or number': {
      global: { proxy: { resources: { requests: { cpu: 0.5, memory: '1Gi' }, limits: { cpu: 2 } } } },
    },
    'a tag as text or number': { global: { tag: 1.3 }, pilot: { tag: '1.30.3' } },
    'anything in free-form parts': {
      meshConfig: { defaultConfig: { anything: [1, { goes: true }] } },
      ztunnel: { resourceName: 'zt', unknown: { to: 'us' } },
      gatewayClasses: { istio: { service: { spec: { type: 'ClusterIP' } } } },
      pilot: { env: { FLAG: true, NUMBER: 1 }, affinity: { nodeAffinity: {} } },
      cni: { updateStrategy: { type: 'OnDelete' } },
    },
    'labels of a gateway': { gateways: { 'istio-ingressgateway': { labels: { tier: 'edge' } } } },
    'ports with names for targets': {
      gateways: { 'istio-egressgateway': { ports: [{ name: 'tls', port: 443, targetPort: 'tls' }] } },
    },
    'an empty or null tree': { global: {}, pilot: null },
    // Upstream's own validation refuses these, although its charts read them.
    'what only the charts know': {
      platform: 'gke',
      pdb: { maxUnavailable: '10%' },
      base: { validationFailurePolicy: 'Ignore' },
      cni: {
        ambient: {
          enablementSelectors: [],
          shareHostNetworkNamespace: true,
          enableAmbientDetectionRetry: true,
        },
        seLinuxOptions: { type: 'spc_t' },
        terminationGracePeriodSeconds: 9,
        tolerations: [{ operator: 'Exists' }],
      },
      gateways: { 'istio-egressgateway': { replicaCount: 2, tag: '1.30.3' } },
      global: {
        defaultResources: { limits: { cpu: 1 } },
        proxy_init: { forceApplyIptables: true },
        waypoint: { nodeSelector: { zone: 'a' }, tolerations: [{ operator: 'Exists' }] },
      },
      pilot: {
        deploymentAnnotations: { a: 'b' },
        extraContainerArgs: ['--log_caller=all'],
        initContainers: [{ name: 'wait' }],
        pdb: { minAvailable: 2, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
        sidecarInjectorWebhookAnnotations: { a: 'b' },
        trafficDistribution: 'PreferClose',
        trustedZtunnelName: 'zt',
      },
    },
  };

  for (const [what, values] of Object.entries(ACCEPTED)) {
    it(`accepts ${what}`, () => {
      check(values);

      expect(check.errors ?? []).to.deep.equal([]);
    });
  }

  const REFUSED: Readonly<Record<string, readonly [JsonObject, string, string]>> = {
    'an unknown key at the top': [{ pilott: {} }, '', 'additionalProperties'],
    'an unknown key below': [{ global: { proxy: { imgae: 'x' } } }, '/global/proxy', 'additionalProperties'],
    'another gateway than the two of the charts': [
      { gateways: { edge: {} } },
      '/gateways',
      'additionalProperties',
    ],
    'text for a number': [{ pilot: { autoscaleMin: '2' } }, '/pilot/autoscaleMin', 'type'],
    'a number for a text': [{ global: { network: 1 } }, '/global/network', 'type'],
    'a fraction of pods': [{ pilot: { autoscaleMax: 1.5 } }, '/pilot/autoscaleMax', 'type'],
    'less than nothing': [{ pilot: { replicaCount: -1 } }, '/pilot/replicaCount', 'minimum'],
    'a scalar for a map': [{ cni: true }, '/cni', 'type'],
    'a map for a list': [{ pilot: { tolerations: {} } }, '/pilot/tolerations', 'type'],
    'an unknown tracer': [{ global: { proxy: { tracer: 'jaeger' } } }, '/global/proxy/tracer', 'enum'],
  };

  for (const [what, [values, path, keyword]] of Object.entries(REFUSED)) {
    it(`refuses ${what}`, () => {
      check(values);

      const places = (check.errors ?? []).map((error) => [error.instancePath, error.keyword]);
      expect(places).to.deep.equal([[path, keyword]]);
    });
  }

  it('accepts null wherever a key stands, because null removes a default', () => {
    for (const path of propertyPaths(schema)) {
      check(nested(path));

      expect(check.errors ?? [], path.join('.')).to.deep.equal([]);
    }
  });

  it('is closed on every level that lists its keys, and lists them in order', () => {
    for (const path of [[], ...propertyPaths(schema)]) {
      const level = mapAt(schema, ...path.flatMap((key) => ['properties', key]));
      if (!isJsonObject(level['properties'])) continue;
      const keys = Object.keys(level['properties']);
      expect(level['additionalProperties'], path.join('.')).to.equal(false);
      expect(keys, path.join('.')).to.deep.equal(keys.toSorted());
    }
  });

  it('says why a key has no effect', () => {
    for (const part of subschemas(schema)) {
      const explained = stringAt(part, 'description')?.startsWith('No effect: ') ?? false;
      expect(explained, JSON.stringify(part)).to.equal(part['deprecated'] === true);
    }
  });
});

/** The path of every key, `['pilot']` and `['pilot', 'env']` alike. */
function propertyPaths(schema: JsonObject): readonly (readonly string[])[] {
  return Object.entries(mapAt(schema, 'properties')).flatMap(([key, child]) => {
    const below = isJsonObject(child) ? propertyPaths(child) : [];
    return [[key], ...below.map((path) => [key, ...path])];
  });
}

/** `['a', 'b']` becomes `{a: {b: null}}`. */
function nested(path: readonly string[]): JsonValue {
  return path.reduceRight<JsonValue>((value, key) => ({ [key]: value }), null);
}

function subschemas(value: JsonValue): readonly JsonObject[] {
  if (isJsonArray(value)) return value.flatMap(subschemas);
  if (!isJsonObject(value)) return [];
  const below = Object.values(value).flatMap(subschemas);
  return value['type'] === undefined || !isJsonArray(value['type']) ? below : [value, ...below];
}
