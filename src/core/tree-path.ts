/**
 * The path language of overlays and of --set: `spec.containers.[name:discovery].args.[-1]`. Keys are separated by dots
 * (`\.` is a dot in a key); brackets select in a list: by position, by the value of a key, or by a regular expression
 * over scalars. Beyond upstream, dots and colons inside brackets need no escape.
 */
import { RE2JS } from 're2js';
import type { JsonArray, JsonObject, JsonValue } from '../model/json.ts';
import { at, isJsonArray, isJsonObject } from '../model/json.ts';
import { textOf } from './go-values.ts';

export type PathStep =
  | { readonly kind: 'key'; readonly key: string }
  /** -1, or an index beyond the end, appends. */
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'entry'; readonly key: string; readonly value: string }
  /** RE2 syntax, as in Go; matched in linear time, because paths come from users. */
  | { readonly kind: 'match'; readonly pattern: string };

export type ParsedPath =
  | { readonly kind: 'path'; readonly steps: readonly PathStep[] }
  | { readonly kind: 'invalid'; readonly cause: string };

const SEGMENT = /\[((?:\\.|[^\]\\])*)\]|((?:\\.|[^.[\\])+)|(\.)|(.)/gsu;

/** Far more than anything is nested; what walks along a path needs a bound, and whoever made this one is mistaken. */
const MOST_STEPS = 100;

export function parseTreePath(text: string): ParsedPath {
  const steps: PathStep[] = [];
  for (const [whole, bracket, key, dot] of text.matchAll(SEGMENT)) {
    if (dot !== undefined) continue;
    if (steps.length === MOST_STEPS)
      return { kind: 'invalid', cause: `it has more than ${MOST_STEPS} steps` };
    if (key !== undefined) steps.push({ kind: 'key', key: unescaped(key) });
    else if (bracket === undefined)
      return { kind: 'invalid', cause: `"${whole}" is not closed or stands alone` };
    else {
      const step = parseBracket(bracket);
      if (typeof step === 'string') return { kind: 'invalid', cause: step };
      steps.push(step);
    }
  }
  return steps.length === 0 ? { kind: 'invalid', cause: 'the path is empty' } : { kind: 'path', steps };
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gsu, '$1');
}

function parseBracket(bracket: string): PathStep | string {
  if (/^-?\d+$/u.test(bracket)) return { kind: 'index', index: listIndex(bracket) };
  const entry = /^([\w-]+):(.+)$/su.exec(bracket);
  // With several colons the first one separates: upstream could not match such values at all.
  if (entry?.[1] !== undefined && entry[2] !== undefined) {
    return { kind: 'entry', key: entry[1], value: unescaped(entry[2]) };
  }
  const pattern = bracket.startsWith(':') ? bracket.slice(1) : bracket;
  if (pattern === '') return 'the brackets are empty';
  try {
    RE2JS.compile(pattern);
  } catch {
    return `"${pattern}" is not a regular expression`;
  }
  return { kind: 'match', pattern };
}

/** Every negative index means the same; no list is longer than the largest whole number. */
function listIndex(digits: string): number {
  if (Number(digits) < 0) return -1;
  return Math.min(Math.abs(Number(digits)), Number.MAX_SAFE_INTEGER);
}

/** Prints a path so that parsing it again gives the same steps. */
export function printTreePath(steps: readonly PathStep[]): string {
  return steps.map(printStep).join('.');
}

export function printStep(step: PathStep): string {
  switch (step.kind) {
    case 'key':
      return step.key.replace(/[\\.[\]]/gu, String.raw`\$&`);
    case 'index':
      return `[${step.index}]`;
    case 'entry':
      return `[${step.key}:${step.value.replace(/[\\\]]/gu, String.raw`\$&`)}]`;
    case 'match':
      return `[:${step.pattern}]`;
  }
}

export type TreeChange =
  | { readonly kind: 'changed'; readonly tree: JsonValue }
  /** There was nothing to delete. */
  | { readonly kind: 'absent' }
  /** The step at `depth` selects nothing; `candidates` are what it could have selected. */
  | { readonly kind: 'notFound'; readonly depth: number; readonly candidates: readonly string[] }
  /** The next step cannot be taken, or the value not be put, because the first `depth` steps lead to something else. */
  | {
      readonly kind: 'typeMismatch';
      readonly depth: number;
      readonly found: string;
      readonly wanted: string;
    };

export interface WriteOptions {
  /** Refuses to replace a map, a list or a scalar by another of these. */
  readonly keepType: boolean;
  /** Shared by the changes of a series, of which only the last tree is of use; what they begin with is not changed. */
  readonly draft?: Draft;
}

/**
 * The maps and lists that a series of changes has made: they are changed in place, where another one is copied first.
 * Thousands of changes of one large map so take no longer than they must.
 */
export class Draft {
  readonly #maps = new WeakMap<JsonObject, Record<string, JsonValue>>();
  readonly #lists = new WeakMap<JsonArray, JsonValue[]>();

  put(map: JsonObject, key: string, value: JsonValue): JsonObject {
    const own = this.#ownMap(map);
    // An assignment would do something else for `__proto__`.
    Object.defineProperty(own, key, { value, configurable: true, enumerable: true, writable: true });
    return own;
  }

  remove(map: JsonObject, key: string): JsonObject {
    const own = this.#ownMap(map);
    Reflect.deleteProperty(own, key);
    return own;
  }

  /** Appends where there is no index. */
  putItem(list: JsonArray, index: number | undefined, value: JsonValue): JsonArray {
    const own = this.#ownList(list);
    own[index ?? own.length] = value;
    return own;
  }

  removeItem(list: JsonArray, index: number): JsonArray {
    const own = this.#ownList(list);
    own.splice(index, 1);
    return own;
  }

  #ownMap(map: JsonObject): Record<string, JsonValue> {
    const own = this.#maps.get(map);
    if (own !== undefined) return own;
    const copy = { ...map };
    this.#maps.set(copy, copy);
    return copy;
  }

  #ownList(list: JsonArray): JsonValue[] {
    const own = this.#lists.get(list);
    if (own !== undefined) return own;
    const copy = [...list];
    this.#lists.set(copy, copy);
    return copy;
  }
}

interface Write {
  readonly steps: readonly PathStep[];
  /** Undefined deletes. */
  readonly value: JsonValue | undefined;
  readonly keepType: boolean;
  readonly draft: Draft;
}

/** Puts a value at a path, creating maps (and lists, for indexes) on the way. The tree itself is not changed. */
export function writeAt(
  tree: JsonValue,
  steps: readonly PathStep[],
  value: JsonValue,
  { keepType, draft = new Draft() }: WriteOptions,
): TreeChange {
  return descend(tree, { steps, value, keepType, draft }, 0);
}

/** The value at a path, with the path as it stands in this tree: steps by position where a selector found something. */
export function readAt(
  tree: JsonValue,
  steps: readonly PathStep[],
): { readonly path: readonly (string | number)[]; readonly value: JsonValue } | undefined {
  let value: JsonValue = tree;
  const path: (string | number)[] = [];
  for (const step of steps) {
    const next = step.kind === 'key' ? step.key : isJsonArray(value) ? positionOf(value, step) : undefined;
    const found = next === undefined ? undefined : at(value, next);
    if (next === undefined || found === undefined) return undefined;
    path.push(next);
    value = found;
  }
  return { path, value };
}

/** Removes the map key or list element at a path. */
export function deleteAt(
  tree: JsonValue,
  steps: readonly PathStep[],
  { draft = new Draft() }: Pick<WriteOptions, 'draft'> = {},
): TreeChange {
  return descend(tree, { steps, value: undefined, keepType: false, draft }, 0);
}

function descend(node: JsonValue | undefined, write: Write, depth: number): TreeChange {
  const step = write.steps[depth];
  if (step === undefined) return replaced(node, write, depth);
  if (step.kind === 'key') return descendKey(node, step.key, write, depth);
  return descendList(node, step, write, depth);
}

function replaced(node: JsonValue | undefined, write: Write, depth: number): TreeChange {
  const { value, keepType } = write;
  if (value === undefined) return { kind: 'absent' };
  const found = shapeOf(node);
  const wanted = shapeOf(value);
  if (keepType && found !== undefined && wanted !== undefined && found !== wanted) {
    return { kind: 'typeMismatch', depth, found, wanted };
  }
  return { kind: 'changed', tree: value };
}

function descendKey(node: JsonValue | undefined, key: string, write: Write, depth: number): TreeChange {
  const map = node ?? {};
  if (!isJsonObject(map)) return mismatch(node, 'map', depth);
  const child = Object.hasOwn(map, key) ? map[key] : undefined;
  const isLast = depth === write.steps.length - 1;
  if (write.value === undefined && child === undefined) return { kind: 'absent' };
  if (write.value === undefined && isLast) return { kind: 'changed', tree: write.draft.remove(map, key) };
  return rebuilt(descend(child, write, depth + 1), (tree) => write.draft.put(map, key, tree));
}

function descendList(
  node: JsonValue | undefined,
  step: Exclude<PathStep, { kind: 'key' }>,
  write: Write,
  depth: number,
): TreeChange {
  const list = node ?? [];
  if (!isJsonArray(list)) return mismatch(node, 'list', depth);
  const index = positionOf(list, step);
  const appends = step.kind === 'index' && index === undefined && write.value !== undefined;
  if (index === undefined && !appends)
    return { kind: 'notFound', depth, candidates: candidatesOf(list, step) };
  const isLast = depth === write.steps.length - 1;
  if (write.value === undefined && isLast && index !== undefined)
    return { kind: 'changed', tree: write.draft.removeItem(list, index) };
  const child = index === undefined ? undefined : list[index];
  return rebuilt(descend(child, write, depth + 1), (tree) => write.draft.putItem(list, index, tree));
}

function rebuilt(change: TreeChange, build: (tree: JsonValue) => JsonValue): TreeChange {
  return change.kind === 'changed' ? { kind: 'changed', tree: build(change.tree) } : change;
}

function positionOf(list: JsonArray, step: Exclude<PathStep, { kind: 'key' }>): number | undefined {
  if (step.kind === 'index') return step.index >= 0 && step.index < list.length ? step.index : undefined;
  const index = list.findIndex(step.kind === 'entry' ? hasEntry(step) : hasMatch(step));
  return index === -1 ? undefined : index;
}

function hasEntry({ key, value }: Extract<PathStep, { kind: 'entry' }>): (item: JsonValue) => boolean {
  return (item) => isJsonObject(item) && Object.hasOwn(item, key) && textOf(item[key]) === value;
}

function hasMatch({ pattern }: Extract<PathStep, { kind: 'match' }>): (item: JsonValue) => boolean {
  const compiled = RE2JS.compile(pattern);
  return (item) => (item === null || typeof item !== 'object') && compiled.matcher(textOf(item)).find();
}

/** What stands in the list, in the form in which a path would select it. */
function candidatesOf(list: JsonArray, step: Exclude<PathStep, { kind: 'key' }>): readonly string[] {
  if (step.kind === 'index') return list.map((_item, index) => `[${index}]`);
  if (step.kind === 'match')
    return list.filter((item) => typeof item !== 'object').map((item) => `[${textOf(item)}]`);
  return list
    .filter((item): item is JsonObject => isJsonObject(item) && Object.hasOwn(item, step.key))
    .map((item) => `[${step.key}:${textOf(item[step.key])}]`);
}

function mismatch(node: JsonValue | undefined, wanted: string, depth: number): TreeChange {
  return { kind: 'typeMismatch', depth, found: shapeOf(node) ?? 'nothing', wanted };
}

/** Map, list or scalar; undefined for nothing, which may become anything. */
function shapeOf(value: JsonValue | undefined): 'map' | 'list' | 'scalar' | undefined {
  if (value === undefined || value === null) return undefined;
  if (isJsonArray(value)) return 'list';
  return isJsonObject(value) ? 'map' : 'scalar';
}
