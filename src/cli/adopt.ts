/** `istio-operator adopt`: takes over what the operator of Istio 1.23, istioctl or Helm installed, without a restart. */
import { handedOver } from '../apply/hand-over.ts';
import { mapParallel } from '../apply/parallel.ts';
import type { PreviewedChange } from '../apply/preview-plan.ts';
import { CALLS_AT_ONCE } from '../apply/run.ts';
import { diagnose } from '../core/diagnostics.ts';
import { isClusterError } from '../model/cluster-error.ts';
import { stringAt } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { displayRef, refOf } from '../model/object.ts';
import { objectsOf } from '../model/plan.ts';
import { countsTable, describeChange } from './changes.ts';
import { CommandError, EXIT, failure } from './command-error.ts';
import type { ClusterChoice, CommandEnvironment, Connection } from './environment.ts';
import type { Installer } from './former-installation.ts';
import { countInstallers, installerOf, leftBehind, refuseFormerOperator } from './former-installation.ts';
import { applyResource, resourceOf } from './init.ts';
import { applyAndRecord, sayReport } from './install.ts';
import { displayOwner } from './installation.ts';
import { readLayers } from './manifest-generate.ts';
import type { DryRun } from './options.ts';
import type { Prospect } from './prospect.ts';
import { prospectOf, refuseContested, refuseFailures } from './prospect.ts';
import type { InstallationFlags } from './requested-installation.ts';
import type { Restart } from './restarts.ts';
import { restartsOf } from './restarts.ts';
import { confirm, withConnection } from './session.ts';
import { counted } from './table.ts';

export interface AdoptOptions extends InstallationFlags, ClusterChoice {
  /** Leaves the taking over to the operator in the cluster, by giving it the resource. */
  readonly resource: boolean;
  readonly allowRestarts: boolean;
  readonly dryRun: DryRun;
  readonly skipConfirmation: boolean;
  readonly readinessTimeoutMs: number;
}

/**
 * Shows what would change, refuses when pods would restart, asks, and takes over: the owner labels and the field manager
 * become ours, everything else of an object stays as it is where the file asks for it. Nothing is deleted.
 */
export async function adopt(environment: CommandEnvironment, options: AdoptOptions): Promise<number> {
  return withConnection(environment, options, async (connection) => {
    await refuseFormerOperator(environment, connection);
    const prospect = await prospectOf(environment, connection, options);
    await refuseContested(environment, connection, prospect);
    const taken = takenOver(prospect);
    if (taken.length === 0) throw nothingToAdopt(prospect);
    sayProspect(environment, connection, { prospect, taken });
    await sayLeftBehind(environment, connection, { prospect, taken });
    refuseFailures(prospect);
    refuseRestarts(environment, restartsOf(prospect.preview), options);
    if (options.dryRun !== 'none') return sayDryRun(environment, prospect);
    if (!options.skipConfirmation) await confirm(environment, 'Take over?');
    return options.resource
      ? giveResource(environment, connection, { prospect, options })
      : takeOver(environment, connection, { prospect, taken, options });
  });
}

interface Takeover {
  readonly prospect: Prospect;
  /** Objects of the plan that somebody else installed, as they are. */
  readonly taken: readonly K8sObject[];
}

/** What is there of the plan and in no record of ours. */
function takenOver({ preview, present }: Prospect): readonly K8sObject[] {
  if (present !== undefined) return [];
  return preview.changes.flatMap(({ change, live }) =>
    live === undefined || change.action === 'pruned' ? [] : [live],
  );
}

function nothingToAdopt({ owner, present }: Prospect): CommandError {
  if (present !== undefined) {
    const cause = `the installation ${displayOwner(owner)} is kept by this program already`;
    return failure('nothingToAdopt', cause, 'Use istio-operator upgrade to change it.');
  }
  const cause = 'the cluster has no object that the file stands for';
  return failure(
    'nothingToAdopt',
    cause,
    'Use istio-operator install, or give the file of what is installed.',
  );
}

function sayProspect(
  { terminal }: CommandEnvironment,
  { server }: Connection,
  { prospect, taken }: Takeover,
): void {
  const { plan, owner, preview } = prospect;
  terminal.say(terminal.style('bold', `Taking over Istio on ${server} as ${displayOwner(owner)}`));
  terminal.say(`${counted(taken.length, 'object')} found, installed by:`);
  for (const [installer, count] of countInstallers(taken)) terminal.say(`  ${installer}: ${count}`);
  terminal.say(countsTable(plan, preview).trimEnd());
}

async function sayLeftBehind(
  environment: CommandEnvironment,
  connection: Connection,
  { prospect: { plan }, taken }: Takeover,
): Promise<void> {
  const objects = await leftBehind(environment, connection, { plan, taken });
  if (objects.length === 0) return;
  environment.terminal.say(
    `${counted(objects.length, 'object')} of theirs stay that the file does not ask for:`,
  );
  for (const object of objects) environment.terminal.say(`  ${displayRef(refOf(object))}`);
}

function refuseRestarts(
  { terminal }: CommandEnvironment,
  restarts: readonly Restart[],
  { allowRestarts }: AdoptOptions,
): void {
  if (restarts.length === 0) {
    terminal.say('No pod restarts.');
    return;
  }
  if (!allowRestarts) {
    throw new CommandError(
      restarts.map(({ object, fields }) =>
        diagnose('wouldRestart', {
          path: [],
          cause: `the pods of ${displayRef(refOf(object))} would restart: ${reasonFor(fields)}`,
          remedy: 'Say in the file what runs, such as tag, hub and values, or give --allow-restarts.',
        }),
      ),
    );
  }
  for (const { object, fields } of restarts) {
    const line = `the pods of ${displayRef(refOf(object))} restart: ${reasonFor(fields)}`;
    terminal.say(terminal.style('yellow', line));
  }
}

const MAX_SHOWN_FIELDS = 5;

function reasonFor(fields: readonly string[]): string {
  if (fields.length === 0) return 'an immutable field changes, so it is deleted and made anew';
  const more = fields.length - MAX_SHOWN_FIELDS;
  return fields.slice(0, MAX_SHOWN_FIELDS).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function sayDryRun({ terminal }: CommandEnvironment, { preview }: Prospect): number {
  for (const { change } of preview.changes.filter(isChange)) terminal.print(`${describeChange(change)}\n`);
  terminal.say('Nothing was changed: this was a dry run.');
  return EXIT.ok;
}

function isChange({ change }: PreviewedChange): boolean {
  return change.action !== 'unchanged';
}

async function takeOver(
  environment: CommandEnvironment,
  connection: Connection,
  { prospect, taken, options }: Takeover & { readonly options: AdoptOptions },
): Promise<number> {
  const report = await applyAndRecord(environment, connection, { prospect, options });
  const refs = objectsOf(prospect.plan).map(refOf);
  await mapParallel(refs, CALLS_AT_ONCE, async (ref) => handOver(environment, connection, ref));
  const exitCode = sayReport(environment, prospect, report);
  sayHelmReleases(environment, taken);
  return exitCode;
}

/** How often somebody may be faster than us. */
const MAX_TRIES = 5;

async function handOver(
  { signal }: CommandEnvironment,
  { cluster }: Connection,
  ref: ObjectRef,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const live = await cluster.get(ref, { signal });
    const managedFields = live === undefined ? undefined : handedOver(live);
    if (live === undefined || managedFields === undefined) return;
    try {
      const resourceVersion = stringAt(live, 'metadata', 'resourceVersion') ?? '';
      await cluster.patchMetadata(ref, { managedFields, resourceVersion }, { signal });
      return;
    } catch (error) {
      if (!isClusterError(error, 'conflict') || attempt === MAX_TRIES) throw error;
    }
  }
}

async function giveResource(
  environment: CommandEnvironment,
  connection: Connection,
  { prospect, options }: { readonly prospect: Prospect; readonly options: AdoptOptions },
): Promise<number> {
  const { owner, plan } = prospect;
  const layers = await readLayers(environment, options.filename);
  const metadata = layers.reduce((all, layer) => ({ ...all, ...layer.metadata }), {});
  const resource = resourceOf({ metadata: { ...metadata, ...owner }, spec: plan.userSpec });
  await applyResource(environment, connection, resource);
  environment.terminal.say('The operator takes over from here: istio-operator status --watch');
  return EXIT.ok;
}

/** Helm does not know that its objects are ours: uninstalling a release would delete them. */
function sayHelmReleases({ terminal }: CommandEnvironment, taken: readonly K8sObject[]): void {
  const releases = new Map(
    taken
      .map(installerOf)
      .filter((installer): installer is Extract<Installer, { kind: 'helm' }> => installer.kind === 'helm')
      .map((installer) => [`${installer.namespace}/${installer.release}`, installer]),
  );
  if (releases.size === 0) return;
  terminal.say(
    terminal.style('yellow', 'Do not run "helm uninstall": it would delete the mesh. Forget the releases:'),
  );
  for (const { release, namespace } of releases.values()) {
    terminal.say(`  kubectl delete secret -n ${namespace} -l owner=helm,name=${release}`);
  }
}
