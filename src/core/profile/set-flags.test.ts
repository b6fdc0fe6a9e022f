import { expect } from 'chai';
import { printDiagnostic } from '../../model/diagnostic.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { applySetFlag, parseSetFlag, parseSetFlags } from './set-flags.ts';

function valueOf(text: string): JsonValue {
  const parsed = parseSetFlag(text);
  if (parsed.kind === 'invalid') throw new Error(printDiagnostic(parsed.diagnostic));
  return parsed.flag.value;
}

function causeOf(text: string): string | undefined {
  const parsed = parseSetFlag(text);
  return parsed.kind === 'invalid' ? printDiagnostic(parsed.diagnostic) : undefined;
}

function set(spec: JsonObject, text: string): JsonObject | string {
  const parsed = parseSetFlag(text);
  const result = parsed.kind === 'invalid' ? parsed : applySetFlag(spec, parsed.flag);
  return result.kind === 'set' && 'spec' in result ? result.spec : printDiagnostic(result.diagnostic);
}

describe('parseSetFlag', () => {
  it('guesses the type of a value', () => {
    const texts = [
      '5',
      '-3',
      '+7',
      '0',
      '1.5',
      '.5',
      '1e3',
      'true',
      'T',
      'false',
      'F',
      'FALSE',
      'x',
      '',
      'yes',
      '0x10',
    ];

    expect(texts.map((text) => valueOf(`a=${text}`))).to.deep.equal([
      5,
      -3,
      7,
      0,
      1.5,
      0.5,
      1000,
      true,
      true,
      false,
      false,
      false,
      'x',
      '',
      'yes',
      '0x10',
    ]);
  });

  it('takes numbers that are not finite for text', () => {
    expect(['inf', 'nan', '1e999'].map((text) => valueOf(`a=${text}`))).to.deep.equal([
      'inf',
      'nan',
      '1e999',
    ]);
  });

  it('removes the escapes of commas', () => {
    expect(valueOf(String.raw`a=x\,y`)).to.equal('x,y');
  });

  it('reads everything behind the first equals sign as the value', () => {
    expect(valueOf('values.pilot.env.A=b=c')).to.equal('b=c');
  });

  it('reads versions and environments as text', () => {
    const paths = [
      'tag',
      'spec.tag',
      'revision',
      'compatibilityVersion',
      'values.global.tag',
      'components.pilot.tag',
      'values.cni.tag',
      'meshConfig.defaultConfig.proxyMetadata.A',
      'values.meshConfig.defaultConfig.proxyMetadata.A',
    ];

    expect(paths.map((path) => valueOf(`${path}=1.30`))).to.deep.equal(paths.map(() => '1.30'));
    expect(valueOf('values.pilot.tagged=1.30')).to.equal(1.3);
  });

  it('tells what is malformed', () => {
    expect(['profile', 'a.[0=1', '=1', 'values.pilot.env.__proto__=1'].map(causeOf)).to.deep.equal([
      'IOP106 --set profile: there is no "=" in it. Write --set path=value.',
      'IOP106 --set a.[0=1: "[" is not closed or stands alone. Write the path as in components.pilot.enabled.',
      'IOP106 --set =1: the path is empty. Write the path as in components.pilot.enabled.',
      'IOP106 --set values.pilot.env.__proto__=1: the key "__proto__" is not allowed. Remove the key.',
    ]);
  });
});

describe('applySetFlag', () => {
  const SPEC = { components: { ingressGateways: [{ name: 'a' }, { name: 'b', enabled: false }] }, hub: 'x' };

  it('sets a value, creating what is missing', () => {
    expect(set(SPEC, 'values.pilot.env.A=1')).to.deep.equal({
      ...SPEC,
      values: { pilot: { env: { A: 1 } } },
    });
    expect(set(SPEC, 'hub=y')).to.deep.equal({ ...SPEC, hub: 'y' });
  });

  it('accepts paths that begin with spec, as older releases did', () => {
    expect(set(SPEC, 'spec.hub=y')).to.deep.equal({ ...SPEC, hub: 'y' });
  });

  it('takes escaped dots for part of a key', () => {
    expect(set({}, String.raw`values.pilot.podAnnotations.a\.b/c=d`)).to.deep.equal({
      values: { pilot: { podAnnotations: { 'a.b/c': 'd' } } },
    });
  });

  it('changes gateways that are there by their position and by their name', () => {
    const changed = {
      ...SPEC,
      components: { ingressGateways: [{ name: 'a' }, { name: 'b', enabled: true }] },
    };

    expect(set(SPEC, 'components.ingressGateways[1].enabled=true')).to.deep.equal(changed);
    expect(set(SPEC, 'components.ingressGateways.[name:b].enabled=true')).to.deep.equal(changed);
  });

  it('appends behind the end of a list', () => {
    expect(set({ list: [1] }, 'list[5]=2')).to.deep.equal({ list: [1, 2] });
    expect(set({}, 'list[0].a=1')).to.deep.equal({ list: [{ a: 1 }] });
  });

  it('may change the type of a value', () => {
    expect(set({ a: { b: 1 } }, 'a=x')).to.deep.equal({ a: 'x' });
  });

  it('tells which elements there are', () => {
    expect(set(SPEC, 'components.ingressGateways.[name:c].enabled=true')).to.equal(
      'IOP106 --set components.ingressGateways.[name:c].enabled=true: [name:c] matches nothing: there are [name:a], [name:b]. Name an element that exists; profile dump shows them.',
    );
    expect(set({}, 'a.[name:c].b=true')).to.equal(
      'IOP106 --set a.[name:c].b=true: [name:c] matches nothing: the list is empty. Name an element that exists; profile dump shows them.',
    );
  });

  it('tells what stands in the way', () => {
    expect([set(SPEC, 'hub.a=1'), set(SPEC, '[0]=1')]).to.deep.equal([
      'IOP106 --set hub.a=1: hub is a scalar, not a map. Name an element that exists; profile dump shows them.',
      'IOP106 --set [0]=1: the specification is a map, not a list. Name an element that exists; profile dump shows them.',
    ]);
  });
});

describe('parseSetFlags', () => {
  it('reads what can be read and tells the rest', () => {
    const { flags, diagnostics } = parseSetFlags(['a=1', 'b', 'c=2', 'd']);

    expect(flags.map(({ text }) => text)).to.deep.equal(['a=1', 'c=2']);
    expect(diagnostics.map(({ cause }) => cause)).to.deep.equal([
      '--set b: there is no "=" in it',
      '--set d: there is no "=" in it',
    ]);
  });
});
