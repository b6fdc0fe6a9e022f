/** JSON as Go prints it for people: istiod's ConfigMaps hold such texts, and readers compare them bytewise. */
import type { JsonValue } from '../../model/json.ts';
import { withSortedKeys } from '../go-values.ts';

const HTML_ESCAPES: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' };

/** Two spaces of indentation, keys in bytewise order, `<`, `>` and `&` escaped. */
export function goJson(value: JsonValue): string {
  const text = JSON.stringify(withSortedKeys(value), null, 2);
  return text.replace(/[<>&]/g, (character) => HTML_ESCAPES[character] ?? character);
}
