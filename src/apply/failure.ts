/** What a refused call means to a person: which object, what happened, what to do. */
import type { ClusterError, ClusterErrorKind } from '../model/cluster-error.ts';
import type { ObjectRef } from '../model/object.ts';
import { displayRef } from '../model/object.ts';
import type { FailureCause } from '../model/report.ts';

export interface Failure {
  readonly ref: ObjectRef;
  readonly message: string;
  /** Whether the same call may succeed later without anybody changing the IstioOperator. */
  readonly retryable: boolean;
  readonly cause: FailureCause;
  /** The operator lacks a right. */
  readonly forbidden?: true;
  /** In hardened mode: an administrator has to apply the object. */
  readonly administered?: true;
}

interface Advice {
  readonly retryable: boolean;
  readonly cause: FailureCause;
  readonly remedy: string;
}

const ADVICE: Readonly<Record<ClusterErrorKind, Advice>> = {
  unavailable: {
    cause: 'server',
    retryable: true,
    remedy: 'It is tried again; see whether the API server is overloaded if it lasts.',
  },
  conflict: { cause: 'object', retryable: true, remedy: 'It is tried again with the latest state.' },
  forbidden: {
    cause: 'rights',
    retryable: false,
    remedy: 'Grant it to the service account of the operator; deploy/ holds the roles that it needs.',
  },
  absent: {
    cause: 'object',
    retryable: true,
    remedy: 'Install the CustomResourceDefinition of its kind, or make its namespace.',
  },
  invalid: {
    cause: 'object',
    retryable: false,
    remedy: 'Correct the values or overlays that make this field.',
  },
  refused: {
    cause: 'admission',
    retryable: true,
    remedy: 'Satisfy what refuses it, or make an exception there; it is tried again.',
  },
  cancelled: { cause: 'object', retryable: true, remedy: 'It is tried again.' },
};

/** What the kind of the error alone doesn't tell. The first text that matches decides. */
const SPECIAL_CASES: readonly (Advice & { readonly message: RegExp })[] = [
  {
    message: /status\.storedVersions/,
    cause: 'object',
    retryable: false,
    remedy:
      'Objects may still be stored in a version that this release does not have: rewrite them all, then take the version out of the status of the definition.',
  },
  {
    message: /is being terminated/i,
    cause: 'object',
    retryable: true,
    remedy: 'Wait until its namespace is gone; then it is made anew.',
  },
  {
    message: /failed calling webhook|failed to call webhook/i,
    cause: 'webhook',
    retryable: true,
    remedy: 'See whether the service behind the admission webhook runs; it is tried again.',
  },
  {
    message: /exceeded quota/i,
    cause: 'quota',
    retryable: true,
    remedy: 'Raise the quota of the namespace, or request less.',
  },
  {
    message: /violates PodSecurity/i,
    cause: 'admission',
    retryable: true,
    remedy: 'Allow it by the pod-security labels of the namespace.',
  },
  {
    message: /attempting to grant RBAC permissions/i,
    cause: 'rights',
    retryable: false,
    remedy: 'Let the operator escalate this role by name; docs/security.md says how.',
  },
];

/** Explains why an object could not be read, applied or deleted. */
export function failureOf(error: ClusterError, ref: ObjectRef): Failure {
  const special = SPECIAL_CASES.find(({ message }) => message.test(error.message));
  const { retryable, cause, remedy } = special ?? ADVICE[error.kind];
  const text = error.message.replace(/\.$/, '');
  const place = displayRef(ref);
  const message = `${text.includes(place) ? '' : `${place}: `}${text}. ${remedy}`;
  return { ref, message, retryable, cause, ...(error.kind === 'forbidden' ? { forbidden: true } : {}) };
}
