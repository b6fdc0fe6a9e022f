import { expect } from 'chai';
import { loadAssets } from '../../../assets/load.ts';
import { printDiagnostic } from '../../../model/diagnostic.ts';
import type { JsonObject, JsonValue } from '../../../model/json.ts';
import { at, isJsonArray, isJsonObject, listAt, stringAt } from '../../../model/json.ts';
import type { K8sObject } from '../../../model/object.ts';
import { displayRef, namespaceOf, refOf } from '../../../model/object.ts';
import type { Plan } from '../../../model/plan.ts';
import { objectsOf } from '../../../model/plan.ts';
import type { Planner } from '../../plan.ts';
import { createPlanner } from '../../plan.ts';
import { readYaml } from '../../yaml.ts';

const ALL: JsonObject = Object.fromEntries(
  ['prometheus', 'grafana', 'kiali', 'tracing', 'loki'].map((name) => [name, { enabled: true }]),
);

describe('telemetry addons', () => {
  let planner: Planner;

  before(async () => {
    planner = createPlanner(await loadAssets());
  });

  function plan(spec: JsonObject, servedKinds?: readonly string[]): Plan {
    const known = servedKinds === undefined ? {} : { servedKinds };
    const result = planner({
      layers: [{ spec, source: 'test' }],
      facts: { kubernetesVersion: 'v1.34.4', ...known },
    });
    if (result.kind === 'invalid') throw new Error(result.diagnostics.map(printDiagnostic).join('\n'));
    return result.plan;
  }

  function objects(addonComponents: JsonObject, more: JsonObject = {}): readonly K8sObject[] {
    return objectsOf(plan({ ...more, addonComponents }));
  }

  it('change nothing unless they say that they are enabled', () => {
    const named = Object.fromEntries(Object.keys(ALL).map((name) => [name, { namespace: 'telemetry' }]));

    expect(objects(named)).to.deep.equal(objectsOf(plan({})));
  });

  it('come after the control plane, and Prometheus before the rest', () => {
    const order = plan({ addonComponents: ALL }).components.map(({ component, after }) => [component, after]);

    expect(order.slice(-5)).to.deep.equal([
      ['Prometheus', ['Base', 'Pilot']],
      ...['Grafana', 'Kiali', 'Tracing', 'Loki'].map((name) => [name, ['Base', 'Pilot', 'Prometheus']]),
    ]);
  });

  it('put no secret into any object', () => {
    const planned = objects(ALL);

    expect(planned.map(({ kind }) => kind)).not.to.include('Secret');
    expect(JSON.stringify(environmentOf(planned, 'grafana'))).not.to.match(
      /"GF_SECURITY_ADMIN_PASSWORD","value"/u,
    );
    expect(stringAt(configOf(planned, 'kiali'), 'login_token', 'signing_key')).to.equal(undefined);
  });

  it("take Grafana's administrator from a Secret that is named, and then make no password", () => {
    const planned = objects({ grafana: { enabled: true, secretName: 'mine' } });
    const grafana = find(planned, 'Deployment', 'grafana');

    expect(at(grafana, 'spec', 'template', 'spec', 'initContainers')).to.equal(undefined);
    expect(environmentOf(planned, 'grafana')).to.deep.include({
      name: 'GF_SECURITY_ADMIN_PASSWORD',
      valueFrom: { secretKeyRef: { name: 'mine', key: 'admin-password' } },
    });
  });

  it('let nobody in without a login unless asked to', () => {
    const closed = objects(ALL);
    const open = objects({ grafana: { enabled: true, anonymousAccess: true } });

    expect(iniOf(closed)).to.contain('enabled = false');
    expect(iniOf(open)).to.contain('enabled = true').and.to.contain('org_role = Viewer');
    expect(stringAt(configOf(closed, 'kiali'), 'auth', 'strategy')).to.equal('token');
  });

  it('render nothing that is external, and point the others at it', () => {
    const url = 'http://prometheus.monitoring:9090';
    const planned = objects({
      prometheus: { enabled: true, mode: 'external', url },
      kiali: { enabled: true },
    });

    expect(planned.filter(({ metadata }) => metadata.name === 'prometheus')).to.deep.equal([]);
    expect(at(configOf(planned, 'kiali'), 'external_services', 'prometheus', 'url')).to.equal(url);
  });

  describe('with monitors in place of a Prometheus', () => {
    const monitors = { prometheus: { enabled: true, mode: 'monitors' } };
    const SERVED = ['ServiceMonitor', 'PodMonitor', 'PrometheusRule'].map(
      (kind) => `monitoring.coreos.com/v1/${kind}`,
    );

    function monitorsOf(addonComponents: JsonObject, servedKinds?: readonly string[]): readonly string[] {
      const { components } = plan({ addonComponents }, servedKinds);
      const prometheus = components.find(({ component }) => component === 'Prometheus');
      return prometheus?.objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`) ?? [];
    }

    it('make one for each part of Istio, and the alerts', () => {
      const expected = [
        'ServiceMonitor istiod',
        'PodMonitor istio-proxies',
        'PodMonitor ztunnel',
        'PodMonitor istio-cni',
        'PodMonitor istio-operator',
        'PrometheusRule istio',
      ];

      expect(monitorsOf(monitors, SERVED)).to.have.members(expected);
      expect(monitorsOf(monitors), 'where nobody knows what is served').to.have.members(expected);
    });

    it('find the same targets under the same labels as the bundled Prometheus', () => {
      const bundled = readYaml(
        stringAt(
          find(objects({ prometheus: { enabled: true } }), 'ConfigMap', 'prometheus'),
          'data',
          'prometheus.yml',
        ) ?? '',
      );
      const job = listAt(bundled, 'scrape_configs').find((entry) => at(entry, 'job_name') === 'ztunnel');
      const ztunnel = find(objects(monitors), 'PodMonitor', 'ztunnel');

      const rules = listAt(ztunnel, 'spec', 'podMetricsEndpoints', 0, 'relabelings');
      expect(rules).to.have.lengthOf(listAt(job, 'relabel_configs').length + 1);
      expect(rules[0]).to.deep.equal({
        action: 'keep',
        sourceLabels: ['__meta_kubernetes_pod_label_app'],
        regex: 'ztunnel',
      });
      expect(rules.at(-1)).to.deep.equal({ action: 'replace', replacement: 'ztunnel', targetLabel: 'job' });
    });

    it('are left out where the cluster does not serve them, and the user is told', () => {
      const partly = [SERVED[0] ?? ''];

      const { warnings, missingKinds } = plan({ addonComponents: monitors }, partly);

      expect(monitorsOf(monitors, partly)).to.deep.equal(['ServiceMonitor istiod']);
      expect(missingKinds).to.deep.equal(['PodMonitor', 'PrometheusRule']);
      expect(warnings.map(printDiagnostic)).to.deep.equal([
        'IOP321 spec.addonComponents.prometheus.mode: the cluster does not serve PodMonitor, PrometheusRule of ' +
          'monitoring.coreos.com/v1, so none is made. Install the Prometheus operator with its definitions, and ' +
          'they are made at once; or use mode: bundled.',
      ]);
    });

    it('say nothing about kinds that nobody asked for', () => {
      expect(plan({ addonComponents: ALL }, []).missingKinds).to.deep.equal([]);
    });

    it('have the labels by which the Prometheus of the cluster selects them', () => {
      const release = { release: 'kube-prometheus-stack' };
      const planned = objects({ prometheus: { ...monitors.prometheus, monitorLabels: release } });

      expect(at(find(planned, 'PrometheusRule', 'istio'), 'metadata', 'labels')).to.deep.include(release);
    });
  });

  it('go to a namespace of their own, where the others find them', () => {
    const planned = objects({ ...ALL, tracing: { enabled: true, namespace: 'traces' } });

    expect(namespaceOf(find(planned, 'Deployment', 'jaeger'))).to.equal('traces');
    expect(providersOf(planned)[0]).to.deep.equal({
      name: 'istio-addon-tracing',
      opentelemetry: { port: 4317, service: 'jaeger-collector.traces.svc.cluster.local' },
    });
  });

  it('point Kiali at the objects of the revision', () => {
    const istio = at(configOf(objects(ALL, { revision: 'canary' }), 'kiali'), 'external_services', 'istio');

    expect(istio).to.deep.include({
      config_map_name: 'istio-canary',
      istiod_deployment_name: 'istiod-canary',
    });
  });

  it('trace to whom an external address names, with zipkin where asked for', () => {
    const tracing = { enabled: true, mode: 'external', protocol: 'zipkin', collector: 'zipkin.obs.svc:9999' };
    const planned = objects({ tracing: { ...tracing, sampling: 5 } });

    expect(providersOf(planned)).to.deep.equal([
      { name: 'istio-addon-tracing', zipkin: { port: 9999, service: 'zipkin.obs.svc' } },
    ]);
    expect(at(find(planned, 'Telemetry', 'istio-addons'), 'spec', 'tracing')).to.deep.equal([
      { providers: [{ name: 'istio-addon-tracing' }], randomSamplingPercentage: 5 },
    ]);
  });

  it('trace to the zipkin address of older releases where nothing newer is said', () => {
    const values = { global: { tracer: { zipkin: { address: 'zipkin.old:9411' } } } };
    const external = { enabled: true, mode: 'external' };

    const providers = [external, { ...external, collector: 'otel.new' }, { enabled: true }].map(
      (tracing) => providersOf(objects({ tracing }, { values }))[0],
    );

    const name = 'istio-addon-tracing';
    expect(providers).to.deep.equal([
      { name, zipkin: { port: 9411, service: 'zipkin.old' } },
      { name, opentelemetry: { port: 4317, service: 'otel.new' } },
      { name, opentelemetry: { port: 4317, service: 'jaeger-collector.istio-system.svc.cluster.local' } },
    ]);
  });

  it('are pulled with the secrets of the installation, each of them', () => {
    const values = { global: { imagePullSecrets: ['registry'] } };
    const { components } = plan({ profile: 'minimal', values, addonComponents: ALL });
    const addons = components.filter(({ component }) => !['Base', 'Pilot'].includes(component));
    const workloads = addons.flatMap(({ objects: own }) => own.filter(({ kind }) => kind === 'Deployment'));

    const secrets = workloads.map((workload) => at(workload, 'spec', 'template', 'spec', 'imagePullSecrets'));
    expect(workloads.map(({ metadata }) => metadata.name)).to.include('access-log-collector');
    expect(secrets).to.deep.equal(workloads.map(() => [{ name: 'registry' }]));
  });

  it('run the helper that is named', () => {
    const planned = objects({ loki: { enabled: true, helperImage: 'registry.corp/otel:9' } });

    expect(imagesIn(planned)).to.include('registry.corp/otel:9');
  });

  it('keep extension providers of the user, and one of the same name as it is', () => {
    const mine = { name: 'mine', zipkin: { service: 'z', port: 1 } };
    const same = { name: 'istio-addon-tracing', zipkin: { service: 'y', port: 2 } };
    const meshConfig = { extensionProviders: [mine, same] };

    const planned = objects({ tracing: { enabled: true } }, { meshConfig });

    expect(providersOf(planned)).to.deep.equal([mine, same]);
  });

  it('make one Telemetry resource for traces and access logs', () => {
    const found = objects(ALL).filter(({ kind }) => kind === 'Telemetry');

    expect(found).to.have.lengthOf(1);
    expect(found[0]?.['spec']).to.have.keys('tracing', 'accessLogging');
  });

  it('come from a mirror under the hub, from their projects otherwise', () => {
    const images = (hub: string): readonly string[] =>
      imagesIn(objects({ prometheus: ALL['prometheus'] ?? {} }, { hub }));

    expect(images('registry.corp/istio')).to.include('registry.corp/istio/prometheus:v3.10.0');
    expect(images('docker.io/istio')).to.include('docker.io/prom/prometheus:v3.10.0');
  });

  it('take a hub and a tag of their own for the main image', () => {
    const settings = { enabled: true, hub: 'mirror.corp/addons', tag: 'v3.11.0' };

    expect(imagesIn(objects({ prometheus: settings }))).to.include.members([
      'mirror.corp/addons/prometheus:v3.11.0',
      'mirror.corp/addons/prometheus-config-reloader:v0.89.0',
    ]);
  });

  it('keep their data on a volume when they are given a size', () => {
    const storage = { size: '10Gi', className: 'fast' };
    const planned = objects({ loki: { enabled: true, storage } });

    expect(find(planned, 'PersistentVolumeClaim', 'loki')['spec']).to.deep.equal({
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      resources: { requests: { storage: '10Gi' } },
    });
    expect(
      listAt(find(planned, 'Deployment', 'loki'), 'spec', 'template', 'spec', 'volumes'),
    ).to.deep.include({
      name: 'storage',
      persistentVolumeClaim: { claimName: 'loki' },
    });
  });

  it('open only the Service that people use to the outside', () => {
    const planned = objects({ tracing: { enabled: true, service: { type: 'LoadBalancer' } } });
    const types = ['tracing', 'zipkin', 'jaeger-collector'].map((name) =>
      at(find(planned, 'Service', name), 'spec', 'type'),
    );

    expect(types).to.deep.equal(['LoadBalancer', 'ClusterIP', 'ClusterIP']);
  });

  it('take the same settings and overlays as other components', () => {
    const k8s = {
      replicaCount: 2,
      overlays: [
        { kind: 'ConfigMap', name: 'kiali', patches: [{ path: 'metadata.labels.team', value: 'mesh' }] },
      ],
    };
    const planned = objects({ kiali: { enabled: true, k8s } });

    expect(at(find(planned, 'Deployment', 'kiali'), 'spec', 'replicas')).to.equal(2);
    expect(at(find(planned, 'ConfigMap', 'kiali'), 'metadata', 'labels', 'team')).to.equal('mesh');
  });

  it('replace pods that read their configuration only at the start, when it changes', () => {
    const mark = (addons: JsonObject): JsonValue | undefined =>
      at(find(objects(addons), 'Deployment', 'grafana'), 'spec', 'template', 'metadata', 'annotations');

    expect(mark({ grafana: ALL['grafana'] ?? {} })).not.to.deep.equal(mark(ALL));
    expect(mark(ALL)).to.deep.equal(mark(ALL));
  });

  it('are switched on by the values of older releases, and the user is told', () => {
    const { components, warnings } = plan({ values: { grafana: { enabled: true, security: {} } } });

    expect(components.map(({ component }) => component)).to.include('Grafana');
    expect(warnings.map(({ code, path }) => `${code} ${path}`)).to.deep.equal(['IOP310 spec.values.grafana']);
  });

  it('are switched on by a flag of older releases', () => {
    const result = planner({
      layers: [{ spec: {}, source: 'test' }],
      sets: ['values.grafana.enabled=true'],
      facts: { kubernetesVersion: 'v1.34.4' },
    });

    const names = result.kind === 'planned' ? result.plan.components.map(({ component }) => component) : [];
    expect(names).to.include('Grafana');
  });

  it('obey the new switch where the old one says something else', () => {
    const spec = { values: { kiali: { enabled: true } }, addonComponents: { kiali: { enabled: false } } };

    expect(plan(spec).components.map(({ component }) => component)).not.to.include('Kiali');
  });

  it('are all on in the profile observability', () => {
    const names = plan({ profile: 'observability' }).components.map(({ component }) => component);

    expect(names).to.include.members(['EgressGateways', 'Prometheus', 'Grafana', 'Kiali', 'Tracing', 'Loki']);
  });
});

function find(objects: readonly K8sObject[], kind: string, name: string): K8sObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined)
    throw new Error(`no ${kind} ${name} in ${objects.map(refOf).map(displayRef).join(', ')}`);
  return found;
}

function configOf(objects: readonly K8sObject[], name: string): JsonValue {
  return readYaml(stringAt(find(objects, 'ConfigMap', name), 'data', 'config.yaml') ?? '');
}

function iniOf(objects: readonly K8sObject[]): string {
  return stringAt(find(objects, 'ConfigMap', 'grafana'), 'data', 'grafana.ini') ?? '';
}

function environmentOf(objects: readonly K8sObject[], name: string): readonly JsonValue[] {
  return listAt(find(objects, 'Deployment', name), 'spec', 'template', 'spec', 'containers', 0, 'env');
}

function providersOf(objects: readonly K8sObject[]): readonly JsonValue[] {
  const mesh = readYaml(stringAt(find(objects, 'ConfigMap', 'istio'), 'data', 'mesh') ?? '');
  return listAt(mesh, 'extensionProviders');
}

function imagesIn(value: JsonValue | readonly K8sObject[]): readonly string[] {
  if (isJsonArray(value)) return value.flatMap((item) => imagesIn(item));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'image' && typeof inner === 'string' ? [inner] : imagesIn(inner),
  );
}
