import { expect } from 'chai';
import { printDiagnostic } from '../../model/diagnostic.ts';
import type { NamedResource } from './documents.ts';
import { readResources } from './documents.ts';

function resources(text: string): readonly NamedResource[] {
  const read = readResources(text, 'a.yaml');
  if (read.kind === 'invalid') throw new Error(read.diagnostics.map(printDiagnostic).join('\n'));
  return read.resources;
}

function faults(text: string): readonly string[] {
  const read = readResources(text, 'a.yaml');
  return read.kind === 'invalid' ? read.diagnostics.map(printDiagnostic) : [];
}

function specOf(yaml: string): unknown {
  return resources(`kind: IstioOperator\nspec:\n${yaml.replace(/^/gmu, '  ')}`)[0]?.spec;
}

describe('readResources', () => {
  it('reads the resource with its name', () => {
    const text =
      'kind: IstioOperator\nmetadata: { name: demo, namespace: istio-system }\nspec: { profile: demo }';

    const [resource] = resources(text);

    expect(resource).to.deep.include({
      spec: { profile: 'demo' },
      source: 'a.yaml',
      name: 'demo',
      namespace: 'istio-system',
    });
  });

  it('reads all documents, and skips those that say nothing', () => {
    const text = '---\nspec: { hub: a }\n---\n# empty\n---\nspec: { hub: b }\n';

    expect(resources(text).map(({ spec }) => spec)).to.deep.equal([{ hub: 'a' }, { hub: 'b' }]);
    expect(resources('')).to.deep.equal([]);
  });

  it('reads a resource that was fetched from a cluster, with status and all', () => {
    const text =
      '{"kind": "IstioOperator", "metadata": {"uid": "1"}, "spec": {"hub": "a"}, "status": {"x": 1}}';

    expect(resources(text).map(({ spec }) => spec)).to.deep.equal([{ hub: 'a' }]);
  });

  it('understands scalars as kubectl does', () => {
    expect(
      specOf('a: yes\nb: Off\nc: 0755\nd: 1.30\ne: "yes"\nf: 2001-01-01\ng: 12:30:45\nh: ~\ni: on call'),
    ).to.deep.equal({
      a: true,
      b: false,
      c: 493,
      d: 1.3,
      e: 'yes',
      f: '2001-01-01',
      g: '12:30:45',
      h: null,
      i: 'on call',
    });
  });

  it('follows anchors and merges', () => {
    expect(specOf('a: &x { cpu: 1 }\nb: *x\nc: { <<: *x, memory: 2 }')).to.deep.equal({
      a: { cpu: 1 },
      b: { cpu: 1 },
      c: { cpu: 1, memory: 2 },
    });
  });

  it('tells where a file is not YAML', () => {
    expect(faults('kind: IstioOperator\nspec:\n  profile: "demo\n')).to.deep.equal([
      'IOP101 a.yaml:4:1: Missing closing "quote. Correct the file at this place.',
    ]);
    expect(faults('a: 1\na: 2\n')).to.deep.equal([
      'IOP101 a.yaml:2:1: Map keys must be unique. Correct the file at this place.',
    ]);
  });

  it('tells documents of other kinds', () => {
    expect(faults('kind: IstioOperator\n---\nkind: Service\n---\n- a\n')).to.deep.equal([
      'IOP104 a.yaml:3:1: this is a Service. Give files with kind: IstioOperator; apply other objects with kubectl.',
      'IOP104 a.yaml:5:1: this is not a map with kind and spec. Give files with kind: IstioOperator; apply other objects with kubectl.',
    ]);
  });

  it('refuses files that are too large', () => {
    expect(faults(`# ${'x'.repeat(1_048_576)}`)).to.deep.equal([
      'IOP103 a.yaml:1:1: the file has more than 1048576 characters. An IstioOperator fits into a few hundred lines: give the right file.',
    ]);
  });

  it('refuses files that expand to far more than they say', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (const [name, below] of ['ba', 'cb', 'dc', 'ed', 'fe'])
      bomb.push(`${name}: &${name} [${`*${below}, `.repeat(10)}]`);

    expect(faults(bomb.join('\n'))).to.deep.equal([
      'IOP103 a.yaml:1:1: it refers to its anchors more than 100 times. Write the values out.',
    ]);
  });

  describe('positions', () => {
    const [resource] = resources(
      [
        'kind: IstioOperator',
        'spec:',
        '  components:',
        '    ingressGateways:',
        '      - name: a',
        '        k8s: { env: [{ name: X }] }',
        '  values:',
        '    a.b/c: 1',
        '    8080: x',
      ].join('\n'),
    );

    function place(path: string): string | undefined {
      const position = resource?.locate?.(path);
      return position === undefined ? undefined : `${position.line}:${position.column}`;
    }

    it('are those of keys and list elements', () => {
      expect(
        [
          'spec.components',
          'spec.components.ingressGateways[0]',
          'spec.components.ingressGateways[0].k8s.env[0].name',
          'spec.values["a.b/c"]',
          'spec.values["8080"]',
        ].map(place),
      ).to.deep.equal(['3:3', '5:9', '6:24', '8:5', '9:5']);
    });

    it('are those of the nearest parent for what is not there', () => {
      expect([
        place('spec.values.x.y'),
        place('spec.components.ingressGateways[7].name'),
        place('spec["x y"]'),
      ]).to.deep.equal(['7:3', '4:5', '2:1']);
    });

    it('are unknown for the whole', () => {
      expect(place('')).to.equal(undefined);
    });
  });
});
