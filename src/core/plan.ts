/**
 * The only composer: from what users give to objects in apply order. Pure: the same input gives byte-equal output.
 * The controller and the command line both plan by this and by nothing else.
 */
import type { AssetBundle } from '../model/assets.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { isError } from '../model/diagnostic.ts';
import type { JsonObject } from '../model/json.ts';
import { mapAt, stringAt } from '../model/json.ts';
import type {
  ClusterFacts,
  ComponentName,
  Owner,
  Plan,
  PlannedComponent,
  PlanResult,
} from '../model/plan.ts';
import type { ComponentsPlan } from './component-plan.ts';
import { planComponents } from './component-plan.ts';
import { distinct } from './diagnostics.ts';
import { textOf, truthy } from './go-values.ts';

import { composeInjectionTemplates } from './injection/compose.ts';
import { unknownTemplates } from './injection/default-templates.ts';
import { templatesOfRelease } from './injection/release-templates.ts';
import { overlay } from './merge.ts';
import type { MergedLayer } from './origin.ts';
import { withOrigin } from './origin.ts';
import type { OwnProfiles } from './own-profiles.ts';
import { chooseProfiles, requestedProfiles } from './own-profiles.ts';
import { mergeSpec, overlaySpecs, userSpecOf } from './profile/merge-spec.ts';
import type { SetFlag } from './profile/set-flags.ts';
import { applySetFlag, parseSetFlags } from './profile/set-flags.ts';
import { chooseRelease } from './release-choice.ts';
import type { Release } from './releases.ts';
import { createRenderer } from './render/renderer.ts';
import type { SpecLayer } from './spec/layer.ts';
import { movedFlag, translateLegacyFields } from './spec/legacy-fields.ts';
import { checkKubernetes } from './kubernetes-range.ts';
import { checkReleaseFields } from './spec/release-fields.ts';
import { validateMerged, validateLayers } from './spec/validate.ts';
import { missingMonitoringKinds, tellMissingKinds } from './values/addons/monitors.ts';
import { withAddonProviders } from './values/addons/telemetry.ts';
import { imagesOf } from './values/needed-images.ts';
import { translateValues } from './values/translate.ts';

export type { SpecLayer } from './spec/layer.ts';

export interface PlanInput {
  /** Weakest first. */
  readonly layers: readonly SpecLayer[];
  /** `--set` flags, applied over all layers in order. */
  readonly sets?: readonly string[];
  /** What `requestedProfiles` asks for, read; without it, asking for own profiles is an error. */
  readonly ownProfiles?: OwnProfiles;
  /** The resource in the cluster that owns the objects; without it the objects carry no owner. */
  readonly owner?: Owner;
  readonly facts: ClusterFacts;
  /** Of the resource; one of them can name the release line. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** The version that is installed now: a resource that names no tag stays on it. */
  readonly installedVersion?: string;
}

const DEFAULT_NAMESPACE = 'istio-system';

export type Planner = (input: PlanInput) => PlanResult;

/** Prepares a planner for one distribution. Templates are compiled on first use and kept. */
export function createPlanner(assets: AssetBundle): Planner {
  const distribution = distributionOf(assets);
  return (input) => {
    const merged = mergeInput(assets, input);
    return merged.kind === 'merged' ? planMerged(distribution, input, merged) : merged;
  };
}

/** What ships, prepared for planning. */
export interface Distribution {
  readonly assets: AssetBundle;
  readonly renderer: ReturnType<typeof createRenderer>;
  readonly injectionTemplates: Readonly<Record<string, string>>;
}

export function distributionOf(assets: AssetBundle): Distribution {
  const renderer = createRenderer(assets.templates);
  return { assets, renderer, injectionTemplates: composeInjectionTemplates(assets.files) };
}

/** What the layers and flags of an input come to, checked and merged, and not yet rendered. */
export interface MergedInput {
  readonly kind: 'merged';
  readonly release: Release;
  /** With profiles and built-in settings below. */
  readonly spec: JsonObject;
  /** What the user gave, without profiles. */
  readonly userSpec: JsonObject;
  readonly profile: string;
  /** What is used when nobody names a tag. */
  readonly defaultTag: string;
  /** All that could be chosen, with the user's own. */
  readonly profiles: AssetBundle['profiles'];
  /** Those among them that a user wrote and that are used here, weakest first. */
  readonly ownProfiles: readonly MergedLayer[];
  readonly layers: readonly MergedLayer[];
  readonly flags: readonly SetFlag[];
  /** Warnings only. */
  readonly findings: readonly Diagnostic[];
}

/** Checks and merges; every fault that can be told before rendering is told. */
export function mergeInput(assets: AssetBundle, input: PlanInput): MergedInput | InvalidPlan {
  const checked = validateLayers(assets, input.layers);
  const { flags, diagnostics: flagDiagnostics } = readFlags(input.sets ?? []);
  const early = [...checked.diagnostics, ...flagDiagnostics];
  // A layer that cannot be read at all would make everything after it a guess.
  if (checked.layers.length < input.layers.length) return invalid(early);

  const userSpec = userSpecOf(
    checked.layers.map((layer) => layer.spec),
    flags,
  );
  const { annotations = {}, installedVersion } = input;
  const choice = chooseRelease({ spec: userSpec, annotations, installedVersion });
  if (choice.kind === 'unsupported') {
    const told = withOrigin(choice.diagnostic, userSpec, checked.layers);
    return { ...invalid([told]), unsupportedLine: choice.line };
  }
  const request = requestedProfiles(checked.layers, input.sets);
  const chosen = chooseProfiles(assets, request, input.ownProfiles);
  const found = distinct([...early, ...chosen.diagnostics]);
  if (chosen.kind === 'invalid') return invalid(found);
  const groundwork = { ...choice, profiles: chosen.profiles, userSpec, flags, early: found };
  return mergeForRelease(assets, input, {
    ...groundwork,
    ownProfiles: chosen.layers,
    layers: checked.layers,
  });
}

/** What is known before anything is merged. */
interface Groundwork {
  readonly release: Release;
  readonly defaultTag: string;
  readonly warnings: readonly Diagnostic[];
  readonly profiles: AssetBundle['profiles'];
  /** Those among them that a user wrote and that are used here, weakest first. */
  readonly ownProfiles: readonly MergedLayer[];
  readonly layers: readonly MergedLayer[];
  readonly flags: readonly SetFlag[];
  /** What the user gave, without profiles. */
  readonly userSpec: JsonObject;
  readonly early: readonly Diagnostic[];
}

function mergeForRelease(
  assets: AssetBundle,
  input: PlanInput,
  groundwork: Groundwork,
): MergedInput | InvalidPlan {
  const { release, defaultTag, profiles, ownProfiles, userSpec, layers, flags } = groundwork;
  const merged = mergeSpec(
    { profiles, hub: release.hub, tag: defaultTag, facts: input.facts },
    layers.map((layer) => layer.spec),
    flags,
  );
  const { spec, profile } = merged;
  const written = [...ownProfiles, ...layers];
  const whole = validateMerged(assets, { spec, hasFlags: flags.length > 0 });
  const late = [
    ...groundwork.warnings,
    ...merged.diagnostics,
    ...whole,
    ...checkReleaseFields(overlaySpecs([...ownProfiles.map((own) => own.spec), userSpec]), release),
    ...checkKubernetes(input.facts, release),
  ];
  const placed = late.map((diagnostic) => withOrigin(diagnostic, spec, written));
  const findings = distinct([...groundwork.early, ...placed]);
  if (findings.some(isError)) return invalid(findings);
  const used = { release, defaultTag, profiles, ownProfiles, userSpec, layers, flags };
  return { kind: 'merged', ...used, spec, profile, findings };
}

function planMerged(distribution: Distribution, input: PlanInput, merged: MergedInput): PlanResult {
  const { spec, release, findings } = merged;
  const written = [...merged.ownProfiles, ...merged.layers];
  const userValues = mapAt(merged.userSpec, 'values');
  const { facts, owner } = input;
  const { values, components, diagnostics } = planTree(distribution, {
    spec,
    userValues,
    release,
    facts,
    owner,
  });
  const injects = components.some(({ component }) => component === 'Pilot');
  const builtIn = Object.keys(templatesOfRelease(distribution.injectionTemplates, release));
  const templates = injects ? unknownTemplates(values, builtIn) : [];
  const missingKinds = missingMonitoringKinds(mapAt(spec, 'addonComponents'), facts);
  const found = [...templates, ...diagnostics, ...tellMissingKinds(missingKinds)];
  const late = found.map((diagnostic) => withOrigin(diagnostic, spec, written));
  const all = distinct([...findings, ...late]);
  if (all.some(isError)) return invalid(all);
  const plan = toPlan({ ...merged, values, components, missingKinds, warnings: all });
  return { kind: 'planned', plan };
}

/** A merged specification with what else decides what is rendered. */
export interface PlannedTree {
  readonly spec: JsonObject;
  /** `spec.values` of the user alone: they win over other fields, those of profiles do not. */
  readonly userValues: JsonObject;
  readonly release: Release;
  readonly facts: ClusterFacts;
  readonly owner: Owner | undefined;
  /** Renders this component alone; all when absent. */
  readonly only?: ComponentName;
}

/** Renders a merged specification, which is not checked again. */
export function planTree(
  distribution: Distribution,
  { userValues, ...tree }: PlannedTree,
): ComponentsPlan & { readonly values: JsonObject } {
  const { spec } = tree;
  const validated = translateValues(spec, userValues);
  const given = withControlPlaneNamespace(overlay(validated, mapAt(spec, 'unvalidatedValues')));
  const values = withAddonProviders(given, mapAt(spec, 'addonComponents'));
  return { values, ...planComponents(distribution, { ...tree, values }) };
}

/** Whoever takes the default away gets it all the same, as from istioctl: nothing can be installed nowhere. */
function withControlPlaneNamespace(values: JsonObject): JsonObject {
  const isGiven = (stringAt(values, 'global', 'istioNamespace') ?? '') !== '';
  return isGiven ? values : overlay(values, { global: { istioNamespace: DEFAULT_NAMESPACE } });
}

function invalid(diagnostics: readonly Diagnostic[]): InvalidPlan {
  return { kind: 'invalid', diagnostics };
}

interface Flags {
  readonly flags: readonly SetFlag[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The flags that mean something; those that cannot be read, or set a field of an older release, are told. */
function readFlags(texts: readonly string[]): Flags {
  const { flags, diagnostics } = parseSetFlags(texts);
  const checked = flags.map((flag) => ({ flag, legacy: legacyFieldsOf(flag) }));
  return {
    flags: checked.flatMap(({ flag, legacy }) => (legacy.length === 0 ? [flag] : presentFlags(flag))),
    diagnostics: [...diagnostics, ...checked.flatMap(({ legacy }) => legacy)],
  };
}

/** A flag of an older release in its present spelling; none when it has no successor. */
function presentFlags(flag: SetFlag): readonly SetFlag[] {
  const present = movedFlag(flag.text);
  return present === undefined ? [] : parseSetFlags([present]).flags;
}

function legacyFieldsOf(flag: SetFlag): readonly Diagnostic[] {
  const alone = applySetFlag({}, flag);
  return alone.kind === 'set' ? translateLegacyFields(alone.spec).diagnostics : [];
}

interface PlanParts extends Pick<MergedInput, 'release' | 'spec' | 'userSpec' | 'profile'> {
  readonly values: JsonObject;
  readonly components: readonly PlannedComponent[];
  readonly missingKinds: readonly string[];
  readonly warnings: readonly Diagnostic[];
}

function toPlan(parts: PlanParts): Plan {
  const { spec, userSpec, values, profile, release, components, missingKinds, warnings } = parts;
  const global = mapAt(values, 'global');
  return {
    profile,
    revision: textOf(values['revision']),
    version: textOf(global['tag']),
    releaseLine: release.line,
    namespace: textOf(global['istioNamespace']),
    namespaceLabels: truthy(global['network'])
      ? { 'topology.istio.io/network': textOf(global['network']) }
      : {},
    components,
    images: imagesOf(components),
    missingKinds,
    spec: { ...spec, values },
    userSpec,
    warnings,
  };
}

type InvalidPlan = Extract<PlanResult, { kind: 'invalid' }>;
