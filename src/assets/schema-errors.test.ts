import { expect } from 'chai';
import { validateWith } from './schema-errors.ts';
import { schemaCompiler } from './validators.ts';

describe('validateWith', () => {
  it('gives the path as steps in which list indexes are numbers and keys that look like numbers are not', () => {
    const integers = { type: 'object', additionalProperties: { type: 'array', items: { type: 'integer' } } };
    const validate = validateWith(schemaCompiler().compile(integers));

    const paths = validate({ '0': [1, 'x'], 'a/b~c': ['y'] }).map((error) => error.path);

    expect(paths).to.deep.equal([
      ['0', 1],
      ['a/b~c', 0],
    ]);
  });

  it('reports every error of a call, and none of the call before', () => {
    const validate = validateWith(
      schemaCompiler().compile({ properties: { a: { type: 'string' }, b: { type: 'string' } } }),
    );

    expect(validate({ a: 1, b: 2 })).to.have.lengthOf(2);
    expect(validate({ a: 'x' })).to.deep.equal([]);
  });
});
