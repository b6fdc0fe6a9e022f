/** Installations as others make them, from the objects that real istioctl rendered. */
import { COMPONENTS } from '../../src/core/components.ts';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { mapAt } from '../../src/model/json.ts';
import { loadAssets } from '../../src/assets/load.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { annotationsOf, displayRef, labelsOf, refOf } from '../../src/model/object.ts';
import { recordedCases } from '../conformance/recorded-cases.ts';
import type { ApiResponse } from '../control-plane/api.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { pathOf } from '../deploy/manifests.ts';
import { eventually } from '../operator/resources.ts';

/** The objects of a recorded case of Istio 1.30.3, with whole definitions. */
export async function recordedObjects(name: string): Promise<readonly K8sObject[]> {
  const recorded = recordedCases('1.30.3').find((each) => each.name === name);
  if (recorded?.expected.kind !== 'objects') throw new Error(`there is no recorded case ${name}`);
  const { crds } = await loadAssets();
  const objects = recorded.expected.objects.filter(({ kind }) => kind !== 'CustomResourceDefinition');
  return [...(crds.get('1.30') ?? []), ...objects.map(asRendered)];
}

/** The recorded form leaves out two labels and holds the texts of ConfigMaps as trees: back to what istioctl prints. */
function asRendered(object: K8sObject): K8sObject {
  const data = mapAt(object, 'data');
  const texts = Object.entries(data).map(
    ([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)] as const,
  );
  const stored: JsonObject = Object.fromEntries(texts);
  const withTexts = Object.hasOwn(object, 'data') ? { ...object, data: stored } : object;
  const component = COMPONENTS.find(({ name }) => name === labelsOf(object)['operator.istio.io/component']);
  const template = mapAt(object, 'spec', 'template');
  if (component === undefined || Object.keys(template).length === 0) return withTexts;
  const labels = {
    ...mapAt(template, 'metadata', 'labels'),
    'helm.sh/chart': `${component.chart}-1.30.3`,
    'app.kubernetes.io/managed-by': 'Helm',
  };
  const metadata = { ...mapAt(template, 'metadata'), labels };
  return { ...withTexts, spec: { ...mapAt(object, 'spec'), template: { ...template, metadata } } };
}

/** As `istioctl install` and the operator of 1.23 do: applied by the server, with labels of the owner. */
export async function installAsIstioctl(plane: ControlPlane, objects: readonly K8sObject[]): Promise<void> {
  await installInOrder(plane, objects.map(asIstioctl), async (object, path) =>
    plane.api.request(
      'PATCH',
      `${path}?fieldManager=istio-operator&force=true`,
      object,
      'application/apply-patch+yaml',
    ),
  );
}

/** As Helm 3 does: created with its annotations. */
export async function installAsHelm(plane: ControlPlane, objects: readonly K8sObject[]): Promise<void> {
  await installInOrder(plane, objects.map(asHelm), async (object, path) =>
    plane.api.request('POST', `${path.slice(0, path.lastIndexOf('/'))}?fieldManager=helm`, object),
  );
}

async function installInOrder(
  plane: ControlPlane,
  objects: readonly K8sObject[],
  write: (object: K8sObject, path: string) => Promise<ApiResponse>,
): Promise<void> {
  for (const object of objects) {
    // A kind that was just defined is not served at once.
    await eventually(`${displayRef(refOf(object))} is accepted`, async () => {
      const { status, body } = await write(object, pathOf(object));
      if (status !== 404 && status >= 400 && status !== 409) throw new Error(JSON.stringify(body));
      return status !== 404;
    });
  }
}

function asIstioctl(object: K8sObject): K8sObject {
  const labels = {
    ...labelsOf(object),
    'operator.istio.io/managed': 'Reconcile',
    'operator.istio.io/version': '1.30.3',
    'operator.istio.io/component': labelsOf(object)['operator.istio.io/component'] ?? 'Base',
    'install.operator.istio.io/owning-resource': 'installed-state',
    'install.operator.istio.io/owning-resource-namespace': 'istio-system',
    'istio.io/rev': 'default',
  };
  return { ...object, metadata: { ...object.metadata, labels } };
}

function asHelm(object: K8sObject): K8sObject {
  const annotations = {
    ...annotationsOf(object),
    'meta.helm.sh/release-name': 'istiod',
    'meta.helm.sh/release-namespace': 'istio-system',
  };
  const labels = { ...labelsOf(object), 'app.kubernetes.io/managed-by': 'Helm', 'example.com/of-helm': 'x' };
  return { ...object, metadata: { ...object.metadata, labels, annotations } };
}

/** What must not change when an installation is taken over. */
export async function identitiesOf(
  plane: ControlPlane,
  objects: readonly K8sObject[],
): Promise<Readonly<Record<string, JsonValue>>> {
  const found: Record<string, JsonValue> = {};
  for (const object of objects) {
    const { body } = await plane.api.request('GET', pathOf(object));
    const { metadata, spec } = body as K8sObject; // a test that meets anything else fails below
    const template =
      typeof spec === 'object' && spec !== null && 'template' in spec ? spec['template'] : null;
    const address =
      typeof spec === 'object' && spec !== null && 'clusterIP' in spec ? spec['clusterIP'] : null;
    found[displayRef(refOf(object))] = {
      uid: metadata['uid'] ?? null,
      template: template ?? null,
      address: address ?? null,
    };
  }
  return found;
}
