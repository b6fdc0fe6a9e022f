import { expect } from 'chai';
import type { JsonObject } from '../model/json.ts';
import { closedSchema } from './closed-schema.ts';
import { schemaCompiler } from './validators.ts';

function accepts(schema: JsonObject, value: unknown): boolean {
  return schemaCompiler().compile(closedSchema(schema))(value);
}

describe('closedSchema', () => {
  it('closes objects that have properties, at every depth, even where the API server preserves unknown fields', () => {
    const inner = {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { a: { type: 'string' } },
    };
    const schema = {
      type: 'object',
      properties: {
        list: { type: 'array', items: inner },
        map: { type: 'object', additionalProperties: inner },
      },
    };

    expect(accepts(schema, { list: [{ a: 'x' }], map: { any: { a: 'x' } } })).to.equal(true);
    expect(accepts(schema, { list: [{ b: 'x' }] })).to.equal(false);
    expect(accepts(schema, { map: { any: { b: 'x' } } })).to.equal(false);
    expect(accepts(schema, { other: 1 })).to.equal(false);
  });

  it('leaves objects without properties open', () => {
    const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

    expect(accepts(schema, { anything: [1] })).to.equal(true);
  });

  it('does not close conditions, which see the same object as the schema around them', () => {
    const conditions = [{ required: ['a'] }, { properties: { b: { enum: ['x'] } }, required: ['b'] }];
    const schema = {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      anyOf: conditions,
    };

    expect(accepts(schema, { a: '1', b: 'x' })).to.equal(true);
    expect(accepts(schema, { b: 'y' })).to.equal(false);
  });

  it('accepts null where the schema is nullable, and only there', () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'string', enum: ['x'], nullable: true }, b: { type: 'string' } },
    };

    expect(accepts(schema, { a: null })).to.equal(true);
    expect(accepts(schema, { b: null })).to.equal(false);
  });

  it('reports a value that is neither integer nor string once', () => {
    const schema = {
      'x-kubernetes-int-or-string': true,
      anyOf: [{ type: 'integer' }, { type: 'string' }],
      nullable: true,
    };
    const check = schemaCompiler().compile(closedSchema(schema));

    expect([80, '80%', null].map((value) => check(value))).to.deep.equal([true, true, true]);
    expect(check([])).to.equal(false);
    expect(check.errors).to.have.lengthOf(1);
  });

  it('keeps a property that is named like a dropped keyword', () => {
    const schema = {
      type: 'object',
      description: 'Dropped.',
      properties: { description: { type: 'string', description: 'Kept.' } },
    };

    expect(closedSchema(schema)).to.deep.equal({
      type: 'object',
      properties: { description: { type: 'string' } },
      additionalProperties: false,
      $defs: {},
    });
  });

  it('defines a schema that stands in several places once, and checks it in each', () => {
    const leaf = { type: 'object', properties: { name: { type: 'string' } } };
    const list = { type: 'object', properties: { leaf, leaves: { type: 'array', items: leaf } } };
    const schema = { type: 'object', properties: { first: list, second: list } };

    expect(Object.keys(closedSchema(schema)['$defs'] ?? {})).to.have.lengthOf(2);
    expect(accepts(schema, { first: { leaf: { name: 'x' } }, second: { leaves: [{ name: 'y' }] } })).to.equal(
      true,
    );
    expect(accepts(schema, { second: { leaves: [{ name: 1 }] } })).to.equal(false);
    expect(accepts(schema, { second: { leaf: { nme: 'x' } } })).to.equal(false);
  });
});
