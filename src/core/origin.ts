/**
 * From a place in the merged specification back to where a user wrote it. Lists of gateways merge by name, so an index
 * of the merged list is right in no file, and only one of several files has what is wrong.
 */
import type { Diagnostic, Position } from '../model/diagnostic.ts';
import type { JsonArray, JsonObject, JsonValue } from '../model/json.ts';
import { at, isJsonArray, listAt } from '../model/json.ts';
import { COMPONENTS } from './components.ts';
import type { FieldPath } from './field-path.ts';
import { printPath, readPath } from './field-path.ts';

/** A layer as it went into the merge. */
export interface MergedLayer {
  readonly spec: JsonObject;
  /** As in SpecLayer. */
  readonly locate?: (path: string) => Position | undefined;
}

/** A path as it reads in one layer. */
interface Candidate {
  readonly path: FieldPath;
  /** How many of its steps the layer has. */
  readonly depth: number;
  readonly layer: MergedLayer;
}

/** Gives a diagnostic about the merged specification the path, and where known the position, in what the user wrote. */
export function withOrigin(
  diagnostic: Diagnostic,
  merged: JsonObject,
  layers: readonly MergedLayer[],
): Diagnostic {
  const path = readPath(diagnostic.path);
  const candidates = layers.flatMap((layer) => {
    const own = pathInLayer(path, { merged, layers, layer });
    return own === undefined ? [] : [{ path: own, depth: depthOf(layer.spec, own), layer }];
  });
  const best = candidates.reduce<Candidate | undefined>(
    (strongest, next) => (strongest === undefined || next.depth >= strongest.depth ? next : strongest),
    undefined,
  );
  // Not even the first step under spec: it comes from the profile or from a flag.
  if (best === undefined || best.depth < 1) return diagnostic;
  const printed = printPath(best.path);
  const position = best.layer.locate?.(printed);
  return { ...diagnostic, path: printed, ...(position === undefined ? {} : { position }) };
}

/** Where one of several layers has a place of the merged specification. */
export interface PlaceInLayer {
  /** Index of the layer. */
  readonly layer: number;
  /** The path as it reads in that layer. */
  readonly path: FieldPath;
  readonly position?: Position;
}

/** The layers that have the very place, weakest first. `path` begins with `spec`. */
export function placesOf(
  path: FieldPath,
  merged: JsonObject,
  layers: readonly MergedLayer[],
): readonly PlaceInLayer[] {
  return layers.flatMap((layer, index) => {
    const own = pathInLayer(path, { merged, layers, layer });
    if (own === undefined || depthOf(layer.spec, own) < own.length - 1) return [];
    const position = layer.locate?.(printPath(own));
    return [{ layer: index, path: own, ...(position === undefined ? {} : { position }) }];
  });
}

/** Steps under `spec` that lead to something. */
function depthOf(spec: JsonObject, path: FieldPath): number {
  const steps = path.slice(1);
  const missing = steps.findIndex((_step, index) => at(spec, ...steps.slice(0, index + 1)) === undefined);
  return missing === -1 ? steps.length : missing;
}

interface Search {
  readonly merged: JsonObject;
  readonly layers: readonly MergedLayer[];
  readonly layer: MergedLayer;
}

const GATEWAY_LISTS: readonly string[] = COMPONENTS.filter(({ entries }) => entries === 'many').map(
  ({ specKey }) => specKey,
);

/** The path with the layer's own index of a gateway; undefined when the layer does not mention that gateway. */
function pathInLayer(path: FieldPath, search: Search): FieldPath | undefined {
  const [root, components, list, index, ...rest] = path;
  if (components !== 'components' || typeof list !== 'string' || typeof index !== 'number') return path;
  if (!GATEWAY_LISTS.includes(list)) return path;
  const own = indexInLayer(list, index, search);
  return own === -1 ? undefined : [root ?? 'spec', components, list, own, ...rest];
}

function indexInLayer(list: string, index: number, { merged, layers, layer }: Search): number {
  const gateways = listAt(merged, 'components', list);
  const own = listAt(layer.spec, 'components', list);
  const gateway = gateways[index] ?? null;
  if (at(gateway, 'name') !== undefined) {
    const rank = gateways.slice(0, index).filter((other) => isTwin(other, gateway)).length;
    return namesakeIn(own, gateway, rank);
  }
  // Gateways without a name merge with nothing: they stand at the end, in the order of the layers.
  const rank = gateways.slice(0, index).filter(isNameless).length;
  const below = layers.slice(0, layers.indexOf(layer));
  const before = below.flatMap(({ spec }) => listAt(spec, 'components', list)).filter(isNameless).length;
  return positionsOf(own, isNameless)[rank - before] ?? -1;
}

/** Of several twins, which never merge with each other, the one with that rank. */
function namesakeIn(list: JsonArray, gateway: JsonValue, rank: number): number {
  const twins = positionsOf(list, (other) => isTwin(other, gateway));
  const [open] = positionsOf(list, (other) => isTwin(other, { name: at(gateway, 'name') ?? null }));
  return twins[rank] ?? twins[0] ?? open ?? -1;
}

/** The same name in the same namespace, or both in none. */
function isTwin(left: JsonValue, right: JsonValue): boolean {
  return ['name', 'namespace'].every((key) => at(left, key) === at(right, key));
}

function isNameless(gateway: JsonValue): boolean {
  return at(gateway, 'name') === undefined && !isJsonArray(gateway);
}

function positionsOf(list: JsonArray, matches: (item: JsonValue) => boolean): readonly number[] {
  return [...list.keys()].filter((position) => matches(list[position] ?? null));
}
