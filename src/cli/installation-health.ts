/** How an installation is, from what the operator wrote into its resource, or from its objects alone. Pure. */
import { listAt, mapAt, stringAt } from '../model/json.ts';
import type { InspectedObject } from './inspection.ts';
import { describeTrouble } from './inspection.ts';
import type { Installation } from './installation.ts';

export interface HealthCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
}

export interface InstallationHealth {
  /** Upstream's words: NONE, UPDATING, RECONCILING, HEALTHY, ERROR or ACTION_REQUIRED. */
  readonly status: string;
  /** What is the matter; empty when nothing is. */
  readonly message: string;
  /** By component, as far as the operator says it. */
  readonly components: Readonly<Record<string, string>>;
  readonly conditions: readonly HealthCondition[];
}

/** The operator's word counts; without an operator, all objects that are there and work are health. */
export function healthOf(
  installation: Installation,
  objects: readonly InspectedObject[],
): InstallationHealth {
  const troubles = objects.filter(({ state }) => state !== 'ready');
  if (installation.kind === 'record') {
    const [first] = troubles;
    const more = troubles.length > 1 ? ` (and ${troubles.length - 1} more)` : '';
    const message = first === undefined ? '' : `${describeTrouble(first)}${more}`;
    return { status: first === undefined ? 'HEALTHY' : 'ERROR', message, components: {}, conditions: [] };
  }
  const state = mapAt(installation.object, 'status');
  return {
    status: stringAt(state, 'status') ?? 'NONE',
    message: stringAt(state, 'message') ?? 'no operator has looked at it yet',
    components: Object.fromEntries(
      Object.entries(mapAt(state, 'componentStatus')).map(([name, entry]) => [
        name,
        stringAt(entry, 'status') ?? '',
      ]),
    ),
    conditions: listAt(state, 'conditions').map((condition) => ({
      type: stringAt(condition, 'type') ?? '',
      status: stringAt(condition, 'status') ?? '',
      reason: stringAt(condition, 'reason') ?? '',
      message: stringAt(condition, 'message') ?? '',
      lastTransitionTime: stringAt(condition, 'lastTransitionTime') ?? '',
    })),
  };
}
