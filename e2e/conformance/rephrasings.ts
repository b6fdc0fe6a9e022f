/** Other ways to say the same thing: each must come to the same objects, for every input that was recorded. */
import { textOf } from '../../src/core/go-values.ts';
import { readResources } from '../../src/core/spec/documents.ts';
import { printYaml } from '../../src/core/yaml.ts';
import type { OwnProfiles } from '../../src/core/own-profiles.ts';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { at, isJsonArray, isJsonObject, mapAt } from '../../src/model/json.ts';

/** What a planner is given: specifications, weakest first, and flags over them. */
export interface Phrasing {
  readonly specs: readonly JsonObject[];
  readonly sets: readonly string[];
  readonly ownProfiles?: OwnProfiles;
}

/** The same in other words; undefined when it cannot be said in that way. */
export type Rephrase = (said: Phrasing) => Phrasing | undefined;

export const REPHRASINGS = {
  'with its keys in another order': ({ specs, sets }) => ({
    specs: specs.map((spec) => reordered(spec)).filter(isJsonObject),
    sets,
  }),
  'from YAML': ({ specs, sets }) => ({ specs: specs.map(throughYaml), sets }),
  'with every file given twice': ({ specs, sets }) => ({
    specs: specs.flatMap((spec) => [spec, spec]),
    sets,
  }),
  'with files that say nothing between': ({ specs, sets }) => ({
    specs: specs.flatMap((spec) => [{}, spec, { components: {}, values: {} }]),
    sets,
  }),
  'split into two files': ({ specs, sets }) => ({
    specs: specs.flatMap((spec) => {
      const [even, odd] = halves(spec);
      return [even, odd];
    }),
    sets,
  }),
  'with flags in place of the last file': withFlags,
  'with unvalidatedValues in place of values': withUnvalidatedValues,
  'with values in place of the fields that stand for them': withValues,
  'with components in a profile of its own': withOwnProfile,
} as const satisfies Readonly<Record<string, Rephrase>>;

function reordered(value: JsonValue): JsonValue {
  if (isJsonArray(value)) return value.map(reordered);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).toReversed();
  return Object.fromEntries(entries.map(([key, child]) => [key, reordered(child)]));
}

function throughYaml(spec: JsonObject): JsonObject {
  const read = readResources(printYaml({ kind: 'IstioOperator', spec }), 'rephrased');
  const [resource] = read.kind === 'read' ? read.resources : [];
  if (!isJsonObject(resource?.spec)) throw new Error('what was printed could not be read');
  return resource.spec;
}

/** Every map is torn apart, key by key in turn; what is no map goes whole to one side. */
function halves(map: JsonObject): readonly [JsonObject, JsonObject] {
  const sides: [JsonObject, JsonObject] = [{}, {}];
  for (const [index, [key, value]] of Object.entries(map).entries()) {
    if (isJsonObject(value) && Object.keys(value).length > 0) {
      const [even, odd] = halves(value);
      sides[0] = { ...sides[0], [key]: even };
      sides[1] = { ...sides[1], [key]: odd };
    } else if (index % 2 === 0) sides[0] = { ...sides[0], [key]: value };
    else sides[1] = { ...sides[1], [key]: value };
  }
  return sides;
}

function withFlags({ specs, sets }: Phrasing): Phrasing | undefined {
  const last = specs.at(-1);
  if (last === undefined) return undefined;
  const { flags, rest } = flagsOf(last, '');
  return { specs: [...specs.slice(0, -1), rest], sets: [...flags, ...sets] };
}

interface Flagged {
  readonly flags: readonly string[];
  /** What no flag can say: lists, null, empty maps, texts that a flag would take for something else. */
  readonly rest: JsonObject;
}

function flagsOf(map: JsonObject, path: string): Flagged {
  let flagged: Flagged = { flags: [], rest: {} };
  for (const [key, value] of Object.entries(map)) {
    const step = `${path}${key.replaceAll('.', String.raw`\.`)}`;
    if (isJsonObject(value) && Object.keys(value).length > 0) {
      const below = flagsOf(value, `${step}.`);
      const rest = Object.keys(below.rest).length === 0 ? {} : { [key]: below.rest };
      flagged = { flags: [...flagged.flags, ...below.flags], rest: { ...flagged.rest, ...rest } };
    } else if (isSayable(key, value)) {
      flagged = { ...flagged, flags: [...flagged.flags, `${step}=${textOf(value)}`] };
    } else flagged = { ...flagged, rest: { ...flagged.rest, [key]: value } };
  }
  return flagged;
}

function isSayable(key: string, value: JsonValue): boolean {
  if (/[[\]:=\\]/u.test(key)) return false;
  if (typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isSafeInteger(value) && key !== 'tag';
  return typeof value === 'string' && /^[a-z][a-z-]*\/[^\\]*$|^[a-z][a-z]+-[^\\]*$/u.test(value);
}

/** Fields of values that Istio looks at before it merges `unvalidatedValues`, or that other fields win over. */
const LOOKED_AT_EARLY = [
  ['global', 'istioNamespace'],
  ['pilot', 'cni', 'enabled'],
  ['pilot', 'enabled'],
  ['meshConfig'],
  ['revision'],
];

function withUnvalidatedValues({ specs, sets }: Phrasing): Phrasing | undefined {
  if (sets.length > 0) return undefined;
  const isLookedAt = specs.some((spec) =>
    LOOKED_AT_EARLY.some((path) => at(spec, 'values', ...path) !== undefined),
  );
  const isMixed = specs.some((spec) => spec['unvalidatedValues'] !== undefined);
  if (isLookedAt || isMixed) return undefined;
  return {
    sets,
    specs: specs.map(({ values, ...spec }) =>
      values === undefined ? spec : { ...spec, unvalidatedValues: values },
    ),
  };
}

/** Fields of the specification by the values that they stand for. */
const TWINS: readonly (readonly [string, readonly string[]])[] = [
  ['hub', ['global', 'hub']],
  ['tag', ['global', 'tag']],
  ['revision', ['revision']],
  ['compatibilityVersion', ['compatibilityVersion']],
  ['meshConfig', ['meshConfig']],
];

function withValues({ specs, sets }: Phrasing): Phrasing | undefined {
  const [spec] = specs;
  if (spec === undefined || specs.length > 1 || sets.length > 0) return undefined;
  const present = TWINS.filter(([field]) => (spec[field] ?? null) !== null);
  const isMixed = present.some(([, path]) => at(spec, 'values', ...path) !== undefined);
  // A tag that is a number becomes text, but values stay as they are given.
  if (present.length === 0 || isMixed || typeof spec['tag'] === 'number') return undefined;
  const rest = Object.fromEntries(
    Object.entries(spec).filter(([key]) => !present.some(([field]) => field === key)),
  );
  const values = present.reduce(
    (tree, [field, path]) => put(tree, path, spec[field] ?? null),
    mapAt(spec, 'values'),
  );
  return { specs: [{ ...rest, values }], sets };
}

function put(tree: JsonObject, [key = '', ...below]: readonly string[], value: JsonValue): JsonObject {
  return { ...tree, [key]: below.length === 0 ? value : put(mapAt(tree, key), below, value) };
}

/** What a profile cannot set, and values, which win over other fields only where a user gives them. */
const NOT_IN_PROFILES = new Set(['profile', 'installPackagePath', 'hub', 'tag', 'values']);

function withOwnProfile({ specs, sets }: Phrasing): Phrasing | undefined {
  const [first, ...others] = specs;
  if (first === undefined || [...specs].some((spec) => (spec['profile'] ?? 'default') !== 'default'))
    return undefined;
  if (sets.some((set) => set.startsWith('profile='))) return undefined;
  const entries = Object.entries(first);
  const moved = entries.filter(([key]) => !NOT_IN_PROFILES.has(key));
  const kept = entries.filter(([key]) => NOT_IN_PROFILES.has(key));
  const layer = { spec: Object.fromEntries(moved), source: 'corp.yaml' };
  return {
    specs: [
      { ...Object.fromEntries(kept), profile: './corp.yaml' },
      ...others.map(({ profile: _default, ...spec }) => spec),
    ],
    sets,
    ownProfiles: new Map([['./corp.yaml', { kind: 'read', layer }]]),
  };
}
