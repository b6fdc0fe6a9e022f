import { expect } from 'chai';
import type { ClusterErrorKind } from '../model/cluster-error.ts';
import type { JsonObject } from '../model/json.ts';
import { errorFromAnswer, errorFromConnection, isKindUnknown, isOutdated } from './api-error.ts';
import { statusObject } from './testing/fake-api-server.ts';

const REF = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'istio-system', name: 'istiod' };
const ATTEMPT = { verb: 'apply', ref: REF };

interface Case {
  readonly code: number;
  readonly reason?: string;
  readonly message: string;
  readonly details?: JsonObject;
  readonly kind: ClusterErrorKind;
}

/** What a real API server (1.34) says, unless marked as a proxy's answer. */
const CASES: readonly Case[] = [
  { code: 401, reason: 'Unauthorized', message: 'Unauthorized', kind: 'forbidden' },
  {
    code: 403,
    reason: 'Forbidden',
    message:
      'deployments.apps "d" is forbidden: User "nobody" cannot patch resource "deployments" in API group "apps"',
    kind: 'forbidden',
  },
  {
    code: 403,
    reason: 'Forbidden',
    message:
      'clusterroles "x" is forbidden: user "a" is attempting to grant RBAC permissions not currently held',
    kind: 'forbidden',
  },
  {
    code: 403,
    reason: 'Forbidden',
    message: 'pods "x" is forbidden: exceeded quota: small',
    kind: 'refused',
  },
  {
    code: 403,
    reason: 'Forbidden',
    message:
      'configmaps "x" is forbidden: unable to create new content in namespace n because it is being terminated',
    details: { causes: [{ reason: 'NamespaceTerminating' }] },
    kind: 'refused',
  },
  {
    code: 403,
    reason: 'Forbidden',
    message: 'pods "x" is forbidden: violates PodSecurity "restricted:latest"',
    kind: 'refused',
  },
  { code: 400, message: 'admission webhook "validation.istio.io" denied the request: no', kind: 'refused' },
  { code: 403, message: 'admission webhook "policy.example.com" denied the request: no', kind: 'refused' },
  {
    code: 500,
    reason: 'InternalError',
    message:
      'Internal error occurred: failed calling webhook "rev.validation.istio.io": no endpoints available',
    kind: 'refused',
  },
  {
    code: 422,
    reason: 'Invalid',
    message: `istiooperators "x" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no`,
    kind: 'refused',
  },
  {
    code: 500,
    message:
      'failed to create typed patch object (/d; apps/v1, Kind=Deployment): .spec.valu: field not declared in schema',
    kind: 'invalid',
  },
  {
    code: 500,
    message:
      'failed to convert new object (/a; /v1, Kind=Secret) to proper version: illegal base64 data at input byte 6',
    kind: 'invalid',
  },
  { code: 500, message: 'etcdserver: request is too large', kind: 'invalid' },
  {
    code: 400,
    reason: 'BadRequest',
    message: 'strict decoding error: unknown field "spec.x"',
    kind: 'invalid',
  },
  { code: 422, reason: 'Invalid', message: 'Deployment.apps "istiod" is invalid', kind: 'invalid' },
  { code: 413, reason: 'RequestEntityTooLarge', message: 'limit is 3145728', kind: 'invalid' },
  { code: 404, reason: 'NotFound', message: 'deployments.apps "istiod" not found', kind: 'absent' },
  { code: 409, reason: 'Conflict', message: 'the object has been modified', kind: 'conflict' },
  { code: 409, reason: 'AlreadyExists', message: 'deployments.apps "d" already exists', kind: 'conflict' },
  { code: 410, reason: 'Expired', message: 'The provided continue parameter is too old', kind: 'conflict' },
  { code: 408, reason: 'Timeout', message: 'took too long', kind: 'unavailable' },
  { code: 429, reason: 'TooManyRequests', message: 'please try again later', kind: 'unavailable' },
  {
    code: 500,
    reason: 'InternalError',
    message: 'Internal error occurred: etcdserver: leader changed',
    kind: 'unavailable',
  },
  { code: 503, reason: 'ServiceUnavailable', message: 'apiserver not ready', kind: 'unavailable' },
  {
    code: 504,
    reason: 'Timeout',
    message: 'Timeout: Too large resource version: 9, current: 5',
    kind: 'unavailable',
  },
];

function errorOf({
  code,
  reason = '',
  message,
  details = {},
}: Omit<Case, 'kind'>): ReturnType<typeof errorFromAnswer> {
  return errorFromAnswer(
    { httpStatus: code, body: JSON.stringify(statusObject(code, reason, message, details)) },
    ATTEMPT,
  );
}

describe('errorFromAnswer', () => {
  for (const { kind, ...answer } of CASES) {
    it(`calls ${answer.code} "${answer.message.slice(0, 70)}" ${kind}`, () => {
      expect(errorOf(answer).kind).to.equal(kind);
    });
  }

  it('carries verb, object, status and how long to wait', () => {
    const body = JSON.stringify(statusObject(429, 'TooManyRequests', 'later'));

    const error = errorFromAnswer({ httpStatus: 429, body, retryAfter: '7' }, ATTEMPT);

    const { kind, verb, ref, httpStatus, retryAfterMs, message } = error;
    expect({ kind, verb, ref, httpStatus, retryAfterMs, message }).to.deep.equal({
      kind: 'unavailable',
      verb: 'apply',
      ref: REF,
      httpStatus: 429,
      retryAfterMs: 7_000,
      message: 'later',
    });
  });

  it('takes the wait from the body when there is no header', () => {
    const error = errorOf({ code: 504, message: 'later', details: { retryAfterSeconds: 2 } });

    expect(error.retryAfterMs).to.equal(2_000);
  });

  it('does not quote the page of a proxy', () => {
    const error = errorFromAnswer({ httpStatus: 502, body: '<html>nginx at 10.0.0.1</html>' }, ATTEMPT);

    expect(error.message).to.equal('the API server answered with HTTP status 502');
    expect(error.kind).to.equal('unavailable');
  });

  it('keeps the name of the object and drops the value that was refused', () => {
    const error = errorOf({
      code: 422,
      message:
        'Deployment.apps "istiod" is invalid: spec.x: Invalid value: "CANARY": must be lower case, not "CANARY"',
    });

    expect(error.message).to.equal(
      'Deployment.apps "istiod" is invalid: spec.x: Invalid value: must be lower case, not "…"',
    );
  });
});

describe('errorFromConnection', () => {
  it('names the fault of a nested error in plain words', () => {
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    const error = errorFromConnection(new AggregateError([refused]), '127.0.0.1:1', ATTEMPT);

    expect(error.message).to.equal('no answer from the API server 127.0.0.1:1: the connection was refused');
    expect(error.kind).to.equal('unavailable');
  });
});

describe('what a watch does next', () => {
  it('lists anew after 410 and after a resourceVersion from the future', () => {
    expect(isOutdated(errorOf({ code: 410, message: 'too old resource version: 5 (9)' }))).to.equal(true);
    expect(
      isOutdated(errorOf({ code: 504, message: 'Timeout: Too large resource version: 9, current: 5' })),
    ).to.equal(true);
    expect(isOutdated(errorOf({ code: 503, message: 'not ready' }))).to.equal(false);
  });

  it('asks discovery again when the kind is unknown, not when an object is', () => {
    expect(
      isKindUnknown(errorOf({ code: 404, message: 'the server could not find the requested resource' })),
    ).to.equal(true);
    expect(isKindUnknown(errorFromAnswer({ httpStatus: 404, body: '404 page not found' }, ATTEMPT))).to.equal(
      true,
    );
    expect(isKindUnknown(errorOf({ code: 404, message: 'deployments.apps "istiod" not found' }))).to.equal(
      false,
    );
  });
});
