import { expect } from 'chai';
import type { JsonObject } from '../model/json.ts';
import { chooseRelease, RELEASE_LINE_ANNOTATION } from './release-choice.ts';
import type { ReleaseRequest } from './release-choice.ts';

/** `1.30 (1.30.3)`: the line and what a resource without tag gets, then warnings; or why there is none. */
function choice(spec: JsonObject, given: Partial<ReleaseRequest> = {}): string {
  const chosen = chooseRelease({ spec, annotations: {}, installedVersion: undefined, ...given });
  if (chosen.kind === 'unsupported')
    return `${chosen.diagnostic.code} ${chosen.line}: ${chosen.diagnostic.path}`;
  const warnings = chosen.warnings.map(({ code, path }) => ` ${code} ${path}`);
  return `${chosen.release.line} (${chosen.defaultTag})${warnings.join('')}`;
}

function line(name: string): Partial<ReleaseRequest> {
  return { annotations: { [RELEASE_LINE_ANNOTATION]: name } };
}

describe('chooseRelease', () => {
  it('gives a fresh resource without tag the default', () => {
    expect(choice({ profile: 'demo' })).to.equal('1.30 (1.30.3)');
  });

  it('reads the line from the start of the tag, also of a custom build', () => {
    expect(choice({ tag: '1.29.6' })).to.equal('1.29 (1.29.6)');
    expect(choice({ tag: '1.28' })).to.equal('1.28 (1.28.10)');
    expect(choice({ tag: '1.31.0-rc.0-acme' })).to.equal('1.31 (1.31.0-rc.0) IOP308 spec.tag');
    expect(choice({ values: { global: { tag: '1.29.1' } } })).to.equal('1.29 (1.29.6)');
  });

  it('follows the tag of a component when the whole has none', () => {
    expect(choice({ components: { pilot: { tag: '1.29.3' } } })).to.equal('1.29 (1.29.6)');
    expect(choice({ values: { cni: { tag: '1.28.1' } } })).to.equal('1.28 (1.28.10)');
    expect(choice({ components: { ingressGateways: [{ name: 'a', tag: '1.29.0' }] } })).to.equal(
      '1.29 (1.29.6)',
    );
  });

  it('warns of a component that is of another line than the rest', () => {
    expect(choice({ tag: '1.29.6', components: { cni: { tag: '1.30.3' } } })).to.equal(
      '1.29 (1.29.6) IOP307 spec.components.cni.tag',
    );
  });

  it('takes a tag without version for the default line, and says so', () => {
    expect(choice({ tag: 'acme-7' })).to.equal('1.30 (1.30.3) IOP306 spec.tag');
  });

  it('does not take the number that YAML makes of an unquoted 1.30 for a version', () => {
    expect(choice({ tag: 1.3 })).to.equal('1.30 (1.30.3) IOP306 spec.tag');
  });

  it('believes the annotation whatever the tag looks like', () => {
    expect(choice({ tag: 'acme-7' }, line('1.29'))).to.equal('1.29 (1.29.6)');
    expect(choice({ tag: '2026.4' }, line('1.29'))).to.equal('1.29 (1.29.6) IOP307 spec.tag');
  });

  it('keeps a resource without tag on what is installed', () => {
    expect(choice({}, { installedVersion: '1.29.2' })).to.equal('1.29 (1.29.2)');
    expect(choice({}, { installedVersion: 'acme-7' })).to.equal('1.30 (acme-7)');
  });

  it('follows a tag away from what is installed', () => {
    expect(choice({ tag: '1.29.6' }, { installedVersion: '1.28.10' })).to.equal('1.29 (1.29.6)');
  });

  it('knows neither lines of the past nor of the future', () => {
    expect(choice({ tag: '1.27.3' })).to.equal('IOP212 1.27: spec.tag');
    expect(choice({ tag: '1.99.0' })).to.equal('IOP212 1.99: spec.tag');
    expect(choice({}, { installedVersion: '1.27.3' })).to.equal('IOP212 1.27: status.version');
    expect(choice({ tag: '1.30.3' }, line('1.2'))).to.include('IOP212 1.2: metadata.annotations');
  });
});
