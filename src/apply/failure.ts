/** What a refused call means to a person: which object, what happened, what to do. */
import type { ClusterError, ClusterErrorKind } from '../model/cluster-error.ts';
import type { ObjectRef } from '../model/object.ts';
import { displayRef } from '../model/object.ts';

export interface Failure {
  readonly ref: ObjectRef;
  readonly message: string;
  /** Whether the same call may succeed later without anybody changing the IstioOperator. */
  readonly retryable: boolean;
  /** The operator lacks a right. */
  readonly forbidden?: true;
  /** In hardened mode: an administrator has to apply the object. */
  readonly administered?: true;
}

interface Advice {
  readonly retryable: boolean;
  readonly remedy: string;
}

const ADVICE: Readonly<Record<ClusterErrorKind, Advice>> = {
  unavailable: {
    retryable: true,
    remedy: 'It is tried again; see whether the API server is overloaded if it lasts.',
  },
  conflict: { retryable: true, remedy: 'It is tried again with the latest state.' },
  forbidden: {
    retryable: false,
    remedy: 'Grant it to the service account of the operator; deploy/ holds the roles that it needs.',
  },
  absent: {
    retryable: true,
    remedy: 'Install the CustomResourceDefinition of its kind, or make its namespace.',
  },
  invalid: { retryable: false, remedy: 'Correct the values or overlays that make this field.' },
  refused: {
    retryable: true,
    remedy: 'See whether the service behind the admission webhook runs; it is tried again.',
  },
  cancelled: { retryable: true, remedy: 'It is tried again.' },
};

/** What the kind of the error alone doesn't tell. The first text that matches decides. */
const SPECIAL_CASES: readonly (Advice & { readonly message: RegExp })[] = [
  {
    message: /status\.storedVersions/,
    retryable: false,
    remedy:
      'Objects may still be stored in a version that this release does not have: rewrite them all, then take the version out of the status of the definition.',
  },
  {
    message: /is being terminated/i,
    retryable: true,
    remedy: 'Wait until its namespace is gone; then it is made anew.',
  },
  {
    message: /exceeded quota/i,
    retryable: true,
    remedy: 'Raise the quota of the namespace, or request less.',
  },
  {
    message: /violates PodSecurity/i,
    retryable: true,
    remedy: 'Allow it by the pod-security labels of the namespace.',
  },
  {
    message: /attempting to grant RBAC permissions/i,
    retryable: false,
    remedy: 'Let the operator escalate this role by name; docs/security.md says how.',
  },
];

/** Explains why an object could not be read, applied or deleted. */
export function failureOf(error: ClusterError, ref: ObjectRef): Failure {
  const special = SPECIAL_CASES.find(({ message }) => message.test(error.message));
  const { retryable, remedy } = special ?? ADVICE[error.kind];
  const cause = error.message.replace(/\.$/, '');
  const place = displayRef(ref);
  const message = `${cause.includes(place) ? '' : `${place}: `}${cause}. ${remedy}`;
  return { ref, message, retryable, ...(error.kind === 'forbidden' ? { forbidden: true } : {}) };
}
