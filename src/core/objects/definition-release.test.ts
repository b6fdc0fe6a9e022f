import { expect } from 'chai';
import type { JsonObject } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';
import { isNewerDefinition, lineOfDefinition } from './definition-release.ts';

function definition(labels: JsonObject): K8sObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'gateways.networking.istio.io', labels },
  };
}

const chart = (version: string): K8sObject => definition({ 'app.kubernetes.io/version': version });

describe('the release line of a definition', () => {
  it('is that of the chart, also when the images are of another build', () => {
    const labels = { 'operator.istio.io/version': 'our-build', 'app.kubernetes.io/version': '1.30.3' };

    expect(lineOfDefinition(definition(labels))).to.equal('1.30');
  });

  it('is that of the installation when the chart left no label', () => {
    expect(lineOfDefinition(definition({ 'operator.istio.io/version': '1.29.6' }))).to.equal('1.29');
  });

  it('makes a live definition newer only when both tell their line', () => {
    const verdicts = [
      isNewerDefinition(chart('1.30.3'), chart('1.29.6')),
      isNewerDefinition(chart('1.29.6'), chart('1.30.3')),
      isNewerDefinition(chart('1.30.0'), chart('1.30.3')),
      isNewerDefinition(definition({}), chart('1.29.6')),
    ];

    expect(verdicts).to.deep.equal([true, false, false, false]);
  });
});
