/** Secrets that are found in none of the places where people look, send or keep texts. */
import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { generationOf, storedStatus } from '../../src/controller/resource.ts';
import { at, listAt, stringAt } from '../../src/model/json.ts';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { runCommand } from '../cli/command-line.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { OperatorProcess } from '../operator/operator-process.ts';
import { eventually, Resources } from '../operator/resources.ts';
import type { CanaryPlace } from './canary-places.ts';
import { CANARY_PLACES, formsOf } from './canary-places.ts';
import { readFaultRun } from './fault-run.ts';
import { recordProof } from './figures.ts';

const NAMESPACE = 'istio-system';
const NAME = 'mesh';

function newCanary(): string {
  return `CANARY-${randomBytes(12).toString('hex')}`;
}

describe('secrets', () => {
  let plane: ControlPlane;
  let resources: Resources;
  let operator: OperatorProcess;
  /** What must not be found, by the place where it stands. */
  const canaries = new Map<string, string>();
  /** What was shown, by where. */
  const shown = new Map<string, string>();

  before(async () => {
    plane = await startControlPlane();
    resources = new Resources(plane, NAMESPACE);
    await resources.prepare();
    canaries.set('the token of the kubeconfig', plane.adminToken);
    await storeSecret('cacerts', { 'ca-key.pem': newCanary() });
    await storeSecret('registry', {
      '.dockerconfigjson': JSON.stringify({ auths: { example: newCanary() } }),
    });
    operator = await OperatorProcess.start({
      kubeconfigPath: plane.kubeconfigPath,
      flags: ['--log-level=debug', '--wait-for-resources-timeout=3s'],
    });
    await operator.untilReady();
  });

  after(async () => {
    await operator?.end('SIGTERM');
    await plane?.stop();
  });

  async function storeSecret(name: string, data: Readonly<Record<string, string>>): Promise<void> {
    for (const [key, value] of Object.entries(data))
      canaries.set(`the Secret ${name}`, /CANARY-\w+/.exec(value)?.[0] ?? key);
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: data };
    await plane.api.request('POST', `/api/v1/namespaces/${NAMESPACE}/secrets`, secret);
  }

  function show(where: string, text: string): void {
    shown.set(where, `${shown.get(where) ?? ''}\n${text}`);
  }

  async function tryOut(place: CanaryPlace): Promise<void> {
    const canary = newCanary();
    canaries.set(place.name, canary);
    const spec = place.spec(canary);
    await runCommands(spec);
    // Some are refused at once; what the API server then tells the user is not ours to answer for.
    const isStored = await resources.apply(NAME, spec).then(
      () => true,
      () => false,
    );
    if (!isStored) return;
    await eventually(`${place.name} is judged`, async () => {
      const resource = await resources.read(NAME);
      const status = storedStatus(resource);
      const isCurrent = resource !== undefined && status?.observedGeneration === generationOf(resource);
      return isCurrent && ['ERROR', 'HEALTHY'].includes(status.status);
    });
    show('status', JSON.stringify((await resources.read(NAME))?.['status']));
  }

  async function runCommands(spec: JsonObject): Promise<void> {
    const resource = {
      apiVersion: 'install.istio.io/v1alpha1',
      kind: 'IstioOperator',
      metadata: { name: 'by-hand', namespace: NAMESPACE },
      spec,
    };
    const files = { 'mesh.yaml': JSON.stringify(resource) };
    for (const argv of [
      ['install', '-f', 'mesh.yaml', '-y', '--readiness-timeout=2s'],
      ['plan', '-f', 'mesh.yaml'],
      ['status'],
      ['verify'],
    ]) {
      const { printed, said, error } = await runCommand(plane, argv, { files });
      show(`command ${argv[0]}`, `${printed}\n${said}\n${errorText(error)}`);
    }
  }

  async function list(path: string): Promise<readonly JsonValue[]> {
    return listAt((await plane.api.request('GET', path)).body, 'items');
  }

  async function look(): Promise<void> {
    for (const event of await list('/apis/events.k8s.io/v1/events')) {
      // The scheduler and the controllers quote what they were given; what they say is not ours to answer for.
      const controller = stringAt(event, 'reportingController') ?? '';
      if (controller.includes('istio')) show('events', JSON.stringify(event));
    }
    for (const map of await list(`/api/v1/namespaces/${NAMESPACE}/configmaps`)) {
      if (!isUsersOwn(map)) show('ConfigMaps', JSON.stringify(map));
    }
    for (const lease of await list('/apis/coordination.k8s.io/v1/leases'))
      show('leases', JSON.stringify(lease));
    show('metrics', (await operator.get('/metrics')).text);
    show('logs', operator.output);
  }

  it('are shown nowhere, although the API server quotes them in its errors', async function findThem() {
    this.timeout(CANARY_PLACES.length * 30_000);
    for (const place of CANARY_PLACES) await tryOut(place);
    await look();

    const found = [...canaries].flatMap(([place, canary]) =>
      [...shown]
        .filter(([, text]) => formsOf(canary).some((form) => text.includes(form)))
        .map(([where]) => `${place}: in ${where}`),
    );

    await recordProof(readFaultRun(process.env), 'canaries', {
      counts: { places: canaries.size, 'kinds of output': shown.size, found: found.length },
      isMet: canaries.size >= 12 && found.length === 0,
    });
    expect([...shown.keys()]).to.include.members(['status', 'events', 'metrics', 'logs', 'command install']);
    expect(found).to.deep.equal([]);
  });
});

/** What is installed shows what it is made of, and the record of an installation what was asked for, as a resource does. */
function isUsersOwn(map: JsonValue): boolean {
  const isRecord = stringAt(map, 'metadata', 'name')?.startsWith('istio-operator.installation.') === true;
  return isRecord || at(map, 'metadata', 'labels', 'operator.istio.io/managed') !== undefined;
}

/** As the executable would print it, with what caused it. */
function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.message} ${JSON.stringify(error)} ${error.cause === undefined ? '' : errorText(error.cause)}`;
}
