import { expect } from 'chai';
import { loadAssets } from '../src/assets/load.ts';
import { createPlanner } from '../src/core/plan.ts';
import type { JsonObject } from '../src/model/json.ts';
import { displayRef, namespaceOf, refOf } from '../src/model/object.ts';
import type { PlannedComponent } from '../src/model/plan.ts';
import {
  API_RESOURCES,
  RENDERED_KINDS,
  addonNames,
  namesOf,
  sharedNames,
  tagNames,
} from './rendered-kinds.ts';
import type { ClusterNames, RenderedKind } from './rendered-kinds.ts';

/** Settings that together render everything that is ever rendered. */
const SETTINGS: readonly JsonObject[] = [
  {},
  {
    values: { global: { networkPolicy: { enabled: true } }, experimental: { stableValidationPolicy: true } },
  },
  {
    values: {
      defaultRevision: 'default',
      revisionTags: ['prod'],
      experimental: { stableValidationPolicy: true },
      cni: { resourceQuotas: { enabled: true } },
      ztunnel: { resourceQuotas: { enabled: true } },
    },
  },
  {
    components: { egressGateways: [{ name: 'egress', enabled: true }] },
    values: {
      pilot: { autoscaleMin: 2 },
      gateways: { 'istio-ingressgateway': { autoscaleMin: 2 }, 'istio-egressgateway': { autoscaleMin: 2 } },
    },
  },
  {
    addonComponents: Object.fromEntries(
      ['prometheus', 'grafana', 'kiali', 'tracing'].map((name) => [
        name,
        { enabled: true, ...(name === 'kiali' ? {} : { storage: { size: '1Gi' } }) },
      ]),
    ),
  },
  { addonComponents: { loki: { enabled: true, storage: { size: '1Gi' } }, tracing: { enabled: false } } },
  { addonComponents: { prometheus: { enabled: true, mode: 'monitors' } } },
  { values: { global: { remotePilotAddress: '10.0.0.1' }, istiodRemote: { enabled: true } } },
];

interface Rendering {
  readonly revision: string;
  readonly components: readonly PlannedComponent[];
}

describe('the table of rendered kinds', () => {
  let renderings: readonly Rendering[];
  let shared: ClusterNames;

  before(async () => {
    const assets = await loadAssets();
    const definitions = [...assets.crds.keys()]
      .flatMap((line) => assets.crds.get(line) ?? [])
      .map((definition) => definition.metadata.name);
    const planner = createPlanner(assets);
    shared = sharedNames(definitions);
    renderings = [...assets.profiles.keys()].flatMap((profile) =>
      SETTINGS.flatMap((settings) =>
        ['', 'canary'].map((revision) => {
          const spec = { ...settings, profile, revision };
          const result = planner({
            layers: [{ spec, source: 'test' }],
            facts: { kubernetesVersion: 'v1.34.4' },
          });
          if (result.kind === 'invalid') throw new Error(JSON.stringify(result.diagnostics));
          return { revision, components: result.plan.components };
        }),
      ),
    );
  });

  it('has every kind that is rendered, in its scope, and no other', () => {
    const rendered = new Map<string, ReadonlySet<string>>();
    for (const { component, objects } of renderings.flatMap(({ components }) => components)) {
      for (const object of objects) {
        const scope = namespaceOf(object) === undefined ? 'cluster' : 'namespaced';
        const resource = API_RESOURCES[object.kind as RenderedKind]; // absent for a kind that the table lacks
        expect(resource?.scope, displayRef(refOf(object))).to.equal(scope);
      }
      const kinds = new Set([...(rendered.get(component) ?? []), ...objects.map(({ kind }) => kind)]);
      rendered.set(component, kinds);
    }

    const sorted = [...rendered].map(([component, kinds]) => [component, [...kinds].toSorted()]);
    expect(Object.fromEntries(sorted)).to.deep.equal(RENDERED_KINDS);
  });

  it('has the name of everything that is cluster-scoped', () => {
    for (const { revision, components } of renderings) {
      const own = namesOf({ namespace: 'istio-system', revision });
      const tags: Partial<ClusterNames> = tagNames('istio-system', 'prod');
      const addons: Partial<ClusterNames> = addonNames('istio-system');
      for (const object of components.flatMap(({ objects }) => objects)) {
        if (namespaceOf(object) !== undefined) continue;
        const kind = object.kind as keyof ClusterNames; // checked by the test above
        const known = [...own[kind], ...(tags[kind] ?? []), ...(addons[kind] ?? []), ...shared[kind]];
        expect(known, displayRef(refOf(object))).to.include(object.metadata.name);
      }
    }
  });
});
