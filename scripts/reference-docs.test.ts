import { expect } from 'chai';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAssets } from '../src/assets/load.ts';
import { DIAGNOSTIC_KINDS } from '../src/core/diagnostics.ts';
import type { JsonObject } from '../src/model/json.ts';
import { isJsonObject, mapAt } from '../src/model/json.ts';
import { EXAMPLES } from './reference-docs/diagnostics-page.ts';
import { leavesOf } from './reference-docs/profiles-page.ts';
import { readDefinition, specPage, typeOf } from './reference-docs/spec-page.ts';
import { generate } from './reference-docs.ts';

const SOURCES = fileURLToPath(new URL('../src/', import.meta.url));

/** Kinds that only a command finds, with a cluster or with files of another kind; all codes from IOP600 are such. */
const FOUND_BY_COMMANDS = new Set([
  'severalResources',
  'notAnObject',
  'upgradeRefused',
  'oldKubernetes',
  'planningExceeded',
  'planTooLarge',
]);

async function codesInSources(): Promise<ReadonlySet<string>> {
  const files = await readdir(SOURCES, { recursive: true });
  const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const texts = await Promise.all(sources.map((file) => readFile(join(SOURCES, file), 'utf8')));
  return new Set(texts.flatMap((text) => [...text.matchAll(/'(IOP\d{3})'/gu)].map(([, code = '']) => code)));
}

describe('the reference documentation', () => {
  it('has every code that the sources use, and no other', async () => {
    const documented: readonly string[] = Object.values(DIAGNOSTIC_KINDS).map(({ code }) => code);

    expect([...new Set(documented)], 'a code has two meanings').to.deep.equal(documented);
    expect(documented.toSorted()).to.deep.equal([...(await codesInSources())].toSorted());
  });

  it('shows an example of everything that reading and planning can find', () => {
    const without = Object.entries(DIAGNOSTIC_KINDS)
      .filter(([name, { code }]) => !(name in EXAMPLES) && !FOUND_BY_COMMANDS.has(name) && code < 'IOP600')
      .map(([name]) => name);

    expect(without).to.deep.equal([]);
  });

  it('has a row for every field of the definition', async () => {
    const definition = await readDefinition();
    const page = specPage(definition);

    const missing = fieldsOf(definition).filter(
      (field) => !new RegExp(`[\`.]${field}[\`.[]`, 'u').test(page),
    );

    expect(missing).to.deep.equal([]);
  });

  it('has a section for every profile and preset', async () => {
    const { profiles, presets } = await loadAssets();
    const page = (await generate()).get('docs/reference/profiles.md') ?? '';

    const missing = [
      ...[...profiles.keys()].filter((name) => !page.includes(`\n## ${name}\n`)),
      ...[...presets.keys()].filter((name) => !page.includes(`\n### ${name}\n`)),
    ];

    expect(missing).to.deep.equal([]);
  });
});

/** Names of the fields below spec and status. */
function fieldsOf(definition: JsonObject): readonly string[] {
  const names = new Set<string>();
  const visit = (schema: JsonObject): void => {
    for (const [field, child] of Object.entries(mapAt(schema, 'properties'))) {
      names.add(field);
      if (isJsonObject(child)) visit(child);
    }
    for (const inner of ['items', 'additionalProperties']) visitIfMap(schema[inner], visit);
  };
  visit(mapAt(definition, 'properties', 'spec'));
  visit(mapAt(definition, 'properties', 'status'));
  return [...names];
}

function visitIfMap(schema: unknown, visit: (schema: JsonObject) => void): void {
  if (isJsonObject(schema)) visit(schema);
}

describe('typeOf', () => {
  it("says a type in a reader's words", () => {
    const schemas: readonly JsonObject[] = [
      { type: 'string' },
      { type: 'integer' },
      { type: 'array', items: { type: 'string' } },
      { type: 'object', additionalProperties: { type: 'string' } },
      { type: 'object', properties: {} },
      { type: 'string', enum: ['a', 'b', null] },
      { 'x-kubernetes-int-or-string': true },
      { maxItems: 0, maxProperties: 0 },
      {},
    ];

    expect(schemas.map(typeOf)).to.deep.equal([
      'text',
      'whole number',
      'list of texts',
      'map of texts',
      'map',
      '`a`, `b`',
      'whole number or text',
      'text or number',
      'anything',
    ]);
  });
});

describe('leavesOf', () => {
  it('names every value by a path that --set takes', () => {
    const tree = { a: { b: 1, 'c.d': {} }, list: [1, 2], gateways: [{ name: 'x', on: true }, { on: false }] };

    expect(leavesOf(tree)).to.deep.equal([
      ['a.b', '1'],
      [String.raw`a.c\.d`, '{}'],
      ['list', '[1,2]'],
      ['gateways.[name:x].on', 'true'],
      ['gateways.[1].on', 'false'],
    ]);
  });
});
