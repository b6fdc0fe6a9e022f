import { expect } from 'chai';
import type { ClusterErrorKind } from '../model/cluster-error.ts';
import type { JsonObject } from '../model/json.ts';
import {
  cancelledError,
  errorFromAnswer,
  errorFromConnection,
  errorFromStatus,
  isKindUnknown,
  isOutdated,
  timeoutError,
} from './api-error.ts';
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
    message: `istiooperators "x" is forbidden: ValidatingAdmissionPolicy 'policy' with binding 'binding' denied request: no`,
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
  // One sign at a time, with a code that says something else.
  { code: 500, message: 'admission webhook "a.example.com" attempted to modify the object', kind: 'refused' },
  { code: 500, message: 'failed to call webhook: timeout', kind: 'refused' },
  { code: 500, message: 'exceeded quota: small', kind: 'refused' },
  { code: 500, message: 'namespace n is being terminated', kind: 'refused' },
  {
    code: 403,
    message: 'no new content',
    details: { causes: [{ reason: 'Other' }, { reason: 'NamespaceTerminating' }] },
    kind: 'refused',
  },
  { code: 403, message: 'no new content', details: { causes: [{ reason: 'Other' }] }, kind: 'forbidden' },
  { code: 500, message: 'failed to update managed fields: x', kind: 'invalid' },
  { code: 500, message: 'unable to convert unstructured object to apps/v1', kind: 'invalid' },
  { code: 500, message: 'error decoding from json: illegal base64 data', kind: 'invalid' },
  { code: 500, message: 'json: cannot unmarshal string into Go struct field', kind: 'invalid' },
  { code: 500, message: 'the cache failed to convert: try later', kind: 'unavailable' },
  {
    code: 409,
    message: 'configmaps "admission webhook "x" denied the request" already exists',
    kind: 'conflict',
  },
  { code: 499, message: 'no answer of an API server', kind: 'invalid' },
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

  for (const retryAfter of ['Wed, 21 Oct 2026 07:28:00 GMT', '1234567', '7s', 's7', '']) {
    it(`does not wait for as long as "${retryAfter}" says, which no API server does`, () => {
      const body = JSON.stringify(statusObject(429, 'TooManyRequests', 'later'));

      const error = errorFromAnswer({ httpStatus: 429, body, retryAfter }, ATTEMPT);

      expect(error.retryAfterMs).to.equal(undefined);
    });
  }

  it('waits for up to a million seconds when told to', () => {
    const error = errorFromAnswer({ httpStatus: 429, body: '', retryAfter: '999999' }, ATTEMPT);

    expect(error.retryAfterMs).to.equal(999_999_000);
  });

  it('says the reason when there is no message', () => {
    const error = errorOf({ code: 429, reason: 'TooManyRequests', message: '' });

    expect(error.message).to.equal('TooManyRequests');
  });

  for (const body of ['{"kind": "Secret", "message": "hunter2"}', '["hunter2"]', 'null', '"hunter2"']) {
    it(`does not quote what is no Status: ${body}`, () => {
      const error = errorFromAnswer({ httpStatus: 503, body }, ATTEMPT);

      expect(error.message).to.equal('the API server answered with HTTP status 503');
    });
  }

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

describe('the text of an error', () => {
  it('keeps the names of object and namespace where values are dropped', () => {
    const message = 'Deployment "istiod" in "istio-system" is invalid: spec.x: Invalid value: "A": not "A"';

    expect(errorOf({ code: 422, message }).message).to.equal(
      'Deployment "istiod" in "istio-system" is invalid: spec.x: Invalid value: not "…"',
    );
  });

  it('keeps every name where the server quotes no values', () => {
    const message = 'deployments.apps "another" not found';

    expect(errorOf({ code: 404, message }).message).to.equal(message);
  });
});

describe('errorFromStatus', () => {
  it('goes by the code inside a watch, and takes one without for a fault of the server', () => {
    const errors = [{ code: 410, message: 'too old' }, { message: 'broken' }, {}].map((status) =>
      errorFromStatus(status, ATTEMPT),
    );

    expect(errors.map(({ kind, httpStatus, message }) => [kind, httpStatus, message])).to.deep.equal([
      ['conflict', 410, 'too old'],
      ['unavailable', 500, 'broken'],
      ['unavailable', 500, 'the API server answered with HTTP status 500'],
    ]);
  });

  it('keeps the name of no object when there is none', () => {
    const message = 'x is invalid: Invalid value: "CANARY": not "CANARY"';

    const error = errorFromStatus({ code: 422, message }, { verb: 'list' });

    expect(error.message).to.equal('x is invalid: Invalid value: not "…"');
  });
});

describe('a call that ended without an answer', () => {
  it('tells how long was waited, in full seconds', () => {
    const { kind, message, verb, ref } = timeoutError(2_100, ATTEMPT);

    expect({ kind, message, verb, ref }).to.deep.equal({
      kind: 'unavailable',
      message: 'no answer from the API server within 3 s',
      verb: 'apply',
      ref: REF,
    });
  });

  it('tells that it was cancelled, and why if that is known', () => {
    const errors = [cancelledError(ATTEMPT), cancelledError(ATTEMPT, 'no lease')];

    expect(errors.map(({ kind, message, ref }) => [kind, message, ref])).to.deep.equal([
      ['cancelled', 'the call was cancelled', REF],
      ['cancelled', 'no lease', REF],
    ]);
  });
});

describe('errorFromConnection', () => {
  const FAULTS: Readonly<Record<string, string>> = {
    ECONNRESET: 'the connection was cut',
    EPIPE: 'the connection was cut',
    UND_ERR_SOCKET: 'the connection was cut',
    UND_ERR_ABORTED: 'the connection was cut',
    ENOTFOUND: 'its host name is not known',
    EAI_AGAIN: 'its host name could not be looked up',
    EHOSTUNREACH: 'its host cannot be reached',
    ENETUNREACH: 'its network cannot be reached',
    ETIMEDOUT: 'the connection timed out',
    UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
    UND_ERR_HEADERS_TIMEOUT: 'it did not answer in time',
    UND_ERR_BODY_TIMEOUT: 'it stopped in the middle of the answer',
    CERT_HAS_EXPIRED: 'its certificate has expired',
    DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not signed by the configured authority',
    SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not signed by the configured authority',
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not signed by the configured authority',
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is not signed by the configured authority',
    ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
    E_NEW: 'the connection failed (E_NEW)',
  };
  for (const [code, fault] of Object.entries(FAULTS)) {
    it(`says of ${code}: ${fault}`, () => {
      const error = errorFromConnection(Object.assign(new Error('x'), { code }), 'host:1', ATTEMPT);

      expect(error.message).to.equal(`no answer from the API server host:1: ${fault}`);
    });
  }

  it('looks for the code of a fault in four errors, one the cause of the other', () => {
    const fault = Object.assign(new Error('innermost'), { code: 'EPIPE' });
    const within = (levels: number): Error =>
      levels === 0
        ? fault
        : Object.assign(new TypeError('outer', { cause: within(levels - 1) }), { code: 7 });

    const messages = [3, 4].map((levels) => errorFromConnection(within(levels), 'h', ATTEMPT).message);

    expect(messages).to.deep.equal([
      'no answer from the API server h: the connection was cut',
      'no answer from the API server h: the connection failed (TypeError)',
    ]);
  });

  it('keeps what was thrown as the cause, also when it is no error', () => {
    const error = errorFromConnection('odd', 'h', ATTEMPT);

    expect([error.message, error.cause]).to.deep.equal([
      'no answer from the API server h: the connection failed (unknown)',
      'odd',
    ]);
  });

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
    expect(isKindUnknown(errorOf({ code: 503, message: 'not ready' }))).to.equal(false);
  });
});
