import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { at, isJsonObject, listAt, mapAt, stringAt } from '../src/model/json.ts';
import type { JsonObject, JsonValue } from '../src/model/json.ts';

/** What kubectl apply keeps of an object in an annotation, together with all other annotations. */
const ANNOTATION_LIMIT = 256 * 1024;

interface Place {
  readonly path: string;
  readonly schema: JsonObject;
  /** How the schema is reached: as a property, as what a list or a map holds, or as the root. */
  readonly as: 'property' | 'element' | 'root';
}

describe('the schema of IstioOperator', () => {
  let definition: JsonObject;
  let places: readonly Place[];

  before(async () => {
    const text = await readFile(new URL('../crds/istiooperators.yaml', import.meta.url), 'utf8');
    definition = load(text) as JsonObject; // js-yaml loads plain JSON types
    const schema = mapAt(definition, 'spec', 'versions', 0, 'schema', 'openAPIV3Schema');
    places = [...placesOf({ path: '', schema, as: 'root' })];
  });

  it('describes every field, so that kubectl explain does', () => {
    const bare = places.filter(
      ({ path, schema, as }) =>
        as !== 'element' && !isMetadata(path) && (stringAt(schema, 'description') ?? '').length < 10,
    );

    expect(places.length).to.be.greaterThan(400);
    expect(pathsOf(bare)).to.deep.equal([]);
  });

  it('keeps fields of the specification that it does not know', () => {
    const closed = specification().filter(
      ({ schema }) =>
        isJsonObject(schema['properties']) && schema['x-kubernetes-preserve-unknown-fields'] !== true,
    );

    expect(pathsOf(closed)).to.deep.equal([]);
  });

  it('accepts null for every field of the specification', () => {
    const strict = specification().filter(
      ({ schema, as }) => as !== 'element' && schema['nullable'] !== true,
    );

    expect(pathsOf(strict)).to.deep.equal([]);
  });

  it('sets no defaults in the specification: what is not said comes from the profile', () => {
    const defaulted = specification().filter(({ schema }) => schema['default'] !== undefined);

    expect(pathsOf(defaulted)).to.deep.equal([]);
  });

  it('lets types without a name be scalars only, but for the value of an overlay', () => {
    const untyped = specification().filter(
      ({ schema }) => schema['type'] === undefined && schema['x-kubernetes-int-or-string'] !== true,
    );
    const free = untyped.filter(({ schema }) => schema['maxItems'] !== 0 || schema['maxProperties'] !== 0);

    expect(new Set(free.map(({ path }) => path.split('.').at(-1)))).to.deep.equal(new Set(['value']));
  });

  it('is small enough for kubectl apply', () => {
    expect(JSON.stringify(definition).length).to.be.lessThan(ANNOTATION_LIMIT);
  });

  it('has the names that people type', () => {
    expect(mapAt(definition, 'spec', 'names')).to.deep.equal({
      kind: 'IstioOperator',
      listKind: 'IstioOperatorList',
      plural: 'istiooperators',
      singular: 'istiooperator',
      shortNames: ['iop', 'io'],
      categories: ['istio-io'],
    });
    expect(at(definition, 'spec', 'scope')).to.equal('Namespaced');
    expect(listAt(definition, 'spec', 'versions').map((version) => at(version, 'name'))).to.deep.equal([
      'v1alpha1',
    ]);
  });

  function specification(): readonly Place[] {
    return places.filter(({ path }) => path.startsWith('.spec'));
  }
});

function* placesOf(place: Place): Generator<Place> {
  yield place;
  const { path, schema } = place;
  for (const [name, child] of Object.entries(mapAt(schema, 'properties'))) {
    yield* placesOf({ path: `${path}.${name}`, schema: mapOf(child), as: 'property' });
  }
  for (const keyword of ['items', 'additionalProperties']) {
    const child = schema[keyword];
    if (isJsonObject(child)) yield* placesOf({ path: `${path}[]`, schema: child, as: 'element' });
  }
}

function mapOf(schema: JsonValue): JsonObject {
  return isJsonObject(schema) ? schema : {};
}

/** Kubernetes allows no description there. */
function isMetadata(path: string): boolean {
  return path === '.metadata' || path.startsWith('.metadata.');
}

function pathsOf(places: readonly Place[]): readonly string[] {
  return places.map(({ path }) => path);
}
