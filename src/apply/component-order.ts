/** Runs the components of a plan in the order of their dependencies. */
import type { ComponentName, PlannedComponent } from '../model/plan.ts';
import { settleAll } from './parallel.ts';

export interface ComponentSteps<T> {
  /** Brings a component into the cluster; everything before it is ready. */
  readonly apply: (component: PlannedComponent) => Promise<T>;
  /** Instead of `apply`, when these components before it are not ready. */
  readonly skip: (component: PlannedComponent, waitingFor: readonly ComponentName[]) => T;
  readonly isReady: (outcome: T) => boolean;
}

/**
 * Runs each component once everything in its `after` is done, independent ones side by side. Components that the plan
 * does not have are not waited for. The plan has its components in dependency order.
 */
export async function runInOrder<T>(
  components: readonly PlannedComponent[],
  steps: ComponentSteps<T>,
): Promise<ReadonlyMap<ComponentName, T>> {
  const started = new Map<ComponentName, Promise<T>>();
  for (const planned of components) {
    const before = new Map([...started].filter(([name]) => planned.after.includes(name)));
    started.set(planned.component, runAfter(planned, before, steps));
  }
  const outcomes = [...started].map(async ([name, outcome]) => [name, await outcome] as const);
  return new Map(await settleAll(outcomes));
}

async function runAfter<T>(
  planned: PlannedComponent,
  before: ReadonlyMap<ComponentName, Promise<T>>,
  { apply, skip, isReady }: ComponentSteps<T>,
): Promise<T> {
  const outcomes = await Promise.all(
    [...before].map(async ([name, outcome]) => [name, await outcome] as const),
  );
  const waitingFor = outcomes.filter(([, outcome]) => !isReady(outcome)).map(([name]) => name);
  return waitingFor.length === 0 ? apply(planned) : skip(planned, waitingFor);
}
