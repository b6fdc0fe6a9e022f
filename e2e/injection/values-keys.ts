/** The keys of `values` that templates may name. */
import { overlay } from '../../src/core/merge.ts';
import type { JsonObject } from '../../src/model/json.ts';

/** Keys that no chart declares a default for, though the templates read them. */
const OPTIONAL: JsonObject = {
  global: {
    agentgateway: { image: '' },
    platform: '',
    proxy: { capNetBindService: false, holdApplicationUntilProxyStarts: false, lifecycle: {} },
    trustBundleName: '',
    trustDomain: '',
  },
  pilot: { crlConfigMapName: '' },
};

/** The tree for the checker: what is below a value that is no map, or an empty one, is free-form. */
export function valuesKeys(renderedValues: string): JsonObject {
  return overlay(OPTIONAL, JSON.parse(renderedValues) as JsonObject); // the payload is a JSON object
}
