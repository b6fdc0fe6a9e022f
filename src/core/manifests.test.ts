import { expect } from 'chai';
import { printDiagnostic } from '../model/diagnostic.ts';
import type { K8sObject } from '../model/object.ts';
import { readManifests } from './manifests.ts';

function objectsIn(text: string): readonly K8sObject[] {
  const read = readManifests(text, 'app.yaml');
  if (read.kind === 'invalid') throw new Error(read.diagnostics.map(printDiagnostic).join('\n'));
  return read.objects;
}

function complaintsAbout(text: string): readonly string[] {
  const read = readManifests(text, 'app.yaml');
  return read.kind === 'read' ? [] : read.diagnostics.map(printDiagnostic);
}

const named = (name: string, rest = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n${rest}`;

describe('reading manifests', () => {
  it('keeps the order of documents and skips empty ones', () => {
    const objects = objectsIn(`---\n${named('b')}---\n# only a comment\n---\n${named('a')}`);

    expect(objects.map(({ metadata }) => metadata.name)).to.deep.equal(['b', 'a']);
  });

  it('takes lists apart, also those of one kind', () => {
    const item = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
    const list = { apiVersion: 'v1', kind: 'ConfigMapList', items: [item] };

    expect(objectsIn(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [list] }))).to.deep.equal([
      item,
    ]);
  });

  it('reads words and numbers as kubectl does', () => {
    const [object] = objectsIn(
      named('a', 'data: {mode: 0644, on: yes, key: y, time: 12:30, day: 2026-01-01}'),
    );

    expect(object?.['data']).to.deep.equal({
      mode: 420,
      true: true,
      key: 'y',
      time: '12:30',
      day: '2026-01-01',
    });
  });

  it('tells line and column of what is not YAML', () => {
    expect(complaintsAbout('a: b\n  c: [')).to.deep.equal([
      'IOP101 app.yaml:2:4: bad indentation of a mapping entry. Correct the file at this place.',
    ]);
  });

  it('refuses documents that are no objects', () => {
    expect(complaintsAbout(`${named('a')}---\njust text\n`)).to.deep.equal([
      'IOP107 app.yaml:1:1: a document is no Kubernetes object. Each document needs apiVersion, kind and metadata.name.',
    ]);
  });
});
