/** Turns what the API server answered, or that it did not answer, into a ClusterError. */
import type { ClusterErrorKind } from '../model/cluster-error.ts';
import { ClusterError } from '../model/cluster-error.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { at, isJsonObject, listAt, numberAt, stringAt } from '../model/json.ts';
import type { ObjectRef } from '../model/object.ts';
import { scrub, scrubInvalid } from './scrub.ts';

/** What was attempted; goes into every error. */
export interface Attempt {
  readonly verb: string;
  readonly ref?: ObjectRef;
}

export interface FailedAnswer {
  readonly httpStatus: number;
  readonly body: string;
  /** The Retry-After header. */
  readonly retryAfter?: string;
}

/** A metav1.Status, as far as it matters here. */
interface Refusal {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly causes: readonly JsonValue[];
}

interface KindRule {
  readonly kind: ClusterErrorKind;
  readonly when: (refusal: Refusal) => boolean;
}

const saidBy = (pattern: RegExp) => (refusal: Refusal) => pattern.test(refusal.message);
const withCode =
  (...codes: readonly number[]) =>
  (refusal: Refusal) =>
    codes.includes(refusal.code);
const withCause = (reason: string) => (refusal: Refusal) => hasCause(refusal, reason);

/**
 * The first rule that matches decides. The texts come before the codes, because the server gives codes that mislead:
 * an object with a field of a wrong type is answered with 500 by server-side apply (kubernetes/kubernetes, measured on
 * 1.34), a webhook may refuse with any code, and 403 is also what quotas and ending namespaces give.
 */
const KIND_RULES: readonly KindRule[] = [
  { kind: 'refused', when: saidBy(/^admission webhook ".*" (denied the request|attempted to modify)/) },
  { kind: 'refused', when: saidBy(/failed calling webhook|failed to call webhook/) },
  { kind: 'refused', when: saidBy(/ValidatingAdmissionPolicy '.*' with binding '.*' denied request/) },
  { kind: 'refused', when: saidBy(/exceeded quota|violates PodSecurity|is being terminated/) },
  { kind: 'refused', when: withCause('NamespaceTerminating') },
  {
    kind: 'invalid',
    when: saidBy(
      /^failed to (create typed|convert|update managed)|unable to convert|etcdserver: request is too large/,
    ),
  },
  { kind: 'invalid', when: saidBy(/error decoding from json|cannot unmarshal|strict decoding error/) },
  { kind: 'forbidden', when: withCode(401, 403) },
  { kind: 'absent', when: withCode(404) },
  // 410: a page or a watch is too old; the same call will never succeed, reading anew will.
  { kind: 'conflict', when: withCode(409, 410) },
  {
    kind: 'unavailable',
    when: (refusal) => refusal.code === 408 || refusal.code === 429 || refusal.code >= 500,
  },
  { kind: 'invalid', when: () => true },
];

/** The error for an answer that is not a success. The text is scrubbed; bodies of proxies are not quoted. */
export function errorFromAnswer(answer: FailedAnswer, attempt: Attempt): ClusterError {
  return errorFromStatus(parsedStatus(answer.body), attempt, answer);
}

/** The error for a metav1.Status, also for one that arrives inside a watch. */
export function errorFromStatus(
  status: JsonObject,
  attempt: Attempt,
  answer?: Pick<FailedAnswer, 'httpStatus' | 'retryAfter'>,
): ClusterError {
  const code = answer?.httpStatus ?? numberAt(status, 'code') ?? 500;
  const reason = stringAt(status, 'reason') ?? '';
  const message = stringAt(status, 'message') ?? '';
  const refusal = { code, reason, message, causes: listAt(status, 'details', 'causes') };
  const kind = KIND_RULES.find((rule) => rule.when(refusal))?.kind ?? 'invalid';
  const retryAfterMs = retryAfterOf(status, answer?.retryAfter);
  return new ClusterError(describe(refusal, kind, attempt), {
    ...attempt,
    kind,
    httpStatus: code,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Tells that the server cannot go on from a resourceVersion that we named: it is too old, or from before a restore. */
export function isOutdated(error: ClusterError): boolean {
  return error.httpStatus === 410 || /too large resource version/i.test(error.message);
}

/** Tells that a 404 is about the kind, not about the object: discovery is out of date. */
export function isKindUnknown(error: ClusterError): boolean {
  return error.kind === 'absent' && !error.message.includes('"');
}

function describe(refusal: Refusal, kind: ClusterErrorKind, attempt: Attempt): string {
  const text = refusal.message === '' ? refusal.reason : refusal.message;
  if (text === '') return `the API server answered with HTTP status ${refusal.code}`;
  if (kind !== 'invalid') return scrub(text);
  return scrubInvalid(text, [attempt.ref?.name ?? '', attempt.ref?.namespace ?? '']);
}

function hasCause(refusal: Refusal, reason: string): boolean {
  return refusal.causes.some((cause) => at(cause, 'reason') === reason);
}

/** An empty Status when the body is none: load balancers and proxies answer in HTML or plain text. */
function parsedStatus(body: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(body);
    return isJsonObject(parsed) && parsed['kind'] === 'Status' ? parsed : {};
  } catch {
    return {};
  }
}

function retryAfterOf(status: JsonObject, header: string | undefined): number | undefined {
  // The other form of the header, a date, is used by no API server.
  const seconds = /^\d{1,6}$/.test(header ?? '')
    ? Number(header)
    : numberAt(status, 'details', 'retryAfterSeconds');
  return seconds === undefined ? undefined : seconds * 1000;
}

/** Plain words for the faults of connections that people meet. */
const CONNECTION_FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
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
};

/** The error for a call that ended without a complete answer; what the server did with it is unknown. */
export function errorFromConnection(cause: unknown, server: string, attempt: Attempt): ClusterError {
  const code = codeOf(cause);
  const fault = CONNECTION_FAULTS[code] ?? `the connection failed (${code})`;
  return new ClusterError(`no answer from the API server ${server}: ${fault}`, {
    ...attempt,
    kind: 'unavailable',
    cause,
  });
}

export function timeoutError(timeoutMs: number, attempt: Attempt): ClusterError {
  const message = `no answer from the API server within ${Math.ceil(timeoutMs / 1000)} s`;
  return new ClusterError(message, { ...attempt, kind: 'unavailable' });
}

export function cancelledError(attempt: Attempt, message = 'the call was cancelled'): ClusterError {
  return new ClusterError(message, { ...attempt, kind: 'cancelled' });
}

/** The code of an error or of one that caused it; undici and Node both nest them. */
function codeOf(error: unknown): string {
  let current: unknown = error;
  for (let depth = 0; depth < 4 && current instanceof Error; depth += 1) {
    if ('code' in current && typeof current.code === 'string') return current.code;
    current = current instanceof AggregateError ? current.errors[0] : current.cause;
  }
  return error instanceof Error ? error.name : 'unknown';
}
