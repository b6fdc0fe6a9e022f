/** docs/reference/spec.md: every field of an IstioOperator, from the schema that the API server gets. */
import { textOf } from '../../src/core/go-values.ts';
import { readFile } from 'node:fs/promises';
import { load } from 'js-yaml';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { at, isJsonArray, isJsonObject, listAt, mapAt } from '../../src/model/json.ts';
import { banner, code, page, table } from './markdown.ts';

const SOURCE = 'crds/istiooperators.yaml';

/** The schema of the resource. */
export async function readDefinition(): Promise<JsonObject> {
  const text = await readFile(new URL(`../../${SOURCE}`, import.meta.url), 'utf8');
  // js-yaml loads plain JSON types, and an alias as a second reference to the same object.
  const [version] = listAt(load(text) as JsonValue, 'spec', 'versions');
  return mapAt(version, 'schema', 'openAPIV3Schema');
}

/** A part of the schema with a table of its own, to which other tables refer. */
interface Section {
  readonly title: string;
  readonly text: string;
  readonly schema: JsonObject;
  /** What the paths in its table begin with. */
  readonly prefix: string;
}

export function specPage(schema: JsonObject): string {
  const sections = sectionsOf(schema);
  return page(
    banner(SOURCE),
    '# The fields of an IstioOperator',
    'Every field is optional unless it says otherwise, and null is the same as leaving it out, except under `k8s` and `values`, where null removes what would be rendered. Fields that are not listed here are errors, which name the field that was probably meant.',
    ...sections.map((section) => sectionText(section, sections)),
  );
}

function sectionsOf(schema: JsonObject): readonly Section[] {
  const spec = mapAt(schema, 'properties', 'spec');
  const components = mapAt(spec, 'properties', 'components');
  const pilot = mapAt(components, 'properties', 'pilot');
  const addons = mapAt(spec, 'properties', 'addonComponents');
  return [
    { title: 'spec', text: descriptionOf(spec), schema: spec, prefix: 'spec.' },
    {
      title: 'spec.addonComponents',
      text: `${descriptionOf(addons)} [Addons](../addons.md) shows them.`,
      schema: addons,
      prefix: '',
    },
    { title: 'spec.components', text: descriptionOf(components), schema: components, prefix: '' },
    {
      title: 'A component',
      text: 'The fields of `base`, `pilot`, `cni` and `ztunnel`.',
      schema: { properties: mapAt(pilot, 'properties') },
      prefix: '',
    },
    {
      title: 'A gateway',
      text: 'The fields of each entry of `ingressGateways` and `egressGateways`.',
      schema: mapAt(components, 'properties', 'ingressGateways', 'items'),
      prefix: '',
    },
    {
      title: 'k8s',
      text: descriptionOf(mapAt(pilot, 'properties', 'k8s')),
      schema: mapAt(pilot, 'properties', 'k8s'),
      prefix: '',
    },
    {
      title: 'status',
      text: `${descriptionOf(mapAt(schema, 'properties', 'status'))} [Conditions, status and events](../conditions.md) explains it.`,
      schema: mapAt(schema, 'properties', 'status'),
      prefix: 'status.',
    },
  ];
}

function sectionText(section: Section, all: readonly Section[]): string {
  const rows = rowsOf(section.schema, section.prefix, { section, all });
  return page(`## ${section.title}`, section.text, table(['field', 'type', 'meaning'], rows)).trimEnd();
}

interface Context {
  readonly section: Section;
  readonly all: readonly Section[];
}

type Row = readonly [field: string, type: string, meaning: string];

/** One row for each field at any depth, but for fields that have a section of their own. */
function rowsOf(schema: JsonObject, prefix: string, context: Context): readonly Row[] {
  return Object.entries(mapAt(schema, 'properties')).flatMap(([field, child]) => {
    if (!isJsonObject(child)) return [];
    const path = `${prefix}${field}`;
    const elsewhere = sectionFor(field, child, context);
    const meaning = descriptionOf(child);
    const row: Row = [
      code(path),
      typeOf(child),
      elsewhere === undefined ? meaning : `${meaning} See [${elsewhere}](#${anchorOf(elsewhere)}).`,
    ];
    return elsewhere === undefined ? [row, ...below(child, path, context)] : [row];
  });
}

function below(schema: JsonObject, path: string, context: Context): readonly Row[] {
  const { items, additionalProperties } = schema;
  return [
    ...rowsOf(schema, `${path}.`, context),
    ...(isJsonObject(items) ? rowsOf(items, `${path}[].`, context) : []),
    ...(isJsonObject(additionalProperties) ? rowsOf(additionalProperties, `${path}.*.`, context) : []),
  ];
}

function sectionFor(field: string, schema: JsonObject, { section, all }: Context): string | undefined {
  if (section.title === 'spec.components') return isJsonObject(schema['items']) ? 'A gateway' : 'A component';
  const own = all.find((other) => other !== section && other.schema === schema);
  return own?.title ?? (field === 'k8s' && section.title !== 'k8s' ? 'k8s' : undefined);
}

function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w -]/gu, '')
    .replaceAll(' ', '-');
}

function descriptionOf(schema: JsonObject): string {
  const { description } = schema;
  return typeof description === 'string' ? description.trim() : '';
}

const TYPES: Readonly<Record<string, string>> = { string: 'text', integer: 'whole number' };

/** The type in a reader's words. */
export function typeOf(schema: JsonObject): string {
  const { type, enum: allowed, items, additionalProperties } = schema;
  if (isJsonArray(allowed)) {
    return allowed
      .filter((value) => value !== null)
      .map((value) => code(textOf(value)))
      .join(', ');
  }
  if (schema['x-kubernetes-int-or-string'] === true) return 'whole number or text';
  // docs/crd.md: how a structural schema says "a scalar".
  if (type === undefined) return at(schema, 'maxItems') === 0 ? 'text or number' : 'anything';
  if (type === 'array') return isJsonObject(items) ? `list of ${pluralOf(items)}` : 'list';
  if (type !== 'object') return TYPES[textOf(type)] ?? textOf(type);
  return isJsonObject(additionalProperties) ? `map of ${pluralOf(additionalProperties)}` : 'map';
}

function pluralOf(schema: JsonObject): string {
  const type = typeOf(schema);
  return type === 'anything' || type.startsWith('`') ? type : `${type}s`;
}
