import { expect } from 'chai';
import type { K8sObject } from '../model/object.ts';
import { labelsOf } from '../model/object.ts';
import { Notes } from './notes.ts';
import type { WatchEvent } from './watch.port.ts';

type Handler = (event: WatchEvent) => void;

function notesOfColours(): { readonly tell: Handler; readonly notes: Notes<string> } {
  const handlers: Handler[] = [];
  const onChange = (handler: Handler): (() => void) => {
    handlers.push(handler);
    return () => undefined;
  };
  const notes = new Notes({ onChange }, (object) => labelsOf(object)['colour']);
  return { tell: (event) => handlers.forEach((handler) => handler(event)), notes };
}

function coloured(name: string, colour?: string): K8sObject {
  const labels = colour === undefined ? {} : { colour };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels } };
}

describe('Notes', () => {
  it('follows objects from when they appear until they are gone', () => {
    const { tell, notes } = notesOfColours();

    tell({ type: 'added', object: coloured('a', 'red') });
    tell({ type: 'added', object: coloured('b', 'blue') });
    tell({ type: 'updated', object: coloured('a', 'green'), old: coloured('a', 'red') });
    expect(notes.all()).to.deep.equal(['green', 'blue']);

    tell({ type: 'deleted', object: coloured('b', 'blue') });
    expect(notes.all()).to.deep.equal(['green']);
  });

  it('drops what is of no interest any more', () => {
    const { tell, notes } = notesOfColours();
    tell({ type: 'added', object: coloured('a', 'red') });

    tell({ type: 'updated', object: coloured('a'), old: coloured('a', 'red') });

    expect(notes.all()).to.deep.equal([]);
  });
});
