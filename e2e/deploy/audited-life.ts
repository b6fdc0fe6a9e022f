/**
 * One life of the operator in which it uses all of its rights, with each of the roles that scripts/rights.ts knows in a
 * namespace of its own: where two roles allow the same request, it can't be told which of them is needed.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { JsonObject } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { MONITORING_DEFINITIONS } from '../addons/monitoring-definitions.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { userNameOf } from '../faults/service-accounts.ts';
import { eventually, readObject, Resources } from '../operator/resources.ts';
import { ATTACHMENTS } from './attachments.ts';
import type { Grant } from './granted-rights.ts';
import { accept, pathOf } from './manifests.ts';
import { usesIn } from './used-rights.ts';

export const OPERATOR = { namespace: 'istio-operator', name: 'istio-operator' };
const OPERATOR_USER = userNameOf(OPERATOR);

/** Namespaces that deploy/ does not open; for `npm run rights`, as docs/security.md tells. */
export const OPENED: readonly string[] = [
  'mesh=control-plane',
  'istio-ingress=gateways',
  'kube-system=node-agents',
  'default=network-attachments',
  'telemetry=addons',
  'plans=reports',
].flatMap((namespace) => ['--namespace', namespace]);

/** The control plane that deploy/ does not cover. */
export const SECOND_CONTROL_PLANE = ['--istio-namespace', 'mesh', '--revision', 'canary', '--tag', 'prod'];

/** Those that are not there by themselves. */
const NAMESPACES = ['istio-system', 'mesh', 'istio-ingress', 'telemetry', 'plans'];

const VOLUME: K8sObject = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: 'audited' },
  spec: {
    storageClassName: 'audited',
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    hostPath: { path: '/nowhere' },
  },
};

const ADDONS = ['prometheus', 'grafana', 'kiali'];

/** What each control plane has only when it is asked for. */
const NETWORK_POLICY = { networkPolicy: { enabled: true } };
const EXTRAS = { experimental: { stableValidationPolicy: true }, global: NETWORK_POLICY };

interface Wanted {
  readonly tag: string;
  readonly prometheus: JsonObject;
  readonly revisionTags: readonly string[];
}

/** The default control plane with everything: ambient beside gateways, and addons that keep their data. */
function mesh({ tag, prometheus, revisionTags }: Wanted): JsonObject {
  return {
    profile: 'observability',
    tag,
    components: {
      ingressGateways: [{ name: 'istio-ingressgateway', enabled: true, namespace: 'istio-ingress' }],
      cni: { enabled: true, namespace: 'kube-system' },
      ztunnel: { enabled: true, namespace: 'kube-system' },
    },
    addonComponents: { prometheus },
    values: {
      ...EXTRAS,
      defaultRevision: 'default',
      cni: { ambient: { enabled: true }, provider: 'multus', resourceQuotas: { enabled: true } },
      // Only OpenShift wants a cluster role for it.
      ztunnel: { resourceQuotas: { enabled: true }, platform: 'openshift' },
      gateways: { 'istio-ingressgateway': { autoscaleEnabled: true, autoscaleMin: 2 } },
      revisionTags,
    },
  };
}

const BEFORE = {
  tag: '1.29.6',
  prometheus: { enabled: true, storage: { size: '1Gi', className: 'audited' } },
};
const AFTER = { tag: '1.30.3', prometheus: { enabled: true, mode: 'monitors' } };

/** A revision in a namespace of its own, its addons in another one. */
function canary(): JsonObject {
  return {
    profile: 'minimal',
    revision: 'canary',
    components: { base: { enabled: false } },
    addonComponents: Object.fromEntries(
      ADDONS.map((name) => [name, { enabled: true, namespace: 'telemetry' }]),
    ),
    values: {
      ...EXTRAS,
      global: { ...NETWORK_POLICY, istioNamespace: 'mesh' },
      revisionTags: ['prod'],
      pilot: { autoscaleEnabled: true, autoscaleMin: 2 },
    },
  };
}

/** The same revision, served from elsewhere. */
const REMOTE: JsonObject = {
  profile: 'remote',
  revision: 'canary',
  components: { base: { enabled: false } },
  values: { global: { istioNamespace: 'mesh', remotePilotAddress: '10.1.2.3' } },
};

const GATEWAY = namespaced('v1', 'Service', 'istio-ingress', 'istio-ingressgateway');
const ISTIOD = namespaced('apps/v1', 'Deployment', 'istio-system', 'istiod');

/** What the operator lists to tell why pods do not run, where it has the right. */
const TELLING: ReadonlySet<string> = new Set(['pods', 'events']);

/**
 * One namespace for each role that may do so. No pod can be made there before the operator has asked why there is none:
 * how fast pods become ready must not decide what it asks.
 */
const HELD_UP = ['mesh', 'istio-ingress', 'kube-system', 'telemetry'];

function noPods(namespace: string): K8sObject {
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'no-pods', namespace },
    spec: { hard: { pods: '0' } },
  };
}

/** Applies what a resource needs and a hardened operator leaves to an administrator. */
export type Administrator = (resource: K8sObject) => Promise<void>;

export class AuditedLife {
  readonly #plane: ControlPlane;
  readonly #administrator: Administrator;
  readonly #defaultTags: readonly string[];
  readonly #looks: readonly Grant[];
  readonly #places: Readonly<Record<'istio-system' | 'mesh' | 'plans', Resources>>;

  /** With an administrator it is the life of a hardened operator, which has nothing to do with tags. */
  constructor(plane: ControlPlane, grants: readonly Grant[], administrator?: Administrator) {
    this.#plane = plane;
    this.#looks = grants.filter(({ verb, resource }) => verb === 'list' && TELLING.has(resource));
    this.#administrator = administrator ?? (async () => undefined);
    this.#defaultTags = administrator === undefined ? ['default'] : [];
    const place = (namespace: string): Resources => new Resources(plane, namespace);
    this.#places = { 'istio-system': place('istio-system'), mesh: place('mesh'), plans: place('plans') };
  }

  /** Makes what the operator may not make itself: namespaces, foreign kinds and a volume. */
  async prepare(): Promise<void> {
    for (const name of NAMESPACES)
      await accept(this.#plane.api, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    for (const object of [...MONITORING_DEFINITIONS, ATTACHMENTS, VOLUME])
      await accept(this.#plane.api, object);
    for (const namespace of HELD_UP) await accept(this.#plane.api, noPods(namespace));
    for (const resources of Object.values(this.#places)) await resources.prepare();
  }

  /** What broke a status. */
  get unsound(): readonly string[] {
    return Object.values(this.#places).flatMap(({ unsound }) => unsound);
  }

  /** A first version, a revision beside it, and a plan that is only told. */
  async install(): Promise<void> {
    const { 'istio-system': first, mesh: second, plans } = this.#places;
    await plans.apply('plan', { profile: 'empty' }, { 'install.istio.io/dry-run': 'true' });
    await this.#administrator(await first.apply('mesh', this.#mesh(BEFORE)));
    await this.#administrator(await second.apply('canary', canary()));
    await Promise.all(HELD_UP.map(async (namespace) => this.#letPodsBeMade(namespace)));
    await first.until('mesh', 'HEALTHY');
    await second.until('canary', 'HEALTHY');
  }

  async #letPodsBeMade(namespace: string): Promise<void> {
    const looks = this.#looks.filter(({ places }) => places.some((place) => place.namespace === namespace));
    await eventually(`the pods in ${namespace} are asked for`, async () => {
      const uses = usesIn(await readFile(this.#plane.auditLogPath ?? '', 'utf8'), OPERATOR_USER);
      const done = uses.filter((use) => use.verb === 'list' && use.namespace === namespace);
      const isAsked = looks.every(({ resource }) => done.some((use) => use.resource === resource));
      if (!isAsked) await delay(500);
      return isAsked;
    });
    await this.#plane.api.request('DELETE', pathOf(noPods(namespace)));
  }

  /** Things that are undone, and one that is not because the resource is paused. */
  async disturb(): Promise<void> {
    const { 'istio-system': first } = this.#places;
    const spec = this.#mesh(BEFORE);
    await this.#edit(ISTIOD, { metadata: { labels: { app: 'edited' } } });
    await this.#plane.api.request('DELETE', pathOf(GATEWAY));
    await eventually('the Service is made again', async () => readObject(this.#plane, GATEWAY));
    await first.until('mesh', 'HEALTHY');
    await first.apply('mesh', spec, { 'install.istio.io/ignoreReconcile': 'true' });
    await this.#edit(ISTIOD, { spec: { revisionHistoryLimit: 3 } });
    await first.apply('mesh', spec);
  }

  /** The next line; what is no longer asked for goes. */
  async change(): Promise<void> {
    const { 'istio-system': first, mesh: second, plans } = this.#places;
    await plans.apply('plan', { profile: 'empty' });
    await this.#administrator(await first.apply('mesh', this.#mesh(AFTER)));
    await this.#administrator(await second.apply('canary', REMOTE));
    await first.until('mesh', 'HEALTHY');
    await second.until('canary', 'HEALTHY');
    await eventually('the report is withdrawn', async () => {
      const report = namespaced('v1', 'ConfigMap', 'plans', 'istio-operator-plan-plan');
      return (await readObject(this.#plane, report)) === undefined;
    });
  }

  async remove(): Promise<void> {
    for (const resources of Object.values(this.#places)) await resources.clear();
  }

  #mesh(wanted: Omit<Wanted, 'revisionTags'>): JsonObject {
    return mesh({ ...wanted, revisionTags: this.#defaultTags });
  }

  async #edit(object: K8sObject, change: JsonObject): Promise<void> {
    const path = `${pathOf(object)}?fieldManager=kubectl-edit`;
    const { status } = await this.#plane.api.request('PATCH', path, change, 'application/merge-patch+json');
    if (status !== 200) throw new Error(`an edit was answered with ${status}`);
  }
}

function namespaced(apiVersion: string, kind: string, namespace: string, name: string): K8sObject {
  return { apiVersion, kind, metadata: { namespace, name } };
}
