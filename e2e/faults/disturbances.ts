/** The ways in which somebody else changes an object of ours, and how it shows that it was repaired. */
import { displayPath } from '../../src/apply/managed-fields.ts';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { at, jsonEqual } from '../../src/model/json.ts';
import { OWNER_NAME_LABEL } from '../../src/controller/watch-table.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { isK8sObject } from '../../src/model/object.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { pathOf } from '../deploy/manifests.ts';
import type { AppliedField, Place, Scalar } from './applied-fields.ts';
import { appliedTo, pointerTo, scalarsOf } from './applied-fields.ts';
import { sample } from './fault-run.ts';

/** Under this name the fields are changed. */
export const DRIFTER = 'kubectl-drift';
export const FOREIGN_FINALIZER = 'example.com/drift';

/** One change of one object by somebody else. */
export interface Disturbance {
  /** A JSON patch; undefined deletes the object. */
  readonly patch?: readonly JsonObject[];
  /** What events call the field, and whether whoever changed it owns it now; absent when nothing is told. */
  readonly told?: { readonly field: string; readonly hasOwner: boolean };
}

export interface DisturbanceSite {
  readonly plane: ControlPlane;
  readonly live: K8sObject;
  readonly random: () => number;
}

type Plan = (site: DisturbanceSite) => Promise<Disturbance | undefined>;

const CHANGED_LABEL = 'operator.istio.io/component';

export type DisturbanceName =
  | 'label changed'
  | 'field changed'
  | 'field removed'
  | 'owner label stripped'
  | 'object deleted'
  | 'finalizer added';

/** By what is done; each gives undefined where an object has nothing of that kind. */
export const DISTURBANCES: Readonly<Record<DisturbanceName, Plan>> = {
  'label changed': async () => changedLabel(CHANGED_LABEL),
  'field changed': async (site) => firstAccepted(site, changesOf(site)),
  'field removed': async (site) => firstAccepted(site, removalsOf(site)),
  'owner label stripped': async () => ({
    patch: [{ op: 'remove', path: pointerTo(['metadata', 'labels', OWNER_NAME_LABEL]) }],
    told: { field: labelPath(OWNER_NAME_LABEL), hasOwner: false },
  }),
  'object deleted': async () => ({ told: { field: '', hasOwner: false } }),
  'finalizer added': async ({ live }) => ({
    patch: [
      {
        op: 'add',
        path: '/metadata/finalizers',
        value: [...finalizersOf(live), FOREIGN_FINALIZER],
      },
    ],
  }),
};

/** The patch is sent as somebody else would; `dryRun` stores nothing. */
export async function patched(
  plane: ControlPlane,
  live: K8sObject,
  patch: readonly JsonObject[],
  query = '',
): Promise<{ readonly status: number; readonly body: JsonValue }> {
  const path = `${pathOf(live)}?fieldManager=${DRIFTER}${query}`;
  return plane.api.request('PATCH', path, [...patch], 'application/json-patch+json');
}

export function finalizersOf(live: K8sObject): readonly string[] {
  const finalizers = live.metadata['finalizers'];
  return Array.isArray(finalizers) ? finalizers.map(String) : [];
}

function changedLabel(label: string): Disturbance {
  const path = pointerTo(['metadata', 'labels', label]);
  return {
    patch: [{ op: 'replace', path, value: 'drifted' }],
    told: { field: labelPath(label), hasOwner: true },
  };
}

function labelPath(label: string): string {
  return displayPath(['f:metadata', 'f:labels', `f:${label}`]);
}

function isMetadata({ place }: AppliedField): boolean {
  return place[0] === 'metadata';
}

interface Candidate {
  readonly field: AppliedField;
  readonly place: Place;
  readonly patch: JsonObject;
}

/** Others may rightly change these (src/apply/hands-off.ts). */
const LEFT_TO_OTHERS =
  /^(replicas|caBundle|failurePolicy|nodePort|healthCheckNodePort|clusterIP|imagePullSecrets)$/;
/** Those of labels that have a case of their own. */
const OWN_CASES: ReadonlySet<string> = new Set([CHANGED_LABEL, OWNER_NAME_LABEL]);

function isFair({ place }: AppliedField): boolean {
  return !place.some((step) => LEFT_TO_OTHERS.test(String(step)) || OWN_CASES.has(String(step)));
}

/** What is wanted of the object itself first; some kinds have nothing but metadata. */
function fieldsOf({ live, random }: DisturbanceSite): readonly AppliedField[] {
  const fields = sample(appliedTo(live).filter(isFair), Infinity, random);
  return [...fields.filter((field) => !isMetadata(field)), ...fields.filter(isMetadata)];
}

function changesOf(site: DisturbanceSite): readonly Candidate[] {
  return fieldsOf(site)
    .filter(({ isItem }) => !isItem)
    .flatMap((field) =>
      [...scalarsOf(field), ...portKeysOf(site.live, field)].map(({ place, value }) => {
        const patch = { op: 'replace', path: pointerTo(place), value: otherThan(value) };
        return { field, place, patch };
      }),
    );
}

/** By these a port of a Service is known, so it becomes a port of somebody else that has the name of ours. */
function portKeysOf({ kind }: K8sObject, { place, value }: AppliedField): readonly Scalar[] {
  const [, list, , name] = place;
  const isKey = kind === 'Service' && list === 'ports' && (name === 'port' || name === 'protocol');
  return isKey ? [{ place, value }] : [];
}

function removalsOf(site: DisturbanceSite): readonly Candidate[] {
  return fieldsOf(site).map((field) => {
    return { field, place: field.place, patch: { op: 'remove', path: pointerTo(field.place) } };
  });
}

function otherThan(value: JsonValue): JsonValue {
  if (value === 'TCP') return 'UDP';
  if (typeof value === 'boolean') return !value;
  return typeof value === 'number' ? value + 1 : `${typeof value === 'string' ? value : ''}x`;
}

const MOST_TRIES = 60;

/** Only the API server knows what it takes, and what it would put in place of what is removed. */
async function firstAccepted(
  { plane, live }: DisturbanceSite,
  candidates: readonly Candidate[],
): Promise<Disturbance | undefined> {
  for (const { field, place, patch } of candidates.slice(0, MOST_TRIES)) {
    const { status, body } = await patched(plane, live, [patch], '&dryRun=All');
    if (status !== 200 || !isK8sObject(body)) continue;
    const then = at(body, ...place);
    if (jsonEqual(then, at(live, ...place))) continue;
    return { patch: [patch], told: { field: displayPath(field.keys), hasOwner: patch['op'] === 'replace' } };
  }
  return undefined;
}
