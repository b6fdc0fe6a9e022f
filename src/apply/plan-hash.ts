/** Names what applying a plan would do, so that a person can approve that and nothing else. */
import { createHash } from 'node:crypto';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { identityOf, refOf } from '../model/object.ts';
import type { Owner, Plan } from '../model/plan.ts';
import { objectsOf } from '../model/plan.ts';
import { appliedForm } from './applied-form.ts';
import { canonical } from './known-equal.ts';
import type { Preview, PreviewedChange } from './preview-plan.ts';

/** On an IstioOperator: the hash of the plan that may be applied. */
export const APPROVED_PLAN_ANNOTATION = 'install.istio.io/approved-plan';

/** The command by which a person approves a plan. */
export function approvalCommand({ name, namespace }: Owner, hash: string): string {
  return `kubectl annotate istiooperator ${name} -n ${namespace} --overwrite ${APPROVED_PLAN_ANNOTATION}=${hash}`;
}

/** 160 bits: long enough that nobody makes two plans of one hash, short enough for a line of a terminal. */
const HASH_LENGTH = 40;

/**
 * The hash of everything that applying would write: for each object what is done to it and the content that is sent. The
 * order of objects does not matter, nor does what stays as it is. Equal for the operator and the command line, as long
 * as both see the same cluster.
 */
export function planHash(plan: Plan, { changes, failures }: Preview): string {
  const content = contentByIdentity(plan);
  const writes = changes.filter(({ change }) => change.action !== 'unchanged').map(actionOf);
  const refused = failures.map(({ ref }): Action => ({ action: 'refused', ref }));
  return digest(
    [...writes, ...refused].map(({ action, ref }) => {
      const identity = identityOf(ref);
      return canonical([identity, action, action === 'pruned' ? null : (content.get(identity) ?? null)]);
    }),
  );
}

/**
 * The hash of the content of all objects of a plan, whatever the cluster looks like. While it stays the same, applying
 * the plan again can only repair: it is the same content.
 */
export function contentHash(plan: Plan): string {
  return digest([...contentByIdentity(plan)].map(([identity, object]) => canonical([identity, object])));
}

interface Action {
  readonly action: string;
  readonly ref: ObjectRef;
}

/** Deleting an object to make it anew is more than changing it, so who approved the one has not approved the other. */
function actionOf({ change }: PreviewedChange): Action {
  return { action: change.recreated === true ? 'recreated' : change.action, ref: change.ref };
}

function contentByIdentity(plan: Plan): ReadonlyMap<string, K8sObject> {
  return new Map(objectsOf(plan).map((object) => [identityOf(refOf(object)), appliedForm(object)]));
}

function digest(entries: readonly string[]): string {
  return createHash('sha256').update(canonical(entries.toSorted())).digest('hex').slice(0, HASH_LENGTH);
}
