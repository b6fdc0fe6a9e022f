/** `istio-operator remove`: the operator out of a cluster. */
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { displayRef, refOf } from '../model/object.ts';
import { EXIT } from './command-error.ts';
import type { ClusterChoice, CommandEnvironment, Connection } from './environment.ts';
import { ISTIO_OPERATOR } from './installation.ts';
import { OPERATOR_NAMESPACE, operatorObjects } from './operator-objects.ts';
import type { DryRun } from './options.ts';
import { deleteObject, waitUntilAllGone } from './removal.ts';
import { confirm, withConnection } from './session.ts';
import { counted } from './table.ts';

export interface RemoveOptions extends ClusterChoice {
  readonly operatorNamespace?: string;
  /** Takes IstioOperators, the meshes that they stand for, and their definition as well. */
  readonly purge: boolean;
  readonly dryRun: DryRun;
  readonly skipConfirmation: boolean;
  readonly timeoutMs: number;
}

/**
 * Deletes what `init` applied, and waits until it is gone. IstioOperators, their definition and what they installed stay,
 * unless purged: then the operator deletes them first, as it does when somebody deletes an IstioOperator.
 */
export async function remove(environment: CommandEnvironment, options: RemoveOptions): Promise<number> {
  const { signal, terminal } = environment;
  return withConnection(environment, options, async (connection) => {
    const doomed = await doomedObjects(environment, options);
    const resources = await connection.cluster.list(ISTIO_OPERATOR, { signal });
    sayWhatGoes(environment, connection, { doomed, resources, options });
    if (options.dryRun !== 'none') {
      const going = [...(options.purge ? resources : []), ...doomed];
      for (const object of going) terminal.print(`- ${displayRef(refOf(object))}\n`);
      return EXIT.ok;
    }
    if (options.purge && resources.length > 0 && !options.skipConfirmation)
      await confirm(environment, 'Proceed?');
    if (options.purge) await deleteAndWait(environment, connection, { refs: resources.map(refOf), options });
    await deleteAndWait(environment, connection, { refs: doomed.map(refOf), options });
    sayWhatStays(environment, { resources, options });
    return EXIT.ok;
  });
}

/** In reverse, so that what runs ends before its rights do. Namespaces that others use stay. */
async function doomedObjects(
  { loadAssets }: CommandEnvironment,
  { operatorNamespace = OPERATOR_NAMESPACE, purge }: RemoveOptions,
): Promise<readonly K8sObject[]> {
  const { deployment } = await loadAssets();
  const choices = { operatorNamespace, watchedNamespaces: [], imagePullSecrets: [] };
  const own = operatorObjects(deployment, choices).filter(({ kind, metadata }) => {
    if (kind === 'Namespace')
      return metadata.name === operatorNamespace && operatorNamespace !== 'istio-system';
    return kind !== 'CustomResourceDefinition' || purge;
  });
  return own.toReversed();
}

interface Deletion {
  readonly refs: readonly ObjectRef[];
  readonly options: RemoveOptions;
}

async function deleteAndWait(
  environment: CommandEnvironment,
  connection: Connection,
  { refs, options }: Deletion,
): Promise<void> {
  const deleted: ObjectRef[] = [];
  for (const ref of refs) {
    if (!(await deleteObject(environment, connection, ref))) continue;
    deleted.push(ref);
    environment.terminal.say(`  ${displayRef(ref)} deleted`);
  }
  await waitUntilAllGone(environment, connection, deleted, options);
}

interface Extent {
  readonly resources: readonly K8sObject[];
  readonly options: RemoveOptions;
}

function sayWhatGoes(
  { terminal }: CommandEnvironment,
  { server }: Connection,
  { doomed, resources, options }: Extent & { readonly doomed: readonly K8sObject[] },
): void {
  terminal.say(`Removing the operator from ${server}: ${counted(doomed.length, 'object')}`);
  if (!options.purge) return;
  for (const resource of resources) {
    terminal.say(terminal.style('red', `  ${displayRef(refOf(resource))}, with the mesh that it installed`));
  }
}

function sayWhatStays({ terminal }: CommandEnvironment, { resources, options }: Extent): void {
  terminal.say(terminal.style('green', 'The operator is removed.'));
  if (options.purge) {
    terminal.say("Istio's resource definitions and the namespace istio-system stay; see uninstall --purge.");
    return;
  }
  terminal.say(
    `${counted(resources.length, 'IstioOperator')} and what they installed stay, and nobody keeps them.`,
  );
  if (resources.length === 0) return;
  terminal.say('Their deletion waits for an operator: run init before it, or take their finalizer away.');
}
