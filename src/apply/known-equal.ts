/** Remembers what only the API server could tell: that applying an object changes nothing. */
import { createHash } from 'node:crypto';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { isJsonArray, isJsonObject, listAt, stringAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import type { KnownEqual } from './engine.port.ts';

/** Keeps the latest pairs, at most `limit` of them; one pair takes some hundred bytes. */
export function createKnownEqual(limit = 5_000): KnownEqual {
  const pairs = new Set<string>();
  return {
    has: (pair) => pairs.has(pair),
    add: (pair) => {
      pairs.delete(pair);
      pairs.add(pair);
      const [oldest] = pairs;
      if (pairs.size > limit && oldest !== undefined) pairs.delete(oldest);
    },
  };
}

/** Names a pair of desired and live object. Any change to either, but for the live status, makes another name. */
export function pairOf(desired: K8sObject, live: K8sObject): string {
  return digestOf([desired, contentOf(live)]);
}

/** Equal for equal values, whatever the order of their members; some forty characters, however large the value. */
export function digestOf(value: JsonValue): string {
  return createHash('sha256').update(canonical(value)).digest('base64');
}

/** Tells whether two states of one object are the same, but for status, version and the times of its managers. */
export function sameContent(left: K8sObject, right: K8sObject): boolean {
  return canonical(contentOf(left)) === canonical(contentOf(right));
}

function contentOf(live: K8sObject): JsonObject {
  const { status: _status, ...content } = live;
  const {
    resourceVersion: _version,
    generation: _generation,
    managedFields: _fields,
    ...metadata
  } = live.metadata;
  const managers = listAt(live, 'metadata', 'managedFields')
    .filter((entry) => stringAt(entry, 'subresource') === undefined)
    .map(withoutTime);
  return { ...content, metadata: { ...metadata, managedFields: managers.toSorted(byText) } };
}

function withoutTime(entry: JsonValue): JsonValue {
  if (!isJsonObject(entry)) return entry;
  const { time: _time, ...rest } = entry;
  return rest;
}

function byText(left: JsonValue, right: JsonValue): number {
  const [leftText, rightText] = [canonical(left), canonical(right)];
  if (leftText === rightText) return 0;
  return leftText < rightText ? -1 : 1;
}

/** JSON whose map keys are in order: equal trees give equal texts. */
export function canonical(value: JsonValue): string {
  if (isJsonArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.keys(value)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`);
  return `{${members.join(',')}}`;
}
