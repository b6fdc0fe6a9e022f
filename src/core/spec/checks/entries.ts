/** The parts of a specification that rules go through one by one. */
import type { JsonObject } from '../../../model/json.ts';
import { isJsonObject, listAt, mapAt } from '../../../model/json.ts';
import type { ComponentDefinition } from '../../components.ts';
import { COMPONENTS } from '../../components.ts';
import type { FieldPath } from '../../field-path.ts';

/** The components that are lists of gateways. */
export const GATEWAYS = COMPONENTS.filter((component) => component.entries === 'many');

export interface ComponentEntry {
  readonly entry: JsonObject;
  readonly path: FieldPath;
}

/** Where the settings of components with a single entry stand under `spec`. */
export const SINGLE_ROOTS: readonly (readonly string[])[] = COMPONENTS.filter(
  ({ entries }) => entries === 'one',
).map((component: ComponentDefinition) => [component.specRoot ?? 'components', component.specKey]);

/** Every installation of every component: single ones, and each gateway. */
export function entriesOf(spec: JsonObject): readonly ComponentEntry[] {
  const single = SINGLE_ROOTS.map((path) => ({ entry: mapAt(spec, ...path), path: ['spec', ...path] }));
  return [...single, ...gatewaysOf(spec).map(({ gateway, path }) => ({ entry: gateway, path }))];
}

export interface GatewayEntry {
  readonly gateway: JsonObject;
  readonly path: FieldPath;
  /** Key of the kind's values under `values.gateways`. */
  readonly valuesKey: string;
}

/** The gateways of both kinds, with their places in the merged lists. */
export function gatewaysOf(spec: JsonObject): readonly GatewayEntry[] {
  return GATEWAYS.flatMap(({ specKey, valuesRoot }) =>
    listAt(spec, 'components', specKey).flatMap((gateway, index) =>
      isJsonObject(gateway)
        ? [{ gateway, path: ['spec', 'components', specKey, index], valuesKey: valuesRoot[1] }]
        : [],
    ),
  );
}
