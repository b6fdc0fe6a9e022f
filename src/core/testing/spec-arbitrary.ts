/** Generators of specifications for property tests: any JSON, at places where something reads it. */
import fc from 'fast-check';
import type { AssetBundle } from '../../model/assets.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { at, isJsonArray, isJsonObject } from '../../model/json.ts';
import { overlayAll } from '../merge.ts';
import { jsonTree } from './json-arbitrary.ts';

type Path = readonly (string | number)[];

/** Values at which code stumbles that takes a shape for granted. */
const AWKWARD: readonly JsonValue[] = [
  null,
  '',
  'text',
  'a: b',
  '{{x}}',
  'x\ny: z',
  '\u2028\ud800',
  0,
  -1,
  1.5,
  1e30,
  true,
  false,
  [],
  {},
  [null],
  ['x'],
  [{}],
  [[1]],
  [{ name: 'a' }],
  [{ name: 5 }],
  { a: null },
  { x: 1 },
];

const value = fc.oneof(fc.constantFrom(...AWKWARD), jsonTree);

/** Specifications with arbitrary values at one to three places, on one of the profiles that render much. */
export function specWithAnything(assets: AssetBundle): fc.Arbitrary<JsonObject> {
  const places = placesIn(assets);
  const part = fc.tuple(fc.constantFrom(...places), value).map(([path, tree]) => put(path, tree));
  const profile = fc.constantFrom('default', 'ambient', 'openshift-ambient', 'remote', 'stable');
  return fc
    .tuple(profile, fc.array(part, { minLength: 1, maxLength: 3 }))
    .map(([name, parts]) => overlayAll([{ profile: name, ...EVERYTHING_ON }, ...parts]));
}

const EVERYTHING_ON: JsonObject = {
  components: {
    cni: { enabled: true },
    ztunnel: { enabled: true },
    egressGateways: [{ name: 'istio-egressgateway', enabled: true }],
  },
};

/**
 * Every path under `spec` that a schema knows or a component has a default for. Values are put under
 * `unvalidatedValues` too, where no schema keeps them from the components.
 */
function placesIn(assets: AssetBundle): readonly Path[] {
  const inSpec = schemaPaths(assets.specSchema, assets.specSchema);
  const inValues = schemaPaths(assets.valuesSchema, assets.valuesSchema);
  const defaults = [...assets.defaults].flatMap(([folder, tree]) => {
    const own = leafPaths(tree);
    return [...own, ...own.map((path) => [folder, ...path])];
  });
  return [
    ...inSpec,
    ...inValues.map((path) => ['values', ...path]),
    ...[...inValues, ...defaults].map((path) => ['unvalidatedValues', ...path]),
  ];
}

function schemaPaths(root: JsonObject, schema: JsonValue | undefined, path: Path = []): readonly Path[] {
  const resolved = resolve(root, schema);
  if (resolved === undefined || path.length > 9) return [];
  const { properties, items, additionalProperties } = resolved;
  const fields = isJsonObject(properties) ? Object.entries(properties) : [];
  return [
    ...(path.length === 0 ? [] : [path]),
    ...fields.flatMap(([field, child]) => schemaPaths(root, child, [...path, field])),
    ...schemaPaths(root, items, [...path, 0]),
    ...schemaPaths(root, additionalProperties, [...path, 'any']),
  ];
}

function resolve(root: JsonObject, schema: JsonValue | undefined): JsonObject | undefined {
  if (!isJsonObject(schema)) return undefined;
  const reference = schema['$ref'];
  return typeof reference === 'string' ? resolve(root, at(root, ...reference.slice(2).split('/'))) : schema;
}

function leafPaths(tree: JsonValue, path: Path = []): readonly Path[] {
  const here = path.length === 0 ? [] : [path];
  if (isJsonArray(tree) || !isJsonObject(tree)) return here;
  return [...here, ...Object.entries(tree).flatMap(([field, child]) => leafPaths(child, [...path, field]))];
}

/** A tree that is just that value at that path. */
function put([step, ...rest]: Path, tree: JsonValue): JsonObject {
  const child =
    rest.length === 0 ? tree : typeof rest[0] === 'number' ? [putItem(rest, tree)] : put(rest, tree);
  return { [String(step)]: child };
}

function putItem([, ...rest]: Path, tree: JsonValue): JsonValue {
  return rest.length === 0 ? tree : put(rest, tree);
}
