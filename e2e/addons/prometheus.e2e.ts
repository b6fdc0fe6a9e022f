/**
 * Prometheus as the operator configures it: the program itself, in the version that is installed, finds fake targets
 * through a real API server with the rights that are rendered for it. Left out, and said so, where it cannot be built.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadAssets } from '../../src/assets/load.ts';
import { createPlanner } from '../../src/core/plan.ts';
import { printYaml, readYaml } from '../../src/core/yaml.ts';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { at, isJsonObject, listAt, mapAt, stringAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { objectsOf } from '../../src/model/plan.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { findFreePort } from '../control-plane/free-port.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { apply } from '../deploy/manifests.ts';
import { eventually } from '../operator/resources.ts';
import { panelQueries, variableQueries } from './dashboard-queries.ts';
import { startTargets } from './fake-targets.ts';
import type { FakeTargets } from './fake-targets.ts';
import { CHOICES, STORY_NAMESPACE, TARGETS } from './mesh-story.ts';
import { prometheusPrograms } from './prometheus-programs.ts';
import type { PrometheusPrograms } from './prometheus-programs.ts';
import { startPrometheus } from './prometheus-server.ts';
import type { Answer, PrometheusServer } from './prometheus-server.ts';

const search = await prometheusPrograms();
if (search.kind === 'found') {
  describe('Prometheus, as installed', () => checkPrometheus(search.programs));
} else {
  console.log(`Prometheus cannot be built, so what it would scrape is not checked: ${search.reason}`);
}

/** Long enough for four scrapes, as Grafana has it. */
const RATE_INTERVAL = '4s';

const ALERTS = [
  'IstioConfigRejected',
  'IstioOperatorNotReady',
  'IstioPushErrors',
  'IstioRootCertificateExpires',
  'IstioVersionSkew',
];

function checkPrometheus(programs: PrometheusPrograms): void {
  let plane: ControlPlane;
  let folder: string;
  let targets: FakeTargets;
  let prometheus: PrometheusServer;

  before(async () => {
    plane = await sharedControlPlane();
    folder = await mkdtemp(join(tmpdir(), 'prometheus-e2e-'));
    const objects = await renderedObjects();
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: STORY_NAMESPACE } };
    for (const object of [namespace, ...objects.filter(({ kind }) => RIGHTS.has(kind))])
      await apply(plane.api, object);
    const port = await findFreePort();
    await writeAccount(plane, folder);
    await writeConfiguration(objects, { plane, folder, port });
    targets = await startTargets(plane.api);
    prometheus = await startPrometheus({ program: programs.prometheus, folder, port });
  });

  after(async () => {
    await prometheus.stop();
    await targets.stop();
    await plane.api.request('DELETE', `/api/v1/namespaces/${STORY_NAMESPACE}`);
    for (const kind of ['clusterroles', 'clusterrolebindings'])
      await plane.api.request('DELETE', `/apis/rbac.authorization.k8s.io/v1/${kind}/${ROLE}`);
    await rm(folder, { recursive: true });
  });

  it('finds every part of the mesh once, and collects its metrics', async () => {
    const expected = TARGETS.map(({ job, pod }) => `${job} ${pod}`).toSorted();

    const found = await eventually('all targets are up', async () => {
      const up = await prometheus.query(`up{namespace="${STORY_NAMESPACE}"} == 1`);
      const names = up.map(({ labels }) => `${labels['job']} ${labels['pod']}`).toSorted();
      return names.length >= expected.length ? names : undefined;
    });

    expect(found).to.deep.equal(expected);
    const others = await eventually('the kubelet and Prometheus itself are up', async () => {
      const up = await prometheus.query('up{job=~"kubernetes-cadvisor|prometheus"} == 1');
      return up.length === 2 ? up : undefined;
    });
    expect(others.map(({ labels }) => labels['job'])).to.have.members(['kubernetes-cadvisor', 'prometheus']);
  });

  it('keeps the namespace that the operator reports of a resource apart from its own', async () => {
    const ready = await prometheus.query('istio_operator_resource_ready');

    expect(ready.map(({ labels }) => `${labels['namespace']}/${labels['name']}`)).to.deep.equal([
      'istio-system/demo',
    ]);
  });

  it('has data for every query of the dashboards', async () => {
    const silent = await eventually('every query has data', async () => {
      const without = await queriesWithoutData(prometheus);
      return without.length === 0 ? without : undefined;
    }).catch(async () => queriesWithoutData(prometheus));

    expect(silent).to.deep.equal([]);
  });

  it('has values to choose from for every variable of the dashboards', async () => {
    for (const { name, selector, label } of variableQueries()) {
      const query = new URLSearchParams({ 'match[]': selector }).toString();
      const values = await prometheus.get(`label/${label}/values?${query}`);
      expect(values, name).to.include(CHOICES[name]);
    }
  });

  it('fires no alert while all is well', async () => {
    const { groups } = mapAt(await prometheus.get('rules'));

    expect(listAt(groups, 0, 'rules').map((rule) => at(rule, 'health'))).to.deep.equal(
      Array.from({ length: 6 }, () => 'ok'),
    );
    expect(await firing(prometheus)).to.deep.equal([]);
  });

  it('fires each alert on its fault', async () => {
    const growing = (seconds: number): number => 10 * seconds;
    targets.change('istiod-0', [
      { name: 'pilot_total_xds_rejects', labels: { type: 'lds' }, value: growing },
      { name: 'pilot_total_xds_internal_errors', labels: {}, value: growing },
      {
        name: 'citadel_server_root_cert_expiry_timestamp',
        labels: {},
        value: () => Date.now() / 1000 + 86_400,
      },
    ]);
    for (const [pod, tag] of [
      ['front', '1.29.6'],
      ['ratings', '1.28.10'],
    ] as const)
      targets.change(pod, [{ name: 'istio_build', labels: { component: 'proxy', tag }, value: () => 1 }]);
    const demo = { namespace: 'istio-system', name: 'demo' };
    targets.change('istio-operator', [
      { name: 'istio_operator_resource_ready', labels: demo, value: () => 0 },
    ]);

    const fired = await eventually('the alerts fire', async () => {
      const names = await firing(prometheus);
      return names.length >= ALERTS.length ? names : undefined;
    });
    expect(fired).to.deep.equal(ALERTS);

    await targets.silence('istiod');
    await eventually('istiod is missed', async () => (await firing(prometheus)).includes('IstiodDown'));
  });
}

const ROLE = `istio-addon-prometheus-${STORY_NAMESPACE}`;
const RIGHTS: ReadonlySet<string> = new Set(['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding']);
const MOUNTED = '/var/run/secrets/kubernetes.io/serviceaccount';

async function renderedObjects(): Promise<readonly K8sObject[]> {
  const addonComponents = { prometheus: { enabled: true, namespace: STORY_NAMESPACE } };
  const result = createPlanner(await loadAssets())({
    layers: [{ spec: { addonComponents }, source: 'test' }],
    facts: { kubernetesVersion: 'v1.34.4' },
  });
  if (result.kind === 'invalid') throw new Error(JSON.stringify(result.diagnostics));
  const { components } = result.plan;
  return objectsOf({
    ...result.plan,
    components: components.filter(({ component }) => component === 'Prometheus'),
  });
}

/** What Kubernetes would mount into the pod: a token of the rendered account, and whom to trust. */
async function writeAccount(plane: ControlPlane, folder: string): Promise<void> {
  const path = `/api/v1/namespaces/${STORY_NAMESPACE}/serviceaccounts/prometheus/token`;
  const { body } = await plane.api.request('POST', path, { spec: {} });
  await mkdir(join(folder, 'account'));
  await writeFile(join(folder, 'account', 'token'), stringAt(body, 'status', 'token') ?? '', { mode: 0o600 });
  await writeFile(join(folder, 'account', 'ca.crt'), plane.certificateAuthority);
}

interface Place {
  readonly plane: ControlPlane;
  readonly folder: string;
  readonly port: number;
}

/** The files as rendered, but faster, and told where the API server is, since this is no pod. */
async function writeConfiguration(objects: readonly K8sObject[], place: Place): Promise<void> {
  const { folder } = place;
  const files = objects.find(({ kind }) => kind === 'ConfigMap');
  const account = join(folder, 'account');
  const text = (stringAt(files, 'data', 'prometheus.yml') ?? '')
    .replaceAll(MOUNTED, account)
    .replaceAll('/etc/config', folder)
    .replaceAll('localhost:9090', `127.0.0.1:${place.port}`);
  const config = mapAt(readYaml(text));
  const faster = {
    ...config,
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    scrape_configs: listAt(config, 'scrape_configs').map((job) => outOfCluster(job, place)),
  };
  await writeFile(join(folder, 'prometheus.yml'), printYaml(faster));
  // Alerts wait, so that a passing fault wakes nobody up; the durations are tried in prometheus.conformance.ts.
  const rules = (stringAt(files, 'data', 'rules.yml') ?? '')
    .replaceAll(/for: \d+[mh]/gu, 'for: 1s')
    .replaceAll('[5m]', '[5s]');
  await writeFile(join(folder, 'rules.yml'), rules);
}

function outOfCluster(job: JsonValue, { plane, folder }: Place): JsonValue {
  if (!isJsonObject(job) || job['kubernetes_sd_configs'] === undefined) return job;
  const access: JsonObject = {
    api_server: plane.server,
    authorization: { credentials_file: join(folder, 'account', 'token') },
    tls_config: { ca_file: join(folder, 'account', 'ca.crt') },
  };
  const discoveries = listAt(job, 'kubernetes_sd_configs').map((discovery) => ({
    ...mapAt(discovery),
    ...access,
  }));
  return { ...job, kubernetes_sd_configs: discoveries };
}

async function queriesWithoutData(prometheus: PrometheusServer): Promise<readonly string[]> {
  const asked = panelQueries(RATE_INTERVAL).map(async ({ name, expression }) => {
    const answers = await prometheus.query(expression);
    return answers.some(hasNumber) ? [] : [name];
  });
  return (await Promise.all(asked)).flat();
}

function hasNumber({ points }: Answer): boolean {
  return points.some(([, value]) => Number.isFinite(value));
}

async function firing(prometheus: PrometheusServer): Promise<readonly string[]> {
  const alerts = await prometheus.query('count by (alertname) (ALERTS{alertstate="firing"})');
  return alerts.map(({ labels }) => labels['alertname'] ?? '').toSorted();
}
