import { expect } from 'chai';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AssetBundle } from '../model/assets.ts';
import { readAssets } from './source.ts';

const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gateways.networking.istio.io' },
};

const COMPLETE_TREE = {
  'templates/README.md': 'Notes are no assets.',
  'templates/pilot/deployment.yaml.hbs': 'kind: Deployment',
  'templates/pilot/values.yaml': 'pilot: { replicaCount: 1 }',
  'templates/pilot/files/sidecar.yaml': 'containers: []',
  'profiles/demo.yaml': 'kind: IstioOperator\nspec: { hub: example.com }',
  'profiles/presets/platform/gke.yaml': 'cni: { enabled: true }',
  'crds/istiooperators.yaml': `spec: { versions: [{ name: v1alpha1, schema: { openAPIV3Schema: { properties: {
    spec: { type: object, properties: { profile: { type: string } } } } } } }] }`,
  'crds/values.schema.json': '{"type":"object","properties":{"replicas":{"type":"integer"}}}',
  'deploy/kustomization.yaml': `resources: [operator.yaml]\nimages: [{ name: operator, newTag: '2' }]`,
  'deploy/operator.yaml': `{ apiVersion: apps/v1, kind: Deployment, metadata: { name: operator }, image: operator }`,
  'deploy/revision/rbac.yaml': '{ apiVersion: v1, kind: Role, metadata: { name: operator-REVISION } }',
  'crds/istio/1.30.jsonl': `${JSON.stringify(DEFINITION)}\n`,
} as const;

type Tree = Partial<Record<string, string>>;

async function readTree(tree: Tree): Promise<AssetBundle> {
  const root = await mkdtemp(join(tmpdir(), 'assets-'));
  try {
    for (const [path, text] of Object.entries(tree)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text ?? '');
    }
    return await readAssets(root);
  } finally {
    await rm(root, { recursive: true });
  }
}

async function failureOf(tree: Tree): Promise<string> {
  try {
    await readTree(tree);
  } catch (error) {
    return String(error);
  }
  throw new Error('the tree was accepted');
}

describe('readAssets', () => {
  it('files every piece under the name that its path gives it', async () => {
    const assets = await readTree(COMPLETE_TREE);

    expect(Object.fromEntries(assets.templates)).to.deep.equal({
      'pilot/deployment': { kind: 'text', text: 'kind: Deployment' },
    });
    expect(Object.fromEntries(assets.defaults)).to.deep.equal({ pilot: { pilot: { replicaCount: 1 } } });
    expect(Object.fromEntries(assets.profiles)).to.deep.equal({ demo: { hub: 'example.com' } });
    expect(Object.fromEntries(assets.presets)).to.deep.equal({ 'platform/gke': { cni: { enabled: true } } });
    expect(Object.fromEntries(assets.files)).to.deep.equal({ 'pilot/files/sidecar.yaml': 'containers: []' });
    expect(assets.crds.get('1.30')).to.deep.equal([DEFINITION]);
    expect(assets.deployment.map((object) => object['image'])).to.deep.equal(['operator:2']);
    expect(assets.revisionRights.map(({ metadata }) => metadata.name)).to.deep.equal(['operator-REVISION']);
  });

  it('checks specifications strictly and values by their own schema', async () => {
    const assets = await readTree(COMPLETE_TREE);

    expect(assets.validateSpec({ profile: 'demo' })).to.deep.equal([]);
    expect(assets.validateSpec({ porfile: 'demo' }).map((error) => error.params)).to.deep.equal([
      { additionalProperty: 'porfile' },
    ]);
    expect(assets.validateValues({ replicas: 'two' })).to.deep.equal([
      { path: ['replicas'], keyword: 'type', params: { type: 'integer' }, message: 'must be integer' },
    ]);
  });

  const faults: readonly { readonly title: string; readonly tree: Tree; readonly says: string }[] = [
    {
      title: 'an empty file',
      tree: { 'templates/pilot/deployment.yaml.hbs': '\n' },
      says: 'deployment.yaml.hbs is empty',
    },
    {
      title: 'invalid YAML',
      tree: { 'templates/pilot/values.yaml': 'a: [' },
      says: 'templates/pilot/values.yaml is not valid YAML',
    },
    {
      title: 'defaults that are only a comment',
      tree: { 'templates/pilot/values.yaml': '# none' },
      says: 'templates/pilot/values.yaml is not valid YAML: expected a document',
    },
    {
      title: 'a profile of another kind',
      tree: { 'profiles/demo.yaml': 'kind: Gateway' },
      says: 'profiles/demo.yaml must be of kind IstioOperator',
    },
    {
      title: 'a profile without specification',
      tree: { 'profiles/demo.yaml': 'kind: IstioOperator' },
      says: 'profiles/demo.yaml has no map at spec',
    },
    {
      title: 'a definition without v1alpha1',
      tree: { 'crds/istiooperators.yaml': 'spec: { versions: [] }' },
      says: 'crds/istiooperators.yaml has no map at schema.openAPIV3Schema.properties.spec',
    },
    {
      title: 'invalid JSON',
      tree: { 'crds/istio/1.30.jsonl': `${JSON.stringify(DEFINITION)}\n{` },
      says: 'crds/istio/1.30.jsonl:2 is not valid JSON',
    },
    {
      title: 'another object among the definitions',
      tree: { 'crds/istio/1.30.jsonl': '{"kind":"Service"}' },
      says: 'crds/istio/1.30.jsonl:1 is not a CustomResourceDefinition',
    },
    {
      title: 'a file whose name fits nothing',
      tree: { 'templates/pilot/service.yaml': 'kind: Service' },
      says: 'templates/pilot/service.yaml has no place',
    },
  ];
  for (const { title, tree, says } of faults) {
    it(`refuses ${title} and names the file`, async () => {
      expect(await failureOf({ ...COMPLETE_TREE, ...tree })).to.include(says);
    });
  }

  it('refuses a tree that lacks a folder or a required piece', async () => {
    const { 'profiles/demo.yaml': demo, ...withoutProfiles } = COMPLETE_TREE;

    expect(await failureOf({ 'profiles/demo.yaml': demo })).to.match(/(templates|crds) cannot be read/);
    expect(await failureOf(withoutProfiles)).to.include('hold no file of the form ^profiles');
  });
});
