import { expect } from 'chai';
import { bundledAssets } from './bundled.ts';
import type { BundledPieces } from './bundled.ts';

function pieces(changes: Partial<BundledPieces>): BundledPieces {
  return {
    templates: {},
    trees: () => '{"defaults":{},"profiles":{},"presets":{},"files":{}}',
    deployment: () => '[]',
    revisionRights: () => '[]',
    specSchema: () => '{}',
    valuesSchema: () => '{}',
    crds: {},
    crdSpecs: {},
    validateSpec: () => true,
    validateValues: () => true,
    ...changes,
  };
}

describe('bundledAssets', () => {
  it('offers templates as precompiled and trees by name', () => {
    const spec = { main: () => '' };
    const trees =
      '{"defaults":{"pilot":{"a":1}},"profiles":{"demo":{"b":2}},"presets":{},"files":{"pilot/files/x":"y"}}';

    const assets = bundledAssets(pieces({ templates: { 'pilot/deployment': spec }, trees: () => trees }));

    expect([...assets.templates]).to.deep.equal([['pilot/deployment', { kind: 'precompiled', spec }]]);
    expect([...assets.defaults]).to.deep.equal([['pilot', { a: 1 }]]);
    expect([...assets.profiles]).to.deep.equal([['demo', { b: 2 }]]);
    expect([...assets.files]).to.deep.equal([['pilot/files/x', 'y']]);
  });

  it('reads definitions and schemas only when asked for, and once', () => {
    const reads: string[] = [];
    const text = (name: string, json: string) => (): string => {
      reads.push(name);
      return json;
    };
    const assets = bundledAssets(
      pieces({
        crds: { '1.29': text('1.29', '[]'), '1.30': text('1.30', '[]') },
        specSchema: text('spec', '{}'),
      }),
    );

    expect([...assets.crds.keys()]).to.deep.equal(['1.29', '1.30']);
    expect(assets.crds.has('1.31')).to.equal(false);
    expect(assets.crds.get('1.31')).to.equal(undefined);
    expect(reads).to.deep.equal([]);
    expect(assets.crds.get('1.30')).to.equal(assets.crds.get('1.30'));
    expect(assets.specSchema).to.equal(assets.specSchema);
    expect(reads).to.deep.equal(['1.30', 'spec']);
  });

  it('loads the printed definitions of one release line alone', async () => {
    const crd = { apiVersion: 'v1', kind: 'CustomResourceDefinition', metadata: { name: 'a' }, spec: {} };
    const other = async (): Promise<never> => {
      throw new Error('nobody asked for 1.29');
    };
    const assets = bundledAssets(
      pieces({
        crds: { '1.29': () => 'not JSON', '1.30': () => JSON.stringify([crd]) },
        crdSpecs: { '1.29': other, '1.30': async () => ['printed'] },
      }),
    );

    const printed = await assets.printedSpecs('1.30');

    expect(assets.crds.get('1.30')?.map(printed)).to.deep.equal(['printed']);
    expect(printed(crd)).to.equal(undefined);
    expect((await assets.printedSpecs('1.31'))(crd)).to.equal(undefined);
  });
});
