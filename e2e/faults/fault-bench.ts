/** A control plane, the operator behind a chaos proxy, and one IstioOperator that is led from station to station. */
import { setTimeout as delay } from 'node:timers/promises';
import type { JsonObject } from '../../src/model/json.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { eventually, Resources } from '../operator/resources.ts';
import type { ApiRequest } from './api-request.ts';
import { objectOf } from './api-request.ts';
import type { Tally } from './audit-trail.ts';
import { AuditTrail, extraLives } from './audit-trail.ts';
import type { ChaosProxy, ChaosProxyOptions } from './chaos-proxy.ts';
import { startChaosProxy } from './chaos-proxy.ts';
import type { ClusterState } from './cluster-state.ts';
import { differences, readState } from './cluster-state.ts';
import type { OperatorSettings } from './operator-process.ts';
import { bundleOperator, RestartedOperator } from './operator-process.ts';

/** What the user asks for; without a specification, that the resource be gone. */
export interface Station {
  readonly name: string;
  readonly spec?: JsonObject;
}

/** What a way to a station came to. */
export interface Arrival {
  readonly state: ClusterState;
  readonly tally: Tally;
  /** Every write that was tried on the way, in order, by `keyOf`. */
  readonly writes: readonly string[];
}

export interface BenchOptions extends ChaosProxyOptions {
  /** Whether the operator holds a lease; a crash then costs the time until it expires. */
  readonly elects?: boolean;
  /** Flags of Node.js for the operator. */
  readonly nodeFlags?: readonly string[];
}

export const NAMESPACE = 'istio-system';
/** The IstioOperator that is led from station to station. */
export const RESOURCE = 'mesh';
/** Our legs go backwards too, which upstream's rules for upgrades would refuse. */
const ANNOTATIONS = { 'install.istio.io/allow-version-skip': 'true' };
/** Longer than any pause that the operator makes between the writes of one piece of work. */
const QUIET_MS = 300;
const POLL_MS = 20;

/** Names a write by what it does to which object; the same write of another run has the same name. */
export function keyOf(request: ApiRequest): string {
  const { method, subresource } = request;
  return `${method} ${objectOf(request)}${subresource === '' ? '' : `/${subresource}`}`;
}

export class FaultBench {
  readonly plane: ControlPlane;
  readonly proxy: ChaosProxy;
  readonly operator: RestartedOperator;
  readonly resources: Resources;
  readonly trail: AuditTrail;

  private constructor(plane: ControlPlane, operator: OperatorSettings) {
    this.plane = plane;
    this.proxy = operator.proxy;
    this.resources = new Resources(plane, NAMESPACE);
    this.trail = new AuditTrail(plane);
    this.operator = new RestartedOperator(operator);
  }

  static async open(plane: ControlPlane, options: BenchOptions): Promise<FaultBench> {
    const proxy = await startChaosProxy(plane, options);
    await new Resources(plane, NAMESPACE).prepare();
    const election = options.elects === true ? { leaseNamespace: NAMESPACE } : {};
    return new FaultBench(plane, {
      program: await bundleOperator(plane),
      proxy,
      namespace: NAMESPACE,
      ...election,
      nodeFlags: options.nodeFlags ?? [],
    });
  }

  /** Asks for a station and resolves when the cluster is there and nothing is written any more. */
  async goTo(station: Station): Promise<Arrival> {
    await this.depart(station);
    return this.arrive(station);
  }

  /** Asks for a station and forgets what was written before. */
  async depart({ spec }: Station): Promise<void> {
    this.proxy.clearLog();
    await this.trail.skip();
    if (spec === undefined) await this.resources.delete(RESOURCE);
    else await this.resources.apply(RESOURCE, spec, ANNOTATIONS);
  }

  /** Waits until the station that was asked for is reached; rejects with what the operator complained about. */
  async arrive(station: Station): Promise<Arrival> {
    await this.reached(station);
    await this.quiet();
    return this.look();
  }

  async reached({ name, spec }: Station): Promise<void> {
    try {
      if (spec === undefined) await this.resources.untilGone(RESOURCE);
      else await this.resources.until(RESOURCE, 'HEALTHY');
    } catch (cause) {
      throw new Error(`${name} is not reached; ${this.operator.complaints.join('\n')}`, { cause });
    }
  }

  /** The cluster as it is, and what was done since the departure. */
  async look(): Promise<Arrival> {
    const writes = this.proxy.log
      .filter(({ request }) => isStep(request))
      .map(({ request }) => keyOf(request));
    return { state: await readState(this.plane, NAMESPACE), tally: await this.trail.take(), writes };
  }

  /** Resolves when nothing was written for a moment. */
  async quiet(): Promise<void> {
    await eventually('the operator is quiet', async () => this.#isQuiet());
  }

  /** What a restart of the operator writes, where nothing is left to do: it should be 0. */
  async writesOfRestart(): Promise<number> {
    await this.trail.skip();
    this.operator.crash();
    await this.operator.untilItLooked();
    await this.quiet();
    return (await this.trail.take()).writes;
  }

  /** Leaves the cluster as it was found, definitions aside. Rejects when a status was unsound that was seen meanwhile. */
  async close(): Promise<void> {
    this.proxy.calm();
    await this.resources.clear();
    await this.operator.stop();
    await this.proxy.close();
    const { unsound } = this.resources;
    if (unsound.length > 0) throw new Error(`unsound states: ${unsound.join('; ')}`);
  }

  #isQuiet(): boolean {
    const writes = this.proxy.log.filter(({ request }) => isStep(request));
    const lastMs = Math.max(0, ...writes.map(({ startedMs, endedMs = startedMs }) => endedMs));
    return this.proxy.writesUnderWay() === 0 && performance.now() - lastMs >= QUIET_MS;
  }
}

/** What is wrong with an arrival, compared with the undisturbed one. */
export function deviations(reference: Arrival, tried: Arrival): readonly string[] {
  return [...differences(reference.state, tried.state), ...extraLives(reference.tally, tried.tally)];
}

/** Resolves with whether that happened before the time was over. For things that may rightly not happen. */
export async function within(ms: number, happened: () => boolean): Promise<boolean> {
  const deadlineMs = performance.now() + ms;
  while (!happened() && performance.now() < deadlineMs) await delay(POLL_MS);
  return happened();
}

/** Whether a request is a write on the way. Leases go on without end and are no step of any work. */
export function isStep(request: ApiRequest): boolean {
  return request.isWrite && request.class !== 'lease';
}
