import { expect } from 'chai';
import { goJson } from './go-json.ts';

describe('goJson', () => {
  it('prints as Go does: sorted keys, two spaces, and what HTML would misread escaped', () => {
    expect(goJson({ b: '<a & b>', a: { list: [1, 'é'], map: {}, none: [] } })).to.equal(
      [
        '{',
        '  "a": {',
        '    "list": [',
        '      1,',
        '      "é"',
        '    ],',
        '    "map": {},',
        '    "none": []',
        '  },',
        String.raw`  "b": "\u003ca \u0026 b\u003e"`,
        '}',
      ].join('\n'),
    );
  });
});
