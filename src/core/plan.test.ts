import { expect } from 'chai';
import type { AssetBundle, TemplateSource } from '../model/assets.ts';
import { printDiagnostic } from '../model/diagnostic.ts';
import type { JsonValue } from '../model/json.ts';
import { at, listAt } from '../model/json.ts';
import { displayRef, labelsOf, refOf } from '../model/object.ts';
import { objectsOf } from '../model/plan.ts';
import type { PlanInput } from './plan.ts';
import { createPlanner } from './plan.ts';
import { readResources } from './spec/documents.ts';
import type { TestPlanner } from './testing/planning.ts';
import { diagnosticsOf, testPlanner } from './testing/planning.ts';

const OWNER = { name: 'demo', namespace: 'istio-system' };

describe('createPlanner', () => {
  let planner: TestPlanner;

  before(async () => {
    planner = await testPlanner();
  });

  /** What is found in files with these texts, as it is printed. */
  function findingsInFiles(...texts: readonly string[]): readonly string[] {
    const layers = texts.flatMap((text, index) => {
      const read = readResources(text, `${'abc'.charAt(index)}.yaml`);
      return read.kind === 'read' ? read.resources : [];
    });
    const input: PlanInput = { layers, facts: { kubernetesVersion: 'v1.32.0' } };
    return diagnosticsOf(createPlanner(planner.assets)(input)).map(printDiagnostic);
  }

  describe('for a good specification', () => {
    it('says what will be installed', () => {
      const { profile, revision, version, namespace, namespaceLabels, warnings } = planner.plan({
        profile: 'demo',
      });

      expect({ profile, revision, version, namespace, namespaceLabels, warnings }).to.deep.equal({
        profile: 'demo',
        revision: '',
        version: '1.30.3',
        namespace: 'istio-system',
        namespaceLabels: {},
        warnings: [],
      });
    });

    it('is installed in istio-system also where the default is taken away', () => {
      const plan = planner.plan({ profile: 'minimal', values: { global: { istioNamespace: null } } });

      const namespaces = objectsOf(plan).flatMap(({ metadata }) => metadata['namespace'] ?? []);
      expect(new Set(namespaces)).to.deep.equal(new Set(['istio-system']));
    });

    it('knows revision, version, namespace and network from wherever they are set', () => {
      const global = { istioNamespace: 'mesh', network: 'n1' };

      const plan = planner.plan({ revision: 'canary', tag: '1.30.2', values: { global } });

      expect([plan.revision, plan.version, plan.namespace, plan.namespaceLabels]).to.deep.equal([
        'canary',
        '1.30.2',
        'mesh',
        { 'topology.istio.io/network': 'n1' },
      ]);
    });

    it('has the components that render something, after those that they need', () => {
      const components = (spec: unknown) =>
        planner.plan(spec).components.map(({ component, after }) => [component, after]);

      expect(components({ profile: 'ambient' })).to.deep.equal([
        ['Base', []],
        ['Pilot', ['Base']],
        ['Cni', ['Base', 'Pilot']],
        ['Ztunnel', ['Base', 'Pilot', 'Cni']],
      ]);
      expect(components({ profile: 'empty' })).to.deep.equal([]);
    });

    it('takes a component that is mentioned for wanted, unless a lower layer says no', () => {
      const names = (components: unknown, profile = 'default') =>
        planner.plan({ profile, components }).components.map(({ component }) => component);

      expect(names({ cni: {} })).to.include('Cni');
      expect(names({ cni: null })).to.not.include('Cni');
      expect(names({ pilot: { k8s: {} } }, 'empty')).to.not.include('Pilot');
    });

    it('renders the definitions of the release first', () => {
      const [base] = planner.plan({}).components;

      expect(base?.objects.filter(({ kind }) => kind === 'CustomResourceDefinition')).to.have.length(15);
      expect(base?.objects[0]?.kind).to.equal('CustomResourceDefinition');
    });

    it('gives every object the labels of its owner, and pods none of them', () => {
      const plan = planner.plan({ profile: 'demo' }, { owner: OWNER });
      const ownerOf = (labels: JsonValue) => at(labels, 'install.operator.istio.io/owning-resource');
      const templates = objectsOf(plan).flatMap(
        (object) => at(object, 'spec', 'template', 'metadata', 'labels') ?? [],
      );

      expect([...new Set(objectsOf(plan).map((object) => ownerOf(labelsOf(object))))]).to.deep.equal([
        'demo',
      ]);
      expect([...new Set(templates.map(ownerOf))]).to.deep.equal(['unknown']);
    });

    it('gives objects no owner when there is none', () => {
      const labels = planner.field({}, 'ServiceAccount istio-system/istiod', 'metadata', 'labels');

      expect(labels).to.not.have.property('install.operator.istio.io/owning-resource');
    });

    it('renders no field that is null', () => {
      const objects = planner.objects({
        profile: 'demo',
        values: { pilot: { podAnnotations: { a: null } } },
      });

      expect(JSON.stringify(objects)).to.not.include(':null');
    });

    it('has the merged specification with the values that components see', () => {
      const { spec } = planner.plan({ profile: 'demo', hub: 'h', values: { pilot: { traceSampling: 5 } } });

      expect([
        spec['profile'],
        at(spec, 'values', 'global', 'hub'),
        at(spec, 'values', 'pilot', 'traceSampling'),
      ]).to.deep.equal(['demo', 'h', 5]);
    });

    it('lays unvalidated values over everything', () => {
      const spec = {
        hub: 'a',
        values: { global: { hub: 'b' } },
        unvalidatedValues: { global: { hub: 'c' } },
      };

      expect(
        planner.field(
          spec,
          'Deployment istio-system/istiod',
          'spec',
          'template',
          'spec',
          'containers',
          0,
          'image',
        ),
      ).to.equal('c/pilot:1.30.3');
    });

    it('finds a gateway by its name in all layers and flags', () => {
      const layers = [{ replicaCount: 2 }, { imagePullPolicy: 'Always' }].map((k8s) => ({
        spec: { components: { ingressGateways: [{ name: 'istio-ingressgateway', k8s }] } },
        source: 'file',
      }));
      const sets = ['components.ingressGateways.[name:istio-ingressgateway].k8s.priorityClassName=high'];

      const gateways = planner
        .objects({}, { layers, sets })
        .filter(({ metadata }) => metadata.name === 'istio-ingressgateway');
      const deployment = gateways.find(({ kind }) => kind === 'Deployment');

      expect([
        at(deployment, 'spec', 'replicas'),
        at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'imagePullPolicy'),
        at(deployment, 'spec', 'template', 'spec', 'priorityClassName'),
      ]).to.deep.equal([2, 'Always', 'high']);
    });

    it('applies settings and overlays to each gateway on its own', () => {
      const overlays = [{ kind: 'Service', name: 'a', patches: [{ path: 'spec.externalName', value: 'x' }] }];
      const ingressGateways = [{ name: 'a', k8s: { overlays } }, { name: 'b' }];
      const externalName = (name: string) =>
        planner.field(
          { components: { ingressGateways } },
          `Service istio-system/${name}`,
          'spec',
          'externalName',
        );

      expect([externalName('a'), externalName('b')]).to.deep.equal(['x', undefined]);
    });

    it('finds the workload of a revision by its full name', () => {
      const spec = { revision: 'canary', components: { pilot: { k8s: { replicaCount: 7 } } } };

      expect(planner.findings(spec)).to.deep.equal([]);
      expect(planner.field(spec, 'Deployment istio-system/istiod-canary', 'spec', 'replicas')).to.equal(7);
    });
  });

  describe('for bad input', () => {
    it('names the profile that was meant', () => {
      expect(planner.findings({ profile: 'dmeo' })).to.deep.equal([
        'IOP203 spec.profile: there is no profile "dmeo". Did you mean "demo"? There are ambient, default, demo, empty, external, minimal, observability, openshift, openshift-ambient, preview, remote, stable.',
      ]);
    });

    it('names the field that was meant', () => {
      expect(planner.findings({ components: { pilot: { k8s: { replicaCuont: 1 } } } })).to.deep.equal([
        'IOP201 spec.components.pilot.k8s.replicaCuont: there is no field "replicaCuont". Did you mean "replicaCount"?',
      ]);
      expect(planner.findings({ values: { pilot: { traceSamplin: 1 } } })).to.deep.equal([
        'IOP201 spec.values.pilot.traceSamplin: there is no field "traceSamplin". Did you mean "traceSampling"? What the operator does not know can be given under spec.unvalidatedValues.',
      ]);
    });

    it('says which type is wanted', () => {
      expect(
        planner.findings({
          components: { pilot: { enabled: 'maybe' } },
          values: { pilot: { autoscaleMin: 'two' } },
        }),
      ).to.deep.equal([
        'IOP202 spec.components.pilot.enabled: "maybe" is a text. Write true or false.',
        'IOP202 spec.values.pilot.autoscaleMin: "two" is a text. Write a whole number.',
      ]);
    });

    it('tells a gateway without a name', () => {
      expect(planner.findings({ components: { ingressGateways: [{ enabled: true }] } })).to.deep.equal([
        'IOP204 spec.components.ingressGateways[0]: the gateway has no name. Add name: it becomes the name of its Deployment and Service; istio-ingressgateway is usual.',
      ]);
    });

    it('tells values of the wrong shape', () => {
      expect(planner.findings({ values: ['a'] })).to.deep.equal([
        'IOP202 spec.values: ["a"] is a list. Write a map (name: value).',
      ]);
      expect(planner.findings({ values: { global: 'x', pilot: [] } })).to.deep.equal([
        'IOP202 spec.values.global: "x" is a text. Write a map (name: value).',
        'IOP202 spec.values.pilot: [] is a list. Write a map (name: value).',
      ]);
    });

    it('tells a specification that is no map', () => {
      expect(planner.findings('text')).to.deep.equal([
        'IOP202 spec: spec is not a map. Write fields under spec.',
      ]);
    });

    it('tells all faults at once, each once', () => {
      const spec = {
        profile: 'dmeo',
        hubb: 'x',
        revision: 'A',
        components: { pilot: { enabled: 5 }, ingressGateways: [{ enabled: true }] },
        values: { mixer: {}, pilot: { nmae: 1 } },
      };

      expect(planner.findings(spec).map((finding) => finding.replace(/: .*/u, ''))).to.deep.equal([
        'IOP301 spec.values.mixer',
        'IOP201 spec.hubb',
        'IOP202 spec.components.pilot.enabled',
        'IOP201 spec.values.pilot.nmae',
        'IOP203 spec.profile',
        'IOP205 spec.revision',
        'IOP204 spec.components.ingressGateways[0]',
      ]);
    });

    it('tells once what several components stumble over', () => {
      expect(planner.findings({ values: { profile: 'none' } })).to.deep.equal([
        'IOP209 spec.values.profile: "none" is not a known profile. Use one of ambient, demo, preview, remote, stable, or remove the field.',
      ]);
    });

    it('collects the faults of overlays of all components', () => {
      const k8s = { overlays: [{ kind: 'Deployment', name: 'x', patches: [] }] };

      expect(
        planner
          .findings({ components: { pilot: { k8s }, ingressGateways: [{ name: 'a', k8s }] } })
          .map((finding) => finding.slice(0, 60)),
      ).to.deep.equal([
        'IOP401 spec.components.pilot.k8s.overlays[0]: the component ',
        'IOP401 spec.components.ingressGateways[0].k8s.overlays[0]: t',
      ]);
    });

    it('reports a template that cannot be rendered as a fault of its own', async () => {
      const broken = await testPlanner((assets) => withTemplate(assets, 'pilot/service', 'a: {{yaml nmae}}'));

      expect(broken.findings({})).to.deep.equal([
        'IOP501 spec.components.pilot: template pilot/service: the value of {{yaml …}} at 1:3 is not in the view. Look for a value of an unusual type; if there is none, this is a fault of the operator: report it.',
      ]);
    });
  });

  describe('with --set flags', () => {
    function findings(...sets: readonly string[]): readonly string[] {
      return planner.findings({}, { sets });
    }

    it('checks what they set, wherever it ends up', () => {
      expect(
        findings(
          'values.pilot.traceSamplin=1',
          'components.ingressGateways.[name:istio-ingressgateway].k8s.replicaCount=x',
        ),
      ).to.deep.equal([
        'IOP202 spec.components.ingressGateways[0].k8s.replicaCount: "x" is a text. Write a whole number.',
        'IOP201 spec.values.pilot.traceSamplin: there is no field "traceSamplin". Did you mean "traceSampling"? What the operator does not know can be given under spec.unvalidatedValues.',
      ]);
    });

    it('tells those that cannot be read beside other faults', () => {
      expect(
        planner.findings({ hubb: 1 }, { sets: ['profile'] }).map((finding) => finding.slice(0, 20)),
      ).to.deep.equal(['IOP201 spec.hubb: th', 'IOP106 --set profile']);
    });

    it('does not repeat what is told of a file', () => {
      expect(planner.findings({ hubb: 1 }, { sets: ['profile=demo'] })).to.have.length(1);
    });

    it('leaves out those that set fields of older releases', () => {
      const sets = ['values.global.mtls.enabled=true', 'values.mixer.policy.enabled=false', 'tag=1.30.2'];

      const plan = planner.plan({}, { sets });

      expect(plan.warnings.map(({ code, path }) => [code, path])).to.deep.equal([
        ['IOP301', 'spec.values.global.mtls'],
        ['IOP301', 'spec.values.mixer'],
      ]);
      expect(plan.version).to.equal('1.30.2');
    });
  });

  describe('positions', () => {
    it('lead into the file, to what is wrong', () => {
      expect(findingsInFiles('spec:\n  hubb: x\n  profile: dmeo\n')).to.deep.equal([
        'IOP201 a.yaml:2:3 spec.hubb: there is no field "hubb". Did you mean "hub"?',
        'IOP203 a.yaml:3:3 spec.profile: there is no profile "dmeo". Did you mean "demo"? There are ambient, default, demo, empty, external, minimal, observability, openshift, openshift-ambient, preview, remote, stable.',
      ]);
    });

    it('lead to the file that has the fault, for checks of the whole too', () => {
      expect(findingsInFiles('spec:\n  hub: "a b"\n', 'spec:\n  profile: demo\n')).to.deep.equal([
        'IOP206 a.yaml:2:3 spec.hub: "a b" cannot be the hub of an image reference. Use registry/path, such as registry.istio.io/release.',
      ]);
    });

    it('are right for overlays of gateways, whose index in the file is not that in the merged list', () => {
      const text = [
        'spec:',
        '  components:',
        '    ingressGateways:',
        '      - name: own',
        '        k8s:',
        '          overlays:',
        '            - kind: Service',
        '              name: own',
        '              patches:',
        '                - path: spec.ports.[name:x].port',
        '                  value: 1',
      ].join('\n');

      expect(findingsInFiles(text)).to.deep.equal([
        'IOP402 a.yaml:10:19 spec.components.ingressGateways[0].k8s.overlays[0].patches[0].path: [name:x] matches nothing in spec.ports of Service own. There are: [name:status-port], [name:http2], [name:https].',
      ]);
    });

    it('are given to warnings of a good plan', () => {
      expect(findingsInFiles('spec:\n  components:\n    pilot:\n      k8s: { volumes: [] }\n')).to.deep.equal(
        [
          'IOP303 a.yaml:4:14 spec.components.pilot.k8s.volumes: volumes has no effect, as in every release of Istio. Use values of the component (volumes, secretVolumes, configVolumes) or an overlay.',
        ],
      );
    });
  });

  it('renders texts of users as texts, whatever is in them', () => {
    const text = 'x\nkind: Other\n  - {{yaml name}} \u2028 "\' #';

    const annotations = planner.field(
      { values: { pilot: { podAnnotations: { text, [text]: 'y' } } } },
      'Deployment istio-system/istiod',
      'spec',
      'template',
      'metadata',
      'annotations',
    );

    expect(annotations).to.include({ text, [text]: 'y' });
  });
});

function withTemplate(assets: AssetBundle, name: string, text: string): AssetBundle {
  const template: TemplateSource = { kind: 'text', text };
  return { ...assets, templates: new Map([...assets.templates, [name, template]]) };
}

describe('the profiles that ship', () => {
  it('all plan without a finding', async () => {
    const planner = await testPlanner();

    const findings = [...planner.assets.profiles.keys()].flatMap((profile) => planner.findings({ profile }));

    expect(findings).to.deep.equal([]);
  });

  it('render the objects that their names promise', async () => {
    const planner = await testPlanner();
    const workloads = (profile: string) =>
      planner
        .objects({ profile })
        .flatMap((object) =>
          ['Deployment', 'DaemonSet'].includes(object.kind) ? [displayRef(refOf(object))] : [],
        );
    const istiod = 'Deployment istio-system/istiod';
    const ingress = 'Deployment istio-system/istio-ingressgateway';

    expect(
      Object.fromEntries(
        [...planner.assets.profiles.keys()].toSorted().map((name) => [name, workloads(name)]),
      ),
    ).to.deep.equal({
      ambient: [istiod, 'DaemonSet istio-system/istio-cni-node', 'DaemonSet istio-system/ztunnel'],
      default: [istiod, ingress],
      demo: [istiod, ingress, 'Deployment istio-system/istio-egressgateway'],
      empty: [],
      external: [],
      minimal: [istiod],
      observability: [
        'Deployment istio-system/istiod',
        'Deployment istio-system/istio-ingressgateway',
        'Deployment istio-system/istio-egressgateway',
        'Deployment istio-system/prometheus',
        'Deployment istio-system/grafana',
        'Deployment istio-system/kiali',
        'Deployment istio-system/jaeger',
        'Deployment istio-system/access-log-collector',
        'Deployment istio-system/loki',
      ],
      openshift: [istiod, 'DaemonSet kube-system/istio-cni-node', ingress],
      'openshift-ambient': [istiod, 'DaemonSet kube-system/istio-cni-node', 'DaemonSet kube-system/ztunnel'],
      preview: [istiod, ingress],
      remote: [],
      stable: [istiod, ingress],
    });
    expect(listAt(planner.plan({ profile: 'empty' }).spec, 'components', 'ingressGateways')).to.have.length(
      1,
    );
  });
});
