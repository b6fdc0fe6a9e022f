import { expect } from 'chai';
import type { JsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { managedFieldsWithoutReplaced } from './adoption.ts';

const NOON = '2026-01-01T12:00:00Z';
const LATER = '2026-01-01T12:00:01Z';
const OURS = { 'f:data': { 'f:a': {}, 'f:b': {} } };

function entry(manager: string, fieldsV1: JsonObject, more: JsonObject = {}): JsonObject {
  return {
    manager,
    operation: 'Update',
    apiVersion: 'v1',
    time: NOON,
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...more,
  };
}

function remaining(...others: readonly JsonObject[]): readonly unknown[] | undefined {
  const ours = entry('istio-operator', OURS, { operation: 'Apply' });
  const object: K8sObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'istio', managedFields: [ours, ...others] },
  };
  return managedFieldsWithoutReplaced(object)?.slice(1);
}

describe('managedFieldsWithoutReplaced', () => {
  for (const manager of ['kubectl-client-side-apply', 'helm', 'istioctl', 'istio-operator', 'kubectl']) {
    it(`gives up what ${manager} owns together with us`, () => {
      expect(remaining(entry(manager, OURS))).to.deep.equal([]);
    });
  }

  it('leaves to a replaced manager what only it owns', () => {
    const shared = {
      'f:data': { 'f:a': {}, 'f:c': {} },
      'f:metadata': { 'f:annotations': { '.': {}, 'f:x': {} } },
    };
    const rest = { 'f:data': { 'f:c': {} }, 'f:metadata': shared['f:metadata'] };

    expect(remaining(entry('helm', shared, { operation: 'Apply' }))).to.deep.equal([
      entry('helm', rest, { operation: 'Apply' }),
    ]);
  });

  it('changes nothing for controllers, which own their fields rightly', () => {
    expect(remaining(entry('pilot-discovery', OURS))).to.equal(undefined);
  });

  it('changes nothing for what was written after us, lest two tools take turns for ever', () => {
    expect(remaining(entry('kubectl', OURS, { time: LATER }))).to.equal(undefined);
  });

  it('changes nothing for what was written without changing any value, which may be after us', () => {
    const { time: _time, ...timeless } = entry('kubectl', OURS);

    expect(remaining(timeless)).to.equal(undefined);
  });

  it('changes nothing for subresources, such as a scaling by hand', () => {
    expect(remaining(entry('kubectl', OURS, { subresource: 'scale' }))).to.equal(undefined);
  });

  it('changes nothing where no field is shared', () => {
    expect(remaining(entry('helm', { 'f:data': { 'f:c': {} } }))).to.equal(undefined);
  });

  it('gives up what was there when we applied without changing any value', () => {
    const { time: _time, ...ours } = entry('istio-operator', OURS, { operation: 'Apply' });
    const managedFields = [ours, entry('helm', OURS)];

    expect(
      managedFieldsWithoutReplaced({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'x', managedFields },
      }),
    ).to.deep.equal([ours]);
  });

  it('changes nothing in an object that we never applied', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'x', managedFields: [entry('helm', OURS)] },
    };

    expect(managedFieldsWithoutReplaced(object)).to.equal(undefined);
  });
});
