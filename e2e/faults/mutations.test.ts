import { expect } from 'chai';
import { loadAssets } from '../../src/assets/load.ts';
import {
  displayMutation,
  fieldMutations,
  gatewayWalks,
  mutate,
  profileWalk,
  semanticMutations,
} from './mutations.ts';
import { overlayForms } from './overlay-forms.ts';

describe('fieldMutations', () => {
  it('tries other values, none, the edges and a wrong type', () => {
    const schema = {
      properties: {
        on: { type: ['boolean', 'null'] },
        inner: { properties: { policy: { type: 'string', enum: ['Always', 'Never', null] } } },
      },
    };

    expect(fieldMutations(schema, ['values']).map(displayMutation)).to.deep.equal([
      'values.on = true',
      'values.on = false',
      'values.on = null',
      'values.on = "not-of-that-type"',
      'values.inner.policy = "Always"',
      'values.inner.policy = "Never"',
      'values.inner.policy = "no-such-choice"',
      'values.inner.policy = null',
    ]);
  });

  it('finds more than a thousand in the schemas that ship', async () => {
    const { valuesSchema, specSchema } = await loadAssets();

    expect(fieldMutations(valuesSchema, ['values']).length).to.be.greaterThan(1_000);
    expect(fieldMutations(specSchema).length).to.be.greaterThan(400);
    expect(semanticMutations().length).to.be.greaterThan(70);
  });

  it('go from each profile to each other one, and patch each kind in each form', () => {
    expect(profileWalk()).to.have.length(90);
    expect(gatewayWalks().length).to.be.at.least(40);
    expect(overlayForms().length).to.be.at.least(80);
    expect(new Set(overlayForms().map(displayMutation)).size).to.equal(overlayForms().length);
  });
});

describe('mutate', () => {
  it('leaves the specification that it was given as it was', () => {
    const spec = { profile: 'minimal', values: { pilot: { a: 1 } } };

    const mutated = mutate(spec, { path: ['values', 'pilot', 'b'], value: null });

    expect(mutated).to.deep.equal({ profile: 'minimal', values: { pilot: { a: 1, b: null } } });
    expect(spec).to.deep.equal({ profile: 'minimal', values: { pilot: { a: 1 } } });
  });

  it('replaces what stands in the way', () => {
    expect(mutate({ values: 'text' }, { path: ['values', 'pilot'], value: 1 })).to.deep.equal({
      values: { pilot: 1 },
    });
  });
});
