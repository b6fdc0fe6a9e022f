import { expect } from 'chai';
import type { JsonObject } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';
import type { InjectionScope } from '../values/pilot/injection-webhooks.ts';
import { injectionWebhooks } from '../values/pilot/injection-webhooks.ts';
import { callingAs, deactivated, isActive, overlap, targetOfInjector } from './injectors.ts';

function injector(istiod: string, scope: Partial<InjectionScope>): K8sObject {
  const clientConfig: JsonObject = { service: { name: istiod, namespace: 'istio-system', path: '/inject' } };
  const webhooks = injectionWebhooks({ revision: 'default', isDefault: false, everywhere: false, ...scope });
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: istiod },
    webhooks: webhooks.map((webhook) => ({ ...webhook, clientConfig })),
  };
}

const UNNAMED = injector('istiod', { isDefault: true });
const CANARY = injector('istiod-canary', { revision: 'canary' });
const DEFAULT_TAG = injector('istiod-canary', { isDefault: true });

describe('injection webhooks', () => {
  it('of two revisions reach different pods', () => {
    expect(overlap(UNNAMED, CANARY)).to.equal(false);
  });

  it('overlap when a tag "default" serves pods beside the revision without a name', () => {
    expect(overlap(UNNAMED, DEFAULT_TAG)).to.equal(true);
  });

  it('overlap when two of them serve the same tag', () => {
    const other = injector('istiod-other', { revision: 'canary' });

    expect(overlap(CANARY, other)).to.equal(true);
  });

  it('overlap when both serve pods that ask for nothing', () => {
    const everywhere = { isDefault: true, everywhere: true };

    expect(overlap(injector('a', { ...everywhere, revision: 'x' }), injector('b', everywhere))).to.equal(
      true,
    );
  });

  it('do not overlap when both call the same istiod: the second call changes nothing', () => {
    expect(overlap(UNNAMED, callingAs(DEFAULT_TAG, UNNAMED))).to.equal(false);
    expect(targetOfInjector(callingAs(DEFAULT_TAG, UNNAMED))).to.equal('istio-system/istiod');
  });

  it('reach nothing when deactivated', () => {
    const off = deactivated(UNNAMED);

    expect([isActive(UNNAMED), isActive(off), overlap(off, DEFAULT_TAG)]).to.deep.equal([true, false, false]);
  });

  it('written by others with matchLabels are understood', () => {
    const handmade: K8sObject = {
      ...UNNAMED,
      webhooks: [
        {
          clientConfig: { url: 'https://elsewhere.example.com/inject' },
          namespaceSelector: { matchLabels: { 'istio-injection': 'enabled', team: 'a' } },
        },
      ],
    };

    expect([overlap(handmade, UNNAMED), overlap(handmade, CANARY)]).to.deep.equal([true, false]);
  });
});
