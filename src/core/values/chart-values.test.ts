import { expect } from 'chai';
import { loadAssets } from '../../assets/load.ts';
import type { AssetBundle } from '../../model/assets.ts';
import { printDiagnostic } from '../../model/diagnostic.ts';
import type { JsonObject } from '../../model/json.ts';
import { DEFAULT_RELEASE } from '../releases.ts';
import type { ChartShape } from './chart-values.ts';
import { chartValues } from './chart-values.ts';

const DEFAULTS: readonly (readonly [string, JsonObject])[] = [
  ['plain', { a: 'default', b: 'default', c: 'default', d: 'default', list: [1, 2] }],
  ['pilot', { replicas: 1, env: { A: '1' } }],
  ['ztunnel', { hub: 'default', tag: 'default', network: 'default' }],
];
const PRESETS: readonly (readonly [string, JsonObject])[] = [
  [
    'profile/demo',
    { b: 'profile', c: 'profile', d: 'profile', pilot: { replicas: 2 }, global: { tag: 'profile' } },
  ],
  ['compatibility/1.29', { c: 'compatibility', d: 'compatibility' }],
  ['platform/gke', { d: 'platform' }],
];

describe('chartValues', () => {
  let assets: AssetBundle;

  before(async () => {
    assets = { ...(await loadAssets()), defaults: new Map(DEFAULTS), presets: new Map(PRESETS) };
  });

  function values(shape: ChartShape, given: JsonObject): JsonObject {
    const result = chartValues({ assets, release: DEFAULT_RELEASE }, shape, given);
    if (result.kind === 'invalid') throw new Error(result.diagnostics.map(printDiagnostic).join('\n'));
    return result.values;
  }

  function faults(given: JsonObject): readonly string[] {
    const result = chartValues({ assets, release: DEFAULT_RELEASE }, { folder: 'plain' }, given);
    return result.kind === 'invalid' ? result.diagnostics.map(printDiagnostic) : [];
  }

  it('merges defaults, profile, compatibility, platform and what is given, weakest first', () => {
    const given = { profile: 'demo', compatibilityVersion: '1.29', platform: 'gke', e: 'given', list: [3] };

    const { a, b, c, d, e, list } = values({ folder: 'plain' }, given);

    expect({ a, b, c, d, e, list }).to.deep.equal({
      a: 'default',
      b: 'profile',
      c: 'compatibility',
      d: 'platform',
      e: 'given',
      list: [3],
    });
    expect(values({ folder: 'plain' }, { ...given, d: 'given' })['d']).to.equal('given');
  });

  it('finds profile and platform among the globals too, after the top level', () => {
    const global = { profile: 'demo', platform: 'gke' };

    expect(values({ folder: 'plain' }, { global })).to.include({ b: 'profile', d: 'platform' });
    expect(faults({ global, profile: 'none' })).to.have.length(1);
  });

  it('reads a compatibility version that is written as a number', () => {
    expect(values({ folder: 'plain' }, { compatibilityVersion: 1.29 })).to.include({ c: 'compatibility' });
  });

  it('takes empty choices for none', () => {
    expect(values({ folder: 'plain' }, { profile: '', platform: null })['a']).to.equal('default');
  });

  it('tells every preset that does not exist, where it is written', () => {
    expect(faults({ profile: 'a', global: { platform: 'b' }, compatibilityVersion: '1.2' })).to.deep.equal([
      'IOP209 spec.values.profile: "a" is not a known profile. Use one of demo, or remove the field.',
      'IOP209 spec.compatibilityVersion: "1.2" is not a known compatibility. Use one of 1.29, or remove the field.',
      'IOP209 spec.values.global.platform: "b" is not a known platform. Use one of gke, or remove the field.',
    ]);
  });

  it("lays the component's own group over the top level, also when it comes from a preset", () => {
    const shape = { folder: 'pilot', prefix: 'pilot' };

    expect(values(shape, { replicas: 5, pilot: { env: { B: '2' } } })).to.deep.include({
      replicas: 5,
      env: { A: '1', B: '2' },
    });
    expect(values(shape, { replicas: 5, pilot: { replicas: 6 } })['replicas']).to.equal(6);
    expect(values(shape, { replicas: 5, profile: 'demo' })['replicas']).to.equal(2);
  });

  it('offers the globals at the top level, those of the user before everything of a preset', () => {
    const shape = { folder: 'ztunnel', flattensGlobal: true };
    const given = {
      profile: 'demo',
      global: { network: 'global', hub: 'global', b: 'global' },
      hub: 'given',
    };

    expect(values(shape, given)).to.include({
      hub: 'given',
      tag: 'profile',
      network: 'global',
      b: 'global',
      c: 'profile',
    });
  });

  it('does not offer them to other components', () => {
    expect(values({ folder: 'plain' }, { global: { a: 'global' } })['a']).to.equal('default');
  });
});
