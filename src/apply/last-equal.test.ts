import { expect } from 'chai';
import { ClusterError } from '../model/cluster-error.ts';
import type { JsonObject } from '../model/json.ts';
import { mapAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import type { Change } from '../model/report.ts';
import { Disputes } from './disputes.ts';
import { EngineHarness } from './testing/engine-harness.ts';
import { component, object, planOf } from './testing/objects.ts';

const PORTS = [
  { name: 'http', port: 80, protocol: 'TCP' },
  { name: 'https', port: 443, protocol: 'TCP' },
];

function service(spec: JsonObject = {}): K8sObject {
  return object('Service', 'istiod', {
    metadata: { labels: { owner: 'mesh', app: 'istiod' } },
    spec: { ports: PORTS, type: 'ClusterIP', ...spec },
  });
}

describe('what others changed since an object was last as planned', () => {
  let engine: EngineHarness;
  const desired = service();
  const ref = refOf(desired);

  beforeEach(async () => {
    engine = new EngineHarness();
    await look();
  });

  async function look(wanted: K8sObject = desired): Promise<Change | undefined> {
    const report = await engine.run(planOf(component('Base', [wanted])));
    return report.changes.find((change) => change.ref.name === 'istiod');
  }

  function edit(fields: (live: K8sObject) => JsonObject, manager = 'kubectl-edit'): void {
    engine.api.edit(manager, ref, fields);
  }

  function withoutPort(live: K8sObject): JsonObject {
    return { spec: { ...mapAt(live, 'spec'), ports: PORTS.slice(0, 1) } };
  }

  function metadata(live: K8sObject, fields: JsonObject): JsonObject {
    return { metadata: { ...live.metadata, ...fields } };
  }

  it('is known when a field was removed, although nobody owns it any more', async () => {
    edit(withoutPort);

    expect(await look()).to.deep.include({
      action: 'configured',
      fields: ['spec.ports[port=443,protocol=TCP]'],
      changedBy: [],
      drifted: true,
    });
  });

  it('is known when our own label was stripped', async () => {
    edit((live) => metadata(live, { labels: { app: 'istiod' } }));

    expect(await look())
      .to.include({ drifted: true })
      .and.have.property('fields')
      .that.includes('metadata.labels[install.operator.istio.io/owning-resource]');
  });

  it('is known when a list was put into another order', async () => {
    edit((live) => ({ spec: { ...mapAt(live, 'spec'), ports: PORTS.toReversed() } }));
    // As the API server puts the items of an apply in the order of the apply.
    engine.api.fillIn = (live) => ({ ...live, spec: { ...mapAt(live, 'spec'), ports: PORTS } });

    expect(await look()).to.deep.include({ fields: ['spec.ports'], drifted: true });
  });

  it('is known when a field has another value, and names its owner', async () => {
    edit((live) => ({ spec: { ...mapAt(live, 'spec'), type: 'NodePort' } }));

    expect(await look()).to.deep.include({ changedBy: ['kubectl-edit'], drifted: true });
  });

  it('is known when the object itself was deleted', async () => {
    engine.api.erase(ref);

    expect(await look()).to.include({ action: 'created', drifted: true });
  });

  it('makes whoever wrote something else since a suspect, and no more than that', async () => {
    edit((live) => ({ ...withoutPort(live), ...metadata(live, { annotations: { note: 'less' } }) }), 'lens');

    expect(await look()).to.deep.include({ changedBy: [], suspect: 'lens', drifted: true });
  });

  it('is not put down to those who wrote before', async () => {
    edit((live) => metadata(live, { annotations: { note: 'mine' } }), 'lens');
    await look();
    edit(withoutPort);

    expect(await look())
      .to.deep.include({ changedBy: [], drifted: true })
      .and.not.have.property('suspect');
  });

  it('is known again and again', async () => {
    edit(withoutPort);
    await look();
    edit(withoutPort);

    expect(await look()).to.deep.include({ drifted: true });
  });

  it('is put down to another operator when a field that is ours has another value', async () => {
    await engine.api.apply(service({ type: 'NodePort' }), {});

    expect(await look()).to.deep.include({
      fields: ['spec.type'],
      changedBy: ['another istio-operator'],
      drifted: true,
    });
  });

  describe('is nothing', () => {
    it('when the plan is another one', async () => {
      expect(await look(service({ type: 'LoadBalancer' })))
        .to.include({ action: 'configured' })
        .and.not.have.property('drifted');
    });

    it('when a plan comes back', async () => {
      await look(service({ type: 'LoadBalancer' }));

      expect(await look())
        .to.include({ action: 'configured' })
        .and.not.have.property('drifted');
    });

    it('when a plan comes back after the answer to the other one was lost', async () => {
      const other = service({ type: 'LoadBalancer' });
      engine.api.fail('apply Service istio-system/istiod', 'unavailable');
      await look(other);
      engine.api.failures.clear();
      await engine.api.apply(other, {});

      expect(await look())
        .to.include({ action: 'configured' })
        .and.not.have.property('drifted');
    });

    it('as far as can be told after a restart', async () => {
      edit(withoutPort);
      engine.disputes = new Disputes();

      expect(await look())
        .to.include({ action: 'configured' })
        .and.not.have.property('drifted');
    });

    it('when another version of the operator finds what the one before applied', async () => {
      await engine.api.apply(service({ type: 'NodePort' }), {});
      engine.disputes = new Disputes();

      expect(await look())
        .to.deep.include({ changedBy: [] })
        .and.not.have.property('drifted');
    });

    it('when an object is wanted that was not wanted before', async () => {
      await engine.run(planOf());

      expect(await look())
        .to.include({ action: 'created' })
        .and.not.have.property('drifted');
    });
  });

  it('is still known when putting it back failed at first', async () => {
    edit(withoutPort);
    engine.api.failures.set(
      'apply Service istio-system/istiod',
      new ClusterError('denied', { kind: 'refused', verb: 'apply' }),
    );
    await look();
    engine.api.failures.clear();

    expect(await look()).to.deep.include({ action: 'configured', drifted: true });
  });
});
