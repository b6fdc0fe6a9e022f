import { expect } from 'chai';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { isK8sObject } from '../model/object.ts';
import type { PlanResult } from '../model/plan.ts';
import { objectsOf } from '../model/plan.ts';
import { DIAGNOSTIC_KINDS } from './diagnostics.ts';
import { jsonTree, permuted } from './testing/json-arbitrary.ts';
import type { TestPlanner } from './testing/planning.ts';
import { diagnosticsOf, testPlanner } from './testing/planning.ts';
import { specWithAnything } from './testing/spec-arbitrary.ts';

const CODES = new Set<string>(Object.values(DIAGNOSTIC_KINDS).map(({ code }) => code));

/** Whatever was put in, a plan holds objects, and a refusal gives reasons. */
function expectSound(result: PlanResult): void {
  for (const { code, cause, remedy } of diagnosticsOf(result)) {
    expect(CODES.has(code), code).to.equal(true);
    expect(cause).to.match(/[^.]$/u);
    expect(remedy).to.match(/[.?]$/u);
  }
  if (result.kind === 'invalid') {
    expect(result.diagnostics.some(({ severity }) => severity === 'error')).to.equal(true);
  } else {
    expect(objectsOf(result.plan).every(isK8sObject)).to.equal(true);
  }
}

describe('planning anything', () => {
  let planner: TestPlanner;

  before(async () => {
    planner = await testPlanner();
  });

  it('never throws for any JSON as specification', () => {
    const spec = fc.oneof(jsonTree, fc.jsonValue());
    fc.assert(
      fc.property(spec, (anything) => {
        expectSound(planner.result(anything));
      }),
      { numRuns: 100 },
    );
  });

  it('never throws for any value at any place that something reads', () => {
    fc.assert(
      fc.property(specWithAnything(planner.assets), (spec) => {
        expectSound(planner.result(spec));
      }),
      { numRuns: 100 },
    );
  });

  it('never throws for any overlay', () => {
    const step = fc.constantFrom(
      'spec',
      'template',
      'metadata',
      'containers',
      '[name:discovery]',
      'env',
      '[-1]',
      '[0]',
      '[',
      '[:(]',
      'x',
    );
    const path = fc.oneof(
      fc.array(step, { maxLength: 6 }).map((steps) => steps.join('.')),
      fc.string(),
    );
    const patches = fc.array(fc.record({ path, value: jsonTree }, { requiredKeys: ['path'] }), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(patches, (changes) => {
        const overlays = [{ kind: 'Deployment', name: 'istiod', patches: changes }] as unknown as JsonValue;
        expectSound(planner.result({ components: { pilot: { k8s: { overlays } } } }));
      }),
      { numRuns: 40 },
    );
  });

  it('never throws for any flag', () => {
    const prefix = fc.constantFrom(
      '',
      'components.ingressGateways[0].',
      'components.pilot.',
      'values.global.',
      'profile',
      'tag',
    );
    const flag = fc.oneof(
      fc.string(),
      fc.tuple(prefix, fc.string(), fc.string()).map(([start, path, text]) => `${start}${path}=${text}`),
    );
    fc.assert(
      fc.property(fc.array(flag, { maxLength: 3 }), (sets) => {
        expectSound(planner.result({}, { sets }));
      }),
      { numRuns: 40 },
    );
  });

  it('gives byte-equal results whatever the order of keys is', () => {
    const pair = fc
      .oneof(specWithAnything(planner.assets), fc.constantFrom(...SPECIFICATIONS))
      .chain((spec) => fc.tuple(fc.constant(spec), permuted(spec)));
    fc.assert(
      fc.property(pair, ([spec, other]) => {
        expect(JSON.stringify(planner.result(other))).to.equal(JSON.stringify(planner.result(spec)));
      }),
      { numRuns: 40 },
    );
  });
});

/** Specifications that put the order of maps to the test: in labels, environments, values and patches. */
const SPECIFICATIONS: readonly JsonObject[] = [
  {
    profile: 'demo',
    meshConfig: {
      defaultConfig: { proxyMetadata: { B: '1', A: '2', '10': '3', '9': '4' } },
      accessLogFile: '',
    },
    values: { pilot: { env: { Z: 1, A: 2 }, podLabels: { z: 1, a: 2 } }, global: { proxy: {}, hub: 'h' } },
  },
  {
    components: {
      pilot: {
        k8s: {
          nodeSelector: { z: '1', a: '2' },
          podAnnotations: { z: '1', a: '2' },
          service: { z: 1, a: 2 },
        },
      },
      ingressGateways: [
        { name: 'a', label: { z: '1', a: '2' }, k8s: { service: { ports: [{ port: 9000, name: 'x' }] } } },
      ],
    },
  },
];
