/** The objects that real istioctl renders for the demo profile, as a plan in a namespace of its own. */
import { COMPONENTS } from '../../src/core/components.ts';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { mapAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { isK8sObject, labelsOf } from '../../src/model/object.ts';
import type { Owner, Plan, PlannedComponent } from '../../src/model/plan.ts';
import { recordedCases } from '../conformance/recorded-cases.ts';

export const RELEASE = '1.30.3';
export const NAMESPACE = 'engine-e2e';
export const OWNER: Owner = { name: 'demo', namespace: NAMESPACE };

/** Stands for Istio's own definitions, which other suites need undisturbed. */
export const DEFINITION: K8sObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.engine-e2e.example.com', labels: { 'operator.istio.io/component': 'Base' } },
  spec: {
    group: 'engine-e2e.example.com',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
};

/** Changes one object of a plan, or takes it out. */
export type Edit = (object: K8sObject) => K8sObject | undefined;

export function demoPlan(edit: Edit = (object) => object, more: readonly K8sObject[] = []): Plan {
  const objects = [...demoObjects(), ...more.map(withOwner)].flatMap((object) => edit(object) ?? []);
  return planOf(
    COMPONENTS.map(({ name, after }) => ({ component: name, after, objects: objectsIn(objects, name) })),
  );
}

export function planOf(components: readonly PlannedComponent[]): Plan {
  return {
    profile: 'demo',
    revision: '',
    version: RELEASE,
    releaseLine: '1.30',
    namespace: NAMESPACE,
    namespaceLabels: { 'engine-e2e/made-by': 'the-engine' },
    components: components.filter(({ objects }) => objects.length > 0),
    images: [],
    missingKinds: [],
    spec: {},
    userSpec: {},
    warnings: [],
  };
}

/** Recorded objects as they would be applied: the recording keeps parsed texts in ConfigMaps. */
export function appliable(object: K8sObject): K8sObject {
  if (object.kind !== 'ConfigMap') return object;
  const texts = Object.entries(mapAt(object, 'data')).map(([key, value]) => [key, textOf(value)]);
  return { ...object, data: Object.fromEntries(texts) as JsonObject };
}

function demoObjects(): readonly K8sObject[] {
  const recorded = recordedCases(RELEASE).find(({ name }) => name === 'profile-demo')?.expected;
  if (recorded?.kind !== 'objects') throw new Error('the recorded case profile-demo is missing');
  const own = recorded.objects.filter(({ kind }) => kind !== 'CustomResourceDefinition').map(moved);
  return [DEFINITION, ...own].map(withOwner);
}

/** Into our namespace, and with cluster-scoped names that no other suite has. */
function moved(object: K8sObject): K8sObject {
  const text = JSON.stringify(appliable(object)).replaceAll('istio-system', NAMESPACE);
  const copy: unknown = JSON.parse(text);
  if (!isK8sObject(copy)) throw new Error(`no object: ${text}`);
  if (copy.kind !== 'MutatingWebhookConfiguration') return copy;
  return { ...copy, metadata: { ...copy.metadata, name: `${copy.metadata.name}-${NAMESPACE}` } };
}

function withOwner(object: K8sObject): K8sObject {
  const labels = {
    ...labelsOf(object),
    'install.operator.istio.io/owning-resource': OWNER.name,
    'install.operator.istio.io/owning-resource-namespace': OWNER.namespace,
  };
  return { ...object, metadata: { ...object.metadata, labels } };
}

function objectsIn(objects: readonly K8sObject[], component: string): readonly K8sObject[] {
  return objects.filter((object) => componentOf(object) === component);
}

/** Only some charts label their objects. */
function componentOf(object: K8sObject): string {
  const label = labelsOf(object)['operator.istio.io/component'];
  return label ?? (object.metadata.name.startsWith('istio-reader') ? 'Base' : 'Pilot');
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
