import { expect } from 'chai';
import type { JsonObject } from '../../../model/json.ts';
import { mapAt } from '../../../model/json.ts';
import { readYaml } from '../../yaml.ts';
import { readValues } from '../reader.ts';
import { injectorConfig, injectorValues } from './injector.ts';

const BUILT_IN = { sidecar: 'built-in sidecar\n', gateway: 'built-in gateway\n' };

function config(sidecarInjectorWebhook: JsonObject): JsonObject {
  const values = { sidecarInjectorWebhook, global: { proxy: { autoInject: 'enabled' } } };
  return mapAt(readYaml(injectorConfig(readValues(values), BUILT_IN)));
}

describe('injectorConfig', () => {
  it('has the built-in templates and injects sidecars by default', () => {
    expect(config({})).to.deep.equal({
      defaultTemplates: ['sidecar'],
      policy: 'enabled',
      alwaysInjectSelector: [],
      neverInjectSelector: [],
      injectedAnnotations: null,
      template: '{{ Template_Version_And_Istio_Version_Mismatched_Check_Installation }}',
      templates: BUILT_IN,
    });
  });

  it("lets the user's templates replace built-in ones of the same name and join the others", () => {
    expect(config({ templates: { sidecar: 'own', extra: 'more\n' } })['templates']).to.deep.equal({
      gateway: 'built-in gateway\n',
      extra: 'more',
      sidecar: 'own',
    });
  });

  it('has the defaults, selectors and annotations of the user', () => {
    const selector = [{ matchLabels: { a: 'b' } }];

    const settings = config({
      defaultTemplates: ['gateway', 'extra'],
      alwaysInjectSelector: selector,
      neverInjectSelector: selector,
      injectedAnnotations: { count: 1 },
    });

    expect(settings).to.deep.include({
      defaultTemplates: ['gateway', 'extra'],
      alwaysInjectSelector: selector,
      neverInjectSelector: selector,
      injectedAnnotations: { count: '1' },
    });
  });
});

describe('injectorValues', () => {
  it('has just what templates may read', () => {
    const values = {
      global: { hub: 'h' },
      sidecarInjectorWebhook: { rewriteAppHTTPProbe: true },
      revision: 'canary',
      cni: { enabled: true },
      env: { A: 'b' },
      gateways: { securityContext: { a: 1 }, 'istio-ingressgateway': {} },
      meshConfig: {},
      crlConfigMapName: 'crl',
    };

    expect(injectorValues(readValues(values))).to.deep.equal({
      global: { hub: 'h' },
      sidecarInjectorWebhook: { rewriteAppHTTPProbe: true },
      revision: 'canary',
      pilot: { cni: { enabled: true }, env: { A: 'b' } },
      gateways: { securityContext: { a: 1 } },
    });
  });
});
