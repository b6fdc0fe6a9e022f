/** Why a call to the API server failed, sorted by what to do about it. */
import type { ObjectRef } from './object.ts';

/**
 * - `unavailable`: no answer, 408, 429 or 5xx: the same call may succeed later.
 * - `conflict`: 409: the object changed, or another manager owns a field; read again.
 * - `forbidden`: 401 or 403: our rights are not enough.
 * - `absent`: 404, also for a kind that the server does not serve.
 * - `invalid`: 400 or 422: the object is not acceptable as it is; repeating is of no use.
 * - `refused`: an admission webhook or policy said no, or could not be asked.
 * - `cancelled`: the caller's signal ended the call.
 */
export type ClusterErrorKind =
  'unavailable' | 'conflict' | 'forbidden' | 'absent' | 'invalid' | 'refused' | 'cancelled';

export interface ClusterErrorDetails {
  readonly kind: ClusterErrorKind;
  /** What was attempted, such as `apply` or `list`. */
  readonly verb: string;
  readonly ref?: ObjectRef;
  /** HTTP status, when there was an answer. */
  readonly httpStatus?: number;
  /** What the server asked us to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** Thrown by every adapter of the cluster. The message is scrubbed: it never holds values of the object. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';
  readonly kind: ClusterErrorKind;
  readonly verb: string;
  readonly ref: ObjectRef | undefined;
  readonly httpStatus: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, details: ClusterErrorDetails) {
    super(message, { cause: details.cause });
    this.kind = details.kind;
    this.verb = details.verb;
    this.ref = details.ref;
    this.httpStatus = details.httpStatus;
    this.retryAfterMs = details.retryAfterMs;
  }
}

export function isClusterError(error: unknown, kind?: ClusterErrorKind): error is ClusterError {
  return error instanceof ClusterError && (kind === undefined || error.kind === kind);
}
