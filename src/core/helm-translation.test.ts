import { expect } from 'chai';
import { loadAssets } from '../assets/load.ts';
import type { AssetBundle } from '../model/assets.ts';
import type { JsonObject } from '../model/json.ts';
import { mapAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import type { HelmRelease } from './helm-translation.ts';
import { helmReleases } from './helm-translation.ts';
import type { PlanInput } from './plan.ts';
import { createPlanner } from './plan.ts';
import { createRehearsals } from './rehearsal.ts';

const FACTS = { kubernetesVersion: 'v1.32.0' };

/** The charts whose objects our own renderer can render from the values alone. */
const RENDERED = { base: 'Base', istiod: 'Pilot', cni: 'Cni', ztunnel: 'Ztunnel' } as const;

describe('helmReleases', function () {
  this.timeout(30_000); // many renderings

  let assets: AssetBundle;

  before(async () => {
    assets = await loadAssets();
  });

  const planned = (input: PlanInput): Plan => {
    const result = createPlanner(assets)(input);
    if (result.kind === 'invalid') throw new Error(JSON.stringify(result.diagnostics));
    return result.plan;
  };

  const translated = (spec: JsonObject): readonly HelmRelease[] => {
    const input: PlanInput = { layers: [{ spec, source: 'test' }], facts: FACTS };
    const rehearsal = createRehearsals(assets)(input);
    if (rehearsal.kind === 'invalid') throw new Error(JSON.stringify(rehearsal.diagnostics));
    return helmReleases(planned(input), rehearsal);
  };

  /** What our renderer makes of the values of one chart and of nothing else. */
  const renderedAgain = (chart: keyof typeof RENDERED, values: JsonObject): readonly K8sObject[] => {
    const component = RENDERED[chart];
    const isCni = mapAt(values, 'pilot', 'cni')['enabled'] === true || chart === 'cni';
    const components = {
      base: { enabled: chart === 'base' },
      pilot: { enabled: chart === 'istiod' },
      cni: { enabled: isCni },
      ztunnel: { enabled: chart === 'ztunnel' },
    };
    const spec = { profile: 'empty', components, values };
    const plan = planned({ layers: [{ spec, source: 'translated' }], facts: FACTS });
    return plan.components.find((each) => each.component === component)?.objects ?? [];
  };

  const withoutCopy = (objects: readonly K8sObject[]): readonly K8sObject[] =>
    objects.filter(({ kind, metadata }) => kind !== 'ConfigMap' || metadata.name !== 'values');

  const CASES: Readonly<Record<string, JsonObject>> = {
    'the default profile': {},
    'the demo profile with settings': {
      profile: 'demo',
      hub: 'registry.example.com/istio',
      meshConfig: { accessLogFile: '/dev/stderr' },
      components: { pilot: { k8s: { nodeSelector: { a: 'b' }, resources: { requests: { cpu: '250m' } } } } },
      values: { pilot: { traceSampling: 3 }, global: { network: 'east' } },
    },
    'the ambient profile on a platform': { profile: 'ambient', values: { global: { platform: 'k3s' } } },
  };

  for (const [name, spec] of Object.entries(CASES)) {
    it(`gives values that render the same objects again, for ${name}`, () => {
      const releases = translated(spec).filter(({ chart }) => chart in RENDERED);

      for (const { chart, values, objects } of releases) {
        const again = renderedAgain(chart as keyof typeof RENDERED, values); // filtered above
        expect(withoutCopy(again), chart).to.deep.equal(objects);
      }
      expect(releases).to.have.length.above(1);
    });
  }

  it('says what values cannot, and patches it', () => {
    const overlays = [
      {
        kind: 'Deployment',
        name: 'istiod',
        patches: [{ path: 'spec.template.spec.priorityClassName', value: 'high' }],
      },
    ];

    const istiod = translated({
      components: { pilot: { k8s: { nodeSelector: { a: 'b' }, overlays } } },
    }).find(({ chart }) => chart === 'istiod');

    expect(istiod?.untranslated).to.deep.equal(['spec.components.pilot.k8s.overlays']);
    expect(istiod?.patches).to.deep.equal([
      {
        target: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'istio-system', name: 'istiod' },
        operations: [{ op: 'add', path: '/spec/template/spec/priorityClassName', value: 'high' }],
      },
    ]);
  });

  it('keeps name, account, selector and ports of a gateway', () => {
    const gateway = translated({
      components: {
        ingressGateways: [
          {
            name: 'istio-ingressgateway',
            enabled: true,
            label: { zone: 'a' },
            k8s: { hpaSpec: { maxReplicas: 7 } },
          },
        ],
      },
    }).find(({ chart }) => chart === 'gateway');

    expect(gateway).to.include({ release: 'istio-ingressgateway', namespace: 'istio-system' });
    expect(gateway?.values).to.deep.include({
      name: 'istio-ingressgateway',
      autoscaling: { enabled: true, minReplicas: 1, maxReplicas: 7, targetCPUUtilizationPercentage: 80 },
      serviceAccount: { name: 'istio-ingressgateway-service-account' },
      labels: { app: 'istio-ingressgateway', istio: 'ingressgateway', zone: 'a' },
    });
  });
});
