/** `k8s.overlays`: changes of any field of any rendered object of a component. */
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { at, isJsonObject, listAt } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';
import { isK8sObject } from '../../model/object.ts';
import { diagnose } from '../diagnostics.ts';
import type { FieldPath } from '../field-path.ts';
import { textOf } from '../go-values.ts';
import { nearest } from '../nearest.ts';
import type { PathStep, TreeChange } from '../tree-path.ts';
import { deleteAt, Draft, parseTreePath, printStep, printTreePath, readAt, writeAt } from '../tree-path.ts';
import { readYaml } from '../yaml.ts';

export interface OverlayContext {
  /** Where the list of overlays stands, such as `spec.components.pilot.k8s.overlays`. */
  readonly path: FieldPath;
  /** The revision; an overlay may name an object with or without it. */
  readonly revision: string;
  /** Only a part of the component's objects is rendered on purpose, so that an overlay may match none. */
  readonly isPartial: boolean;
}

export interface OverlayResult {
  readonly objects: readonly K8sObject[];
  readonly diagnostics: readonly Diagnostic[];
}

/** What a patch is applied in. */
interface Patching extends OverlayContext {
  readonly draft: Draft;
}

/** Applies all overlays in order; the objects that are given are not changed. One that cannot be applied is an error that names what could have been meant. */
export function applyOverlays(
  objects: readonly K8sObject[],
  overlays: readonly JsonValue[],
  context: OverlayContext,
): OverlayResult {
  const draft = new Draft();
  return overlays.reduce<OverlayResult>(
    (result, overlay, index) =>
      isJsonObject(overlay)
        ? applyOverlay(result, overlay, { ...context, path: [...context.path, index], draft })
        : result,
    { objects, diagnostics: [] },
  );
}

function applyOverlay(result: OverlayResult, overlay: JsonObject, context: Patching): OverlayResult {
  const matches = matcher(overlay, context.revision);
  if (!result.objects.some(matches)) {
    return {
      ...result,
      diagnostics: [...result.diagnostics, withoutObject(result.objects, overlay, context)],
    };
  }
  const diagnostics: Diagnostic[] = [];
  const objects = result.objects.map((object) => {
    if (!matches(object)) return object;
    const changed = applyPatches(object, listAt(overlay, 'patches'), context);
    diagnostics.push(...changed.diagnostics);
    return changed.object;
  });
  return { objects, diagnostics: [...result.diagnostics, ...diagnostics] };
}

/** Kind and name must be equal. The name may leave the revision out, so that an overlay survives a new revision. */
function matcher(overlay: JsonObject, revision: string): (object: K8sObject) => boolean {
  const kind = textOf(overlay['kind']);
  const name = textOf(overlay['name']);
  return (object) =>
    object.kind === kind &&
    [object.metadata.name, ...unrevised(object.metadata.name, revision)].includes(name);
}

/** A name without the revision, which stands behind a dash and before another one, a dot or the end; one for each place. */
function unrevised(name: string, revision: string): readonly string[] {
  if (revision === '') return [];
  const part = `-${revision}`;
  const starts = Array.from(name, (_character, index) => index).filter((index) =>
    name.startsWith(part, index),
  );
  return starts
    .map((start) => [name.slice(0, start), name.slice(start + part.length)] as const)
    .filter(([, rest]) => rest === '' || rest.startsWith('-') || rest.startsWith('.'))
    .map(([before, rest]) => before + rest);
}

function withoutObject(
  objects: readonly K8sObject[],
  overlay: JsonObject,
  context: OverlayContext,
): Diagnostic {
  const wanted = `${textOf(overlay['kind'])} ${textOf(overlay['name'])}`;
  const known = objects.map((object) => `${object.kind} ${object.metadata.name}`).toSorted();
  const close = nearest(wanted, known);
  const sameKind = known.filter((name) => name.startsWith(`${textOf(overlay['kind'])} `));
  const choice = sameKind.length > 0 ? sameKind : known;
  return diagnose(context.isPartial ? 'overlayOutOfScope' : 'overlayWithoutObject', {
    path: context.path,
    cause: `the component renders no ${wanted}`,
    remedy: `${close === undefined ? '' : `Did you mean ${close}? `}There are: ${choice.join(', ') || 'no objects'}.`,
  });
}

interface PatchedObject {
  readonly object: K8sObject;
  readonly diagnostics: readonly Diagnostic[];
}

function applyPatches(
  object: K8sObject,
  patches: readonly JsonValue[],
  { path, draft }: Patching,
): PatchedObject {
  return patches.reduce<PatchedObject>(
    (result, patch, index) => {
      const outcome = applyPatch(result.object, patch, { path: [...path, 'patches', index], draft });
      if (outcome.kind === 'patched') return { ...result, object: outcome.object };
      return { ...result, diagnostics: [...result.diagnostics, outcome.diagnostic] };
    },
    { object, diagnostics: [] },
  );
}

type PatchOutcome =
  | { readonly kind: 'patched'; readonly object: K8sObject }
  | { readonly kind: 'refused'; readonly diagnostic: Diagnostic };

function applyPatch(
  object: K8sObject,
  patch: JsonValue,
  { path, draft: shared }: Pick<Patching, 'path' | 'draft'>,
): PatchOutcome {
  const parsed = parseTreePath(textOf(at(patch, 'path')));
  if (parsed.kind === 'invalid') {
    const remedy = 'Write it as in spec.template.spec.containers.[name:discovery].args.';
    return {
      kind: 'refused',
      diagnostic: diagnose('invalidOverlayPath', { path: [...path, 'path'], cause: parsed.cause, remedy }),
    };
  }
  const value = at(patch, 'value');
  const draft = mayBeRefused(parsed.steps) ? new Draft() : shared;
  const change =
    value === undefined || value === null
      ? deleteAt(object, parsed.steps, { draft })
      : writeAt(object, parsed.steps, meantValue(object, parsed.steps, value), { keepType: true, draft });
  // Nothing to delete is what the user wants.
  if (change.kind === 'absent') return { kind: 'patched', object };
  if (change.kind === 'changed' && isK8sObject(change.tree)) return { kind: 'patched', object: change.tree };
  return { kind: 'refused', diagnostic: refusal(object, parsed.steps, change, path) };
}

/** Whether a change may have to be taken back, since without these fields it is no object any more. */
function mayBeRefused([first, second]: readonly PathStep[]): boolean {
  if (first?.kind !== 'key' || ['apiVersion', 'kind'].includes(first.key)) return true;
  return first.key === 'metadata' && (second?.kind !== 'key' || second.key === 'name');
}

/** Maps whose values are texts, whatever the texts look like. */
const TEXT_MAPS = new Set(['annotations', 'labels', 'data', 'stringData', 'matchLabels', 'nodeSelector']);

/**
 * Upstream reads a text that looks like a YAML map as that map, and files rely on it. Not where only a text can stand,
 * and not where a text stands now: there it would only make the object invalid.
 */
function meantValue(object: K8sObject, steps: readonly PathStep[], value: JsonValue): JsonValue {
  if (typeof value !== 'string' || !looksLikeMap(value)) return value;
  const parent = steps.at(-2);
  if (parent?.kind === 'key' && TEXT_MAPS.has(parent.key)) return value;
  const asMap = parsedMap(value);
  if (asMap === undefined) return value;
  const present = readAt(object, steps)?.value;
  const mayBeMap = present === undefined || present === null || isJsonObject(present);
  return mayBeMap ? asMap : value;
}

function looksLikeMap(text: string): boolean {
  return text.includes('\n') ? text.includes(':') : text.includes(': ');
}

function parsedMap(text: string): JsonObject | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    // Not JSON, so YAML may be meant.
  }
  try {
    const value = readYaml(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function refusal(
  object: K8sObject,
  steps: readonly PathStep[],
  change: TreeChange,
  path: FieldPath,
): Diagnostic {
  switch (change.kind) {
    case 'notFound': {
      const known = change.candidates.join(', ');
      const step = steps
        .slice(change.depth, change.depth + 1)
        .map(printStep)
        .join('');
      return diagnose('overlayPathNotFound', {
        path: [...path, 'path'],
        cause: `${step} matches nothing in ${placeIn(object, steps.slice(0, change.depth))}`,
        remedy: known === '' ? 'The list is empty.' : `There are: ${known}.`,
      });
    }
    case 'typeMismatch':
      return diagnose('overlayChangesType', {
        path,
        cause: `${placeIn(object, steps.slice(0, change.depth))} is a ${change.found}, not a ${change.wanted}`,
        remedy: 'Change the path or the value; to replace a value by one of another type, delete it first.',
      });
    case 'absent':
    case 'changed':
      return diagnose('overlayChangesType', {
        path,
        cause: 'the result is no object with apiVersion, kind and a name',
        remedy: 'Do not change apiVersion, kind or the name to something else than text.',
      });
  }
}

function placeIn(object: K8sObject, steps: readonly PathStep[]): string {
  const name = `${object.kind} ${object.metadata.name}`;
  return steps.length === 0 ? name : `${printTreePath(steps)} of ${name}`;
}
