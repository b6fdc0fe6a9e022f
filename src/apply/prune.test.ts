import { expect } from 'chai';
import type { K8sObject } from '../model/object.ts';
import { refOf, uidOf } from '../model/object.ts';
import { runFor } from './apply-plan.ts';
import { prunable } from './prune.ts';
import { actionsOf, EngineHarness, namesOf, unavailable } from './testing/engine-harness.ts';
import { component, configMap, deployment, object, OWNER, planOf } from './testing/objects.ts';

describe('pruning', () => {
  let engine: EngineHarness;
  beforeEach(() => {
    engine = new EngineHarness();
  });

  const before = planOf(component('Base', [configMap('istio'), configMap('old'), object('Service', 'svc')]));
  const after = planOf(component('Base', [configMap('istio')]));
  const old = refOf(configMap('old'));

  it('deletes what the plan no longer has, under its uid', async () => {
    await engine.run(before);

    const report = await engine.run(after);

    expect(actionsOf(report)).to.deep.equal({ istio: 'unchanged', svc: 'pruned', old: 'pruned' });
    expect(engine.api.read(old)).to.equal(undefined);
    expect(namesOf(report.inventory)).to.deep.equal(['istio']);
  });

  it('deletes webhooks before workloads, and rights last', async () => {
    const objects = [
      object('ClusterRole', 'role'),
      deployment('istiod'),
      object('Deployment', 'gateway', {
        metadata: { labels: { 'operator.istio.io/component': 'IngressGateways' } },
      }),
      object('Service', 'svc'),
      configMap('istio'),
      object('MutatingWebhookConfiguration', 'injector'),
    ];
    await engine.run(planOf(component('Pilot', objects)));

    await engine.run(planOf());

    expect(engine.api.callsOf('delete').map((call) => call.split(/[ /]/).at(-1))).to.deep.equal([
      'injector',
      'gateway',
      'istiod',
      'svc',
      'istio',
      'role',
    ]);
  });

  it('lets go of what somebody else is about to take over', async () => {
    await engine.run(before);

    const report = await engine.run(after, { keep: ({ name }) => name === 'old' });

    expect(actionsOf(report)).to.deep.equal({ istio: 'unchanged', svc: 'pruned', old: 'released' });
    expect(engine.api.read(old)).to.not.equal(undefined);
    expect(namesOf(report.inventory)).to.deep.equal(['istio']);
  });

  it('never deletes an object that has taken the name since it was looked at', async () => {
    await engine.run(before);
    engine.api.beforeCall = ({ verb, target }) => {
      if (verb === 'delete' && target.endsWith('old')) engine.replace(old);
    };

    const report = await engine.run(after);

    expect(actionsOf(report)['old']).to.equal('released');
    expect(engine.api.read(old)?.['made']).to.equal('by somebody else');
  });

  it('waits until everything in the plan is ready', async () => {
    await engine.run(before);
    engine.api.statusOf = () => unavailable();

    const report = await engine.run(planOf(component('Base', [configMap('istio'), deployment('new')])));

    expect(engine.api.callsOf('delete')).to.deep.equal([]);
    expect(namesOf(report.inventory)).to.have.members(['istio', 'old', 'svc', 'new']);
  });

  it('ignores the version of the API', async () => {
    const beta = { ...object('HorizontalPodAutoscaler', 'istiod'), apiVersion: 'autoscaling/v2beta2' };
    await engine.run(planOf(component('Pilot', [beta])));

    await engine.run(planOf(component('Pilot', [object('HorizontalPodAutoscaler', 'istiod')])));

    expect(engine.api.callsOf('delete')).to.deep.equal([]);
  });

  it('releases what another owner has taken over', async () => {
    await engine.run(before);
    engine.api.edit('istio-operator', old, (live) => ({
      metadata: { ...live.metadata, labels: { 'install.operator.istio.io/owning-resource': 'other' } },
    }));

    const report = await engine.run(after);

    expect(actionsOf(report)['old']).to.equal('released');
    expect(engine.api.read(old)).not.to.equal(undefined);
    expect(namesOf(report.inventory)).to.deep.equal(['istio']);
  });

  it('releases an object of that name that is not the one we made', async () => {
    await engine.run(before);
    engine.api.erase(old);
    engine.api.update('kubectl', { ...old, metadata: { name: 'old', namespace: 'istio-system' } });

    const report = await engine.run(after);

    expect(actionsOf(report)['old']).to.equal('released');
    expect(engine.api.callsOf('delete')).not.to.include('delete ConfigMap istio-system/old');
  });

  it('deletes an object of ours that was restored from a backup, so has another uid', async () => {
    await engine.run(before);
    engine.api.erase(old);
    engine.api.update('velero', configMap('old'));

    const report = await engine.run(after);

    expect(actionsOf(report)['old']).to.equal('pruned');
  });

  it('releases what is gone', async () => {
    await engine.run(before);
    engine.api.erase(old);

    const report = await engine.run(after);

    expect(actionsOf(report)['old']).to.equal('released');
  });

  it('neither deletes nor forgets what cannot be read', async () => {
    await engine.run(before);
    engine.api.fail('get ConfigMap istio-system/old', 'unavailable', 'no answer');

    const report = await engine.run(after);

    expect(engine.api.callsOf('delete')).to.deep.equal(['delete Service istio-system/svc']);
    expect(namesOf(report.inventory)).to.deep.equal(['istio', 'old']);
    expect(report.pruneFailures.map(({ ref }) => ref)).to.deep.equal([old]);
    expect(report.pruneFailures[0]?.message).to.match(/^ConfigMap istio-system\/old: no answer\. /);
  });

  it('remembers what cannot be deleted, and goes on with the rest', async () => {
    await engine.run(before);
    engine.api.fail('delete Service istio-system/svc', 'forbidden');

    const report = await engine.run(after);

    expect(actionsOf(report)['old']).to.equal('pruned');
    expect(namesOf(report.inventory)).to.deep.equal(['istio', 'svc']);
    expect(report.pruneFailures.map(({ ref }) => ref.name)).to.deep.equal(['svc']);
  });

  it('keeps what is marked as not to be pruned, and the memory of it', async () => {
    const mark = { 'install.operator.istio.io/owning-resource-not-pruned': 'true' };
    const marked = object('ConfigMap', 'old', { metadata: { annotations: mark } });
    await engine.run(planOf(component('Base', [configMap('istio'), marked])));

    const report = await engine.run(after);

    expect(engine.api.callsOf('delete')).to.deep.equal([]);
    expect(actionsOf(report)).to.deep.equal({ istio: 'unchanged' });
    expect(namesOf(report.inventory)).to.deep.equal(['istio', 'old']);
  });

  it('knows that mark as a label too, and no other value of it', async () => {
    const marked = (name: string, mark: string): K8sObject =>
      object('ConfigMap', name, {
        metadata: { labels: { 'install.operator.istio.io/owning-resource-not-pruned': mark } },
      });
    await engine.run(planOf(component('Base', [marked('old', 'true'), marked('older', 'false')])));

    const report = await engine.run(planOf());

    expect(actionsOf(report)).to.deep.equal({ older: 'pruned' });
    expect(namesOf(report.inventory)).to.deep.equal(['old']);
  });

  it('finds what was recorded under a version that is not served any more', async () => {
    await engine.run(before);
    engine.api.unserved.add('v1');

    const report = await engine.run(planOf());

    expect(actionsOf(report)).to.deep.equal({ istio: 'pruned', svc: 'pruned', old: 'pruned' });
  });

  it('tells only of objects that went, and of no field of theirs', async () => {
    await engine.run(before);

    const report = await engine.run(planOf());

    expect(report.changes.find(({ ref }) => ref.name === 'old')).to.deep.equal({
      ref: old,
      action: 'pruned',
      fields: [],
      changedBy: [],
    });
    expect(report.pruneFailures).to.deep.equal([]);
  });

  describe('that is cancelled', () => {
    async function failureOf(run: Promise<unknown>): Promise<unknown> {
      return run.then(
        () => undefined,
        (error: unknown) => error,
      );
    }

    it('deletes nothing more', async () => {
      await engine.run(before);
      engine.api.beforeCall = ({ verb }) => {
        if (verb === 'delete') engine.abort.abort();
      };

      const failure = await failureOf(engine.run(planOf()));

      expect(failure).to.deep.include({ kind: 'cancelled' });
      expect(engine.api.callsOf('delete')).to.deep.equal(['delete Service istio-system/svc']);
    });

    it('is not taken for one that failed', async () => {
      await engine.run(before);
      engine.api.fail('get ConfigMap istio-system/old', 'cancelled');

      expect(await failureOf(engine.run(after))).to.deep.include({ kind: 'cancelled' });
    });

    it('does not hide a bug either', async () => {
      await engine.run(before);
      const bug = new TypeError('a bug');
      engine.api.beforeCall = ({ verb }) => {
        if (verb === 'delete') throw bug;
      };

      expect(await failureOf(engine.run(after))).to.equal(bug);
    });
  });

  it('is foretold without what stays, and deletes nothing then', async () => {
    const mark = { 'install.operator.istio.io/owning-resource-not-pruned': 'true' };
    const kept = object('ConfigMap', 'kept', { metadata: { annotations: mark } });
    const secret = object('Secret', 'cacerts');
    const objects = [configMap('old'), configMap('gone'), configMap('heir'), kept];
    const { inventory } = await engine.run(planOf(component('Base', [...objects, secret])));
    engine.api.erase(refOf(configMap('gone')));
    const uid = uidOf(engine.api.read(refOf(secret)) as K8sObject) ?? ''; // it was just applied
    const surplus = [...inventory, { ...refOf(secret), uid }];
    const { signal } = engine.abort;
    const run = runFor({ cluster: engine.api, clock: engine.clock }, [], { signal, inventory: surplus });

    const doomed = await prunable(run, surplus, { owner: OWNER, keep: ({ name }) => name === 'heir' });

    expect(doomed.map(({ metadata }) => metadata.name)).to.deep.equal(['old']);
    expect(engine.api.callsOf('delete')).to.deep.equal([]);
  });

  for (const entry of [
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      name: 'gateways.networking.istio.io',
    },
    { apiVersion: 'v1', kind: 'Namespace', name: 'istio-system' },
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'istio-system', name: 'data' },
    { apiVersion: 'v1', kind: 'Secret', namespace: 'istio-system', name: 'cacerts' },
    { apiVersion: 'v1', kind: 'Secret', namespace: 'istio-system', name: 'istio-ca-secret' },
  ]) {
    it(`never deletes ${entry.kind} ${entry.name}, even when the inventory has it`, async () => {
      const live = { ...object(entry.kind, entry.name), apiVersion: entry.apiVersion };
      engine.api.update('kubectl', live);
      engine.inventory = [{ ...entry, uid: uidOf(engine.api.read(entry) as K8sObject) ?? '' }]; // it was just stored

      const report = await engine.run(planOf());

      expect(engine.api.read(entry)).not.to.equal(undefined);
      expect(report.inventory).to.deep.equal([]);
    });
  }
});
