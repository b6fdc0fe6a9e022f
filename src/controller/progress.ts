/** Follows one run of the engine and shows in the status what happens meanwhile. */
import type { ApplyObserver } from '../apply/engine.port.ts';
import { identityOf, refOf } from '../model/object.ts';
import type { Release } from '../model/outcome.ts';
import type { ComponentName, Plan } from '../model/plan.ts';
import type { Change, ComponentResult } from '../model/report.ts';
import type { InventoryEntry, OperatorStatus } from '../model/status.ts';
import type { ComponentProgress } from './component-status.ts';
import { counted, describeChange, describeRelease } from './messages.ts';
import type { VerdictContext, Working } from './verdict.ts';
import { isRollingOut } from './verdict.ts';

export interface ProgressDeps {
  /** Shows a phase; may leave out some when they come fast. */
  show(phase: Working): void;
  /** Told of every change as it happens. */
  changed(change: Change): void;
}

/**
 * A run that is expected to find nothing to do stays silent until it does something: a look at what is ready already
 * must not make the status flap.
 */
export class Progress implements ApplyObserver {
  readonly #deps: ProgressDeps;
  readonly #plan: Plan;
  readonly #release: Release;
  readonly #components = new Map<ComponentName, ComponentProgress>();
  readonly #componentOf: ReadonlyMap<string, ComponentName>;
  /** Nobody has looked at this generation before. */
  readonly #isNew: boolean;
  readonly #isRollout: boolean;
  readonly #previous: OperatorStatus | undefined;
  #hasChanged = false;
  #lastChange: Change | undefined;

  constructor(
    deps: ProgressDeps,
    { plan, release }: { readonly plan: Plan; readonly release: Release },
    run: VerdictContext,
  ) {
    this.#deps = deps;
    this.#plan = plan;
    this.#release = release;
    this.#componentOf = componentsByObject(plan);
    this.#isNew = run.previous?.observedGeneration !== run.generation;
    this.#isRollout = isRollingOut(run);
    this.#previous = run.previous;
  }

  /** Shows that a new specification was seen, before anything is done about it. */
  announce(): void {
    if (this.#isNew) this.#show();
  }

  /** The present phase, with what will be ours in the cluster. */
  withInventory(inventory: readonly InventoryEntry[]): Working {
    return { ...this.#phase(), inventory };
  }

  componentStarted(component: ComponentName): void {
    // In later looks at the same generation most components have nothing to do.
    if (!this.#isNew) return;
    this.#components.set(component, { kind: 'working' });
    this.#show();
  }

  componentFinished(component: ComponentName, result: ComponentResult): void {
    this.#components.set(component, result);
    if (this.#isNew || this.#hasChanged || this.#isNews(component, result)) this.#show();
  }

  changed(change: Change): void {
    if (change.action === 'unchanged') return;
    this.#deps.changed(change);
    const component = this.#componentOf.get(identityOf(change.ref));
    if (component !== undefined) this.#components.set(component, { kind: 'working' });
    this.#hasChanged = true;
    // In a rollout changes are many and expected: the components tell enough.
    if (!this.#isRollout) this.#lastChange = change;
    this.#show();
  }

  /** While something is being waited for, a component that comes ready is worth telling at once. */
  #isNews(component: ComponentName, result: ComponentResult): boolean {
    const before = this.#previous?.componentStatus[component]?.status;
    return result.kind === 'ready' && before !== 'HEALTHY' && isUnsettled(this.#previous);
  }

  #show(): void {
    this.#deps.show(this.#phase());
  }

  #phase(): Working {
    return {
      kind: 'working',
      release: this.#release,
      components: new Map(this.#components),
      activity: this.#activity(),
    };
  }

  #activity(): string {
    if (this.#lastChange !== undefined) return `Restoring: ${describeChange(this.#lastChange)}.`;
    const ready = [...this.#components.values()].filter((progress) => progress.kind === 'ready').length;
    const all = counted(this.#plan.components.length, 'component');
    const verb = this.#isRollout ? 'Installing' : 'Restoring';
    return `${verb} ${describeRelease(this.#release)}: ${ready} of ${all} ready.`;
  }
}

function isUnsettled(previous: OperatorStatus | undefined): boolean {
  return previous?.status === 'RECONCILING' || previous?.status === 'NONE';
}

function componentsByObject(plan: Plan): ReadonlyMap<string, ComponentName> {
  return new Map(
    plan.components.flatMap(({ component, objects }) =>
      objects.map((object) => [identityOf(refOf(object)), component] as const),
    ),
  );
}
