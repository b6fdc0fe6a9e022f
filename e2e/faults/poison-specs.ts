/** Specifications that nobody should write, and what they try. All are JSON, because the API server takes nothing else. */
import type { JsonObject, JsonValue } from '../../src/model/json.ts';

export const POISON_NAMESPACE = 'poison';

export interface Poison {
  readonly name: string;
  /** The specification as JSON text: some are deeper than JSON.stringify can print. */
  readonly spec: string;
}

function nested(depth: number): JsonValue {
  return JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`) as JsonValue; // what JSON.parse returns is JSON
}

function wide(count: number): JsonObject {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`key${index}`, index]));
}

function patches(count: number): JsonObject {
  return overlay(
    Array.from({ length: count }, (_, index) => ({
      path: `spec.template.metadata.annotations.key${index}`,
      value: 'x',
    })),
  );
}

function overlay(list: readonly JsonObject[]): JsonObject {
  return {
    components: { pilot: { k8s: { overlays: [{ kind: 'Deployment', name: 'istiod', patches: list }] } } },
  };
}

function gateways(
  count: number,
  name: (index: number) => string = (index) => `gateway-${index}`,
): JsonObject {
  const list = Array.from({ length: count }, (_, index) => ({ name: name(index), enabled: true }));
  return { components: { ingressGateways: list } };
}

/** A key that JSON may have and a literal may not. */
function withKey(key: string, value: JsonValue = { polluted: true }): JsonObject {
  return JSON.parse(`{${JSON.stringify(key)}:${JSON.stringify(value)}}`) as JsonObject; // printed one line above
}

const ALIAS_BOMB = [
  'a0: &a0 [x,x,x,x,x,x,x,x,x,x]',
  ...Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(',')}]`),
].join('\n');

const MIB = 1_000_000;

const SIZES: Readonly<Record<string, JsonValue>> = {
  'depth-unvalidated': { unvalidatedValues: nested(95) },
  'depth-mesh': { meshConfig: { defaultConfig: nested(90) } },
  'wide-values': { values: wide(19_000) },
  'wide-values-refused': { values: wide(50_000) },
  'wide-mesh': { meshConfig: { defaultConfig: { proxyMetadata: wide(19_000) } } },
  'wide-unvalidated': { unvalidatedValues: wide(19_000) },
  'wide-spec': wide(19_000),
  'wide-providers': {
    meshConfig: { extensionProviders: Array.from({ length: 9_000 }, (_, i) => ({ name: `p${i}` })) },
  },
  'wide-env': {
    components: {
      pilot: { k8s: { env: Array.from({ length: 6_000 }, (_, i) => ({ name: `E${i}`, value: 'x' })) } },
    },
  },
  'many-gateways': gateways(250),
  'too-many-gateways': gateways(10_000),
  'many-unnamed-gateways': { components: { ingressGateways: Array.from({ length: 250 }, () => ({})) } },
  'same-gateways': gateways(200, () => 'same'),
  'many-patches': patches(6_000),
  'too-many-patches': patches(10_000),
  'replicas-huge': { components: { pilot: { k8s: { replicaCount: 2_147_483_647 } } } },
  'replicas-beyond-integers': { components: { pilot: { k8s: { replicaCount: 2 ** 60 } } } },
  'replicas-negative': { components: { pilot: { k8s: { replicaCount: -1 } } } },
};

const TEXTS: Readonly<Record<string, JsonValue>> = {
  'long-tag': { tag: 'x'.repeat(MIB) },
  'long-hub': { hub: `example.com/${'x'.repeat(MIB)}` },
  'long-profile': { profile: 'x'.repeat(MIB) },
  'long-path': overlay([{ path: 'a.'.repeat(MIB / 2), value: 1 }]),
  'long-brackets': overlay([{ path: `spec.${'['.repeat(MIB)}`, value: 1 }]),
  'path-somewhat-long': overlay([{ path: 'a.'.repeat(7_000), value: 1 }]),
  'path-pattern': overlay([
    { path: `spec.template.spec.containers.[name:(a+)+$]${'a'.repeat(30_000)}`, value: 1 },
  ]),
  'path-pattern-long': overlay([{ path: `spec.[name:(.*a){99}]${'a'.repeat(MIB)}`, value: 1 }]),
  'path-prototype': overlay([{ path: '__proto__.polluted', value: true }]),
  'path-constructor': overlay([{ path: 'constructor.prototype.polluted', value: true }]),
  'path-index': overlay([{ path: 'spec.template.spec.containers.[99999999999]', value: 1 }]),
  'path-empty': overlay([{ path: '', value: 1 }]),
  'overlay-value-bomb': overlay([{ path: 'metadata.annotations', value: ALIAS_BOMB }]),
  'template-braces': {
    meshConfig: { rootNamespace: '{{ .Values.global.hub }}', accessLogFile: '{{{{raw}}}}' },
  },
  'template-go': {
    values: { sidecarInjectorWebhook: { templates: { x: '{{ range $i := until 1000000000 }}a{{ end }}' } } },
  },
  'template-yaml-bomb': { values: { sidecarInjectorWebhook: { templates: { x: ALIAS_BOMB } } } },
  'injected-yaml': { meshConfig: { rootNamespace: 'istio-system\nprivileged: true\n---\nkind: Secret' } },
  'long-lines': { meshConfig: { rootNamespace: 'a: b\n'.repeat(150_000) } },
  'control-characters': { hub: 'example.com/\u0001\u0007\u001b[31m' },
  'lone-surrogate': { tag: '\ud800' },
  'right-to-left': { tag: '\u202e1.30.3\ufeff' },
  'revision-odd': { revision: '../../etc' },
  'revision-long': { revision: 'r'.repeat(300) },
  'profile-path': { profile: '../../etc/passwd' },
  'profile-address': { profile: 'http://169.254.169.254/latest' },
  'profile-prototype': { profile: '__proto__' },
  'profile-constructor': { profile: 'constructor' },
  'package-path': { installPackagePath: '/proc/self/environ' },
  'namespace-odd': { values: { global: { istioNamespace: 'Not/A Namespace' } } },
  'gateway-name-odd': gateways(1, () => '../a b\n{{x}}'),
  'gateway-name-long': gateways(1, () => 'g'.repeat(5_000)),
  'component-version-prototype': { compatibilityVersion: '__proto__' },
  'platform-prototype': { values: { global: { platform: 'constructor' } } },
};

const KEYS: Readonly<Record<string, JsonValue>> = {
  ...Object.fromEntries(
    ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', 'then', 'toJSON'].map(
      (key) => [
        `key-${key.toLowerCase().replaceAll('_', '')}`,
        { values: withKey(key), unvalidatedValues: { global: withKey(key) } },
      ],
    ),
  ),
  'key-proto-spec': withKey('__proto__'),
  'key-proto-unvalidated': { unvalidatedValues: withKey('__proto__') },
  'key-constructor-prototype': { meshConfig: { constructor: { prototype: { polluted: true } } } },
  'key-empty': { values: withKey('', 1) },
  'key-long': { values: withKey('k'.repeat(500_000), 1) },
  'key-line-break': { unvalidatedValues: { pilot: { podAnnotations: withKey('a\nprivileged: true', 'x') } } },
  'key-template': { meshConfig: { defaultConfig: { proxyMetadata: withKey('{{x}}', 'y') } } },
};

const TYPES: Readonly<Record<string, JsonValue>> = {
  'spec-text': 'profile: demo',
  'spec-list': [{ profile: 'demo' }],
  'spec-number': 1,
  'profile-map': { profile: {} },
  'components-list': { components: [] },
  'components-text': { components: 'all' },
  'pilot-text': { components: { pilot: 'on' } },
  'k8s-list': { components: { pilot: { k8s: [] } } },
  'gateways-map': { components: { ingressGateways: { name: 'x' } } },
  'gateways-holes': { components: { ingressGateways: [null, null, 5, 'x'] } },
  'overlays-map': { components: { pilot: { k8s: { overlays: {} } } } },
  'overlays-holes': { components: { pilot: { k8s: { overlays: [null, { patches: [null] }] } } } },
  'values-list': { values: [1, 2] },
  'values-null-tree': { values: { global: null, pilot: null, gateways: null } },
  'mesh-text': { meshConfig: 'accessLogFile: /dev/stdout' },
  'hub-map': { hub: { a: 1 } },
  'tag-list': { tag: [] },
  'numbers-huge': { values: { pilot: { traceSampling: 1e308, cpu: { targetAverageUtilization: -1e308 } } } },
  'booleans-texts': { components: { pilot: { enabled: 'yes' }, cni: { enabled: 1 } } },
};

/** The API server itself takes many seconds for what is much deeper. */
const DEEP: readonly Poison[] = [
  ...[99, 100, 101, 200, 400, 800].map((depth) => ({
    name: `depth-${depth}`,
    spec: `{"values":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`,
  })),
  { name: 'depth-lists', spec: `{"values":{"list":${'['.repeat(500)}${']'.repeat(500)}}}` },
];

/** A gateway on its own, in the namespace of the resource. */
function gateway(name: string, k8s: JsonObject): JsonObject {
  return { name, namespace: POISON_NAMESPACE, enabled: true, label: { istio: name }, k8s };
}

function onlyGateway(name: string, k8s: JsonObject): JsonObject {
  return { profile: 'empty', components: { ingressGateways: [gateway(name, k8s)] } };
}

function times<T extends JsonValue>(count: number, make: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function map(count: number, key: string, value: string): JsonObject {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`${key}${i}`, value]));
}

function deploymentOverlay(name: string, made: readonly JsonObject[]): JsonObject {
  return { overlays: [{ kind: 'Deployment', name, patches: made }] };
}

const env = (count: number): JsonObject => ({
  env: times(count, (i) => ({ name: `E${i}`, value: `value ${i}` })),
});

const HEAVY_SPECS: Readonly<Record<string, JsonObject>> = {
  'heavy-gateways': {
    profile: 'empty',
    components: { ingressGateways: times(60, (i) => gateway(`heavy-${i}`, {})) },
  },
  'heavy-egress': {
    profile: 'empty',
    components: { egressGateways: times(10, (i) => gateway(`egress-${i}`, env(50))) },
  },
  'heavy-env': onlyGateway('env', env(200)),
  'heavy-patches': onlyGateway(
    'patches',
    deploymentOverlay(
      'patches',
      times(200, (i) => ({ path: `spec.template.metadata.annotations.key${i}`, value: `${i}` })),
    ),
  ),
  'heavy-patch': onlyGateway(
    'patch',
    deploymentOverlay('patch', [{ path: 'metadata.annotations.large', value: 'x'.repeat(100_000) }]),
  ),
  'heavy-ports': onlyGateway('ports', {
    service: { ports: times(90, (i) => ({ name: `p${i}`, port: 2_000 + i, targetPort: 12_000 + i })) },
  }),
  'heavy-tolerations': onlyGateway('tolerations', {
    tolerations: times(200, (i) => ({ key: `taint-${i}`, operator: 'Exists' })),
  }),
  'heavy-annotations': onlyGateway('annotations', {
    podAnnotations: map(300, 'example.com/key', 'x'.repeat(300)),
  }),
  'heavy-mesh': {
    profile: 'minimal',
    revision: 'heavy',
    meshConfig: {
      extensionProviders: times(300, (i) => ({
        name: `provider-${i}`,
        zipkin: { service: `zipkin-${i}.example.com`, port: 9_411 },
      })),
      defaultConfig: { proxyMetadata: map(300, 'KEY_', 'value') },
    },
  },
  'heavy-values': {
    ...onlyGateway('values', {}),
    unvalidatedValues: { example: wide(2_000) },
  },
};

/** Much, and nothing wrong with it: these are installed. */
export const HEAVY: readonly Poison[] = Object.entries(HEAVY_SPECS).map(([name, spec]) => ({
  name,
  spec: JSON.stringify(spec),
}));

/** Each is created with an annotation that keeps it from being installed when it turns out to be bearable. */
export const POISONS: readonly Poison[] = [
  ...DEEP,
  ...Object.entries({ ...SIZES, ...TEXTS, ...KEYS, ...TYPES }).map(([name, spec]) => ({
    name,
    spec: JSON.stringify(spec),
  })),
];
