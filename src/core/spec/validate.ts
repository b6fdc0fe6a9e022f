/** All checks of what a user gives, before and after merging. */
import type { AssetBundle } from '../../model/assets.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { isJsonObject } from '../../model/json.ts';
import { withSortedKeys } from '../go-values.ts';
import { checkContent } from './content-checks.ts';
import { gate } from './gate.ts';
import type { SpecLayer } from './layer.ts';
import { translateLegacyFields } from './legacy-fields.ts';
import { checkSchema } from './schema-check.ts';

type Schemas = Pick<AssetBundle, 'validateSpec' | 'specSchema' | 'validateValues' | 'valuesSchema'>;

/** A layer that could be read: keys in sorted order, fields of older releases taken out. */
export interface ReadLayer extends SpecLayer {
  readonly spec: JsonObject;
}

export interface CheckedLayers {
  readonly layers: readonly ReadLayer[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Checks each layer on its own, so that a finding has its place in the file. */
export function validateLayers(schemas: Schemas, layers: readonly SpecLayer[]): CheckedLayers {
  const checked = layers.map((layer) => validateLayer(schemas, layer));
  return {
    layers: checked.flatMap(({ layer }) => (layer === undefined ? [] : [layer])),
    diagnostics: checked.flatMap(({ diagnostics }) => diagnostics),
  };
}

interface CheckedLayer {
  readonly layer?: ReadLayer;
  readonly diagnostics: readonly Diagnostic[];
}

function validateLayer(schemas: Schemas, layer: SpecLayer): CheckedLayer {
  const gated = gate(layer.spec);
  if (gated.kind === 'refused') return { diagnostics: [located(gated.diagnostic, layer)] };
  const { spec, diagnostics } = translateLegacyFields(withSortedKeys(gated.spec));
  const findings = [...diagnostics, ...checkShapes(schemas, spec)];
  return { layer: { ...layer, spec }, diagnostics: findings.map((finding) => located(finding, layer)) };
}

function located(diagnostic: Diagnostic, layer: SpecLayer): Diagnostic {
  const position = layer.locate?.(diagnostic.path);
  return position === undefined ? diagnostic : { ...diagnostic, position };
}

const WAY_OUT = 'What the operator does not know can be given under spec.unvalidatedValues.';

function checkShapes(schemas: Schemas, spec: JsonObject): readonly Diagnostic[] {
  const values: JsonValue = spec['values'] ?? {};
  const ofSpec = checkSchema(spec, {
    validate: schemas.validateSpec,
    schema: schemas.specSchema,
    root: ['spec'],
  });
  if (!isJsonObject(values)) return ofSpec;
  const ofValues = checkSchema(values, {
    validate: schemas.validateValues,
    schema: schemas.valuesSchema,
    root: ['spec', 'values'],
    wayOut: WAY_OUT,
  });
  return [...ofSpec, ...ofValues];
}

export interface MergedInput {
  readonly spec: JsonObject;
  /** Flags are not part of any layer: what they set is checked here. */
  readonly hasFlags: boolean;
}

/** Checks the whole. With flags, what was told of a layer is told again. */
export function validateMerged(schemas: Schemas, { spec, hasFlags }: MergedInput): readonly Diagnostic[] {
  const shapes = hasFlags ? checkShapes(schemas, spec) : [];
  return [...shapes, ...checkContent(spec)];
}
