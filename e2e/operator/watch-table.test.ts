import { expect } from 'chai';
import { API_RESOURCES } from '../../scripts/rendered-kinds.ts';
import { OWNED_KINDS } from '../../src/controller/watch-table.ts';
import { groupOf } from '../../src/model/object.ts';

describe('the table of watched kinds', () => {
  it('has every kind that can be rendered, so that no drift goes unseen', () => {
    const watched = OWNED_KINDS.map(({ apiVersion, kind }) => `${groupOf(apiVersion)}/${kind}`);
    const rendered = Object.entries(API_RESOURCES).map(([kind, { group }]) => `${group}/${kind}`);

    expect(watched.toSorted()).to.deep.equal(rendered.toSorted());
  });
});
