/**
 * Somebody else changes, strips and deletes what the operator installed: every kind that can be rendered, in every way.
 * All of it is repaired and told, and nothing else is touched.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { percentile } from '../../scripts/bench/figure.ts';
import { storedStatus } from '../../src/controller/resource.ts';
import { OWNED_KINDS, OWNER_NAME_LABEL, ownedSelector } from '../../src/controller/watch-table.ts';
import { isJsonObject, listAt } from '../../src/model/json.ts';
import type { OperatorStatus } from '../../src/model/status.ts';
import type { GroupVersionKind, K8sObject } from '../../src/model/object.ts';
import { annotationsOf, displayRef, isK8sObject, labelsOf, refOf, uidOf } from '../../src/model/object.ts';
import { MONITORING_DEFINITIONS } from '../addons/monitoring-definitions.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { ATTACHMENTS } from '../deploy/attachments.ts';
import { apply, pathOf } from '../deploy/manifests.ts';
import { readObject } from '../operator/resources.ts';
import { appliedContent } from './applied-fields.ts';
import type { Disturbance, DisturbanceName } from './disturbances.ts';
import { DISTURBANCES, DRIFTER, finalizersOf, FOREIGN_FINALIZER, patched } from './disturbances.ts';
import { FaultBench, NAMESPACE, RESOURCE } from './fault-bench.ts';
import { pick, readFaultRun, sample, seededRandom, toldAtOnce } from './fault-run.ts';
import { recordProof } from './figures.ts';
import type { StateRecorder } from './state-recorder.ts';
import { recordStates } from './state-recorder.ts';
import { EVERYTHING, FAR, VOLUME } from './everything.ts';

const run = readFaultRun(process.env);
const MINUTES = 60_000;
const SAMPLE = 15;
const REPAIR_TIMEOUT_MS = 30_000;
const POLL_MS = 5;
const TELLING_TIMEOUT_MS = 5_000;
/** A process writes a burst of events about a resource, and then one in a while: after so many a new one goes on. */
const CASES_A_PROCESS = 20;
/** Longer than a repair takes: what is left alone is still there then. */
const LEFT_ALONE_MS = 1_000;
const FOREIGN_ANNOTATION = 'example.com/note';
const TARGET_CASES = 120;
const TARGET_MS = 1_000;

/** The same in each run: other definitions have objects, which would go with them. */
const DEFINITION = 'wasmplugins.extensions.istio.io';

/** What cannot be, with the reason. */
const IMPOSSIBLE: Readonly<Record<string, string>> = {
  'PersistentVolumeClaim object deleted': 'Kubernetes keeps a claim for as long as a pod uses it',
};

interface Case {
  readonly kind: GroupVersionKind;
  readonly what: DisturbanceName;
}

const NAMES = Object.keys(DISTURBANCES) as DisturbanceName[];
const CASES: readonly Case[] = OWNED_KINDS.flatMap((kind) => NAMES.map((what) => ({ kind, what })));

describe('drift of every kind', function drift() {
  this.timeout((run.tier === 2 ? 30 : 5) * MINUTES);

  const random = seededRandom(run.seed);
  const failures: string[] = [];
  const repairs: number[] = [];
  let plane: ControlPlane;
  let bench: FaultBench;
  let recorder: StateRecorder;

  before(async () => {
    plane = await sharedControlPlane();
    bench = await FaultBench.open(plane, { tag: 'drift' });
    for (const object of [...MONITORING_DEFINITIONS, ATTACHMENTS, VOLUME]) await apply(plane.api, object);
    recorder = await recordStates(plane, NAMESPACE);
    await bench.goTo(EVERYTHING);
    await bench.resources.apply(FAR.name, FAR.spec ?? {});
    await bench.resources.until(FAR.name, 'HEALTHY');
    await untilAtRest();
  });

  after(async () => {
    await recorder.stop();
    await bench.close();
    for (const object of [...MONITORING_DEFINITIONS, ATTACHMENTS, VOLUME])
      await plane.api.request('DELETE', pathOf(object));
  });

  async function untilAtRest(): Promise<void> {
    for (const name of [RESOURCE, FAR.name]) await bench.resources.until(name, 'HEALTHY');
    await bench.quiet();
  }

  async function restart(): Promise<void> {
    bench.operator.crash();
    // Whose change a repair undoes, where the fields do not tell, is known once it was seen that nothing was wrong.
    await bench.operator.untilItLooked(...[RESOURCE, FAR.name].map((name) => `${NAMESPACE}/${name}`));
    await untilAtRest();
  }

  async function installed({ apiVersion, kind }: GroupVersionKind): Promise<readonly K8sObject[]> {
    const collection = pathOf({ apiVersion, kind, metadata: { name: '' } }).replace(/\/$/, '');
    const selector = encodeURIComponent(ownedSelector({ apiVersion, kind }));
    const { body } = await plane.api.request('GET', `${collection}?labelSelector=${selector}`);
    return listAt(body, 'items')
      .filter(isJsonObject)
      .map((item) => ({ ...item, apiVersion, kind }))
      .filter(isK8sObject);
  }

  /** One of the kind, with something on it that is none of the operator's business. */
  async function victim(kind: GroupVersionKind): Promise<K8sObject> {
    const all = await installed(kind);
    const objects = kind.kind === 'CustomResourceDefinition' ? all.filter(isExpendable) : all;
    if (objects.length === 0) throw new Error(`nothing of the kind ${kind.kind} is installed`);
    const object = pick(objects, random);
    const annotations = { [FOREIGN_ANNOTATION]: 'keep' };
    const path = `${pathOf(object)}?fieldManager=note`;
    const patch = { metadata: { annotations } };
    const { body } = await plane.api.request('PATCH', path, patch, 'application/merge-patch+json');
    if (!isK8sObject(body)) throw new Error(`no annotation: ${JSON.stringify(body)}`);
    return body;
  }

  async function disturb(live: K8sObject, { patch }: Disturbance): Promise<void> {
    const { status, body } =
      patch === undefined
        ? await plane.api.request('DELETE', pathOf(live))
        : await patched(plane, live, patch);
    if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
  }

  async function repaired(before: K8sObject, isDeleted: boolean): Promise<number> {
    const startMs = performance.now();
    for (;;) {
      const now = await readObject(plane, before);
      const isNew = now !== undefined && uidOf(now) !== uidOf(before);
      if (now !== undefined && (isDeleted ? isNew : appliedContent(now) === appliedContent(before)))
        return performance.now() - startMs;
      if (performance.now() - startMs > REPAIR_TIMEOUT_MS) throw new Error('it is not repaired');
      await delay(POLL_MS);
    }
  }

  /** What is wrong with one case. */
  async function faultsOf({ kind, what }: Case): Promise<readonly string[]> {
    const before = await victim(kind);
    const owner = labelsOf(before)[OWNER_NAME_LABEL] ?? '';
    const disturbance = await DISTURBANCES[what]({ plane, live: before, random });
    if (disturbance === undefined) return ['there is nothing to disturb'];
    await bench.quiet();
    const [told, seen] = [await bench.resources.eventsOf(owner), recorder.states.length];
    await disturb(before, disturbance);
    if (disturbance.told === undefined) return leftAlone(before, { owner, told, seen });
    repairs.push(await repaired(before, disturbance.patch === undefined));
    await untilAtRest();
    return [
      ...(await untold({ before, disturbance, owner, told })),
      ...(hasLeftHealthy(owner, seen) ? [] : ['the status was HEALTHY all the time']),
      ...strangers(before, await readObject(plane, before), disturbance.patch === undefined),
    ];
  }

  async function untold(repair: {
    readonly before: K8sObject;
    readonly disturbance: Disturbance;
    readonly owner: string;
    readonly told: readonly string[];
  }): Promise<readonly string[]> {
    const { before, disturbance, owner, told } = repair;
    const deadlineMs = performance.now() + TELLING_TIMEOUT_MS;
    for (;;) {
      const news = (await bench.resources.eventsOf(owner)).filter((event) => !told.includes(event));
      if (news.some((event) => names(event, before, disturbance))) return [];
      if (performance.now() > deadlineMs)
        return [
          `of ${displayRef(refOf(before))} ${JSON.stringify(disturbance)} is told: ${news.join(' | ')}`,
        ];
      await delay(POLL_MS);
    }
  }

  function statusesOf(owner: string, seen: number): readonly OperatorStatus[] {
    const states = recorder.states.slice(seen).filter(({ metadata }) => metadata.name === owner);
    return states.map(storedStatus).filter((status) => status !== undefined);
  }

  function hasLeftHealthy(owner: string, seen: number): boolean {
    return statusesOf(owner, seen).some(({ status }) => status !== 'HEALTHY');
  }

  /** An autoscaler may still be at work on what an earlier case deleted; that is another story. */
  function hasRestored(owner: string, seen: number): boolean {
    return statusesOf(owner, seen).some(({ message }) => message.startsWith('Restoring: '));
  }

  /** A finalizer is nothing that the operator applied. */
  async function leftAlone(
    before: K8sObject,
    { owner, told, seen }: { owner: string; told: readonly string[]; seen: number },
  ): Promise<readonly string[]> {
    await delay(LEFT_ALONE_MS);
    const now = await readObject(plane, before);
    const hasStayed = now !== undefined && finalizersOf(now).includes(FOREIGN_FINALIZER);
    const index = now === undefined ? -1 : finalizersOf(now).indexOf(FOREIGN_FINALIZER);
    if (hasStayed) await patched(plane, now, [{ op: 'remove', path: `/metadata/finalizers/${index}` }]);
    const news = (await bench.resources.eventsOf(owner)).filter((event) => !told.includes(event));
    return [
      ...(hasStayed ? [] : ['the finalizer of somebody else is gone']),
      ...(hasRestored(owner, seen) ? ['the status tells of a repair'] : []),
      ...news
        .filter((event) => event.startsWith('DriftRepaired'))
        .map((event) => `is told although nothing is wrong: ${event}`),
    ];
  }

  it('is repaired and told, and nothing of others is touched', async () => {
    const possible = CASES.filter(({ kind, what }) => IMPOSSIBLE[`${kind.kind} ${what}`] === undefined);
    const cases = run.tier === 2 ? possible : sample(possible, run.trials ?? SAMPLE, random);
    for (const [index, each] of cases.entries()) {
      if (index > 0 && index % CASES_A_PROCESS === 0) await restart();
      const name = `${each.kind.kind} ${each.what}`;
      const faults = await faultsOf(each).catch((error: unknown) => [String(error)]);
      failures.push(...toldAtOnce(faults.map((fault) => `${name}: ${fault}`)));
    }

    const p99 = Math.round(percentile(repairs, 99));
    const counts = {
      cases: cases.length,
      kinds: new Set(cases.map(({ kind }) => kind.kind)).size,
      'not repaired or not told': failures.length,
      'repair p50 ms': Math.round(percentile(repairs, 50)),
      'repair p99 ms': p99,
    };
    const isLarge = run.tier === 1 || cases.length >= TARGET_CASES;
    const isMet = failures.length === 0 && isLarge && p99 <= TARGET_MS;
    await recordProof(run, 'drift', { counts, isMet });
    expect(failures).to.deep.equal([]);
    expect(bench.resources.unsound).to.deep.equal([]);
  });

  it('leaves no object that another one owns', async () => {
    const objects = (await Promise.all(OWNED_KINDS.map(installed))).flat();
    const owned = objects.filter(({ metadata }) => metadata['ownerReferences'] !== undefined);

    expect(objects).to.not.have.length(0);
    expect(owned.map((object) => displayRef(refOf(object)))).to.deep.equal([]);
  });
});

function isExpendable({ metadata }: K8sObject): boolean {
  return metadata.name === DEFINITION;
}

/** Whether an event tells of that object, of the field, and of who changed it where anybody can know. */
function names(event: string, object: K8sObject, { patch, told }: Disturbance): boolean {
  const subject = displayRef(refOf(object));
  if (patch === undefined || told === undefined) return event === `DriftRepaired: created ${subject}`;
  const [, fields, changer] =
    CONFIGURED.exec(event.replace(`: configured ${subject}:`, ': configured it:')) ?? [];
  const isField = (fields ?? '')
    .split(/, | and /)
    .some((field) => field !== '' && (told.field.startsWith(field) || field.startsWith(told.field)));
  return isField && (changer === DRIFTER || (!told.hasOwner && NAMELESS.test(changer ?? '')));
}

/** Beside the one who took something away, another one may have written since the operator last looked. */
const NAMELESS = /^somebody(, perhaps .+)?$/;
const CONFIGURED = /^DriftRepaired: configured it: (.*) \(changed by (.*)\)$/;

/** What others had put on the object and is no longer there. */
function strangers(before: K8sObject, now: K8sObject | undefined, isDeleted: boolean): readonly string[] {
  if (now === undefined) return ['it is gone'];
  const wrong = now.metadata['ownerReferences'] === undefined ? [] : ['it has an owner'];
  if (isDeleted || annotationsOf(now)[FOREIGN_ANNOTATION] === annotationsOf(before)[FOREIGN_ANNOTATION])
    return wrong;
  return [...wrong, 'the annotation of somebody else is gone'];
}
