import { expect } from 'chai';
import { billOfMaterials } from './sbom.ts';
import type { Part } from './sbom.ts';

const PRODUCT = {
  name: 'istio-operator',
  version: '1.0.0',
  licence: 'Apache-2.0',
  kind: 'application',
} as const;
const SCOPED: Part = { source: 'npm', name: '@scope/a', version: '1.2.3', licence: 'MIT' };
const SYSTEM: Part = { source: 'deb', name: 'libstdc++6', version: '12-1+b1', qualifiers: { arch: 'amd64' } };

interface Bill {
  readonly components?: readonly Readonly<Record<string, unknown>>[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

function bill(parts: readonly Part[]): Bill {
  return JSON.parse(billOfMaterials(PRODUCT, parts)) as Bill;
}

describe('billOfMaterials', () => {
  it('lists a part with group, version, licence and package URL', () => {
    const [component] = bill([SCOPED]).components ?? [];

    expect(component).to.deep.include({
      type: 'library',
      group: '@scope',
      name: 'a',
      version: '1.2.3',
      purl: 'pkg:npm/%40scope/a@1.2.3',
    });
    expect(component?.['licenses']).to.deep.equal([{ expression: 'MIT' }]);
  });

  it('escapes what a package URL reserves', () => {
    expect(bill([SYSTEM]).components?.[0]?.['purl']).to.equal(
      'pkg:deb/debian/libstdc%2B%2B6@12-1%2Bb1?arch=amd64',
    );
  });

  it('lists a part that is given twice once, and says that the product depends on it', () => {
    const { components, dependencies } = bill([SCOPED, SYSTEM, { ...SCOPED }]);

    expect(components).to.have.lengthOf(2);
    expect(dependencies.find(({ ref }) => ref === 'istio-operator@1.0.0')?.dependsOn).to.have.lengthOf(2);
  });

  it('gives the same text for the same parts in another order', () => {
    expect(billOfMaterials(PRODUCT, [SYSTEM, SCOPED])).to.equal(billOfMaterials(PRODUCT, [SCOPED, SYSTEM]));
  });
});
