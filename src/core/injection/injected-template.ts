/** What injection makes of a pod template, from two answers of the API server to dry runs of a pod. */
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { isJsonArray, isJsonObject, jsonEqual, mapAt, stringAt } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';
import { textOf } from '../go-values.ts';
import { carryOver } from './carry-over.ts';
import type { PodTemplate } from './workloads.ts';

/** Why a pod is not injected by its own will; undefined when it has no objection. */
export function objectionOf({ metadata, spec }: PodTemplate): string | undefined {
  const choices = [mapAt(metadata, 'labels'), mapAt(metadata, 'annotations')];
  if (choices.some((map) => textOf(map['sidecar.istio.io/inject']) === 'false')) {
    return 'it says sidecar.istio.io/inject: "false"';
  }
  if (spec['hostNetwork'] === true) return 'it uses the network of its node (hostNetwork)';
  const isInjected = mapAt(metadata, 'annotations')['sidecar.istio.io/status'] !== undefined;
  return isInjected ? 'it is injected already' : undefined;
}

/** The same pod with injection off: the API server's answer to it shows what is not the injector's work. */
export function withoutInjection(pod: K8sObject): K8sObject {
  const off = { 'sidecar.istio.io/inject': 'false' };
  const labels = { ...mapAt(pod, 'metadata', 'labels'), ...off };
  const annotations = { ...mapAt(pod, 'metadata', 'annotations'), ...off };
  return { ...pod, metadata: { ...pod.metadata, labels, annotations } };
}

export interface Answers {
  /** To the pod with injection off. */
  readonly plain: K8sObject;
  /** To the pod as it is. */
  readonly injected: K8sObject;
}

/**
 * The template with what the webhooks did to it and without what the API server does to every pod. Undefined when
 * no webhook did anything.
 */
export function injectedTemplate(
  template: PodTemplate,
  { plain, injected }: Answers,
): PodTemplate | undefined {
  const before = podParts(plain);
  const after = podParts(injected);
  if (jsonEqual(withoutSwitch(before), withoutSwitch(after))) return undefined;
  const metadata = carryOver({ given: template.metadata, before: before.metadata, after: after.metadata });
  const spec = carryOver({ given: template.spec, before: before.spec, after: after.spec });
  return {
    ...template,
    // Lists and scalars can't come of two maps.
    metadata: isJsonObject(metadata) ? metadata : {},
    spec: isJsonObject(spec) ? spec : {},
  };
}

/** Without the label and the annotation that turn injection off or on: they are the only difference that is ours. */
function withoutSwitch({ metadata, spec }: PodTemplate): PodTemplate {
  return {
    metadata: {
      labels: withoutSwitchIn(mapAt(metadata, 'labels')),
      annotations: withoutSwitchIn(mapAt(metadata, 'annotations')),
    },
    spec,
  };
}

function withoutSwitchIn(map: JsonObject): JsonObject {
  const { 'sidecar.istio.io/inject': _switch, ...rest } = map;
  return rest;
}

function podParts(pod: K8sObject): PodTemplate {
  const { labels, annotations } = pod.metadata;
  const metadata = {
    ...(isJsonObject(labels) ? { labels } : {}),
    ...(isJsonObject(annotations) ? { annotations } : {}),
  };
  return { metadata, spec: withoutTokenVolume(mapAt(pod, 'spec')) };
}

/** The volume with a token that the API server gives to each pod, under a new name each time. */
const TOKEN_VOLUME = /^kube-api-access-[a-z0-9]{5}$/u;

function withoutTokenVolume(spec: JsonObject): JsonObject {
  const entries = Object.entries(spec).map(([key, value]) => {
    if (key === 'volumes') return [key, withoutTokenEntries(value)] as const;
    return [key, /containers$/iu.test(key) ? withoutTokenMounts(value) : value] as const;
  });
  return Object.fromEntries(entries);
}

function withoutTokenMounts(containers: JsonValue): JsonValue {
  if (!isJsonArray(containers)) return containers;
  return containers.map((container) => {
    if (!isJsonObject(container)) return container;
    const { volumeMounts, ...rest } = container;
    return volumeMounts === undefined ? rest : { ...rest, volumeMounts: withoutTokenEntries(volumeMounts) };
  });
}

function withoutTokenEntries(list: JsonValue): JsonValue {
  if (!isJsonArray(list)) return list;
  return list.filter((entry) => !TOKEN_VOLUME.test(stringAt(entry, 'name') ?? ''));
}
