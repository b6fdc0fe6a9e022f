import { expect } from 'chai';
import type { ClusterErrorKind } from '../model/cluster-error.ts';
import { ClusterError } from '../model/cluster-error.ts';
import type { FailureCause } from '../model/report.ts';
import type { Failure } from './failure.ts';
import { failureOf } from './failure.ts';

const REF = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'istio-system', name: 'istiod' };

function failure(kind: ClusterErrorKind, message: string): Failure {
  return failureOf(new ClusterError(message, { kind, verb: 'apply' }), REF);
}

describe('failureOf', () => {
  it('names the object, what happened and what to do', () => {
    expect(failure('invalid', 'spec.replicas: must not be negative.').message).to.equal(
      'Deployment istio-system/istiod: spec.replicas: must not be negative. Correct the values or overlays that make this field.',
    );
  });

  it('does not name the object twice', () => {
    const { message } = failure('conflict', 'Deployment istio-system/istiod has changed');

    expect(message).to.match(/^Deployment istio-system\/istiod has changed\. /);
  });

  const RETRYABLE: Readonly<Record<ClusterErrorKind, boolean>> = {
    unavailable: true,
    conflict: true,
    refused: true,
    absent: true,
    cancelled: true,
    invalid: false,
    forbidden: false,
  };
  for (const [kind, retryable] of Object.entries(RETRYABLE)) {
    it(`says that ${kind} ${retryable ? 'may pass' : 'will not pass'} by itself`, () => {
      expect(failure(kind as ClusterErrorKind, 'no').retryable).to.equal(retryable); // the keys are kinds
    });
  }

  const CAUSES: readonly [ClusterErrorKind, string, FailureCause][] = [
    ['invalid', 'spec.replicas must not be negative', 'object'],
    ['forbidden', 'deployments.apps is forbidden', 'rights'],
    ['unavailable', 'no answer', 'server'],
    ['refused', 'admission webhook "guard.example.com" denied the request: frozen', 'admission'],
    ['refused', "ValidatingAdmissionPolicy 'guard' with binding 'guard' denied request: no", 'admission'],
    ['refused', 'Internal error occurred: failed calling webhook "guard.example.com": timeout', 'webhook'],
    ['refused', 'services "edge" is forbidden: exceeded quota: small', 'quota'],
    ['refused', 'unable to create new content because it is being terminated', 'object'],
  ];
  for (const [kind, message, cause] of CAUSES) {
    it(`tells that ${cause} is the cause of: ${message}`, () => {
      expect(failure(kind, message).cause).to.equal(cause);
    });
  }

  it('advises by the text where the kind does not tell enough', () => {
    expect(
      failure('refused', 'unable to create new content because it is being terminated').message,
    ).to.match(/Wait until its namespace is gone/);
    expect(failure('refused', 'pods "x" is forbidden: exceeded quota: small').message).to.match(
      /Raise the quota/,
    );
    expect(failure('refused', 'violates PodSecurity "restricted:latest"').message).to.match(
      /pod-security labels/,
    );
    expect(failure('forbidden', 'attempting to grant RBAC permissions not currently held').message).to.match(
      /escalate/,
    );
  });
});
