import { expect } from 'chai';
import { FINALIZER, finalizersWithOurs, finalizersWithoutOurs, hasFinalizer } from './finalizer.ts';
import { istioOperator } from './testing/builders.ts';

const OTHERS = ['example.com/a', 'example.com/b'];
const FREE = istioOperator({ finalizers: OTHERS });
const HELD = istioOperator({ finalizers: ['example.com/a', FINALIZER, 'example.com/b'] });

describe('the finalizer', () => {
  it('is the one that the old operator left behind', () => {
    expect(FINALIZER).to.equal('istio-finalizer.install.istio.io');
  });

  it('is told from those of others', () => {
    expect([FREE, HELD].map(hasFinalizer)).to.deep.equal([false, true]);
  });

  it('comes after those of others, once', () => {
    expect(finalizersWithOurs(FREE)).to.deep.equal([...OTHERS, FINALIZER]);
    expect(finalizersWithOurs(HELD)).to.deep.equal(['example.com/a', FINALIZER, 'example.com/b']);
  });

  it('goes without those of others', () => {
    expect([FREE, HELD].map(finalizersWithoutOurs)).to.deep.equal([OTHERS, OTHERS]);
  });
});
