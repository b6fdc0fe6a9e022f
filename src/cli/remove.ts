/** `istio-operator remove`: the operator out of a cluster. */
import type { AssetBundle } from '../model/assets.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { displayRef, identityOf, refOf } from '../model/object.ts';
import { EXIT, failure } from './command-error.ts';
import type { ClusterChoice, CommandEnvironment, Connection } from './environment.ts';
import { ISTIO_OPERATOR } from './installation.ts';
import { OPERATOR_NAMESPACE, operatorObjects } from './operator-objects.ts';
import { isShared, operatorNameOf } from './operator-revision.ts';
import type { Operator } from './operators.ts';
import { operatorsIn } from './operators.ts';
import type { DryRun } from './options.ts';
import { deleteObject, waitUntilAllGone } from './removal.ts';
import { confirm, withConnection } from './session.ts';
import { counted } from './table.ts';

export interface RemoveOptions extends ClusterChoice {
  readonly operatorNamespace?: string;
  /** The operator of this revision; without one, or with `default`, that which has no revision in its name. */
  readonly revision?: string;
  /** Also removes what is left of an operator of a revision whose Deployment is gone. */
  readonly force: boolean;
  /** All operators, whatever the revision. Takes IstioOperators, the meshes that they stand for, and their definition as well. */
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
    const { going, staying } = await selectOperators(environment, connection, options);
    const doomed = doomedObjects(await environment.loadAssets(), { going, staying, options });
    const resources = await connection.cluster.list(ISTIO_OPERATOR, { signal });
    sayWhatGoes(environment, connection, { doomed, resources, options });
    if (options.dryRun !== 'none') {
      for (const object of [...(options.purge ? resources : []), ...doomed])
        terminal.print(`- ${displayRef(refOf(object))}\n`);
      return EXIT.ok;
    }
    if (options.purge && resources.length > 0 && !options.skipConfirmation)
      await confirm(environment, 'Proceed?');
    if (options.purge) await deleteAndWait(environment, connection, { refs: resources.map(refOf), options });
    await deleteAndWait(environment, connection, { refs: doomed.map(refOf), options });
    sayWhatStays(environment, { resources, staying, options });
    return EXIT.ok;
  });
}

/** What tells one operator from another. */
type Target = Pick<Operator, 'namespace' | 'revision'>;

interface Selection {
  readonly going: readonly Target[];
  readonly staying: readonly Operator[];
}

/** Throws a CommandError when a revision is named that no operator has: the name may be misspelt. */
async function selectOperators(
  environment: CommandEnvironment,
  connection: Connection,
  { operatorNamespace = OPERATOR_NAMESPACE, revision = '', purge, force }: RemoveOptions,
): Promise<Selection> {
  const present = await operatorsIn(environment, connection);
  const target = { namespace: operatorNamespace, revision: revision === 'default' ? '' : revision };
  if (purge) return { going: [...present, target], staying: [] };
  const staying = present.filter((operator) => !isAt(operator, target));
  if (target.revision !== '' && !force && staying.length === present.length) {
    throw noSuchOperator(target, present);
  }
  return { going: [target], staying };
}

function isAt(operator: Operator, { namespace, revision }: Target): boolean {
  return operator.namespace === namespace && operator.revision === revision;
}

function noSuchOperator({ namespace, revision }: Target, present: readonly Operator[]): Error {
  const found = present.length === 0 ? 'none' : present.map(({ title }) => title).join(', ');
  return failure(
    'noSuchOperator',
    `there is no Deployment ${namespace}/${operatorNameOf(revision)}; operators in the cluster: ${found}`,
    'Name one of these, or use --force to delete what may be left of it.',
  );
}

/**
 * In reverse, so that what runs ends before its rights do, and what operators share goes last. Namespaces that others use
 * stay; as long as there is another operator, so does what it needs.
 */
function doomedObjects(
  assets: AssetBundle,
  { going, staying, options }: Selection & { readonly options: RemoveOptions },
): readonly K8sObject[] {
  const objects = going.flatMap(({ namespace, revision }) => {
    const choices = { operatorNamespace: namespace, revision, watchedNamespaces: [], imagePullSecrets: [] };
    return operatorObjects(assets, choices).filter((object) =>
      isDoomed(object, { namespace, staying, purge: options.purge }),
    );
  });
  const unique = [...new Map(objects.map((object) => [identityOf(refOf(object)), object])).values()];
  return [...unique.filter(isShared), ...unique.filter((object) => !isShared(object))].toReversed();
}

interface Removal extends Pick<Selection, 'staying'> {
  /** Of the operator that goes. */
  readonly namespace: string;
  readonly purge: boolean;
}

function isDoomed(object: K8sObject, { namespace, staying, purge }: Removal): boolean {
  if (!isShared(object)) return true;
  if (object.kind === 'CustomResourceDefinition') return purge;
  if (object.kind !== 'Namespace') return staying.length === 0;
  const isUsed = staying.some((operator) => operator.namespace === namespace);
  return object.metadata.name === namespace && namespace !== 'istio-system' && !isUsed;
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

function sayWhatStays(
  { terminal }: CommandEnvironment,
  { resources, staying, options }: Extent & Pick<Selection, 'staying'>,
): void {
  terminal.say(terminal.style('green', 'The operator is removed.'));
  if (options.purge) {
    terminal.say("Istio's resource definitions and the namespace istio-system stay; see uninstall --purge.");
    return;
  }
  if (staying.length > 0) {
    terminal.say(`Others go on: ${staying.map(({ title }) => title).join(', ')}.`);
    return;
  }
  terminal.say(
    `${counted(resources.length, 'IstioOperator')} and what they installed stay, and nobody keeps them.`,
  );
  if (resources.length === 0) return;
  terminal.say('Their deletion waits for an operator: run init before it, or take their finalizer away.');
}
