import { expect } from 'chai';
import { compileValidators } from '../../assets/validators.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { printDiagnostic } from '../../model/diagnostic.ts';
import { checkSchema } from './schema-check.ts';

/** A map that allows just these fields. */
function map(properties: JsonObject): JsonObject {
  return { type: 'object', additionalProperties: false, properties };
}

const SCHEMA: JsonObject = {
  ...map({
    replicaCount: { type: 'integer' },
    enabled: { type: ['boolean', 'null'] },
    mode: { enum: ['fast', 'slow', null] },
    port: { anyOf: [{ type: 'integer' }, map({ name: { type: 'string' } })] },
    resources: { $ref: '#/$defs/resources' },
    gateways: {
      type: 'array',
      items: map({
        name: { type: 'string' },
        labels: { type: 'object', additionalProperties: map({ value: { type: 'string' } }) },
      }),
    },
    empty: map({}),
    env: { type: 'array', items: map({ name: { type: 'string' }, value: { type: 'string', maxLength: 8 } }) },
  }),
  $defs: { resources: map({ limits: { type: 'object' } }) },
};

function findings(tree: JsonValue, wayOut?: string): readonly string[] {
  const { validateValues } = compileValidators({ specSchema: {}, valuesSchema: SCHEMA });
  const check = { validate: validateValues, schema: SCHEMA, root: ['spec'] };
  return checkSchema(tree, wayOut === undefined ? check : { ...check, wayOut }).map(printDiagnostic);
}

describe('checkSchema', () => {
  it('finds nothing in what the schema allows', () => {
    const tree = {
      replicaCount: 1,
      enabled: null,
      mode: 'fast',
      port: { name: 'a' },
      gateways: [{ name: 'a' }],
    };

    expect(findings(tree)).to.deep.equal([]);
  });

  it('never quotes what stands in an environment: people keep passwords there', () => {
    expect(findings({ env: 'pa55word' })).to.deep.equal([
      'IOP202 spec.env: the value is a text. Write a list (- item).',
    ]);
    expect(findings({ env: [{ name: 'A', value: { is: 'pa55word' } }] })).to.deep.equal([
      'IOP202 spec.env[0].value: the value is a map. Write a text.',
    ]);
    expect(findings({ env: [{ name: 'A', value: 'pa55word, and more' }] }).join()).not.to.contain('pa55word');
  });

  it('names the field that was meant', () => {
    expect(findings({ replicaCuont: 1, gateways: [{ nmae: 'a' }] })).to.deep.equal([
      'IOP201 spec.replicaCuont: there is no field "replicaCuont". Did you mean "replicaCount"?',
      'IOP201 spec.gateways[0].nmae: there is no field "nmae". Did you mean "name"?',
    ]);
  });

  it('lists the fields there are when none is close', () => {
    expect(findings({ gateways: [{ something: 1 }] })).to.deep.equal([
      'IOP201 spec.gateways[0].something: there is no field "something". Remove it, or use one of labels, name.',
    ]);
    expect(findings({ empty: { x: 1 } })).to.deep.equal([
      'IOP201 spec.empty.x: there is no field "x". Remove it.',
    ]);
  });

  it('finds the fields behind references and in maps with free keys', () => {
    expect(
      findings({ resources: { limit: {} }, gateways: [{ labels: { any: { vlaue: '' } } }] }),
    ).to.deep.equal([
      'IOP201 spec.resources.limit: there is no field "limit". Did you mean "limits"?',
      'IOP201 spec.gateways[0].labels.any.vlaue: there is no field "vlaue". Did you mean "value"?',
    ]);
  });

  it('tells another way out', () => {
    expect(findings({ hub: 'x' }, 'Ask.')).to.deep.equal([
      'IOP201 spec.hub: there is no field "hub". Remove it, or use one of empty, enabled, env, gateways, mode, port, replicaCount, resources. Ask.',
    ]);
  });

  it('tells what stands there and what to write instead', () => {
    expect(findings({ replicaCount: 'two', enabled: 5, mode: 'x', gateways: {} })).to.deep.equal([
      'IOP202 spec.replicaCount: "two" is a text. Write a whole number.',
      'IOP202 spec.enabled: 5 is a number. Write true or false.',
      'IOP202 spec.mode: "x" must be equal to one of the allowed values. Use one of "fast", "slow", null.',
      'IOP202 spec.gateways: {} is a map. Write a list (- item).',
    ]);
  });

  it('tells a value that fits none of several schemas once', () => {
    const diagnostics = findings({ port: { number: 'x' } });

    expect(diagnostics).to.have.length(1);
    expect(diagnostics[0]).to.match(/^IOP202 spec\.port: /u);
  });

  it('shortens what stands there', () => {
    expect(findings({ replicaCount: 'x'.repeat(100) })).to.deep.equal([
      `IOP202 spec.replicaCount: "${'x'.repeat(56)}… is a text. Write a whole number.`,
    ]);
  });

  it('finds a tree of the wrong shape itself', () => {
    expect(findings([])).to.deep.equal(['IOP202 spec: [] is a list. Write a map (name: value).']);
  });
});
