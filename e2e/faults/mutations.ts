/**
 * What a specification can be changed to, one field at a time: from the schemas of the specification and of the values,
 * as Acto does it, and from a table of what the types alone do not tell.
 */
import type { JsonArray, JsonObject, JsonValue } from '../../src/model/json.ts';
import { at, isJsonArray, isJsonObject, listAt } from '../../src/model/json.ts';
import { closedWalk } from './closed-walk.ts';

export type Path = readonly string[];

export interface Mutation {
  readonly family: 'field' | 'semantic' | 'component' | 'profile' | 'overlay';
  readonly path: Path;
  /** Null takes a default away. */
  readonly value: JsonValue;
}

/** A place that a schema describes, with the types that it allows there. */
interface Field {
  readonly path: Path;
  readonly types: readonly string[];
  readonly choices: JsonArray;
}

const TEXT_FOR_NONE = 'not-of-that-type';

/** What is tried for each type: other values, none, the edges of the type, and one of a wrong type. */
const VALUES_BY_TYPE: Readonly<Record<string, JsonArray>> = {
  boolean: [true, false, null, TEXT_FOR_NONE],
  integer: [3, 0, -1, 2 ** 31, null, TEXT_FOR_NONE],
  number: [3, 0.5, -1, null, TEXT_FOR_NONE],
  string: ['changed', '', 'two\nlines: {{x}}', null, { wrong: 'type' }],
  array: [[], null, ['added'], [{ name: 'added' }], TEXT_FOR_NONE],
  object: [{}, null, { added: 'value' }, TEXT_FOR_NONE],
};

/** Deeper than the types of Kubernetes that are repeated for each component nothing new is found. */
const MAX_DEPTH = 7;

/** Every mutation of the fields that a schema describes, below `prefix`. */
export function fieldMutations(schema: JsonObject, prefix: Path = []): readonly Mutation[] {
  return fieldsOf(schema, schema, prefix).flatMap(({ path, types, choices }) => {
    const byType = types.flatMap((type) => VALUES_BY_TYPE[type] ?? []);
    const values = choices.length === 0 ? byType : [...choices, 'no-such-choice', null];
    return distinct(values).map((value) => ({ family: 'field', path, value }) as const);
  });
}

function fieldsOf(root: JsonObject, schema: JsonValue | undefined, path: Path): readonly Field[] {
  const resolved = resolve(root, schema);
  if (resolved === undefined || path.length > MAX_DEPTH) return [];
  const { properties } = resolved;
  if (isJsonObject(properties) && Object.keys(properties).length > 0)
    return Object.entries(properties).flatMap(([name, child]) => fieldsOf(root, child, [...path, name]));
  return [
    { path, types: typesOf(resolved), choices: listAt(resolved, 'enum').filter((one) => one !== null) },
  ];
}

function resolve(root: JsonObject, schema: JsonValue | undefined): JsonObject | undefined {
  if (!isJsonObject(schema)) return undefined;
  const reference = schema['$ref'];
  return typeof reference === 'string' ? resolve(root, at(root, ...reference.slice(2).split('/'))) : schema;
}

/** A schema that names no type, as for the tag, takes texts and numbers. */
function typesOf(schema: JsonObject): readonly string[] {
  const { type } = schema;
  const types = isJsonArray(type) ? type : [type ?? 'string'];
  return types.filter((one) => typeof one === 'string' && one !== 'null').map(String);
}

function distinct(values: JsonArray): JsonArray {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

const GATEWAY = 'istio-ingressgateway';
const PILOT: Path = ['components', 'pilot', 'k8s'];

/** Sub-trees that are a type of Kubernetes: a change that it takes, and one that only the API server can refuse. */
const SEMANTICS: Readonly<Record<string, JsonArray>> = {
  resources: [
    { requests: { cpu: '50m', memory: '64Mi' } },
    { requests: { cpu: '0.1', memory: '1e8' }, limits: { memory: '1Gi' } },
    { requests: { cpu: '2' }, limits: { cpu: '1' } },
    { requests: { cpu: 'much' } },
  ],
  affinity: [
    {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 1, preference: { matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] } },
        ],
      },
    },
    { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 0, preference: {} }] } },
  ],
  tolerations: [
    [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }],
    [{ key: 'dedicated', operator: 'Never' }],
  ],
  nodeSelector: [{ 'kubernetes.io/os': 'linux' }, { 'example.com/nowhere': 'true' }, { 'not a key': 'x' }],
  readinessProbe: [
    { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 7 },
    { tcpSocket: { port: 15017 } },
    { httpGet: { path: '/ready', port: 70_000 } },
  ],
  podDisruptionBudget: [
    { minAvailable: 1 },
    { maxUnavailable: '50%' },
    { minAvailable: 1, maxUnavailable: 1 },
  ],
  service: [
    { type: 'ClusterIP' },
    { type: 'ClusterIP', ports: [{ name: 'https-webhook', port: 443, targetPort: 15017 }] },
    {
      ports: [
        { name: 'one', port: 80 },
        { name: 'one', port: 81 },
      ],
    },
  ],
  strategy: [
    { rollingUpdate: { maxSurge: 2, maxUnavailable: 0 } },
    { type: 'Recreate', rollingUpdate: null },
    { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } },
  ],
  env: [
    [{ name: 'ADDED', value: 'x' }],
    [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
    [{ name: 'BOTH', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
  ],
  hpaSpec: [
    { maxReplicas: 3, minReplicas: 1 },
    { maxReplicas: 1, minReplicas: 2 },
  ],
  replicaCount: [2, 0],
  podAnnotations: [{ 'example.com/team': 'mesh' }, { 'not a key': 'x' }],
  imagePullSecrets: [['registry'], ['Not_A_Name']],
  priorityClassName: ['system-cluster-critical', 'no-such-class'],
  securityContext: [{ runAsNonRoot: true, fsGroup: 1_337 }],
};

/** Paths of patches in every form that overlays know. */
const OVERLAY_PATCHES: readonly (readonly [string, JsonValue])[] = [
  ['spec.template.metadata.annotations.added', 'x'],
  ['spec.template.spec.containers.[name:discovery].terminationMessagePolicy', 'FallbackToLogsOnError'],
  ['spec.template.spec.containers.[0].tty', true],
  ['spec.template.spec.containers.[name:discovery].args.[-1]', '--added'],
  ['spec.template.spec.containers.[name:no-such].image', 'x'],
  ['spec.template.spec.terminationGracePeriodSeconds', 11],
  ['spec.replicas', 'many'],
  ['spec.template.spec.volumes.[name:istio-token]', null],
  ['metadata.labels.added', 'yes'],
  ['metadata.annotations', { added: 'x' }],
];

/** The first five are sound. */
const GATEWAYS: readonly JsonArray[] = [
  [],
  [{ name: GATEWAY, enabled: false }],
  [{ name: GATEWAY, enabled: true }],
  [{ name: 'renamed', enabled: true }],
  [
    { name: GATEWAY, enabled: true },
    { name: 'second', enabled: true, label: { app: 'second', istio: 'second' } },
  ],
  [{ name: 'Not_A_Name', enabled: true }],
  [{ enabled: true }],
];

const PROFILES = ['default', 'demo', 'minimal', 'empty', 'ambient', 'preview', 'remote', 'stable', 'no-such'];

/** Those that come up on any cluster. */
const WALKED_PROFILES = [
  'empty',
  'default',
  'demo',
  'minimal',
  'ambient',
  'preview',
  'stable',
  'remote',
  'external',
  'observability',
];
const SOUND_GATEWAYS = GATEWAYS.slice(0, 5);

/** From each profile to each other one, beginning at `empty`. */
export function profileWalk(): readonly Mutation[] {
  const values = closedWalk(WALKED_PROFILES).slice(1);
  return values.map((value) => ({ family: 'profile', path: ['profile'], value }) as const);
}

/** From each sound list of gateways to each other one, for both kinds of gateways. */
export function gatewayWalks(): readonly Mutation[] {
  return ['ingressGateways', 'egressGateways'].flatMap((list) =>
    closedWalk(SOUND_GATEWAYS).map(
      (value) => ({ family: 'component', path: ['components', list], value }) as const,
    ),
  );
}

/** What the types of the fields alone do not tell. */
export function semanticMutations(): readonly Mutation[] {
  const semantic = Object.entries(SEMANTICS).flatMap(([field, values]) =>
    values.map((value) => ({ family: 'semantic', path: [...PILOT, field], value }) as const),
  );
  const overlays = OVERLAY_PATCHES.map(([path, value]) => {
    const overlay = { kind: 'Deployment', name: 'istiod', patches: [{ path, value }] };
    return { family: 'overlay', path: [...PILOT, 'overlays'], value: [overlay] } as const;
  });
  const gateways = ['ingressGateways', 'egressGateways'].flatMap((list) =>
    GATEWAYS.map((value) => ({ family: 'component', path: ['components', list], value }) as const),
  );
  const components = ['base', 'pilot', 'cni', 'ztunnel'].flatMap((name) =>
    [true, false].map(
      (value) => ({ family: 'component', path: ['components', name, 'enabled'], value }) as const,
    ),
  );
  const profiles = PROFILES.map((value) => ({ family: 'profile', path: ['profile'], value }) as const);
  return [...semantic, ...overlays, ...gateways, ...components, ...profiles];
}

/** The specification with the value in its place; what stands in the way is replaced. */
export function mutate(spec: JsonObject, { path, value }: Pick<Mutation, 'path' | 'value'>): JsonObject {
  const [name, ...rest] = path;
  if (name === undefined) return spec;
  const child = spec[name];
  if (rest.length === 0) return { ...spec, [name]: value };
  return { ...spec, [name]: mutate(isJsonObject(child) ? child : {}, { path: rest, value }) };
}

/** Such as `values.pilot.replicaCount = -1`. */
export function displayMutation({ path, value }: Mutation): string {
  return `${path.join('.')} = ${JSON.stringify(value)}`;
}
