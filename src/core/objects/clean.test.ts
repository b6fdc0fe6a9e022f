import { expect } from 'chai';
import { object } from '../testing/objects.ts';
import { withoutNulls } from './clean.ts';

describe('withoutNulls', () => {
  it('drops entries of maps that are null, at every depth', () => {
    const dirty = object('Service', 'a', { spec: { type: null, ports: [{ port: 80, name: null }] } });

    expect(withoutNulls(dirty)).to.deep.equal(object('Service', 'a', { spec: { ports: [{ port: 80 }] } }));
  });

  it('keeps what is empty, and the length of lists', () => {
    const empty = object('Service', 'a', { spec: { a: {}, b: [], c: '', d: 0, e: false, f: [null] } });

    expect(withoutNulls(empty)).to.deep.equal(empty);
  });
});
