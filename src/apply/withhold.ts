/** Takes fields out of what is applied without changing what is there. */
import type { JsonArray, JsonObject, JsonValue } from '../model/json.ts';
import { at, isJsonArray, isJsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { stepOfItem } from './compare.ts';
import {
  appliedFields,
  childKeys,
  FIELD_MANAGER,
  findItem,
  findMember,
  isApplied,
  isFieldSet,
} from './managed-fields.ts';

/** In keys of FieldsV1, as `managedFields` has them. */
export type FieldPath = readonly string[];

/**
 * The desired object without the fields at these paths. Where we are the one who applied such a field, its live value
 * takes its place, because the API server removes a field that its only owner leaves out; a list of ours that others put
 * into another order gets that order. What we applied and do not desire stays as it is for the same reason. Other paths
 * that the object does not have change nothing.
 */
export function withhold(desired: K8sObject, live: K8sObject, paths: readonly FieldPath[]): K8sObject {
  return paths.reduce<K8sObject>(
    (object, path) => withheldAt({ desired: object, live, path: [] }, path, live) as K8sObject, // no path is empty
    desired,
  );
}

/** The live value at a path; undefined where there is none. */
export function valueAt(live: JsonValue, path: FieldPath): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((value, step) => stepInto(value, step), live);
}

/** The tree with another value at a path, or none there; the same tree when it does not have the path. */
export function replacedAt(
  tree: JsonValue,
  [step, ...rest]: FieldPath,
  value?: JsonValue,
): JsonValue | undefined {
  if (step === undefined) return value;
  const before = stepInto(tree, step);
  if (before === undefined) return tree;
  return replaced(tree, { step, before, after: replacedAt(before, rest, value) });
}

interface Field {
  readonly desired: JsonValue;
  readonly live: JsonValue | undefined;
  readonly path: FieldPath;
}

function withheldAt(field: Field, [step, ...rest]: FieldPath, subject: K8sObject): JsonValue | undefined {
  if (step === undefined) return settled(field, subject);
  const before = stepInto(field.desired, step);
  if (before === undefined) return rest.length === 0 ? withSurplus(field, step, subject) : field.desired;
  const inner = { desired: before, live: stepInto(field.live, step), path: [...field.path, step] };
  return replaced(field.desired, { step, before, after: withheldAt(inner, rest, subject) });
}

function settled({ desired, live, path }: Field, subject: K8sObject): JsonValue | undefined {
  if (!isApplied(subject, FIELD_MANAGER, path)) return undefined;
  return isJsonArray(desired) && isJsonArray(live)
    ? inOrderOf(live, desired, ownedSteps(subject, path))
    : live;
}

function stepInto(value: JsonValue | undefined, step: string): JsonValue | undefined {
  if (step.startsWith('f:')) return at(value, step.slice(2));
  if (!isJsonArray(value)) return undefined;
  return step.startsWith('k:') ? findItem(value, step) : findMember(value, step);
}

/** Adds what is there, as far as it is ours. */
function withSurplus({ desired, live, path }: Field, step: string, subject: K8sObject): JsonValue {
  const there = stepInto(live, step);
  const owned = ownedAt(subject, [...path, step]);
  if (there === undefined || owned === undefined) return desired;
  const surplus = ownedPart(there, owned);
  if (isJsonObject(desired)) return { ...desired, [step.slice(2)]: surplus };
  if (!isJsonArray(desired) || !isJsonArray(live)) return desired;
  return inOrderOf(live, [...desired, surplus], ownedSteps(subject, path));
}

function ownedPart(live: JsonValue, owned: JsonObject): JsonValue {
  const steps = childKeys(owned);
  const parts = steps.flatMap((step) => {
    const [value, fields] = [stepInto(live, step), owned[step]];
    return value === undefined || !isFieldSet(fields) ? [] : [[step, ownedPart(value, fields)] as const];
  });
  if (steps.length === 0) return live;
  if (isJsonArray(live)) return parts.map(([, value]) => value);
  return Object.fromEntries(parts.map(([step, value]) => [step.slice(2), value]));
}

interface Replacement {
  readonly step: string;
  readonly before: JsonValue;
  readonly after: JsonValue | undefined;
}

function replaced(parent: JsonValue, { step, before, after }: Replacement): JsonValue {
  if (isJsonArray(parent)) return parent.flatMap((item) => (item === before ? (after ?? []) : [item]));
  if (!isJsonObject(parent)) return parent;
  const name = step.slice(2);
  const others = Object.fromEntries(Object.entries(parent).filter(([key]) => key !== name));
  return after === undefined ? others : { ...parent, [name]: after };
}

function ownedSteps(subject: K8sObject, path: FieldPath): readonly string[] {
  return childKeys(ownedAt(subject, path) ?? {});
}

function ownedAt(subject: K8sObject, path: FieldPath): JsonObject | undefined {
  const owned = at(appliedFields(subject, FIELD_MANAGER)?.fields, ...path);
  return isFieldSet(owned) ? owned : undefined;
}

/** Items that the live list does not have go to the end. */
function inOrderOf(live: JsonArray, desired: JsonArray, steps: readonly string[]): JsonArray {
  const placeOf = (item: JsonValue): number => {
    const found = findItem(live, stepOfItem(item, steps));
    return found === undefined ? live.length : live.indexOf(found);
  };
  return desired.toSorted((left, right) => placeOf(left) - placeOf(right));
}
