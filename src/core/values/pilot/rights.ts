/** Who istiod is to the API server, and what it may do. */
import type { JsonObject, JsonValue } from '../../../model/json.ts';
import { textOf, truthy } from '../../go-values.ts';
import { RELEASE_NAME, standardLabels, withRevision } from '../labels.ts';
import type { Manifest } from '../manifest.ts';
import { sharedManifest } from '../manifest.ts';
import { pullSecrets } from '../reader.ts';
import type { Istiod } from './istiod.ts';
import { GATEWAY_CONTROLLER_RULES, ISTIOD_RULES, istiodClusterRules, readerRules } from './rules.ts';

/** istiod's account. */
export function accountManifest({ v, name, istioNamespace, standard }: Istiod): Manifest {
  return sharedManifest('service-account', {
    name,
    namespace: istioNamespace,
    labels: { app: 'istiod', release: RELEASE_NAME, ...standard },
    annotations: v.whenSet('serviceAccountAnnotations'),
    imagePullSecrets: pullSecrets(v.list('global', 'imagePullSecrets')),
  });
}

interface Grant {
  readonly name: string;
  readonly labels: JsonObject;
  readonly rules: readonly JsonObject[];
  readonly account: string;
  /** Without it, the control plane's. */
  readonly accountNamespace?: string;
}

/** Rights in the control plane's namespace. */
export function roleManifests({ name, istioNamespace, standard }: Istiod): readonly Manifest[] {
  const labels = { app: 'istiod', release: RELEASE_NAME, ...standard };
  const view = {
    name,
    namespace: istioNamespace,
    labels,
    rules: ISTIOD_RULES,
    account: name,
    accountNamespace: istioNamespace,
  };
  return [sharedManifest('role', view), sharedManifest('role-binding', view)];
}

function clusterGrant({ istioNamespace }: Istiod, grant: Grant): readonly Manifest[] {
  const view = { accountNamespace: istioNamespace, ...grant, role: grant.name, annotations: null };
  return [sharedManifest('cluster-role', view), sharedManifest('cluster-role-binding', view)];
}

function clusterName(istiod: Istiod, stem: string): string {
  return `${withRevision(stem, istiod.revision)}-${istiod.input.namespace}`;
}

/** Rights in the whole cluster: istiod's own, and those of its gateway controller unless that is switched off. */
export function clusterRoleManifests(istiod: Istiod): readonly Manifest[] {
  const { v, name, standard } = istiod;
  const labels = { app: 'istiod', release: RELEASE_NAME, ...standard };
  const switchedOff = [false, 'false'].includes(
    textOrBoolean(v.any('env', 'PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER')),
  );
  const istiodGrant = {
    name: clusterName(istiod, 'istiod-clusterrole'),
    labels,
    rules: istiodClusterRules(v, istiod.input.release),
    account: name,
  };
  const gatewayGrant = {
    name: clusterName(istiod, 'istiod-gateway-controller'),
    labels,
    rules: GATEWAY_CONTROLLER_RULES,
    account: name,
  };
  return [...clusterGrant(istiod, istiodGrant), ...(switchedOff ? [] : clusterGrant(istiod, gatewayGrant))];
}

function textOrBoolean(value: JsonValue): string | boolean {
  return typeof value === 'boolean' ? value : textOf(value);
}

/** The account of readers: the base component's, or one that the user brings. */
function readerAccountOf({ input, v }: Istiod): Pick<Grant, 'account' | 'accountNamespace'> {
  const own = v.map('global', 'readerServiceAccount');
  if (!input.release.features.has('readerAccount') || !truthy(own['name']))
    return { account: 'istio-reader-service-account' };
  const account = textOf(own['name']);
  return truthy(own['namespace']) ? { account, accountNamespace: textOf(own['namespace']) } : { account };
}

/** What an istiod in another cluster may read here. */
export function readerManifests(istiod: Istiod): readonly Manifest[] {
  const labels = {
    app: 'istio-reader',
    release: RELEASE_NAME,
    ...standardLabels(istiod.input.release),
    'app.kubernetes.io/name': 'istio-reader',
  };
  return clusterGrant(istiod, {
    name: clusterName(istiod, 'istio-reader-clusterrole'),
    labels,
    rules: readerRules(istiod.v, istiod.input.release),
    ...readerAccountOf(istiod),
  });
}
