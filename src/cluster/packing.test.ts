import { expect } from 'chai';
import fc from 'fast-check';
import type { JsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import type { Packed } from './packing.ts';
import { Packer, unpack } from './packing.ts';

function deployment(name: string, image = 'app'): K8sObject {
  const containers = [{ name: 'main', image, args: ['--one', '--two'], ports: [{ containerPort: 8080 }] }];
  const fields = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`f:field-${index}`, {}]));
  const managedFields = [{ manager: 'istio-operator', operation: 'Apply', fieldsV1: { 'f:spec': fields } }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: `team-${name}`, managedFields },
    spec: { template: { spec: { containers } } },
  };
}

function jsonSize(object: JsonObject): number {
  return Buffer.byteLength(JSON.stringify(object));
}

describe('Packer', () => {
  it('gives back what it was given, whatever that is, also among others', () => {
    const packer = new Packer();
    const kept: [K8sObject, Packed][] = [];
    const contents = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 });
    const check = fc.property(contents, fc.string({ unit: 'binary' }), (data, name) => {
      const text = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
      const object = JSON.parse(text) as K8sObject; // as it comes from the API server
      kept.push([object, packer.pack(object)]);
    });
    fc.assert(check, { numRuns: 60 });

    for (const [object, packed] of kept)
      expect(JSON.stringify(unpack(packed))).to.equal(JSON.stringify(object));
  });

  it('gives a tree of its own each time', () => {
    const packed = new Packer().pack(deployment('a'));

    expect(unpack(packed)).to.deep.equal(deployment('a'));
    expect(unpack(packed)).to.not.equal(unpack(packed));
  });

  it('keeps next to nothing of an object that resembles an earlier one', () => {
    const packer = new Packer();
    packer.pack(deployment('a'));

    const packed = packer.pack(deployment('b'));

    expect(packed.text.length).to.be.lessThan(jsonSize(deployment('b')) / 20);
    expect(unpack(packed)).to.deep.equal(deployment('b'));
  });

  it('learns from the first of another sort, and reads what was packed before that', () => {
    const packer = new Packer();
    const other = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' }, data: { key: noise(4_000) } };
    const first = packer.pack(deployment('a'));
    const [second, third] = [packer.pack(other), packer.pack(other)];

    expect(third.text.length).to.be.lessThan(second.text.length / 20);
    expect([unpack(first), unpack(second), unpack(third)]).to.deep.equal([deployment('a'), other, other]);
  });

  it('holds few samples, however many sorts of objects there are', () => {
    const packer = new Packer();
    const packed = Array.from({ length: 20 }, (_, index) =>
      packer.pack({ ...deployment('a'), data: noise(2_000, index) }),
    );

    expect(new Set(packed.map(({ sample }) => sample)).size).to.be.at.most(4);
  });

  it('reads objects that are longer than what compression looks back at, and holds no more than that', () => {
    const packer = new Packer();
    const long = { ...deployment('a'), data: noise(100_000) };

    const packed = [packer.pack(long), packer.pack(long)];

    for (const each of packed) expect(unpack(each)).to.deep.equal(long);
    expect(packed[1]?.sample?.buffer.byteLength).to.equal(32_768);
  });
});

/** Text that cannot be compressed, the same each time. */
function noise(length: number, seed = 1): string {
  let state = seed + 1;
  const next = (): string => {
    state = (state * 48_271) % 2_147_483_647;
    return (state % 36).toString(36);
  };
  return Array.from({ length }, next).join('');
}
