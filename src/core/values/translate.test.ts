import { expect } from 'chai';
import type { JsonObject } from '../../model/json.ts';
import { at, mapAt } from '../../model/json.ts';
import { nested, translateValues } from './translate.ts';

/** As when everything comes from the user: no profile below. */
function translated(spec: JsonObject): JsonObject {
  return translateValues(spec, mapAt(spec, 'values'));
}

describe('translateValues', () => {
  it('turns fields of the specification into values', () => {
    const spec = { hub: 'h', tag: 't', revision: 'r', compatibilityVersion: '1.28', meshConfig: { a: 1 } };

    expect(translated(spec)).to.deep.equal({
      global: { hub: 'h', tag: 't' },
      revision: 'r',
      compatibilityVersion: '1.28',
      meshConfig: { a: 1 },
      pilot: { enabled: false, cni: { enabled: false } },
    });
  });

  it('reads tag, revision and compatibilityVersion as text when they look like numbers', () => {
    const values = translated({ tag: 1.3, revision: 130, compatibilityVersion: 1.29 });

    expect([at(values, 'global', 'tag'), values['revision'], values['compatibilityVersion']]).to.deep.equal([
      '1.3',
      '130',
      '1.29',
    ]);
  });

  it('takes null for not given', () => {
    expect(translated({ hub: null, tag: null, meshConfig: null })).to.deep.equal({
      pilot: { enabled: false, cni: { enabled: false } },
    });
  });

  it("lets the user's values win over hub, tag and revision", () => {
    const values = translated({
      hub: 'h',
      tag: 't',
      revision: 'r',
      values: { global: { hub: 'own', tag: 'own' }, revision: 'own' },
    });

    expect([at(values, 'global', 'hub'), at(values, 'global', 'tag'), values['revision']]).to.deep.equal([
      'own',
      'own',
      'own',
    ]);
  });

  it("lets hub, tag and revision win over a profile's values", () => {
    const spec = { hub: 'h', revision: 'r', values: { global: { hub: 'profile' }, revision: 'profile' } };

    const values = translateValues(spec, {});

    expect([at(values, 'global', 'hub'), values['revision']]).to.deep.equal(['h', 'r']);
  });

  it("lets meshConfig win over the user's values, field by field", () => {
    const values = translated({
      meshConfig: { both: 'spec', deep: { a: 'spec' } },
      values: { meshConfig: { both: 'values', deep: { a: 'values', b: 'values' }, own: 'values' } },
    });

    expect(values['meshConfig']).to.deep.equal({
      both: 'spec',
      deep: { a: 'spec', b: 'values' },
      own: 'values',
    });
  });

  it('lets the switches of components win over those among the values', () => {
    const values = translated({
      components: { pilot: { enabled: true }, cni: { enabled: false } },
      values: { pilot: { enabled: false, cni: { enabled: true, provider: 'multus' } } },
    });

    expect(values['pilot']).to.deep.equal({ enabled: true, cni: { enabled: false, provider: 'multus' } });
  });
});

describe('nested', () => {
  it('puts a value at the end of a path of maps', () => {
    expect([nested(['a'], 1), nested(['a', 'b', 'c'], null)]).to.deep.equal([
      { a: 1 },
      { a: { b: { c: null } } },
    ]);
  });
});
