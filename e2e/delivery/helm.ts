/** Renders the chart with Helm's own engine, which the Go program in helm/ calls. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../../src/model/json.ts';
import { isK8sObject } from '../../src/model/object.ts';
import type { K8sObject } from '../../src/model/object.ts';

const MODULE = fileURLToPath(new URL('helm/', import.meta.url));
const CHART = fileURLToPath(new URL('../../deploy/chart', import.meta.url));

/**
 * The chart's objects. Rejects with the engine's message when the chart or its values are wrong. `go run` builds into
 * Go's own cache: about two minutes on a cold machine, nothing afterwards.
 */
export async function renderChart(namespace: string, values: JsonObject): Promise<readonly K8sObject[]> {
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '-mod=readonly' };
  const child = spawn('go', ['run', '.', CHART, namespace], { cwd: MODULE, env });
  child.stdin.end(JSON.stringify(values));
  const [output, complaints, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>, // documented arguments of the event
  ]);
  if (code !== 0) throw new Error(complaints.trim());
  const objects = output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonObject);
  return objects.map((object) => {
    if (isK8sObject(object)) return object;
    throw new Error(`the chart renders something that is no object: ${JSON.stringify(object)}`);
  });
}
