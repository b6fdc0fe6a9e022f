import { expect } from 'chai';
import fc from 'fast-check';
import Handlebars from 'handlebars';
import { runInThisContext } from 'node:vm';
import { TEMPLATE_OPTIONS } from '../../model/assets.ts';
import type { JsonValue } from '../../model/json.ts';
import { jsonTree } from '../testing/json-arbitrary.ts';
import { createRenderer, RenderError } from './renderer.ts';

const HEAD = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n';

type View = Readonly<Record<string, JsonValue>>;

function render(template: string, view: View = {}): unknown {
  const renderer = createRenderer(new Map([['pilot/x', { kind: 'text', text: HEAD + template }]]));
  const {
    apiVersion: _version,
    kind: _kind,
    metadata: _metadata,
    ...rest
  } = renderer.render('pilot/x', view);
  return rest;
}

function failure(template: string, view: View = {}): string {
  try {
    render(template, view);
  } catch (error) {
    if (error instanceof RenderError) return error.message;
    throw error;
  }
  return 'rendered';
}

describe('createRenderer', () => {
  it('prints any value as a value, at any indentation', () => {
    fc.assert(
      fc.property(jsonTree, (value) => {
        expect(render('data:\n  - deep: {{yaml value}}\nlast: true', { value })).to.deep.equal({
          data: [{ deep: value }],
          last: true,
        });
      }),
    );
  });

  it('prints any text as a text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        'a\nb: c',
        '{{x}}',
        '- x',
        "'",
        '\u2028\u0085\ufeff',
        '\ud800',
        '<&>',
        '# x',
        '---',
        'yes',
        '1',
      ),
    );
    fc.assert(
      fc.property(text, (value) => {
        expect(render('data: {{text value}}', { value })).to.deep.equal({ data: value });
      }),
    );
  });

  it('prints what is no text as one with the text helper', () => {
    expect(render('data: [{{text a}}, {{text b}}, {{text c}}]', { a: 5, b: true, c: null })).to.deep.equal({
      data: ['5', 'true', ''],
    });
  });

  it('lets no text become a field', () => {
    const view = { value: 'x\nmetadata:\n  name: other' };

    expect(render('data: {{yaml value}}', view)).to.deep.equal({ data: view.value });
  });

  it('prints keys of any form', () => {
    const value = { 'a: b': 1, '': 2, '- x': 3, ['k'.repeat(2000)]: 4, yes: 5, '\n': 6 };

    expect(render('data: {{yaml value}}', { value })).to.deep.equal({ data: value });
  });

  it('leaves out an optional field whose value is null', () => {
    expect(render('{{optional "a" a}}\n{{optional "b" b}}', { a: null, b: 0 })).to.deep.equal({ b: 0 });
  });

  it('takes for true what Helm takes for true', () => {
    const values = [null, false, 0, '', [], {}, 'false', [0], { a: null }];

    const rendered = values.map((value) =>
      render('{{#if value}}is: yes{{else}}is: no{{/if}}\n{{#unless value}}not: yes{{/unless}}', { value }),
    );

    expect(rendered).to.deep.equal(
      values.map((_value, index) => (index < 6 ? { is: 'no', not: 'yes' } : { is: 'yes' })),
    );
  });

  it('repeats a block for each element', () => {
    const list = [{ name: 'a' }, { name: 'b\nc: d' }];

    expect(render('list:{{#each list as |item|}}\n  - {{yaml item.name}}{{/each}}', { list })).to.deep.equal({
      list: ['a', 'b\nc: d'],
    });
  });

  it('compiles templates beforehand as well', () => {
    const text = `${HEAD}data: {{yaml value}}`;
    // As the build stores it: the text of an expression.
    const spec: unknown = runInThisContext(`(${String(Handlebars.precompile(text, TEMPLATE_OPTIONS))})`);
    const renderer = createRenderer(new Map([['a', { kind: 'precompiled', spec }]]));

    expect(renderer.render('a', { value: 'x' })['data']).to.equal('x');
  });

  describe('with a template or a view that is wrong', () => {
    it('names the template and the place of a misspelt value', () => {
      expect(failure('data: {{vlaue}}', { value: 1 })).to.match(
        /^template pilot\/x: "vlaue" not defined .*5:8/u,
      );
      expect(failure('data: {{yaml vlaue}}', { value: 1 })).to.equal(
        'template pilot/x: the value of {{yaml …}} at 5:6 is not in the view',
      );
      expect(failure('{{#if vlaue}}a: 1{{/if}}', { value: 1 })).to.match(
        /^template pilot\/x: .* is not in the view$/u,
      );
      expect(failure('data: {{yaml value.deep.er}}', { value: {} })).to.match(/^template pilot\/x: /u);
    });

    it('names an unknown helper', () => {
      expect(failure('data: {{ymal value}}', { value: 1 })).to.match(
        /^template pilot\/x: "ymal" not defined/u,
      );
    });

    it('does not repeat what is no list', () => {
      expect(failure('{{#each value as |x|}}{{yaml x}}{{/each}}', { value: { a: 1 } })).to.equal(
        'template pilot/x: {{#each}} needs a list, not {"a":1}',
      );
    });

    it('tells that the text is no YAML, or no object', () => {
      expect(failure('data: [')).to.match(/^template pilot\/x does not print YAML: /u);
      const renderer = createRenderer(new Map([['a', { kind: 'text', text: 'kind: ConfigMap' }]]));
      expect(() => renderer.render('a', {})).to.throw(
        RenderError,
        'template a does not print an object with apiVersion, kind and a name',
      );
    });

    it('tells that there is no such template', () => {
      expect(() => createRenderer(new Map()).render('a', {})).to.throw(RenderError, 'there is no template a');
    });

    it('does not reach what objects inherit', () => {
      expect(failure('data: {{yaml constructor}}')).to.match(/not in the view/u);
      expect(failure('data: {{yaml value.__proto__}}', { value: {} })).to.match(/not in the view/u);
    });
  });
});
