import { readFile, readdir } from 'node:fs/promises';
import { expect } from 'chai';
import { load, loadAll } from 'js-yaml';
import { ENVIRONMENT } from './bench/cluster/operator-process.ts';
import { NODE_FLAGS } from './image/node-flags.ts';
import { loadAssets } from '../src/assets/load.ts';
import { RUN_OPTIONS } from '../src/config/options.ts';
import { createPlanner } from '../src/core/plan.ts';
import type { Planner } from '../src/core/plan.ts';
import { printDiagnostic } from '../src/model/diagnostic.ts';
import { at, listAt, mapAt, stringAt } from '../src/model/json.ts';
import type { JsonValue } from '../src/model/json.ts';
import { displayRef, refOf } from '../src/model/object.ts';
import type { K8sObject } from '../src/model/object.ts';
import { objectsOf } from '../src/model/plan.ts';
import { PLANNING_LIMITS } from '../src/planner/limits.ts';

const DEPLOY = new URL('../deploy/', import.meta.url);
/** What Node.js takes beside its heaps: code, buffers, the C library. Measured: some 45. */
const OUTSIDE_MIB = 50;

describe('deploy/', () => {
  let plan: Planner;

  before(async () => {
    plan = createPlanner(await loadAssets());
  });

  for (const folder of ['', 'hardened/']) {
    it(`applies every manifest that lies beside ${folder}kustomization.yaml`, async () => {
      const entries = await readdir(new URL(folder, DEPLOY));
      const text = await read(`${folder}kustomization.yaml`);
      const kustomization = load(text) as JsonValue; // js-yaml loads plain JSON types

      const applied = [...listAt(kustomization, 'resources'), 'kustomization.yaml'];
      expect(applied).to.have.members(entries.filter((file) => file.endsWith('.yaml')));
    });
  }

  it('hardens the operator of deploy/hardened/ by nothing but its setting and its rights', async () => {
    const [base, hardened] = await Promise.all([operatorContainer(), operatorContainer('hardened/')]);

    const added = listAt(hardened, 'env').filter((variable) => at(variable, 'name') === 'HARDENED');
    expect(added).to.deep.equal([{ name: 'HARDENED', value: 'true' }]);
    expect(RUN_OPTIONS.hardened.env).to.include('HARDENED');
    const env = listAt(hardened, 'env').filter((variable) => !added.includes(variable));
    expect({ ...mapAt(hardened), env }).to.deep.equal(base);
  });

  it('runs the image of this version', async () => {
    const { version } = JSON.parse(await read('../package.json')) as { readonly version: string };

    expect(stringAt(await operatorContainer(), 'image')).to.equal(`istio-operator:${version}`);
  });

  it('sets only variables that the operator reads', async () => {
    const known = Object.values(RUN_OPTIONS).flatMap(({ env }): readonly string[] => env);
    const names = listAt(await operatorContainer(), 'env').map(
      (variable) => stringAt(variable, 'name') ?? '',
    );

    expect(names.filter((name) => !known.includes(name))).to.deep.equal([
      'NODE_OPTIONS',
      'MALLOC_ARENA_MAX',
      'MALLOC_TRIM_THRESHOLD_',
      'MALLOC_MMAP_THRESHOLD_',
    ]);
  });

  it('is measured as it is deployed', async () => {
    const env = listAt(await operatorContainer(), 'env');
    const given: Record<string, string | undefined> = Object.fromEntries(
      env.map((variable) => [stringAt(variable, 'name') ?? '', stringAt(variable, 'value')]),
    );

    expect(given).to.include(ENVIRONMENT);
  });

  it('runs with the same flags of Node.js, whichever way its image is built', async () => {
    const dockerfile = await readFile(new URL('Dockerfile', DEPLOY), 'utf8');

    const flags = NODE_FLAGS.map((flag) => `"${flag}", `).join('');
    expect(dockerfile).to.include(`ENTRYPOINT ["/nodejs/bin/node", ${flags}"/app/main.mjs"]`);
  });

  it('is probed and scraped where the operator listens', async () => {
    const container = await operatorContainer();

    expect(String(at(container, 'ports', 0, 'containerPort'))).to.equal(RUN_OPTIONS.monitoringPort.default);
    expect(RUN_OPTIONS.healthPort.default).to.equal(RUN_OPTIONS.monitoringPort.default);
  });

  it('leaves room for the heaps of the operator and of its planning thread, and for what is in neither', async () => {
    const container = await operatorContainer();
    const options = stringAt(
      listAt(container, 'env').find((variable) => at(variable, 'name') === 'NODE_OPTIONS'),
      'value',
    );

    const heap = megabytes(options, 'max-old-space-size') + 3 * megabytes(options, 'max-semi-space-size');
    const limit = Number.parseInt(stringAt(container, 'resources', 'limits', 'memory') ?? '', 10);
    expect(heap + PLANNING_LIMITS.heapMiB + OUTSIDE_MIB)
      .to.be.greaterThan(250)
      .and.lessThan(limit);
  });

  it('has samples that can be planned without a warning', async () => {
    const samples = await readdir(new URL('samples/', DEPLOY));

    for (const file of samples) {
      const resources = (await documents(`samples/${file}`)).filter(({ kind }) => kind === 'IstioOperator');
      expect(resources, file).to.have.lengthOf(1);
      for (const resource of resources) {
        const result = plan({
          layers: [{ spec: mapAt(resource, 'spec'), source: file }],
          owner: {
            name: resource.metadata.name,
            namespace: stringAt(resource, 'metadata', 'namespace') ?? '',
          },
          facts: { kubernetesVersion: 'v1.34.4' },
        });
        const findings = result.kind === 'planned' ? result.plan.warnings : result.diagnostics;
        expect(findings.map(printDiagnostic), file).to.deep.equal([]);
      }
    }
  });

  it('requests in the demo what its comment says', async () => {
    const [demo] = await documents('samples/demo.yaml');
    const result = plan({
      layers: [{ spec: mapAt(demo, 'spec'), source: 'demo' }],
      facts: { kubernetesVersion: 'v1.34.4' },
    });
    if (result.kind === 'invalid') throw new Error(result.diagnostics.map(printDiagnostic).join('\n'));

    const gateway = objectsOf(result.plan).find(
      (object) => displayRef(refOf(object)) === 'Deployment istio-system/istio-ingressgateway',
    );
    const container = at(gateway, 'spec', 'template', 'spec', 'containers', 0, 'resources');
    expect(container).to.deep.equal({
      limits: { cpu: '2000m', memory: '1024Mi' },
      requests: { cpu: '100m', memory: '400Mi' },
    });
  });
});

async function read(file: string): Promise<string> {
  return readFile(new URL(file, DEPLOY), 'utf8');
}

async function documents(file: string): Promise<readonly K8sObject[]> {
  return loadAll(await read(file)) as K8sObject[]; // each is applied by the end-to-end tests
}

async function operatorContainer(folder = ''): Promise<JsonValue | undefined> {
  const deployment = (await documents(`${folder}operator.yaml`)).find(({ kind }) => kind === 'Deployment');
  return at(deployment, 'spec', 'template', 'spec', 'containers', 0);
}

function megabytes(options: string | undefined, name: string): number {
  return Number(new RegExp(`--${name}=(\\d+)`).exec(options ?? '')?.[1]);
}
