/** The operator against a program that undoes its work all the time, on a real API server. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { FIELD_MANAGER } from '../../src/apply/managed-fields.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { at, listAt, mapAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { apply, pathOf } from '../deploy/manifests.ts';
import { writesOf } from './audit-log.ts';
import type { OperatorUnderTest } from './operator-under-test.ts';
import { startOperator } from './operator-under-test.ts';
import { eventually, readObject, Resources } from './resources.ts';

const NAMESPACE = 'istio-system';
const SERVICE = object('v1', 'Service', 'istiod');
const AUTOSCALER = object('autoscaling/v2', 'HorizontalPodAutoscaler', 'istiod');
const HOLD_MS = 5_000;

function object(apiVersion: string, kind: string, name: string): K8sObject {
  return { apiVersion, kind, metadata: { name, namespace: NAMESPACE } };
}

describe('the operator against an adversary', () => {
  let plane: ControlPlane;
  let resources: Resources;
  let operator: OperatorUnderTest;

  before(async () => {
    plane = await sharedControlPlane();
    resources = new Resources(plane, NAMESPACE);
    await resources.prepare();
  });

  beforeEach(async () => {
    operator = await startOperator(plane, { disputes: { firstHoldMs: HOLD_MS } });
    await resources.apply('mesh', { profile: 'minimal' });
    await resources.until('mesh', 'HEALTHY');
  });

  afterEach(async () => {
    await resources.clear();
    await operator.stop();
    expect(resources.unsound).to.deep.equal([]);
  });

  /** Acts until it is told to stop, as fast as the API server lets it. */
  function adversary(act: () => Promise<unknown>): () => Promise<void> {
    const stopped = new AbortController();
    const work = (async () => {
      while (!stopped.signal.aborted) {
        await act();
        await delay(20);
      }
    })();
    return async () => {
      stopped.abort();
      await work;
    };
  }

  async function patchService(body: JsonObject, manager: string): Promise<void> {
    const path = `${pathOf(SERVICE)}?fieldManager=${manager}`;
    await plane.api.request('PATCH', path, body, 'application/merge-patch+json');
  }

  async function targetPorts(): Promise<readonly unknown[]> {
    const service = await readObject(plane, SERVICE);
    return listAt(service, 'spec', 'ports').map((port) => at(port, 'targetPort'));
  }

  async function flipPorts(): Promise<void> {
    const ports = listAt(await readObject(plane, SERVICE), 'spec', 'ports');
    const flipped = ports.map((port) =>
      at(port, 'port') === 443 ? { ...mapAt(port), targetPort: 1 } : port,
    );
    await patchService({ spec: { ports: flipped } }, 'mesh-fixer');
  }

  /** As an operator of another version, or with other settings, does it: all that ours applies, but for some fields. */
  function namesake(installed: K8sObject): () => Promise<unknown> {
    const { status: _status, metadata, ...rest } = installed;
    const labels = { ...mapAt(metadata, 'labels'), 'example.com/flavour': 'other' };
    const ports = listAt(installed, 'spec', 'ports').map((port) =>
      at(port, 'port') === 443 ? { ...mapAt(port), targetPort: 1 } : port,
    );
    const { name, namespace = NAMESPACE } = metadata;
    const spec = { ports, selector: mapAt(installed, 'spec', 'selector') };
    return async () =>
      apply(plane.api, { ...rest, metadata: { name, namespace, labels }, spec }, '', FIELD_MANAGER);
  }

  async function writesTo(resource: string): Promise<number> {
    const writes = await writesOf(plane, operator.userAgent);
    return writes.filter((write) => write.resource === resource && write.name === 'istiod').length;
  }

  it('leaves a field alone after three repairs, says so, and puts it back when it is quiet', async () => {
    const installed = await writesTo('services');
    const stop = adversary(flipPorts);
    const status = await resources.until('mesh', 'ERROR');
    const repairs = (await writesTo('services')) - installed;

    const labels = { 'istio.io/rev': 'other' };
    await patchService({ metadata: { labels } }, 'kubectl-label');
    await eventually('the label is put back', async () => {
      const service = await readObject(plane, SERVICE);
      return at(service, 'metadata', 'labels', 'istio.io/rev') === 'default';
    });
    const fought = await targetPorts();
    await stop();
    await resources.until('mesh', 'HEALTHY');

    expect(Resources.reasonOf(status)).to.equal('Disputed');
    expect(status.message).to.match(
      /^Service istio-system\/istiod: spec\.ports\[.*\]\.targetPort is changed again and again by mesh-fixer; it is left as it is/,
    );
    expect(await resources.eventsOf('mesh')).to.satisfy((events: readonly string[]) =>
      events.some((event) => event.startsWith('Disputed: Service istio-system/istiod: ')),
    );
    expect(repairs).to.equal(3);
    expect(fought).to.include(1);
    expect(await targetPorts()).to.not.include(1);
  });

  it('leaves to another operator of the same name what that one applies, and says so', async () => {
    const service = await readObject(plane, SERVICE);
    const installed = await writesTo('services');
    const stop = adversary(namesake(service ?? SERVICE));
    const status = await resources.until('mesh', 'ERROR');
    const repairs = (await writesTo('services')) - installed;

    const flavour = at(await readObject(plane, SERVICE), 'metadata', 'labels', 'example.com/flavour');
    await stop();
    await resources.until('mesh', 'HEALTHY');
    const restored = await readObject(plane, SERVICE);

    expect(Resources.reasonOf(status)).to.equal('Disputed');
    expect(status.message).to.contain('is changed again and again by another istio-operator');
    expect(repairs).to.be.within(3, 4);
    expect(flavour).to.equal('other');
    expect(await targetPorts()).to.not.include(1);
    expect(at(restored, 'metadata', 'labels')).to.not.have.property('example.com/flavour');
  });

  it('stops making an object that is deleted each time, says so, and makes it when it is quiet', async () => {
    const installed = await writesTo('horizontalpodautoscalers');
    const stop = adversary(() => plane.api.request('DELETE', pathOf(AUTOSCALER)));
    const status = await resources.until('mesh', 'ERROR');
    const repairs = (await writesTo('horizontalpodautoscalers')) - installed;

    await stop();
    await resources.until('mesh', 'HEALTHY');

    expect(Resources.reasonOf(status)).to.equal('Disputed');
    expect(status.message).to.contain(
      'HorizontalPodAutoscaler istio-system/istiod is deleted again and again by others',
    );
    expect(repairs).to.equal(3);
    expect(await readObject(plane, AUTOSCALER)).to.not.equal(undefined);
  });
});
