/** Turns what a reconcile came to into the status that users read. Pure. */
import type { Release } from '../model/outcome.ts';
import type { Condition, ConditionType, OperatorStatus, StandingConditionType } from '../model/status.ts';
import { capped } from './messages.ts';
import { conditionOf } from './resource.ts';
import type { Claim, Phase, Verdict } from './verdict.ts';
import { verdictOf } from './verdict.ts';

/** In the order in which people should read them. */
export const CONDITION_TYPES = [
  'Ready',
  'Reconciling',
  'Stalled',
  'Valid',
  'Applied',
] as const satisfies readonly StandingConditionType[];

export interface StatusInput {
  /** The generation of the resource that the phase is about. */
  readonly generation: number;
  readonly phase: Phase;
  /** What is stored at present. */
  readonly previous: OperatorStatus | undefined;
  /** RFC 3339. */
  readonly now: string;
}

/**
 * The status for a phase. All that the phase does not speak about stays as it was; `lastTransitionTime` moves only
 * when the condition's status does, so an equal phase gives an equal status.
 */
export function statusOf(input: StatusInput): OperatorStatus {
  const { previous, generation } = input;
  const verdict = verdictOf(input.phase, { generation, previous });
  return {
    status: verdict.status,
    message: verdict.message,
    observedGeneration: generation,
    ...releaseFields(verdict, previous),
    ...images(verdict.release, previous),
    componentStatus: verdict.componentStatus ?? previous?.componentStatus ?? {},
    conditions: [
      ...CONDITION_TYPES.map((type) => condition(type, verdict.claims[type], input)),
      ...injectionConflict(verdict, input),
      ...missingDefinitions(verdict.release, input),
    ],
    inventory: verdict.inventory ?? previous?.inventory ?? [],
    ...dataPlane(verdict, previous),
    ...planFields(verdict, previous),
  };
}

/** RFC 3339 in whole seconds, as the API server prints times. */
export function rfc3339(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** Profile and revision are those being worked on; the version is the one that was fully installed last. */
function releaseFields(
  { release, installed }: Verdict,
  previous: OperatorStatus | undefined,
): Pick<OperatorStatus, 'profile' | 'revision' | 'version'> {
  if (release === undefined) return pickRelease(previous ?? {});
  const version = installed === true ? release.version : previous?.version;
  const fields = { profile: release.profile, revision: revisionName(release.revision) };
  return version === undefined ? fields : { ...fields, version };
}

/** A plan that waits, and what was approved. Who did not look at plans leaves both as they were. */
function planFields(
  verdict: Verdict,
  previous: OperatorStatus | undefined,
): Pick<OperatorStatus, 'plan' | 'approvedContent'> {
  const plan = verdict.plan === 'asBefore' ? previous?.plan : verdict.plan;
  const approvedContent = (verdict.release ?? previous)?.approvedContent;
  return {
    ...(plan === undefined ? {} : { plan }),
    ...(approvedContent === undefined ? {} : { approvedContent }),
  };
}

function pickRelease({
  profile,
  revision,
  version,
}: Partial<OperatorStatus>): Pick<OperatorStatus, 'profile' | 'revision' | 'version'> {
  return {
    ...(profile === undefined ? {} : { profile }),
    ...(revision === undefined ? {} : { revision }),
    ...(version === undefined ? {} : { version }),
  };
}

/** Those of what is being worked on, so that a registry can be filled while it is waited for. */
function images(
  release: Release | undefined,
  previous: OperatorStatus | undefined,
): Pick<OperatorStatus, 'images'> {
  const found = release?.images ?? previous?.images;
  return found === undefined ? {} : { images: found };
}

/** There only while it is true. A phase that planned nothing does not know better than what is stored. */
function missingDefinitions(release: Release | undefined, input: StatusInput): readonly Condition[] {
  const type = 'MonitoringCRDsMissing';
  if (release === undefined) {
    const stored = conditionOf(input.previous, type);
    return stored?.status !== 'True' ? [] : [{ ...stored, observedGeneration: input.generation }];
  }
  if (release.missingKinds.length === 0) return [];
  const kinds = release.missingKinds.join(', ');
  const message = `The cluster does not serve ${kinds}; they are made as soon as the Prometheus operator's definitions are there.`;
  return [condition(type, { status: 'True', reason: 'KindNotServed', message }, input)];
}

/** The default revision is spelt out, as in the label `istio.io/rev`: an empty column says nothing. */
function revisionName(revision: string): string {
  return revision === '' ? 'default' : revision;
}

function dataPlane(
  { release }: Verdict,
  previous: OperatorStatus | undefined,
): Pick<OperatorStatus, 'dataPlane'> {
  const known = release?.dataPlane ?? previous?.dataPlane ?? 'unasked';
  return known === 'unasked' ? {} : { dataPlane: known };
}

/** What a phase does not know stays as it was, about the present generation like all others. */
function injectionConflict({ release }: Verdict, input: StatusInput): readonly Condition[] {
  const { previous, generation } = input;
  if (release?.injectionFaults === undefined) {
    const before = conditionOf(previous, 'InjectionConflict');
    return before === undefined ? [] : [{ ...before, observedGeneration: generation }];
  }
  const [first] = release.injectionFaults;
  if (first === undefined) return [];
  const message = capped(release.injectionFaults.map((fault) => fault.message).join(' '));
  return [condition('InjectionConflict', { status: 'True', reason: first.reason, message }, input)];
}

function condition(type: ConditionType, claim: Claim, { previous, generation, now }: StatusInput): Condition {
  const before = conditionOf(previous, type);
  return {
    type,
    status: claim.status,
    observedGeneration: generation,
    lastTransitionTime: transitionTime(before, claim, now),
    reason: claim.reason,
    message: claim.message,
  };
}

function transitionTime(before: Condition | undefined, claim: Claim, now: string): string {
  if (before === undefined) return now;
  // Another replica's clock may be ahead of ours; time must not seem to go back.
  return before.status === claim.status || now < before.lastTransitionTime ? before.lastTransitionTime : now;
}
