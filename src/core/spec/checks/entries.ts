/** The parts of a specification that rules go through one by one. */
import type { JsonObject } from '../../../model/json.ts';
import { isJsonObject, listAt, mapAt } from '../../../model/json.ts';
import { COMPONENTS } from '../../components.ts';
import type { FieldPath } from '../../field-path.ts';

/** The components that are lists of gateways. */
export const GATEWAYS = COMPONENTS.filter((component) => component.entries === 'many');

export interface ComponentEntry {
  readonly entry: JsonObject;
  readonly path: FieldPath;
}

/** Every installation of every component: single ones, and each gateway. */
export function entriesOf(spec: JsonObject): readonly ComponentEntry[] {
  const single = COMPONENTS.filter(({ entries }) => entries === 'one').map(({ specKey }) => ({
    entry: mapAt(spec, 'components', specKey),
    path: ['spec', 'components', specKey],
  }));
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
