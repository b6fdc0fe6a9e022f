/**
 * The only composer: from what users give to objects in apply order. Pure: the same input gives byte-equal output.
 * The controller and the command line both plan by this and by nothing else.
 */
import type { AssetBundle } from '../model/assets.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { isError } from '../model/diagnostic.ts';
import type { JsonObject } from '../model/json.ts';
import { mapAt } from '../model/json.ts';
import type { ClusterFacts, Owner, Plan, PlannedComponent, PlanResult } from '../model/plan.ts';
import { planComponents } from './component-plan.ts';
import { distinct } from './diagnostics.ts';
import { textOf, truthy } from './go-values.ts';
import { composeInjectionTemplates } from './injection/compose.ts';
import { unknownTemplates } from './injection/default-templates.ts';
import { overlay } from './merge.ts';
import { mergeSpec } from './profile/merge-spec.ts';
import type { SetFlag } from './profile/set-flags.ts';
import { applySetFlag, parseSetFlags } from './profile/set-flags.ts';
import { DEFAULT_RELEASE } from './releases.ts';
import { createRenderer } from './render/renderer.ts';
import type { SpecLayer } from './spec/layer.ts';
import { translateLegacyFields } from './spec/legacy-fields.ts';
import { validateMerged, validateLayers } from './spec/validate.ts';
import { translateValues } from './values/translate.ts';

export type { SpecLayer } from './spec/layer.ts';

export interface PlanInput {
  /** Weakest first. */
  readonly layers: readonly SpecLayer[];
  /** `--set` flags, applied over all layers in order. */
  readonly sets?: readonly string[];
  /** The resource in the cluster that owns the objects; without it the objects carry no owner. */
  readonly owner?: Owner;
  readonly facts: ClusterFacts;
}

export type Planner = (input: PlanInput) => PlanResult;

/** Prepares a planner for one distribution. Templates are compiled on first use and kept. */
export function createPlanner(assets: AssetBundle): Planner {
  const renderer = createRenderer(assets.templates);
  const injectionTemplates = composeInjectionTemplates(assets.files);
  return (input) => plan({ assets, renderer, injectionTemplates }, input);
}

interface Distribution {
  readonly assets: AssetBundle;
  readonly renderer: ReturnType<typeof createRenderer>;
  readonly injectionTemplates: Readonly<Record<string, string>>;
}

function plan(distribution: Distribution, input: PlanInput): PlanResult {
  const { assets } = distribution;
  const release = DEFAULT_RELEASE;
  const checked = validateLayers(assets, input.layers);
  const { flags, diagnostics: flagDiagnostics } = readFlags(input.sets ?? []);
  const early = [...checked.diagnostics, ...flagDiagnostics];
  // A layer that cannot be read at all would make everything after it a guess.
  if (checked.specs.length < input.layers.length) return invalid(early, input.layers);

  const merged = mergeSpec({ profiles: assets.profiles, release, facts: input.facts }, checked.specs, flags);
  const { spec, userSpec, profile } = merged;
  const whole = validateMerged(assets, { spec, hasFlags: flags.length > 0 });
  const findings = distinct([...early, ...merged.diagnostics, ...whole]);
  if (findings.some(isError)) return invalid(findings, input.layers);

  const validated = translateValues(spec, mapAt(userSpec, 'values'));
  const values = overlay(validated, mapAt(spec, 'unvalidatedValues'));
  const planned = planComponents(distribution, {
    spec,
    values,
    release,
    facts: input.facts,
    owner: input.owner,
  });
  const injects = planned.components.some(({ component }) => component === 'Pilot');
  const templates = injects ? unknownTemplates(values, Object.keys(distribution.injectionTemplates)) : [];
  const all = distinct([...findings, ...templates, ...planned.diagnostics]);
  if (all.some(isError)) return invalid(all, input.layers);
  return {
    kind: 'planned',
    plan: toPlan({ spec, values, profile, components: planned.components, warnings: all }),
  };
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
    flags: checked.filter(({ legacy }) => legacy.length === 0).map(({ flag }) => flag),
    diagnostics: [...diagnostics, ...checked.flatMap(({ legacy }) => legacy)],
  };
}

function legacyFieldsOf(flag: SetFlag): readonly Diagnostic[] {
  const alone = applySetFlag({}, flag);
  return alone.kind === 'set' ? translateLegacyFields(alone.spec).diagnostics : [];
}

interface PlanParts {
  readonly spec: JsonObject;
  readonly values: JsonObject;
  readonly profile: string;
  readonly components: readonly PlannedComponent[];
  readonly warnings: readonly Diagnostic[];
}

function toPlan({ spec, values, profile, components, warnings }: PlanParts): Plan {
  const global = mapAt(values, 'global');
  return {
    profile,
    revision: textOf(values['revision']),
    version: textOf(global['tag']),
    namespace: textOf(global['istioNamespace']),
    namespaceLabels: truthy(global['network'])
      ? { 'topology.istio.io/network': textOf(global['network']) }
      : {},
    components,
    spec: { ...spec, values },
    warnings,
  };
}

function invalid(diagnostics: readonly Diagnostic[], layers: readonly SpecLayer[]): PlanResult {
  return { kind: 'invalid', diagnostics: diagnostics.map((diagnostic) => positioned(diagnostic, layers)) };
}

/** Adds the place in a file, from the strongest layer that knows it. */
function positioned(diagnostic: Diagnostic, layers: readonly SpecLayer[]): Diagnostic {
  if (diagnostic.position !== undefined) return diagnostic;
  for (const layer of layers.toReversed()) {
    const position = layer.locate?.(diagnostic.path);
    if (position !== undefined) return { ...diagnostic, position };
  }
  return diagnostic;
}
