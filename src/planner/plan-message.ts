/**
 * What the operator and its planning thread send each other: JSON as text, which is parsed faster than a structured
 * clone. Istio's definitions are most of a plan and both sides have them: only their place is sent.
 */
import type { OwnProfile } from '../core/own-profiles.ts';
import type { PlanInput } from '../core/plan.ts';
import type { AssetBundle } from '../model/assets.ts';
import { isJsonObject } from '../model/json.ts';
import type { JsonValue } from '../model/json.ts';
import type { PlannedComponent, PlanResult } from '../model/plan.ts';

/** To the thread. */
export interface PlanRequest {
  /** A PlanInput, by packInput. */
  readonly input: string;
}

/** From the thread. */
export type PlanReply =
  /** Its assets are loaded. */
  | { readonly kind: 'ready' }
  /** A PlanResult. */
  | { readonly kind: 'planned'; readonly result: string }
  /** The plan would not fit into the cluster's store, or not into the operator. */
  | { readonly kind: 'tooLarge'; readonly objects: number }
  /** Planning took more than it may. */
  | { readonly kind: 'exceeded'; readonly limit: 'time' | 'memory' | 'stack' }
  /** Planning threw, which is a fault of the operator. */
  | { readonly kind: 'failed'; readonly message: string };

/**
 * In characters, without definitions. A thousand gateways are seven times as much; the inventory of what fits is half of
 * what the API server stores.
 */
const LONGEST_PLAN = 6 * 1024 * 1024;

type Definitions = Pick<AssetBundle, 'crds'>;

/** Stands for the `spec` of a definition that nobody changed. */
const PLACE = '\0definition';

/** Where a field stands in a file is lost: resources have none, and own profiles are named by their file. */
export function packInput({ ownProfiles, ...input }: PlanInput): string {
  return JSON.stringify({ ...input, ownProfiles: ownProfiles && [...ownProfiles] });
}

/** Reads what `packInput` printed. */
export function unpackInput(text: string): PlanInput {
  const { ownProfiles, ...input } = JSON.parse(text) as PackedInput; // printed by packInput
  return ownProfiles === undefined ? input : { ...input, ownProfiles: new Map(ownProfiles) };
}

type PackedInput = Omit<PlanInput, 'ownProfiles'> & {
  readonly ownProfiles?: readonly (readonly [string, OwnProfile])[];
};

/** Prints a result for the other side. */
export function packResult(result: PlanResult, assets: Definitions): PlanReply {
  if (result.kind === 'invalid') return { kind: 'planned', result: JSON.stringify(result) };
  const { plan } = result;
  const known = new Map((assets.crds.get(plan.releaseLine) ?? []).map(({ spec }, index) => [spec, index]));
  const components = withSpecs(plan.components, (spec) => {
    const index = known.get(spec);
    return index === undefined ? spec : { [PLACE]: index };
  });
  const text = JSON.stringify({ kind: 'planned', plan: { ...plan, components } } satisfies PlanResult);
  if (text.length <= LONGEST_PLAN) return { kind: 'planned', result: text };
  return { kind: 'tooLarge', objects: components.reduce((sum, { objects }) => sum + objects.length, 0) };
}

/** Reads what `packResult` printed; the definitions are those of this side, not copies. */
export function unpackResult(text: string, assets: Definitions): PlanResult {
  const result = JSON.parse(text) as PlanResult; // printed by packResult
  if (result.kind === 'invalid') return result;
  const definitions = assets.crds.get(result.plan.releaseLine) ?? [];
  const components = withSpecs(result.plan.components, (spec) => {
    const index = isJsonObject(spec) ? spec[PLACE] : undefined;
    return typeof index === 'number' ? definitions[index]?.['spec'] : spec;
  });
  return { ...result, plan: { ...result.plan, components } };
}

function withSpecs(
  components: readonly PlannedComponent[],
  change: (spec: JsonValue | undefined) => JsonValue | undefined,
): readonly PlannedComponent[] {
  return components.map((component) => ({
    ...component,
    objects: component.objects.map((object) => {
      const spec = object.kind === 'CustomResourceDefinition' ? change(object['spec']) : undefined;
      return spec === undefined ? object : { ...object, spec };
    }),
  }));
}
