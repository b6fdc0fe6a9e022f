/** What the operator applied of a live object, field by field, and where each field stands. */
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { at, isJsonArray, isJsonObject } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import {
  appliedFields,
  childKeys,
  FIELD_MANAGER,
  findItem,
  findMember,
  isFieldSet,
  keyNames,
} from '../../src/apply/managed-fields.ts';

export type Place = readonly (string | number)[];

export interface AppliedField {
  /** In keys of FieldsV1. */
  readonly keys: readonly string[];
  readonly place: Place;
  readonly value: JsonValue;
  /** A whole item of a keyed list, whose own fields are listed beside it. */
  readonly isItem: boolean;
}

/** The fields that have no applied fields below them, and the items of lists. */
export function appliedTo(live: K8sObject): readonly AppliedField[] {
  const fields = appliedFields(live, FIELD_MANAGER)?.fields ?? {};
  return below({ keys: [], place: [], value: live, isItem: false }, fields);
}

/** Equal for two states of an object exactly when the same is applied to both, with the same values. */
export function appliedContent(live: K8sObject): string {
  const fields = appliedTo(live).filter(({ isItem }) => !isItem);
  const lines = fields.map(({ keys, value }) => `${keys.join(' ')} ${JSON.stringify(value)}`);
  return lines.toSorted().join('\n');
}

export interface Scalar {
  readonly place: Place;
  readonly value: JsonValue;
}

/** The values below a field that are neither maps nor lists; of a list's item not those by which it is known. */
export function scalarsOf({ place, value, keys }: AppliedField): readonly Scalar[] {
  const children: readonly (readonly [string | number, JsonValue])[] = isJsonArray(value)
    ? value.map((item, index) => [index, item] as const)
    : Object.entries(isJsonObject(value) ? value : {});
  if (isJsonArray(value) || isJsonObject(value)) {
    return children.flatMap(([step, child]) =>
      scalarsOf({ keys, place: [...place, step], value: child, isItem: false }),
    );
  }
  const item = keys.findLast((key) => key.startsWith('k:'));
  return keyNames(item ?? 'k:{}').includes(String(place.at(-1))) ? [] : [{ place, value }];
}

/** As RFC 6901 writes it. */
export function pointerTo(place: Place): string {
  return place.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function below(field: AppliedField, fields: JsonObject): readonly AppliedField[] {
  const steps = childKeys(fields);
  if (steps.length === 0) return [field];
  const inner = steps.flatMap((key) => {
    const step = stepOf(field.value, key);
    const value = step === undefined ? undefined : at(field.value, step);
    const next = fields[key];
    if (step === undefined || value === undefined || !isFieldSet(next)) return [];
    const child = { keys: [...field.keys, key], place: [...field.place, step], value, isItem: false };
    return below({ ...child, isItem: key.startsWith('k:') }, next);
  });
  return field.isItem ? [field, ...inner.map((child) => ({ ...child, isItem: false }))] : inner;
}

function stepOf(value: JsonValue, key: string): string | number | undefined {
  if (key.startsWith('f:')) return key.slice(2);
  if (!isJsonArray(value)) return undefined;
  const found = key.startsWith('k:') ? findItem(value, key) : findMember(value, key);
  return found === undefined ? undefined : value.indexOf(found);
}
