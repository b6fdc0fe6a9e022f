import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { isJsonArray, isJsonObject, numberAt, stringAt } from '../../src/model/json.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { connectApi } from './api.ts';
import type { Api } from './api.ts';
import { startControlPlane } from './control-plane.ts';
import type { ControlPlane } from './control-plane.ts';
import { findFreePort } from './free-port.ts';
import { sweepOrphans } from './plane-directory.ts';
import { isProcessIdentity, isRunning } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { sharedControlPlane } from './shared.ts';
import { endOf, firstOutput, recordedProgress } from './test-support.ts';

const POLL_MS = 50;

/** Waits for the cluster. Has an end of its own, because a loop outlives a test that Mocha gave up. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error('the cluster never got there');
    await delay(POLL_MS);
  }
}

async function createNamespace(api: Api, name: string): Promise<void> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  const { status } = await api.request('POST', '/api/v1/namespaces', namespace);
  expect(status).to.equal(201);
}

async function hasNamespace(api: Api, name: string): Promise<boolean> {
  return (await api.request('GET', `/api/v1/namespaces/${name}`)).status === 200;
}

function deployment(name: string): JsonObject {
  const labels = { app: name };
  const containers = [{ name: 'main', image: 'example/none' }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      // The namespace controller looks again only after half of the pods' time of grace, of 30 s by default.
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers } },
    },
  };
}

/** Creates a Deployment and waits until all of its pods are available. */
async function deploy(api: Api, namespace: string, name: string): Promise<void> {
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const { status } = await api.request('POST', path, deployment(name));
  expect(status).to.equal(201);
  await until(async () => {
    const { body } = await api.request('GET', `${path}/${name}`);
    return numberAt(body, 'status', 'availableReplicas') === 2;
  });
}

describe('the control plane', () => {
  let plane: ControlPlane;
  before(async () => {
    plane = await sharedControlPlane();
  });

  it('is the release that it claims to be', async () => {
    const { body } = await plane.api.request('GET', '/version');

    expect(stringAt(body, 'gitVersion')).to.equal('v1.34.4');
    expect(stringAt(body, 'minor')).to.equal('34');
  });

  it('makes a Deployment available, and deletes it with its namespace', async () => {
    const { api } = plane;
    await createNamespace(api, 'workload');

    await deploy(api, 'workload', 'web');
    await api.request('DELETE', '/api/v1/namespaces/workload');
    await until(async () => !(await hasNamespace(api, 'workload')));

    const { status } = await api.request('GET', '/apis/apps/v1/namespaces/workload/deployments/web');
    expect(status).to.equal(404);
  });

  it('refuses a token that it did not give out', async () => {
    const { server, certificateAuthority } = plane;
    const stranger = connectApi({ server, certificateAuthority, token: 'made-up' });

    const { status } = await stranger.request('GET', '/api/v1/namespaces');
    await stranger.close();

    expect(status).to.equal(401);
  });

  it('keeps a log of who wrote what, without the noise of leases and events', async () => {
    await plane.api.request('DELETE', '/api/v1/namespaces/default/configmaps/never-there');

    const log = readFileSync(plane.auditLogPath ?? '', 'utf8')
      .trimEnd()
      .split('\n');
    const entries = log.map((line): unknown => JSON.parse(line)).filter((entry) => isJsonObject(entry));
    const own = entries.filter((entry) => stringAt(entry, 'objectRef', 'name') === 'never-there');
    const resources = new Set(entries.map((entry) => stringAt(entry, 'objectRef', 'resource')));
    expect(own.map((entry) => [stringAt(entry, 'verb'), stringAt(entry, 'user', 'username')])).to.deep.equal([
      ['delete', 'admin'],
    ]);
    expect([...resources])
      .to.include('nodes')
      .and.not.include.members(['leases', 'events']);
  });
});

describe('two control planes that are started at once', () => {
  let planes: readonly [ControlPlane, ControlPlane];
  before(async () => {
    planes = await Promise.all([startControlPlane(), startControlPlane()]);
  });
  after(() => Promise.all(planes.map((plane) => plane.stop())));

  it('know nothing of each other', async () => {
    const [one, other] = planes;

    await createNamespace(one.api, 'only-here');

    expect(await hasNamespace(one.api, 'only-here')).to.equal(true);
    expect(await hasNamespace(other.api, 'only-here')).to.equal(false);
    expect(other.directory).not.to.equal(one.directory);
    expect(other.adminToken).not.to.equal(one.adminToken);
  });

  for (const program of ['kube-apiserver', 'etcd'] as const) {
    it(`keep what they store and go on working when ${program} crashes and comes back`, async () => {
      const [plane] = planes;
      const namespace = `before-${program}`;
      await createNamespace(plane.api, namespace);
      const pidBefore = plane.pids()[program];

      await (program === 'etcd' ? plane.restartEtcd() : plane.restartApiServer());

      expect(plane.pids()[program]).to.be.a('number').and.not.equal(pidBefore);
      expect(await hasNamespace(plane.api, namespace)).to.equal(true);
      await deploy(plane.api, namespace, 'after');
    });
  }

  it('go back to a copy as often as wanted: what came since is gone, and everything works on', async () => {
    const [plane] = planes;
    await createNamespace(plane.api, 'in-the-copy');
    const copy = await plane.snapshot();

    for (const name of ['first', 'second']) {
      await createNamespace(plane.api, `since-${name}`);
      await plane.api.request('DELETE', '/api/v1/namespaces/in-the-copy');
      await plane.rewind(copy);

      expect(await hasNamespace(plane.api, 'in-the-copy')).to.equal(true);
      expect(await hasNamespace(plane.api, `since-${name}`)).to.equal(false);
      await deploy(plane.api, 'in-the-copy', `after-${name}`);
    }
  });

  it('end without a trace, however often they are told', async () => {
    const [, plane] = planes;
    const pids = Object.values(plane.pids());

    await plane.stop();
    await plane.stop();

    expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).to.deep.equal([]);
    expect(existsSync(plane.directory)).to.equal(false);
  });
});

describe('a control plane whose port is taken at the last moment', () => {
  for (const [position, program] of ['etcd', 'kube-apiserver'].entries()) {
    it(`starts again on other ports: ${program}`, async () => {
      const squatter = createServer().listen(0, '127.0.0.1');
      await once(squatter, 'listening');
      const taken = (squatter.address() as AddressInfo).port; // it listens on a port, not on a pipe
      const progress = recordedProgress();
      let picked = 0;
      const findPort = (): Promise<number> =>
        picked++ === position ? Promise.resolve(taken) : findFreePort();

      const plane = await startControlPlane({ findPort, progress });
      await plane.stop();
      squatter.close();

      expect(progress.lines).to.deep.equal([
        'another process took a port at the same moment; starting again',
      ]);
    });
  }
});

describe('a control plane in a process of its own', () => {
  let owner: ChildProcess;
  let directory: string;
  let servers: readonly ProcessIdentity[];

  beforeEach(async () => {
    owner = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [, kubeconfigPath = ''] = (await firstOutput(owner)).trim().split('export KUBECONFIG=');
    directory = dirname(kubeconfigPath);
    servers = serversIn(directory);
    expect(servers.map((server) => isRunning(server))).to.deep.equal([true, true, true, true, true]);
  });
  afterEach(() => void owner.kill('SIGKILL'));

  function serversIn(path: string): readonly ProcessIdentity[] {
    const marker: unknown = JSON.parse(readFileSync(join(path, 'control-plane.json'), 'utf8'));
    const processes = isJsonObject(marker) ? marker['processes'] : undefined;
    const entries: readonly unknown[] = isJsonArray(processes) ? processes : [];
    return entries.filter((entry) => isProcessIdentity(entry));
  }

  it('ends with Ctrl-C and leaves neither processes nor files', async () => {
    owner.kill('SIGINT');

    expect(await endOf(owner)).to.equal(0);
    expect(servers.filter((server) => isRunning(server))).to.deep.equal([]);
    expect(existsSync(directory)).to.equal(false);
  });

  it('is cleaned up by the next start when its owner was killed', async () => {
    owner.kill('SIGKILL');
    await endOf(owner);

    sweepOrphans(tmpdir());

    await until(() => !servers.some((server) => isRunning(server)));
    expect(existsSync(directory)).to.equal(false);
  });
});
