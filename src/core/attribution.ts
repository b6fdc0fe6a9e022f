/**
 * Which settings decide each field of an object. Found by experiment: each setting is changed on its own, the component is
 * rendered again, and the fields that come out differently are those that it decides.
 */
import type { JsonValue } from '../model/json.ts';
import { isJsonArray, isJsonObject, jsonEqual } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { identityOf, refOf } from '../model/object.ts';
import type { ComponentName, Owner } from '../model/plan.ts';
import type { ObjectField } from './object-fields.ts';
import { fieldsOf } from './object-fields.ts';
import type { Rehearsal, Setting, Variation } from './rehearsal.ts';

export type Influence =
  | { readonly kind: 'setting'; readonly setting: Setting }
  /** The name and namespace of the resource. */
  | { readonly kind: 'owner' }
  /** The version of Kubernetes. */
  | { readonly kind: 'kubernetes' };

export interface FieldAttribution {
  readonly field: ObjectField;
  /** What the value follows from; empty when no setting changes it. */
  readonly decidedBy: readonly Influence[];
  /** Settings that are empty now, and would change it. */
  readonly openTo: readonly Setting[];
}

export interface ObjectAttribution {
  readonly object: K8sObject;
  readonly component: ComponentName;
  /** Without these the object would not be there. */
  readonly existsBy: readonly Influence[];
  readonly fields: readonly FieldAttribution[];
}

export interface Surroundings {
  readonly owner: Owner | undefined;
  readonly kubernetesVersion: string;
}

/**
 * Attributes the fields of one object that a component renders; undefined when it renders no such object. Two settings
 * that ask for the same thing, each enough by itself, are not found: neither of them alone changes anything.
 */
export function attribute(
  rehearsal: Rehearsal,
  { component, ref }: { readonly component: ComponentName; readonly ref: ObjectRef },
  surroundings: Surroundings,
): ObjectAttribution | undefined {
  const original = rehearsal.objectsOf(component) ?? [];
  const object = original.find((each) => identityOf(refOf(each)) === identityOf(ref));
  if (object === undefined) return undefined;
  const subject: Subject = { object, original, fields: fieldsOf(object) };
  const effects = experiments(rehearsal.settingsFor(component), surroundings).map(
    ({ influence, variations }) => ({
      influence,
      effect: firstEffect(variations, (variation) =>
        effectOf(subject, rehearsal.objectsOf(component, variation)),
      ),
    }),
  );
  const existsBy = effects.filter(({ effect }) => effect.kind === 'gone').map(({ influence }) => influence);
  const fields = subject.fields.map((field): FieldAttribution => {
    const influences = effects
      .filter(({ effect }) => effect.kind === 'changed' && effect.keys.has(field.key))
      .map(({ influence }) => influence);
    return {
      field,
      decidedBy: influences.filter((influence) => !isOpen(influence)),
      openTo: influences.flatMap((each) => (each.kind === 'setting' && isOpen(each) ? [each.setting] : [])),
    };
  });
  return { object, component, existsBy, fields };
}

interface Subject {
  readonly object: K8sObject;
  readonly original: readonly K8sObject[];
  readonly fields: readonly ObjectField[];
}

interface Experiment {
  readonly influence: Influence;
  /** Tried until one can be rendered and has an effect. */
  readonly variations: readonly Variation[];
}

function experiments(
  settings: readonly Setting[],
  { owner, kubernetesVersion }: Surroundings,
): readonly Experiment[] {
  const ofSettings = settings.map((setting): Experiment => ({
    influence: { kind: 'setting', setting },
    variations: otherValues(setting).map((value) => ({ kind: 'setting', path: setting.path, value })),
  }));
  const ofOwner: readonly Variation[] =
    owner === undefined
      ? []
      : [
          {
            kind: 'owner',
            owner: { name: `${owner.name}${OTHER}`, namespace: `${owner.namespace}${OTHER}` },
          },
        ];
  const versions: readonly Variation[] = OTHER_KUBERNETES.filter(
    (version) => version !== kubernetesVersion,
  ).map((version) => ({ kind: 'kubernetes', version }));
  return [
    ...ofSettings,
    { influence: { kind: 'owner' }, variations: ofOwner },
    { influence: { kind: 'kubernetes' }, variations: versions },
  ];
}

/** What is put behind texts to make others of them; it may be part of a name. */
const OTHER = '-other';

/** Before and after everything that a template could ask for. */
const OTHER_KUBERNETES = ['v1.20.0', 'v1.99.0'];

/** Other values of the same kind, and none at all for where those cannot be rendered. */
function otherValues({ sources }: Setting): readonly (JsonValue | undefined)[] {
  const value = sources.at(-1)?.value ?? null;
  if (typeof value === 'boolean') return [!value];
  if (typeof value === 'number') return [value + 1, undefined];
  if (typeof value === 'string') return [`${value}${OTHER}`.replace(/^-/u, ''), undefined];
  if (value === null) return ['other', { other: 'other' }];
  if (isJsonArray(value)) return value.length > 0 ? [[], undefined] : [['other'], [{ name: 'other' }]];
  return [{ other: 'other' }];
}

function isOpen(influence: Influence): boolean {
  if (influence.kind !== 'setting') return false;
  const value = influence.setting.sources.at(-1)?.value ?? null;
  if (value === null || value === '') return true;
  return isJsonArray(value) ? value.length === 0 : isJsonObject(value) && Object.keys(value).length === 0;
}

type Effect =
  | { readonly kind: 'none' }
  | { readonly kind: 'gone' }
  /** Keys of the fields that have another value or are not there. */
  | { readonly kind: 'changed'; readonly keys: ReadonlySet<string> };

function firstEffect(variations: readonly Variation[], effect: (variation: Variation) => Effect): Effect {
  for (const variation of variations) {
    const found = effect(variation);
    if (found.kind !== 'none') return found;
  }
  return { kind: 'none' };
}

function effectOf({ object, original, fields }: Subject, objects: readonly K8sObject[] | undefined): Effect {
  if (objects === undefined) return { kind: 'none' };
  const twin = twinOf(object, original, objects);
  if (twin === undefined) return { kind: 'gone' };
  if (jsonEqual(twin, object)) return { kind: 'none' };
  const others = new Map(fieldsOf(twin).map(({ key, value }) => [key, value]));
  const changed = fields.filter(({ key, value }) => !jsonEqual(others.get(key), value));
  return { kind: 'changed', keys: new Set(changed.map(({ key }) => key)) };
}

/** The same object; or, where a setting changes names, the only one of its kind that was not there before. */
function twinOf(
  object: K8sObject,
  original: readonly K8sObject[],
  objects: readonly K8sObject[],
): K8sObject | undefined {
  const identity = identityOf(refOf(object));
  const same = objects.find((each) => identityOf(refOf(each)) === identity);
  if (same !== undefined) return same;
  const known = new Set(original.map((each) => identityOf(refOf(each))));
  const renamed = objects.filter((each) => each.kind === object.kind && !known.has(identityOf(refOf(each))));
  const before = original.filter(({ kind }) => kind === object.kind);
  return renamed.length === before.length ? renamed[before.indexOf(object)] : undefined;
}
