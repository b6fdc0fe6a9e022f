/** From layers to one specification: profile below, detected settings, then the user's files and flags. */
import type { AssetBundle } from '../../model/assets.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { isJsonObject } from '../../model/json.ts';
import type { ClusterFacts } from '../../model/plan.ts';
import { COMPONENTS } from '../components.ts';
import { diagnose } from '../diagnostics.ts';
import { firstTruthy, textOf } from '../go-values.ts';
import { byEntry, overlay } from '../merge.ts';
import { nearest } from '../nearest.ts';
import type { SetFlag } from './set-flags.ts';
import { applySetFlag } from './set-flags.ts';

export interface SpecSources {
  readonly profiles: AssetBundle['profiles'];
  /** What is used when nobody names a registry prefix. */
  readonly hub: string;
  /** What is used when nobody names a tag. */
  readonly tag: string;
  readonly facts: ClusterFacts;
}

export interface MergedSpec {
  /** The chosen profile, also when there is none of that name. */
  readonly profile: string;
  /** Everything that could be merged; with errors among the diagnostics only good for finding more of them. */
  readonly spec: JsonObject;
  readonly diagnostics: readonly Diagnostic[];
}

/** Lays specifications over each other, weakest first; gateways merge by name. */
export function overlaySpecs(specs: readonly JsonObject[]): JsonObject {
  return specs.map(withoutEmptyGateways).reduce(overlaySpec, {});
}

function overlaySpec(lower: JsonObject, upper: JsonObject): JsonObject {
  return overlay(lower, upper, { components: overlayComponents });
}

const GATEWAY_LISTS: readonly string[] = COMPONENTS.filter(({ entries }) => entries === 'many').map(
  ({ specKey }) => specKey,
);

const MERGE_GATEWAYS = Object.fromEntries(
  GATEWAY_LISTS.map((key) => [key, byEntry(isSameGateway, couldBeSameGateway)]),
);

function overlayComponents(lower: JsonValue, upper: JsonValue): JsonValue {
  return isJsonObject(lower) && isJsonObject(upper) ? overlay(lower, upper, MERGE_GATEWAYS) : upper;
}

function hasSameName(lower: JsonObject, upper: JsonObject): boolean {
  return lower['name'] !== undefined && lower['name'] === upper['name'];
}

function isSameGateway(lower: JsonObject, upper: JsonObject): boolean {
  return hasSameName(lower, upper) && lower['namespace'] === upper['namespace'];
}

/** The same name, and one side leaves the namespace open: an overlay need not repeat it, or may move a gateway. */
function couldBeSameGateway(lower: JsonObject, upper: JsonObject): boolean {
  const isOpen = lower['namespace'] === undefined || upper['namespace'] === undefined;
  return hasSameName(lower, upper) && isOpen;
}

/** A list of gateways that is null says nothing; upstream's command line crashes on it. */
function withoutEmptyGateways(spec: JsonObject): JsonObject {
  const components = spec['components'];
  if (!isJsonObject(components)) return spec;
  const entries = Object.entries(components).filter(
    ([key, value]) => value !== null || !GATEWAY_LISTS.includes(key),
  );
  return { ...spec, components: Object.fromEntries(entries) };
}

/** What the user gave, without profiles: files with the flags that can be applied to them. */
export function userSpecOf(layers: readonly JsonObject[], flags: readonly SetFlag[]): JsonObject {
  return withFlags(overlaySpecs(layers), flags).spec;
}

/**
 * Weakest first: profile `default`, the chosen profile, detected settings, built-in hub and tag, the user's layers, the
 * user's flags. Flags act on the merged whole, so that they can name the gateways of a profile.
 */
export function mergeSpec(
  sources: SpecSources,
  layers: readonly JsonObject[],
  flags: readonly SetFlag[],
): MergedSpec {
  const files = overlaySpecs(layers);
  const user = userSpecOf(layers, flags);
  const chosen = textOf(firstTruthy(user['profile']) ?? 'default');
  const profile = sources.profiles.get(chosen);
  const base = layersBelow(sources, chosen).map(({ spec }) => spec);
  const merged = withFlags(overlaySpecs([...base, files]), flags);
  return {
    profile: chosen,
    spec: { ...merged.spec, profile: chosen },
    diagnostics: [...(profile === undefined ? [unknownProfile(sources, chosen)] : []), ...merged.diagnostics],
  };
}

/** A specification that lies below what the user gives. */
export interface LayerBelow {
  /** What a person calls it: `profile demo`. */
  readonly source: string;
  readonly spec: JsonObject;
}

/** What every installation starts from, weakest first. A profile that does not exist is empty. */
export function layersBelow(
  { profiles, hub, tag, facts }: SpecSources,
  profile: string,
): readonly LayerBelow[] {
  const chosen = profile === 'default' ? [] : [profile];
  return [
    ...['default', ...chosen].map((name) => ({
      source: `profile ${name}`,
      spec: profiles.get(name) ?? {},
    })),
    { source: 'found in the cluster', spec: detectedSettings(facts) },
    { source: 'built in', spec: { hub, tag } },
  ];
}

/** Applies the flags that can be applied, in order. On the user's part alone, some miss what only a profile has. */
function withFlags(
  spec: JsonObject,
  flags: readonly SetFlag[],
): { readonly spec: JsonObject; readonly diagnostics: readonly Diagnostic[] } {
  return flags.reduce(
    (current, flag) => {
      const result = applySetFlag(current.spec, flag);
      if (result.kind === 'set') return { ...current, spec: result.spec };
      return { ...current, diagnostics: [...current.diagnostics, result.diagnostic] };
    },
    { spec, diagnostics: [] as readonly Diagnostic[] },
  );
}

/** What the cluster tells of itself; everything here can be overridden by the user. */
function detectedSettings(facts: ClusterFacts): JsonObject {
  if (!facts.kubernetesVersion.includes('-gke')) return {};
  return {
    components: { cni: { namespace: 'kube-system' } },
    values: { global: { platform: 'gke' }, cni: { resourceQuotas: { enabled: false } } },
  };
}

function unknownProfile(sources: SpecSources, name: string): Diagnostic {
  const known = [...sources.profiles.keys()].toSorted();
  const close = nearest(name, known);
  return diagnose('unknownProfile', {
    path: ['spec', 'profile'],
    cause: `there is no profile "${name}"`,
    remedy:
      close === undefined
        ? `Use one of ${known.join(', ')}.`
        : `Did you mean "${close}"? There are ${known.join(', ')}.`,
  });
}
