import { expect } from 'chai';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';
import { printDiagnostic } from '../../model/diagnostic.ts';
import { object } from '../testing/objects.ts';
import { applyK8sSettings, ignoredSettings } from './k8s-settings.ts';
import type { SettingsTarget } from './k8s-settings.ts';

const PILOT: SettingsTarget = {
  workload: { kind: 'Deployment', name: 'istiod', container: 'discovery' },
  isGateway: false,
  path: ['spec', 'components', 'pilot', 'k8s'],
};
const GATEWAY: SettingsTarget = {
  workload: { kind: 'Deployment', name: 'gw', container: 'istio-proxy' },
  isGateway: true,
  path: ['spec', 'components', 'ingressGateways', 0, 'k8s'],
};
const CNI: SettingsTarget = {
  workload: { kind: 'DaemonSet', name: 'istio-cni-node', container: 'install-cni' },
  isGateway: false,
  path: ['spec', 'components', 'cni', 'k8s'],
};

/** A workload of two containers whose pods have an annotation. */
function workload({ workload: { kind, name, container } }: SettingsTarget): K8sObject {
  const containers = [{ name: 'other' }, { name: container, resources: { limits: { cpu: '1' } } }];
  return object(kind, name, {
    spec: { template: { metadata: { annotations: { a: 'b' } }, spec: { containers } } },
  });
}

interface Changed {
  readonly objects: readonly K8sObject[];
  readonly warnings: readonly string[];
}

function change(objects: readonly K8sObject[], settings: JsonObject, target: SettingsTarget): Changed {
  const result = applyK8sSettings(objects, settings, target);
  return { objects: result.objects, warnings: result.warnings.map(printDiagnostic) };
}

/** What the setting makes of the object. */
function changed(
  settings: JsonObject,
  original: K8sObject,
  target: SettingsTarget = PILOT,
): K8sObject | undefined {
  const result = change([original], settings, target);
  expect(result.warnings).to.deep.equal([]);
  return result.objects[0];
}

function podSpecWith(fields: JsonObject): K8sObject {
  const { metadata, spec } = templateOf(workload(PILOT));
  return object('Deployment', 'istiod', { spec: { template: { metadata, spec: { ...spec, ...fields } } } });
}

function containerWith(fields: JsonObject): K8sObject {
  return podSpecWith({
    containers: [
      { name: 'discovery', resources: { limits: { cpu: '1' } }, ...fields },
      { name: 'other' },
    ].toReversed(),
  });
}

function templateOf(original: K8sObject): { readonly metadata: JsonValue; readonly spec: JsonObject } {
  const spec = original['spec'] as {
    readonly template: { readonly metadata: JsonValue; readonly spec: JsonObject };
  };
  return spec.template;
}

describe('applyK8sSettings', () => {
  it('puts settings of pods into the pod template', () => {
    const settings = {
      affinity: { nodeAffinity: {} },
      nodeSelector: { disk: 'fast' },
      priorityClassName: 'high',
      tolerations: [{ operator: 'Exists' }],
      securityContext: { fsGroup: 1 },
    };

    expect(changed(settings, workload(PILOT))).to.deep.equal(podSpecWith(settings));
  });

  it("puts settings of containers into the component's own container", () => {
    const settings = {
      env: [{ name: 'A', value: 'b' }],
      imagePullPolicy: 'Always',
      readinessProbe: { periodSeconds: 5 },
      resources: { limits: { memory: '1Gi' } },
    };

    expect(changed(settings, workload(PILOT))).to.deep.equal(
      containerWith({ ...settings, resources: { limits: { cpu: '1', memory: '1Gi' } } }),
    );
  });

  it('adds annotations to pods, and replicas and strategy to the workload', () => {
    const settings = { podAnnotations: { c: 'd' }, replicaCount: 0, strategy: { type: 'Recreate' } };
    const { spec } = templateOf(workload(PILOT));

    expect(changed(settings, workload(PILOT))).to.deep.equal(
      object('Deployment', 'istiod', {
        spec: {
          template: { metadata: { annotations: { a: 'b', c: 'd' } }, spec },
          replicas: 0,
          strategy: { type: 'Recreate' },
        },
      }),
    );
  });

  it('removes a default that is set to null', () => {
    const { spec } = templateOf(workload(PILOT));
    const containers = [{ name: 'other' }, { name: 'discovery' }];

    expect(changed({ resources: null, podAnnotations: { a: null } }, workload(PILOT))).to.deep.equal(
      object('Deployment', 'istiod', {
        spec: { template: { metadata: { annotations: {} }, spec: { ...spec, containers } } },
      }),
    );
  });

  it('changes the autoscaler', () => {
    const original = object('HorizontalPodAutoscaler', 'istiod', {
      spec: { minReplicas: 1, metrics: [{ type: 'A' }] },
    });

    expect(changed({ hpaSpec: { minReplicas: 2, metrics: [] } }, original)).to.deep.equal(
      object('HorizontalPodAutoscaler', 'istiod', { spec: { minReplicas: 2, metrics: [] } }),
    );
  });

  it('keeps one limit of a disruption budget: maxUnavailable when both would be there', () => {
    const original = object('PodDisruptionBudget', 'istiod', { spec: { minAvailable: 1 } });

    const results = [{ maxUnavailable: 1 }, { minAvailable: 2 }, { maxUnavailable: 0 }].map(
      (podDisruptionBudget) => changed({ podDisruptionBudget }, original),
    );

    expect(results.map((result) => result?.['spec'])).to.deep.equal([
      { maxUnavailable: 1 },
      { minAvailable: 2 },
      { minAvailable: 1, maxUnavailable: 0 },
    ]);
  });

  it('changes the Service and its annotations', () => {
    const original = object('Service', 'istiod', { spec: { ports: [{ port: 15010, name: 'grpc' }] } });
    const settings = {
      service: { ports: [{ port: 15010, nodePort: 30000 }] },
      serviceAnnotations: { a: 'b' },
    };

    expect(changed(settings, original)).to.deep.equal({
      ...object('Service', 'istiod', { spec: { ports: [{ port: 15010, name: 'grpc', nodePort: 30000 }] } }),
      metadata: { name: 'istiod', annotations: { a: 'b' } },
    });
  });

  it('leaves the ports of a gateway to the values, where they are in place already', () => {
    const original = object('Service', 'gw', { spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } });
    const settings = { service: { type: 'NodePort', ports: [{ port: 443 }] } };

    expect(changed(settings, original, GATEWAY)).to.deep.equal(
      object('Service', 'gw', { spec: { type: 'NodePort', ports: [{ port: 80 }] } }),
    );
  });

  it('takes null for a specification that is left empty', () => {
    const originals = [
      object('Service', 'istiod', { spec: { type: 'ClusterIP' } }),
      object('HorizontalPodAutoscaler', 'istiod', { spec: { minReplicas: 1 } }),
      object('PodDisruptionBudget', 'istiod', { spec: { minAvailable: 1 } }),
    ];

    const result = change(originals, { service: null, hpaSpec: null, podDisruptionBudget: null }, PILOT);

    expect(result).to.deep.equal({ objects: originals, warnings: [] });
  });

  it('lets the handler of a probe take the place of the rendered one', () => {
    const probed = (readinessProbe: JsonObject) =>
      changed(
        { readinessProbe },
        containerWith({ readinessProbe: { httpGet: { path: '/ready' }, periodSeconds: 3 } }),
      );
    const withProbe = (readinessProbe: JsonObject) => containerWith({ readinessProbe });

    expect([
      probed({ tcpSocket: { port: 1 } }),
      probed({ periodSeconds: 9 }),
      probed({ httpGet: { port: 1 } }),
    ]).to.deep.equal([
      withProbe({ tcpSocket: { port: 1 }, periodSeconds: 3 }),
      withProbe({ httpGet: { path: '/ready' }, periodSeconds: 9 }),
      withProbe({ httpGet: { path: '/ready', port: 1 }, periodSeconds: 3 }),
    ]);
  });

  it('takes the limits of a rolling update away with the rolling update', () => {
    const rollingUpdate = { maxSurge: 1 };
    const original = object('Deployment', 'istiod', { spec: { strategy: { rollingUpdate } } });
    const strategies = [
      { type: 'Recreate' },
      { type: 'RollingUpdate' },
      { rollingUpdate: { maxUnavailable: 1 } },
    ];

    const results = strategies.map((strategy) => changed({ strategy }, original)?.['spec']);

    expect(results).to.deep.equal([
      { strategy: { type: 'Recreate' } },
      { strategy: { type: 'RollingUpdate', rollingUpdate } },
      { strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } },
    ]);
  });

  it('sets updateStrategy of a DaemonSet, which has no strategy', () => {
    const result = change([workload(CNI)], { strategy: { type: 'OnDelete' } }, CNI);

    expect(result.objects.map(({ spec }) => spec)).to.deep.equal([
      { ...(workload(CNI)['spec'] as JsonObject), updateStrategy: { type: 'OnDelete' } },
    ]);
  });

  it('does not set replicas of a DaemonSet, and says so', () => {
    expect(change([workload(CNI)], { replicaCount: 2 }, CNI)).to.deep.equal({
      objects: [workload(CNI)],
      warnings: [
        'IOP303 spec.components.cni.k8s.replicaCount: istio-cni-node is a DaemonSet: it runs on every node that its pods tolerate. Remove the field; use nodeSelector or affinity to choose nodes.',
      ],
    });
  });

  it('says which settings have no object to act on', () => {
    const settings = { hpaSpec: {}, podDisruptionBudget: {}, service: {}, serviceAnnotations: {} };

    const { objects, warnings } = change([workload(PILOT)], settings, PILOT);

    expect(objects).to.deep.equal([workload(PILOT)]);
    expect(warnings.map((warning) => warning.replace(/\. .*/u, ''))).to.deep.equal([
      'IOP303 spec.components.pilot.k8s.hpaSpec: no HorizontalPodAutoscaler istiod is rendered',
      'IOP303 spec.components.pilot.k8s.podDisruptionBudget: no PodDisruptionBudget istiod is rendered',
      'IOP303 spec.components.pilot.k8s.serviceAnnotations: no Service istiod is rendered',
      'IOP303 spec.components.pilot.k8s.service: no Service istiod is rendered',
    ]);
  });

  it('says that volumes and volumeMounts have no effect', () => {
    const { objects, warnings } = change([workload(PILOT)], { volumes: [], volumeMounts: [] }, PILOT);

    expect(objects).to.deep.equal([workload(PILOT)]);
    expect(warnings.map((warning) => warning.slice(0, 44))).to.deep.equal([
      'IOP303 spec.components.pilot.k8s.volumes: vo',
      'IOP303 spec.components.pilot.k8s.volumeMount',
    ]);
  });

  it('touches no object of another kind or name', () => {
    const others = [object('Deployment', 'other', { spec: {} }), object('DaemonSet', 'istiod', { spec: {} })];

    const { objects } = change([...others, workload(PILOT)], { priorityClassName: 'x' }, PILOT);

    expect(objects).to.deep.equal([...others, podSpecWith({ priorityClassName: 'x' })]);
  });
});

describe('ignoredSettings', () => {
  it('tells each setting of a component without workload; overlays and empty fields are none', () => {
    const settings = { resources: {}, volumes: [], env: null, overlays: [{}] };

    const warnings = ignoredSettings(settings, ['spec', 'components', 'base', 'k8s']);

    expect(warnings.map(({ path }) => path)).to.deep.equal([
      'spec.components.base.k8s.resources',
      'spec.components.base.k8s.volumes',
    ]);
  });
});
