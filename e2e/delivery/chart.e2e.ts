import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { load } from 'js-yaml';
import { loadAssets } from '../../src/assets/load.ts';
import { operatorObjects } from '../../src/cli/operator-objects.ts';
import type { OperatorChoices } from '../../src/cli/operator-objects.ts';
import { revisionObstacle } from '../../src/cli/operator-revision.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { mapAt, stringAt } from '../../src/model/json.ts';
import { identityOf, refOf } from '../../src/model/object.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { VERSION } from '../../src/version.ts';
import { renderChart } from './helm.ts';

interface Pair {
  readonly name: string;
  readonly namespace: string;
  readonly values: JsonObject;
  readonly choices: Partial<OperatorChoices>;
}

/** Values of the chart, and the flags of `init` that mean the same. */
const PAIRS: readonly Pair[] = [
  { name: 'without any value', namespace: 'istio-operator', values: {}, choices: {} },
  {
    name: 'in another namespace',
    namespace: 'mesh-operator',
    values: {},
    choices: { operatorNamespace: 'mesh-operator' },
  },
  {
    name: 'with an image of a registry, and its secrets',
    namespace: 'istio-operator',
    values: { image: { hub: 'registry.example.com/mesh', tag: 'next' }, imagePullSecrets: ['one', 'two'] },
    choices: { hub: 'registry.example.com/mesh', tag: 'next', imagePullSecrets: ['one', 'two'] },
  },
  {
    name: 'with watched namespaces',
    namespace: 'istio-operator',
    values: { watchedNamespaces: ['istio-system', 'team'] },
    choices: { watchedNamespaces: ['istio-system', 'team'] },
  },
  {
    name: 'for a revision',
    namespace: 'mesh-operator',
    values: { revision: 'canary' },
    choices: { operatorNamespace: 'mesh-operator', revision: 'canary' },
  },
  {
    name: 'for the revision without a name',
    namespace: 'istio-operator',
    values: { revision: 'default' },
    choices: { revision: 'default' },
  },
];

describe('the Helm chart', function () {
  this.timeout(600_000); // a cold machine builds Helm's engine first

  for (const { name, namespace, values, choices } of PAIRS) {
    it(`renders ${name} the objects of the kustomize base as init would apply them`, async () => {
      const expected = operatorObjects(await loadAssets(), {
        watchedNamespaces: [],
        imagePullSecrets: [],
        ...choices,
      });

      const rendered = await renderChart(namespace, values);

      expect(comparable(rendered)).to.deep.equal(comparable(expected.filter(isNotHelmsMatter)));
    });
  }

  it('keeps the IstioOperator kind and the namespace of the control plane when it is uninstalled', async () => {
    const rendered = await renderChart('istio-operator', {});

    const kept = rendered.filter(
      (object) => stringAt(object, 'metadata', 'annotations', 'helm.sh/resource-policy') === 'keep',
    );
    expect(kept.map(({ kind }) => kind).toSorted()).to.deep.equal(['CustomResourceDefinition', 'Namespace']);
  });

  it('refuses the revisions that init refuses', async () => {
    const assets = await loadAssets();
    const revisions = ['gateways', 'my-addons-istio-system', 'a'.repeat(49)];

    expect(revisions.map((revision) => revisionObstacle(assets, revision))).to.not.include(undefined);
    for (const revision of revisions) {
      await expectRefusal(renderChart('istio-operator', { revision }), revision);
    }
  });

  it('leaves out what others install, and adds a ServiceMonitor, when told so', async () => {
    const off = { install: false };

    const rendered = await renderChart('istio-operator', {
      crd: off,
      admissionPolicy: off,
      controlPlaneNamespace: off,
      serviceMonitor: { install: true },
    });

    const kinds = new Set(rendered.map(({ kind }) => kind));
    for (const absent of ['CustomResourceDefinition', 'ValidatingAdmissionPolicy', 'Namespace']) {
      expect(kinds).to.not.include(absent);
    }
    expect(kinds).to.include('ServiceMonitor');
  });

  it('has the version of the operator', async () => {
    const chart = load(
      await readFile(new URL('../../deploy/chart/Chart.yaml', import.meta.url), 'utf8'),
    ) as JsonObject;

    expect(chart).to.deep.include({ version: VERSION, appVersion: VERSION });
  });
});

async function expectRefusal(rendering: Promise<unknown>, revision: string): Promise<void> {
  const message = await rendering.then(
    () => 'was rendered',
    (error: unknown) => String(error),
  );
  expect(message).to.include(`no operator can have the revision "${revision}"`);
}

/** Helm makes the namespace of a release itself; those that are just watched must exist. */
function isNotHelmsMatter({ kind, metadata }: K8sObject): boolean {
  return kind !== 'Namespace' || metadata.name === 'istio-system';
}

/** Objects by identity, without the mark that only a chart needs. */
function comparable(objects: readonly K8sObject[]): Readonly<Record<string, JsonObject>> {
  return Object.fromEntries(objects.map((object) => [identityOf(refOf(object)), withoutPolicy(object)]));
}

function withoutPolicy(object: K8sObject): JsonObject {
  const { 'helm.sh/resource-policy': _policy, ...annotations } = mapAt(object, 'metadata', 'annotations');
  const { annotations: _annotations, ...metadata } = object.metadata as unknown as JsonObject;
  return {
    ...object,
    metadata: Object.keys(annotations).length > 0 ? { ...metadata, annotations } : metadata,
  };
}
