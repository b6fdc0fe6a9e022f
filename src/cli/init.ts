/** `istio-operator init`, `dump` and `remove`: the operator into a cluster, onto the screen, and out of a cluster. */
import type { Need } from '../apply/apply-object.ts';
import { applyObject, needOf } from '../apply/apply-object.ts';
import { runFor } from '../apply/apply-plan.ts';
import { appliedForm } from '../apply/applied-form.ts';
import { readinessOf } from '../apply/readiness.ts';
import { printYaml } from '../core/yaml.ts';
import type { NamedResource } from '../core/spec/documents.ts';
import { isJsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { displayRef, refOf } from '../model/object.ts';
import { EXIT, failure } from './command-error.ts';
import type { ClusterChoice, CommandEnvironment, Connection } from './environment.ts';
import { ISTIO_OPERATOR } from './installation.ts';
import { readLayers } from './manifest-generate.ts';
import type { OperatorChoices } from './operator-objects.ts';
import { operatorObjects } from './operator-objects.ts';
import { revisionObstacle } from './operator-revision.ts';
import { refuseRivals } from './operators.ts';
import type { DryRun } from './options.ts';
import { withConnection } from './session.ts';

export interface InitOptions extends ClusterChoice, OperatorChoices {
  /** An IstioOperator to apply when the operator runs. */
  readonly filename?: string;
  readonly dryRun: DryRun;
  readonly timeoutMs: number;
}

const POLL_MS = 250;

/** How long an object may take to go that has to be made anew. */
const REMAKING_MS = 60_000;

/** Applies the operator's own objects and waits until it runs. Repeating it changes nothing. */
export async function init(environment: CommandEnvironment, options: InitOptions): Promise<number> {
  const { filename } = options;
  const layers = filename === undefined ? [] : await readLayers(environment, [filename]);
  const resources = layers.map(resourceOf);
  const objects = await chosenObjects(environment, options);
  if (options.dryRun === 'client') {
    environment.terminal.print([...objects, ...resources].map(printYaml).join('---\n'));
    return EXIT.ok;
  }
  return withConnection(environment, options, async (connection) => {
    await refuseRivals(environment, connection, objects);
    if (options.dryRun === 'server') {
      return previewObjects(environment, connection, [...objects, ...resources]);
    }
    await install(environment, connection, objects, options.timeoutMs);
    for (const resource of resources) await applyResource(environment, connection, resource);
    environment.terminal.say('Next: istio-operator status, or kubectl get iop -A');
    return EXIT.ok;
  });
}

/** Holds each object against the cluster; nothing is stored. */
async function previewObjects(
  { terminal, clock, signal }: CommandEnvironment,
  { cluster }: Connection,
  objects: readonly K8sObject[],
): Promise<number> {
  const run = {
    ...runFor({ cluster, clock }, objects, { signal, inventory: [] }),
    deadlineMs: clock.nowMs(),
  };
  for (const object of objects) {
    const need = await needOf(run, appliedForm(object));
    terminal.print(`${MARKS[need.kind]} ${displayRef(refOf(object))}\n`);
  }
  terminal.say('Nothing was changed: this was a dry run.');
  return EXIT.ok;
}

const MARKS: Readonly<Record<Need['kind'], string>> = {
  create: '+',
  recreate: '+',
  configure: '~',
  none: ' ',
};

/** Prints what `init` would apply. */
export async function dump(environment: CommandEnvironment, choices: OperatorChoices): Promise<number> {
  environment.terminal.print((await chosenObjects(environment, choices)).map(printYaml).join('---\n'));
  return EXIT.ok;
}

async function chosenObjects(
  { loadAssets }: CommandEnvironment,
  choices: OperatorChoices,
): Promise<readonly K8sObject[]> {
  const assets = await loadAssets();
  const obstacle = revisionObstacle(assets, choices.revision ?? '');
  if (obstacle === undefined) return operatorObjects(assets, choices);
  throw failure('unusableRevision', obstacle, 'Choose another name for the revision.');
}

/** The file's own metadata is kept: annotations may tell the operator what to do. */
export function resourceOf({ metadata, spec }: Pick<NamedResource, 'metadata' | 'spec'>): K8sObject {
  const named = { name: 'installed-state', namespace: 'istio-system', ...metadata };
  return { ...ISTIO_OPERATOR, metadata: named, ...(isJsonObject(spec) ? { spec } : {}) };
}

/** Applies an IstioOperator, and its namespace where there is none. */
export async function applyResource(
  environment: CommandEnvironment,
  connection: Connection,
  resource: K8sObject,
): Promise<void> {
  const { signal } = environment;
  const name = refOf(resource).namespace ?? '';
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  if ((await connection.cluster.get(refOf(namespace), { signal })) === undefined) {
    await applyOne(environment, connection, namespace);
  }
  await applyOne(environment, connection, resource);
}

async function install(
  environment: CommandEnvironment,
  connection: Connection,
  objects: readonly K8sObject[],
  timeoutMs: number,
): Promise<void> {
  const { terminal } = environment;
  terminal.say(`Installing the operator on ${connection.server}`);
  for (const object of objects) {
    await applyOne(environment, connection, object);
    // Later objects are of kinds that these define.
    if (object.kind === 'CustomResourceDefinition') await waitFor(environment, connection, object, timeoutMs);
  }
  for (const workload of objects.filter(({ kind }) => kind === 'Deployment')) {
    terminal.say(`  waiting for ${displayRef(refOf(workload))}`);
    await waitFor(environment, connection, workload, timeoutMs);
  }
  terminal.say(terminal.style('green', 'The operator runs.'));
}

/** Compares first, as for a mesh, so that nothing is written where nothing differs. */
async function applyOne(
  { terminal, clock, signal }: CommandEnvironment,
  { cluster }: Connection,
  object: K8sObject,
): Promise<void> {
  const deps = { cluster, clock };
  const run = {
    ...runFor(deps, [object], { signal, inventory: [] }),
    deadlineMs: clock.nowMs() + REMAKING_MS,
    // The operator's objects bring their namespaces themselves.
    ensureNamespace: async () => undefined,
  };
  const applied = await applyObject(run, object);
  if (applied.kind !== 'applied') {
    const message = applied.kind === 'failed' ? applied.failure.message : applied.notReady.reason;
    const cause = message.replace(/\.$/u, '');
    throw failure('notAccepted', cause, 'Mend the cause and run the command again.');
  }
  terminal.say(`  ${displayRef(refOf(object))} ${applied.change.action}`);
}

async function waitFor(
  { clock, signal }: CommandEnvironment,
  { cluster }: Connection,
  object: K8sObject,
  timeoutMs: number,
): Promise<void> {
  const ref = refOf(object);
  const deadline = clock.nowMs() + timeoutMs;
  for (;;) {
    const live = await cluster.get(ref, { signal });
    const state = live === undefined ? { kind: 'waiting', reason: 'it is not there' } : readinessOf(live);
    if (state.kind === 'ready') return;
    if (clock.nowMs() >= deadline || signal.aborted) {
      const remedy = `Look at kubectl describe ${ref.kind.toLowerCase()} ${ref.name} -n ${ref.namespace ?? ''}.`;
      const reason = 'reason' in state ? state.reason : '';
      throw failure(
        'operatorNotReady',
        `${displayRef(ref)} is not ready after ${timeoutMs / 1000} s: ${reason}`,
        remedy,
      );
    }
    await clock.sleep(POLL_MS, signal);
  }
}
