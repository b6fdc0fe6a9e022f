/** Where the pods of a gateway may run: architectures, nodes, and distance from each other. */
import type { JsonArray, JsonObject, JsonValue } from '../../model/json.ts';
import { isJsonObject } from '../../model/json.ts';
import { firstTruthy, sortedEntries, textOf, truthy } from '../go-values.ts';
import type { ValuesReader } from './reader.ts';

export function gatewayAffinity(v: ValuesReader, g: ValuesReader): JsonObject {
  const required = requiredNodes(v, g);
  const preferred = preferredNodes(v);
  const podAntiAffinity = antiAffinity(g);
  return {
    nodeAffinity: {
      ...(required.length === 0
        ? {}
        : {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: required }],
            },
          }),
      ...(preferred.length === 0 ? {} : { preferredDuringSchedulingIgnoredDuringExecution: preferred }),
    },
    ...(podAntiAffinity === null ? {} : { podAntiAffinity }),
  };
}

interface Architecture {
  readonly name: string;
  readonly weight: number;
}

function architectures(v: ValuesReader): readonly Architecture[] {
  return sortedEntries(v.map('global', 'arch'))
    .map(([name, weight]) => ({ name, weight: Number(weight) }))
    .filter(({ weight }) => weight > 0);
}

function requiredNodes(v: ValuesReader, g: ValuesReader): JsonArray {
  const names = architectures(v).map(({ name }) => name);
  const selector = firstTruthy(g.any('nodeSelector'), v.any('global', 'defaultNodeSelector'));
  const labels = isJsonObject(selector) ? sortedEntries(selector) : [];
  return [
    ...(v.is('global', 'arch') ? [{ key: 'kubernetes.io/arch', operator: 'In', values: names }] : []),
    ...labels.map(([key, value]) => ({ key, operator: 'In', values: [textOf(value)] })),
  ];
}

function preferredNodes(v: ValuesReader): JsonArray {
  return architectures(v).map(({ name, weight }) => ({
    weight,
    preference: { matchExpressions: [{ key: 'kubernetes.io/arch', operator: 'In', values: [name] }] },
  }));
}

function antiAffinity(g: ValuesReader): JsonObject | null {
  const required = g.list('podAntiAffinityLabelSelector').filter(isJsonObject);
  const preferred = g.list('podAntiAffinityTermLabelSelector').filter(isJsonObject);
  if (required.length === 0 && preferred.length === 0) return null;
  return {
    ...(required.length === 0
      ? {}
      : {
          requiredDuringSchedulingIgnoredDuringExecution: required.map((term) => ({
            ...podTerm(term),
            ...namespaces(term),
          })),
        }),
    ...(preferred.length === 0
      ? {}
      : {
          preferredDuringSchedulingIgnoredDuringExecution: preferred.map((term) => ({
            weight: 100,
            podAffinityTerm: podTerm(term),
          })),
        }),
  };
}

function podTerm(term: JsonObject): JsonObject {
  const expression = { key: term['key'] ?? null, operator: term['operator'] ?? null };
  const values = commaList(term['values']);
  return {
    labelSelector: { matchExpressions: [values === null ? expression : { ...expression, values }] },
    topologyKey: term['topologyKey'] ?? null,
  };
}

function namespaces(term: JsonObject): JsonObject {
  const names = commaList(term['namespaces']);
  return names === null ? {} : { namespaces: names };
}

function commaList(value: JsonValue | undefined): JsonArray | null {
  return truthy(value) ? textOf(value).split(',') : null;
}
