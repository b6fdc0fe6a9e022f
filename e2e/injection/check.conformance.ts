/** What the templates are checked for without a case: that istiod would take them, in every branch and every profile. */
import { expect } from 'chai';
import { composeWithOrigins } from '../../src/core/injection/compose.ts';
import type { ComposedTemplate } from '../../src/core/injection/compose.ts';
import type { JsonValue } from '../../src/model/json.ts';
import { readCases } from './cases.ts';
import type { HarnessCase, TemplateFault } from './harness-process.ts';
import { checkTemplates, runCases } from './harness-process.ts';
import type { InjectorRenderer } from './rendered-injector.ts';
import { createInjectorRenderer } from './rendered-injector.ts';
import type { Distribution } from './requests.ts';
import { readDistribution } from './requests.ts';
import { valuesKeys } from './values-keys.ts';

/** The first run on a machine builds the harness. */
const COLD_BUILD_MS = 10 * 60_000;
/** Rendering every profile, or running all cases, on a busy machine. */
const RUN_MS = 60_000;
const PLANTED_IN = 'injection/files/parts/pod/annotations.yaml.gotmpl';
/** Profiles without a control plane that injects. */
const WITHOUT_INJECTOR = new Set(['empty', 'external', 'remote']);

/** Each is put in front of a part; the checker has to find it there. */
const PLANTED_FAULTS: Readonly<Record<string, { readonly text: string; readonly message: string }>> = {
  'a block without an end': { text: '{{ if true }}', message: 'unexpected EOF: this block has no end' },
  'a function that does not exist': {
    text: '{{ include "x" . }}',
    message: 'function "include" not defined',
  },
  'a variable that does not exist': { text: '{{ $nobody }}', message: 'undefined variable "$nobody"' },
  'a field that does not exist': {
    text: '{{ .ObjectMeta.Labelz }}',
    message: '<.ObjectMeta.Labelz>: v1.ObjectMeta has no field or method Labelz',
  },
  'a field that pods do not have': {
    text: '{{ .GatewayClass }}',
    message: '<.GatewayClass>: injector.PodData has no field or method GatewayClass',
  },
  'a method that does not exist, behind a variable': {
    text: '{{ $config := .ProxyConfig }}{{ $config.GetTracin }}',
    message: '<$config.GetTracin>: v1alpha1.ProxyConfig has no field or method GetTracin',
  },
  'a field of the elements of a list': {
    text: '{{ range .Spec.Containers }}{{ .Nmae }}{{ end }}',
    message: '<.Nmae>: v1.Container has no field or method Nmae',
  },
  'a key that values do not have': {
    text: '{{ .Values.global.proxy.statusPrt }}',
    message: '<.Values.global.proxy.statusPrt>: .Values.global.proxy has no key statusPrt',
  },
  'a key that values do not have, behind a default': {
    text: '{{ $p := .Values.global.proxy | default dict }}{{ $p.statusPrt }}',
    message: '<$p.statusPrt>: .Values.global.proxy has no key statusPrt',
  },
  'too few arguments': {
    text: '{{ annotation .ObjectMeta "x" }}',
    message: '<annotation>: called with 2 arguments, wants 3',
  },
  'an argument of the wrong type': {
    text: '{{ contains "/" .ProxyUID }}',
    message: '<contains>: argument 2 is int64, wants string',
  },
};

describe('check of the injection templates', () => {
  let distribution: Distribution;
  let render: InjectorRenderer;
  let faults: readonly TemplateFault[];

  before(async function () {
    this.timeout(COLD_BUILD_MS);
    distribution = await readDistribution();
    render = createInjectorRenderer(distribution.assets);
    const planted = Object.entries(PLANTED_FAULTS).map(([what, { text }]) => gatewayWith(what, text));
    const { values } = render({ profile: 'minimal' });
    faults = await checkTemplates({
      templates: [...distribution.templates, ...planted],
      valuesKeys: valuesKeys(values),
    });
  });

  it('finds nothing that istiod would refuse', () => {
    const names = distribution.templates.map(({ name }) => name);

    expect(faults.filter(({ template }) => names.includes(template))).to.deep.equal([]);
  });

  for (const [what, { message }] of Object.entries(PLANTED_FAULTS)) {
    it(`finds ${what}, with file and line`, () => {
      const [first] = faults.filter(({ template }) => template === what);

      expect(first?.message).to.equal(message);
      expect(first?.place).to.equal(`templates/${PLANTED_IN}:1`);
    });
  }

  it('finds a use for every part', () => {
    expect(distribution.unusedParts).to.deep.equal([]);
  });

  /** The gateway's template with something in front of one of its parts, under a name of its own. */
  function gatewayWith(name: string, planted: string): ComposedTemplate {
    const files = new Map(distribution.assets.files);
    files.set(PLANTED_IN, `${planted}\n${files.get(PLANTED_IN) ?? ''}`);
    const composition = composeWithOrigins(files);
    if (composition.kind === 'faulty') throw new Error('the composition has to succeed');
    const [composed] = composition.templates.filter((template) => template.name === 'gateway');
    return { name, text: composed?.text ?? '', origins: composed?.origins ?? [] };
  }

  it('accepts the ConfigMap of every profile', async () => {
    const profiles = [...distribution.assets.profiles.keys()].filter((name) => !WITHOUT_INJECTOR.has(name));
    const injectors = Object.fromEntries(profiles.map((profile) => [profile, render({ profile })]));

    const answer = await runCases({ templates: distribution.templates, injectors, cases: [] });

    expect(answer.failed).to.equal(0);
    expect(profiles).to.include.members(['default', 'demo', 'minimal']);
  }).timeout(RUN_MS);

  it('keeps the templates below 150 KiB and the ConfigMap below 200 KiB', () => {
    const { config, values } = render({ profile: 'demo' });
    const texts = distribution.templates.map(({ text }) => text).join('');

    expect(Buffer.byteLength(texts)).to.be.below(150 * 1024);
    expect(Buffer.byteLength(config) + Buffer.byteLength(values)).to.be.below(200 * 1024);
  });

  it('prints no missing value into an object when values hold nothing', async () => {
    const { config } = render({ profile: 'minimal' });
    const cases = readCases().map(({ name, runner, input, nativeSidecars }): HarnessCase => ({
      name,
      runner,
      input,
      nativeSidecars,
      mesh: '{}',
      revision: '',
      injector: 'empty',
    }));

    const { results } = await runCases({
      templates: distribution.templates,
      injectors: { empty: { config, values: '{}' } },
      cases,
    });

    const texts = [...results.values()].flatMap(({ objects }) => (objects ?? []).flatMap(textsIn));
    expect(texts).not.to.have.lengthOf(0);
    expect(texts.filter((text) => /<no value>|<nil>|%!/.test(text))).to.deep.equal([]);
  }).timeout(RUN_MS);
});

function textsIn(value: JsonValue): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
