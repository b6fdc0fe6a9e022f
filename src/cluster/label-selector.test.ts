import { expect } from 'chai';
import { labelMatcher } from './label-selector.ts';

const LABELS = { app: 'istiod', 'istio.io/rev': 'canary', empty: '' };

describe('labelMatcher', () => {
  for (const selector of [
    '',
    'app',
    'app=istiod',
    'app == istiod',
    'app!=other',
    'absent!=x',
    '!absent',
    'empty=',
    'app in (x, istiod)',
    'app notin (x,y)',
    'absent notin (x)',
    'app=istiod,istio.io/rev in (canary,stable),!absent',
  ]) {
    it(`selects by "${selector}"`, () => {
      expect(labelMatcher(selector)(LABELS)).to.equal(true);
    });
  }

  for (const selector of [
    'absent',
    'app=other',
    '!app',
    'app!=istiod',
    'app in (x)',
    'app notin (istiod)',
    'app,absent',
  ]) {
    it(`does not select by "${selector}"`, () => {
      expect(labelMatcher(selector)(LABELS)).to.equal(false);
    });
  }

  it('does not take inherited properties for labels', () => {
    expect(labelMatcher('toString')({})).to.equal(false);
  });

  it('refuses what is no selector', () => {
    expect(() => labelMatcher('app=a,>b')).to.throw('">b" is not a label selector');
  });
});
