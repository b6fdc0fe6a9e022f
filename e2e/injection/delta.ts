/** Differences between JSON trees, so that a case can be told as "like that one, but". */
import type { JsonArray, JsonValue } from '../../src/model/json.ts';
import { isJsonArray, isJsonObject, jsonEqual } from '../../src/model/json.ts';

type Path = readonly (string | number)[];

/** Sets a value, drops a key, or replaces some entries of a list by others. */
export type Change =
  | readonly [path: Path, value: JsonValue]
  | readonly [path: Path]
  | readonly [path: Path, start: number, count: number, entries: JsonArray];

/** What has to change in `from` to get `to`. */
export function deltaOf(from: JsonValue, to: JsonValue, path: Path = []): readonly Change[] {
  if (jsonEqual(from, to)) return [];
  if (isJsonArray(from) && isJsonArray(to)) return listDelta(from, to, path);
  if (!isJsonObject(from) || !isJsonObject(to)) return [[path, to]];
  const dropped = Object.keys(from).filter((key) => !Object.hasOwn(to, key));
  const changed = Object.entries(to).flatMap(([key, value]): readonly Change[] => {
    const before = from[key];
    return before === undefined ? [[[...path, key], value]] : deltaOf(before, value, [...path, key]);
  });
  return [...dropped.map((key): Change => [[...path, key]]), ...changed];
}

/** Looks only at what is left between the entries that are equal at both ends. */
function listDelta(from: JsonArray, to: JsonArray, path: Path): readonly Change[] {
  const shorter = Math.min(from.length, to.length);
  let start = 0;
  while (start < shorter && jsonEqual(from[start], to[start])) start += 1;
  let tail = 0;
  while (tail < shorter - start && jsonEqual(from.at(-1 - tail), to.at(-1 - tail))) tail += 1;
  const removed = from.slice(start, from.length - tail);
  const added = to.slice(start, to.length - tail);
  if (removed.length !== added.length) return [[path, start, removed.length, added]];
  return removed.flatMap((entry, index) => deltaOf(entry, added[index] ?? null, [...path, start + index]));
}

/** The tree after all changes; the given one stays as it is. Throws when a path leads nowhere. */
export function changedBy(from: JsonValue, changes: readonly Change[]): JsonValue {
  return changes.reduce<JsonValue>((tree, change) => changedOnce(tree, change, change[0]), from);
}

function changedOnce(tree: JsonValue, change: Change, [step, ...rest]: Path): JsonValue {
  if (step === undefined) return replaced(tree, change);
  if (isJsonArray(tree) && typeof step === 'number') {
    return tree.map((entry, index) => (index === step ? changedOnce(entry, change, rest) : entry));
  }
  if (!isJsonObject(tree)) throw new Error(`there is nothing at ${change[0].join('.')}`);
  const { [step]: before = null, ...others } = tree;
  if (rest.length === 0 && change.length === 1) return others;
  return { ...others, [step]: changedOnce(before, change, rest) };
}

function replaced(tree: JsonValue, change: Change): JsonValue {
  if (change.length === 2) return change[1];
  if (change.length !== 4 || !isJsonArray(tree))
    throw new Error(`there is no list at ${change[0].join('.')}`);
  const [, start, count, entries] = change;
  return tree.toSpliced(start, count, ...entries);
}
