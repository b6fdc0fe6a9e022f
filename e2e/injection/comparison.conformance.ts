/** That the proof can fail: each change to an expected object is found, and at its place. */
import { expect } from 'chai';
import fc from 'fast-check';
import type { JsonArray, JsonObject, JsonValue } from '../../src/model/json.ts';
import { listAt, stringAt } from '../../src/model/json.ts';
import type { InjectionCase } from './cases.ts';
import { readCases } from './cases.ts';
import type { Change } from './delta.ts';
import { changedBy, deltaOf } from './delta.ts';
import type { RunAnswer } from './harness-process.ts';
import { runCases, testHarness } from './harness-process.ts';
import { readDistribution, requestFor } from './requests.ts';

/** The first run on a machine builds the harness. */
const COLD_BUILD_MS = 10 * 60_000;

/** A Deployment with two applications. */
const MODEL = readCases().find(({ name }) => name === 'x-two-containers-ports') ?? missing();

const SPEC = [0, 'spec', 'template', 'spec'];
const PROXY = [...SPEC, 'initContainers', 1];

/** Changes to the expected Deployment of `MODEL`, and where the difference has to be reported. */
const PLANTED: Readonly<Record<string, { readonly change: Change; readonly place: string }>> = {
  'another value of an environment variable': {
    change: [[...PROXY, 'env', 1, 'value'], 'x'],
    place: 'env.CA_ADDR.value',
  },
  'an environment variable more': {
    change: [[...PROXY, 'env'], 0, 0, [{ name: 'MORE', value: '' }]],
    place: 'env.MORE',
  },
  'an environment variable less': { change: [[...PROXY, 'env'], 0, 1, []], place: 'env.PILOT_CERT_PROVIDER' },
  'other JSON in a variable': {
    change: [[...PROXY, 'env', 9, 'value'], '[]'],
    place: 'env.ISTIO_META_POD_PORTS.value',
  },
  'arguments in another order': {
    change: [[...PROXY, 'args'], 0, 2, ['sidecar', 'proxy']],
    place: 'args[0]',
  },
  'a mount at another path': {
    change: [[...PROXY, 'volumeMounts', 0, 'mountPath'], '/x'],
    place: 'volumeMounts./x',
  },
  'a volume with another source': {
    change: [[...SPEC, 'volumes', 0], { name: 'workload-socket', hostPath: { path: '/x' } }],
    place: 'volumes.workload-socket',
  },
  'a volume that is kept in memory': {
    change: [[...SPEC, 'volumes', 4, 'emptyDir'], { medium: 'Memory' }],
    place: 'volumes.istio-data',
  },
  'another quantity': {
    change: [[...PROXY, 'resources', 'limits', 'cpu'], '2001m'],
    place: 'resources.limits.cpu',
  },
  'containers in another order': {
    change: [[...SPEC, 'containers'], listAt(asTree(MODEL.expected), ...SPEC, 'containers').toReversed()],
    place: 'containers[0].name',
  },
  'a container more': {
    change: [[...SPEC, 'initContainers'], 0, 0, [{ name: 'first', image: 'a' }]],
    place: 'initContainers',
  },
  'a label less': {
    change: [[0, 'spec', 'template', 'metadata', 'labels', 'security.istio.io/tlsMode']],
    place: 'labels.security.istio.io/tlsMode',
  },
  'another status annotation': {
    change: [[0, 'spec', 'template', 'metadata', 'annotations', 'sidecar.istio.io/status'], '{}'],
    place: 'annotations.sidecar.istio.io/status',
  },
  'an object more': {
    change: [[], 1, 0, [{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' } }]],
    place: 'Service/x',
  },
};

/** Changes that do not matter to Kubernetes. */
const HARMLESS: Readonly<Record<string, readonly Change[]>> = {
  'a quantity in other words': [[[...PROXY, 'resources', 'limits', 'cpu'], '2000m']],
  'environment variables in another order': [
    [[...PROXY, 'env'], 0, 1, []],
    [[...PROXY, 'env'], 3, 0, [{ name: 'PILOT_CERT_PROVIDER', value: 'istiod' }]],
  ],
  'a volume without a source': [[[...SPEC, 'volumes', 0], { name: 'workload-socket', emptyDir: {} }]],
};

/** Its application refers to a variable that only comes after. */
const FORWARD_REFERENCE = `
spec:
  containers:
  - name: {{ (index .Spec.Containers 0).Name }}
    env: [{ name: A, value: $(B) }, { name: B, value: b }]
`;

describe('comparison of injected objects', () => {
  let answer: RunAnswer;

  before(async function () {
    this.timeout(COLD_BUILD_MS);
    const planted = Object.entries(PLANTED).map(([name, { change }]) => changedCase(name, [change]));
    const templates = { sidecar: FORWARD_REFERENCE };
    const forward = { ...MODEL, name: 'forward', values: { sidecarInjectorWebhook: { templates } } };
    const harmless = Object.entries(HARMLESS).map(([name, changes]) => changedCase(name, changes));
    answer = await runCases(requestFor(await readDistribution(), [...planted, ...harmless, forward]));
  });

  function changedCase(name: string, changes: readonly Change[]): InjectionCase {
    const expected = changedBy(asTree(MODEL.expected), changes);
    return { ...MODEL, name, expected: expected as readonly JsonObject[] }; // the changes leave a list of objects
  }

  for (const [name, { place }] of Object.entries(PLANTED)) {
    it(`finds ${name}`, () => {
      const differences = answer.results.get(name)?.differences ?? [];

      expect(
        differences.some((line) => line.split(': got ')[0]?.includes(place)),
        differences.join('\n'),
      ).to.equal(true);
    });
  }

  it('finds a variable that refers to a later one', () => {
    const differences = answer.results.get('forward')?.differences ?? [];

    expect(differences).to.include(`${identityOfModel()}: A refers to B, which comes later`);
  });

  for (const name of Object.keys(HARMLESS)) {
    it(`takes ${name} for equal`, () => {
      expect(answer.results.get(name)?.differences).to.deep.equal([]);
    });
  }
});

describe('harness', () => {
  it('has the functions of istiod, as its own tests say', async () => {
    await testHarness();
  }).timeout(COLD_BUILD_MS);
});

describe('delta', () => {
  it('turns a tree into the other one', () => {
    const tree = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>;

    fc.assert(
      fc.property(tree, tree, (from, to) => {
        expect(changedBy(from, deltaOf(from, to))).to.deep.equal(to);
      }),
    );
  });

  it('says nothing about equal trees', () => {
    expect(deltaOf({ a: [1, { b: null }] }, { a: [1, { b: null }] })).to.deep.equal([]);
  });
});

function asTree(objects: readonly JsonObject[] = []): JsonArray {
  return objects;
}

function identityOfModel(): string {
  return `Deployment/${stringAt(asTree(MODEL.expected), 0, 'metadata', 'name') ?? ''}`;
}

function missing(): never {
  throw new Error('the case that is changed here is gone');
}
