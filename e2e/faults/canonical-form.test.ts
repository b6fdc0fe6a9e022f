import { expect } from 'chai';
import type { JsonObject } from '../../src/model/json.ts';
import { canonicalForm, canonicalText, PASSER_BY } from './canonical-form.ts';

function service(metadata: JsonObject, spec: JsonObject = {}): string {
  const named = { name: 'a', ...metadata };
  return canonicalText(canonicalForm({ apiVersion: 'v1', kind: 'Service', metadata: named, spec }));
}

describe('canonicalForm', () => {
  it('is the same whatever the API server assigned, and in whatever order keys came', () => {
    const first = service(
      { uid: '1', resourceVersion: '5' },
      { type: 'NodePort', ports: [{ nodePort: 30000, port: 1 }] },
    );
    const second = service(
      { resourceVersion: '9', uid: '2' },
      { ports: [{ port: 1, nodePort: 31000 }], type: 'NodePort' },
    );

    expect(first).to.equal(second);
  });

  it('tells apart labels, finalizers, specifications and managed fields', () => {
    const manager = (fields: JsonObject): JsonObject => ({
      managedFields: [{ manager: 'm', operation: 'Apply', time: 't', fieldsV1: fields }],
    });
    const forms = [
      service({}),
      service({ labels: { a: 'b' } }),
      service({ finalizers: ['x'] }),
      service({}, { type: 'ClusterIP' }),
      service(manager({ 'f:spec': {} })),
      service(manager({ 'f:data': {} })),
    ];

    expect(new Set(forms).size).to.equal(forms.length);
  });

  it('leaves out a manager that took back what it did, and whose the replicas are where an autoscaler scales', () => {
    const of = (manager: string, isScaled?: boolean): string => {
      const managedFields = [{ manager, operation: 'Update', fieldsV1: { 'f:spec': { 'f:replicas': {} } } }];
      const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a', managedFields } };
      return canonicalText(canonicalForm(object, isScaled));
    };

    expect(of(PASSER_BY)).not.to.contain('f:replicas');
    expect(of('kubectl')).to.contain('f:replicas');
    expect(of('kubectl', true)).not.to.contain('f:replicas');
  });

  it('keeps what an IstioOperator says of itself, and nothing of what others say of theirs', () => {
    const of = (kind: string): JsonObject =>
      canonicalForm({
        apiVersion: 'v1',
        kind,
        metadata: { name: 'a' },
        status: { status: 'HEALTHY', lastTransitionTime: 'now', observedGeneration: 3 },
      });

    expect(of('IstioOperator')['status']).to.deep.equal({ status: 'HEALTHY' });
    expect(of('Deployment')).not.to.have.property('status');
  });
});
