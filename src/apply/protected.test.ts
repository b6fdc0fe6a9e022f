import { expect } from 'chai';
import { isProtected } from './protected.ts';

function ref(apiVersion: string, kind: string, name: string): Parameters<typeof isProtected>[0] {
  return { apiVersion, kind, namespace: 'istio-system', name };
}

describe('isProtected', () => {
  for (const protectedRef of [
    ref('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'gateways.networking.istio.io'),
    ref('apiextensions.k8s.io/v1beta1', 'CustomResourceDefinition', 'any.example.com'),
    ref('v1', 'Namespace', 'istio-system'),
    ref('v1', 'PersistentVolumeClaim', 'data'),
    ref('v1', 'Secret', 'cacerts'),
    ref('v1', 'Secret', 'istio-ca-secret'),
  ])
    it(`protects ${protectedRef.apiVersion} ${protectedRef.kind} ${protectedRef.name}`, () => {
      expect(isProtected(protectedRef)).to.equal(true);
    });

  for (const other of [
    ref('v1', 'Secret', 'other'),
    ref('v1', 'ConfigMap', 'cacerts'),
    ref('example.com/v1', 'Secret', 'cacerts'),
    ref('example.com/v1', 'Namespace', 'istio-system'),
    ref('example.com/v1', 'PersistentVolumeClaim', 'data'),
    ref('v1', 'CustomResourceDefinition', 'gateways.networking.istio.io'),
    ref('apiextensions.k8s.io/v1', 'Namespace', 'istio-system'),
  ])
    it(`does not protect ${other.apiVersion} ${other.kind} ${other.name}`, () => {
      expect(isProtected(other)).to.equal(false);
    });
});
