/** Another version of the operator takes over what one has installed, and hands it back. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { JsonObject } from '../../src/model/json.ts';
import { at, listAt, numberAt, stringAt } from '../../src/model/json.ts';
import { VERSION } from '../../src/version.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { deedsOf, judgeLeadership } from '../faults/leadership.ts';
import { bundleOperator } from '../faults/operator-process.ts';
import type { LeaseTimes } from '../faults/replica.ts';
import { Replica } from '../faults/replica.ts';
import { writesOf } from './audit-log.ts';
import { OperatorProcess } from './operator-process.ts';
import { eventually, readObject, Resources } from './resources.ts';

const NAMESPACE = 'istio-system';
const LEASE_NAMESPACE = 'operator-upgrade';
const OTHER_VERSION = '0.0.1-other';
const LEASE: LeaseTimes = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };
const UPDATES = 4;
const EDIT_EVERY_MS = 150;

const MESHES: Readonly<Record<string, JsonObject>> = {
  mesh: { profile: 'demo' },
  ambient: { profile: 'ambient', revision: 'ambient' },
  canary: { profile: 'minimal', revision: 'canary' },
};

const MESH_CONFIG = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'istio', namespace: NAMESPACE },
};

describe('another version of the operator', function suite() {
  // Half a minute each on a machine that does nothing else.
  this.timeout(300_000);
  let plane: ControlPlane;
  let resources: Resources;
  /** The file of the other version. */
  let other: string;
  let running: OperatorProcess | undefined;

  before(async () => {
    plane = await sharedControlPlane();
    resources = new Resources(plane, NAMESPACE);
    await resources.prepare();
    other = await bundleOperator(plane, OTHER_VERSION);
  });

  afterEach(async () => {
    await running?.end('SIGTERM');
    const cleaner = await start();
    await resources.clear();
    await cleaner.end('SIGTERM');
    expect(resources.unsound).to.deep.equal([]);
  });

  async function start(program?: string): Promise<OperatorProcess> {
    running = await OperatorProcess.start({
      kubeconfigPath: plane.kubeconfigPath,
      flags: ['--leader-elect=false', '--log-level=debug'],
      ...(program === undefined ? {} : { program }),
    });
    return running;
  }

  /** Lets a version look at everything once; resolves to what it wrote, beside events. */
  async function writesOfALook(version: string, program?: string): Promise<readonly unknown[]> {
    const userAgent = `istio-operator/${version}`;
    const before = (await writesOf(plane, userAgent)).length;
    const looking = await start(program);
    await eventually(
      'it has looked at every mesh',
      async () => lookedAt(looking).size === Object.keys(MESHES).length,
    );
    expect(await looking.end('SIGTERM')).to.equal(0);
    return (await writesOf(plane, userAgent)).slice(before);
  }

  it('writes nothing to what is installed, in either direction, and changes no pod', async () => {
    const installing = await start(other);
    for (const [name, spec] of Object.entries(MESHES)) await resources.apply(name, spec);
    for (const name of Object.keys(MESHES)) await resources.until(name, 'HEALTHY');
    await installing.end('SIGTERM');
    const before = await workloads(plane);

    const writes = [
      ...(await writesOfALook(VERSION)),
      ...(await writesOfALook(OTHER_VERSION, other)),
      ...(await writesOfALook(VERSION)),
    ];

    expect((await writesOf(plane, `istio-operator/${OTHER_VERSION}`)).length).to.be.greaterThan(100);
    expect(before.size).to.be.greaterThan(5);
    expect(writes).to.deep.equal([]);
    expect(await workloads(plane)).to.deep.equal(before);
  });

  it('takes over in a rolling update, there and back, without a word lost or a write too many', async () => {
    const replica = async (name: string, program?: string): Promise<Replica> =>
      Replica.create(plane, { namespace: LEASE_NAMESPACE, name }, LEASE, program);
    const present = [await replica('present-0'), await replica('present-1')];
    const others = [await replica('other-0', other), await replica('other-1', other)];
    const editor = new Editor(resources);
    try {
      await Promise.all(present.map(async (each) => each.start()));
      for (let update = 0; update < UPDATES; update += 1) {
        const [from, to] = update % 2 === 0 ? [present, others] : [others, present];
        const editing = editor.start();
        await rollOut(from, to);
        await editor.stop();
        await editing;
        await resources.until('mesh', 'HEALTHY');
        expect(await accessLogFile(plane), `update ${update + 1}`).to.equal(editor.last);
      }
    } finally {
      await editor.stop();
      await Promise.all([...present, ...others].map(async (each) => each.stop()));
    }

    const users = [...present, ...others].map(({ user }) => user);
    const { overlapping, takeovers } = judgeLeadership(await deedsOf(plane, users));
    expect(overlapping).to.deep.equal([]);
    expect(takeovers.length).to.be.greaterThan(UPDATES);
    expect(editor.edits).to.be.greaterThan(UPDATES * 4);
  });
});

/** As a Deployment does with `maxSurge: 1` and `maxUnavailable: 0`. */
async function rollOut(from: readonly Replica[], to: readonly Replica[]): Promise<void> {
  for (const [index, old] of from.entries()) {
    await to[index]?.start();
    expect(await old.process.end('SIGTERM'), `end of ${old.account.name}`).to.equal(0);
  }
}

/** Somebody who edits a resource all the time. */
class Editor {
  readonly #resources: Resources;
  #isActive = false;
  edits = 0;
  last = '';

  constructor(resources: Resources) {
    this.#resources = resources;
  }

  async start(): Promise<void> {
    this.#isActive = true;
    while (this.#isActive) {
      this.edits += 1;
      this.last = `/var/log/${this.edits}`;
      await this.#resources.apply('mesh', { profile: 'minimal', meshConfig: { accessLogFile: this.last } });
      await delay(EDIT_EVERY_MS);
    }
  }

  async stop(): Promise<void> {
    this.#isActive = false;
  }
}

/** The resources that a process has looked at, by its log. */
function lookedAt({ log }: OperatorProcess): ReadonlySet<string> {
  const looks = log.filter((line) => stringAt(line, 'message') === 'reconciled');
  return new Set(looks.map((line) => stringAt(line, 'key') ?? ''));
}

async function accessLogFile(plane: ControlPlane): Promise<string | undefined> {
  const mesh = stringAt(await readObject(plane, MESH_CONFIG), 'data', 'mesh') ?? '';
  return /accessLogFile: "?([^"\n]+)/.exec(mesh)?.[1];
}

/** Of each workload: who it is, how often it was changed, and what its pods are made of. */
async function workloads(plane: ControlPlane): Promise<ReadonlyMap<string, unknown>> {
  const found = new Map<string, unknown>();
  for (const plural of ['deployments', 'daemonsets']) {
    const { body } = await plane.api.request('GET', `/apis/apps/v1/namespaces/${NAMESPACE}/${plural}`);
    for (const item of listAt(body, 'items')) {
      const [uid, generation] = [stringAt(item, 'metadata', 'uid'), numberAt(item, 'metadata', 'generation')];
      const name = `${plural}/${stringAt(item, 'metadata', 'name') ?? ''}`;
      found.set(name, { uid, generation, template: at(item, 'spec', 'template') });
    }
  }
  return found;
}
