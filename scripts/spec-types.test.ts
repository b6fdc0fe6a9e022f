import { expect } from 'chai';
import { format } from 'prettier';
import type { JsonObject } from '../src/model/json.ts';
import { typesOf } from './spec-types.ts';

/** The generated types without comments and the two lines of the banner. */
async function typesFor(properties: JsonObject): Promise<string> {
  const text = await typesOf({ type: 'object', properties });
  const formatted = await format(text, { parser: 'typescript', singleQuote: true });
  return formatted.split('\n').slice(2).join('\n').trim();
}

describe('typesOf', () => {
  it('closes objects with properties and leaves the others to JSON', async () => {
    const types = await typesFor({
      closed: {
        type: 'object',
        'x-kubernetes-preserve-unknown-fields': true,
        properties: { a: { type: 'integer' } },
      },
      free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, nullable: true },
      anything: { 'x-kubernetes-preserve-unknown-fields': true },
    });

    expect(types).to.equal(
      [
        'export interface IstioOperator {',
        '  closed?: {',
        '    a?: number;',
        '  };',
        '  free?: JsonObject | null;',
        '  anything?: JsonValue;',
        '}',
      ].join('\n'),
    );
  });

  it('knows int-or-string, maps, lists, enumerations and what is nullable or required', async () => {
    const types = await typesFor({
      port: { 'x-kubernetes-int-or-string': true, nullable: true },
      labels: { type: 'object', additionalProperties: { type: 'string', nullable: true } },
      entries: {
        type: 'array',
        maxItems: 2,
        items: {
          type: 'object',
          required: ['name'],
          properties: { name: { type: 'string', enum: ['a', 'b'] } },
        },
      },
    });

    expect(types).to.equal(
      [
        'export interface IstioOperator {',
        '  port?: number | string | null;',
        '  labels?: {',
        '    [k: string]: string | null;',
        '  };',
        '  entries?: {',
        "    name: 'a' | 'b';",
        '  }[];',
        '}',
      ].join('\n'),
    );
  });

  it('gives a schema that stands in two places one named type', async () => {
    const k8s = { type: 'object', properties: { replicaCount: { type: 'integer' } } };
    const component = () => ({ type: 'object', properties: { k8s } });

    const types = await typesFor({ pilot: component(), cni: component() });

    expect(types.match(/replicaCount/g)).to.have.lengthOf(1);
    expect(types.match(/k8s\?: KubernetesSettings;/g)).to.have.lengthOf(2);
  });
});
