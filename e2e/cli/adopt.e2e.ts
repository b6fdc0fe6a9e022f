import { expect } from 'chai';
import type { JsonValue } from '../../src/model/json.ts';
import { at, listAt, mapAt, stringAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import type { Run } from './command-line.ts';
import { codesOf, reasonOf, runCommand } from './command-line.ts';
import { identitiesOf, installAsHelm, installAsIstioctl, recordedObjects } from './former-installation.ts';

const MESH = `
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata:
  name: mesh
  namespace: istio-system
spec:
  profile: demo
`;

const ISTIOD = '/apis/apps/v1/namespaces/istio-system/deployments/istiod';
const SERVICE = '/api/v1/namespaces/istio-system/services/istiod';

describe('adopting what others installed', () => {
  let plane: ControlPlane;
  let objects: readonly K8sObject[];

  const run = async (line: string): Promise<Run> =>
    runCommand(plane, line.split(' '), { files: { 'mesh.yaml': MESH } });

  const read = async (path: string): Promise<JsonValue> => (await plane.api.request('GET', path)).body;

  const managersOf = async (path: string): Promise<readonly string[]> =>
    listAt(await read(path), 'metadata', 'managedFields')
      .filter((entry) => stringAt(entry, 'subresource') === undefined)
      .map((entry) => `${stringAt(entry, 'manager')} ${stringAt(entry, 'operation')}`)
      .toSorted();

  before(async () => {
    plane = await startControlPlane();
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system' } };
    await plane.api.request('POST', '/api/v1/namespaces', namespace);
    objects = await recordedObjects('profile-demo');
  });

  after(async () => {
    await plane.stop();
  });

  it('has nothing to do where nothing is installed', async () => {
    expect(codesOf(await run('adopt -f mesh.yaml -y'))).to.deep.equal(['IOP644']);
  });

  describe('by istioctl', () => {
    before(async () => installAsIstioctl(plane, objects));

    it('shows who installed it and what would change, and changes nothing', async () => {
      const managers = await managersOf(ISTIOD);

      const outcome = await run('adopt -f mesh.yaml --dry-run');

      expect(reasonOf(outcome)).to.equal('');
      expect(outcome.said).to.match(
        /\n {2}istioctl or the former operator, for istio-system\/installed-state: \d+\n/,
      );
      expect(outcome.said).to.include('\nNo pod restarts.\n');
      expect(outcome.printed).to.include('~ Deployment istio-system/istiod: metadata.labels');
      expect(await managersOf(ISTIOD)).to.deep.equal(managers);
    });

    it('refuses a file that would restart pods, and names the fields', async () => {
      const outcome = await run('adopt -f mesh.yaml -y --set values.global.logging.level=all:debug');

      expect(new Set(codesOf(outcome))).to.deep.equal(new Set(['IOP642']));
      expect(reasonOf(outcome)).to.include('Deployment istio-system/istiod would restart: spec.template.');
      expect(reasonOf(outcome)).to.include('.args.');
    });

    it('keeps every object, every pod template and every address', async () => {
      const before = await identitiesOf(plane, objects);

      const outcome = await run('adopt -f mesh.yaml -y');

      expect(reasonOf(outcome)).to.equal('');
      expect(await identitiesOf(plane, objects)).to.deep.equal(before);
      expect(at(await read(ISTIOD), 'metadata', 'generation')).to.equal(1);
      expect(await managersOf(ISTIOD)).to.deep.equal(['istio-operator Apply']);
    });

    it('leaves an installation like any other', async () => {
      const again = await run('adopt -f mesh.yaml -y');
      const plan = await run('diff -f mesh.yaml');
      const verified = await run('verify mesh');

      expect(codesOf(again)).to.deep.equal(['IOP644']);
      expect(plan).to.include({ exitCode: 0, printed: '' });
      expect(verified).to.include({ exitCode: 0, printed: '' });
    });

    it('tells of each field where it comes from and who owns it, without a file', async () => {
      const service = await run('why svc/istiod spec.ports[0].port -n istio-system');
      const image = await run('why deploy/istiod spec.template.spec.containers[0].image -o json');

      expect(service.printed).to.match(/\n {2}owner +istio-operator \(applied .*\)\n/);
      const [field] = listAt(JSON.parse(image.printed) as JsonValue, 'fields');
      expect(mapAt(field)).to.include({ live: stringAt(field, 'value') });
      expect(listAt(field, 'decidedBy').map((each) => stringAt(each, 'path'))).to.deep.equal([
        'spec.hub',
        'spec.tag',
        'spec.values.pilot.image',
      ]);
    });

    it('is exported as a file that asks for the same', async () => {
      const exported = await run('export mesh');

      const files = { 'exported.yaml': exported.printed };
      const difference = await runCommand(plane, ['diff', '-f', 'exported.yaml'], { files });
      expect(exported.printed).to.include('kind: IstioOperator\n').and.not.to.include('status');
      expect(difference).to.include({ exitCode: 0, printed: '' });
    });

    it('is uninstalled whole', async () => {
      const outcome = await run('uninstall -f mesh.yaml -y');

      expect(reasonOf(outcome)).to.equal('');
      expect(mapAt(await read(ISTIOD))).to.include({ code: 404 });
    });
  });

  describe('by Helm', () => {
    before(async () => installAsHelm(plane, objects));

    it('keeps everything, takes the fields over, and warns of helm uninstall', async () => {
      const before = await identitiesOf(plane, objects);

      const outcome = await run('adopt -f mesh.yaml -y');

      expect(reasonOf(outcome)).to.equal('');
      expect(await identitiesOf(plane, objects)).to.deep.equal(before);
      expect(outcome.said).to.match(/\n {2}Helm, release istiod in istio-system: \d+\n/);
      expect(outcome.said).to.include('\n  kubectl delete secret -n istio-system -l owner=helm,name=istiod');
    });

    it('leaves to Helm what only Helm asked for', async () => {
      const service = await read(SERVICE);

      const helm = listAt(service, 'metadata', 'managedFields').find(
        (entry) => stringAt(entry, 'manager') === 'helm',
      );
      expect(Object.keys(mapAt(helm, 'fieldsV1', 'f:metadata', 'f:labels'))).to.include(
        'f:example.com/of-helm',
      );
      expect(mapAt(helm, 'fieldsV1', 'f:spec', 'f:selector')).to.deep.equal({});
      expect(stringAt(service, 'metadata', 'labels', 'example.com/of-helm')).to.equal('x');
    });
  });
});
