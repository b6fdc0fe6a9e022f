/** Resource requirements of a container, as charts print them. */
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { isJsonObject } from '../../model/json.ts';
import { truthy } from '../go-values.ts';
import { unquoted } from './reader.ts';

/** Only limits and requests, without empty entries; null when nothing is left. */
export function resourceRequirements(value: JsonValue): JsonObject | null {
  if (!isJsonObject(value)) return null;
  const sections = (['limits', 'requests'] as const).flatMap((section) => {
    const quantities = filledQuantities(value[section] ?? null);
    return quantities === null ? [] : [[section, quantities] as const];
  });
  return sections.length === 0 ? null : Object.fromEntries(sections);
}

function filledQuantities(section: JsonValue): JsonObject | null {
  if (!isJsonObject(section)) return null;
  const entries = Object.entries(section).filter(([, quantity]) => truthy(quantity));
  if (entries.length === 0) return null;
  return Object.fromEntries(entries.map(([name, quantity]) => [name, unquoted(quantity)]));
}
