/** Reads the assets from the source tree. The build replaces this module by one that holds them all. */
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import type { AssetBundle, TemplateSource } from '../model/assets.ts';
import { at, isJsonObject, listAt, mapAt } from '../model/json.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { isK8sObject } from '../model/object.ts';
import type { K8sObject } from '../model/object.ts';
import { AssetError, readAssetFiles } from './asset-files.ts';
import type { AssetFile } from './asset-files.ts';
import { readDeployment, readRevisionRights } from './deployment.ts';
import { compileValidators } from './validators.ts';

const TREE_ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOLDERS = ['templates', 'profiles', 'crds'];

/** Where each file belongs; the group is its name there. The first pattern that matches counts. */
const SHELVES = {
  files: /^templates\/([^/]+\/files\/.+)$/,
  templates: /^templates\/(.+)\.yaml\.hbs$/,
  defaults: /^templates\/([^/]+)\/values\.yaml$/,
  presets: /^profiles\/presets\/(.+)\.yaml$/,
  profiles: /^profiles\/([^/]+)\.yaml$/,
  specSchema: /^crds\/(istiooperators)\.yaml$/,
  valuesSchema: /^crds\/(values)\.schema\.json$/,
  crds: /^crds\/istio\/(.+)\.jsonl$/,
} satisfies Record<string, RegExp>;

type Shelf = keyof typeof SHELVES;
type Shelves = ReadonlyMap<Shelf, ReadonlyMap<string, AssetFile>>;

/** A release has at least one of each; presets and plain files may be absent. */
const REQUIRED: readonly Shelf[] = ['templates', 'defaults', 'profiles', 'crds'];

/**
 * Reads and checks everything. Throws an AssetError that names the file when one is empty, unreadable, not what its
 * place demands, or has no place.
 */
export async function readAssets(root: string = TREE_ROOT): Promise<AssetBundle> {
  const shelves = shelve(await readAssetFiles(root, FOLDERS));
  const specSchema = onlyOf(shelves, 'specSchema', parseSpecSchema);
  const valuesSchema = onlyOf(shelves, 'valuesSchema', parseValuesSchema);
  return {
    templates: allOf(shelves, 'templates', ({ text }): TemplateSource => ({ kind: 'text', text })),
    defaults: allOf(shelves, 'defaults', parseMap),
    profiles: allOf(shelves, 'profiles', parseProfile),
    presets: allOf(shelves, 'presets', parseMap),
    specSchema,
    valuesSchema,
    ...compileValidators({ specSchema, valuesSchema }),
    crds: allOf(shelves, 'crds', parseDefinitions),
    files: allOf(shelves, 'files', ({ text }) => text),
    deployment: await readDeployment(root),
    revisionRights: await readRevisionRights(root),
    printedSpecs: async () => () => undefined,
  };
}

function shelve(files: readonly AssetFile[]): Shelves {
  const shelves = new Map<Shelf, Map<string, AssetFile>>();
  for (const file of files) {
    const [shelf, name] = placeOf(file.path);
    const entries = shelves.get(shelf) ?? new Map<string, AssetFile>();
    shelves.set(shelf, entries.set(name, file));
  }
  for (const shelf of REQUIRED) {
    if (!shelves.has(shelf)) throw missing(shelf);
  }
  return shelves;
}

function placeOf(path: string): readonly [Shelf, string] {
  for (const [shelf, pattern] of Object.entries(SHELVES)) {
    const name = pattern.exec(path)?.[1];
    if (name !== undefined) return [shelf as Shelf, name]; // a key of the table we walk
  }
  throw new AssetError(
    path,
    'has no place among the assets: its name fits none of the patterns in src/assets/source.ts',
  );
}

function allOf<T>(shelves: Shelves, shelf: Shelf, parse: (file: AssetFile) => T): ReadonlyMap<string, T> {
  const entries = [...(shelves.get(shelf) ?? [])];
  return new Map(entries.map(([name, file]) => [name, parse(file)]));
}

function onlyOf<T>(shelves: Shelves, shelf: Shelf, parse: (file: AssetFile) => T): T {
  const [value] = allOf(shelves, shelf, parse).values();
  if (value === undefined) throw missing(shelf);
  return value;
}

function missing(shelf: Shelf): AssetError {
  return new AssetError(FOLDERS.join(', '), `hold no file of the form ${SHELVES[shelf].source}`);
}

function parseMap({ path, text }: AssetFile): JsonObject {
  const value = parsed(path, 'YAML', () => load(text));
  if (!isJsonObject(value)) throw new AssetError(path, 'must hold a map');
  return value;
}

function parseProfile(file: AssetFile): JsonObject {
  const profile = parseMap(file);
  if (profile['kind'] !== 'IstioOperator') throw new AssetError(file.path, 'must be of kind IstioOperator');
  return mapIn(profile, file.path, ['spec']);
}

function parseSpecSchema(file: AssetFile): JsonObject {
  const versions = listAt(parseMap(file), 'spec', 'versions');
  const version = versions.find((candidate) => at(candidate, 'name') === 'v1alpha1');
  return mapIn(version, file.path, ['schema', 'openAPIV3Schema', 'properties', 'spec']);
}

function parseValuesSchema({ path, text }: AssetFile): JsonObject {
  const schema = parsed(path, 'JSON', () => JSON.parse(text));
  if (!isJsonObject(schema)) throw new AssetError(path, 'must hold a map');
  return schema;
}

function parseDefinitions({ path, text }: AssetFile): readonly K8sObject[] {
  return text
    .trim()
    .split('\n')
    .map((line, index) => parseDefinition(line, `${path}:${index + 1}`));
}

function parseDefinition(line: string, place: string): K8sObject {
  const definition = parsed(place, 'JSON', () => JSON.parse(line));
  if (isK8sObject(definition) && definition.kind === 'CustomResourceDefinition') return definition;
  throw new AssetError(place, 'is not a CustomResourceDefinition');
}

function parsed(place: string, language: string, parse: () => unknown): unknown {
  try {
    return parse();
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new AssetError(place, `is not valid ${language}: ${problem}`, cause);
  }
}

function mapIn(value: JsonValue | undefined, path: string, steps: readonly string[]): JsonObject {
  if (!isJsonObject(at(value, ...steps))) throw new AssetError(path, `has no map at ${steps.join('.')}`);
  return mapAt(value, ...steps);
}
