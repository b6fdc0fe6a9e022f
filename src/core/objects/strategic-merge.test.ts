import { expect } from 'chai';
import fc from 'fast-check';
import { jsonMap } from '../testing/json-arbitrary.ts';
import { strategicMerge } from './strategic-merge.ts';

describe('strategicMerge', () => {
  it('merges maps by key and replaces scalars', () => {
    expect(strategicMerge({ a: { b: 1, c: 2 }, d: 1 }, { a: { c: 3 }, d: 2 })).to.deep.equal({
      a: { b: 1, c: 3 },
      d: 2,
    });
  });

  it('deletes what the patch says is null, at every depth, and never writes null', () => {
    const merged = strategicMerge(
      { a: { b: 1, c: 2 }, d: 1 },
      { a: { b: null }, d: null, new: { x: null, y: 1 } },
    );

    expect(merged).to.deep.equal({ a: { c: 2 }, new: { y: 1 } });
  });

  it('replaces lists that have no merge key', () => {
    const merged = strategicMerge(
      { tolerations: [{ key: 'a' }], args: ['x'] },
      { tolerations: [{ key: 'b' }], args: [] },
    );

    expect(merged).to.deep.equal({ tolerations: [{ key: 'b' }], args: [] });
  });

  it('merges the elements of each list by its own key', () => {
    const lists = {
      containers: 'name',
      initContainers: 'name',
      env: 'name',
      volumes: 'name',
      volumeMounts: 'mountPath',
      imagePullSecrets: 'name',
      hostAliases: 'ip',
      topologySpreadConstraints: 'topologyKey',
    };

    const merged = Object.entries(lists).map(([field, key]) =>
      strategicMerge({ [field]: [{ [key]: 'a', x: 1 }] }, { [field]: [{ [key]: 'a', y: 2 }] }),
    );

    expect(merged).to.deep.equal(
      Object.entries(lists).map(([field, key]) => ({ [field]: [{ [key]: 'a', x: 1, y: 2 }] })),
    );
  });

  it('merges ports of a container by number and those of a Service by port', () => {
    const container = strategicMerge(
      { ports: [{ containerPort: 80, name: 'a' }] },
      { ports: [{ containerPort: 80, protocol: 'TCP' }] },
    );
    const service = strategicMerge(
      { ports: [{ port: 80, name: 'a' }, { port: 443 }] },
      { ports: [{ port: 80, targetPort: 8080 }] },
    );

    expect(container).to.deep.equal({ ports: [{ containerPort: 80, name: 'a', protocol: 'TCP' }] });
    expect(service).to.deep.equal({ ports: [{ port: 80, name: 'a', targetPort: 8080 }, { port: 443 }] });
  });

  it('keeps the order of the patch, and puts the rest where it stood', () => {
    const env = (...names: string[]) => ({ env: names.map((name) => ({ name })) });

    expect([
      strategicMerge(env('A', 'B'), env('NEW')),
      strategicMerge(env('A', 'B', 'C'), env('B', 'NEW')),
      strategicMerge(env('A', 'B', 'C'), env('NEW', 'C')),
      strategicMerge(env('A', 'B'), env('B', 'A')),
    ]).to.deep.equal([
      env('NEW', 'A', 'B'),
      env('A', 'B', 'NEW', 'C'),
      env('NEW', 'A', 'B', 'C'),
      env('B', 'A'),
    ]);
  });

  it('appends elements without the merge key instead of losing them', () => {
    expect(strategicMerge({ env: [{ name: 'A' }] }, { env: [{ value: 'x' }, 'text'] })).to.deep.equal({
      env: [{ value: 'x' }, 'text', { name: 'A' }],
    });
  });

  it('replaces a value of another shape', () => {
    expect(
      strategicMerge({ env: 'x', a: [1], b: { c: 1 } }, { env: [{ name: 'A' }], a: { b: 1 }, b: 2 }),
    ).to.deep.equal({
      env: [{ name: 'A' }],
      a: { b: 1 },
      b: 2,
    });
  });

  it('changes neither side', () => {
    fc.assert(
      fc.property(jsonMap, jsonMap, (original, patch) => {
        const before = structuredClone([original, patch]);

        strategicMerge(original, patch);

        expect([original, patch]).to.deep.equal(before);
      }),
    );
  });

  it('takes $patch for a key like any other: directives mean nothing here', () => {
    expect(strategicMerge({ a: { b: 1 } }, { a: { $patch: 'replace' } })).to.deep.equal({
      a: { b: 1, $patch: 'replace' },
    });
  });
});
