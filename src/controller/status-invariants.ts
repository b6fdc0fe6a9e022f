/**
 * What holds for every status that we write, whatever happened. Tests run these on each status that they see, also on
 * those read from a real API server. The numbers are permanent.
 */
import type { Condition, ConditionType, OperatorStatus } from '../model/status.ts';
import { conditionOf } from './resource.ts';
import { CONDITION_TYPES } from './status.ts';

interface StatusView {
  readonly status: OperatorStatus;
  /** Of the resource, at the time at which the status was read. */
  readonly generation: number;
}

interface Invariant {
  readonly code: string;
  readonly rule: string;
  holds(view: StatusView): boolean;
}

function is(status: OperatorStatus, type: ConditionType, value: Condition['status']): boolean {
  return conditionOf(status, type)?.status === value;
}

/** What this operator cannot plan is as good as it was when it was looked at last. */
function isLeftAlone(status: OperatorStatus): boolean {
  return conditionOf(status, 'Ready')?.reason === 'UnsupportedRelease';
}

function implies(premise: boolean, conclusion: boolean): boolean {
  return !premise || conclusion;
}

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;
const CAMEL_CASE = /^[A-Z][A-Za-z]+$/;

const INVARIANTS: readonly Invariant[] = [
  {
    code: 'S001',
    rule: 'each standing condition type is there, and none twice',
    holds: ({ status }) =>
      new Set(status.conditions.map(({ type }) => type)).size === status.conditions.length &&
      CONDITION_TYPES.every((type) => conditionOf(status, type) !== undefined),
  },
  {
    code: 'S002',
    rule: 'Ready=True excludes Reconciling=True and Stalled=True',
    holds: ({ status }) =>
      implies(
        is(status, 'Ready', 'True'),
        is(status, 'Reconciling', 'False') && is(status, 'Stalled', 'False'),
      ),
  },
  {
    code: 'S003',
    rule: 'no generation is observed that does not exist yet, and all conditions are about the same one',
    holds: ({ status, generation }) =>
      status.observedGeneration <= generation &&
      status.conditions.every((condition) => condition.observedGeneration === status.observedGeneration),
  },
  {
    code: 'S004',
    rule: 'HEALTHY if and only if Ready=True',
    holds: ({ status }) => (status.status === 'HEALTHY') === is(status, 'Ready', 'True'),
  },
  {
    code: 'S005',
    rule: 'every condition has a reason in CamelCase, a message and a time',
    holds: ({ status }) =>
      status.conditions.every(
        ({ reason, message, lastTransitionTime }) =>
          CAMEL_CASE.test(reason) && message !== '' && RFC3339.test(lastTransitionTime),
      ),
  },
  {
    code: 'S006',
    rule: 'Stalled=True means ERROR or ACTION_REQUIRED and excludes Reconciling=True',
    holds: ({ status }) =>
      implies(
        is(status, 'Stalled', 'True'),
        ['ERROR', 'ACTION_REQUIRED'].includes(status.status) && is(status, 'Reconciling', 'False'),
      ),
  },
  {
    code: 'S007',
    rule: 'the message is never empty and equals that of Ready',
    holds: ({ status }) => status.message !== '' && status.message === conditionOf(status, 'Ready')?.message,
  },
  {
    code: 'S008',
    rule: 'RECONCILING implies Reconciling=True, and Ready=False leaves somebody to act: us or a human',
    holds: ({ status }) =>
      implies(status.status === 'RECONCILING', is(status, 'Reconciling', 'True')) &&
      implies(
        is(status, 'Ready', 'False'),
        is(status, 'Reconciling', 'True') || is(status, 'Stalled', 'True'),
      ),
  },
  {
    code: 'S009',
    rule: 'a component has an error if and only if it is in ERROR',
    holds: ({ status }) =>
      Object.values(status.componentStatus).every(
        (component) =>
          (component.status === 'ERROR') === (component.error !== undefined && component.error !== ''),
      ),
  },
  {
    code: 'S010',
    rule: 'HEALTHY implies that every component is HEALTHY in the version of the status, unless it is left alone',
    holds: ({ status }) =>
      implies(
        status.status === 'HEALTHY' && !isLeftAlone(status),
        status.version !== undefined &&
          Object.values(status.componentStatus).every(
            (component) => component.status === 'HEALTHY' && component.version === status.version,
          ),
      ),
  },
  {
    code: 'S011',
    rule: 'Applied=True implies Valid=True, and Ready=True implies Applied=True unless it is left alone',
    holds: ({ status }) =>
      implies(is(status, 'Applied', 'True'), is(status, 'Valid', 'True')) &&
      implies(is(status, 'Ready', 'True') && !isLeftAlone(status), is(status, 'Applied', 'True')),
  },
  {
    code: 'S012',
    rule: 'Valid=False implies Stalled=True',
    holds: ({ status }) => implies(is(status, 'Valid', 'False'), is(status, 'Stalled', 'True')),
  },
  {
    code: 'S013',
    rule: 'NONE if and only if Ready=Unknown',
    holds: ({ status }) => (status.status === 'NONE') === is(status, 'Ready', 'Unknown'),
  },
  {
    code: 'S014',
    rule: 'an object is in the inventory at most once',
    holds: ({ status }) => {
      const names = status.inventory.map(({ apiVersion, kind, namespace, name }) =>
        [apiVersion, kind, namespace ?? '', name].join('|'),
      );
      return new Set(names).size === names.length;
    },
  },
  {
    code: 'S015',
    rule: 'MonitoringCRDsMissing is True or not there',
    holds: ({ status }) =>
      implies(
        conditionOf(status, 'MonitoringCRDsMissing') !== undefined,
        is(status, 'MonitoringCRDsMissing', 'True'),
      ),
  },
];

/** The invariants that a status breaks, as `S001: rule`; empty for a sound status. */
export function brokenInvariants(status: OperatorStatus, generation: number): readonly string[] {
  const view = { status, generation };
  return INVARIANTS.filter((invariant) => !invariant.holds(view)).map(({ code, rule }) => `${code}: ${rule}`);
}

/** The rules for a status that follows another one that it breaks, as `S101: rule`. */
export function brokenTransitions(before: OperatorStatus, after: OperatorStatus): readonly string[] {
  const broken: string[] = [];
  if (after.observedGeneration < before.observedGeneration)
    broken.push('S101: the observed generation never goes back');
  for (const type of CONDITION_TYPES) {
    const [old, now] = [conditionOf(before, type), conditionOf(after, type)];
    if (old === undefined || now === undefined) continue;
    const hasMoved = old.lastTransitionTime !== now.lastTransitionTime;
    if (hasMoved && old.status === now.status)
      broken.push(`S102: ${type} keeps its time while its status stays`);
    if (now.lastTransitionTime < old.lastTransitionTime)
      broken.push(`S103: ${type} has a time that goes back`);
  }
  return broken;
}
