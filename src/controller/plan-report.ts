/**
 * The report of a plan that is not applied: a ConfigMap `istio-operator-plan-NAME` beside the resource, with every
 * difference. It belongs to the resource and goes with it, or as soon as there is no such plan any more.
 */
import type { Preview, PreviewedChange } from '../apply/preview-plan.ts';
import { patchFromLive } from '../core/object-patch.ts';
import { isClusterError } from '../model/cluster-error.ts';
import { at, jsonEqual } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { displayRef, namespaceOf, refOf, uidOf } from '../model/object.ts';
import type { PendingPlan } from '../model/status.ts';
import { describeChange, planText } from './messages.ts';
import { ISTIO_OPERATOR, storedStatus } from './resource.ts';
import type { ReconcileDeps, Visit } from './visit.ts';

/** In characters; a ConfigMap holds 1 MiB, and a character takes up to three bytes. */
const LONGEST_REPORT = 256 * 1024;

/** Kinds whose content is not shown, and why. */
const NOT_SHOWN: Readonly<Record<string, string>> = {
  CustomResourceDefinition: 'the definition of the release',
  Secret: 'its values are secret',
};

export interface ReportedPlan {
  readonly counts: PendingPlan;
  readonly preview: Preview;
}

/**
 * Writes the report unless it is there as it should be. Where that is not allowed, the plan is told without it: the
 * answer then has the reason. Throws ClusterError for what a retry may cure.
 */
export async function storeReport(
  { cluster, clock }: Pick<ReconcileDeps, 'cluster' | 'clock'>,
  { resource, signal }: Pick<Visit, 'resource' | 'signal'>,
  reported: ReportedPlan,
): Promise<Pick<PendingPlan, 'configMap' | 'problem'>> {
  const diff = await reportText(reported.preview, async () => clock.sleep(0, signal));
  const wanted = configMapFor(resource, reported.counts, diff);
  try {
    const live = await cluster.get(refOf(wanted), { signal });
    if (live === undefined || !isAsWanted(live, wanted)) await cluster.apply(wanted, { signal, force: true });
    return { configMap: wanted.metadata.name };
  } catch (error) {
    if (!isClusterError(error) || !LASTING.has(error.kind)) throw error;
    return { problem: error.message };
  }
}

/** What no retry cures. */
const LASTING: ReadonlySet<string> = new Set(['forbidden', 'refused', 'invalid']);

/** Deletes the report that the status speaks of. Throws ClusterError. */
export async function withdrawReport(
  { cluster }: Pick<ReconcileDeps, 'cluster'>,
  { resource, signal }: Pick<Visit, 'resource' | 'signal'>,
): Promise<void> {
  if (storedStatus(resource)?.plan?.configMap === undefined) return;
  await cluster.delete(reportRef(resource), { signal });
}

/** Names of resources have at most 63 characters, by the definition's own rule, so this is a name as well. */
function reportRef(resource: K8sObject): ObjectRef & { readonly namespace: string } {
  const name = `istio-operator-plan-${resource.metadata.name}`;
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace: namespaceOf(resource) ?? '', name };
}

function configMapFor(resource: K8sObject, counts: PendingPlan, diff: string): K8sObject {
  const { apiVersion, kind, namespace, name } = reportRef(resource);
  const owner = { ...ISTIO_OPERATOR, name: resource.metadata.name, uid: uidOf(resource) ?? '' };
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, ownerReferences: [owner] },
    data: { hash: counts.hash, summary: planText(counts), 'plan.diff': diff },
  };
}

function isAsWanted(live: K8sObject, wanted: K8sObject): boolean {
  return [['data'], ['metadata', 'ownerReferences']].every((path) =>
    jsonEqual(at(live, ...path), at(wanted, ...path)),
  );
}

/** All that would change, object by object, as far as there is room. `pause` is awaited between two objects. */
async function reportText({ changes, failures }: Preview, pause: () => Promise<void>): Promise<string> {
  const parts = failures.map(
    ({ ref, message }) => `# ${displayRef(ref)} would not be accepted: ${oneLine(message)}\n`,
  );
  const actual = changes.filter(({ change }) => change.action !== 'unchanged');
  let length = parts.join('').length;
  for (const [index, previewed] of actual.entries()) {
    const part = partOf(previewed);
    length += part.length;
    if (length > LONGEST_REPORT) {
      parts.push(
        `# ${actual.length - index} more objects are left out: a ConfigMap has no room for them. See "istio-operator diff".\n`,
      );
      break;
    }
    parts.push(part);
    await pause();
  }
  return parts.join('');
}

function partOf({ change, live, after }: PreviewedChange): string {
  const reason = NOT_SHOWN[change.ref.kind];
  const name = displayRef(change.ref);
  if (reason !== undefined) return `# ${describeChange(change)} (not shown: ${reason})\n`;
  return patchFromLive({ name, live, after });
}

function oneLine(text: string): string {
  return text.replaceAll('\n', ' ');
}
