import { expect } from 'chai';
import { loadAssets } from '../assets/load.ts';
import type { ComponentDefinition } from './components.ts';
import { COMPONENTS } from './components.ts';

const TABLE: readonly ComponentDefinition[] = COMPONENTS;

describe('COMPONENTS', () => {
  it('stand behind everything that they need', () => {
    const tooEarly = TABLE.filter(({ after }, index) => {
      const before = TABLE.slice(0, index).map(({ name }) => name);
      return !after.every((name) => before.includes(name));
    });

    expect(tooEarly).to.deep.equal([]);
  });

  it('need whatever their needs need', () => {
    const afterOf = new Map(TABLE.map(({ name, after }) => [name, after]));
    const incomplete = TABLE.filter(({ after }) => {
      const indirect = after.flatMap((name) => afterOf.get(name) ?? []);
      return !indirect.every((name) => after.includes(name));
    });

    expect(incomplete).to.deep.equal([]);
  });

  it('have defaults, and a place in the specification', async () => {
    const { defaults, specSchema } = await loadAssets();
    const known = JSON.stringify(specSchema);

    expect(TABLE.filter(({ folder }) => !defaults.has(folder))).to.deep.equal([]);
    expect(TABLE.filter(({ specKey }) => !known.includes(`"${specKey}"`))).to.deep.equal([]);
  });
});
