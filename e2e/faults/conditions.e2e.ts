/** What kubectl, kstatus and Argo CD read from an IstioOperator at each phase of its life. */
import { expect } from 'chai';
import type { JsonObject } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { deletionTimeMs, generationOf, storedStatus } from '../../src/controller/resource.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { pathOf } from '../deploy/manifests.ts';
import type { OperatorUnderTest } from '../operator/operator-under-test.ts';
import { startOperator } from '../operator/operator-under-test.ts';
import { eventually, Resources } from '../operator/resources.ts';
import { readFaultRun } from './fault-run.ts';
import { recordProof } from './figures.ts';
import { kubectl, kubectlProblem } from './kubectl.ts';
import type { StateRecorder } from './state-recorder.ts';
import { recordStates } from './state-recorder.ts';
import type { ArgoHealth, Kstatus } from './status-readers.ts';
import { argoHealthOf, kstatusOf } from './status-readers.ts';

const NAMESPACE = 'istio-system';
const NAME = 'mesh';
const NODE = '/api/v1/nodes/fake-node';
const SERVICE: K8sObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'istiod', namespace: NAMESPACE },
};
const MINIMAL: JsonObject = { profile: 'minimal' };

/** What the readers say at one moment, and the columns of `kubectl get iop` but for the age. */
interface Readings {
  /** Whether `kubectl wait --for=condition=Ready` is content. */
  readonly waited: boolean;
  readonly kstatus: Kstatus;
  readonly argo: ArgoHealth;
  readonly columns: string;
}

describe('the status, as others read it', () => {
  let plane: ControlPlane;
  let resources: Resources;
  let recorder: StateRecorder;
  let operator: OperatorUnderTest | undefined;

  before(async function prepare() {
    const problem = kubectlProblem();
    if (problem !== undefined) {
      console.warn(`skipped: ${problem}`);
      this.skip();
    }
    this.timeout(300_000); // the first call builds the Go program
    plane = await sharedControlPlane();
    resources = new Resources(plane, NAMESPACE);
    await resources.prepare();
    await kstatusOf([]);
    recorder = await recordStates(plane, NAMESPACE);
  });

  afterEach(async () => {
    operator ??= await startOperator(plane);
    await schedulable(true);
    await resources.clear();
    await operator.stop();
    operator = undefined;
    expect(resources.unsound).to.deep.equal([]);
  });

  after(async () => {
    await recorder?.stop();
  });

  async function schedulable(isSchedulable: boolean): Promise<void> {
    const body = { spec: { unschedulable: !isSchedulable } };
    await plane.api.request('PATCH', NODE, body, 'application/merge-patch+json');
  }

  async function readings(): Promise<Readings> {
    const target = ['iop', NAME, `--namespace=${NAMESPACE}`];
    const resource = await resources.read(NAME);
    if (resource === undefined) throw new Error('there is nothing to read');
    const [kstatus = 'NotFound'] = await kstatusOf([resource]);
    const waited = await kubectl(plane, 'wait', '--for=condition=Ready', '--timeout=0s', ...target);
    const shown = await kubectl(plane, 'get', '--no-headers', ...target);
    const columns = shown.output.trim().split(/\s+/).slice(0, -1).join(' ');
    return { waited: waited.code === 0, kstatus, argo: argoHealthOf(resource), columns };
  }

  /** The words of `installed` belong to a mesh that is whole, and to no other. */
  const whole = (columns: string): Readings => ({
    waited: true,
    kstatus: 'Current',
    argo: 'Healthy',
    columns,
  });
  const inProgress = (columns: string): Readings => ({
    waited: false,
    kstatus: 'InProgress',
    argo: 'Progressing',
    columns,
  });

  it('says that work is to be done before any operator has looked', async () => {
    await resources.apply(NAME, MINIMAL);

    expect(await readings()).to.deep.equal(inProgress('mesh Unknown Pending'));
  });

  it('keeps kubectl wait waiting for as long as the installation takes', async () => {
    operator = await startOperator(plane);
    await schedulable(false);
    await resources.apply(NAME, MINIMAL);
    await resources.until(NAME, 'RECONCILING');
    const during = await readings();
    const target = ['iop', NAME, `--namespace=${NAMESPACE}`];
    const waiting = kubectl(plane, 'wait', '--for=condition=Ready', '--timeout=90s', ...target);

    await schedulable(true);
    const waited = await waiting;

    expect(during).to.deep.equal(inProgress('mesh minimal default RECONCILING False Progressing'));
    expect([waited.code, waited.output.trim()]).to.deep.equal([
      0,
      'istiooperator.install.istio.io/mesh condition met',
    ]);
    expect(await readings()).to.deep.equal(whole('mesh minimal default 1.30.3 HEALTHY True Installed'));
  });

  it('leaves the healthy words during an upgrade and shows the old version until it is done', async () => {
    operator = await startOperator(plane);
    await resources.apply(NAME, { ...MINIMAL, tag: '1.29.6' });
    await resources.until(NAME, 'HEALTHY');
    const before = await readings();

    await schedulable(false);
    await resources.apply(NAME, { ...MINIMAL, tag: '1.30.3' });
    await resources.until(NAME, 'RECONCILING');
    const during = await readings();
    await schedulable(true);
    await resources.until(NAME, 'HEALTHY');

    expect(before).to.deep.equal(whole('mesh minimal default 1.29.6 HEALTHY True Installed'));
    expect(during).to.deep.equal(inProgress('mesh minimal default 1.29.6 RECONCILING False Progressing'));
    expect(await readings()).to.deep.equal(whole('mesh minimal default 1.30.3 HEALTHY True Installed'));
  });

  it('reads as failed when only a human can help, and comes back when one has', async () => {
    operator = await startOperator(plane);
    await resources.apply(NAME, MINIMAL);
    await resources.until(NAME, 'HEALTHY');

    await resources.apply(NAME, { profile: 'dmeo' });
    await resources.until(NAME, 'ERROR');
    const failed = await readings();
    await resources.apply(NAME, MINIMAL);
    await resources.until(NAME, 'HEALTHY');

    expect(failed).to.deep.equal({
      waited: false,
      kstatus: 'Failed',
      argo: 'Degraded',
      columns: 'mesh minimal default 1.30.3 ERROR False InvalidSpec',
    });
    expect(await readings()).to.deep.equal(whole('mesh minimal default 1.30.3 HEALTHY True Installed'));
  });

  it('reads as degraded, but not as given up, while something does not start in time', async () => {
    operator = await startOperator(plane, { readinessTimeoutMs: 1_000 });
    await schedulable(false);
    await resources.apply(NAME, MINIMAL);
    await resources.until(NAME, 'ERROR');

    expect(await readings()).to.deep.equal({
      ...inProgress('mesh minimal default ERROR False NotReady'),
      argo: 'Degraded',
    });
  });

  it('makes no statement while it is paused', async () => {
    operator = await startOperator(plane);
    await resources.apply(NAME, MINIMAL, { 'install.istio.io/ignoreReconcile': 'true' });
    await resources.until(NAME, 'NONE');

    expect(await readings()).to.deep.equal({ ...inProgress('mesh NONE Unknown Paused'), argo: 'Unknown' });
  });

  it('reads as terminating until the last object is gone', async () => {
    operator = await startOperator(plane);
    await resources.apply(NAME, MINIMAL);
    await resources.until(NAME, 'HEALTHY');
    await holdService(['e2e.example.com/hold']);

    await resources.delete(NAME);
    await eventually('the deletion is told', async () => {
      const status = storedStatus(await resources.read(NAME));
      return status !== undefined && Resources.reasonOf(status) === 'Deleting';
    });
    const during = await readings();
    await holdService([]);
    await resources.untilGone(NAME);

    expect(during).to.deep.equal({
      waited: false,
      kstatus: 'Terminating',
      argo: 'Progressing',
      columns: 'mesh minimal default 1.30.3 RECONCILING False Deleting',
    });
  });

  async function holdService(finalizers: readonly string[]): Promise<void> {
    const body = { metadata: { finalizers: [...finalizers] } };
    const { status } = await plane.api.request(
      'PATCH',
      pathOf(SERVICE),
      body,
      'application/merge-patch+json',
    );
    expect(status).to.equal(200);
  }

  it('never was read in two ways, in any state that was ever stored', async () => {
    const verdicts = await kstatusOf(recorder.states);

    const contradictions = recorder.states.flatMap((state, index) => contradictionIn(state, verdicts[index]));

    await recordProof(readFaultRun(process.env), 'readers', {
      counts: { states: recorder.states.length, contradictions: contradictions.length },
      isMet: contradictions.length === 0,
    });
    expect(recorder.states.length).to.be.greaterThan(30);
    expect(contradictions).to.deep.equal([]);
  });
});

/** Until the operator has looked at an edit, Argo CD, which knows no generations, shows what was before. */
function contradictionIn(state: K8sObject, kstatus: Kstatus | undefined): readonly string[] {
  const status = storedStatus(state);
  const isLookedAt = status?.observedGeneration === generationOf(state);
  if (deletionTimeMs(state) !== undefined)
    return kstatus === 'Terminating' ? [] : [`deleted, and ${kstatus}`];
  const argo = argoHealthOf(state);
  const agree = (kstatus === 'Current') === (argo === 'Healthy');
  const failed = kstatus === 'Failed' && argo !== 'Degraded';
  if (!isLookedAt) return kstatus === 'InProgress' ? [] : [`not looked at, and ${kstatus}`];
  return agree && !failed ? [] : [`${kstatus} and ${argo}: ${status.message}`];
}
