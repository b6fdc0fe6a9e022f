import { expect } from 'chai';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { identityOf, refOf } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import type { HeirRules, LabelledHolder, Settlement } from './claims.ts';
import { Claims } from './claims.ts';
import { GATEWAY, ISTIOD, READER, owned, planOf } from './testing/builders.ts';

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

function labelled(object: K8sObject, key: string): (ref: ObjectRef) => LabelledHolder | undefined {
  return (ref) => (identityOf(ref) === identityOf(refOf(object)) ? { key, live: object } : undefined);
}

const DEFINITION: K8sObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gateways.networking.istio.io' },
};
const TAG = owned('MutatingWebhookConfiguration', 'istio-revision-tag-prod');
const TAG_OF_B = { ...TAG, metadata: { ...TAG.metadata, labels: { 'istio.io/tag': 'prod' } } };

/** A plan for nothing but one object of the base, or of istiod. */
function only(object: K8sObject, releaseLine = '1.30'): Plan {
  const component = object.kind === 'CustomResourceDefinition' ? 'Base' : 'Pilot';
  return planOf({ releaseLine, components: [{ component, after: [], objects: [object] }] });
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
    expect(claims.wantedBy('a', refOf(READER))).to.deep.equal(['b']);
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

    expect(claims.wantedBy('a', refOf(GATEWAY))).to.deep.equal(['b']);
    expect(told(claims.settle('b', DEMO, NOBODY))).to.deep.equal(['istiod', 'istio-ingressgateway']);
  });

  it('waits for nothing any more on behalf of a resource that is gone', () => {
    const claims = new Claims();
    claims.settle('a', DEMO, NOBODY);
    claims.settle('b', DEMO, NOBODY);

    claims.forget('b');

    expect(claims.wantedBy('a', refOf(ISTIOD))).to.deep.equal([]);
  });

  it('leaves to a resource that is paused what is labelled as its own, whatever it asked for last', () => {
    const claims = new Claims();
    claims.settle('a', BASE_ONLY, NOBODY);

    expect(claims.settle('b', DEMO, labelled(ISTIOD, 'a')).kind).to.equal('granted');

    claims.suspend('a', [refOf(ISTIOD)]);
    expect(told(claims.settle('b', DEMO, labelled(ISTIOD, 'a')))).to.deep.equal(['istiod belongs to a']);
  });

  it('says once who waits for what a paused resource keeps', () => {
    const claims = new Claims();
    claims.settle('a', DEMO, NOBODY);
    claims.settle('b', DEMO, NOBODY);
    claims.settle('c', BASE_ONLY, NOBODY);

    expect(claims.suspend('a', [refOf(ISTIOD), refOf(GATEWAY)])).to.deep.equal(['b']);
    expect(claims.suspend('a', [refOf(ISTIOD), refOf(GATEWAY)])).to.deep.equal([]);
  });

  it('gives definitions to the newest line, and does not let the older one take them back', () => {
    const claims = new Claims();
    claims.settle('old', only(DEFINITION, '1.29'), NOBODY);

    const newer = told(claims.settle('new', only(DEFINITION, '1.30'), NOBODY));
    const older = told(claims.settle('old', only(DEFINITION, '1.29'), labelled(DEFINITION, 'new')));

    expect([newer, older]).to.deep.equal([[DEFINITION.metadata.name], []]);
    expect(claims.wantedBy('new', refOf(DEFINITION))).to.deep.equal(['old']);
  });

  it('goes by the version of a live definition while nobody has looked at its holder, as after a restart', () => {
    const live = {
      ...DEFINITION,
      metadata: { ...DEFINITION.metadata, labels: { 'app.kubernetes.io/version': '1.29.6' } },
    };
    const settle = (line: string): string[] =>
      told(new Claims().settle('b', only(DEFINITION, line), labelled(live, 'a')));

    expect([settle('1.29'), settle('1.30')]).to.deep.equal([[], [DEFINITION.metadata.name]]);
  });

  it('leaves a revision tag to its holder without refusing the rest', () => {
    const claims = new Claims();
    claims.settle('a', only(TAG_OF_B), NOBODY);

    const settled = claims.settle('b', only(TAG_OF_B), NOBODY);

    expect(settled.kind === 'granted' && settled.heldTags).to.deep.equal([{ ref: refOf(TAG), holder: 'a' }]);
    expect(told(settled)).to.deep.equal([]);
  });

  it('hands a tag over as soon as its holder asks for it no more, whatever the label still says', () => {
    const claims = new Claims();
    claims.settle('a', only(TAG_OF_B), NOBODY);
    claims.settle('b', only(TAG_OF_B), NOBODY);

    const { freed } = claims.settle('a', BASE_ONLY, NOBODY);

    expect([freed, claims.wantedBy('a', refOf(TAG))]).to.deep.equal([['b'], ['b']]);
    expect(told(claims.settle('b', only(TAG_OF_B), labelled(TAG_OF_B, 'a')))).to.deep.equal([
      TAG.metadata.name,
    ]);
  });

  it('hands it over also when it was waited for before anybody had looked at its holder', () => {
    const claims = new Claims();
    claims.settle('b', only(TAG_OF_B), labelled(TAG_OF_B, 'a'));

    expect(claims.settle('a', BASE_ONLY, NOBODY).freed).to.deep.equal(['b']);
  });

  it('says what somebody who is refused may apply: what all may use, less what others hold', () => {
    const claims = new Claims();
    claims.settle('a', planOf({ components: DEMO.components.slice(1) }), NOBODY);
    const sharedOf = (key: string): readonly string[] => {
      const settled = claims.settle(key, DEMO, NOBODY);
      const { components } = settled.kind === 'refused' ? settled.shared : planOf();
      return components.flatMap(({ objects }) => objects.map(({ metadata }) => metadata.name));
    };

    expect(sharedOf('b')).to.deep.equal(['istio-reader']);
    expect(claims.wantedBy('a', refOf(READER))).to.deep.equal(['b']);
    claims.forget('b');
    claims.settle('c', BASE_ONLY, NOBODY);
    expect(sharedOf('b')).to.deep.equal([]);
  });

  it('calls nothing a tag that all may use', () => {
    const claims = new Claims();
    claims.settle('a', BASE_ONLY, NOBODY);

    const settled = claims.settle('b', BASE_ONLY, NOBODY);

    expect(settled.kind === 'granted' && settled.heldTags).to.deep.equal([]);
  });

  it('remembers in which state a resource settled, until it is gone', () => {
    const claims = new Claims();
    claims.noteSettled('a', 'first');
    const before = ['first', 'second'].map((state) => claims.isSettled('a', state));
    claims.forget('a');

    expect([...before, claims.isSettled('a', 'first')]).to.deep.equal([true, false, false]);
  });

  it('gives nothing but definitions to a newer line', () => {
    const claims = new Claims();
    claims.settle('old', only(ISTIOD, '1.29'), NOBODY);

    expect(told(claims.settle('new', only(ISTIOD, '1.30'), NOBODY))).to.deep.equal(['istiod belongs to old']);
  });

  it('lets the one whose definition was taken by a newer line wait for it at once', () => {
    const claims = new Claims();
    claims.settle('old', only(DEFINITION, '1.29'), NOBODY);
    claims.settle('new', only(DEFINITION, '1.30'), NOBODY);

    expect(claims.wantedBy('new', refOf(DEFINITION))).to.deep.equal(['old']);
  });

  it('lets who is known by a label alone wait for a definition that was taken, too', () => {
    const claims = new Claims();
    const live = {
      ...DEFINITION,
      metadata: { ...DEFINITION.metadata, labels: { 'app.kubernetes.io/version': '1.29.6' } },
    };
    claims.settle('new', only(DEFINITION, '1.30'), labelled(live, 'old'));

    expect(claims.wantedBy('new', refOf(DEFINITION))).to.deep.equal(['old']);
  });

  it('takes no definition from somebody of whom it is not known how new it is', () => {
    expect(told(new Claims().settle('b', only(DEFINITION, '1.30'), labelled(DEFINITION, 'a')))).to.deep.equal(
      [],
    );
  });

  it('leaves a definition to who has it, by its label, when the newer one is refused otherwise', () => {
    const claims = new Claims();
    const live = {
      ...DEFINITION,
      metadata: { ...DEFINITION.metadata, labels: { 'app.kubernetes.io/version': '1.29.6' } },
    };
    const both = planOf({
      components: [
        { component: 'Base', after: [], objects: [DEFINITION] },
        { component: 'Pilot', after: [], objects: [ISTIOD] },
      ],
    });
    claims.settle('new', both, (ref) => ({ key: 'old', live: ref.name === 'istiod' ? ISTIOD : live }));

    expect(claims.wantedBy('new', refOf(DEFINITION))).to.deep.equal(['old']);
  });

  it('frees nothing that is still asked for, or that nobody waits for', () => {
    const claims = new Claims();
    claims.settle('a', DEMO, NOBODY);
    const withoutWaiting = claims.settle('a', BASE_ONLY, NOBODY).freed;
    claims.settle('a', DEMO, NOBODY);
    claims.settle('b', DEMO, NOBODY);

    expect([withoutWaiting, claims.settle('a', DEMO, NOBODY).freed]).to.deep.equal([[], []]);
  });

  describe('with labels', () => {
    it('believes one over what it granted, while nobody has looked at who is named', () => {
      const claims = new Claims();
      claims.settle('b', DEMO, NOBODY);

      expect(told(claims.settle('b', DEMO, labelled(ISTIOD, 'a')))).to.deep.equal(['istiod belongs to a']);
    });

    it('believes one of a resource that waits, over who else is thought to have the object', () => {
      const claims = new Claims();
      claims.settle('c', DEMO, NOBODY);
      claims.settle('a', DEMO, NOBODY);

      expect(told(claims.settle('b', DEMO, labelled(ISTIOD, 'a')))).to.deep.equal([
        'istiod belongs to a',
        'istio-ingressgateway belongs to c',
      ]);
    });

    it('believes one of a resource that goes, until another one was granted the object', () => {
      const claims = new Claims();
      claims.bequeath('a', refOf(GATEWAY), {
        isStaying: (key) => key !== 'a',
        isInstalled: () => false,
        isAtWork: () => false,
      });

      expect(told(claims.settle('b', DEMO, labelled(ISTIOD, 'a')))).to.deep.equal(['istiod belongs to a']);
    });

    it('believes one of a resource that stays although it lets go of an object', () => {
      const claims = new Claims();
      claims.settle('b', DEMO, NOBODY);
      claims.bequeath('a', refOf(GATEWAY), {
        isStaying: () => true,
        isInstalled: () => false,
        isAtWork: () => false,
      });

      expect(told(claims.settle('b', DEMO, labelled(ISTIOD, 'a')))).to.deep.equal(['istiod belongs to a']);
    });

    it('believes one of a resource that was made again under the name of one that is gone', () => {
      const claims = new Claims();
      claims.settle('a', BASE_ONLY, NOBODY);
      claims.forget('a');
      const first = told(claims.settle('b', DEMO, labelled(ISTIOD, 'a')));
      claims.forget('b');
      claims.bequeath('a', refOf(ISTIOD), {
        isStaying: () => false,
        isInstalled: () => false,
        isAtWork: () => false,
      });
      claims.forget('a');
      claims.settle('b', DEMO, NOBODY);

      expect([first, told(claims.settle('b', DEMO, labelled(ISTIOD, 'a')))]).to.deep.equal([
        ['istiod belongs to a'],
        ['istiod belongs to a'],
      ]);
    });

    it('keeps an object for who is named by one, though nobody knows what else it asks for', () => {
      const claims = new Claims();
      claims.settle('b', DEMO, labelled(ISTIOD, 'a'));
      const rules = { isStaying: () => true, isInstalled: () => true, isAtWork: () => true };

      expect(claims.heirs('b', refOf(ISTIOD), rules)).to.deep.equal(['a']);
      expect(claims.bequeath('b', refOf(ISTIOD), rules)).to.equal(true);
    });
  });

  describe('with resources that are refused', () => {
    const GATEWAY_ONLY = planOf({ components: DEMO.components.slice(2) });
    const PILOT_ONLY = planOf({ components: DEMO.components.slice(1, 2) });

    const WHILE_A_GOES: HeirRules = {
      isStaying: (key) => key !== 'a',
      isInstalled: () => false,
      isAtWork: () => true,
    };

    function heirs(claims: Claims, object: K8sObject, rules: Partial<HeirRules> = {}): readonly string[] {
      const all = { isStaying: () => true, isInstalled: () => false, isAtWork: () => true, ...rules };
      return claims.heirs('a', refOf(object), all);
    }

    it('lets none of them hold what it does not apply, so that two cannot keep each other from everything', () => {
      const claims = new Claims();
      claims.settle('a', GATEWAY_ONLY, NOBODY);
      claims.settle('b', DEMO, NOBODY);
      claims.settle('c', DEMO, NOBODY);

      claims.forget('a');

      expect(told(claims.settle('c', DEMO, NOBODY))).to.have.length(3);
    });

    it('leaves them what they held before', () => {
      const claims = new Claims();
      claims.settle('a', GATEWAY_ONLY, NOBODY);
      claims.settle('b', PILOT_ONLY, NOBODY);
      claims.settle('b', DEMO, NOBODY);

      expect(told(claims.settle('c', PILOT_ONLY, NOBODY))).to.deep.equal(['istiod belongs to b']);
    });

    it('keeps nothing for one that somebody else keeps from the rest', () => {
      const claims = new Claims();
      claims.settle('a', PILOT_ONLY, NOBODY);
      claims.settle('c', GATEWAY_ONLY, NOBODY);
      claims.settle('b', DEMO, NOBODY);

      expect(heirs(claims, ISTIOD)).to.deep.equal([]);
      expect(heirs(claims, ISTIOD, { isStaying: (key) => key === 'b' })).to.deep.equal(['b']);
    });

    it('keeps for it what all may use, if it has something installed', () => {
      const claims = new Claims();
      claims.settle('a', BASE_ONLY, NOBODY);
      claims.settle('c', GATEWAY_ONLY, NOBODY);
      claims.settle('b', DEMO, NOBODY);

      expect(heirs(claims, READER)).to.deep.equal([]);
      expect(heirs(claims, READER, { isInstalled: () => true })).to.deep.equal(['b']);
    });

    it('promises the rest to one for which what all may use is kept, when all who are in its way go', () => {
      const claims = new Claims();
      claims.settle('a', BASE_ONLY, NOBODY);
      claims.settle('c', GATEWAY_ONLY, NOBODY);
      claims.settle('b', DEMO, NOBODY);
      claims.settle('d', GATEWAY_ONLY, NOBODY);
      const rules = {
        isStaying: (key: string) => key === 'b' || key === 'd',
        isInstalled: () => false,
        isAtWork: (key: string) => rules.isStaying(key),
      };

      const isKept = claims.bequeath('a', refOf(READER), rules);
      for (const key of ['a', 'c']) claims.forget(key);

      expect(isKept).to.equal(true);
      expect(told(claims.settle('d', GATEWAY_ONLY, NOBODY))).to.deep.equal([
        'istio-ingressgateway belongs to b',
      ]);
      expect(told(claims.settle('b', DEMO, NOBODY))).to.have.length(3);
    });

    it('keeps a control plane for nobody who is paused', () => {
      const claims = new Claims();
      claims.settle('a', DEMO, NOBODY);
      claims.settle('b', DEMO, NOBODY);
      const isStaying = (key: string): boolean => key === 'b';

      expect(heirs(claims, ISTIOD, { isStaying })).to.deep.equal(['b']);
      expect(heirs(claims, ISTIOD, { isStaying, isAtWork: () => false })).to.deep.equal([]);
    });

    it('does not believe the label of one that goes against its heir, which has not come to the object yet', () => {
      const claims = new Claims();
      const labels = labelled(GATEWAY, 'a');
      claims.settle('b', DEMO, labels);
      claims.settle('c', GATEWAY_ONLY, labels);
      claims.bequeath('a', refOf(GATEWAY), WHILE_A_GOES);
      claims.settle('b', DEMO, labels);

      expect(told(claims.settle('b', DEMO, labels))).to.have.length(3);
      expect(told(claims.settle('c', GATEWAY_ONLY, labels))).to.deep.equal([
        'istio-ingressgateway belongs to b',
      ]);
    });

    it('promises nothing to one that somebody who stays keeps from the rest, though it needs what all may use', () => {
      const claims = new Claims();
      claims.settle('a', BASE_ONLY, NOBODY);
      claims.settle('c', GATEWAY_ONLY, NOBODY);
      claims.settle('b', DEMO, NOBODY);
      const rules = {
        isStaying: (key: string) => key !== 'a',
        isInstalled: () => true,
        isAtWork: () => true,
      };

      const isKept = claims.bequeath('a', refOf(READER), rules);
      claims.forget('a');

      expect(isKept).to.equal(true);
      expect(told(claims.settle('d', PILOT_ONLY, NOBODY))).to.deep.equal(['istiod']);
      expect(told(claims.settle('c', GATEWAY_ONLY, NOBODY))).to.deep.equal(['istio-ingressgateway']);
    });

    it('ends a promise when the heir has settled, so that it can let go as well', () => {
      const claims = new Claims();
      claims.settle('a', DEMO, NOBODY);
      claims.settle('b', DEMO, NOBODY);
      claims.bequeath('a', refOf(ISTIOD), WHILE_A_GOES);
      claims.forget('a');
      claims.settle('b', DEMO, NOBODY);
      claims.settle('b', BASE_ONLY, NOBODY);

      expect(told(claims.settle('c', GATEWAY_ONLY, NOBODY))).to.deep.equal(['istio-ingressgateway']);
    });

    it('says who waits for what was promised to one that goes', () => {
      const claims = new Claims();
      claims.settle('a', DEMO, NOBODY);
      claims.settle('b', DEMO, NOBODY);
      claims.settle('c', GATEWAY_ONLY, NOBODY);
      claims.bequeath('a', refOf(ISTIOD), WHILE_A_GOES);
      claims.forget('a');

      expect(claims.forget('b')).to.deep.equal(['c']);
    });

    it('promises the heir of one object all that it needs beside, whoever looks first', () => {
      const claims = new Claims();
      claims.settle('a', DEMO, NOBODY);
      claims.settle('b', DEMO, NOBODY);
      claims.settle('c', GATEWAY_ONLY, NOBODY);

      const isKept = claims.bequeath('a', refOf(ISTIOD), WHILE_A_GOES);
      claims.forget('a');

      expect(isKept).to.equal(true);
      expect(told(claims.settle('c', GATEWAY_ONLY, NOBODY))).to.deep.equal([
        'istio-ingressgateway belongs to b',
      ]);
      expect(told(claims.settle('b', DEMO, NOBODY))).to.have.length(3);
    });
  });
});
