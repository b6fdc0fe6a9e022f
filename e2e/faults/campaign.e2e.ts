/**
 * The mutation campaign: specifications change field by field, in chains on one cluster, and after each step the cluster
 * must be what the specification says, or what it was before. The pure plan tells what is to be expected; the API
 * server, by dry runs as our field manager, whether it is so.
 */
import { expect } from 'chai';
import { loadAssets } from '../../src/assets/load.ts';
import { isProtected } from '../../src/apply/protected.ts';
import { conditionOf, generationOf, storedStatus } from '../../src/controller/resource.ts';
import { createPlanner } from '../../src/core/plan.ts';
import type { Planner } from '../../src/core/plan.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { jsonEqual } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { displayRef, identityOf, refOf } from '../../src/model/object.ts';
import type { Plan, PlanResult } from '../../src/model/plan.ts';
import { objectsOf } from '../../src/model/plan.ts';
import type { OperatorStatus } from '../../src/model/status.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import { apply } from '../deploy/manifests.ts';
import type { Write } from '../operator/audit-log.ts';
import { AuditTail } from '../operator/audit-log.ts';
import type { OperatorUnderTest } from '../operator/operator-under-test.ts';
import { startOperator } from '../operator/operator-under-test.ts';
import { eventually, Resources } from '../operator/resources.ts';
import { spreadOf } from './durations.ts';
import { readFaultRun, sample, seededRandom } from './fault-run.ts';
import { recordProof } from './figures.ts';
import { canonical, differences, installedBy, isCompared, scaledBy, sortedText } from './installed-state.ts';
import type { Mutation } from './mutations.ts';
import {
  displayMutation,
  fieldMutations,
  gatewayWalks,
  mutate,
  profileWalk,
  semanticMutations,
} from './mutations.ts';
import { overlayForms } from './overlay-forms.ts';

const RUN = readFaultRun(process.env);
const NAMESPACE = 'istio-system';
const NAME = 'mesh';
const OWNER = { name: NAME, namespace: NAMESPACE };
const CHAIN_LENGTH = 10;
const WALK_LENGTH = 15;
const WALKED_IN_SAMPLE = 6;
const READINESS_TIMEOUT_MS = 8_000;
/** What is overdue by then does not come any more. */
const PATIENCE_MS = 90_000;
/** A failure that is still told by then is taken for the end. */
const FAILURE_MS = 2 * READINESS_TIMEOUT_MS;
const TRANSITIONS = { 1: 40, 2: 1_400 } as const;

const SEEDS: readonly JsonObject[] = [
  { profile: 'minimal' },
  { profile: 'default' },
  { profile: 'empty', components: { ingressGateways: [{ name: 'istio-ingressgateway', enabled: true }] } },
  { profile: 'ambient' },
];

/** How a step ended. `refused`: by the API server when it was written, by the operator, or by what is installed. */
type Ending =
  | { readonly kind: 'healthy'; readonly plan: Plan }
  | { readonly kind: 'refused'; readonly by: 'admission' | 'operator' }
  /** The plan is good, and the API server refuses an object or something never starts. */
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string };

class Campaign {
  readonly counts = {
    transitions: 0,
    healthy: 0,
    refused: 0,
    failed: 0,
    'fresh installations': 0,
    restarts: 0,
  };
  readonly violations: string[] = [];
  readonly #deletionsMs: number[] = [];
  readonly #plane: ControlPlane;
  readonly #resources: Resources;
  readonly #planner: Planner;
  readonly #tail: AuditTail;
  #operator: OperatorUnderTest;
  /** The plan that the cluster has now. */
  #applied: Plan | undefined;

  static async start(plane: ControlPlane): Promise<Campaign> {
    const resources = new Resources(plane, NAMESPACE);
    await resources.prepare();
    const planner = createPlanner(await loadAssets());
    return new Campaign(plane, resources, planner, await launch(plane));
  }

  private constructor(
    plane: ControlPlane,
    resources: Resources,
    planner: Planner,
    operator: OperatorUnderTest,
  ) {
    this.#plane = plane;
    this.#resources = resources;
    this.#planner = planner;
    this.#operator = operator;
    this.#tail = new AuditTail(plane);
  }

  /** Goes from a seed through the mutations, one upon the other as far as they work, and back to the seed. */
  async chain(seed: JsonObject, mutations: readonly Mutation[], thorough: boolean): Promise<void> {
    let spec = seed;
    await this.#expectHealthy('seed', seed);
    for (const mutation of mutations) {
      const mutated = mutate(spec, mutation);
      const ending = await this.#step(displayMutation(mutation), mutated);
      if (ending.kind === 'healthy') spec = mutated;
      else await this.#expectHealthy(`taking back ${displayMutation(mutation)}`, spec);
    }
    if (thorough) await this.#compareWithFreshInstallation(spec);
    await this.#expectHealthy('back to the seed', seed);
    if (thorough) await this.#expectRestAfterRestart();
    await this.#expectGone();
  }

  /** How long deletions took: middle and largest. */
  get deletions(): string {
    return spreadOf(this.#deletionsMs);
  }

  async stop(): Promise<void> {
    await this.#resources.clear();
    await this.#operator.stop();
    this.violations.push(...this.#resources.unsound.map((fault) => `O6: ${fault}`));
  }

  async #step(name: string, spec: JsonObject): Promise<Ending> {
    this.counts.transitions += 1;
    await this.#tail.writesOf(this.#operator.userAgent);
    const ending = await this.#apply(name, spec);
    this.counts[ending.kind] += 1;
    const wasHealthy = this.#wasHealthy;
    this.#wasHealthy = ending.kind !== 'failed';
    const writes = await this.#writesToObjects();
    if (ending.kind === 'refused' && writes.length > 0)
      this.#violated('O4', name, `${writes.length} writes for a specification that was refused`);
    if (ending.kind !== 'healthy') return ending;
    if (wasHealthy) await this.#judgeWrites(name, ending.plan, writes);
    await this.#judgeState(name, ending.plan);
    this.#applied = ending.plan;
    return ending;
  }

  async #apply(name: string, spec: JsonObject): Promise<Ending> {
    try {
      await this.#resources.apply(NAME, spec);
    } catch {
      return { kind: 'refused', by: 'admission' };
    }
    const expected = this.#plan(spec);
    const status = await this.#settled(expected);
    if (status === undefined) {
      this.#violated('O5', name, `no end within ${PATIENCE_MS / 1_000} s`);
      return { kind: 'failed', reason: 'none', message: '' };
    }
    return this.#endingOf(name, expected, status);
  }

  #endingOf(name: string, expected: PlanResult, status: OperatorStatus): Ending {
    const reason = Resources.reasonOf(status) ?? '';
    const message = conditionOf(status, 'Ready')?.message ?? '';
    if (status.status === 'HEALTHY') {
      if (expected.kind === 'planned') return { kind: 'healthy', plan: expected.plan };
      this.#violated('O6', name, 'HEALTHY with a specification that cannot be planned');
    }
    if (message.length < 20) this.#violated('O6', name, `says only "${message}"`);
    if (reason === 'InternalError') this.#violated('O5', name, message);
    if (['InvalidSpec', 'UnsupportedRelease', 'UpgradeRefused', 'Contested'].includes(reason))
      return { kind: 'refused', by: 'operator' };
    if (expected.kind === 'invalid') this.#violated('O6', name, `${reason} for an invalid specification`);
    return { kind: 'failed', reason, message };
  }

  /** The status that is the end of a generation; a failure that may pass is waited for a little. */
  async #settled(expected: PlanResult): Promise<OperatorStatus | undefined> {
    const startedMs = performance.now();
    const isPatient = expected.kind === 'planned';
    return eventually('an end', async () => {
      const elapsedMs = performance.now() - startedMs;
      const resource = await this.#resources.read(NAME);
      const status = storedStatus(resource);
      const isCurrent = resource !== undefined && status?.observedGeneration === generationOf(resource);
      if (isCurrent && status.status === 'HEALTHY') return { status };
      const isStalled = conditionOf(status, 'Stalled')?.status === 'True';
      const isOverdue = elapsedMs > FAILURE_MS || !isPatient;
      if (isCurrent && status.status === 'ERROR' && (isStalled || isOverdue)) return { status };
      return elapsedMs > PATIENCE_MS ? { status: undefined } : undefined;
    }).then(({ status }) => status);
  }

  #plan(spec: JsonObject): PlanResult {
    return this.#planner({
      layers: [{ spec, source: `IstioOperator ${NAMESPACE}/${NAME}` }],
      owner: OWNER,
      facts: { kubernetesVersion: 'v1.34.4' },
      // A resource that names no tag stays on what is installed, whatever that is.
      ...(this.#applied === undefined ? {} : { installedVersion: this.#applied.version }),
    });
  }

  /** O1: something is written if and only if something else is to be there. O7: and each object at most twice. */
  async #judgeWrites(name: string, plan: Plan, writes: readonly Write[]): Promise<void> {
    const isSame = this.#applied !== undefined && jsonEqual(objectsOf(this.#applied), objectsOf(plan));
    if (isSame && writes.length > 0) {
      const told = (await this.#resources.eventsOf(NAME)).join(' | ');
      this.#violated('O1', name, `nothing changes, and ${describeWrites(writes)} was written; told: ${told}`);
    }
    const counts = new Map<string, number>();
    for (const { resource, name: object } of writes) {
      const key = `${resource}/${object}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const repeated = [...counts].filter(([, count]) => count > 2);
    if (repeated.length > 0)
      this.#violated('O7', name, `written again and again: ${JSON.stringify(repeated)}`);
  }

  /** After a failure the cluster is somewhere between two plans. */
  #wasHealthy = true;

  /** O2: nothing is missing, nothing is left over, and applying it all once more would change nothing. */
  async #judgeState(name: string, plan: Plan): Promise<void> {
    const planned = objectsOf(plan).filter(isCompared);
    const live = await installedBy(this.#plane, NAME);
    const wanted = new Set(planned.map((object) => identityOf(refOf(object))));
    const surplus = [...live.keys()].filter((identity) => !wanted.has(identity));
    if (surplus.length > 0) this.#violated('O2', name, `left over: ${surplus.join()}`);
    const faults = await Promise.all(planned.map(async (object) => this.#faultOf(object, live)));
    for (const fault of faults.filter((one) => one !== undefined)) this.#violated('O2', name, fault);
    const { inventory = [] } = storedStatus(await this.#resources.read(NAME)) ?? {};
    const recorded = inventory.map(identityOf).toSorted();
    const expected = objectsOf(plan)
      .map(refOf)
      .filter((ref) => !isProtected(ref))
      .map(identityOf)
      .toSorted();
    if (recorded.join() !== expected.join())
      this.#violated('O8', name, 'the inventory is not what is planned');
  }

  async #faultOf(desired: K8sObject, live: ReadonlyMap<string, K8sObject>): Promise<string | undefined> {
    const ref = displayRef(refOf(desired));
    const { status, body } = await this.#dryRun(desired);
    if (status !== 200) return `${ref}: a dry run is answered with ${status}`;
    const now = live.get(identityOf(refOf(desired)));
    // Bindings of admission policies carry no labels, so they are not found by one.
    if (now === undefined) return undefined;
    const scaled = scaledBy(live.values());
    const would = sortedText(canonical(body as K8sObject, scaled)); // what an apply answers with 200 is an object
    const is = sortedText(canonical(now, scaled));
    return would === is ? undefined : `${ref} is not as planned: ${firstDifference(would, is)}`;
  }

  async #dryRun(desired: K8sObject): ReturnType<typeof apply> {
    return apply(this.#plane.api, desired, '&dryRun=All', 'istio-operator');
  }

  /** O3: what worked before works again. */
  async #expectHealthy(name: string, spec: JsonObject): Promise<void> {
    const ending = await this.#step(name, spec);
    if (ending.kind !== 'healthy') this.#violated('O3', name, `ended as ${JSON.stringify(ending)}`);
  }

  async #compareWithFreshInstallation(spec: JsonObject): Promise<void> {
    this.counts['fresh installations'] += 1;
    const grown = await installedBy(this.#plane, NAME);
    await this.#expectGone();
    await this.#expectHealthy('fresh installation', spec);
    for (const difference of differences(grown, await installedBy(this.#plane, NAME)))
      this.#violated('O2', 'fresh installation', difference);
  }

  async #expectRestAfterRestart(): Promise<void> {
    this.counts.restarts += 1;
    await this.#operator.stop();
    this.#operator = await launch(this.#plane);
    await eventually('it has looked', async () =>
      /reconcile_total\{[^}]*result="success"\} [1-9]/.test(await this.#operator.metrics()),
    );
    const writes = await this.#tail.writesOf(this.#operator.userAgent);
    if (writes.length > 0) this.#violated('O7', 'restart', `wrote ${describeWrites(writes)}`);
  }

  async #expectGone(): Promise<void> {
    const startedMs = performance.now();
    await this.#resources.delete(NAME);
    await this.#resources.untilGone(NAME);
    this.#applied = undefined;
    const left = await installedBy(this.#plane, NAME);
    if (left.size > 0) this.#violated('O8', 'deletion', `left: ${[...left.keys()].join()}`);
    this.#deletionsMs.push(performance.now() - startedMs);
  }

  async #writesToObjects(): Promise<readonly Write[]> {
    const writes = await this.#tail.writesOf(this.#operator.userAgent);
    return writes.filter(({ resource }) => !resource.startsWith('istiooperators') && resource !== 'events');
  }

  #violated(oracle: string, step: string, what: string): void {
    this.violations.push(`${oracle} at "${step}": ${what}`);
    console.error(this.violations.at(-1));
  }
}

async function launch(plane: ControlPlane): Promise<OperatorUnderTest> {
  return startOperator(plane, { readinessTimeoutMs: READINESS_TIMEOUT_MS });
}

function describeWrites(writes: readonly Write[]): string {
  return writes.map(({ verb, resource, name }) => `${verb} ${resource}/${name}`).join(', ');
}

/** The surroundings of the first place where two texts differ. */
function firstDifference(left: string, right: string): string {
  let at = 0;
  while (at < left.length && left[at] === right[at]) at += 1;
  return `…${left.slice(Math.max(0, at - 60), at + 40)}… instead of …${right.slice(Math.max(0, at - 60), at + 40)}…`;
}

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/** Mutations that are made one upon the other, from a seed and back to it. */
interface Chain {
  readonly seed: JsonObject;
  readonly mutations: readonly Mutation[];
}

/** Their order is their point: each step is another change. */
function walks(): readonly Chain[] {
  const chains = (seed: JsonObject, mutations: readonly Mutation[]): readonly Chain[] =>
    chunks(mutations, WALK_LENGTH).map((steps) => ({ seed, mutations: steps }));
  return [
    { seed: { profile: 'empty' }, mutations: profileWalk() },
    ...chains({ profile: 'minimal' }, gatewayWalks()),
    ...chains({ profile: 'default' }, overlayForms()),
  ];
}

function shortened({ seed, mutations }: Chain): Chain {
  return { seed, mutations: mutations.slice(0, WALKED_IN_SAMPLE) };
}

/** In tier 2 all walks and as many fields as make up the number, in tier 1 a few; in an order that the seed gives. */
async function chosenChains(): Promise<readonly Chain[]> {
  const random = seededRandom(RUN.seed);
  const size = RUN.trials ?? TRANSITIONS[RUN.tier];
  const walked = RUN.tier === 2 ? walks() : sample(walks(), 1, random).map(shortened);
  const left = size - walked.reduce((sum, { mutations }) => sum + mutations.length, 0);
  const { specSchema, valuesSchema } = await loadAssets();
  const fields = [
    ...semanticMutations(),
    ...fieldMutations(specSchema),
    ...fieldMutations(valuesSchema, ['values']),
  ];
  const chains = chunks(sample(fields, Math.max(0, left), random), CHAIN_LENGTH);
  const seeded = chains.map((mutations, index) => ({ seed: SEEDS[index % SEEDS.length] ?? {}, mutations }));
  return [...walked, ...seeded];
}

describe('the mutation campaign', () => {
  let plane: ControlPlane;

  before(async () => {
    plane = await startControlPlane({ audit: true });
  });

  after(async () => {
    await plane.stop();
  });

  it('ends each step as the specification says, and takes back what did not work', async function run() {
    const chains = await chosenChains();
    this.timeout(chains.length * 300_000);
    const campaign = await Campaign.start(plane);
    for (const [index, { seed, mutations }] of chains.entries()) {
      await campaign.chain(seed, mutations, index % 3 === 0);
      if (RUN.tier === 2) console.log(`chain ${index + 1} of ${chains.length}`, campaign.counts);
    }
    await campaign.stop();

    await recordProof(RUN, 'campaign', {
      counts: { ...campaign.counts, deletions: campaign.deletions, violations: campaign.violations.length },
      isMet: campaign.counts.transitions >= TRANSITIONS[RUN.tier] && campaign.violations.length === 0,
    });
    expect(campaign.violations).to.deep.equal([]);
  });
});
