/**
 * Decides from a live object alone whether applying an object would change anything, so that nothing is written at
 * rest.
 *
 * It rests on a promise of server-side apply: when anybody else changes a field that we applied, the field is no
 * longer ours in `managedFields`. So a desired field that is ours has the value that we applied last, as the server
 * spells it; a desired field that isn't ours has to be applied; a field that is ours and no longer desired has to be
 * applied away; and fields that are neither belong to others and are never looked at.
 */
import type { JsonArray, JsonObject, JsonValue } from '../model/json.ts';
import { at, isJsonArray, isJsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import type { Likeness } from './equal-value.ts';
import { likeness } from './equal-value.ts';
import {
  appliedFields,
  childKeys,
  displayPath,
  FIELD_MANAGER,
  findItem,
  findMember,
  isFieldSet,
  keyNames,
  keyOfItem,
  otherOwners,
} from './managed-fields.ts';

export type Verdict =
  | { readonly kind: 'same' }
  /** Has to be applied: which fields differ, and which managers hold those that are not ours. */
  | { readonly kind: 'differs'; readonly fields: readonly string[]; readonly changedBy: readonly string[] }
  /** Only the API server knows whether its spelling of these fields equals ours. */
  | { readonly kind: 'undecided'; readonly fields: readonly string[] };

/**
 * Compares an object with the live one of the same identity. `desired` must be in the form in which it is applied:
 * without status and without nulls.
 */
export function compare(desired: K8sObject, live: K8sObject, manager: string = FIELD_MANAGER): Verdict {
  const findings = findingsBetween(desired, live, manager);
  if (findings === undefined) return { kind: 'undecided', fields: ['apiVersion'] };
  return verdictOf(findings, live, manager);
}

/** A field that does not have the value that we want. */
export interface Flip {
  /** In keys of FieldsV1; for a list whose items were moved, the list. */
  readonly path: readonly string[];
  /** Who owns it beside us; nobody when it was taken away. */
  readonly managers: readonly string[];
  /** It was applied under our name: by us, for another plan, or by a namesake. */
  readonly isOurs: boolean;
}

/**
 * The fields that others have changed since we applied the object, as deep as can be told. Fields that we want for the
 * first time, or otherwise than before, are among them: only a caller who knows what was applied before can tell those
 * apart.
 */
export function flipsBetween(desired: K8sObject, live: K8sObject): readonly Flip[] {
  const findings = findingsBetween(desired, live, FIELD_MANAGER) ?? [];
  return findings.filter(isFlip).map(({ fault, path }) => {
    const isOurs = fault === 'value' || fault === 'surplus';
    return { path, isOurs, managers: isOurs ? [] : otherOwners(live, FIELD_MANAGER, path) };
  });
}

function isFlip({ fault, otherValue }: Finding): boolean {
  return fault !== 'unsure' && (fault !== 'unowned' || otherValue);
}

/** Undefined when live object, desired one and what we applied are not of one API version. */
function findingsBetween(
  desired: K8sObject,
  live: K8sObject,
  manager: string,
): readonly Finding[] | undefined {
  const applied = appliedFields(live, manager);
  const isComparable =
    live.apiVersion === desired.apiVersion && (applied?.apiVersion ?? live.apiVersion) === live.apiVersion;
  if (!isComparable) return undefined;
  const findings: Finding[] = [];
  const fields = applied?.fields ?? {};
  visitMap(
    { desired: withoutIdentity(desired), live, owned: fields, path: [] },
    { kind: desired.kind, findings },
  );
  return findings;
}

/**
 * - `value`: ours, but another value; `unsure`: ours, perhaps another value.
 * - `order`: a keyed list whose items stand in another order.
 * - `unowned`: desired, but not ours; `surplus`: ours, but not desired.
 */
type Fault = 'value' | 'unsure' | 'order' | 'unowned' | 'surplus';

interface Finding {
  readonly fault: Fault;
  /** In keys of FieldsV1. */
  readonly path: readonly string[];
  /** For `unowned`: whether the live value is another one, too. */
  readonly otherValue: boolean;
}

interface Walk {
  readonly kind: string;
  readonly findings: Finding[];
}

/** One field: what we want, what is there, and what of it is ours. */
interface Field<D extends JsonValue = JsonValue> {
  readonly desired: D;
  readonly live: JsonValue | undefined;
  readonly owned: JsonObject;
  readonly path: readonly string[];
}

/** The server keeps no owners for these fields. */
const UNTRACKED_METADATA: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'managedFields',
  'selfLink',
]);

function withoutIdentity(object: K8sObject): JsonObject {
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = object;
  const tracked = Object.entries(metadata).filter(([field]) => !UNTRACKED_METADATA.has(field));
  return tracked.length === 0 ? rest : { ...rest, metadata: Object.fromEntries(tracked) };
}

function visit(field: Field, walk: Walk): void {
  const { desired, owned } = field;
  if (childKeys(owned).length === 0) compareWhole(field, walk);
  else if (isJsonObject(desired)) visitMap({ ...field, desired }, walk);
  else if (isJsonArray(desired)) visitList({ ...field, desired }, walk);
  else report(field, walk, 'value');
}

function visitMap(field: Field<JsonObject>, walk: Walk): void {
  for (const [name, desired] of Object.entries(field.desired)) {
    const step = `f:${name}`;
    visitChild({ ...child(field, step), desired, live: at(field.live, name) }, field.owned[step], walk);
  }
  reportSurplus(field, walk, (step) => step.startsWith('f:') && Object.hasOwn(field.desired, step.slice(2)));
}

function visitList(field: Field<JsonArray>, walk: Walk): void {
  const steps = childKeys(field.owned);
  if (steps[0]?.startsWith('v:') === true) visitSet(field, steps, walk);
  else visitKeyedList(field, steps, walk);
}

/** The members of a set have no order. */
function visitSet(field: Field<JsonArray>, steps: readonly string[], walk: Walk): void {
  for (const member of field.desired) {
    const owned = steps.some((step) => findMember([member], step) !== undefined);
    if (!owned) report(child(field, `v:${JSON.stringify(member)}`), walk, 'unowned');
  }
  reportSurplus(field, walk, (step) => findMember(field.desired, step) !== undefined);
}

function visitKeyedList(field: Field<JsonArray>, steps: readonly string[], walk: Walk): void {
  const live = isJsonArray(field.live) ? field.live : [];
  const places: number[] = [];
  for (const desired of field.desired) {
    const step = stepOfItem(desired, steps);
    const liveItem = findItem(live, step);
    if (liveItem !== undefined) places.push(live.indexOf(liveItem));
    visitChild({ ...child(field, step), desired, live: liveItem }, field.owned[step], walk);
  }
  reportSurplus(field, walk, (step) => findItem(field.desired, step) !== undefined);
  // Moving items around changes no owner. The server puts ours in our order and leaves those of others between them.
  if (places.some((place, index) => place < (places[index - 1] ?? -1))) report(field, walk, 'order');
}

/** The key of FieldsV1 under which an item stands among these, or would stand. */
export function stepOfItem(item: JsonValue, steps: readonly string[]): string {
  return (
    steps.find((step) => findItem([item], step) !== undefined) ?? keyOfItem(item, keyNames(steps[0] ?? ''))
  );
}

function visitChild(field: Field, owned: JsonValue | undefined, walk: Walk): void {
  if (isFieldSet(owned)) visit({ ...field, owned }, walk);
  else visitUnowned(field, walk);
}

/** Goes down to the fields whose values differ, so that the report names them and not all of an adopted object. */
function visitUnowned(field: Field, walk: Walk): void {
  const { desired, live } = field;
  const inner = isJsonObject(desired) && isJsonObject(live) ? Object.entries(desired) : [];
  if (inner.length === 0) return report(field, walk, 'unowned');
  for (const [name, value] of inner) {
    visitUnowned({ ...child(field, `f:${name}`), desired: value, live: at(live, name) }, walk);
  }
}

function compareWhole(field: Field, walk: Walk): void {
  const found = likenessOf(field, walk);
  if (found === 'different') report(field, walk, 'value');
  if (found === 'unsure') report(field, walk, 'unsure');
}

function likenessOf(field: Field, walk: Walk): Likeness {
  const trail = field.path.filter((step) => step.startsWith('f:')).map((step) => step.slice(2));
  return likeness(field.desired, field.live, { kind: walk.kind, trail });
}

function child(field: Field, step: string): Field {
  return { desired: null, live: undefined, owned: {}, path: [...field.path, step] };
}

function reportSurplus(field: Field, walk: Walk, isDesired: (step: string) => boolean): void {
  for (const step of childKeys(field.owned)) {
    if (!isDesired(step)) report(child(field, step), walk, 'surplus');
  }
}

function report(field: Field, walk: Walk, fault: Fault): void {
  const otherValue = fault === 'unowned' && likenessOf(field, walk) === 'different';
  walk.findings.push({ fault, path: field.path, otherValue });
}

function verdictOf(findings: readonly Finding[], live: K8sObject, manager: string): Verdict {
  const faults = findings.filter(({ fault }) => fault !== 'unsure');
  if (findings.length === 0) return { kind: 'same' };
  if (faults.length === 0) return { kind: 'undecided', fields: displayed(findings) };
  const telling = faults.filter(({ fault, otherValue }) => fault !== 'unowned' || otherValue);
  const unowned = faults.filter(({ fault }) => fault === 'unowned');
  const owners = unowned.filter(({ otherValue }) => otherValue || telling.length === 0);
  return {
    kind: 'differs',
    // An adopted object may have all values already; then it is the ownership that differs.
    fields: displayed(telling.length > 0 ? telling : unowned),
    changedBy: [...new Set(owners.flatMap(({ path }) => otherOwners(live, manager, path)))].toSorted(),
  };
}

function displayed(findings: readonly Finding[]): readonly string[] {
  return [...new Set(findings.map(({ path }) => displayPath(path)))].toSorted();
}
