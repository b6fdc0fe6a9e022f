/** A requested installation held against the cluster: what `plan` shows, `diff` prints and `install` asks about. */
import { labelledOwner } from '../apply/claim.ts';
import type { Preview } from '../apply/preview-plan.ts';
import { previewPlan } from '../apply/preview-plan.ts';
import { displayRef, identityOf, refOf } from '../model/object.ts';
import type { Owner, Plan } from '../model/plan.ts';
import { CommandError, failure } from './command-error.ts';
import { diagnose } from '../core/diagnostics.ts';
import type { CommandEnvironment, Connection } from './environment.ts';
import type { Installation } from './installation.ts';
import { displayOwner, findInstallation } from './installation.ts';
import type { InstallationFlags, RequestedInstallation } from './requested-installation.ts';
import { requestedInstallation } from './requested-installation.ts';

export interface Prospect extends RequestedInstallation {
  /** What is there of the same owner. */
  readonly present: Installation | undefined;
  readonly preview: Preview;
}

export async function prospectOf(
  environment: CommandEnvironment,
  connection: Connection,
  flags: InstallationFlags,
): Promise<Prospect> {
  const { clock, signal } = environment;
  const { cluster } = connection;
  const requested = await requestedInstallation(environment, connection, flags);
  const { owner, plan } = requested;
  const present = await findInstallation(cluster, owner, { signal });
  const inventory = present?.inventory ?? [];
  const preview = await previewPlan({ cluster, clock }, plan, { signal, owner, inventory });
  return { ...requested, present, preview };
}

/** Throws a CommandError that lists what the API server would not accept. */
export function refuseFailures({ preview }: Prospect): void {
  if (preview.failures.length === 0) return;
  throw new CommandError(
    preview.failures.map(({ ref, message }) =>
      diagnose('notAccepted', {
        path: [],
        cause: message.replace(/\.$/u, ''),
        remedy: `Look at ${displayRef(ref)} with manifest generate.`,
      }),
    ),
  );
}

/**
 * Throws a CommandError when the operator keeps the installation, or objects belong to another one that still is there.
 * Both would undo each other's work. What all control planes share may change hands.
 */
export async function refuseContested(
  { signal }: CommandEnvironment,
  { cluster }: Connection,
  prospect: Prospect,
): Promise<void> {
  const { present, owner } = prospect;
  if (present?.kind === 'resource') {
    throw failure(
      'keptByOperator',
      `IstioOperator ${displayOwner(owner)} is in the cluster, and the operator keeps what it says`,
      'Change it with kubectl apply, or delete it first; "diff" and "plan" tell what a file would change.',
    );
  }
  const holders = foreignHolders(prospect);
  for (const [display, { holder, ref }] of holders) {
    if ((await findInstallation(cluster, holder, { signal })) === undefined) continue;
    throw failure(
      'contested',
      `${ref} belongs to the installation ${display}`,
      'Install under its name (metadata.name and namespace), or as a revision of its own with --revision.',
    );
  }
}

/** The objects of a plan that all control planes of a cluster share. */
export function sharedIdentities(plan: Plan): ReadonlySet<string> {
  const base = plan.components.filter(({ component }) => component === 'Base');
  return new Set(base.flatMap(({ objects }) => objects.map((object) => identityOf(refOf(object)))));
}

interface Holding {
  readonly holder: Owner;
  readonly ref: string;
}

/** The other owners that objects of the plan name in their labels, by name, each with one of the objects. */
function foreignHolders({ plan, owner, preview }: Prospect): ReadonlyMap<string, Holding> {
  const shared = sharedIdentities(plan);
  const holdings = preview.changes.flatMap(({ change, live }) => {
    const labelled = live === undefined ? undefined : labelledOwner(live);
    if (labelled === undefined || shared.has(identityOf(change.ref))) return [];
    const holder = { name: labelled.name, namespace: labelled.namespace ?? owner.namespace };
    return displayOwner(holder) === displayOwner(owner) ? [] : [{ holder, ref: displayRef(change.ref) }];
  });
  return new Map(holdings.toReversed().map((holding) => [displayOwner(holding.holder), holding]));
}
