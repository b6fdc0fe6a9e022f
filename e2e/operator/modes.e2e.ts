/** Dry run and approval on a real API server: the audit log says that nothing is written but what may be. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { at, stringAt } from '../../src/model/json.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { runCommand } from '../cli/command-line.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { pathOf } from '../deploy/manifests.ts';
import type { Write } from './audit-log.ts';
import { writesOf } from './audit-log.ts';
import type { OperatorUnderTest } from './operator-under-test.ts';
import { startOperator } from './operator-under-test.ts';
import { eventually, readObject, Resources } from './resources.ts';

const NAMESPACE = 'istio-system';
const SPEC = { profile: 'minimal' };
const DRY_RUN = { 'install.istio.io/dry-run': 'true' };
const REQUIRE_APPROVAL = { 'install.istio.io/require-approval': 'true' };
const FILES = {
  'mesh.yaml': `apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: { name: mesh, namespace: istio-system }
spec: { profile: minimal }
`,
};

const REPORT = object('v1', 'ConfigMap', 'istio-operator-plan-mesh');
const ISTIOD = object('apps/v1', 'Deployment', 'istiod');
const SERVICE = object('v1', 'Service', 'istiod');

function object(apiVersion: string, kind: string, name: string): K8sObject {
  return { apiVersion, kind, metadata: { name, namespace: NAMESPACE } };
}

/** Every write but events, as `patch istiooperators/status mesh`. */
function described(writes: readonly Write[]): readonly string[] {
  return writes
    .filter(({ resource }) => resource !== 'events')
    .map(({ verb, resource, name }) => `${verb} ${resource} ${name}`);
}

describe('modes of the operator', () => {
  let plane: ControlPlane;
  let resources: Resources;
  let operator: OperatorUnderTest;

  before(async () => {
    plane = await sharedControlPlane();
    resources = new Resources(plane, NAMESPACE);
    await resources.prepare();
  });

  beforeEach(async () => {
    operator = await startOperator(plane);
  });

  afterEach(async () => {
    await resources.clear();
    await operator.stop();
    expect(resources.unsound).to.deep.equal([]);
  });

  async function edit(ref: K8sObject, change: JsonObject): Promise<void> {
    const path = `${pathOf(ref)}?fieldManager=kubectl-edit`;
    const { status } = await plane.api.request('PATCH', path, change, 'application/merge-patch+json');
    expect(status).to.equal(200);
  }

  async function hashInStatus(): Promise<string> {
    return stringAt(await resources.read('mesh'), 'status', 'plan', 'hash') ?? '';
  }

  it('tells a dry run and writes nothing but that, and then rests', async () => {
    await resources.apply('mesh', SPEC, DRY_RUN);

    const status = await resources.until('mesh', 'NONE');
    const report = await readObject(plane, REPORT);
    await delay(1_000); // whatever it would do at rest, it would have begun with
    const writes = described(await writesOf(plane, operator.userAgent));

    expect(Resources.reasonOf(status)).to.equal('DryRun');
    // Istio's definitions may be there from other suites.
    expect(status.plan?.create).to.be.greaterThan(10);
    expect(writes).to.deep.equal([
      'patch configmaps istio-operator-plan-mesh',
      'patch istiooperators/status mesh',
    ]);
    expect(stringAt(report, 'data', 'plan.diff')).to.include('+++ wanted Deployment istio-system/istiod\n');
    expect(at(report, 'metadata', 'ownerReferences', 0, 'name')).to.equal('mesh');
    expect(await readObject(plane, ISTIOD)).to.equal(undefined);
  });

  it('takes the report away with the annotation, and with the resource', async () => {
    await resources.apply('mesh', SPEC, DRY_RUN);
    await resources.until('mesh', 'NONE');

    await resources.apply('mesh', SPEC);
    await resources.until('mesh', 'HEALTHY');
    const installed = await readObject(plane, REPORT);
    await resources.apply('mesh', { ...SPEC, meshConfig: { accessLogFile: '/dev/stdout' } }, DRY_RUN);
    await resources.until('mesh', 'NONE');
    const again = await readObject(plane, REPORT);
    await resources.apply('mesh', { ...SPEC, hub: 'example.com/istio' }, REQUIRE_APPROVAL);
    await resources.until('mesh', 'ACTION_REQUIRED');
    await resources.delete('mesh');
    await resources.untilGone('mesh');

    expect(installed).to.equal(undefined);
    expect(stringAt(again, 'data', 'plan.diff')).to.include('+    accessLogFile: /dev/stdout\n');
    await eventually('the report is collected', async () => (await readObject(plane, REPORT)) === undefined);
  });

  it('applies what is approved, by the hash that the command line prints as well', async () => {
    await resources.apply('mesh', SPEC, REQUIRE_APPROVAL);
    const waiting = await resources.until('mesh', 'ACTION_REQUIRED');
    const hash = await hashInStatus();
    const plan = await runCommand(plane, ['plan', '-f', 'mesh.yaml'], { files: FILES });
    const before = await readObject(plane, ISTIOD);

    await resources.apply('mesh', SPEC, { ...REQUIRE_APPROVAL, 'install.istio.io/approved-plan': hash });
    const healthy = await resources.until('mesh', 'HEALTHY');

    expect(before).to.equal(undefined);
    expect(waiting.message).to.include(`install.istio.io/approved-plan=${hash}`);
    expect(plan.printed).to.include(`\nPlan ${hash}; approve it with: kubectl annotate istiooperator mesh `);
    expect([healthy.plan, healthy.approvedContent?.length]).to.deep.equal([undefined, 40]);
  });

  it('repairs what was approved, and lets a change of it wait', async () => {
    await resources.apply('mesh', SPEC, REQUIRE_APPROVAL);
    await resources.until('mesh', 'ACTION_REQUIRED');
    const approved = { ...REQUIRE_APPROVAL, 'install.istio.io/approved-plan': await hashInStatus() };
    await resources.apply('mesh', SPEC, approved);
    await resources.until('mesh', 'HEALTHY');

    await edit(SERVICE, { metadata: { labels: { app: 'edited' } } });
    await eventually('the label is repaired', async () => {
      const live = await readObject(plane, SERVICE);
      return stringAt(live, 'metadata', 'labels', 'app') === 'istiod';
    });
    await resources.apply('mesh', { ...SPEC, hub: 'example.com/istio' }, approved);
    const waiting = await resources.until('mesh', 'ACTION_REQUIRED');
    await edit(SERVICE, { metadata: { labels: { app: 'edited' } } });
    await eventually('the plan has the drift as well', async () => {
      const now = await resources.read('mesh');
      return at(now, 'status', 'plan', 'configure') === (waiting.plan?.configure ?? 0) + 1;
    });

    expect(waiting.message).to.include(
      `what is approved is another plan, ${approved['install.istio.io/approved-plan']}`,
    );
    expect(await hashInStatus()).not.to.equal(waiting.plan?.hash);
    expect(stringAt(await readObject(plane, SERVICE), 'metadata', 'labels', 'app')).to.equal('edited');
  });
});
