import { expect } from 'chai';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { printDiagnostic } from '../../model/diagnostic.ts';
import { LEGACY_FIELDS, translateLegacyFields } from './legacy-fields.ts';

/** A tree with a value at the end of a path of maps, each of which has something else beside it. */
function treeWith([key = '', ...rest]: readonly string[], value: JsonValue): JsonObject {
  return { beside: 1, [key]: rest.length === 0 ? value : treeWith(rest, value) };
}

/** The same tree without the value. */
function treeWithout([key = '', ...rest]: readonly string[]): JsonObject {
  return rest.length === 0 ? { beside: 1 } : { beside: 1, [key]: treeWithout(rest) };
}

describe('translateLegacyFields', () => {
  for (const { path, kind } of LEGACY_FIELDS) {
    it(`takes out spec.${path.join('.')} and tells what took its place`, () => {
      const { spec, diagnostics } = translateLegacyFields(treeWith(path, { enabled: true }));

      expect(spec).to.deep.equal(treeWithout(path));
      expect(diagnostics.map((diagnostic) => [diagnostic.path, diagnostic.severity])).to.deep.equal([
        [`spec.${path.join('.')}`, kind === 'removedField' ? 'error' : 'warning'],
      ]);
    });
  }

  it('tells what has no effect, and what cannot be honoured', () => {
    const values = {
      mixer: { policy: { enabled: true } },
      global: { tracer: { stackdriver: { debug: true } } },
    };

    expect(translateLegacyFields({ values }).diagnostics.map(printDiagnostic)).to.deep.equal([
      'IOP301 spec.values.mixer: it has no effect: Mixer was removed in Istio 1.8. Remove it; access logs, metrics and traces are set by Telemetry resources and spec.meshConfig.',
      'IOP302 spec.values.global.tracer.stackdriver.debug: it cannot be honoured: Istio does not read it any more. Remove it; trace through an extension provider of spec.meshConfig and a Telemetry resource.',
    ]);
  });

  it('refuses nothing that is null', () => {
    const values = { global: { tracer: { stackdriver: { debug: null } } } };

    const { diagnostics } = translateLegacyFields({ values });

    expect(diagnostics.map(({ code }) => code)).to.deep.equal(['IOP301']);
  });

  it('knows the fields of Helm times that people still have', () => {
    const spec = {
      components: { telemetry: { enabled: false }, policy: {}, citadel: {} },
      resourceSuffix: 'x',
      values: {
        mixer: { policy: { enabled: false }, telemetry: { enabled: false } },
        galley: { enabled: true },
        security: { selfSigned: true },
        nodeagent: { enabled: false },
        certmanager: { enabled: false },
        sidecarInjectorWebhook: { enabled: true, rewriteAppHTTPProbe: true },
        gateways: { enabled: true, 'istio-ingressgateway': {} },
        global: { mtls: { enabled: true }, hub: 'x' },
      },
    };

    const { spec: rest, diagnostics } = translateLegacyFields(spec);

    expect(rest).to.deep.equal({
      components: {},
      values: {
        sidecarInjectorWebhook: { rewriteAppHTTPProbe: true },
        gateways: { 'istio-ingressgateway': {} },
        global: { hub: 'x' },
      },
    });
    expect(diagnostics).to.have.length(12);
  });

  it('leaves everything else as it is', () => {
    const spec = {
      values: { global: { mtlss: {}, proxy: 'text' }, pilot: null },
      components: [],
      addonComponent: 1,
    };

    expect(translateLegacyFields(spec)).to.deep.equal({ spec, diagnostics: [] });
  });
});
