import { expect } from 'chai';
import { printDiagnostic } from '../../../model/diagnostic.ts';
import type { JsonObject } from '../../../model/json.ts';
import { meshConfig } from './mesh-config.ts';

function findings(mesh: JsonObject): readonly string[] {
  return meshConfig({ meshConfig: mesh }).map(printDiagnostic);
}

describe('the check of the mesh configuration', () => {
  it('refuses values that istiod cannot read, in both places', () => {
    expect(findings({ enableTracing: 'true', trustDomain: 7, defaultConfig: { tracing: [] } })).to.deep.equal(
      [
        'IOP202 spec.meshConfig.enableTracing: "true" is not true or false, without quotes. ' +
          'Write true or false, without quotes: istiod would refuse the mesh configuration.',
        'IOP202 spec.meshConfig.trustDomain: 7 is not a text. ' +
          'Write a text: istiod would refuse the mesh configuration.',
        'IOP202 spec.meshConfig.defaultConfig.tracing: [] is not a map (name: value). ' +
          'Write a map (name: value): istiod would refuse the mesh configuration.',
      ],
    );
    expect(meshConfig({ values: { meshConfig: { extensionProviders: {} } } })).to.have.lengthOf(1);
  });

  it('warns of a word that istiod does not know, and names those that it does', () => {
    expect(findings({ outboundTrafficPolicy: { mode: 'REGISTRY' } })).to.deep.equal([
      'IOP309 spec.meshConfig.outboundTrafficPolicy.mode: istiod does not know "REGISTRY" and takes its default. ' +
        'Use one of REGISTRY_ONLY, ALLOW_ANY.',
    ]);
  });

  it('warns of a field that looks like a mistake, and lets others pass', () => {
    expect(findings({ acessLogFile: '/dev/stdout', somethingOfTomorrow: 1 })).to.deep.equal([
      'IOP309 spec.meshConfig.acessLogFile: "acessLogFile" looks like a mistake: ' +
        'istiod ignores fields that it does not know. Did you mean "accessLogFile"?',
    ]);
  });

  it('accepts what the JSON form of Protocol Buffers accepts', () => {
    const mesh = {
      access_log_file: '/dev/stdout',
      proxyHttpPort: '15007',
      accessLogEncoding: 1,
      enableTracing: null,
      defaultConfig: { concurrency: 2, proxyMetadata: { A: 'x' } },
    };

    expect(findings(mesh)).to.deep.equal([]);
  });
});
