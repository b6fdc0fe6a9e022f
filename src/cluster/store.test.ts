import { expect } from 'chai';
import type { K8sObject } from '../model/object.ts';
import type { LogFields, Logger } from '../model/logger.ts';
import { refOf } from '../model/object.ts';
import { ObjectStore, compareResourceVersions } from './store.ts';
import { configMap } from './testing/objects.ts';

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

interface Recorded {
  readonly store: ObjectStore;
  /** Events as `type name@resourceVersion`. */
  readonly events: string[];
}

function recordedStore(): Recorded {
  const store = new ObjectStore(SILENT);
  const events: string[] = [];
  store.onChange(({ type, object }) => events.push(`${type} ${object.metadata.name}@${versionOf(object)}`));
  return { store, events };
}

function versionOf(object: K8sObject | undefined): string {
  return String(object?.metadata['resourceVersion']);
}

const A = refOf(configMap('a', 1));

describe('ObjectStore', () => {
  it('tells what a list added, changed and removed', () => {
    const { store, events } = recordedStore();
    store.replace([configMap('a', 1), configMap('b', 2)], store.mark());

    store.replace([configMap('a', 5), configMap('c', 4)], store.mark());

    expect(events).to.deep.equal(['added a@1', 'added b@2', 'updated a@5', 'added c@4', 'deleted b@2']);
  });

  it('tells nothing when a list brings what is known', () => {
    const { store, events } = recordedStore();
    store.replace([configMap('a', 1)], store.mark());

    store.replace([configMap('a', 1)], store.mark());

    expect(events).to.deep.equal(['added a@1']);
  });

  it('takes older states from a list: the database may have been restored', () => {
    const { store } = recordedStore();
    store.replace([configMap('a', 900)], store.mark());

    store.replace([configMap('a', 7)], store.mark());

    expect(versionOf(store.get(A))).to.equal('7');
  });

  it('ignores an event that is older than what is known', () => {
    const { store, events } = recordedStore();
    store.upsert(configMap('a', 10));

    store.upsert(configMap('a', 9));

    expect(versionOf(store.get(A))).to.equal('10');
    expect(events).to.deep.equal(['added a@10']);
  });

  it('tells a re-created object as deleted and added', () => {
    const { store, events } = recordedStore();
    store.upsert(configMap('a', 1));

    store.upsert(configMap('a', 5, { uid: 'other' }));

    expect(events).to.deep.equal(['added a@1', 'deleted a@1', 'added a@5']);
  });

  it('goes on with the other handlers when one throws, and logs it', () => {
    const logged: (LogFields | undefined)[] = [];
    const store = new ObjectStore({ ...SILENT, error: (_message, fields) => logged.push(fields) });
    const told: string[] = [];
    store.onChange(() => {
      throw new Error('broken handler');
    });
    store.onChange(({ type }) => told.push(type));

    store.upsert(configMap('a', 1));

    expect(told).to.deep.equal(['added']);
    expect(logged).to.have.length(1);
  });

  it('tells a handler nothing after it left', () => {
    const { store } = recordedStore();
    const told: string[] = [];
    const leave = store.onChange(({ type }) => told.push(type));

    leave();
    store.upsert(configMap('a', 1));

    expect(told).to.deep.equal([]);
  });

  describe('observing our own writes', () => {
    it('shows a write at once and tells it only once', () => {
      const { store, events } = recordedStore();

      store.observe(configMap('a', 5));
      store.upsert(configMap('a', 5));

      expect(versionOf(store.get(A))).to.equal('5');
      expect(events).to.deep.equal(['added a@5']);
    });

    it('is not undone by an event of before the write', () => {
      const { store } = recordedStore();
      store.observe(configMap('a', 5));

      store.upsert(configMap('a', 4));

      expect(versionOf(store.get(A))).to.equal('5');
    });

    it('survives a list that was asked for before the write', () => {
      const { store, events } = recordedStore();
      const before = store.mark();
      store.observe(configMap('a', 5));
      store.observe(configMap('b', 6));

      store.replace([configMap('a', 2)], before);

      expect(versionOf(store.get(A))).to.equal('5');
      expect(store.list()).to.have.length(2);
      expect(events).to.deep.equal(['added a@5', 'added b@6']);
    });

    it('gives way to a list that was asked for after the write', () => {
      const { store } = recordedStore();
      store.observe(configMap('a', 5));

      store.replace([], store.mark());

      expect(store.get(A)).to.equal(undefined);
    });

    it('is not undone by the end of the object that had the name before', () => {
      const { store } = recordedStore();
      store.upsert(configMap('a', 1, { uid: 'first' }));
      store.observe(configMap('a', 9, { uid: 'second' }));

      store.drop(configMap('a', 5, { uid: 'first' }));

      expect(versionOf(store.get(A))).to.equal('9');
    });

    it('is not undone by an earlier event that the object was no longer selected', () => {
      const { store } = recordedStore();
      store.observe(configMap('a', 9));

      store.drop(configMap('a', 8));

      expect(versionOf(store.get(A))).to.equal('9');
    });

    it('brings nothing back whose end a watch has told before the answer to the write came', () => {
      const { store, events } = recordedStore();
      store.upsert(configMap('a', 1));
      store.drop(configMap('a', 3));

      store.observe(configMap('a', 2));
      store.observe(configMap('a', 3));

      expect(store.get(A)).to.equal(undefined);
      expect(events).to.deep.equal(['added a@1', 'deleted a@3']);
    });

    it('shows an object again that a watch selects again', () => {
      const { store } = recordedStore();
      store.upsert(configMap('a', 1));
      store.drop(configMap('a', 3));

      store.upsert(configMap('a', 4));

      expect(versionOf(store.get(A))).to.equal('4');
    });
  });

  describe('observing our own deletes', () => {
    it('forgets the object at once, whatever is still on its way', () => {
      const { store, events } = recordedStore();
      store.upsert(configMap('a', 1));

      store.observeDeleted(A, 'uid-a');
      store.upsert(configMap('a', 2));
      store.drop(configMap('a', 3));

      expect(store.get(A)).to.equal(undefined);
      expect(events).to.deep.equal(['added a@1', 'deleted a@1']);
    });

    it('forgets it when the uid was not said', () => {
      const { store } = recordedStore();
      store.upsert(configMap('a', 1));

      store.observeDeleted(A, undefined);

      expect(store.get(A)).to.equal(undefined);
    });

    it('keeps another object that has the name by now', () => {
      const { store } = recordedStore();
      store.upsert(configMap('a', 5, { uid: 'second' }));

      store.observeDeleted(A, 'first');

      expect(versionOf(store.get(A))).to.equal('5');
    });

    it('is not undone by a list that was asked for before, but by one after', () => {
      const { store } = recordedStore();
      store.upsert(configMap('a', 1));
      const before = store.mark();
      store.observeDeleted(A, 'uid-a');

      store.replace([configMap('a', 1)], before);
      const early = store.get(A);
      store.replace([configMap('a', 1)], store.mark());

      expect(early).to.equal(undefined);
      expect(versionOf(store.get(A))).to.equal('1');
    });

    it('shows the object that takes the name afterwards', () => {
      const { store } = recordedStore();
      store.upsert(configMap('a', 1));
      store.observeDeleted(A, 'uid-a');

      store.upsert(configMap('a', 7, { uid: 'next' }));

      expect(versionOf(store.get(A))).to.equal('7');
    });
  });
});

describe('compareResourceVersions', () => {
  it('orders whole numbers beyond what a double can hold', () => {
    const [small, large] = ['90071992547409930', '90071992547409931'];

    expect(compareResourceVersions(small, large)).to.be.lessThan(0);
    expect(compareResourceVersions(large, small)).to.be.greaterThan(0);
    expect(compareResourceVersions('9', '10')).to.be.lessThan(0);
    expect(compareResourceVersions('9', '9')).to.equal(0);
  });

  it('knows no order of anything else', () => {
    expect(compareResourceVersions('a1', '2')).to.equal(undefined);
    expect(compareResourceVersions('', '2')).to.equal(undefined);
  });
});
