/** Programs that undo the operator's work again and again, a dozen at once, on a real API server. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { jsonEqual, listAt, mapAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { displayRef, refOf } from '../../src/model/object.ts';
import { conditionOf, storedStatus } from '../../src/controller/resource.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { pathOf } from '../deploy/manifests.ts';
import type { Write } from '../operator/audit-log.ts';
import { writesOf } from '../operator/audit-log.ts';
import type { OperatorUnderTest } from '../operator/operator-under-test.ts';
import { startOperator } from '../operator/operator-under-test.ts';
import { readObject, Resources } from '../operator/resources.ts';
import { readFaultRun } from './fault-run.ts';
import { recordProof } from './figures.ts';
import { rhythmOf } from './repair-rhythm.ts';

const run = readFaultRun(process.env);
const NAMESPACE = 'istio-system';
const FIXER = 'mesh-fixer';
const MINUTES = 60_000;
/** A sample does not wait for the times as shipped; undefined leaves them as they are. */
const SIZES = {
  1: { forMs: 12_000, everyMs: 100, firstHoldMs: 3_000, pauseMs: 1_500 },
  2: { forMs: 10 * MINUTES, everyMs: 1_000, firstHoldMs: undefined, pauseMs: 30_000 },
} as const;
const SIZE = SIZES[run.tier];
const TARGET_FIGHTS = 12;
/** So many repairs are made before a fight is given up, and one for what the last flip of one look leaves. */
const MOST_AT_ONCE = 4;
/** The last pause began before the end, and is no longer than all before it together. */
const RECOVERY_MS = SIZE.forMs + MINUTES;
const RBAC = 'rbac.authorization.k8s.io/v1';

interface Fight {
  readonly object: K8sObject;
  /** How an event about it begins, and what it says of it. */
  readonly told: readonly [string, string];
  act(turn: number): Promise<unknown>;
}

function object(apiVersion: string, kind: string, name: string): K8sObject {
  return { apiVersion, kind, metadata: { name, namespace: NAMESPACE } };
}

function disputeAbout(target: K8sObject): string {
  return `Disputed: ${displayRef(refOf(target))}`;
}

function clusterObject(apiVersion: string, kind: string, name: string): K8sObject {
  return { apiVersion, kind, metadata: { name: `${name}-${NAMESPACE}` } };
}

describe('contested fields', function contested() {
  this.timeout(SIZE.forMs + RECOVERY_MS + 5 * MINUTES);

  let plane: ControlPlane;
  let resources: Resources;
  let operator: OperatorUnderTest;

  before(async () => {
    plane = await sharedControlPlane();
    resources = new Resources(plane, NAMESPACE);
    await resources.prepare();
    const { firstHoldMs } = SIZE;
    operator = await startOperator(plane, firstHoldMs === undefined ? {} : { disputes: { firstHoldMs } });
    await resources.apply('mesh', { profile: 'minimal' });
    await resources.until('mesh', 'HEALTHY');
  });

  after(async () => {
    await resources.clear();
    await operator.stop();
  });

  /** Nobody owns what is gone, so of somebody who takes something away only the deed is known. */
  function patching(
    target: K8sObject,
    field: string,
    body: (turn: number) => JsonObject,
    known = FIXER,
  ): Fight {
    const path = `${pathOf(target)}?fieldManager=${FIXER}`;
    return {
      object: target,
      told: [`${disputeAbout(target)}: ${field}`, `is changed again and again by ${known}`],
      act: async (turn) => plane.api.request('PATCH', path, body(turn), 'application/merge-patch+json'),
    };
  }

  function deleting(target: K8sObject): Fight {
    return {
      object: target,
      told: [disputeAbout(target), 'is deleted again and again by others'],
      act: async () => plane.api.request('DELETE', pathOf(target)),
    };
  }

  /** Half of them always write the same, the others something else each time. */
  async function fights(): Promise<readonly Fight[]> {
    const service = object('v1', 'Service', 'istiod');
    const ports = listAt(await readObject(plane, service), 'spec', 'ports').map((port) => mapAt(port));
    const flipped = (turn: number): JsonObject => ({
      spec: {
        ports: ports.map((port) => (port['port'] === 443 ? { ...port, targetPort: 1 + (turn % 2) } : port)),
      },
    });
    const labelled = (value: (turn: number) => string | null) => (turn: number) => ({
      metadata: { labels: { 'istio.io/rev': value(turn) } },
    });
    return [
      patching(service, 'spec.ports', flipped),
      patching(object('v1', 'ConfigMap', 'istio'), 'data.mesh', (turn) => ({ data: { mesh: `# ${turn}` } })),
      patching(
        object('v1', 'ConfigMap', 'istio-sidecar-injector'),
        'data.values',
        () => ({ data: { values: null } }),
        'others',
      ),
      patching(
        object('v1', 'ServiceAccount', 'istiod'),
        'metadata.labels',
        labelled((turn) => `v${turn}`),
      ),
      patching(
        object('apps/v1', 'Deployment', 'istiod'),
        'metadata.labels',
        labelled(() => 'other'),
      ),
      patching(object('autoscaling/v2', 'HorizontalPodAutoscaler', 'istiod'), 'spec.maxReplicas', () => ({
        spec: { maxReplicas: 9 },
      })),
      patching(object(RBAC, 'Role', 'istiod'), 'rules', () => ({ rules: [] })),
      patching(clusterObject(RBAC, 'ClusterRole', 'istiod-clusterrole'), 'rules', (turn) => ({
        rules: [{ apiGroups: [''], resources: ['pods'], verbs: [turn % 2 === 0 ? 'get' : 'list'] }],
      })),
      patching(
        clusterObject(RBAC, 'ClusterRole', 'istiod-gateway-controller'),
        'metadata.labels',
        labelled(() => null),
        'others',
      ),
      patching(
        clusterObject(RBAC, 'ClusterRoleBinding', 'istiod-clusterrole'),
        'subjects',
        () => ({ subjects: [] }),
        'others',
      ),
      deleting(object(RBAC, 'RoleBinding', 'istiod')),
      deleting(object('v1', 'ServiceAccount', 'istio-reader-service-account')),
      deleting(clusterObject(RBAC, 'ClusterRoleBinding', 'istio-reader-clusterrole')),
    ];
  }

  /** Fights all the fights until the time is over; gives the reasons that the status gave meanwhile, in order. */
  async function fightAll(all: readonly Fight[]): Promise<readonly string[]> {
    const reasons: string[] = [];
    const startMs = performance.now();
    for (let turn = 0; performance.now() - startMs < SIZE.forMs; turn += 1) {
      await Promise.all(all.map(async (fight) => fight.act(turn)));
      const reason = conditionOf(storedStatus(await resources.read('mesh')), 'Ready')?.reason ?? 'none';
      if (reason !== reasons.at(-1)) reasons.push(reason);
      await delay(Math.max(0, startMs + (turn + 1) * SIZE.everyMs - performance.now()));
    }
    return reasons;
  }

  /** What is not as it was before the fights. */
  async function lostOf(
    all: readonly Fight[],
    before: readonly (K8sObject | undefined)[],
  ): Promise<readonly string[]> {
    const now = await Promise.all(all.map(async (fight) => readObject(plane, fight.object)));
    return all
      .filter((_fight, index) => !isAsBefore(before[index], now[index]))
      .map(({ object: target }) => displayRef(refOf(target)));
  }

  /** Waits until all is well, once nobody fights any more; gives what is not, if that takes too long. */
  async function recovered(lost: () => Promise<readonly string[]>): Promise<readonly string[]> {
    const deadlineMs = performance.now() + RECOVERY_MS;
    for (;;) {
      const { status } = storedStatus(await resources.read('mesh')) ?? {};
      const faults = [...(await lost()), ...(status === 'HEALTHY' ? [] : [`the status is ${status}`])];
      if (faults.length === 0 || performance.now() > deadlineMs) return faults;
      await delay(250);
    }
  }

  it('are given up after a few repairs, told, and put back when nobody contests them any more', async () => {
    const all = await fights();
    const before = await Promise.all(all.map(async (fight) => readObject(plane, fight.object)));
    const sinceMs = Date.now();

    const reasons = await fightAll(all);
    const writes = await writesOf(plane, operator.userAgent);
    const repairs = writes.filter(({ code, atMs }) => code < 400 && atMs >= sinceMs);
    const rhythms = all.map((fight) => rhythmOf(timesOf(fight, repairs), SIZE.pauseMs));
    const endMs = performance.now();
    const lost = await recovered(async () => lostOf(all, before));
    const recoveryMs = performance.now() - endMs;
    const events = await resources.eventsOf('mesh');

    const untold = all.filter(
      ({ told: [start, rest] }) => !events.some((event) => event.startsWith(start) && event.includes(rest)),
    );
    const atOnce = rhythms.map((rhythm) => rhythm.atOnce);
    const pauseMs = Math.min(...rhythms.map((rhythm) => rhythm.shortestPauseMs));
    const counts = {
      fights: all.length,
      'repairs at once': `${Math.min(...atOnce)} to ${Math.max(...atOnce)}`,
      'shortest pause after them, s': Math.floor(pauseMs / 1_000),
      'not told': untold.length,
      'not put back': lost.length,
      'all well after, s': Math.ceil(recoveryMs / 1_000),
    };
    const isContained = Math.max(...atOnce) <= MOST_AT_ONCE && pauseMs >= SIZE.pauseMs;
    const isMet = isContained && untold.length + lost.length === 0 && all.length >= TARGET_FIGHTS;
    await recordProof(run, 'adversary', { counts, isMet });
    expect(lost).to.deep.equal([]);
    expect(untold.map(({ told }) => told.join(' '))).to.deep.equal([]);
    expect(reasons).to.include('Disputed');
    expect(Math.min(...atOnce)).to.be.above(0);
    expect(isContained).to.equal(true);
    expect(resources.unsound).to.deep.equal([]);
  });
});

/** When the object of a fight was written, in order. */
function timesOf({ object: target }: Fight, writes: readonly Write[]): readonly number[] {
  const [resource, name] = pathOf(target).split('/').slice(-2);
  return writes
    .filter((write) => write.resource === resource && write.name === name)
    .map(({ atMs }) => atMs)
    .toSorted((left, right) => left - right);
}

/** But for the status, and for what tells who wrote when. */
function isAsBefore(before: K8sObject | undefined, after: K8sObject | undefined): boolean {
  return before !== undefined && after !== undefined && jsonEqual(contentOf(before), contentOf(after));
}

function contentOf({ metadata, ...rest }: K8sObject): JsonValue {
  const { status: _status, ...content } = rest;
  return { ...content, labels: mapAt(metadata, 'labels') };
}
