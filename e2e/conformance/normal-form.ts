/**
 * The form in which our objects and upstream's are compared: what has no meaning to Kubernetes or Istio is gone. The
 * recorded objects are in this form already; ours are brought into it.
 */
import { load, YAML11_SCHEMA } from 'js-yaml';
import type { JsonArray, JsonObject, JsonValue } from '../../src/model/json.ts';
import { isJsonArray, isJsonObject, stringAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';

/** Labels by which Helm and we tell whose objects are. */
const OWN_LABELS = new Set(['helm.sh/chart', 'app.kubernetes.io/managed-by']);

/** Fields in which an empty value means the same as none. */
const EMPTY_IS_ABSENT = new Set([
  'annotations',
  'labels',
  'nodeSelector',
  'resources',
  'affinity',
  'tolerations',
  'imagePullSecrets',
  'securityContext',
  'topologySpreadConstraints',
  'env',
  'envFrom',
  'volumes',
  'volumeMounts',
  'initContainers',
  'args',
  'seccompProfile',
  'behavior',
  'ports',
]);

/** Lists of scalars whose order means nothing. */
const SETS = new Set(['apiGroups', 'resources', 'verbs', 'resourceNames', 'nonResourceURLs']);

/** Injection templates are compared by running them (e2e/injection), not by their text. */
const TEMPLATE_LENGTH = 200;

export function normalForm(object: K8sObject): JsonValue {
  if (object.kind === 'CustomResourceDefinition') {
    const { apiVersion, kind, metadata } = object;
    return { apiVersion, kind, metadata: { name: metadata.name } };
  }
  return normalValue(withParsedTexts(object), '');
}

/** istioctl reads files as YAML 1.1, where these are booleans, also as keys; the recorded cases hold some unquoted. */
const YAML_1_1_BOOLEANS: Readonly<Record<string, boolean>> = { y: true, Y: true, n: false, N: false };

function asYaml11(text: string): boolean | string {
  return YAML_1_1_BOOLEANS[text] ?? text;
}

function normalValue(value: JsonValue, field: string): JsonValue {
  if (isJsonArray(value)) return normalList(value, field);
  if (!isJsonObject(value)) return typeof value === 'string' ? asYaml11(value) : value;
  const entries = Object.entries(value)
    .filter(([key]) => !OWN_LABELS.has(key))
    .map(([key, entry]) => [String(asYaml11(key)), normalValue(entry, key)] as const)
    .filter(([key, entry]) => entry !== null && !(EMPTY_IS_ABSENT.has(key) && isEmpty(entry)));
  return Object.fromEntries(entries);
}

function isEmpty(value: JsonValue): boolean {
  if (isJsonArray(value)) return value.length === 0;
  return isJsonObject(value) && Object.keys(value).length === 0;
}

function normalList(list: JsonArray, field: string): JsonArray {
  const items = list.map((item) => normalValue(item, ''));
  if (SETS.has(field)) return items.toSorted(byText(String));
  if (field === 'rules') return items.toSorted(byText(sortedJson));
  if (field === 'webhooks') return items.toSorted(byText((item) => stringAt(item, 'name') ?? ''));
  return items;
}

function byText(text: (value: JsonValue) => string): (a: JsonValue, b: JsonValue) => number {
  return (a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0);
}

/** JSON with sorted keys, for sorting and for comparing. */
export function sortedJson(value: JsonValue): string {
  return JSON.stringify(value, (_key, entry: JsonValue) =>
    isJsonObject(entry)
      ? Object.fromEntries(Object.entries(entry).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : entry,
  );
}

/** ConfigMaps hold YAML and JSON as texts; what counts is what they say. */
function withParsedTexts(object: K8sObject): JsonObject {
  const data = object['data'];
  if (object.kind !== 'ConfigMap' || !isJsonObject(data)) return object;
  const parse = Object.entries(PARSERS).find(([name]) =>
    new RegExp(`^${name}(-|$)`, 'u').test(object.metadata.name),
  )?.[1];
  if (parse === undefined) return object;
  return {
    ...object,
    data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, parse(key, text)])),
  };
}

type TextParser = (key: string, text: JsonValue) => JsonValue;

const PARSERS: Readonly<Record<string, TextParser>> = {
  'istio-sidecar-injector': (key, text) => (key === 'config' ? withoutTemplates(yamlOf(text)) : yamlOf(text)),
  values: () => '<values>',
  istio: (key, text) => (key === 'mesh' || key === 'meshNetworks' ? yamlOf(text) : text),
};

function yamlOf(text: JsonValue): JsonValue {
  // istiod reads YAML 1.1; the recorded form is plain JSON.
  return typeof text === 'string' ? (load(text, { schema: YAML11_SCHEMA }) as JsonValue) : text;
}

function withoutTemplates(config: JsonValue): JsonValue {
  if (!isJsonObject(config) || !isJsonObject(config['templates'])) return config;
  const templates = Object.entries(config['templates']).map(([name, text]) => {
    const isLong = typeof text === 'string' && (text.length >= TEMPLATE_LENGTH || text === '<template>');
    return [name, isLong ? '<template>' : text] as const;
  });
  return { ...config, templates: Object.fromEntries(templates) };
}
