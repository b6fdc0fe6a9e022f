import { expect } from 'chai';
import type { K8sObject } from '../model/object.ts';
import { refOf, uidOf } from '../model/object.ts';
import type { DeletionReport } from '../model/report.ts';
import type { InventoryEntry } from '../model/status.ts';
import { deleteInstallation } from './delete-installation.ts';
import type { DeletionSettings } from './engine.port.ts';
import { InMemoryApi } from './testing/in-memory-api.ts';
import { JumpingClock } from './testing/jumping-clock.ts';
import { configMap, deployment, object, OWNER } from './testing/objects.ts';

describe('deleteInstallation', () => {
  let api: InMemoryApi;
  let clock: JumpingClock;
  const abort = new AbortController();
  beforeEach(() => {
    api = new InMemoryApi();
    clock = new JumpingClock();
  });

  async function installed(...objects: readonly K8sObject[]): Promise<readonly InventoryEntry[]> {
    const stored = await Promise.all(objects.map(async (wanted) => api.apply(wanted, {})));
    api.calls.length = 0;
    return stored.map((live) => ({ ...refOf(live), uid: uidOf(live) ?? '' }));
  }

  async function remove(
    inventory: readonly InventoryEntry[],
    settings: Partial<DeletionSettings> = {},
  ): Promise<DeletionReport> {
    const deps = { cluster: api, clock, recordInventory: async () => {} };
    return deleteInstallation(deps, {
      signal: abort.signal,
      inventory,
      timeoutMs: 30_000,
      owner: OWNER,
      ...settings,
    });
  }

  it('deletes what is in the inventory, webhooks first and rights last', async () => {
    const inventory = await installed(
      object('ClusterRole', 'role'),
      configMap('istio'),
      object('Service', 'svc'),
      deployment('istiod'),
      object('ValidatingWebhookConfiguration', 'validator'),
    );

    const report = await remove(inventory);

    expect(report).to.deep.equal({ kind: 'deleted' });
    expect(api.callsOf('delete').map((call) => call.split(/[ /]/).at(-1))).to.deep.equal([
      'validator',
      'istiod',
      'svc',
      'istio',
      'role',
    ]);
  });

  it('ends at once when there is nothing to delete', async () => {
    expect(await remove([])).to.deep.equal({ kind: 'deleted' });
    expect(api.calls).to.deep.equal([]);
  });

  it('may be repeated after a crash', async () => {
    const inventory = await installed(configMap('a'), configMap('b'));
    api.erase(refOf(configMap('a')));

    expect(await remove(inventory)).to.deep.equal({ kind: 'deleted' });
    expect(await remove(inventory)).to.deep.equal({ kind: 'deleted' });
  });

  it('leaves what is not in the inventory, belongs to others, is protected or is to be kept', async () => {
    const inventory = await installed(
      configMap('kept'),
      configMap('taken'),
      object('CustomResourceDefinition', 'gateways.networking.istio.io'),
      object('Secret', 'istio-ca-secret'),
    );
    await installed(configMap('foreign'));
    api.edit('other', refOf(configMap('taken')), (live) => ({
      metadata: { ...live.metadata, labels: { 'install.operator.istio.io/owning-resource': 'other' } },
    }));

    const report = await remove(inventory, { keep: ({ name }) => name === 'kept' });

    expect(report).to.deep.equal({ kind: 'deleted' });
    expect(api.callsOf('delete')).to.deep.equal([]);
  });

  it('does not delete another object of the same name', async () => {
    const inventory = await installed(configMap('istio'));
    api.erase(refOf(configMap('istio')));
    api.update('kubectl', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio', namespace: 'istio-system' },
    });

    expect(await remove(inventory)).to.deep.equal({ kind: 'deleted' });
    expect(api.read(refOf(configMap('istio')))).not.to.equal(undefined);
  });

  it('does not delete an object that has taken the name since it was looked at', async () => {
    const inventory = await installed(configMap('istio'));
    const { apiVersion, kind } = configMap('istio');
    api.beforeCall = ({ verb }) => {
      if (verb !== 'delete') return;
      api.erase(refOf(configMap('istio')));
      api.update('kubectl', { apiVersion, kind, metadata: { name: 'istio', namespace: 'istio-system' } });
    };

    expect(await remove(inventory)).to.deep.equal({ kind: 'deleted' });
    expect(api.read(refOf(configMap('istio')))).not.to.equal(undefined);
    // What is gone by then need not be looked for.
    expect(api.callsOf('get')).to.have.length(1);
  });

  it('finds what was recorded under a version that is not served any more', async () => {
    const inventory = await installed(configMap('a'));
    api.unserved.add('v1');

    await remove(inventory);

    expect(api.read(refOf(configMap('a')))).to.equal(undefined);
  });

  it('does not hide a bug', async () => {
    const inventory = await installed(configMap('a'));
    const bug = new TypeError('a bug');
    api.beforeCall = () => {
      throw bug;
    };

    const error: unknown = await remove(inventory).catch((thrown: unknown) => thrown);

    expect(error).to.equal(bug);
  });

  it('does not take a call that was cancelled for one that failed', async () => {
    const inventory = await installed(configMap('a'));
    api.fail('get ConfigMap istio-system/a', 'cancelled');

    const error: unknown = await remove(inventory).catch((thrown: unknown) => thrown);

    expect(error).to.deep.include({ kind: 'cancelled' });
  });

  it('goes on with the rest when one object fails, and tries again', async () => {
    const inventory = await installed(configMap('a'), configMap('b'));
    api.fail('delete ConfigMap istio-system/a', 'unavailable');
    clock.whileAsleep = (nowMs) => {
      if (nowMs >= 3_000) api.failures.clear();
    };

    const report = await remove(inventory);

    expect(report).to.deep.equal({ kind: 'deleted' });
    expect(api.callsOf('delete').slice(0, 2)).to.have.members([
      'delete ConfigMap istio-system/a',
      'delete ConfigMap istio-system/b',
    ]);
  });

  it('is blocked by what cannot be deleted, and says why', async () => {
    const held = object('ConfigMap', 'held', {
      metadata: { finalizers: ['example.com/x', 'example.com/y'] },
    });
    const inventory = await installed(held, configMap('b'));

    const report = await remove(inventory, { timeoutMs: 5_000 });

    expect(report).to.deep.equal({
      kind: 'blocked',
      remaining: [
        {
          ref: refOf(held),
          reason: 'it is being deleted and waits for the finalizers example.com/x, example.com/y',
        },
      ],
      inventory: [inventory[0]],
    });
    expect(clock.nowMs()).to.equal(5_000);
    expect(api.callsOf('delete').filter((call) => call.endsWith('held'))).to.have.length(1);
  });

  it('does not wait when our rights are not enough for anything that is left', async () => {
    const inventory = await installed(configMap('a'), configMap('b'));
    api.fail('delete ConfigMap istio-system/a', 'forbidden', 'no rights');

    const report = await remove(inventory);

    expect(report.kind === 'blocked' && report.remaining[0]?.reason).to.match(
      /^ConfigMap istio-system\/a: no rights\. /,
    );
    expect(clock.nowMs()).to.be.lessThan(1_000);
  });

  for (const [kind, message] of [
    ['forbidden', 'no rights'],
    ['refused', 'admission webhook "guard.example.com" denied the request: frozen'],
    ['refused', 'failed calling webhook "guard.example.com": timeout'],
  ] as const) {
    it(`tells a refused deletion from one that takes its time: ${message}`, async () => {
      const inventory = await installed(configMap('a'), configMap('b'));
      api.fail('delete ConfigMap istio-system/a', kind, message);

      const report = await remove(inventory, { timeoutMs: 2_000 });

      expect(report.kind === 'blocked' && report.remaining.map(({ refused }) => refused)).to.deep.equal([
        true,
      ]);
    });
  }

  it('never takes what cannot be read for gone', async () => {
    const inventory = await installed(configMap('a'));
    api.fail('get ConfigMap istio-system/a', 'unavailable');

    const report = await remove(inventory, { timeoutMs: 2_000 });

    expect(report).to.have.property('kind', 'blocked');
    expect(report).to.have.property('inventory').that.deep.equals(inventory);
  });

  it('deletes nothing more and throws when it is cancelled', async () => {
    const inventory = await installed(configMap('a'), object('Service', 'svc'));
    const stop = new AbortController();
    api.beforeCall = ({ verb }) => {
      if (verb === 'delete') stop.abort();
    };

    const error: unknown = await remove(inventory, { signal: stop.signal }).catch(
      (thrown: unknown) => thrown,
    );

    expect(error).to.deep.include({ kind: 'cancelled' });
    expect(api.callsOf('delete')).to.deep.equal(['delete Service istio-system/svc']);
  });
});
