/** Resources that nobody should write, on a real API server, beside one that must not notice. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { request } from 'undici';
import { bundle } from '../../scripts/build/bundle.ts';
import { NODE_FLAGS } from '../../scripts/image/node-flags.ts';
import { loadAssets } from '../../src/assets/load.ts';
import { createPlanner } from '../../src/core/plan.ts';
import type { JsonValue } from '../../src/model/json.ts';
import { at, listAt, stringAt } from '../../src/model/json.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { findFreePort } from '../control-plane/free-port.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { eventually, Resources } from '../operator/resources.ts';
import { recordProof } from './figures.ts';
import { readFaultRun, sample, seededRandom } from './fault-run.ts';
import type { Poison } from './poison-specs.ts';
import { POISONS } from './poison-specs.ts';

const NAMESPACE = 'istio-system';
const POISON_NAMESPACE = 'poison';
const RESOURCES = `/apis/install.istio.io/v1alpha1/namespaces/${POISON_NAMESPACE}/istiooperators`;
/** In `npm test`; all of them in tier 2. */
const SAMPLE = 24;
/** So many at once: more than the operator looks at side by side. */
const AT_ONCE = 6;
/** A poison that is not contained by then never is. */
const GIVE_UP_MS = 60_000;
const SRC = fileURLToPath(new URL('../../src', import.meta.url));

interface Contained {
  readonly name: string;
  readonly kind: 'refused' | 'told' | 'untold';
  readonly tookMs: number;
  readonly reason: string;
}

function slowestOf(contained: readonly Contained[]): Pick<Contained, 'name' | 'tookMs'> {
  const none: Pick<Contained, 'name' | 'tookMs'> = { name: '', tookMs: 0 };
  return contained.reduce((slowest, each) => (each.tookMs > slowest.tookMs ? each : slowest), none);
}

describe('poison resources', function poison() {
  this.timeout(15 * 60_000);

  let folder: string;
  let plane: ControlPlane;
  let resources: Resources;
  let operator: ChildProcess;
  let port: number;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'poison-'));
    const entries = { main: join(SRC, 'main.ts'), 'plan-worker': join(SRC, 'plan-worker.ts') };
    await bundle({ entries, outdir: folder });
    plane = await sharedControlPlane();
    resources = new Resources(plane, NAMESPACE);
    await resources.prepare();
    await plane.api.request('POST', '/api/v1/namespaces', { metadata: { name: POISON_NAMESPACE } });
    port = await findFreePort();
    operator = startOperator();
    await eventually('the operator is ready', async () => (await get('/readyz')).status === 200);
  });

  after(async () => {
    await resources.clear();
    operator.kill('SIGTERM');
    if (operator.exitCode === null) await once(operator, 'exit');
    await plane.api.request('DELETE', `/api/v1/namespaces/${POISON_NAMESPACE}`);
    await rm(folder, { recursive: true });
  });

  /** The bundle, with the flags of deploy/operator.yaml. */
  function startOperator(): ChildProcess {
    const at127 = ['--health-host=127.0.0.1', '--monitoring-host=127.0.0.1'];
    const ports = [`--health-port=${port}`, `--monitoring-port=${port}`];
    return spawn(
      process.execPath,
      [
        ...NODE_FLAGS,
        join(folder, 'main.mjs'),
        'run',
        `--kubeconfig=${plane.kubeconfigPath}`,
        ...ports,
        ...at127,
      ],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: {
          PATH: process.env['PATH'],
          NODE_OPTIONS:
            '--max-old-space-size=160 --max-semi-space-size=2 --disallow-code-generation-from-strings',
        },
      },
    );
  }

  async function get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const answer = await request(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
    return { status: answer?.statusCode ?? 0, text: (await answer?.body.text()) ?? '' };
  }

  /** Since the last time that it was asked. */
  async function metric(name: string): Promise<number> {
    const { text } = await get('/metrics');
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  }

  /** Undefined also while the API server is busy with a poison itself. */
  async function statusOf(name: string): Promise<JsonValue | undefined> {
    const answer = await plane.api.request('GET', `${RESOURCES}/${name}`).catch(() => undefined);
    return at(answer?.body, 'status');
  }

  async function contain({ name, spec }: Poison): Promise<Contained> {
    const startMs = performance.now();
    const since = (): number => Math.round(performance.now() - startMs);
    const metadata = { name, annotations: { 'install.istio.io/dry-run': 'true' } };
    const resource = `{"apiVersion":"install.istio.io/v1alpha1","kind":"IstioOperator","metadata":${JSON.stringify(metadata)},"spec":${spec}}`;
    // No answer in time is no refusal: it may have been stored.
    const answer = await plane.api.request('POST', RESOURCES, resource).catch(() => undefined);
    if (answer !== undefined && answer.status >= 400)
      return { name, kind: 'refused', tookMs: since(), reason: stringAt(answer.body, 'message') ?? '' };
    const createdMs = performance.now();
    while (performance.now() - createdMs < GIVE_UP_MS) {
      const live = await statusOf(name);
      const reason = stringAt(live, 'conditions', 0, 'reason');
      if (reason !== undefined && at(live, 'observedGeneration') === 1)
        return { name, kind: 'told', tookMs: since(), reason };
      await delay(100);
    }
    return { name, kind: 'untold', tookMs: since(), reason: '' };
  }

  /** How long an edit of the healthy resource takes until it is rolled out. */
  async function editHealthy(round: number): Promise<number> {
    const startMs = performance.now();
    const meshConfig = { accessLogFile: `/dev/log-${round}` };
    await resources.apply('mesh', { profile: 'minimal', meshConfig });
    await resources.until('mesh', 'HEALTHY');
    return Math.round(performance.now() - startMs);
  }

  it('are told or refused, each by itself, and hold up nobody else', async () => {
    await editHealthy(0);
    const calm = { p99: await metric('nodejs_eventloop_lag_p99_seconds'), edit: await editHealthy(1) };
    await metric('nodejs_eventloop_lag_p99_seconds');

    const run = readFaultRun(process.env);
    const poisons = run.tier === 2 ? POISONS : sample(POISONS, SAMPLE, seededRandom(run.seed));
    const contained: Contained[] = [];
    const edits: number[] = [];
    for (let first = 0; first < poisons.length; first += AT_ONCE) {
      const batch = poisons.slice(first, first + AT_ONCE);
      const [edit, ...results] = await Promise.all([editHealthy(first + 2), ...batch.map(contain)]);
      edits.push(edit);
      contained.push(...results);
    }
    const lateMs = Math.round((await metric('nodejs_eventloop_lag_p99_seconds')) * 1_000);
    const rssMib = Math.round((await metric('process_resident_memory_bytes')) / 2 ** 20);

    const untold = contained.filter(({ kind }) => kind === 'untold').map(({ name }) => name);
    const faults = contained.filter(({ reason }) => reason === 'InternalError').map(({ name }) => name);
    const slowest = slowestOf(contained);
    const counts = {
      resources: contained.length,
      refused: contained.filter(({ kind }) => kind === 'refused').length,
      'not contained': untold.length + faults.length,
      restarts: operator.exitCode === null ? 0 : 1,
      'slowest status ms': slowest.tookMs,
      'slowest is': slowest.name,
      'loop late p99 ms': lateMs,
      'slowest edit beside ms': Math.max(...edits),
      'edit in peace ms': calm.edit,
      'memory MiB': rssMib,
    };
    const isQuick = slowest.tookMs <= 10_000 && lateMs <= 100;
    await recordProof(run, 'poison', {
      counts,
      isMet: contained.length >= 70 && counts['not contained'] === 0 && isQuick,
    });
    expect({ untold, faults, exitCode: operator.exitCode }).to.deep.equal({
      untold: [],
      faults: [],
      exitCode: null,
    });
    expect(contained.length).to.equal(poisons.length);
  });

  it('can be deleted, all of them', async () => {
    await eventually('they are gone', async () => {
      for (const { name } of POISONS)
        await plane.api.request('DELETE', `${RESOURCES}/${name}`).catch(() => undefined);
      const answer = await plane.api.request('GET', RESOURCES).catch(() => undefined);
      return answer?.status === 200 && listAt(answer.body, 'items').length === 0;
    });
  });

  it('leave no trace in the prototypes that everything shares', async () => {
    const planner = createPlanner(await loadAssets());

    for (const { name, spec } of POISONS.filter((entry) => /key|prototype|constructor/.test(entry.name)))
      planner({
        layers: [{ spec: JSON.parse(spec), source: name }],
        facts: { kubernetesVersion: 'v1.34.4' },
      });

    const shared: object[] = [Object.prototype, Array.prototype, String.prototype, Function.prototype];
    expect(shared.map((prototype) => Object.keys(prototype))).to.deep.equal([[], [], [], []]);
    expect(Object.hasOwn(Object.prototype, 'polluted')).to.equal(false);
  });
});
