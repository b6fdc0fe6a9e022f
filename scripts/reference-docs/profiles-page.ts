/** docs/reference/profiles.md: what each profile and preset sets, and which objects come of it. */
import type { AssetBundle } from '../../src/model/assets.ts';
import type { JsonValue } from '../../src/model/json.ts';
import { isJsonArray, isJsonObject, stringAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { namespaceOf } from '../../src/model/object.ts';
import type { ComponentName } from '../../src/model/plan.ts';
import { COMPONENTS } from '../../src/core/components.ts';
import type { Planner } from '../../src/core/plan.ts';
import { createPlanner } from '../../src/core/plan.ts';
import { DEFAULT_RELEASE } from '../../src/core/releases.ts';
import type { PathStep } from '../../src/core/tree-path.ts';
import { printTreePath } from '../../src/core/tree-path.ts';
import { banner, code, page, table } from './markdown.ts';

export function profilesPage(assets: AssetBundle): string {
  const names = [...assets.profiles.keys()].toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return page(
    banner('profiles/'),
    '# Profiles',
    `A profile is the start of a specification: \`spec.profile\` names it, and everything else in the resource is laid over it. Every profile is itself laid over \`default\`. Names, sizes and images are those of Istio ${DEFAULT_RELEASE.defaultTag}.`,
    ...names.map((name) => profileText(assets, name)),
    presetsText(assets),
    objectsText(assets, names),
  );
}

/** The profile that all others are laid over comes first. */
function rank(profile: string): number {
  return profile === 'default' ? 0 : 1;
}

function profileText(assets: AssetBundle, name: string): string {
  const spec = assets.profiles.get(name) ?? {};
  const preset = stringAt(spec, 'values', 'profile');
  const platform = stringAt(spec, 'values', 'global', 'platform');
  const brings = [
    ...(preset === undefined ? [] : [presetLink(`profile/${preset}`)]),
    ...(platform === undefined ? [] : [presetLink(`platform/${platform}`)]),
  ];
  const below = new Set(name === 'default' ? [] : leavesOf(assets.profiles.get('default') ?? {}).map(String));
  const rows = leavesOf(spec)
    .filter((leaf) => !below.has(String(leaf)))
    .map(([path, value]) => [code(`spec.${path}`), code(value)]);
  return page(
    `## ${name}`,
    ...(rows.length === 0
      ? ['It sets nothing.']
      : [table([name === 'default' ? 'sets' : 'sets against default', 'to'], rows)]),
    ...(brings.length === 0
      ? []
      : [`With the ${brings.length === 1 ? 'preset' : 'presets'} ${brings.join(' and ')}.`]),
  ).trimEnd();
}

function presetLink(path: string): string {
  return `[${path}](#${path.replaceAll(/[/.]/gu, '')})`;
}

const PRESET_CHOICES: Readonly<Record<string, string>> = {
  profile: '`spec.values.profile`',
  platform: '`spec.values.global.platform`',
  compatibility: '`spec.compatibilityVersion`',
};

function presetsText(assets: AssetBundle): string {
  const presets = [...assets.presets].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return page(
    '## Presets',
    'Presets set values of components, below what a resource says about them. A platform preset wins over a compatibility preset, and that over a profile preset. What a release of Istio does not have, or is not older than, is left out of a compatibility preset.',
    table(['kind', 'chosen by'], Object.entries(PRESET_CHOICES)),
    ...presets.map(([path, values]) =>
      page(
        `### ${path}`,
        table(
          ['sets', 'to'],
          leavesOf(values).map(([leaf, value]) => [code(leaf), code(value)]),
        ),
      ).trimEnd(),
    ),
  ).trimEnd();
}

type Leaf = readonly [path: string, value: string];

/**
 * Every value in a tree that is no map, with its path as `--set` takes it. Lists of scalars and empty maps count as
 * values; an element of a list of maps is named by its name where it has one.
 */
export function leavesOf(tree: JsonValue, steps: readonly PathStep[] = []): readonly Leaf[] {
  if (isJsonObject(tree) && Object.keys(tree).length > 0) {
    return Object.entries(tree).flatMap(([key, entry]) => leavesOf(entry, [...steps, { kind: 'key', key }]));
  }
  if (isJsonArray(tree) && tree.some(isJsonObject)) {
    return tree.flatMap((entry, index) => elementLeaves(entry, index, steps));
  }
  return [[printTreePath(steps), JSON.stringify(tree)]];
}

function elementLeaves(entry: JsonValue, index: number, steps: readonly PathStep[]): readonly Leaf[] {
  const name = stringAt(entry, 'name');
  if (name === undefined || !isJsonObject(entry))
    return leavesOf(entry, [...steps, { kind: 'index', index }]);
  const { name: _name, ...rest } = entry;
  return leavesOf(rest, [...steps, { kind: 'entry', key: 'name', value: name }]);
}

interface Rendered {
  readonly component: ComponentName;
  readonly name: string;
}

function objectsText(assets: AssetBundle, profiles: readonly string[]): string {
  const planner = createPlanner(assets);
  const rendered = new Map(profiles.map((profile) => [profile, renderedBy(planner, profile)]));
  const all = new Map(
    [...rendered.values()].flat().map((object) => [`${object.component} ${object.name}`, object]),
  );
  const order = COMPONENTS.map(({ name }): ComponentName => name);
  const sorted = [...all.values()].toSorted(
    (a, b) => order.indexOf(a.component) - order.indexOf(b.component) || (a.name < b.name ? -1 : 1),
  );
  const rows = sorted.map(({ component, name }) => [
    component,
    name,
    ...profiles.map((profile) => placeOf(rendered.get(profile) ?? [], component, name)),
  ]);
  return page(
    '## Objects',
    'What each profile renders, without anything else in the resource. The namespace is that of the control plane where none is named.',
    table(['component', 'object', ...profiles], rows),
  ).trimEnd();
}

function placeOf(rendered: readonly Rendered[], component: ComponentName, name: string): string {
  return rendered.some((object) => object.component === component && object.name === name) ? '●' : '';
}

/** Names of the objects of a profile. Istio's definitions are counted, not named. */
function renderedBy(planner: Planner, profile: string): readonly Rendered[] {
  const result = planner({
    layers: [{ spec: { profile }, source: profile }],
    facts: { kubernetesVersion: DEFAULT_RELEASE.assumedKubernetes },
  });
  if (result.kind === 'invalid') throw new Error(`the profile ${profile} is not valid`);
  const { components, namespace } = result.plan;
  return components.flatMap(({ component, objects }) => {
    const definitions = objects.filter(({ kind }) => kind === 'CustomResourceDefinition').length;
    const others = objects.filter(({ kind }) => kind !== 'CustomResourceDefinition');
    const counted =
      definitions === 0 ? [] : [{ component, name: `${definitions} CustomResourceDefinitions` }];
    return [...counted, ...others.map((object) => ({ component, name: nameOf(object, namespace) }))];
  });
}

function nameOf(object: K8sObject, controlPlane: string): string {
  const { kind, metadata } = object;
  const namespace = namespaceOf(object);
  const place = namespace === undefined || namespace === controlPlane ? '' : ` in ${namespace}`;
  return `${kind} ${code(metadata.name)}${place}`;
}
