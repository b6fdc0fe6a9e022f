/**
 * Planning with one setting changed, to find out what the setting does. What decides about a value is never guessed from
 * names: the same code renders the component again, and what came out differently is what the setting decides.
 */
import type { AssetBundle } from '../model/assets.ts';
import type { Diagnostic, Position } from '../model/diagnostic.ts';
import { isError } from '../model/diagnostic.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { at, isJsonArray, isJsonObject, mapAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import type { ComponentName, Owner } from '../model/plan.ts';
import { defaultsOfComponent } from './component-plan.ts';
import type { FieldPath } from './field-path.ts';
import type { MergedLayer } from './origin.ts';
import { placesOf } from './origin.ts';
import type { Distribution, MergedInput, PlanInput } from './plan.ts';
import { distributionOf, mergeInput, planTree } from './plan.ts';
import { layersBelow } from './profile/merge-spec.ts';
import { applySetFlag } from './profile/set-flags.ts';
import { leavesOf, withValueAt } from './tree-leaves.ts';

/** One place that gives a setting its value. */
export interface SettingSource {
  /** What a person calls it: `mesh.yaml`, `profile demo`, `--set hub=x`, `Istio's default`. */
  readonly name: string;
  readonly value: JsonValue;
  readonly position?: Position;
}

export interface Setting {
  /** Begins with `spec`. */
  readonly path: FieldPath;
  /** Weakest first; the last one counts. Never empty. */
  readonly sources: readonly SettingSource[];
}

/** What is rendered in place of the original. */
export type Variation =
  /** The setting has this value, or is not there. */
  | { readonly kind: 'setting'; readonly path: FieldPath; readonly value: JsonValue | undefined }
  /** This whole specification, whose values are all taken for the user's own. */
  | { readonly kind: 'specification'; readonly spec: JsonObject }
  | { readonly kind: 'owner'; readonly owner: Owner }
  | { readonly kind: 'kubernetes'; readonly version: string };

export interface Rehearsal {
  readonly kind: 'rehearsal';
  /** Every setting that a component could read, with what gives it its value. */
  readonly settingsFor: (component: ComponentName) => readonly Setting[];
  /** The objects of a component, as they are or under a variation; undefined when that cannot be rendered. */
  readonly objectsOf: (component: ComponentName, variation?: Variation) => readonly K8sObject[] | undefined;
}

export type Rehearse = (
  input: PlanInput,
) => Rehearsal | { readonly kind: 'invalid'; readonly diagnostics: readonly Diagnostic[] };

/** Prepares rehearsals for one distribution. */
export function createRehearsals(assets: AssetBundle): Rehearse {
  const distribution = distributionOf(assets);
  return (input) => {
    const merged = mergeInput(assets, input);
    if (merged.kind === 'invalid') return merged;
    const stage: Stage = { distribution, input, merged };
    return {
      kind: 'rehearsal',
      settingsFor: (component) => settingsFor(stage, component),
      objectsOf: (component, variation) => rendered(stage, component, variation),
    };
  };
}

interface Stage {
  readonly distribution: Distribution;
  readonly input: PlanInput;
  readonly merged: MergedInput;
}

function rendered(
  { distribution, input, merged }: Stage,
  only: ComponentName,
  variation: Variation | undefined,
): readonly K8sObject[] | undefined {
  const { spec, userSpec, release } = merged;
  const original = { spec, userSpec, release, facts: input.facts, owner: input.owner, only };
  const { userSpec: user, ...tree } = { ...original, ...changesOf(variation, merged) };
  const { components, diagnostics } = planTree(distribution, { ...tree, userValues: mapAt(user, 'values') });
  return diagnostics.some(isError) ? undefined : components.flatMap(({ objects }) => objects);
}

/** A setting that the user gave is changed there, too: what the user says about values wins over what profiles say. */
function changesOf(
  variation: Variation | undefined,
  { spec, userSpec }: MergedInput,
): Partial<Pick<MergedInput, 'spec' | 'userSpec'> & { owner: Owner; facts: PlanInput['facts'] }> {
  if (variation === undefined) return {};
  if (variation.kind === 'owner') return { owner: variation.owner };
  if (variation.kind === 'specification') return { spec: variation.spec, userSpec: variation.spec };
  if (variation.kind === 'kubernetes') return { facts: { kubernetesVersion: variation.version } };
  const [, ...steps] = variation.path;
  const change = (tree: JsonObject): JsonObject => {
    const changed = withValueAt(tree, steps, variation.value);
    return isJsonObject(changed) ? changed : tree;
  };
  const isUsers = at(userSpec, ...steps) !== undefined;
  return { spec: change(spec), userSpec: isUsers ? change(userSpec) : userSpec };
}

function settingsFor(stage: Stage, component: ComponentName): readonly Setting[] {
  const { merged } = stage;
  const layers = namedLayers(stage);
  const flags = flagPlaces(merged);
  const inSpec = leavesOf(merged.spec).map(({ path }): Setting => {
    const full = ['spec', ...path];
    return { path: full, sources: sourcesInSpec(full, { merged, layers, flags }) };
  });
  const given = inSpec.filter(({ sources }) => sources.length > 0);
  const known = new Set(given.map(({ path }) => JSON.stringify(path)));
  const below = settingsBelow(stage, component).filter(({ path }) => !known.has(JSON.stringify(path)));
  return [...given, ...below];
}

interface NamedLayer extends MergedLayer {
  readonly name: string;
}

function namedLayers({ input, merged }: Stage): readonly NamedLayer[] {
  const { profiles, ownProfiles, release, defaultTag } = merged;
  const sources = { profiles, hub: release.hub, tag: defaultTag, facts: input.facts };
  const below = layersBelow(sources, merged.profile).map(({ source, spec }): NamedLayer => ({
    // A profile of the user's own is a file, which has lines.
    ...ownProfiles.find((own) => own.spec === spec),
    name: source,
    spec,
  }));
  return [
    ...below,
    ...merged.layers.map((layer, index) => ({ ...layer, name: input.layers[index]?.source ?? 'a file' })),
  ];
}

interface FlagPlace {
  readonly text: string;
  readonly path: FieldPath;
  readonly value: JsonValue;
}

/** Where each flag writes: selectors such as `[name:x]` depend on what is there. */
function flagPlaces({ spec, flags }: MergedInput): readonly FlagPlace[] {
  const mark = 'this value stands nowhere else';
  return flags.flatMap((flag) => {
    const marked = applySetFlag(spec, { ...flag, value: mark });
    if (marked.kind === 'invalid') return [];
    const leaf = leavesOf(marked.spec).find(({ value }) => value === mark);
    return leaf === undefined ? [] : [{ text: flag.text, path: ['spec', ...leaf.path], value: flag.value }];
  });
}

interface SpecContext {
  readonly merged: MergedInput;
  readonly layers: readonly NamedLayer[];
  readonly flags: readonly FlagPlace[];
}

function sourcesInSpec(path: FieldPath, { merged, layers, flags }: SpecContext): readonly SettingSource[] {
  const ofLayers = placesOf(path, merged.spec, layers).map((place): SettingSource => {
    const layer = layers[place.layer];
    const value = at(layer?.spec, ...place.path.slice(1)) ?? null;
    const source = { name: layer?.name ?? '', value };
    return place.position === undefined ? source : { ...source, position: place.position };
  });
  const ofFlags = flags
    .filter((flag) => flag.path.every((step, index) => path[index] === step))
    .map(({ text, value, path: start }) => ({
      name: `--set ${text}`,
      value: at(value, ...path.slice(start.length)) ?? null,
    }));
  return [...ofLayers, ...ofFlags];
}

/** Settings that nobody gave, so that a default of the component or a preset counts. Lists are replaced as a whole. */
function settingsBelow({ distribution, merged }: Stage, component: ComponentName): readonly Setting[] {
  const { assets } = distribution;
  const { spec, release } = merged;
  const defaults = defaultsOfComponent({ assets, release }, component, mapAt(spec, 'values'));
  const found = new Map<string, Setting>();
  for (const { source, values } of defaults.layers) {
    for (const { path, value } of leavesOf(values, { lists: 'whole' })) {
      const full = ['spec', 'values', ...writtenPath(path, defaults.group, assets.valuesSchema)];
      const key = JSON.stringify(full);
      const weaker = found.get(key)?.sources ?? [];
      found.set(key, { path: full, sources: [...weaker, { name: source, value }] });
    }
  }
  return [...found.values()].filter(({ path }) => !isInsideList(spec, path));
}

/** Where people write a default: `autoscaleMin` of istiod is `pilot.autoscaleMin`, its `global` is everybody's. */
function writtenPath(path: FieldPath, group: string | undefined, schema: JsonObject): FieldPath {
  const [first = ''] = path;
  if (group === undefined || first === group || first === 'global') return path;
  const isOwn = at(schema, 'properties', group, 'properties', first) !== undefined;
  return isOwn ? [group, ...path] : path;
}

/** A list that was given replaces the whole default. */
function isInsideList(spec: JsonObject, [, ...path]: FieldPath): boolean {
  return path.some((_step, index) => isJsonArray(at(spec, ...path.slice(0, index + 1))));
}
