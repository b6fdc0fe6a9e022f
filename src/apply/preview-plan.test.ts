import { expect } from 'chai';
import { listAt } from '../model/json.ts';
import { refOf } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import type { InventoryEntry } from '../model/status.ts';
import { applyPlan } from './apply-plan.ts';
import type { Preview } from './preview-plan.ts';
import { previewPlan } from './preview-plan.ts';
import { InMemoryApi } from './testing/in-memory-api.ts';
import { JumpingClock } from './testing/jumping-clock.ts';
import { component, configMap, deployment, object, OWNER, planOf } from './testing/objects.ts';

class Installation {
  readonly api = new InMemoryApi();
  readonly #clock = new JumpingClock();
  readonly #signal = new AbortController().signal;
  #inventory: readonly InventoryEntry[] = [];

  async apply(plan: Plan): Promise<void> {
    const deps = { cluster: this.api, clock: this.#clock, recordInventory: async () => undefined };
    const report = await applyPlan(deps, plan, {
      signal: this.#signal,
      inventory: this.#inventory,
      owner: OWNER,
      readinessTimeoutMs: 1_000,
    });
    this.#inventory = report.inventory;
    this.api.calls.length = 0;
  }

  async preview(plan: Plan): Promise<Preview> {
    return previewPlan({ cluster: this.api, clock: this.#clock }, plan, {
      signal: this.#signal,
      inventory: this.#inventory,
      owner: OWNER,
    });
  }
}

function actions({ changes }: Preview): readonly string[] {
  return changes.map(({ change }) => `${change.action} ${change.ref.name}`);
}

describe('previewPlan', () => {
  const plan = planOf(component('Pilot', [configMap('istio', { mesh: 'a' }), deployment('istiod')]));

  it('tells that everything would be created, without asking for more than what is there', async () => {
    const installation = new Installation();

    const preview = await installation.preview(plan);

    expect(actions(preview)).to.deep.equal(['created istio', 'created istiod']);
    expect(new Set(installation.api.calls.map(({ verb }) => verb))).to.deep.equal(new Set(['get']));
  });

  it('finds nothing to do after the same plan was applied', async () => {
    const installation = new Installation();
    await installation.apply(plan);

    const preview = await installation.preview(plan);

    expect(actions(preview)).to.deep.equal(['unchanged istio', 'unchanged istiod']);
  });

  it('gives a port back the number that somebody changed, which takes more than one write', async () => {
    const installation = new Installation();
    const ports = [
      { name: 'grpc-xds', port: 15010 },
      { name: 'https-dns', port: 15012 },
    ];
    const service = object('Service', 'istiod', { spec: { ports } });
    const withPorts = planOf(component('Pilot', [service]));
    await installation.apply(withPorts);
    const moved = ports.map((port) => ({
      ...port,
      port: port.port === 15012 ? 15099 : port.port,
      protocol: 'TCP',
    }));
    installation.api.edit('kubectl-edit', refOf(service), () => ({ spec: { ports: moved } }));

    const { changes, failures } = await installation.preview(withPorts);

    expect(failures).to.deep.equal([]);
    expect(changes[0]?.change.fields).to.deep.equal(['spec.ports[port=15012,protocol=TCP]']);
    expect(listAt(changes[0]?.after, 'spec', 'ports')[1]).to.deep.equal({ ...ports[1], protocol: 'TCP' });
    expect(installation.api.callsOf('apply', 'own')).to.deep.equal([]);
  });

  it('gives what the API server would make of a change, and writes nothing', async () => {
    const installation = new Installation();
    await installation.apply(plan);
    const changed = planOf(component('Pilot', [configMap('istio', { mesh: 'b' }), deployment('istiod')]));

    const { changes } = await installation.preview(changed);

    expect(changes[0]?.change).to.include({ action: 'configured' });
    expect(changes[0]?.change.fields).to.deep.equal(['data.mesh']);
    expect(changes[0]?.live?.['data']).to.deep.equal({ mesh: 'a' });
    expect(changes[0]?.after?.['data']).to.deep.equal({ mesh: 'b' });
    expect(installation.api.callsOf('apply')).to.deep.equal([]);
  });

  it('lists what the plan no longer has, and deletes nothing', async () => {
    const installation = new Installation();
    await installation.apply(plan);

    const preview = await installation.preview(planOf(component('Pilot', [deployment('istiod')])));

    expect(actions(preview)).to.deep.equal(['unchanged istiod', 'pruned istio']);
    expect(installation.api.callsOf('delete')).to.deep.equal([]);
  });
});
