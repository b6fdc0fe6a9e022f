import { expect } from 'chai';
import { loadAssets } from '../assets/load.ts';
import type { AssetBundle } from '../model/assets.ts';
import type { OperatorChoices } from './operator-objects.ts';
import { operatorObjects } from './operator-objects.ts';
import { operatorOf, overlap } from './operators.ts';
import type { Operator } from './operators.ts';

describe('operatorOf', () => {
  let assets: AssetBundle;

  before(async () => {
    assets = await loadAssets();
  });

  const operator = (choices: Partial<OperatorChoices>): Operator => {
    const objects = operatorObjects(assets, { watchedNamespaces: [], imagePullSecrets: [], ...choices });
    const [only, ...others] = objects.flatMap(operatorOf);
    if (only === undefined || others.length > 0) throw new Error('not just one operator');
    return only;
  };

  it('reads what init chose', () => {
    const canary = operator({ operatorNamespace: 'ops', revision: 'canary', watchedNamespaces: ['a', 'b'] });

    expect(canary).to.deep.equal({
      title: 'Deployment ops/istio-operator-canary',
      namespace: 'ops',
      revision: 'canary',
      served: 'canary',
      watchedNamespaces: ['a', 'b'],
      runs: true,
    });
    expect(operator({ revision: 'default' })).to.include({ revision: '', served: 'default' });
  });

  it('passes over a Deployment that only has such a name', () => {
    const metadata = { name: 'istio-operator-console', namespace: 'ops', labels: {} };

    expect(operatorOf({ apiVersion: 'apps/v1', kind: 'Deployment', metadata })).to.deep.equal([]);
  });

  const pairs: readonly [Partial<OperatorChoices>, Partial<OperatorChoices>, boolean][] = [
    [{}, { revision: 'canary' }, true],
    [{ revision: 'default' }, { revision: 'canary' }, false],
    [{ revision: 'canary' }, { revision: 'canary', watchedNamespaces: ['a'] }, true],
    [{ watchedNamespaces: ['a'] }, { revision: 'canary', watchedNamespaces: ['b'] }, false],
    [{ watchedNamespaces: ['a', 'b'] }, { revision: 'canary', watchedNamespaces: ['b', 'c'] }, true],
  ];
  for (const [left, right, expected] of pairs) {
    it(`finds ${expected ? 'a' : 'no'} common resource of ${JSON.stringify(left)} and ${JSON.stringify(right)}`, () => {
      expect(overlap(operator(left), operator(right))).to.equal(expected);
      expect(overlap(operator(right), operator(left))).to.equal(expected);
    });
  }
});
