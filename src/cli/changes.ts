/** What applying would do, counted and listed. */
import type { Preview, PreviewedChange } from '../apply/preview-plan.ts';
import { labelsOf, displayRef, identityOf, refOf } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import type { Change, ChangeAction } from '../model/report.ts';
import { table } from './table.ts';

/** The actions of a preview, in the order of the columns. */
const ACTIONS = [
  { action: 'created', heading: 'CREATE', mark: '+' },
  { action: 'configured', heading: 'CONFIGURE', mark: '~' },
  { action: 'pruned', heading: 'PRUNE', mark: '-' },
  { action: 'unchanged', heading: 'UNCHANGED', mark: ' ' },
] as const satisfies readonly {
  readonly action: ChangeAction;
  readonly heading: string;
  readonly mark: string;
}[];

/** What writes something. */
export function actualChanges({ changes }: Preview): readonly PreviewedChange[] {
  return changes.filter(({ change }) => change.action !== 'unchanged');
}

/** Counts per action, a row for each component and one for their sum. */
export function countsTable(plan: Plan, { changes }: Preview): string {
  const componentOf = componentsByObject(plan);
  const rows = new Map<string, Change[]>(plan.components.map(({ component }) => [component, []]));
  for (const previewed of changes) {
    const component = componentOf.get(identityOf(previewed.change.ref)) ?? labelledComponent(previewed);
    rows.set(component, [...(rows.get(component) ?? []), previewed.change]);
  }
  return table([
    ['COMPONENT', ...ACTIONS.map(({ heading }) => heading)],
    ...[...rows].map(([component, own]) => [component, ...counts(own)]),
    ['total', ...counts(changes.map(({ change }) => change))],
  ]);
}

/** `~ Deployment istio-system/istiod: spec.replicas (changed by kubectl-edit)`. */
export function describeChange(change: Change): string {
  const mark = ACTIONS.find(({ action }) => action === change.action)?.mark ?? '?';
  const fields = change.fields.length === 0 ? '' : `: ${change.fields.join(', ')}`;
  const managers = change.changedBy.length === 0 ? '' : ` (changed by ${change.changedBy.join(', ')})`;
  const anew = change.recreated === true ? ' (deleted and made anew)' : '';
  return `${mark} ${displayRef(change.ref)}${fields}${managers}${anew}`;
}

function counts(changes: readonly Change[]): readonly string[] {
  return ACTIONS.map(({ action }) => String(changes.filter((change) => change.action === action).length));
}

function componentsByObject(plan: Plan): ReadonlyMap<string, string> {
  return new Map(
    plan.components.flatMap(({ component, objects }) =>
      objects.map((object) => [identityOf(refOf(object)), component] as const),
    ),
  );
}

/** What is pruned is in the plan no more, but says itself what it was part of. */
function labelledComponent({ live }: PreviewedChange): string {
  return (live === undefined ? undefined : labelsOf(live)['operator.istio.io/component']) ?? 'other';
}
