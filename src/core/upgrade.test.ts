import { expect } from 'chai';
import { printDiagnostic } from '../model/diagnostic.ts';
import { judgeUpgrade } from './upgrade.ts';

function verdict(installed: string | undefined, wanted: string, annotations = {}): string {
  const result = judgeUpgrade({ installed, wanted, annotations });
  return result.kind === 'allowed' ? 'allowed' : printDiagnostic(result.diagnostic);
}

const WAY_OUT = 'Or annotate the resource with install.istio.io/allow-version-skip: "true".';

describe('judgeUpgrade', () => {
  const allowed: readonly (readonly [string, string | undefined, string])[] = [
    ['a fresh installation', undefined, '1.30.3'],
    ['the same version', '1.30.3', '1.30.3'],
    ['a custom build of the same version', '1.30.3', '1.30.3-acme'],
    ['a patch', '1.30.1', '1.30.3'],
    ['the next minor', '1.28.10', '1.29.0'],
    ['a tag that names only its line', '1.30.3', '1.30'],
    ['a tag that names no version', '1.30.3', 'latest'],
    ['what was installed by a tag without version', 'latest', '1.28.10'],
  ];
  for (const [what, installed, wanted] of allowed) {
    it(`allows ${what}`, () => {
      expect(verdict(installed, wanted)).to.equal('allowed');
    });
  }

  it('refuses to skip a minor, and says which comes first', () => {
    expect(verdict('1.28.10', '1.30.3')).to.equal(
      `IOP214 spec.tag: 1.28.10 is installed, and 1.30.3 skips a minor version. Go to 1.29 first. ${WAY_OUT}`,
    );
  });

  for (const [installed, wanted] of [
    ['1.30.3', '1.29.6'],
    ['1.30.3', '1.30.2'],
  ] as const) {
    it(`refuses to go back from ${installed} to ${wanted}`, () => {
      expect(verdict(installed, wanted)).to.equal(
        `IOP214 spec.tag: ${installed} is installed, and ${wanted} is older. Set the tag to what is installed, or to a newer version. ${WAY_OUT}`,
      );
    });
  }

  it('refuses to skip into another major', () => {
    expect(verdict('1.31.0', '2.0.0')).to.include('2.0.0 skips a minor version');
  });

  it('does what the annotation insists on, but only when it says "true"', () => {
    const key = 'install.istio.io/allow-version-skip';

    expect(verdict('1.28.10', '1.30.3', { [key]: 'true' })).to.equal('allowed');
    expect(verdict('1.28.10', '1.30.3', { [key]: 'yes' })).to.include('IOP214');
  });
});
