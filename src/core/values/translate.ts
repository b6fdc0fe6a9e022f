/** From a merged specification to the tree of values that all components read. */
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { at, isJsonObject, mapAt } from '../../model/json.ts';
import { textOf, truthy } from '../go-values.ts';
import { overlay } from '../merge.ts';

/**
 * Weakest first: `spec.values`; what other fields of the specification say about values; the user's own
 * `spec.values`, so that `values.global.hub` wins over `hub`. For three fields it is the other way round, because
 * upstream changes the user's tree on the way and files in use rely on the outcome: `meshConfig`, and the switches of
 * the pilot and cni components.
 */
export function translateValues(spec: JsonObject, userValues: JsonObject): JsonObject {
  const translated = overlay(mapAt(spec, 'values'), valuesOfSpec(spec));
  return overlay(overlay(translated, userValues), winningValues(spec));
}

interface Translation {
  readonly from: readonly string[];
  readonly to: readonly [string, ...string[]];
  readonly convert: (value: JsonValue) => JsonValue;
}

const asIs = (value: JsonValue): JsonValue => value;

const TRANSLATIONS: readonly Translation[] = [
  { from: ['hub'], to: ['global', 'hub'], convert: asIs },
  // A tag that is written as a number is meant as text.
  { from: ['tag'], to: ['global', 'tag'], convert: textOf },
  { from: ['revision'], to: ['revision'], convert: textOf },
  { from: ['compatibilityVersion'], to: ['compatibilityVersion'], convert: textOf },
];

function valuesOfSpec(spec: JsonObject): JsonObject {
  return TRANSLATIONS.reduce<JsonObject>((values, { from, to, convert }) => {
    const value = at(spec, ...from);
    return value === undefined || value === null ? values : overlay(values, nested(to, convert(value)));
  }, {});
}

function winningValues(spec: JsonObject): JsonObject {
  const switches = {
    pilot: {
      enabled: truthy(at(spec, 'components', 'pilot', 'enabled')),
      cni: { enabled: truthy(at(spec, 'components', 'cni', 'enabled')) },
    },
  };
  const mesh = spec['meshConfig'];
  return isJsonObject(mesh) ? { ...switches, meshConfig: mesh } : switches;
}

/** A value at the end of a path of new maps. */
export function nested([first, ...rest]: readonly [string, ...string[]], value: JsonValue): JsonObject {
  const [next, ...further] = rest;
  return { [first]: next === undefined ? value : nested([next, ...further], value) };
}
