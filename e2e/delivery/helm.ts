/** Renders the chart with Helm's own engine, which the Go program in helm/ calls. */
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../../src/model/json.ts';
import { isK8sObject } from '../../src/model/object.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { callGo } from '../control-plane/go-module.ts';

const MODULE = fileURLToPath(new URL('helm/', import.meta.url));
const CHART = fileURLToPath(new URL('../../deploy/chart', import.meta.url));

/**
 * The chart's objects. Rejects with the engine's message when the chart or its values are wrong. `go run` builds into
 * Go's own cache: about two minutes on a cold machine, nothing afterwards.
 */
export async function renderChart(namespace: string, values: JsonObject): Promise<readonly K8sObject[]> {
  const args = ['run', '.', CHART, namespace];
  const output = await callGo({ module: MODULE, args, input: JSON.stringify(values) });
  const objects = output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonObject);
  return objects.map((object) => {
    if (isK8sObject(object)) return object;
    throw new Error(`the chart renders something that is no object: ${JSON.stringify(object)}`);
  });
}
