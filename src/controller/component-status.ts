/** What `status.componentStatus` says about each component of a plan. Pure. */
import { assertNever } from '../model/json.ts';
import type { Release } from '../model/outcome.ts';
import type { ComponentName } from '../model/plan.ts';
import type { ComponentResult } from '../model/report.ts';
import type { ComponentStatus, OperatorStatus } from '../model/status.ts';
import { capped, describeNotReady, firstOf } from './messages.ts';

/** What is known about a component in the middle of a run. */
export type ComponentProgress = ComponentResult | { readonly kind: 'pending' } | { readonly kind: 'working' };

export interface ComponentContext {
  readonly previous?: OperatorStatus | undefined;
  /** What is not ready had all the time it may take. */
  readonly isOverdue?: boolean;
}

/** One entry for each component of the release and for no other. */
export function componentStatuses(
  release: Release,
  progress: ReadonlyMap<ComponentName, ComponentProgress>,
  context: ComponentContext = {},
): Readonly<Record<string, ComponentStatus>> {
  const entries = release.components.map((component) => {
    const before = context.previous?.componentStatus[component];
    const now = progress.get(component) ?? { kind: 'pending' };
    return [
      component,
      componentStatus(now, before, { release, isOverdue: context.isOverdue ?? false }),
    ] as const;
  });
  return Object.fromEntries(entries);
}

function componentStatus(
  progress: ComponentProgress,
  before: ComponentStatus | undefined,
  { release, isOverdue }: { readonly release: Release; readonly isOverdue: boolean },
): ComponentStatus {
  const version = before?.version === undefined ? {} : { version: before.version };
  switch (progress.kind) {
    case 'ready':
      return { status: 'HEALTHY', version: release.version };
    case 'working':
      return { status: 'RECONCILING', ...version };
    case 'notReady': {
      const error = capped(firstOf(progress.waitingFor.map(describeNotReady)));
      return isOverdue ? { status: 'ERROR', error, ...version } : { status: 'RECONCILING', ...version };
    }
    case 'failed':
      return { status: 'ERROR', error: capped(progress.message), ...version };
    case 'pending':
    case 'skipped':
      // Its turn has not come: what was there before is still there, in the version in which it was installed.
      return before ?? { status: 'NONE' };
    default:
      return assertNever(progress);
  }
}
