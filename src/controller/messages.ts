/** The sentences of status and events. Each names the object or the path, and what to do where a human can help. */
import { administratorCommand } from '../apply/administered.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { printDiagnostic } from '../model/diagnostic.ts';
import type { ObjectRef } from '../model/object.ts';
import { displayRef } from '../model/object.ts';
import type { Contested, Release, Usage } from '../model/outcome.ts';
import type { ComponentName, Owner } from '../model/plan.ts';
import type { ApplyReport, Change, ComponentResult, Dispute, NotReady } from '../model/report.ts';
import type { PendingPlan, PodCount } from '../model/status.ts';

/** The API server takes 32768 characters in a condition; nobody reads that many. */
const LONGEST_MESSAGE = 1024;
const MOST_DIAGNOSTICS = 20;
const MOST_PLACES = 5;

/** Cuts a text that others may have made as long as they liked. */
export function capped(text: string, longest = LONGEST_MESSAGE): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}

/** `3 components`, `1 component`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function describeRelease(release: Release): string {
  const revision = release.revision === '' ? '' : `, revision ${release.revision}`;
  return `Istio ${release.version} (profile ${release.profile}${revision})`;
}

export function describeNotReady(waiting: NotReady): string {
  return `${displayRef(waiting.ref)}: ${waiting.reason}`;
}

/** `Revision canary is used by 3 pods: 2 in shop, 1 in web`, or why that is not known. */
export function usageText(usage: Usage): string {
  const subject = `Revision ${usage.revision}`;
  if (usage.kind === 'unknown') return `${subject} may be in use: ${usage.cause}`;
  const { count, tags } = usage;
  const pods = count.pods === 0 ? [] : [`${counted(count.pods, 'pod')}: ${placesText(count)}`];
  const tagged = tags.map((tag) => `the revision tag "${tag}"`);
  return `${subject} is used by ${[...tagged, ...pods].join(' and ')}`;
}

function placesText({ namespaces, moreNamespaces = 0 }: PodCount): string {
  const shown = namespaces.slice(0, MOST_PLACES).map(({ name, pods }) => `${pods} in ${name}`);
  const others = namespaces.length - shown.length + moreNamespaces;
  return [...shown, ...(others === 0 ? [] : [`and in ${counted(others, 'more namespace')}`])].join(', ');
}

/** The first of several, and how many more there are: one sentence has room for one. */
export function firstOf(texts: readonly string[]): string {
  const [first = '', ...others] = texts;
  return others.length === 0 ? first : `${first} (and ${others.length} more)`;
}

/** The command that shows what is the matter with an object. */
export function describeCommand(ref: ObjectRef): string {
  const namespace = ref.namespace === undefined ? '' : ` -n ${ref.namespace}`;
  return `kubectl describe ${ref.kind.toLowerCase()} ${ref.name}${namespace}`;
}

export function resultsOf<Kind extends ComponentResult['kind']>(
  report: ApplyReport,
  kind: Kind,
): readonly (readonly [ComponentName, Extract<ComponentResult, { kind: Kind }>])[] {
  return [...report.components].filter(
    (entry): entry is [ComponentName, Extract<ComponentResult, { kind: Kind }>] => entry[1].kind === kind,
  );
}

/** All that is waited for, first what is refused: only of that somebody has to know at once. */
export function waitingFor(report: ApplyReport): readonly (readonly [ComponentName, NotReady])[] {
  const all = resultsOf(report, 'notReady').flatMap(([component, result]) =>
    result.waitingFor.map((waiting) => [component, waiting] as const),
  );
  const isRefused = ([, { refused }]: (typeof all)[number]): boolean => refused === true;
  return [...all.filter(isRefused), ...all.filter((entry) => !isRefused(entry))];
}

/** `Pilot: Deployment istio-system/istiod: 0 of 1 pods are available`, for all that is waited for. */
export function waitingTexts(report: ApplyReport): readonly string[] {
  return waitingFor(report).map(([component, waiting]) => `${component}: ${describeNotReady(waiting)}`);
}

export function failureTexts(report: ApplyReport): readonly string[] {
  return resultsOf(report, 'failed').map(([component, result]) => `${component}: ${result.message}`);
}

/** What the administrator of a hardened operator has to do. */
export function administratorRemedy(owner: Owner): string {
  return `an administrator has to apply it with: ${administratorCommand(owner)}`;
}

export function pruneFailureTexts(report: ApplyReport): readonly string[] {
  return report.pruneFailures.map((failure) => `${displayRef(failure.ref)}: ${failure.message}`);
}

/** `2 objects to create, 1 to change, 0 to delete, 40 unchanged`, and what would be refused if anything would. */
export function planText(plan: PendingPlan): string {
  const refused = plan.refused === 0 ? '' : `, ${plan.refused} that the API server would not accept`;
  return `${counted(plan.create, 'object')} to create, ${plan.configure} to change, ${plan.prune} to delete, ${plan.unchanged} unchanged${refused}`;
}

export function contestedText(contested: readonly Contested[]): string {
  return firstOf(contested.map(({ ref, holder }) => `${displayRef(ref)} belongs to IstioOperator ${holder}`));
}

/** `Service istio-system/istiod: spec.type is changed again and again by keda`, of the first, and how many more. */
export function disputesText(disputes: readonly Dispute[]): string {
  return firstOf(disputes.map(disputeText));
}

export function disputeText({ ref, field, managers }: Dispute): string {
  const place = displayRef(ref);
  const actors = managers.length === 0 ? 'others' : managers.join(', ');
  return field === undefined
    ? `${place} is deleted again and again by ${actors}`
    : `${place}: ${field} is changed again and again by ${actors}`;
}

/** What becomes of objects that carry the labels of a resource that lets go, and that are in no record of ours. */
export function unrecordedText({ owner, refs }: { owner: Owner; refs: readonly ObjectRef[] }): string {
  const { name, namespace } = owner;
  const kinds = [...new Set(refs.map(({ kind }) => kind.toLowerCase()))].toSorted().join(',');
  const labels = 'install.operator.istio.io/owning-resource';
  const selector = `${labels}=${name},${labels}-namespace=${namespace}`;
  const count = `${counted(refs.length, 'object')} with its labels ${refs.length === 1 ? 'stays' : 'stay'}`;
  return `${count}, such as ${displayRef(firstRef(refs))}: another operator installed them, and this one never took them over. To keep them, make the resource again, of a release that this operator installs. To remove them: kubectl delete ${kinds} -A -l ${selector}`;
}

/** The one that tells most: what runs. */
function firstRef(refs: readonly ObjectRef[]): ObjectRef {
  const [first] = refs;
  const found = refs.find(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet') ?? first;
  if (found === undefined) throw new Error('there is nothing to tell of');
  return found;
}

/** A line for each diagnostic, errors first. */
export function diagnosticTexts(diagnostics: readonly Diagnostic[]): readonly string[] {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
  const warnings = diagnostics.filter((diagnostic) => diagnostic.severity !== 'error');
  return [...errors, ...warnings].slice(0, MOST_DIAGNOSTICS).map(printDiagnostic);
}

/** `created Deployment istio-system/istiod`, `configured Service …: spec.ports (changed by kubectl-edit)`. */
export function describeChange(change: Change): string {
  const fields = change.fields.length === 0 ? '' : `: ${firstFew(change.fields)}`;
  const managers = changersOf(change);
  const changers = managers.length === 0 ? '' : ` (changed by ${managers.join(', ')})`;
  const verb = change.recreated === true ? 'created anew' : change.action;
  return `${verb} ${displayRef(change.ref)}${fields}${changers}`;
}

/** Whoever takes a field away, or puts a list into another order, leaves no name. */
function changersOf({ action, changedBy, drifted, suspect }: Change): readonly string[] {
  const isNameless = action === 'configured' && drifted === true && changedBy.length === 0;
  if (!isNameless) return changedBy;
  return ['somebody', ...(suspect === undefined ? [] : [`perhaps ${suspect}`])];
}

function firstFew(texts: readonly string[]): string {
  const shown = texts.slice(0, 3).join(', ');
  return texts.length <= 3 ? shown : `${shown} and ${texts.length - 3} more`;
}

/** `5m0s`, as Go prints durations, since users set them that way. */
export function describeDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
