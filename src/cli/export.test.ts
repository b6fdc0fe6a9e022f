import { expect } from 'chai';
import type { K8sObject } from '../model/object.ts';
import { resourceOf } from './export.ts';
import type { Installation } from './installation.ts';

const SPEC = { profile: 'demo' };

function installation(kind: Installation['kind'], object: K8sObject): Installation {
  return {
    kind,
    object,
    spec: SPEC,
    owner: { name: 'mesh', namespace: 'istio-system' },
    profile: 'demo',
    revision: 'default',
    version: '1.30.3',
    inventory: [],
    madeNamespaces: [],
  };
}

describe('resourceOf', () => {
  it('keeps labels and annotations of a resource and nothing that the cluster wrote', () => {
    const object = {
      apiVersion: 'install.istio.io/v1alpha1',
      kind: 'IstioOperator',
      metadata: {
        name: 'mesh',
        namespace: 'istio-system',
        uid: 'u',
        resourceVersion: '7',
        finalizers: ['f'],
        managedFields: [],
        labels: { team: 'a' },
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', note: 'b' },
      },
      spec: SPEC,
      status: { status: 'HEALTHY' },
    };

    expect(resourceOf(installation('resource', object))).to.deep.equal({
      apiVersion: 'install.istio.io/v1alpha1',
      kind: 'IstioOperator',
      metadata: {
        name: 'mesh',
        namespace: 'istio-system',
        labels: { team: 'a' },
        annotations: { note: 'b' },
      },
      spec: SPEC,
    });
  });

  it('makes a resource of a record', () => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'r', labels: { of: 'record' } } };

    expect(resourceOf(installation('record', object))).to.deep.equal({
      apiVersion: 'install.istio.io/v1alpha1',
      kind: 'IstioOperator',
      metadata: { name: 'mesh', namespace: 'istio-system' },
      spec: SPEC,
    });
  });
});
