import { expect } from 'chai';
import type { K8sObject } from '../model/object.ts';
import { identityOf, refOf } from '../model/object.ts';
import type { Settlement } from './claims.ts';
import { Claims } from './claims.ts';
import { GATEWAY, ISTIOD, READER, planOf } from './testing/builders.ts';

const DEMO = planOf();
const BASE_ONLY = planOf({ components: DEMO.components.slice(0, 1) });
const NOBODY = (): undefined => undefined;

/** What a resource may apply, or who has what it asks for. */
function told(settlement: Settlement): string[] {
  if (settlement.kind === 'refused') {
    return settlement.contested.map(({ ref, holder }) => `${ref.name} belongs to ${holder}`);
  }
  return settlement.plan.components.flatMap(({ objects }) => objects.map((object) => object.metadata.name));
}

function labelled(
  object: K8sObject,
  holder: string,
): (ref: { name: string } & Parameters<typeof identityOf>[0]) => string | undefined {
  return (ref) => (identityOf(ref) === identityOf(refOf(object)) ? holder : undefined);
}

describe('Claims', () => {
  it('grants everything to a resource that is alone', () => {
    const claims = new Claims();

    expect(told(claims.settle('a', DEMO, NOBODY))).to.deep.equal([
      'istio-reader',
      'istiod',
      'istio-ingressgateway',
    ]);
  });

  it('refuses what another resource was granted, and names it', () => {
    const claims = new Claims();
    claims.settle('a', DEMO, NOBODY);

    expect(told(claims.settle('b', DEMO, NOBODY))).to.deep.equal([
      'istiod belongs to a',
      'istio-ingressgateway belongs to a',
    ]);
  });

  it('leaves to the first what all may use, and grants the rest', () => {
    const claims = new Claims();
    claims.settle('a', BASE_ONLY, NOBODY);

    expect(told(claims.settle('b', DEMO, NOBODY))).to.deep.equal(['istiod', 'istio-ingressgateway']);
    expect(claims.waitingFor('a', refOf(READER))).to.deep.equal(['b']);
  });

  it('believes the label of a live object over its own memory, as after a restart', () => {
    const claims = new Claims();

    expect(told(claims.settle('b', DEMO, labelled(ISTIOD, 'a')))).to.deep.equal(['istiod belongs to a']);
  });

  it('says who waits for what a resource that is gone has held, and grants it to them', () => {
    const claims = new Claims();
    claims.settle('a', DEMO, NOBODY);
    claims.settle('b', DEMO, NOBODY);

    const waiting = claims.forget('a');

    expect(waiting).to.deep.equal(['b']);
    expect(told(claims.settle('b', DEMO, NOBODY))).to.have.length(3);
  });

  it('keeps a grant over many looks', () => {
    const claims = new Claims();
    claims.settle('a', DEMO, NOBODY);
    claims.settle('b', DEMO, NOBODY);

    expect(told(claims.settle('a', DEMO, NOBODY))).to.have.length(3);
    expect(claims.settle('b', DEMO, NOBODY).kind).to.equal('refused');
  });

  it('frees what a resource does not ask for any more', () => {
    const claims = new Claims();
    claims.settle('a', DEMO, NOBODY);
    claims.settle('b', DEMO, NOBODY);

    claims.settle('a', BASE_ONLY, NOBODY);

    expect(claims.waitingFor('a', refOf(GATEWAY))).to.deep.equal(['b']);
    expect(told(claims.settle('b', DEMO, NOBODY))).to.deep.equal(['istiod', 'istio-ingressgateway']);
  });

  it('waits for nothing any more on behalf of a resource that is gone', () => {
    const claims = new Claims();
    claims.settle('a', DEMO, NOBODY);
    claims.settle('b', DEMO, NOBODY);

    claims.forget('b');

    expect(claims.waitingFor('a', refOf(ISTIOD))).to.deep.equal([]);
  });
});
