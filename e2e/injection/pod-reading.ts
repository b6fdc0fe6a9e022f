/** Reads rendered pods by the names that matter, so that a test can say what it is about. */
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { isJsonObject, listAt, mapAt, stringAt } from '../../src/model/json.ts';

/** The only object of a kind. */
export function onlyOne(objects: readonly JsonObject[], kind: string): JsonObject {
  const [found, ...more] = objects.filter((object) => object['kind'] === kind);
  if (found === undefined || more.length > 0) throw new Error(`there is not exactly one ${kind}`);
  return found;
}

/** Specification of the pods of a Deployment, or of a Pod. */
export function podSpecOf(objects: readonly JsonObject[]): JsonObject {
  const [workload] = objects.filter(({ kind }) => kind === 'Deployment' || kind === 'Pod');
  if (workload === undefined) throw new Error('there is no workload');
  return workload['kind'] === 'Pod' ? mapAt(workload, 'spec') : mapAt(workload, 'spec', 'template', 'spec');
}

/** A container or init container. */
export function containerOf(objects: readonly JsonObject[], name: string): JsonObject {
  const spec = podSpecOf(objects);
  const found = [...listAt(spec, 'initContainers'), ...listAt(spec, 'containers')].find(
    (container) => stringAt(container, 'name') === name,
  );
  if (!isJsonObject(found)) throw new Error(`there is no container ${name}`);
  return found;
}

/** Values of a container's environment variables; a source instead of a value is given as it is. */
export function environmentOf(container: JsonObject): Readonly<Record<string, JsonValue>> {
  const entries = listAt(container, 'env').map((variable): [string, JsonValue] => [
    stringAt(variable, 'name') ?? '',
    mapAt(variable)['value'] ?? mapAt(variable)['valueFrom'] ?? '',
  ]);
  return Object.fromEntries(entries);
}

/** Volumes of a pod by name. */
export function volumesOf(objects: readonly JsonObject[]): Readonly<Record<string, JsonObject>> {
  return byName(listAt(podSpecOf(objects), 'volumes'));
}

/** Names of the volumes that a container mounts, in order. */
export function mountsOf(container: JsonObject): readonly string[] {
  return listAt(container, 'volumeMounts').map((mount) => stringAt(mount, 'name') ?? '');
}

function byName(entries: readonly JsonValue[]): Readonly<Record<string, JsonObject>> {
  return Object.fromEntries(
    entries.filter(isJsonObject).map((entry) => [stringAt(entry, 'name') ?? '', entry]),
  );
}
