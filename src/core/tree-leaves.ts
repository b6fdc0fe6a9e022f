/** The leaves of a JSON tree, and trees that differ in one of them. */
import type { JsonValue } from '../model/json.ts';
import { isJsonArray, isJsonObject } from '../model/json.ts';
import type { FieldPath } from './field-path.ts';

export interface Leaf {
  readonly path: FieldPath;
  readonly value: JsonValue;
}

/** Every scalar, and every map and list that is empty; with `lists: 'whole'` each list is one leaf. */
export function leavesOf(tree: JsonValue, { lists = 'items' }: LeafOptions = {}): readonly Leaf[] {
  const visit = (value: JsonValue, path: FieldPath): readonly Leaf[] => {
    if (isJsonArray(value) && lists === 'items' && value.length > 0)
      return value.flatMap((item, index) => visit(item, [...path, index]));
    if (isJsonObject(value) && Object.keys(value).length > 0)
      return Object.entries(value).flatMap(([key, child]) => visit(child, [...path, key]));
    return [{ path, value }];
  };
  return visit(tree, []);
}

interface LeafOptions {
  readonly lists?: 'items' | 'whole';
}

/** The tree with another value at a path, or without what stands there. Maps on the way are made where none are. */
export function withValueAt(
  tree: JsonValue | undefined,
  [step, ...rest]: FieldPath,
  value: JsonValue | undefined,
): JsonValue | undefined {
  if (step === undefined) return value;
  if (typeof step === 'number') {
    const list = isJsonArray(tree) ? tree : [];
    return list.flatMap((item, index) => {
      const changed = index === step ? withValueAt(item, rest, value) : item;
      return changed === undefined ? [] : [changed];
    });
  }
  const { [step]: child, ...others } = isJsonObject(tree) ? tree : {};
  const changed = withValueAt(child, rest, value);
  return changed === undefined ? others : { ...others, [step]: changed };
}
