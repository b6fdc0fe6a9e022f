/**
 * `istio-operator kube-inject`: injects workloads of a file as the cluster would. The API server is asked what becomes
 * of a pod of each (a dry run: nothing is stored), so the cluster's own webhook, templates and settings decide.
 */
import type { DiagnosticName } from '../core/diagnostics.ts';
import { diagnose } from '../core/diagnostics.ts';
import type { Answers } from '../core/injection/injected-template.ts';
import { injectedTemplate, objectionOf, withoutInjection } from '../core/injection/injected-template.ts';
import type { PodTemplate } from '../core/injection/workloads.ts';
import { podFor, podTemplateOf, withPodTemplate } from '../core/injection/workloads.ts';
import { printYaml } from '../core/yaml.ts';
import type { ClusterErrorKind } from '../model/cluster-error.ts';
import { ClusterError } from '../model/cluster-error.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { K8sObject } from '../model/object.ts';
import { displayRef, labelsOf, refOf, stringMap } from '../model/object.ts';
import { mapAt, listAt, stringAt } from '../model/json.ts';
import { CommandError, EXIT } from './command-error.ts';
import type { ClusterChoice, CommandEnvironment, Connection } from './environment.ts';
import { readObjects } from './manifest-files.ts';

export interface InjectOptions extends ClusterChoice {
  readonly filename: readonly string[];
  readonly output: 'yaml' | 'json';
  /** For objects that name none; else that of the context. */
  readonly namespace?: string;
}

type Injection =
  | { readonly kind: 'object'; readonly object: K8sObject }
  | { readonly kind: 'refused'; readonly problem: Diagnostic };

/** Prints all objects, workloads injected. Prints nothing when one of them could not be injected. */
export async function kubeInject(environment: CommandEnvironment, options: InjectOptions): Promise<number> {
  const objects = await readObjects(environment, options.filename);
  const connection = await environment.connect(options);
  try {
    const namespace = options.namespace ?? connection.namespace ?? 'default';
    const injections: Injection[] = [];
    for (const object of objects) {
      injections.push(await injectObject({ environment, connection, namespace }, object));
    }
    const problems = injections.flatMap((each) => (each.kind === 'refused' ? [each.problem] : []));
    if (problems.length > 0) throw new CommandError(problems);
    const injected = injections.flatMap((each) => (each.kind === 'object' ? [each.object] : []));
    environment.terminal.print(printed(injected, options.output));
  } finally {
    await connection.close();
  }
  return EXIT.ok;
}

interface Run {
  readonly environment: CommandEnvironment;
  readonly connection: Connection;
  readonly namespace: string;
}

async function injectObject(run: Run, object: K8sObject): Promise<Injection> {
  const template = podTemplateOf(object);
  if (template === undefined) return { kind: 'object', object };
  const objection = objectionOf(template);
  if (objection !== undefined) {
    run.environment.terminal.say(`${displayRef(refOf(object))} is left as it is: ${objection}`);
    return { kind: 'object', object };
  }
  const pod = podFor(object, await withKnownAccount(run, template, object), run.namespace);
  const answers = await dryRuns(run, object, pod);
  if ('problem' in answers) return answers;
  const injected = injectedTemplate(template, answers);
  if (injected !== undefined) return { kind: 'object', object: withPodTemplate(object, injected) };
  return refused(await whyNotInjected(run, object, pod));
}

/**
 * The template with an account that the API server can find. The account is often in the same file and not in the
 * cluster yet; injection does not ask for it, but the API server creates no pod without it.
 */
async function withKnownAccount(run: Run, template: PodTemplate, object: K8sObject): Promise<PodTemplate> {
  const name = stringAt(template.spec, 'serviceAccountName') ?? stringAt(template.spec, 'serviceAccount');
  if (name === undefined) return template;
  const { namespace = run.namespace } = refOf(object);
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name };
  const { signal } = run.environment;
  if ((await run.connection.cluster.get(account, { signal })) !== undefined) return template;
  const { serviceAccountName: _name, serviceAccount: _old, ...spec } = template.spec;
  return { ...template, spec };
}

/** Other failures are the connection's: they would be the same for every workload. */
const ABOUT_THE_POD: ReadonlySet<ClusterErrorKind> = new Set(['absent', 'refused', 'invalid']);

async function dryRuns(
  { connection: { cluster }, environment: { signal } }: Run,
  object: K8sObject,
  pod: K8sObject,
): Promise<Answers | Extract<Injection, { kind: 'refused' }>> {
  const options = { signal, force: true, dryRun: true } as const;
  try {
    // An existing pod would be updated, and injection is asked for new ones only.
    if ((await cluster.get(refOf(pod), { signal })) !== undefined) return refused(alreadyThere(object));
    const plain = await cluster.apply(withoutInjection(pod), options);
    return { plain, injected: await cluster.apply(pod, options) };
  } catch (error) {
    if (!(error instanceof ClusterError) || !ABOUT_THE_POD.has(error.kind)) throw error;
    return refused(notAccepted(object, pod, error));
  }
}

function refused(problem: Diagnostic): Extract<Injection, { kind: 'refused' }> {
  return { kind: 'refused', problem };
}

function alreadyThere(object: K8sObject): Diagnostic {
  return findingOf(
    'podExists',
    `${displayRef(refOf(object))} is in the cluster already, and pods are injected only when they are created`,
    'Delete it first, or give it another name.',
  );
}

function notAccepted(object: K8sObject, pod: K8sObject, error: ClusterError): Diagnostic {
  const { namespace = '' } = refOf(pod);
  const remedy =
    error.kind === 'refused'
      ? 'Check that the webhook it names can be reached: is istiod running? kubectl get pods -n istio-system -l app=istiod.'
      : `Correct the pod template, or create what is missing: kubectl create namespace ${namespace}.`;
  return findingOf(
    'podNotAccepted',
    `no pod of ${displayRef(refOf(object))} can be created: ${error.message}`,
    remedy,
  );
}

const WEBHOOKS = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
} as const;

async function whyNotInjected(run: Run, object: K8sObject, pod: K8sObject): Promise<Diagnostic> {
  const { signal } = run.environment;
  const { namespace = run.namespace } = refOf(pod);
  const { cluster, server } = run.connection;
  const configurations = await cluster.list(WEBHOOKS, { signal });
  const injectors = configurations.filter(isInjector).map(({ metadata }) => metadata.name);
  const what = displayRef(refOf(object));
  if (injectors.length === 0) {
    return findingOf(
      'noInjectionWebhook',
      `${what} was not injected: ${server} has no injection webhook`,
      'Install Istio first: apply an IstioOperator, or choose another cluster with --context.',
    );
  }
  const live = await cluster.get({ apiVersion: 'v1', kind: 'Namespace', name: namespace }, { signal });
  return findingOf(
    'notInjected',
    `${what} was not injected: none of the webhooks ${injectors.join(', ')} changed it; namespace ${namespace} ${injectionLabels(live)}`,
    `Label the namespace (kubectl label namespace ${namespace} istio-injection=enabled, or istio.io/rev=REVISION), ` +
      'or the pod template with sidecar.istio.io/inject: "true". If it is labelled so, the webhook could not be reached and is ignored.',
  );
}

/** Whether a configuration is asked about new pods and is one of Istio's. */
function isInjector(configuration: K8sObject): boolean {
  const asksForPods = listAt(configuration, 'webhooks').some((webhook) =>
    listAt(webhook, 'rules').some((rule) => listAt(rule, 'resources').includes('pods')),
  );
  return asksForPods && labelsOf(configuration)['app'] === 'sidecar-injector';
}

const INJECTION_LABELS = ['istio-injection', 'istio.io/rev', 'istio.io/dataplane-mode'];

function injectionLabels(namespace: K8sObject | undefined): string {
  const labels = stringMap(mapAt(namespace, 'metadata', 'labels'));
  const given = INJECTION_LABELS.filter((key) => labels[key] !== undefined).map(
    (key) => `${key}=${labels[key]}`,
  );
  return given.length === 0 ? 'has no label that asks for injection' : `has ${given.join(', ')}`;
}

/** A finding about an object of the cluster, not about a place in a file. */
function findingOf(name: DiagnosticName, cause: string, remedy: string): Diagnostic {
  return diagnose(name, { path: [], cause, remedy });
}

function printed(objects: readonly K8sObject[], output: InjectOptions['output']): string {
  if (output === 'yaml') return objects.map(printYaml).join('---\n');
  const [first, second] = objects;
  const whole =
    first !== undefined && second === undefined ? first : { apiVersion: 'v1', kind: 'List', items: objects };
  return `${JSON.stringify(whole, null, 2)}\n`;
}
