/**
 * Every reason that a condition or an event of ours can have, with what it means. docs/conditions.md repeats them for
 * users; a test compares the two. Reasons are permanent: people alert on them.
 */

export const CONDITION_REASONS = {
  Pending: 'No operator has looked at the resource yet; the definition itself says so.',
  Installed: 'Everything in the plan is applied, works, and nothing is left over.',
  Progressing: 'The present specification is being rolled out.',
  Recovering:
    'Everything was ready for this specification; something was lost or changed and is being restored.',
  NotReady: 'Everything was accepted, but something does not work within the time it may take.',
  ApplyFailed: 'The API server did not accept an object.',
  PruneFailed: 'Something that is not wanted any more could not be deleted.',
  InvalidSpec: 'The specification cannot be planned; nothing was changed.',
  UnsupportedRelease: 'This operator does not install that release line of Istio; nothing was changed.',
  UpgradeRefused: 'What is installed may not become the wanted version in place; nothing was changed.',
  Contested: 'Another resource has objects that only one can have; nothing was changed.',
  Disputed:
    'Others keep changing a field, or deleting an object, that the resource asks for; it is left as it is until they stop.',
  InsufficientPermissions: 'The operator lacks a right.',
  ClusterUnavailable: 'The API server did not answer.',
  AdmissionRefused: 'An admission webhook or policy refused a write of the operator.',
  WebhookUnavailable:
    'An admission webhook that has to be asked about a write of the operator does not answer.',
  QuotaExceeded: 'A quota leaves no room for an object.',
  PodsRefused:
    'Everything was accepted, but a quota, pod security or an admission webhook lets no pod of a workload in.',
  InternalError: 'The operator itself is at fault.',
  Paused: 'The annotation install.istio.io/ignoreReconcile is "true".',
  DryRun: 'The annotation install.istio.io/dry-run is "true": the plan is told, and nothing is changed.',
  AwaitingApproval:
    'The annotation install.istio.io/require-approval is "true", and this plan is not approved.',
  AwaitingAdministrator:
    'The operator runs in hardened mode, and an administrator has to apply what it may not.',
  IgnoredRevision: 'The resource is of another revision than this operator serves.',
  Deleting: 'What was installed is being deleted.',
  DeletionBlocked: 'Something that was installed does not go away.',
  RevisionInUse: 'Pods still use the control plane that was to be deleted; nothing was deleted.',
  OverlappingInjectors: 'Two control planes inject into the same pods.',
  DanglingTag: 'A revision tag points to a control plane that is not there.',
  TagHeld: 'Another resource holds a revision tag that this one asks for.',
  TagMoving: 'The default tag serves in the place of an injector that is not deactivated yet.',
  Settled: 'No work is in progress.',
  NotStalled: 'Nothing waits for a human.',
  Valid: 'The specification could be planned.',
  NotChecked: 'This was not looked at in the present state.',
  AllApplied: 'Every object is as planned.',
  Incomplete: 'Not every object is applied yet.',
  KindNotServed: 'The cluster does not serve a kind that was asked for; everything else is installed.',
} as const satisfies Readonly<Record<string, string>>;

export type ConditionReason = keyof typeof CONDITION_REASONS;

export const EVENT_REASONS = {
  Installed: 'Istio is installed and ready for the first time.',
  Updated: 'A change of the resource or of the operator is rolled out and ready.',
  Recovered: 'What had failed or was lost is ready again.',
  DriftRepaired: 'Something that was deleted or changed by others is restored; names fields and managers.',
  Pruned: 'Objects that are not wanted any more were deleted.',
  Deleted:
    'The resource lets go: what it installed is deleted, or left on purpose; a warning where others installed it.',
  InvalidSpec: 'The specification cannot be planned.',
  ApplyFailed: 'The API server did not accept an object.',
  NotReady: 'Something does not work within the time it may take.',
  PruneFailed: 'Something that is not wanted any more could not be deleted.',
  UnsupportedRelease: 'This operator does not install that release line of Istio.',
  UpgradeRefused: 'What is installed may not become the wanted version in place.',
  Contested: 'Another resource has objects that only one can have.',
  Disputed: 'Others keep changing a field, or deleting an object; it is left as it is until they stop.',
  ReconcileFailed: 'A call around the installation failed.',
  DeletionBlocked: 'Something that was installed does not go away.',
  RevisionInUse: 'Pods still use the control plane that was to be deleted.',
  AwaitingAdministrator: 'In hardened mode: an administrator has to apply what the operator may not.',
  Planned: 'A dry run has a new result.',
  AwaitingApproval: 'A new plan waits for approval.',
} as const satisfies Readonly<Record<string, string>>;

export type EventReason = keyof typeof EVENT_REASONS;
