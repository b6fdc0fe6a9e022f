/** `istio-operator init`: the operator into a cluster. */
import { printYaml } from '../core/yaml.ts';
import type { K8sObject } from '../model/object.ts';
import { displayRef, refOf } from '../model/object.ts';
import { commandFailure, EXIT } from './command-error.ts';
import type { ClusterChoice, CommandEnvironment, Connection } from './environment.ts';
import { withImage } from './operator-image.ts';
import { readinessOf } from '../apply/readiness.ts';

export interface InitOptions extends ClusterChoice {
  /** Replaces the operator's image. */
  readonly image?: string;
  readonly dryRun: boolean;
  readonly timeoutSeconds: number;
}

const POLL_MS = 250;

/** Applies the operator's own objects and waits until it runs. Repeating it changes nothing. */
export async function init(environment: CommandEnvironment, options: InitOptions): Promise<number> {
  const { deployment } = await environment.loadAssets();
  const objects = options.image === undefined ? deployment : withImage(deployment, options.image);
  if (options.dryRun) {
    environment.terminal.print(objects.map(printYaml).join('---\n'));
    return EXIT.ok;
  }
  const connection = await environment.connect(options);
  try {
    await install(environment, connection, objects, options.timeoutSeconds * 1000);
  } finally {
    await connection.close();
  }
  return EXIT.ok;
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
  terminal.say('Next: kubectl apply -f a file with an IstioOperator, then kubectl get iop -A');
}

async function applyOne(
  { terminal, signal }: CommandEnvironment,
  { cluster }: Connection,
  object: K8sObject,
): Promise<void> {
  const ref = refOf(object);
  const before = await cluster.get(ref, { signal });
  const after = await cluster.apply(object, { signal, force: true });
  const changed = before?.metadata['resourceVersion'] !== after.metadata['resourceVersion'];
  const outcome = before === undefined ? 'created' : changed ? 'configured' : 'unchanged';
  terminal.say(`  ${displayRef(ref)} ${outcome}`);
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
      throw commandFailure(
        'IOP604',
        `${displayRef(ref)} is not ready after ${timeoutMs / 1000} s: ${reason}`,
        remedy,
      );
    }
    await clock.sleep(POLL_MS, signal);
  }
}
