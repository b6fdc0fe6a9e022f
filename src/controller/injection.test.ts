import { expect } from 'chai';
import { besideInjectors } from '../core/objects/beside-injectors.ts';
import { deactivated, isActive, targetOfInjector } from '../core/objects/injectors.ts';
import type { InjectionScope } from '../core/values/pilot/injection-webhooks.ts';
import { injectionWebhooks } from '../core/values/pilot/injection-webhooks.ts';
import { at } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import { objectsOf } from '../model/plan.ts';
import { asksFor, injectionFaults } from './injection.ts';
import { istioOperator, planOf } from './testing/builders.ts';

interface Injector {
  readonly istiod: string;
  readonly revision: string;
  readonly tag?: string;
  readonly caBundle?: string;
}

function injector({ istiod, revision, tag, caBundle }: Injector): K8sObject {
  const scope: InjectionScope = {
    revision: tag ?? revision,
    isDefault: (tag ?? revision) === 'default',
    everywhere: false,
  };
  const service = { name: istiod, namespace: 'istio-system', path: '/inject' };
  const clientConfig = { service, ...(caBundle === undefined ? {} : { caBundle }) };
  const labels = { app: 'sidecar-injector', 'istio.io/rev': revision };
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: {
      name: tag === undefined ? `injector-of-${revision}` : `istio-revision-tag-${tag}`,
      labels: tag === undefined ? labels : { ...labels, 'istio.io/tag': tag },
    },
    webhooks: injectionWebhooks(scope).map((webhook) => ({ ...webhook, clientConfig })),
  };
}

const UNNAMED = injector({ istiod: 'istiod', revision: 'default', caBundle: 'b2xk' });
const CANARY = injector({ istiod: 'istiod-canary', revision: 'canary', caBundle: 'bmV3' });
const DEFAULT_TAG = injector({ istiod: 'istiod-canary', revision: 'canary', tag: 'default' });

function planWith(...objects: readonly K8sObject[]): Plan {
  return planOf({ components: [{ component: 'Pilot', after: [], objects }] });
}

function only(plan: Plan): K8sObject {
  const [object] = objectsOf(plan);
  if (object === undefined) throw new Error('the plan is empty');
  return object;
}

function told(plan: Plan, live: readonly K8sObject[]): string[] {
  return injectionFaults(plan, live, []).map(({ reason }) => reason);
}

describe('moving the default from the revision without a name to another one', () => {
  it('begins with a tag that calls the istiod which serves now, by its authority', () => {
    const applied = only(besideInjectors(planWith(DEFAULT_TAG), [UNNAMED, CANARY]));

    expect(targetOfInjector(applied)).to.equal('istio-system/istiod');
    expect(at(applied, 'webhooks', 0, 'clientConfig', 'caBundle')).to.equal('b2xk');
    expect(told(planWith(DEFAULT_TAG), [UNNAMED, CANARY, applied])).to.deep.equal(['TagMoving']);
  });

  it('goes on with the injector of the revision without a name, which steps back', () => {
    const bridge = only(besideInjectors(planWith(DEFAULT_TAG), [UNNAMED, CANARY]));

    expect(isActive(only(besideInjectors(planWith(UNNAMED), [UNNAMED, CANARY, bridge])))).to.equal(false);
    expect(told(planWith(UNNAMED), [UNNAMED, CANARY, bridge])).to.deep.equal([]);
  });

  it('ends with the tag on its own istiod', () => {
    const live = [deactivated(UNNAMED), CANARY, DEFAULT_TAG];
    const applied = only(besideInjectors(planWith(DEFAULT_TAG), live));

    expect(targetOfInjector(applied)).to.equal('istio-system/istiod-canary');
    expect(at(applied, 'webhooks', 0, 'clientConfig', 'caBundle')).to.equal('bmV3');
    expect(told(planWith(DEFAULT_TAG), [deactivated(UNNAMED), CANARY, applied])).to.deep.equal([]);
  });

  it('keeps the injector back for as long as the tag serves, and brings it back when the tag is gone', () => {
    const plan = planWith(UNNAMED);

    const states = [[deactivated(UNNAMED), DEFAULT_TAG], [deactivated(UNNAMED)]].map((live) =>
      isActive(only(besideInjectors(plan, live))),
    );

    expect(states).to.deep.equal([false, true]);
  });
});

describe('injection beside other control planes', () => {
  it('leaves a plan as it is where nothing is in its way', () => {
    expect(besideInjectors(planWith(CANARY), [UNNAMED, CANARY])).to.deep.equal(planWith(CANARY));
    expect(told(planWith(CANARY), [UNNAMED, CANARY])).to.deep.equal([]);
  });

  it('is told to overlap when somebody else serves the same pods', () => {
    const other = injector({ istiod: 'istiod-elsewhere', revision: 'canary' });
    const theirs = { ...other, metadata: { ...other.metadata, name: 'theirs' } };

    expect(told(planWith(CANARY), [CANARY, theirs])).to.deep.equal(['OverlappingInjectors']);
  });

  it('is told to have a tag that points to nothing', () => {
    const dangling = injector({ istiod: 'istiod-gone', revision: 'gone', tag: 'prod' });

    expect(told(planWith(CANARY), [CANARY, dangling])).to.deep.equal(['DanglingTag']);
  });

  it('is nothing to a resource without a control plane', () => {
    const dangling = injector({ istiod: 'istiod-gone', revision: 'gone', tag: 'prod' });

    expect(told(planWith(), [dangling])).to.deep.equal([]);
  });

  it('names the holder of a tag that is asked for', () => {
    const [fault] = injectionFaults(
      planWith(CANARY),
      [CANARY],
      [
        {
          ref: { apiVersion: CANARY.apiVersion, kind: CANARY.kind, name: 'istio-revision-tag-prod' },
          holder: 'a/b',
        },
      ],
    );

    expect(fault?.message).to.match(/^istio-revision-tag-prod is held by a\/b\. Take the tag out/u);
  });
});

describe('asksFor', () => {
  it('knows the objects of a tag by their names, in whatever namespace the control plane is', () => {
    const resource = istioOperator({ spec: { values: { revisionTags: ['prod', 7] } } });
    const asks = (kind: string, name: string): boolean => asksFor(resource, { apiVersion: 'v1', kind, name });

    expect([
      asks('MutatingWebhookConfiguration', 'istio-revision-tag-prod'),
      asks('MutatingWebhookConfiguration', 'istio-revision-tag-prod-mesh'),
      asks('MutatingWebhookConfiguration', 'istio-revision-tag-product'),
      asks('Service', 'istiod-revision-tag-prod'),
      asks('ConfigMap', 'istio-revision-tag-prod'),
    ]).to.deep.equal([true, true, false, true, false]);
  });
});
