/** `istio-operator run` as a process of its own: signals, crashes, the lease, and the HTTP endpoints. */
import { expect } from 'chai';
import { ADMISSION_POLICIES, UNGUARDED } from '../../src/controller/admission-guard.ts';
import { stringAt } from '../../src/model/json.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { VERSION } from '../../src/version.ts';
import { writesOf } from './audit-log.ts';
import { OperatorProcess } from './operator-process.ts';
import { eventually, readObject, Resources } from './resources.ts';

const USER_AGENT = `istio-operator/${VERSION}`;
const NAMESPACE = 'istio-system';
const OPERATOR_NAMESPACE = 'operator-e2e';
const ISTIOD = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'istiod', namespace: NAMESPACE },
};

/** Messages of the warnings and errors that it logged. */
function complaintsOf({ log }: OperatorProcess): readonly (string | undefined)[] {
  return log
    .filter((line) => ['warn', 'error'].includes(stringAt(line, 'level') ?? ''))
    .map((line) => stringAt(line, 'message'));
}

describe('istio-operator run', () => {
  let plane: ControlPlane;
  let resources: Resources;
  const processes: OperatorProcess[] = [];

  async function start(...flags: readonly string[]): Promise<OperatorProcess> {
    const started = await OperatorProcess.start({ kubeconfigPath: plane.kubeconfigPath, flags });
    processes.push(started);
    return started;
  }

  async function endAll(): Promise<void> {
    await Promise.all(processes.splice(0).map(async (started) => started.end('SIGTERM')));
  }

  before(async () => {
    plane = await sharedControlPlane();
    resources = new Resources(plane, NAMESPACE);
    await resources.prepare();
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: OPERATOR_NAMESPACE } };
    await plane.api.request('POST', '/api/v1/namespaces', namespace);
  });

  afterEach(async () => {
    await endAll();
    await start();
    await resources.clear();
    await endAll();
    expect(resources.unsound).to.deep.equal([]);
  });

  after(async () => {
    await plane.api.request('DELETE', `/api/v1/namespaces/${OPERATOR_NAMESPACE}`);
  });

  it('installs, tells how it is, and ends with 0 when it is asked to', async () => {
    const operator = await start();
    await operator.untilReady();
    await resources.apply('mesh', { profile: 'minimal' });
    await resources.until('mesh', 'HEALTHY');

    const health = await operator.get('/healthz');
    await eventually('the resource counts as ready', async () => {
      const { text } = await operator.get('/metrics');
      return text.includes('istio_operator_resource_ready{namespace="istio-system",name="mesh"} 1');
    });
    const metrics = await operator.get('/metrics');
    const code = await operator.end('SIGTERM');

    expect([health.status, code]).to.deep.equal([200, 0]);
    expect(metrics.text).to.match(
      /rest_client_requests_total\{code="200",method="PATCH",host="127\.0\.0\.1:\d+"\} \d+/,
    );
    expect(operator.log.map((line) => stringAt(line, 'message'))).to.include.members([
      'started',
      'reconciled',
      'stopped',
    ]);
    // Nothing else guards the control plane that the suites share.
    expect(complaintsOf(operator)).to.deep.equal([UNGUARDED]);
    for (const policy of ADMISSION_POLICIES)
      expect(metrics.text).to.contain(`istio_operator_admission_policy_in_force{policy="${policy}"} 0\n`);
  });

  it('reports its queue, its workers and the age of its watches', async () => {
    const operator = await start('--max-concurrent-reconciles=3');
    await operator.untilReady();
    await resources.apply('mesh', { profile: 'empty' });
    await resources.until('mesh', 'HEALTHY');

    const { text } = await operator.get('/metrics');

    const labels = 'name="istiooperator",controller="istiooperator"';
    // The one more is for what drifts.
    expect(text).to.contain('controller_runtime_max_concurrent_reconciles{controller="istiooperator"} 4\n');
    expect(text).to.match(/^controller_runtime_active_workers\{controller="istiooperator"\} \d+$/mu);
    expect(text).to.match(
      new RegExp(`^workqueue_longest_running_processor_seconds\\{${labels}\\} [\\d.]+$`, 'mu'),
    );
    expect(text).to.match(new RegExp(`^workqueue_work_duration_seconds_count\\{${labels}\\} [1-9]`, 'mu'));
    const ages = [...text.matchAll(/^istio_operator_watch_age_seconds\{kind="(\w+)"\} (\S+)$/gmu)];
    expect(ages.map(([, kind]) => kind)).to.include.members(['IstioOperator', 'Deployment', 'Service']);
    expect(Math.max(...ages.map(([, , seconds]) => Number(seconds)))).to.be.below(90);
  });

  it('goes on after it was killed in the middle of an installation, and then rests', async () => {
    const killed = await start();
    await killed.untilReady();
    await resources.apply('mesh', { profile: 'demo' });
    await eventually('the installation has begun', async () => readObject(plane, ISTIOD));
    await killed.end('SIGKILL');

    const successor = await start();
    await resources.until('mesh', 'HEALTHY');
    await eventually('the installation is logged', async () => successor.has('reconciled'));
    await successor.end('SIGTERM');
    const before = (await writesOf(plane, USER_AGENT)).length;
    const third = await start('--log-level=debug');
    await eventually('it has looked', async () => third.has('reconciled'));

    expect((await writesOf(plane, USER_AGENT)).length).to.equal(before);
  });

  it('hands over to the other replica when it is asked to end', async () => {
    const flags = [`--operator-namespace=${OPERATOR_NAMESPACE}`];
    const leader = await start(...flags);
    await eventually('the first one leads', async () => leader.has('leading'));
    const follower = await start(...flags);
    await follower.untilReady();
    const ledBefore = follower.has('leading');

    await resources.apply('mesh', { profile: 'minimal' });
    await resources.until('mesh', 'HEALTHY');
    await leader.end('SIGTERM');
    await eventually('the second one leads', async () => follower.has('leading'));
    await resources.apply('mesh', { profile: 'minimal', meshConfig: { accessLogFile: '/dev/stdout' } });
    const status = await resources.until('mesh', 'HEALTHY');

    expect([ledBefore, status.observedGeneration]).to.deep.equal([false, 2]);
  });

  it('says which setting is wrong and ends with 1', async () => {
    const operator = await start('--max-concurrent-reconciles=many');

    await operator.ended;

    expect(await operator.end('SIGTERM')).to.equal(1);
  });
});
