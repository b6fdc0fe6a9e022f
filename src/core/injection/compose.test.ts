import { expect } from 'chai';
import { composeInjectionTemplates, composeWithOrigins } from './compose.ts';
import type { CompositionFault } from './compose.ts';

const FOLDER = 'injection/files/';

function files(sources: Readonly<Record<string, readonly string[]>>): ReadonlyMap<string, string> {
  const entries = Object.entries(sources).map(([name, lines]): [string, string] => [
    `${FOLDER}${name}.yaml.gotmpl`,
    lines.map((line) => `${line}\n`).join(''),
  ]);
  return new Map(entries);
}

function include(part: string): string {
  return `{{/* include "${part}" */}}`;
}

function faultsOf(sources: Readonly<Record<string, readonly string[]>>): readonly CompositionFault[] {
  const composition = composeWithOrigins(files(sources));
  return composition.kind === 'faulty' ? composition.faults : [];
}

describe('composeInjectionTemplates', () => {
  it('makes a template of each file that stands directly in the folder', () => {
    const texts = composeInjectionTemplates(
      files({ sidecar: ['a: 1'], gateway: ['b: 2'], 'parts/x': ['c: 3'] }),
    );

    expect(texts).to.deep.equal({ sidecar: 'a: 1\n', gateway: 'b: 2\n' });
  });

  it('leaves other files of the distribution alone', () => {
    const texts = composeInjectionTemplates(
      new Map([
        ['pilot/files/other.yaml.gotmpl', 'a: 1\n'],
        ['injection/files/notes.txt', 'no template\n'],
      ]),
    );

    expect(texts).to.deep.equal({});
  });

  it('puts a part where the directive stands, shifted by its indentation', () => {
    const texts = composeInjectionTemplates(
      files({
        sidecar: ['env:', `  ${include('parts/env')}`, 'end: true'],
        'parts/env': ['- name: A', '', '  value: b'],
      }),
    );

    expect(texts['sidecar']).to.equal('env:\n  - name: A\n\n    value: b\nend: true\n');
  });

  it('adds up the indentation of parts in parts', () => {
    const texts = composeInjectionTemplates(
      files({
        sidecar: [`  ${include('parts/outer')}`],
        'parts/outer': ['outer:', `  ${include('parts/inner')}`],
        'parts/inner': ['inner: 1'],
      }),
    );

    expect(texts['sidecar']).to.equal('  outer:\n    inner: 1\n');
  });

  it('takes the same part as often as it is wanted', () => {
    const texts = composeInjectionTemplates(
      files({ sidecar: [include('parts/a'), include('parts/a')], 'parts/a': ['- 1'] }),
    );

    expect(texts['sidecar']).to.equal('- 1\n- 1\n');
  });

  it('leaves out comments on lines of their own, also long ones', () => {
    const texts = composeInjectionTemplates(
      files({ sidecar: ['{{/* short */}}', 'a: 1', '  {{/*', '  long: {{ .X }}', '  */}}', 'b: 2'] }),
    );

    expect(texts['sidecar']).to.equal('a: 1\nb: 2\n');
  });

  it('keeps comments that stand beside something', () => {
    const texts = composeInjectionTemplates(files({ sidecar: ['a: 1 {{/* one */}}'] }));

    expect(texts['sidecar']).to.equal('a: 1 {{/* one */}}\n');
  });

  it('throws with every fault when the files do not fit together', () => {
    const broken = files({ sidecar: ['a: 1', include('parts/none')], gateway: [include('parts/none')] });

    expect(() => composeInjectionTemplates(broken))
      .to.throw(
        'templates/injection/files/sidecar.yaml.gotmpl:2: there is no injection/files/parts/none.yaml.gotmpl',
      )
      .with.property('message')
      .that.includes('templates/injection/files/gateway.yaml.gotmpl:1: there is no');
  });
});

describe('composeWithOrigins', () => {
  it('tells for each line of a template where it comes from', () => {
    const composition = composeWithOrigins(
      files({
        sidecar: ['{{/* why */}}', 'a: 1', include('parts/b')],
        'parts/b': ['{{/* why */}}', 'b: 2', 'c: 3'],
      }),
    );

    expect(composition).to.deep.equal({
      kind: 'composed',
      templates: [
        {
          name: 'sidecar',
          text: 'a: 1\nb: 2\nc: 3\n',
          origins: [
            'templates/injection/files/sidecar.yaml.gotmpl:2',
            'templates/injection/files/parts/b.yaml.gotmpl:2',
            'templates/injection/files/parts/b.yaml.gotmpl:3',
          ],
        },
      ],
      unused: [],
    });
  });

  it('names parts that nothing includes', () => {
    const composition = composeWithOrigins(
      files({
        sidecar: [include('parts/a')],
        'parts/a': ['a: 1'],
        'parts/b': [include('parts/c')],
        'parts/c': ['c: 1'],
      }),
    );

    expect(composition).to.have.property('unused').that.deep.equals(['parts/b', 'parts/c']);
  });

  it('tells a part that is missing by file and line', () => {
    expect(
      faultsOf({ sidecar: [include('parts/a')], 'parts/a': ['a: 1', include('parts/b')] }),
    ).to.deep.equal([
      {
        place: 'templates/injection/files/parts/a.yaml.gotmpl:2',
        message: 'there is no injection/files/parts/b.yaml.gotmpl to include',
      },
    ]);
  });

  it('tells a part that includes itself by the way it goes', () => {
    const sources = {
      sidecar: [include('parts/a')],
      'parts/a': [include('parts/b')],
      'parts/b': ['x', include('parts/a')],
    };

    expect(faultsOf(sources)).to.deep.equal([
      {
        place: 'templates/injection/files/parts/b.yaml.gotmpl:2',
        message: 'sidecar includes parts/a includes parts/b includes parts/a: that never ends',
      },
    ]);
  });

  it('tells a fault of a part once, however many templates include it', () => {
    const sources = {
      sidecar: [include('parts/a')],
      gateway: [include('parts/a')],
      'parts/a': [include('parts/b')],
    };

    expect(faultsOf(sources)).to.have.lengthOf(1);
  });

  it('does not let templates include each other', () => {
    expect(faultsOf({ sidecar: [include('gateway')], gateway: ['a: 1'] })).to.deep.equal([
      {
        place: 'templates/injection/files/sidecar.yaml.gotmpl:1',
        message: 'gateway is a template; only files in folders can be included',
      },
    ]);
  });

  const ALMOST = [
    '{{/* include parts/a */}}',
    '{{- /* include "parts/a" */ -}}',
    'a: {{/* include "parts/a" */}}',
    '{{/* include "parts/a" */}} # why',
  ];
  for (const line of ALMOST) {
    it(`takes ${line} for a mistake and not for a comment`, () => {
      expect(faultsOf({ sidecar: [line], 'parts/a': ['a: 1'] })).to.deep.equal([
        {
          place: 'templates/injection/files/sidecar.yaml.gotmpl:1',
          message: 'an include is written {{/* include "parts/name" */}}, on a line of its own',
        },
      ]);
    });
  }

  it('tells a comment without an end by the line where it begins', () => {
    expect(faultsOf({ sidecar: ['a: 1', '{{/* why', 'b: 2'] })).to.deep.equal([
      { place: 'templates/injection/files/sidecar.yaml.gotmpl:2', message: 'this comment has no end' },
    ]);
  });
});
