/** The examples of docs/injection.md, installed and injected. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { at, mapAt } from '../../src/model/json.ts';
import type { CaseResult, HarnessCase, RunAnswer } from './harness-process.ts';
import { checkTemplates, runCases } from './harness-process.ts';
import { containerOf, environmentOf, mountsOf, podSpecOf, volumesOf } from './pod-reading.ts';
import type { RenderedInjector } from './rendered-injector.ts';
import { createInjectorRenderer } from './rendered-injector.ts';
import { readDistribution } from './requests.ts';
import { valuesKeys } from './values-keys.ts';

/** The first run on a machine builds the harness. */
const COLD_BUILD_MS = 10 * 60_000;

const EXAMPLES = ['extra-container', 'changed-default'] as const;
type Example = (typeof EXAMPLES)[number];

interface PodOfExample {
  readonly example: Example;
  readonly annotations: Readonly<Record<string, string>>;
  readonly nativeSidecars: boolean;
}

/** Pods in a mesh with one of the examples, by the name of the case. */
const PODS: Readonly<Record<string, PodOfExample>> = {
  'asks for the container': {
    example: 'extra-container',
    annotations: { 'inject.istio.io/templates': 'sidecar,log-shipper' },
    nativeSidecars: true,
  },
  'asks for nothing': { example: 'extra-container', annotations: {}, nativeSidecars: true },
  'native sidecar': { example: 'changed-default', annotations: {}, nativeSidecars: true },
  'ordinary sidecar': {
    example: 'changed-default',
    annotations: { 'sidecar.istio.io/nativeSidecar': 'false', 'example.com/grace-seconds': '5' },
    nativeSidecars: true,
  },
};

describe('examples of docs/injection.md', () => {
  let answer: RunAnswer;
  let injectors: Readonly<Record<Example, RenderedInjector>>;

  before(async function () {
    this.timeout(COLD_BUILD_MS);
    const { assets, templates } = await readDistribution();
    const render = createInjectorRenderer(assets);
    injectors = {
      'extra-container': render(specOf('extra-container')),
      'changed-default': render(specOf('changed-default')),
    };
    const cases = Object.entries(PODS).map(
      ([name, { example, annotations, nativeSidecars }]): HarnessCase => ({
        name,
        runner: 'webhook',
        injector: example,
        mesh: '{}',
        input: JSON.stringify(shopWith(annotations)),
        nativeSidecars,
        revision: '',
      }),
    );
    answer = await runCases({ templates, injectors, cases });
  });

  it('stand in the page as they are tested', () => {
    const page = readFileSync(new URL('../../docs/injection.md', import.meta.url), 'utf8');

    for (const example of EXAMPLES) expect(page).to.include(textOf(example));
  });

  it('have no fault that istiod would refuse', async () => {
    const templates = EXAMPLES.flatMap(templatesOf);

    const faults = await checkTemplates({
      templates,
      valuesKeys: valuesKeys(injectors['extra-container'].values),
    });

    expect(templates).to.have.lengthOf(EXAMPLES.length);
    expect(faults).to.deep.equal([]);
  }).timeout(COLD_BUILD_MS);

  it('add a container to pods that ask for it', () => {
    const objects = injected('asks for the container');

    const shipper = containerOf(objects, 'log-shipper');
    expect(shipper['image']).to.equal('registry.example.com/log-shipper:1.4');
    expect(environmentOf(shipper)).to.deep.equal({ WORKLOAD: 'shop', MESH: 'cluster.local' });
    expect(mountsOf(shipper)).to.deep.equal(['app-logs']);
    expect(volumesOf(objects)).to.include.keys('app-logs', 'istio-envoy');
    expect(containerOf(objects, 'istio-proxy')).to.have.property('restartPolicy', 'Always');
  });

  it('leave pods alone that ask for nothing', () => {
    const objects = injected('asks for nothing');

    expect(() => containerOf(objects, 'log-shipper')).to.throw('no container');
    expect(volumesOf(objects)).not.to.have.property('app-logs');
  });

  it('change a default for a native sidecar', () => {
    const objects = injected('native sidecar');

    expect(podSpecOf(objects)['terminationGracePeriodSeconds']).to.equal(90);
    expect(environmentOf(initContainer(objects))).to.include({ EXIT_ON_ZERO_ACTIVE_CONNECTIONS: 'true' });
  });

  it('change a default for an ordinary sidecar, which may have its own', () => {
    const objects = injected('ordinary sidecar');

    expect(podSpecOf(objects)['terminationGracePeriodSeconds']).to.equal(5);
    expect(environmentOf(containerOf(objects, 'istio-proxy'))).to.include({
      EXIT_ON_ZERO_ACTIVE_CONNECTIONS: 'true',
    });
    expect(containerOf(objects, 'istio-proxy')).not.to.have.property('restartPolicy');
  });

  function injected(name: keyof typeof PODS): readonly JsonObject[] {
    const result: CaseResult | undefined = answer.results.get(name);
    expect(result?.error).to.equal(undefined);
    return result?.objects ?? [];
  }
});

function textOf(example: Example): string {
  return readFileSync(new URL(`examples/${example}.yaml`, import.meta.url), 'utf8');
}

function specOf(example: Example): JsonObject {
  return mapAt(parse(textOf(example)) as JsonValue, 'spec'); // YAML of ours, with nothing but JSON in it
}

/** The example's templates, which stand in it with an indentation that tells nothing; so only the file is the place. */
function templatesOf(example: Example): { name: string; text: string; origins: readonly string[] }[] {
  const templates = mapAt(specOf(example), 'values', 'sidecarInjectorWebhook', 'templates');
  return Object.entries(templates).map(([name, value]) => {
    const text = String(value);
    return { name, text, origins: text.split('\n').map(() => `e2e/injection/examples/${example}.yaml`) };
  });
}

function shopWith(annotations: Readonly<Record<string, string>>): JsonObject {
  const container = { name: 'shop', image: 'registry.example.com/shop:1' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop' },
    spec: {
      template: { metadata: { labels: { app: 'shop' }, annotations }, spec: { containers: [container] } },
    },
  };
}

function initContainer(objects: readonly JsonObject[]): JsonObject {
  const found = at(podSpecOf(objects), 'initContainers', 1);
  expect(at(found, 'name')).to.equal('istio-proxy');
  return mapAt(found);
}
