/** Plans what anybody may have written, without the operator being held up by it. */
import { createHash } from 'node:crypto';
import { diagnose } from '../core/diagnostics.ts';
import type { Planner, PlanInput } from '../core/plan.ts';
import { gate } from '../core/spec/gate.ts';
import { weightOf } from '../core/spec/weight.ts';
import type { AssetBundle } from '../model/assets.ts';
import { assertNever } from '../model/json.ts';
import type { PlanResult } from '../model/plan.ts';
import { packInput, unpackResult } from './plan-message.ts';
import type { PlanThread, ThreadOutcome } from './plan-thread.ts';

export type GuardedPlanner = (input: PlanInput) => PlanResult | Promise<PlanResult>;

export interface GuardedPlannerDeps {
  /** Plans in this thread. */
  readonly planner: Planner;
  readonly thread: Pick<PlanThread, 'plan'>;
  readonly assets: Pick<AssetBundle, 'crds'>;
  /** For the message; the thread keeps it. */
  readonly deadlineMs: number;
}

/** How many specifications are remembered that took too much or are invalid; most take some hundred bytes. */
const MOST_REMEMBERED = 500;
/** In characters, of what is wrong with one. */
const LONGEST_REMEMBERED = 4_096;

/**
 * Plans at once what is small, and what the gate refuses anyway; everything else goes to the thread. What takes too much
 * there is an invalid specification. Those are remembered: one is tried again when something of it changes, or when the
 * operator starts anew.
 */
export function createGuardedPlanner(deps: GuardedPlannerDeps): GuardedPlanner {
  const refused = new Map<string, PlanResult>();
  return (input) => {
    if (input.layers.every(({ spec }) => isCheap(spec))) return deps.planner(input);
    return planElsewhere(deps, refused, packInput(input));
  };
}

function isCheap(spec: unknown): boolean {
  // Weighing is over at the limit, and so first; the gate may have to see all of it.
  return weightOf(spec) === 'light' || gate(spec).kind === 'refused';
}

async function planElsewhere(
  { thread, assets, deadlineMs }: GuardedPlannerDeps,
  refused: Map<string, PlanResult>,
  input: string,
): Promise<PlanResult> {
  const name = createHash('sha256').update(input).digest('base64');
  const known = refused.get(name);
  if (known !== undefined) return known;
  const outcome = await thread.plan({ input });
  const result =
    outcome.kind === 'planned' ? unpackResult(outcome.result, assets) : refusalOf(outcome, deadlineMs);
  if (isRemembered(result, outcome)) refused.set(name, result);
  const [oldest] = refused.keys();
  if (refused.size > MOST_REMEMBERED && oldest !== undefined) refused.delete(oldest);
  return result;
}

/** Something in the cluster may make everybody look again, and to find the same mistakes anew takes as long as before. */
function isRemembered(result: PlanResult, outcome: ThreadOutcome): boolean {
  return (
    result.kind === 'invalid' && (outcome.kind !== 'planned' || outcome.result.length <= LONGEST_REMEMBERED)
  );
}

function refusalOf(outcome: Exclude<ThreadOutcome, { kind: 'planned' }>, deadlineMs: number): PlanResult {
  switch (outcome.kind) {
    case 'exceeded':
      return refusal('planningExceeded', EXCEEDED[outcome.limit](deadlineMs));
    case 'tooLarge':
      return refusal(
        'planTooLarge',
        `its ${outcome.objects} objects are more, or larger, than one resource can keep`,
      );
    default:
      return assertNever(outcome);
  }
}

const EXCEEDED = {
  time: (deadlineMs: number) => `it could not be planned within ${deadlineMs / 1000} seconds`,
  stack: () => 'it is nested too deep, or a text in it is, to be planned',
  memory: () => 'it could not be planned within the memory that one resource may take',
} as const;

function refusal(name: 'planningExceeded' | 'planTooLarge', cause: string): PlanResult {
  const remedy =
    'Make it smaller, or split it into several resources: gateways can be in resources of their own.';
  return { kind: 'invalid', diagnostics: [diagnose(name, { path: ['spec'], cause, remedy })] };
}
