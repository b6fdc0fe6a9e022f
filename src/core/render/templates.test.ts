import { expect } from 'chai';
import Handlebars from 'handlebars';
import type { JsonObject } from '../../model/json.ts';
import { testPlanner } from '../testing/planning.ts';

/** Helpers that encode what they print. */
const PRINTERS = new Set(['yaml', 'text', 'optional']);
const BLOCKS = new Set(['if', 'unless', 'each']);

/** Specifications that together render every kind of object there is. */
const EVERYTHING: readonly JsonObject[] = [
  {
    profile: 'openshift-ambient',
    components: { ingressGateways: [{ name: 'a', enabled: true }, { name: 'b' }] },
    values: {
      experimental: { stableValidationPolicy: true },
      defaultRevision: 'default',
      gatewayClasses: { istio: {} },
      revisionTags: ['prod'],
      global: { networkPolicy: { enabled: true } },
      cni: { resourceQuotas: { enabled: true } },
      pilot: { autoscaleMin: 2, jwksResolverExtraRootCA: 'PEM' },
    },
  },
  { values: { gateways: { 'istio-ingressgateway': { injectionTemplate: 'gateway' } } } },
  { profile: 'remote', values: { global: { remotePilotAddress: '10.0.0.1' } } },
  { profile: 'observability', addonComponents: { prometheus: { storage: { size: '1Gi' } } } },
  { addonComponents: { prometheus: { enabled: true, mode: 'monitors' } } },
];

describe('the templates', () => {
  it('are all rendered by some specification', async () => {
    const used = new Set<string>();
    const planner = await testPlanner((assets) => {
      const templates = new Map(assets.templates);
      const get = (name: string) => {
        used.add(name);
        return assets.templates.get(name);
      };
      return { ...assets, templates: Object.assign(templates, { get }) };
    });

    for (const spec of EVERYTHING) planner.plan(spec);

    expect([...used].toSorted()).to.deep.equal([...planner.assets.templates.keys()].toSorted());
  });

  it('print values only through helpers that encode them', async () => {
    const { assets } = await testPlanner();

    const faults = [...assets.templates].flatMap(([name, source]) =>
      source.kind === 'text' ? rawPrints(source.text).map((fault) => `${name}: ${fault}`) : [],
    );

    expect(faults).to.deep.equal([]);
  });

  it('are seen through when they print a value as it is', () => {
    const texts = ['{{name}}', '{{{name}}}', '{{#if a}}{{b}}{{/if}}', '{{#with a}}{{/with}}', '{{> part}}'];

    expect(texts.map((text) => rawPrints(text).length)).to.deep.equal([1, 1, 1, 1, 1]);
    expect(rawPrints('{{#if a}}{{yaml b}}{{else}}{{optional "c" d}}{{/if}}')).to.deep.equal([]);
  });
});

/** What a template prints or does other than by the helpers above, with its line. */
function rawPrints(text: string): readonly string[] {
  const faults: string[] = [];
  class Search extends Handlebars.Visitor {
    override MustacheStatement(statement: hbs.AST.MustacheStatement): void {
      this.check(statement, PRINTERS);
      super.MustacheStatement(statement);
    }
    override BlockStatement(block: hbs.AST.BlockStatement): void {
      this.check(block, BLOCKS);
      super.BlockStatement(block);
    }
    override PartialStatement({ loc }: hbs.AST.PartialStatement): void {
      faults.push(`line ${loc.start.line}: a partial`);
    }
    private check(
      statement: hbs.AST.MustacheStatement | hbs.AST.BlockStatement,
      allowed: ReadonlySet<string>,
    ): void {
      const name = 'original' in statement.path ? statement.path.original : 'a literal';
      if (!allowed.has(name) || statement.params.length === 0)
        faults.push(`line ${statement.loc.start.line}: ${name}`);
    }
  }
  new Search().accept(Handlebars.parse(text));
  return faults;
}
