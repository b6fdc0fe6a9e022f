import { expect } from 'chai';
import type { Packed } from './packing.ts';
import { Packer } from './packing.ts';
import { configMap } from './testing/objects.ts';
import { Trees } from './trees.ts';

const A = configMap('a', 1);

/** Of which two fit, all of the same size. */
function packedThree(): { readonly packed: readonly [Packed, Packed, Packed]; readonly limit: number } {
  const packer = new Packer();
  const packed = [packer.pack(A), packer.pack(configMap('b', 1)), packer.pack(configMap('c', 1))] as const;
  return { packed: [...packed], limit: packed[0].size * 2 };
}

describe('Trees', () => {
  it('unpacks once what is read again', () => {
    const { packed, limit } = packedThree();
    const trees = new Trees(limit);

    const tree = trees.read(packed[0]);

    expect(tree).to.deep.equal(A);
    expect(trees.read(packed[0])).to.equal(tree);
    expect(trees.peek(packed[0])).to.equal(tree);
  });

  it('forgets first what was read longest ago, once there are too many', () => {
    const { packed, limit } = packedThree();
    const trees = new Trees(limit);
    const [a, b] = [trees.read(packed[0]), trees.read(packed[1])];
    trees.read(packed[0]);

    trees.read(packed[2]);

    expect(trees.peek(packed[0])).to.equal(a);
    expect(trees.peek(packed[1]))
      .to.deep.equal(b)
      .and.to.satisfy((tree: unknown) => tree !== b);
  });

  it('remembers nothing of what is only looked at', () => {
    const { packed, limit } = packedThree();
    const trees = new Trees(limit);

    expect(trees.peek(packed[0]) === trees.peek(packed[0])).to.equal(false);
  });

  it('counts no more what was dropped', () => {
    const { packed, limit } = packedThree();
    const trees = new Trees(limit);
    const tree = trees.read(packed[0]);
    trees.keep(packed[1], configMap('b', 1));
    trees.drop(packed[1]);

    trees.read(packed[2]);

    expect(trees.peek(packed[0])).to.equal(tree);
  });

  it('does not hold what is larger than all that fits', () => {
    const { packed } = packedThree();
    const trees = new Trees(packed[0].size - 1);

    expect(trees.read(packed[0]) === trees.read(packed[0])).to.equal(false);
  });
});
