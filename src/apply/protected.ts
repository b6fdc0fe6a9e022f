/** What the engine never deletes, whatever an inventory says. */
import type { ObjectRef } from '../model/object.ts';
import { groupOf } from '../model/object.ts';

interface Protection {
  readonly group: string;
  readonly kind: string;
  /** All objects of the kind when absent. */
  readonly names?: readonly string[];
}

const PROTECTIONS: readonly Protection[] = [
  // Every object of the kind goes with it: the whole configuration that users wrote for the mesh.
  { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' },
  // Everything in it goes with it.
  { group: '', kind: 'Namespace' },
  // It holds data.
  { group: '', kind: 'PersistentVolumeClaim' },
  // The root of trust of the mesh: without it running workloads no longer trust new ones.
  { group: '', kind: 'Secret', names: ['cacerts', 'istio-ca-secret'] },
];

/** Protected objects are applied like all others, but stand in no inventory and are never deleted. */
export function isProtected(ref: ObjectRef): boolean {
  return PROTECTIONS.some(
    ({ group, kind, names }) =>
      ref.kind === kind && groupOf(ref.apiVersion) === group && (names?.includes(ref.name) ?? true),
  );
}
