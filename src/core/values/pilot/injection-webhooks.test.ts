import { expect } from 'chai';
import { isJsonObject, listAt } from '../../../model/json.ts';
import type { InjectionScope } from './injection-webhooks.ts';
import { injectionWebhooks } from './injection-webhooks.ts';

type Labels = Readonly<Record<string, string>>;

/** Names of the webhooks that the API server asks for a pod with these labels in a namespace with those. */
function askedFor(scope: InjectionScope, namespace: Labels, pod: Labels): readonly string[] {
  return injectionWebhooks(scope)
    .filter(
      (webhook) =>
        matches(listAt(webhook, 'namespaceSelector', 'matchExpressions'), {
          'kubernetes.io/metadata.name': 'ns',
          ...namespace,
        }) && matches(listAt(webhook, 'objectSelector', 'matchExpressions'), pod),
    )
    .map(({ name }) => String(name).replace('sidecar-injector.istio.io', ''));
}

/** As Kubernetes reads label selectors. */
function matches(expressions: readonly unknown[], labels: Labels): boolean {
  return expressions.filter(isJsonObject).every(({ key, operator, values }) => {
    const value = labels[String(key)];
    const isIn = value !== undefined && Array.isArray(values) && values.includes(value);
    if (operator === 'In') return isIn;
    return operator === 'NotIn' ? !isIn : value === undefined;
  });
}

const CANARY: InjectionScope = { revision: 'canary', isDefault: false, everywhere: false };
const DEFAULT: InjectionScope = { revision: 'default', isDefault: true, everywhere: false };
const EVERYWHERE: InjectionScope = { ...DEFAULT, everywhere: true };

describe('injectionWebhooks', () => {
  it('serves pods that ask for the revision by their namespace or by themselves', () => {
    expect(askedFor(CANARY, { 'istio.io/rev': 'canary' }, {})).to.deep.equal(['rev.namespace.']);
    expect(askedFor(CANARY, {}, { 'istio.io/rev': 'canary' })).to.deep.equal(['rev.object.']);
  });

  it('does not serve pods of another revision, or of none', () => {
    expect(askedFor(CANARY, { 'istio.io/rev': 'stable' }, {})).to.deep.equal([]);
    expect(askedFor(CANARY, { 'istio-injection': 'enabled' }, {})).to.deep.equal([]);
    expect(askedFor(CANARY, {}, { 'sidecar.istio.io/inject': 'true' })).to.deep.equal([]);
  });

  it('serves as the default pods that ask for injection without a revision', () => {
    expect(askedFor(DEFAULT, { 'istio-injection': 'enabled' }, {})).to.deep.equal(['namespace.']);
    expect(askedFor(DEFAULT, {}, { 'sidecar.istio.io/inject': 'true' })).to.deep.equal(['object.']);
    expect(askedFor(DEFAULT, {}, {})).to.deep.equal([]);
  });

  it('never serves a pod that says no', () => {
    const no = { 'sidecar.istio.io/inject': 'false' };

    expect([
      askedFor(EVERYWHERE, { 'istio-injection': 'enabled' }, no),
      askedFor(EVERYWHERE, {}, no),
      askedFor(CANARY, { 'istio.io/rev': 'canary' }, no),
      askedFor(EVERYWHERE, { 'istio-injection': 'disabled' }, {}),
    ]).to.deep.equal([[], [], [], []]);
  });

  it('serves pods that ask for nothing when injection is on everywhere, but for system namespaces', () => {
    expect(askedFor(EVERYWHERE, {}, {})).to.deep.equal(['auto.']);
    expect(askedFor(EVERYWHERE, { 'kubernetes.io/metadata.name': 'kube-system' }, {})).to.deep.equal([]);
  });

  it('asks one webhook at most for any pod', () => {
    const namespaces: readonly Labels[] = [
      {},
      { 'istio-injection': 'enabled' },
      { 'istio-injection': 'disabled' },
      { 'istio.io/rev': 'default' },
      { 'istio.io/rev': 'default', 'istio-injection': 'enabled' },
    ];
    const pods: readonly Labels[] = [
      {},
      { 'sidecar.istio.io/inject': 'true' },
      { 'istio.io/rev': 'default' },
      { 'istio.io/rev': 'default', 'sidecar.istio.io/inject': 'true' },
    ];

    const asked = namespaces.flatMap((namespace) => pods.map((pod) => askedFor(EVERYWHERE, namespace, pod)));

    expect(asked.filter((names) => names.length > 1)).to.deep.equal([]);
  });
});
