/** Applies the sample and follows its status until it is HEALTHY. */
import { readFile } from 'node:fs/promises';
import { load } from 'js-yaml';
import { systemClock } from '../../src/cluster/system-clock.ts';
import { listAt, mapAt, numberAt, stringAt } from '../../src/model/json.ts';
import type { K8sObject, ObjectRef } from '../../src/model/object.ts';
import { displayRef, isK8sObject, refOf } from '../../src/model/object.ts';
import type { Playground } from './playground.ts';
import type { Talk } from './talk.ts';

export async function applySample(
  talk: Talk,
  { cluster }: Playground,
  file: string,
  signal: AbortSignal,
): Promise<ObjectRef> {
  const sample: unknown = load(await readFile(file, 'utf8'));
  if (!isK8sObject(sample)) throw new Error(`${file} holds no Kubernetes object`);
  await cluster.apply(sample, { signal, force: true });
  const ref = refOf(sample);
  talk.say(talk.style('bold', 'Mesh'));
  talk.say(`  applied ${file}: ${displayRef(ref)}`);
  return ref;
}

export type FollowOutcome =
  | { readonly kind: 'healthy'; readonly resource: K8sObject }
  | { readonly kind: 'late'; readonly resource: K8sObject | undefined; readonly timeoutMs: number }
  | { readonly kind: 'failed'; readonly resource: K8sObject }
  | { readonly kind: 'interrupted' };

interface Follow {
  readonly resource: ObjectRef;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const POLL_MS = 100;

/** Says a line for each component whose state changes. */
export async function followToHealthy(
  talk: Talk,
  { cluster }: Playground,
  { resource, timeoutMs, signal }: Follow,
): Promise<FollowOutcome> {
  const started = performance.now();
  const told = new Map<string, string>();
  let live: K8sObject | undefined;
  while (!signal.aborted) {
    live = await cluster.get(resource, { signal });
    if (live !== undefined) {
      sayChanges(talk, live, told, performance.now() - started);
      if (isHealthy(live)) return { kind: 'healthy', resource: live };
      if (isStalled(live)) return { kind: 'failed', resource: live };
    }
    if (performance.now() - started > timeoutMs) return { kind: 'late', resource: live, timeoutMs };
    await systemClock.sleep(POLL_MS, signal);
  }
  return { kind: 'interrupted' };
}

function sayChanges(talk: Talk, live: K8sObject, told: Map<string, string>, elapsedMs: number): void {
  for (const [component, state] of Object.entries(mapAt(live, 'status', 'componentStatus'))) {
    const status = stringAt(state, 'status') ?? '';
    if (told.get(component) === status) continue;
    told.set(component, status);
    const colour = status === 'HEALTHY' ? 'green' : status === 'ERROR' ? 'red' : 'yellow';
    const error = stringAt(state, 'error') ?? '';
    const seconds = `${(elapsedMs / 1000).toFixed(1)} s`.padStart(7);
    talk.say(
      `  ${talk.style('dim', seconds)}  ${component.padEnd(16)} ${talk.style(colour, status)} ${error}`.trimEnd(),
    );
  }
}

function conditionOf(live: K8sObject, type: string): string | undefined {
  const found = listAt(live, 'status', 'conditions').find(
    (condition) => stringAt(condition, 'type') === type,
  );
  return stringAt(found, 'status');
}

function isCurrent(live: K8sObject): boolean {
  return numberAt(live, 'status', 'observedGeneration') === numberAt(live, 'metadata', 'generation');
}

function isHealthy(live: K8sObject): boolean {
  return (
    isCurrent(live) &&
    stringAt(live, 'status', 'status') === 'HEALTHY' &&
    conditionOf(live, 'Ready') === 'True'
  );
}

function isStalled(live: K8sObject): boolean {
  return isCurrent(live) && conditionOf(live, 'Stalled') === 'True';
}
