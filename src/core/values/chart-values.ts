/** The values that one component sees: its defaults, the presets that the user chose, and what the user gave. */
import type { AssetBundle } from '../../model/assets.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { JsonObject } from '../../model/json.ts';
import { at, isJsonObject, mapAt } from '../../model/json.ts';
import { diagnose } from '../diagnostics.ts';
import { textOf, truthy } from '../go-values.ts';
import { overlay, overlayAll } from '../merge.ts';
import type { Release } from '../releases.ts';
import { comesBefore, lacking } from '../releases.ts';

export interface ChartShape {
  readonly folder: string;
  /** After merging, the map under this key is laid over the top level: `pilot.x` is the same as `x`, and wins. */
  readonly prefix?: string;
  /** Everything under `global` is also a default at the top level. */
  readonly flattensGlobal?: boolean;
}

export type ChartValues =
  | { readonly kind: 'values'; readonly values: JsonObject }
  | { readonly kind: 'invalid'; readonly diagnostics: readonly Diagnostic[] };

interface PresetChoice {
  /** Folder under profiles/presets. */
  readonly group: 'profile' | 'compatibility' | 'platform';
  readonly name: string;
  readonly path: readonly string[];
}

interface PresetPlace {
  /** Under the values of the component. */
  readonly inValues: readonly string[];
  /** Where people write it, under `spec`. */
  readonly inSpec: readonly string[];
}

const underValues = (...path: readonly string[]): PresetPlace => ({
  inValues: path,
  inSpec: ['values', ...path],
});

/** Weakest first; of the places of one preset the first that is set counts. */
const PRESETS: readonly { readonly group: PresetChoice['group']; readonly places: readonly PresetPlace[] }[] =
  [
    { group: 'profile', places: [underValues('profile'), underValues('global', 'profile')] },
    {
      group: 'compatibility',
      places: [{ inValues: ['compatibilityVersion'], inSpec: ['compatibilityVersion'] }],
    },
    { group: 'platform', places: [underValues('platform'), underValues('global', 'platform')] },
  ];

/** Where values come from beside the user. */
export interface ValueSources {
  readonly assets: AssetBundle;
  readonly release: Release;
}

/** Merges, weakest first: defaults, profile preset, compatibility preset, platform preset, the given values. */
export function chartValues(sources: ValueSources, shape: ChartShape, given: JsonObject): ChartValues {
  const choices = chosenPresets(given);
  const unknown = choices.filter((choice) => !namesOf(choice.group, sources).includes(choice.name));
  if (unknown.length > 0)
    return { kind: 'invalid', diagnostics: unknown.map((choice) => unknownPreset(sources, choice)) };

  const preset = overlayAll(choices.map((choice) => presetOf(choice, sources)));
  const defaults = defaultsOf(shape.folder, sources);
  const flattened = shape.flattensGlobal === true ? [mapAt(preset, 'global'), mapAt(given, 'global')] : [];
  const values = overlayAll([defaults, preset, ...flattened, given]);
  return { kind: 'values', values: shape.prefix === undefined ? values : descoped(values, shape.prefix) };
}

/** A tree of values that lies below what the user gives. */
export interface ChartLayer {
  /** What a person calls it: `Istio's default`, `preset platform/gke`. */
  readonly source: string;
  readonly values: JsonObject;
}

/** What a component's values start from, weakest first: its defaults and the presets that are chosen. */
export function chartLayers(
  sources: ValueSources,
  { folder }: ChartShape,
  given: JsonObject,
): readonly ChartLayer[] {
  const presets = chosenPresets(given).map((choice) => ({
    source: `preset ${choice.group}/${choice.name}`,
    values: presetOf(choice, sources),
  }));
  return [{ source: "Istio's default", values: defaultsOf(folder, sources) }, ...presets];
}

function descoped(values: JsonObject, prefix: string): JsonObject {
  const scoped = values[prefix];
  return isJsonObject(scoped) ? overlay(values, scoped) : values;
}

function chosenPresets(given: JsonObject): readonly PresetChoice[] {
  return PRESETS.flatMap(({ group, places }) => {
    const place = places.find(({ inValues }) => truthy(at(given, ...inValues)));
    return place === undefined
      ? []
      : [{ group, name: textOf(at(given, ...place.inValues)), path: place.inSpec }];
  });
}

/** The defaults of a component in this release. */
function defaultsOf(folder: string, { assets, release }: ValueSources): JsonObject {
  const elsewhere = lacking(release).map(({ defaultsElsewhere }) => defaultsElsewhere?.[folder] ?? {});
  return overlayAll([assets.defaults.get(folder) ?? {}, ...elsewhere]);
}

/** A preset as this release has it: behaviour that it does not have need not be switched off. */
function presetOf({ group, name }: PresetChoice, { assets, release }: ValueSources): JsonObject {
  const preset = assets.presets.get(`${group}/${name}`) ?? {};
  const absent = lacking(release).flatMap(({ switches = [] }) => switches);
  return group === 'compatibility' ? absent.reduce(withoutSwitch, preset) : preset;
}

function withoutSwitch(preset: JsonObject, path: string): JsonObject {
  return without(preset, path.split('.'));
}

/** The tree without one entry, and without maps that are empty for that. */
function without(tree: JsonObject, [key = '', ...deeper]: readonly string[]): JsonObject {
  const { [key]: entry, ...rest } = tree;
  if (!isJsonObject(entry) || deeper.length === 0) return rest;
  const left = without(entry, deeper);
  return Object.keys(left).length === 0 ? rest : { ...tree, [key]: left };
}

/** The presets of a group. A release can only behave like the ones before it. */
function namesOf(group: PresetChoice['group'], { assets, release }: ValueSources): readonly string[] {
  const prefix = `${group}/`;
  const names = [...assets.presets.keys()]
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length));
  if (group !== 'compatibility') return names;
  return names.filter((line) => comesBefore(line, release));
}

function unknownPreset(sources: ValueSources, choice: PresetChoice): Diagnostic {
  const known = namesOf(choice.group, sources);
  return diagnose('unknownPreset', {
    path: ['spec', ...choice.path],
    cause: `"${choice.name}" is not a known ${choice.group}`,
    remedy: `Use one of ${known.toSorted().join(', ')}, or remove the field.`,
  });
}
