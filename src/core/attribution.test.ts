import { expect } from 'chai';
import { loadAssets } from '../assets/load.ts';
import type { ComponentName } from '../model/plan.ts';
import type { FieldAttribution, Influence, ObjectAttribution } from './attribution.ts';
import { attribute } from './attribution.ts';
import { printPath } from './field-path.ts';
import { fieldsAt } from './object-fields.ts';
import type { PlanInput } from './plan.ts';
import type { Rehearse, Setting } from './rehearsal.ts';
import { createRehearsals } from './rehearsal.ts';
import { readResources } from './spec/documents.ts';

const FILE = `
spec:
  profile: demo
  hub: registry.example.com/file
  meshConfig:
    accessLogFile: /dev/stderr
  components:
    pilot:
      k8s:
        resources:
          requests:
            cpu: 250m
        overlays:
          - kind: Deployment
            name: istiod
            patches:
              - path: spec.template.spec.priorityClassName
                value: high
    ingressGateways:
      - name: other
        enabled: true
        k8s: { replicaCount: 3 }
`;

const OWNER = { name: 'mesh', namespace: 'istio-system' };

describe('attribute', function () {
  this.timeout(20_000); // some hundred renderings

  let rehearse: Rehearse;

  before(async () => {
    rehearse = createRehearsals(await loadAssets());
  });

  const attributed = (
    component: ComponentName,
    [apiVersion, kind, name]: readonly [string, string, string],
    input: Partial<PlanInput> = {},
  ): ObjectAttribution => {
    const read = readResources(FILE, 'mesh.yaml');
    const layers = read.kind === 'read' ? read.resources : [];
    const rehearsal = rehearse({
      layers,
      facts: { kubernetesVersion: 'v1.32.0' },
      owner: OWNER,
      sets: [],
      ...input,
    });
    if (rehearsal.kind === 'invalid') throw new Error(JSON.stringify(rehearsal.diagnostics));
    const ref = { apiVersion, kind, namespace: 'istio-system', name };
    const found = attribute(rehearsal, { component, ref }, { owner: OWNER, kubernetesVersion: 'v1.32.0' });
    if (found === undefined) throw new Error(`${component} renders no ${kind} ${name}`);
    return found;
  };

  const fieldOf = ({ object, fields }: ObjectAttribution, path: string): FieldAttribution => {
    const found = fieldsAt(object, path);
    const key = found.kind === 'found' ? found.fields[0]?.key : undefined;
    const field = fields.find((each) => each.field.key === key);
    if (field === undefined) throw new Error(`there is no ${path}`);
    return field;
  };

  const names = (influences: readonly Influence[]): readonly string[] =>
    influences.map((influence) => (influence.kind === 'setting' ? named(influence.setting) : influence.kind));

  /** `spec.hub: built in < mesh.yaml:4`, the strongest source last. */
  const named = ({ path, sources }: Setting): string => {
    const places = sources.map(({ name, position }) => (position ? `${name}:${position.line}` : name));
    return `${printPath(path)}: ${places.join(' < ')}`;
  };

  describe('of istiod', () => {
    let istiod: ObjectAttribution;

    before(() => {
      istiod = attributed('Pilot', ['apps/v1', 'Deployment', 'istiod'], { sets: ['tag=1.30.2'] });
    });

    const decidedBy = (path: string): readonly string[] => names(fieldOf(istiod, path).decidedBy);

    it('finds the line of the file, and what it replaced', () => {
      expect(decidedBy('spec.template.spec.containers[0].resources.requests.cpu')).to.deep.equal([
        'spec.components.pilot.k8s.resources.requests.cpu: mesh.yaml:12',
      ]);
      expect(decidedBy('spec.template.spec.containers.[name:discovery].image')).to.deep.equal([
        'spec.hub: built in < mesh.yaml:4',
        'spec.tag: built in < --set tag=1.30.2',
        "spec.values.pilot.image: Istio's default",
      ]);
    });

    it('finds the overlay that put a value', () => {
      expect(decidedBy('spec.template.spec.priorityClassName')).to.include(
        'spec.components.pilot.k8s.overlays[0].patches[0].value: mesh.yaml:18',
      );
    });

    it('finds a preset of the profile over a default, and the profile itself', () => {
      expect(decidedBy('spec.template.spec.containers[0].resources.requests.memory')).to.deep.equal([
        'spec.values.profile: profile demo',
        "spec.values.pilot.resources.requests.memory: Istio's default < preset profile/demo",
      ]);
    });

    it('finds no setting for what is part of Istio', () => {
      expect(fieldOf(istiod, 'spec.template.spec.containers[0].readinessProbe.httpGet.path')).to.deep.include(
        {
          decidedBy: [],
          openTo: [],
        },
      );
    });

    it('finds what is empty and would change a value', () => {
      const { openTo } = fieldOf(istiod, 'metadata.name');

      expect(openTo.map(named)).to.deep.equal(["spec.values.revision: Istio's default"]);
    });

    it('knows what comes from the name of the resource', () => {
      expect(decidedBy('metadata.labels["install.operator.istio.io/owning-resource"]')).to.deep.equal([
        'owner',
      ]);
    });

    it('finds what the object is there by', () => {
      expect(names(istiod.existsBy)).to.include('spec.components.pilot.enabled: profile default');
    });
  });

  it('looks into the configuration that a ConfigMap holds as text', () => {
    const config = attributed('Pilot', ['v1', 'ConfigMap', 'istio']);

    expect(names(fieldOf(config, 'data.mesh.accessLogFile').decidedBy)).to.deep.equal([
      'spec.meshConfig.accessLogFile: mesh.yaml:6',
    ]);
  });

  it("finds the entry of a gateway by its name, at the file's own position", () => {
    const gateway = attributed('IngressGateways', ['apps/v1', 'Deployment', 'other']);

    expect(names(fieldOf(gateway, 'spec.replicas').decidedBy)).to.include(
      'spec.components.ingressGateways[1].k8s.replicaCount: mesh.yaml:22',
    );
  });
});
