/** The values that one component sees: its defaults, the presets that the user chose, and what the user gave. */
import type { AssetBundle } from '../../model/assets.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { isJsonObject, mapAt } from '../../model/json.ts';
import { diagnose } from '../diagnostics.ts';
import { firstTruthy, textOf } from '../go-values.ts';
import { overlay, overlayAll } from '../merge.ts';

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

/** Merges, weakest first: defaults, profile preset, compatibility preset, platform preset, the given values. */
export function chartValues(assets: AssetBundle, shape: ChartShape, given: JsonObject): ChartValues {
  const choices = chosenPresets(given);
  const unknown = choices.filter((choice) => !assets.presets.has(presetPath(choice)));
  if (unknown.length > 0)
    return { kind: 'invalid', diagnostics: unknown.map((choice) => unknownPreset(assets, choice)) };

  const preset = overlayAll(choices.map((choice) => assets.presets.get(presetPath(choice)) ?? {}));
  const defaults = assets.defaults.get(shape.folder) ?? {};
  const flattened = shape.flattensGlobal === true ? [mapAt(preset, 'global'), mapAt(given, 'global')] : [];
  const values = overlayAll([defaults, preset, ...flattened, given]);
  return { kind: 'values', values: shape.prefix === undefined ? values : descoped(values, shape.prefix) };
}

function descoped(values: JsonObject, prefix: string): JsonObject {
  const scoped = values[prefix];
  return isJsonObject(scoped) ? overlay(values, scoped) : values;
}

function chosenPresets(given: JsonObject): readonly PresetChoice[] {
  const candidates: readonly (Omit<PresetChoice, 'name'> & { readonly value: JsonValue | undefined })[] = [
    { group: 'profile', path: ['values', 'profile'], value: globalOrTop(given, 'profile') },
    { group: 'compatibility', path: ['compatibilityVersion'], value: given['compatibilityVersion'] },
    { group: 'platform', path: ['values', 'global', 'platform'], value: globalOrTop(given, 'platform') },
  ];
  return candidates.flatMap(({ group, path, value }) => {
    const name = textOf(value);
    return name === '' ? [] : [{ group, name, path }];
  });
}

function globalOrTop(given: JsonObject, key: string): JsonValue | undefined {
  return firstTruthy(given[key], mapAt(given, 'global')[key]);
}

function presetPath(choice: PresetChoice): string {
  return `${choice.group}/${choice.name}`;
}

function unknownPreset(assets: AssetBundle, choice: PresetChoice): Diagnostic {
  const prefix = `${choice.group}/`;
  const known = [...assets.presets.keys()]
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length));
  return diagnose('unknownPreset', {
    path: ['spec', ...choice.path],
    cause: `"${choice.name}" is not a known ${choice.group}`,
    remedy: `Use one of ${known.toSorted().join(', ')}, or remove the field.`,
  });
}
