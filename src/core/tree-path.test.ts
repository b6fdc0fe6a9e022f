import { expect } from 'chai';
import fc from 'fast-check';
import type { JsonValue } from '../model/json.ts';
import type { PathStep, TreeChange } from './tree-path.ts';
import { deleteAt, Draft, parseTreePath, printTreePath, writeAt } from './tree-path.ts';

function steps(text: string): readonly PathStep[] {
  const parsed = parseTreePath(text);
  if (parsed.kind === 'invalid') throw new Error(`${text}: ${parsed.cause}`);
  return parsed.steps;
}

function causeOf(text: string): string | undefined {
  const parsed = parseTreePath(text);
  return parsed.kind === 'invalid' ? parsed.cause : undefined;
}

const key = (name: string): PathStep => ({ kind: 'key', key: name });

describe('parseTreePath', () => {
  it('splits keys at dots', () => {
    expect(steps('spec.template.a-b_c')).to.deep.equal([key('spec'), key('template'), key('a-b_c')]);
  });

  it('takes an escaped dot as part of a key', () => {
    expect(steps(String.raw`metadata.annotations.prometheus\.io/port`)).to.deep.equal([
      key('metadata'),
      key('annotations'),
      key('prometheus.io/port'),
    ]);
  });

  it('reads all ways to select in a list', () => {
    expect(steps('a.[0].[-1].[name:istiod].[:^--log].[--domain]')).to.deep.equal([
      key('a'),
      { kind: 'index', index: 0 },
      { kind: 'index', index: -1 },
      { kind: 'entry', key: 'name', value: 'istiod' },
      { kind: 'match', pattern: '^--log' },
      { kind: 'match', pattern: '--domain' },
    ]);
  });

  it('reads brackets that follow a key without a dot', () => {
    expect(steps('a[0]b.[x:y][1]')).to.deep.equal(steps('a.[0].b.[x:y].[1]'));
  });

  it('takes dots and further colons in brackets as part of the value', () => {
    expect(steps('webhooks.[name:rev.a.istio.io].x')).to.deep.equal([
      key('webhooks'),
      { kind: 'entry', key: 'name', value: 'rev.a.istio.io' },
      key('x'),
    ]);
    expect(steps('[image:registry:5000/a]')).to.deep.equal([
      { kind: 'entry', key: 'image', value: 'registry:5000/a' },
    ]);
  });

  it('removes the escapes of a value in brackets', () => {
    expect(steps(String.raw`[name:a\.b\]\\c]`)).to.deep.equal([
      { kind: 'entry', key: 'name', value: String.raw`a.b]\c` },
    ]);
  });

  it('skips leading, trailing and doubled dots', () => {
    expect(steps('.a..b.')).to.deep.equal([key('a'), key('b')]);
  });

  it('refuses what selects nothing', () => {
    expect(['', '.', 'a.[]', 'a.[:]'].map(causeOf)).to.deep.equal([
      'the path is empty',
      'the path is empty',
      'the brackets are empty',
      'the brackets are empty',
    ]);
  });

  it('refuses brackets and backslashes without an end', () => {
    expect(['a.[0', 'a\\'].map(causeOf)).to.deep.equal([
      '"[" is not closed or stands alone',
      '"\\" is not closed or stands alone',
    ]);
  });

  it('refuses what is no regular expression of RE2', () => {
    expect(['[:(]', '[:(?=a)]'].map(causeOf)).to.deep.equal([
      '"(" is not a regular expression',
      '"(?=a)" is not a regular expression',
    ]);
  });

  it('refuses what leads deeper than anything is nested, which would end the walk there too', () => {
    const long = (count: number): string => 'a.'.repeat(count);

    expect(parseTreePath(long(100))).to.include({ kind: 'path' });
    expect(parseTreePath(long(7_000))).to.deep.equal({
      kind: 'invalid',
      cause: 'it has more than 100 steps',
    });
  });

  it('never throws', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('.', '[', ']', '\\', ':', 'a', '0', '(') }),
    );
    fc.assert(
      fc.property(text, (path) => {
        expect(parseTreePath(path).kind).to.be.oneOf(['path', 'invalid']);
      }),
    );
  });
});

describe('printTreePath', () => {
  const step = fc.oneof(
    fc.string({ minLength: 1 }).map(key),
    fc.integer({ min: -1, max: 100 }).map((index): PathStep => ({ kind: 'index', index })),
    fc
      .tuple(fc.stringMatching(/^[\w-]+$/u), fc.string({ minLength: 1 }))
      .map(([name, value]): PathStep => ({ kind: 'entry', key: name, value })),
    fc.constantFrom('a', '^--x', String.raw`a\.b`, String.raw`a\]`, 'x:y').map((pattern): PathStep => ({
      kind: 'match',
      pattern,
    })),
  );

  it('prints steps so that they are read again', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1 }), (path) => {
        expect(steps(printTreePath(path))).to.deep.equal(path);
      }),
    );
  });

  it('prints all that can be read so that it is read again', () => {
    const text = fc.string({ unit: fc.constantFrom('.', '[', ']', '\\', ':', 'a', '-', '0') });
    fc.assert(
      fc.property(text, (path) => {
        const parsed = parseTreePath(path);
        fc.pre(parsed.kind === 'path');

        expect(steps(printTreePath(parsed.steps))).to.deep.equal(parsed.steps);
      }),
    );
  });
});

const TREE = {
  args: ['discovery', '--domain', 'cluster.local'],
  env: [
    { name: 'A', value: '1' },
    { name: 'B', value: '2' },
  ],
  ports: [{ containerPort: 8080 }],
  labels: { app: 'istiod' },
  empty: null,
};

function written(path: string, value: JsonValue): TreeChange {
  return writeAt(TREE, steps(path), value, { keepType: true });
}

describe('writeAt', () => {
  it('replaces the value at a path as a whole', () => {
    expect(written('labels', { x: 'y' })).to.deep.equal({
      kind: 'changed',
      tree: { ...TREE, labels: { x: 'y' } },
    });
    expect(written('args', ['a'])).to.deep.equal({ kind: 'changed', tree: { ...TREE, args: ['a'] } });
  });

  it('creates maps, and lists for indexes, on the way', () => {
    expect(written('new.map.list.[0].leaf', 1)).to.deep.equal({
      kind: 'changed',
      tree: { ...TREE, new: { map: { list: [{ leaf: 1 }] } } },
    });
  });

  it('fills what is null', () => {
    expect(written('empty.a', 1)).to.deep.equal({ kind: 'changed', tree: { ...TREE, empty: { a: 1 } } });
  });

  it('selects an element by position, by the text of a key, and by a regular expression', () => {
    const [first, ...others] = TREE.env;

    expect(written('args.[1]', '--x')).to.deep.equal(written('args.[--dom]', '--x'));
    expect(written('env.[name:A].value', '3')).to.deep.equal({
      kind: 'changed',
      tree: { ...TREE, env: [{ ...first, value: '3' }, ...others] },
    });
    expect(written('ports.[containerPort:8080].name', 'http')).to.deep.equal({
      kind: 'changed',
      tree: { ...TREE, ports: [{ containerPort: 8080, name: 'http' }] },
    });
  });

  it('changes only the first element that a regular expression finds', () => {
    expect(written('args.[:o]', 'x')).to.deep.equal({
      kind: 'changed',
      tree: { ...TREE, args: ['x', '--domain', 'cluster.local'] },
    });
  });

  it('appends for -1 and for positions behind the end', () => {
    const appended = { kind: 'changed', tree: { ...TREE, args: [...TREE.args, '--x'] } };

    expect([written('args.[-1]', '--x'), written('args.[99]', '--x')]).to.deep.equal([appended, appended]);
  });

  it('tells what could have been selected', () => {
    const found = [
      written('env.[name:C].value', '3'),
      written('args.[:xyz]', 'a'),
      written('none.[name:a]', {}),
    ];

    expect(found).to.deep.equal([
      { kind: 'notFound', depth: 1, candidates: ['[name:A]', '[name:B]'] },
      { kind: 'notFound', depth: 1, candidates: ['[discovery]', '[--domain]', '[cluster.local]'] },
      { kind: 'notFound', depth: 1, candidates: [] },
    ]);
  });

  it('does not walk through what is no map or list', () => {
    expect([written('labels.app.x', 1), written('labels.[0]', 1), written('args.x', 1)]).to.deep.equal([
      { kind: 'typeMismatch', depth: 2, found: 'scalar', wanted: 'map' },
      { kind: 'typeMismatch', depth: 1, found: 'map', wanted: 'list' },
      { kind: 'typeMismatch', depth: 1, found: 'list', wanted: 'map' },
    ]);
  });

  it('keeps the shape of what is replaced when asked to', () => {
    const path = steps('labels.app');

    expect(writeAt(TREE, path, { a: 1 }, { keepType: true })).to.deep.equal({
      kind: 'typeMismatch',
      depth: 2,
      found: 'scalar',
      wanted: 'map',
    });
    expect(writeAt(TREE, path, { a: 1 }, { keepType: false })).to.deep.equal({
      kind: 'changed',
      tree: { ...TREE, labels: { app: { a: 1 } } },
    });
  });

  it('does not take inherited properties for map keys', () => {
    expect(writeAt({}, steps('toString.a'), 1, { keepType: true })).to.deep.equal({
      kind: 'changed',
      tree: { toString: { a: 1 } },
    });
  });

  it('leaves the tree itself alone', () => {
    const before = structuredClone(TREE);

    written('env.[name:A].value', '3');
    deleteAt(TREE, steps('args.[0]'));

    expect(TREE).to.deep.equal(before);
  });
});

describe('deleteAt', () => {
  it('removes a key of a map and an element of a list', () => {
    const { labels: _labels, ...rest } = TREE;

    expect(deleteAt(TREE, steps('labels'))).to.deep.equal({ kind: 'changed', tree: rest });
    expect(deleteAt(TREE, steps('env.[name:A]'))).to.deep.equal({
      kind: 'changed',
      tree: { ...TREE, env: [{ name: 'B', value: '2' }] },
    });
  });

  it('has nothing to do where there is nothing, and creates no parents', () => {
    expect([deleteAt(TREE, steps('no.such.key')), deleteAt(TREE, steps('labels.x'))]).to.deep.equal([
      { kind: 'absent' },
      { kind: 'absent' },
    ]);
  });

  it('appends nothing: a position outside of the list is not found', () => {
    expect(deleteAt(TREE, steps('args.[9]'))).to.deep.equal({
      kind: 'notFound',
      depth: 1,
      candidates: ['[0]', '[1]', '[2]'],
    });
    expect(deleteAt(TREE, steps('args.[-1]')).kind).to.equal('notFound');
  });
});

describe('Draft', () => {
  /** Few names, so that changes meet. */
  const step = fc.oneof(
    fc.constantFrom('a', 'b', '__proto__').map(key),
    fc.constantFrom(-1, 0, 1).map((index): PathStep => ({ kind: 'index', index })),
  );
  const value = fc.option(fc.constantFrom<JsonValue>('x', 1, {}, { a: ['y'] }, [], [{ b: 1 }]), {
    nil: undefined,
  });
  const change = fc.record({ steps: fc.array(step, { minLength: 1, maxLength: 4 }), value });

  interface Change {
    readonly steps: readonly PathStep[];
    readonly value: JsonValue | undefined;
  }

  function changed(tree: JsonValue, { steps: path, value: to }: Change, draft: Draft): JsonValue {
    const result =
      to === undefined
        ? deleteAt(tree, path, { draft })
        : writeAt(tree, path, to, { keepType: false, draft });
    return result.kind === 'changed' ? result.tree : tree;
  }

  it('makes of a series of changes what they make one after another, and leaves the first tree alone', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
        const tree: JsonValue = { a: { b: [1, { a: 2 }] }, b: [[], {}] };
        const before = structuredClone(tree);
        const shared = new Draft();

        const together = changes.reduce<JsonValue>((last, each) => changed(last, each, shared), tree);
        const apart = changes.reduce<JsonValue>((last, each) => changed(last, each, new Draft()), tree);

        expect(JSON.stringify(together)).to.equal(JSON.stringify(apart));
        expect(tree).to.deep.equal(before);
      }),
    );
  });
});
