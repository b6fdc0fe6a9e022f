import { expect } from 'chai';
import type { JsonObject } from '../model/json.ts';
import { handedOver } from './hand-over.ts';
import { object } from './testing/objects.ts';

const OURS = entry('istio-operator', 'Apply', {
  'f:metadata': { 'f:labels': { 'f:app': {} } },
  'f:spec': { 'f:ports': { 'k:{"port":80}': { '.': {}, 'f:port': {} } }, 'f:selector': {} },
});

function entry(manager: string, operation: string, fieldsV1: JsonObject): JsonObject {
  return { manager, operation, apiVersion: 'v1', fieldsV1 };
}

function after(...others: readonly JsonObject[]): unknown {
  return handedOver(object('Service', 'istiod', { metadata: { managedFields: [...others, OURS] } }));
}

describe('handedOver', () => {
  it('leaves to an installer what only it asked for', () => {
    const helm = entry('helm', 'Update', {
      'f:metadata': { 'f:labels': { '.': {}, 'f:app': {}, 'f:heritage': {} } },
      'f:spec': { 'f:ports': { 'k:{"port":80}': { '.': {}, 'f:port': {}, 'f:nodePort': {} } } },
    });

    expect(after(helm)).to.deep.equal([
      entry('helm', 'Update', {
        'f:metadata': { 'f:labels': { 'f:heritage': {} } },
        'f:spec': { 'f:ports': { 'k:{"port":80}': { 'f:nodePort': {} } } },
      }),
      OURS,
    ]);
  });

  it('drops an installer that owns nothing else, also what it owns inside of what is ours as a whole', () => {
    const kubectl = entry('kubectl-client-side-apply', 'Update', {
      'f:spec': { 'f:selector': { 'f:app': {} } },
    });

    expect(after(kubectl)).to.deep.equal([OURS]);
  });

  it('takes nothing from controllers, from status writers and from us', () => {
    const scaler = entry('kube-controller-manager', 'Update', { 'f:spec': { 'f:selector': {} } });
    const status = {
      ...entry('kubectl', 'Update', { 'f:spec': { 'f:selector': {} } }),
      subresource: 'status',
    };

    expect(after(scaler, status)).to.equal(undefined);
  });

  it('does nothing to an object that we never applied', () => {
    const helm = entry('helm', 'Update', { 'f:spec': {} });

    expect(handedOver(object('Service', 'istiod', { metadata: { managedFields: [helm] } }))).to.equal(
      undefined,
    );
  });
});
