/**
 * Injection webhooks as they stand in a plan or in a cluster: whose pods they reach, by which istiod, and where two of
 * them reach the same pod (upstream's finding IST0139). Written by us, by istioctl or by Helm; all label them alike.
 */
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { at, isJsonObject, listAt, mapAt, stringAt } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';
import { labelsOf, stringMap } from '../../model/object.ts';

/** Selects the injection webhooks of a cluster, those of tags included. */
export const INJECTOR_SELECTOR = 'app=sidecar-injector';

const REVISION_LABEL = 'istio.io/rev';
const TAG_LABEL = 'istio.io/tag';
/** The revision without a name, as labels spell it; also the tag of pods that name no revision. */
export const DEFAULT_REVISION = 'default';

export function isInjector(object: K8sObject): boolean {
  return object.kind === 'MutatingWebhookConfiguration' && labelsOf(object)['app'] === 'sidecar-injector';
}

/** The revision tag that a webhook configuration stands for; undefined for a revision's own. */
export function tagOf(injector: K8sObject): string | undefined {
  return labelsOf(injector)[TAG_LABEL];
}

/** The revision that serves, or that a tag points to; `default` for the one without a name. */
export function revisionOfInjector(injector: K8sObject): string {
  return labelsOf(injector)[REVISION_LABEL] ?? DEFAULT_REVISION;
}

/** Tells whether it is the injector of the revision without a name. */
export function isUnnamed(injector: K8sObject): boolean {
  return tagOf(injector) === undefined && revisionOfInjector(injector) === DEFAULT_REVISION;
}

/** Whom a webhook calls: a URL, or `namespace/service`. */
function targetOf(webhook: JsonValue | undefined): string {
  const url = stringAt(webhook, 'clientConfig', 'url');
  if (url !== undefined && url !== '') return url;
  const service = mapAt(webhook, 'clientConfig', 'service');
  return `${stringAt(service, 'namespace') ?? ''}/${stringAt(service, 'name') ?? ''}`;
}

/** The one whom all webhooks of a configuration call; the first one's where they differ. */
export function targetOfInjector(injector: K8sObject): string {
  return targetOf(listAt(injector, 'webhooks')[0]);
}

const NEVER: JsonObject = { matchLabels: { 'istio.io/deactivated': 'never-match' } };

/**
 * The same configuration reaching no pod: what the revision without a name gets while a tag `default` serves in its
 * place. It stays, so that the way back is one write. The label is upstream's.
 */
export function deactivated(injector: K8sObject): K8sObject {
  const webhooks = listAt(injector, 'webhooks').map((webhook) =>
    isJsonObject(webhook) ? { ...webhook, namespaceSelector: NEVER, objectSelector: NEVER } : webhook,
  );
  return { ...injector, webhooks };
}

/** Tells whether a configuration reaches any pod at all. */
export function isActive(injector: K8sObject): boolean {
  return activeWebhooks(injector).length > 0;
}

function activeWebhooks(injector: K8sObject): readonly JsonValue[] {
  return listAt(injector, 'webhooks').filter(
    (webhook) => at(webhook, 'namespaceSelector', 'matchLabels', 'istio.io/deactivated') !== 'never-match',
  );
}

/** The same configuration with every webhook calling whom another configuration calls, certificate authority included. */
export function callingAs(injector: K8sObject, other: K8sObject): K8sObject {
  const clientConfig = at(other, 'webhooks', 0, 'clientConfig');
  if (!isJsonObject(clientConfig)) return injector;
  const webhooks = listAt(injector, 'webhooks').map((webhook) =>
    isJsonObject(webhook) ? { ...webhook, clientConfig } : webhook,
  );
  return { ...injector, webhooks };
}

/** The certificate authority by which the API server knows whom a configuration calls; undefined when it has none. */
export function authorityOf(injector: K8sObject | undefined): string | undefined {
  const bundle = stringAt(injector, 'webhooks', 0, 'clientConfig', 'caBundle');
  return bundle === '' ? undefined : bundle;
}

/** The same configuration with an authority in each webhook that has none. */
export function withAuthority(injector: K8sObject, caBundle: string | undefined): K8sObject {
  if (caBundle === undefined) return injector;
  const webhooks = listAt(injector, 'webhooks').map((webhook) =>
    isJsonObject(webhook)
      ? { ...webhook, clientConfig: { caBundle, ...mapAt(webhook, 'clientConfig') } }
      : webhook,
  );
  return { ...injector, webhooks };
}

/** Everything that decides which pods a configuration reaches, and by whom; equal for two that reach the same. */
export function reachOf(injector: K8sObject): JsonObject {
  const webhooks = listAt(injector, 'webhooks').map((webhook) => ({
    target: targetOf(webhook),
    namespaces: mapAt(webhook, 'namespaceSelector'),
    pods: mapAt(webhook, 'objectSelector'),
  }));
  return { tag: tagOf(injector) ?? null, revision: revisionOfInjector(injector), webhooks };
}

/** Tells whether some pod is reached by both, and by different control planes. Calling one istiod twice is harmless. */
export function overlap(left: K8sObject, right: K8sObject): boolean {
  return activeWebhooks(left).some((one) =>
    activeWebhooks(right).some(
      (other) =>
        targetOf(one) !== targetOf(other) &&
        isSatisfiable([mapAt(one, 'namespaceSelector'), mapAt(other, 'namespaceSelector')]) &&
        isSatisfiable([mapAt(one, 'objectSelector'), mapAt(other, 'objectSelector')]),
    ),
  );
}

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/**
 * Tells whether labels exist that all selectors select. Keys do not depend on each other, so each is decided alone; of
 * an unknown operator nothing is assumed.
 */
function isSatisfiable(selectors: readonly JsonObject[]): boolean {
  const byKey = Map.groupBy(selectors.flatMap(requirementsOf), ({ key }) => key);
  return [...byKey.values()].every(canAllHold);
}

function canAllHold(requirements: readonly Requirement[]): boolean {
  const values = (operator: string): readonly (readonly string[])[] =>
    requirements
      .filter((requirement) => requirement.operator === operator)
      .map((requirement) => requirement.values);
  const [allowed, forbidden] = [values('In'), new Set(values('NotIn').flat())];
  const mustBeThere = allowed.length > 0 || values('Exists').length > 0;
  if (values('DoesNotExist').length > 0) return !mustBeThere;
  const [first, ...others] = allowed;
  if (first === undefined) return true;
  return first.some((value) => !forbidden.has(value) && others.every((list) => list.includes(value)));
}

function requirementsOf(selector: JsonObject): readonly Requirement[] {
  const labels = Object.entries(stringMap(selector['matchLabels']));
  const expressions = listAt(selector, 'matchExpressions').map((expression) => ({
    key: stringAt(expression, 'key') ?? '',
    operator: stringAt(expression, 'operator') ?? '',
    values: listAt(expression, 'values').filter((value) => typeof value === 'string'),
  }));
  return [...labels.map(([key, value]) => ({ key, operator: 'In', values: [value] })), ...expressions];
}
