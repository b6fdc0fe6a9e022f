/** `istio-operator tag`: revision tags, for those who keep no resource that says them. */
import { appliedForm } from '../apply/applied-form.ts';
import { pollUntil } from '../apply/run.ts';
import {
  callingAs,
  deactivated,
  DEFAULT_REVISION,
  isActive,
  revisionOfInjector,
  tagOf,
  targetOfInjector,
} from '../core/objects/injectors.ts';
import { printYaml } from '../core/yaml.ts';
import { isJsonObject, listAt, stringAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { labelsOf, refOf } from '../model/object.ts';
import { EXIT, failure } from './command-error.ts';
import type { Injectors } from './control-planes.ts';
import { injectorsOf, keeperOf, NAMESPACES, namespacesOf, revisionNames } from './control-planes.ts';
import type { ClusterChoice, CommandCluster, CommandEnvironment } from './environment.ts';
import { confirm, withConnection } from './session.ts';
import { counted, table } from './table.ts';
import type { TagObjects } from './tag-objects.ts';
import { companionRefs, namespaceOfIstiod, tagObjects } from './tag-objects.ts';

export interface TagTarget extends ClusterChoice {
  readonly revision: string;
  readonly webhookName?: string;
  readonly autoInjectNamespaces: boolean;
  readonly overwrite: boolean;
}

export interface TagSetOptions extends TagTarget {
  readonly skipConfirmation: boolean;
}

export interface TagRemoveOptions extends ClusterChoice {
  readonly skipConfirmation: boolean;
}

export interface TagListOptions extends ClusterChoice {
  readonly output: 'table' | 'yaml' | 'json';
}

/** What a command about one tag works with. */
interface Work {
  readonly environment: CommandEnvironment;
  readonly cluster: CommandCluster;
  readonly tag: string;
}

/**
 * Makes a tag, or points it to another revision. At no moment do two control planes inject into a pod that names the
 * tag, and at none does nobody.
 */
export async function setTag(
  environment: CommandEnvironment,
  tag: string,
  options: TagSetOptions,
): Promise<number> {
  return withConnection(environment, options, async ({ cluster }) => {
    const { terminal, signal } = environment;
    const work: Work = { environment, cluster, tag };
    const injectors = await injectorsOf(cluster, signal);
    const objects = await requested(work, injectors, options);
    const present = injectors.tags.find((injector) => tagOf(injector) === tag);
    await refuseTaken(work, present, options);
    if (present !== undefined && !options.skipConfirmation)
      await confirmMove(work, present, options.revision);
    await replacePredecessor(work, objects.injector, injectors);
    for (const object of [objects.injector, ...objects.companions]) await write(work, object);
    terminal.say(terminal.style('green', `Revision tag "${tag}" points to revision "${options.revision}".`));
    terminal.say(hintOf(tag));
    return EXIT.ok;
  });
}

/** Prints what `set` would apply. */
export async function generateTag(
  environment: CommandEnvironment,
  tag: string,
  options: TagTarget,
): Promise<number> {
  return withConnection(environment, options, async ({ cluster }) => {
    const work: Work = { environment, cluster, tag };
    const injectors = await injectorsOf(cluster, environment.signal);
    const { injector, companions } = await requested(work, injectors, options);
    const documents = [injector, ...companions].map((object) => printYaml(appliedForm(object)));
    environment.terminal.print(documents.join('---\n'));
    return EXIT.ok;
  });
}

/** Takes a tag away. Pods that name it are not injected any more when they are made anew. */
export async function removeTag(
  environment: CommandEnvironment,
  tag: string,
  options: TagRemoveOptions,
): Promise<number> {
  return withConnection(environment, options, async ({ cluster }) => {
    const { terminal, signal } = environment;
    const { tags } = await injectorsOf(cluster, signal);
    const present = tags.find((injector) => tagOf(injector) === tag);
    if (present === undefined) throw noSuchTag(tag, tags);
    await refuseKept({ environment, cluster, tag }, present);
    const users = namespacesOf(tag, await cluster.list(NAMESPACES, { signal }));
    if (users.length > 0)
      terminal.say(`Namespaces that still use it: ${users.join(', ')}. Their new pods will not be injected.`);
    if (!options.skipConfirmation) await confirm(environment, `Remove the revision tag "${tag}"?`);
    await cluster.delete(refOf(present), { signal });
    await deleteCompanions({ environment, cluster, tag }, present);
    terminal.say(terminal.style('green', `Revision tag "${tag}" is removed.`));
    return EXIT.ok;
  });
}

interface TagRow {
  readonly tag: string;
  readonly revision: string;
  /** Whether the revision is there. */
  readonly state: 'serving' | 'dangling';
  readonly namespaces: readonly string[];
}

/** Prints all tags, whoever keeps them, with the namespaces that use them. */
export async function listTags(environment: CommandEnvironment, options: TagListOptions): Promise<number> {
  const rows = await withConnection(environment, options, async ({ cluster }) => {
    const { signal } = environment;
    const [injectors, namespaces] = await Promise.all([
      injectorsOf(cluster, signal),
      cluster.list(NAMESPACES, { signal }),
    ]);
    return injectors.tags.map((injector) => rowOf(injector, injectors, namespaces)).toSorted(byTag);
  });
  environment.terminal.print(PRINTERS[options.output](rows));
  return EXIT.ok;
}

const PRINTERS: Readonly<Record<TagListOptions['output'], (rows: readonly TagRow[]) => string>> = {
  table: (rows) =>
    rows.length === 0
      ? 'There are no revision tags.\n'
      : table([
          ['TAG', 'REVISION', 'STATE', 'NAMESPACES'],
          ...rows.map(({ tag, revision, state, namespaces }) => [tag, revision, state, namespaces.join(',')]),
        ]),
  yaml: (rows) => printYaml(rows.map((row) => ({ ...row }))),
  json: (rows) => `${JSON.stringify(rows, null, 2)}\n`,
};

function rowOf(injector: K8sObject, { canonical }: Injectors, namespaces: readonly K8sObject[]): TagRow {
  const tag = tagOf(injector) ?? '';
  const isServed = canonical.some((other) => targetOfInjector(other) === targetOfInjector(injector));
  return {
    tag,
    revision: revisionOfInjector(injector),
    state: isServed ? 'serving' : 'dangling',
    namespaces: namespacesOf(tag, namespaces),
  };
}

function byTag(left: TagRow, right: TagRow): number {
  if (left.tag === right.tag) return 0;
  return left.tag < right.tag ? -1 : 1;
}

/** The objects of the tag, or a CommandError that says why there can be none. */
async function requested(
  { environment, cluster, tag }: Work,
  injectors: Injectors,
  { revision, webhookName, autoInjectNamespaces }: TagTarget,
): Promise<TagObjects> {
  const names = revisionNames(injectors);
  if (tag !== DEFAULT_REVISION && names.includes(tag)) {
    const remedy = 'Choose another name for the tag.';
    throw failure('tagTaken', `there is a revision of the name "${tag}"`, remedy);
  }
  const found = injectors.canonical.filter((injector) => revisionOfInjector(injector) === revision);
  const [canonical, second] = found;
  if (canonical === undefined || second !== undefined) throw unclearRevision(revision, names, found.length);
  const serviceName = stringAt(canonical, 'webhooks', 0, 'clientConfig', 'service', 'name');
  const ref = { apiVersion: 'v1', kind: 'Service', namespace: namespaceOfIstiod(canonical) };
  const service =
    serviceName === undefined
      ? undefined
      : await cluster.get({ ...ref, name: serviceName }, { signal: environment.signal });
  const named = webhookName === undefined ? {} : { webhookName };
  return tagObjects({ tag, canonical, service, autoInjectNamespaces, ...named });
}

function unclearRevision(revision: string, names: readonly string[], found: number): Error {
  const known = names.length === 0 ? 'No revision is installed.' : `Installed are: ${names.join(', ')}.`;
  if (found === 0) return failure('noSuchRevision', `no revision "${revision}" injects into pods`, known);
  const remedy =
    'Remove those that are left over: kubectl get mutatingwebhookconfigurations -l app=sidecar-injector.';
  return failure('noSuchRevision', `${counted(found, 'webhook')} claim to be revision "${revision}"`, remedy);
}

async function refuseTaken(
  work: Work,
  present: K8sObject | undefined,
  { overwrite }: TagTarget,
): Promise<void> {
  if (present === undefined) return;
  await refuseKept(work, present);
  if (overwrite) return;
  const cause = `revision tag "${work.tag}" points to revision "${revisionOfInjector(present)}" already`;
  throw failure('tagTaken', cause, 'Give --overwrite to move it.');
}

async function refuseKept({ environment, cluster, tag }: Work, present: K8sObject): Promise<void> {
  const keeper = await keeperOf(cluster, present, environment.signal);
  if (keeper === undefined) return;
  throw failure(
    'tagKept',
    `IstioOperator ${keeper} keeps the revision tag "${tag}", and would undo the change`,
    'Change values.revisionTags of the resources: add the tag to the new one, then take it out of this one.',
  );
}

async function confirmMove(
  { environment, cluster, tag }: Work,
  present: K8sObject,
  revision: string,
): Promise<void> {
  const users = namespacesOf(tag, await cluster.list(NAMESPACES, environment));
  const used = users.length === 0 ? 'no namespace uses it' : `used by ${users.join(', ')}`;
  const from = revisionOfInjector(present);
  await confirm(environment, `Move the revision tag "${tag}" from "${from}" to "${revision}" (${used})?`);
}

/** How long the operator has to deactivate an injector that it keeps. */
const HANDOVER_MS = 60_000;

/**
 * The tag `default` takes over from the injector of the revision without a name. First it calls the same istiod, so that
 * both may match; then the injector is deactivated, by the operator where that keeps it.
 */
async function replacePredecessor(work: Work, injector: K8sObject, { canonical }: Injectors): Promise<void> {
  const { environment, cluster } = work;
  const predecessor = canonical.find(
    (other) => revisionOfInjector(other) === DEFAULT_REVISION && isActive(other),
  );
  if (predecessor === undefined || tagOf(injector) !== DEFAULT_REVISION) return;
  await write(work, callingAs(injector, predecessor));
  const keeper = await keeperOf(cluster, predecessor, environment.signal);
  if (keeper === undefined) await write(work, deactivated(predecessor));
  else await untilDeactivated(work, predecessor, keeper);
}

async function untilDeactivated(
  { environment, cluster, tag }: Work,
  predecessor: K8sObject,
  keeper: string,
): Promise<void> {
  const { clock, signal } = environment;
  const polling = { fastMs: 200, fastForMs: 2_000, slowMs: 1_000 };
  const run = { cluster, clock, signal, polling, deadlineMs: clock.nowMs() + HANDOVER_MS };
  const done = await pollUntil(run, async () => {
    const live = await cluster.get(refOf(predecessor), { signal });
    return live === undefined || !isActive(live) ? true : undefined;
  });
  if (done === true) return;
  throw failure(
    'notReadyInTime',
    `IstioOperator ${keeper} has not deactivated ${predecessor.metadata.name}; the tag "${tag}" calls the old istiod until then`,
    'See that the operator runs, and give the command again with --overwrite.',
  );
}

/** What istiod has learnt to do is not taken back: see the table of fields that are left to others. */
async function write({ environment, cluster }: Work, object: K8sObject): Promise<void> {
  const { signal } = environment;
  const live = await cluster.get(refOf(object), { signal });
  const isStrict = stringAt(live, 'webhooks', 0, 'failurePolicy') === 'Fail';
  const isValidator = object.kind === 'ValidatingWebhookConfiguration';
  const kept = isStrict && isValidator ? withPolicy(object) : object;
  await cluster.apply(appliedForm(kept), { signal, force: true });
}

function withPolicy(validator: K8sObject): K8sObject {
  const webhooks = listAt(validator, 'webhooks').map((webhook) =>
    isJsonObject(webhook) ? { ...webhook, failurePolicy: 'Fail' } : webhook,
  );
  return { ...validator, webhooks };
}

/** Only what is labelled as the tag's; the validator may belong to a revision by now. */
async function deleteCompanions({ environment, cluster, tag }: Work, present: K8sObject): Promise<void> {
  const { signal } = environment;
  for (const ref of companionRefs(tag, namespaceOfIstiod(present))) {
    const live = await cluster.get(ref, { signal });
    const isOfTag = live !== undefined && labelsOf(live)['istio.io/tag'] === tag;
    if (isOfTag && (await keeperOf(cluster, live, signal)) === undefined)
      await cluster.delete(ref, { signal });
  }
}

function noSuchTag(tag: string, tags: readonly K8sObject[]): Error {
  const known = tags.map((injector) => tagOf(injector) ?? '').toSorted();
  const remedy = known.length === 0 ? 'There are none.' : `There are: ${known.join(', ')}.`;
  return failure('noSuchTag', `there is no revision tag "${tag}"`, remedy);
}

function hintOf(tag: string): string {
  const label = tag === DEFAULT_REVISION ? 'istio-injection=enabled' : `istio.io/rev=${tag}`;
  return `Namespaces use it by the label ${label}; pods that run are injected anew when they are restarted.`;
}
