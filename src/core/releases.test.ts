import { expect } from 'chai';
import { readAssets } from '../assets/source.ts';
import type { AssetBundle } from '../model/assets.ts';
import { printDiagnostic } from '../model/diagnostic.ts';
import { at } from '../model/json.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import type { PlanResult } from '../model/plan.ts';
import { objectsOf } from '../model/plan.ts';
import { createPlanner } from './plan.ts';
import type { Planner } from './plan.ts';
import { DEFAULT_RELEASE, DIFFERENCES, releaseOfLine, RELEASES } from './releases.ts';

describe('the releases', () => {
  it('come in order, with a default that is released', () => {
    expect(RELEASES.map(({ line }) => line)).to.deep.equal(['1.28', '1.29', '1.30', '1.31']);
    expect(DEFAULT_RELEASE.line).to.equal('1.30');
    expect(RELEASES.filter(({ isPreview }) => isPreview).map(({ line }) => line)).to.deep.equal(['1.31']);
  });

  it('do not all have the same: each difference tells two of them apart', () => {
    const useless = Object.keys(DIFFERENCES).filter((name) => {
      const having = RELEASES.filter(({ features }) => [...features].some((feature) => feature === name));
      return having.length === 0 || having.length === RELEASES.length;
    });

    expect(useless).to.deep.equal([]);
  });

  it('include a difference outside of its range where it was carried back', () => {
    const lines = RELEASES.filter(({ features }) => features.has('replicasAsValues')).map(({ line }) => line);

    expect(lines).to.deep.equal(['1.28', '1.31']);
  });

  it('are found by their line', () => {
    expect(releaseOfLine('1.29')?.defaultTag).to.equal('1.29.6');
    expect(releaseOfLine('1.27')).to.equal(undefined);
  });
});

describe('a plan of a release', () => {
  let assets: AssetBundle;
  let planner: Planner;

  before(async () => {
    assets = await readAssets();
    planner = createPlanner(assets);
  });

  function plan(spec: JsonObject): PlanResult {
    return planner({ layers: [{ spec, source: 'test' }], facts: { kubernetesVersion: 'v1.34.4' } });
  }

  function findings(spec: JsonObject): readonly string[] {
    const result = plan(spec);
    return (result.kind === 'planned' ? result.plan.warnings : result.diagnostics).map(printDiagnostic);
  }

  function istiodEnvironment(spec: JsonObject): readonly JsonValue[] {
    const result = plan(spec);
    const objects = result.kind === 'planned' ? objectsOf(result.plan) : [];
    const istiod = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'istiod');
    const env = at(istiod, 'spec', 'template', 'spec', 'containers', 0, 'env');
    return Array.isArray(env) ? env.map((entry: JsonValue) => at(entry, 'name') ?? null) : [];
  }

  for (const { line, defaultTag } of RELEASES) {
    it(`is of ${line} for the tag ${defaultTag}, with the definitions of that line`, () => {
      const result = plan({ profile: 'minimal', tag: defaultTag });

      expect(result.kind).to.equal('planned');
      if (result.kind !== 'planned') return;
      expect([result.plan.releaseLine, result.plan.version]).to.deep.equal([line, defaultTag]);
      const definitions = objectsOf(result.plan).filter(({ kind }) => kind === 'CustomResourceDefinition');
      const schemas = new Set((assets.crds.get(line) ?? []).map(({ spec }) => spec));
      expect(definitions).to.have.lengthOf(schemas.size);
      expect(definitions.filter(({ spec }) => !schemas.has(spec))).to.deep.equal([]);
    });
  }

  it('has no settings for behaviour that came later', () => {
    const older = { profile: 'minimal', compatibilityVersion: '1.27' };

    expect(istiodEnvironment({ ...older, tag: '1.28.10' })).not.to.include(
      'DISABLE_TRACK_REMAINING_CB_METRICS',
    );
    expect(istiodEnvironment({ ...older, tag: '1.29.6' })).to.include('DISABLE_TRACK_REMAINING_CB_METRICS');
  });

  it('cannot behave like its own line or a later one', () => {
    const [finding] = findings({ tag: '1.29.6', compatibilityVersion: '1.29' });

    expect(finding).to.equal(
      'IOP209 spec.compatibilityVersion: "1.29" is not a known compatibility. Use one of 1.25, 1.26, 1.27, 1.28, or remove the field.',
    );
  });

  it('refuses values that only another release has, and takes them there', () => {
    const values = { global: { readerServiceAccount: { name: 'reader' } } };

    expect(findings({ tag: '1.31.0-rc.0', values })).to.deep.equal([
      'IOP308 spec.tag: Istio 1.31 is rendered as 1.31.0-rc.0 has it, which is not the final release. Use 1.30.3 where it matters.',
    ]);
    expect(findings({ tag: '1.30.3', values })).to.deep.equal([
      'IOP213 spec.values.global.readerServiceAccount: Istio 1.30 does not have this, only 1.31 and later. Remove it, or change spec.tag. What it is about: Remote readers can use an account that is already there.',
    ]);
  });

  it('says which line is not supported, as a finding of its own kind', () => {
    const result = plan({ tag: '1.27.3' });

    expect(result).to.include({ kind: 'invalid', unsupportedLine: '1.27' });
  });
});
