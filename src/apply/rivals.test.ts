import { expect } from 'chai';
import { ClusterError } from '../model/cluster-error.ts';
import type { JsonObject } from '../model/json.ts';
import { at, listAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import type { ApplyReport } from '../model/report.ts';
import { Disputes } from './disputes.ts';
import { appliedFields, displayPath, FIELD_MANAGER } from './managed-fields.ts';
import { managedFieldsWithRivals, rivalsOf } from './rivals.ts';
import { EngineHarness, resultsOf } from './testing/engine-harness.ts';
import { InMemoryApi } from './testing/in-memory-api.ts';
import { component, deployment, object, planOf } from './testing/objects.ts';

const XDS = { name: 'grpc-xds', port: 15010 };
const DNS = { name: 'https-dns', port: 15012, targetPort: 15012 };
/** What an edit of the number of DNS makes of it. */
const MOVED = { ...DNS, port: 15099, protocol: 'TCP' };
const ADDED = { name: 'mine', port: 16000, protocol: 'TCP' };

function service(ports: readonly JsonObject[]): K8sObject {
  return object('Service', 'istiod', { spec: { ports: [...ports] } });
}

function withContainerPorts(ports: readonly JsonObject[]): K8sObject {
  const container = { name: 'main', image: 'a:1', ports: [...ports] };
  return deployment('istiod', { template: { spec: { containers: [container] } } });
}

describe('items of others that are in the way of ours', () => {
  interface Example {
    readonly title: string;
    readonly desired: K8sObject;
    readonly live: K8sObject;
    readonly rivals: readonly string[];
  }

  const EXAMPLES: readonly Example[] = [
    {
      title: 'a port whose number was edited',
      desired: service([XDS, DNS]),
      live: service([XDS, MOVED]),
      rivals: ['spec.ports[port=15099,protocol=TCP]'],
    },
    {
      title: 'a port whose protocol was edited',
      desired: service([XDS, DNS]),
      live: service([XDS, { ...DNS, protocol: 'UDP' }]),
      rivals: ['spec.ports[port=15012,protocol=UDP]'],
    },
    {
      title: 'a port that took the name from one of ours',
      desired: service([XDS, DNS]),
      live: service([XDS, { ...DNS, name: 'other' }, MOVED]),
      rivals: ['spec.ports[port=15099,protocol=TCP]'],
    },
    {
      title: 'the only port, which needs no name, with another number',
      desired: service([{ port: 80 }]),
      live: service([{ port: 81, protocol: 'TCP' }]),
      rivals: ['spec.ports[port=81,protocol=TCP]'],
    },
    {
      title: 'a port with another number and name, and the node port that we ask for',
      desired: service([XDS, { ...DNS, nodePort: 30012 }]),
      live: service([XDS, { ...MOVED, name: 'other', nodePort: 30012 }]),
      rivals: ['spec.ports[port=15099,protocol=TCP]'],
    },
  ];

  const HARMLESS: readonly Omit<Example, 'rivals'>[] = [
    { title: 'a port that was added', desired: service([XDS, DNS]), live: service([XDS, DNS, ADDED]) },
    {
      title: 'a port that was added beside one that others gave its name',
      desired: service([{ port: 80 }]),
      live: service([{ port: 80, name: 'http' }, ADDED]),
    },
    {
      title: 'a port that the API server gave a node port',
      desired: service([XDS, { ...DNS, nodePort: 0 }]),
      live: service([XDS, { ...ADDED, nodePort: 30012 }]),
    },
    {
      title: 'a port of the other protocol with the node port that we ask for',
      desired: service([XDS, { ...DNS, nodePort: 30012 }]),
      live: service([XDS, { ...ADDED, protocol: 'UDP', nodePort: 30012 }]),
    },
    {
      title: 'a port of a container without a name',
      desired: withContainerPorts([{ containerPort: 80 }]),
      live: withContainerPorts([{ containerPort: 81, protocol: 'TCP' }]),
    },
  ];

  for (const { title, desired, live, rivals } of EXAMPLES) {
    it(`are: ${title}`, () => {
      expect(rivalsOf(desired, live).map(({ path }) => displayPath(path))).to.deep.equal(rivals);
    });
  }

  for (const { title, desired, live } of HARMLESS) {
    it(`are not: ${title}`, () => {
      expect(rivalsOf(desired, live)).to.deep.equal([]);
    });
  }

  for (const fields of [{ name: 'http' }, { hostPort: 8080 }]) {
    it(`are: a port of a container whose number was edited, with the same ${Object.keys(fields).join()}`, () => {
      const desired = withContainerPorts([{ containerPort: 80, ...fields }]);
      const live = withContainerPorts([{ containerPort: 81, protocol: 'TCP', ...fields }]);

      expect(rivalsOf(desired, live).map(({ path }) => displayPath(path))).to.deep.equal([
        'spec.template.spec.containers[name=main].ports[containerPort=81,protocol=TCP]',
      ]);
    });
  }

  it('are not what is ours alone: applying takes that away', async () => {
    const api = new InMemoryApi();
    const live = await api.apply(service([XDS, MOVED]), {});

    expect(rivalsOf(service([XDS, DNS]), live)).to.deep.equal([]);
  });

  it('become ours, and nobody else keeps anything of them', () => {
    const api = new InMemoryApi();
    api.update('somebody', service([XDS, MOVED]));
    const live = api.read(refOf(service([]))) as K8sObject;

    const managedFields = managedFieldsWithRivals(service([XDS, DNS]), live) ?? [];

    const owned = { ...live, metadata: { ...live.metadata, managedFields } };
    const rival = 'k:{"port":15099,"protocol":"TCP"}';
    expect(
      managedFields.map((entry) => at(entry, 'fieldsV1', 'f:spec', 'f:ports', rival) !== undefined),
    ).to.deep.equal([true, false]);
    expect(appliedFields(owned, FIELD_MANAGER)?.fields).to.deep.equal({
      'f:spec': {
        'f:ports': {
          [rival]: { '.': {}, 'f:name': {}, 'f:port': {}, 'f:protocol': {}, 'f:targetPort': {} },
        },
      },
    });
  });
});

describe('a port that somebody gives another number', () => {
  const desired = service([XDS, DNS]);
  const plan = planOf(component('Pilot', [desired]));
  const ref = refOf(desired);
  const FIELD = 'spec.ports[port=15012,protocol=TCP]';
  let engine: EngineHarness;

  beforeEach(async () => {
    engine = new EngineHarness();
    await engine.run(plan);
  });

  function edit(ports: readonly JsonObject[] = [XDS, MOVED], manager = 'kubectl-edit'): void {
    engine.api.edit(manager, ref, () => ({ spec: { ports: [...ports] } }));
  }

  const ports = (): unknown =>
    listAt(engine.api.read(ref), 'spec', 'ports').map((port) => [at(port, 'name'), at(port, 'port')]);
  const PLANNED = [
    ['grpc-xds', 15010],
    ['https-dns', 15012],
  ];
  const told = ({ changes }: ApplyReport): unknown =>
    changes.map(({ action, fields, changedBy, drifted }) => ({ action, fields, changedBy, drifted }));

  it('gets its number back with two writes, and the change names field and manager', async () => {
    edit();

    const report = await engine.run(plan);

    expect(ports()).to.deep.equal(PLANNED);
    expect(told(report)).to.deep.equal([
      { action: 'configured', fields: [FIELD], changedBy: ['kubectl-edit'], drifted: true },
    ]);
    expect(engine.api.callsOf('own', 'apply')).to.have.length(2);
    await engine.run(plan);
    expect(engine.api.callsOf('own', 'apply', 'dry-run')).to.deep.equal([]);
  });

  it('gets it back after a restart too', async () => {
    edit();
    engine.disputes = new Disputes();

    const report = await engine.run(plan);

    expect(ports()).to.deep.equal(PLANNED);
    expect(told(report)).to.deep.equal([
      { action: 'configured', fields: [FIELD], changedBy: ['kubectl-edit'], drifted: undefined },
    ]);
  });

  it('gets it back although a crash comes between the writes', async () => {
    edit();
    engine.api.fail('apply Service istio-system/istiod', 'unavailable');
    await engine.run(plan);
    engine.api.failures.clear();
    engine.disputes = new Disputes();

    await engine.run(plan);

    expect(ports()).to.deep.equal(PLANNED);
    expect(engine.api.callsOf('own', 'apply')).to.deep.equal(['apply Service istio-system/istiod']);
  });

  it('gets it back although the object changes at the same moment', async () => {
    edit();
    let interruptions = 2;
    engine.api.beforeCall = ({ verb }) => {
      if (verb === 'own' && interruptions > 0) {
        interruptions -= 1;
        engine.api.edit('other', ref, (live) => ({
          metadata: { ...live.metadata, annotations: { times: String(interruptions) } },
        }));
      }
    };

    const report = await engine.run(plan);

    expect(resultsOf(report)).to.deep.equal({ Pilot: 'ready' });
    expect(ports()).to.deep.equal(PLANNED);
  });

  it('fails to be tried again while the object never stops changing', async () => {
    edit();
    engine.api.beforeCall = ({ verb }) => {
      if (verb === 'own') throw new ClusterError('modified', { kind: 'conflict', verb: 'patch' });
    };

    const report = await engine.run(plan);

    expect(report.components.get('Pilot')).to.deep.include({ kind: 'failed', retryable: true });
    expect(engine.api.callsOf('apply')).to.deep.equal([]);
  });

  it('does not cost a port that others added', async () => {
    edit([XDS, ADDED, MOVED]);

    await engine.run(plan);

    expect(ports()).to.deep.equal([...PLANNED.slice(0, 1), ['mine', 16000], ...PLANNED.slice(1)]);
  });

  it('is left as it is after three times, and its component is ready all the same', async () => {
    const reports: ApplyReport[] = [];
    for (let done = 0; done < 6; done += 1) {
      edit();
      await engine.clock.sleep(1_000, engine.abort.signal);
      reports.push(await engine.run(plan));
    }

    const last = reports.at(-1);
    expect(reports.map((report) => report.changes[0]?.action)).to.deep.equal([
      ...Array<string>(3).fill('configured'),
      ...Array<string>(3).fill('unchanged'),
    ]);
    expect(ports()).to.deep.equal([
      ['grpc-xds', 15010],
      ['https-dns', 15099],
    ]);
    expect(last?.components.get('Pilot')?.kind).to.equal('ready');
    expect(last?.disputes?.map(({ field, managers }) => [field, managers])).to.deep.equal([
      [FIELD, ['kubectl-edit']],
    ]);
    expect(engine.api.callsOf('own', 'apply')).to.deep.equal([]);
  });

  it("changes with the plan in one write: what is ours is in nobody's way", async () => {
    await engine.run(planOf(component('Pilot', [service([XDS, { ...DNS, port: 15013 }])])));

    expect(engine.api.callsOf('own', 'apply')).to.deep.equal(['apply Service istio-system/istiod']);
    expect(ports()).to.deep.equal([
      ['grpc-xds', 15010],
      ['https-dns', 15013],
    ]);
  });
});
