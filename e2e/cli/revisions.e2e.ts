/** The commands about several control planes, on a real API server, with and without the operator. */
import { expect } from 'chai';
import { Trouble } from '../../src/cli/command-error.ts';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { at, listAt, stringAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import { apply, pathOf } from '../deploy/manifests.ts';
import type { OperatorUnderTest } from '../operator/operator-under-test.ts';
import { startOperator } from '../operator/operator-under-test.ts';
import { eventually, Resources } from '../operator/resources.ts';
import type { Run, RunSettings } from './command-line.ts';
import { codesOf, runCommand } from './command-line.ts';

const NAMESPACE = 'istio-system';
const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
const VALIDATORS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';

describe('commands about several control planes', () => {
  let plane: ControlPlane;
  let resources: Resources;
  let operator: OperatorUnderTest;

  before(async function () {
    this.timeout(600_000);
    plane = await startControlPlane({ audit: false, verbose: false });
    resources = new Resources(plane, NAMESPACE);
    await resources.prepare();
    operator = await startOperator(plane);
    await resources.apply('old', { profile: 'minimal', tag: '1.29.6' });
    await resources.apply('new', { profile: 'minimal', tag: '1.30.3', revision: 'canary' });
    await resources.until('old', 'HEALTHY');
    await resources.until('new', 'HEALTHY');
  });

  after(async () => {
    await operator.stop();
    await plane.stop();
  });

  async function run(line: string, settings: RunSettings = {}): Promise<Run> {
    return runCommand(plane, line.split(' '), settings);
  }

  async function read(path: string): Promise<JsonValue | undefined> {
    const { status, body } = await plane.api.request('GET', path);
    return status === 200 ? body : undefined;
  }

  async function istiodOf(webhook: string): Promise<string | undefined> {
    return stringAt(await read(`${WEBHOOKS}/${webhook}`), 'webhooks', 0, 'clientConfig', 'service', 'name');
  }

  function namespaceWith(name: string, labels: JsonObject): K8sObject {
    return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
  }

  describe('tag', () => {
    afterEach(async () => {
      for (const tag of ['prod', 'default']) await run(`tag remove ${tag} -y`);
    });

    it('sets, lists, moves and removes a tag', async () => {
      await apply(plane.api, namespaceWith('shop', { 'istio.io/rev': 'prod' }));

      const set = await run('tag set prod --revision default');
      const listed = await run('tag list');
      const moved = await run('tag set prod -r canary --overwrite', { answers: ['y'] });
      const istiod = await istiodOf('istio-revision-tag-prod');
      const removed = await run('tag remove prod', { answers: ['y'] });

      expect([set.exitCode, moved.exitCode, removed.exitCode]).to.deep.equal([0, 0, 0]);
      expect(listed.printed.split('\n').map((line) => line.split(/\s+/u))).to.deep.include([
        'prod',
        'default',
        'serving',
        'shop',
      ]);
      expect(moved.said).to.include('from "default" to "canary" (used by shop)');
      expect(istiod).to.equal('istiod-canary');
      expect(removed.said).to.include('Namespaces that still use it: shop');
      expect(await read(`${WEBHOOKS}/istio-revision-tag-prod`)).to.equal(undefined);
      expect(await read(`/api/v1/namespaces/${NAMESPACE}/services/istiod-revision-tag-prod`)).to.equal(
        undefined,
      );
    });

    it('moves the default off the revision without a name, together with the operator that keeps it', async () => {
      const { exitCode } = await run('tag set default --revision canary -y');

      const injector = await read(`${WEBHOOKS}/istio-sidecar-injector`);
      const validator = await read(`${VALIDATORS}/istiod-default-validator`);
      expect(exitCode).to.equal(0);
      expect(await istiodOf('istio-revision-tag-default')).to.equal('istiod-canary');
      expect(at(injector, 'webhooks', 0, 'namespaceSelector', 'matchLabels')).to.deep.equal({
        'istio.io/deactivated': 'never-match',
      });
      expect(at(validator, 'webhooks', 0, 'clientConfig', 'service', 'name')).to.equal('istiod-canary');

      await run('tag remove default -y');
      await eventually('the injector is back', async () => {
        const live = await read(`${WEBHOOKS}/istio-sidecar-injector`);
        return at(live, 'webhooks', 0, 'namespaceSelector', 'matchLabels') === undefined;
      });
      expect(await read(`${VALIDATORS}/istiod-default-validator`)).to.equal(undefined);
    });

    it('generates what set applies', async () => {
      const generated = await run('tag generate default -r canary');

      expect(generated.printed.match(/^kind: .*$/gmu)).to.deep.equal([
        'kind: MutatingWebhookConfiguration',
        'kind: Service',
        'kind: ValidatingWebhookConfiguration',
      ]);
      expect(await read(`${WEBHOOKS}/istio-revision-tag-default`)).to.equal(undefined);
    });

    it('refuses what would be unclear or undone', async () => {
      await run('tag set prod --revision default');

      const refusals = [
        await run('tag set prod --revision canary -y'),
        await run('tag set canary --revision default -y'),
        await run('tag set next --revision gone -y'),
        await run('tag remove next -y'),
      ];

      expect(refusals.map(codesOf)).to.deep.equal([['IOP661'], ['IOP661'], ['IOP660'], ['IOP662']]);
      expect(await istiodOf('istio-revision-tag-prod')).to.equal('istiod');
    });

    it('leaves a tag alone that a resource keeps', async () => {
      const spec = { profile: 'minimal', tag: '1.30.3', revision: 'canary' };
      await resources.apply('new', { ...spec, values: { revisionTags: ['kept'] } });
      await eventually('the tag is there', async () => istiodOf('istio-revision-tag-kept'));

      const refusals = [
        await run('tag set kept --revision default --overwrite -y'),
        await run('tag remove kept -y'),
      ];
      await resources.apply('new', spec);
      await resources.until('new', 'HEALTHY');

      expect(refusals.map(codesOf)).to.deep.equal([['IOP663'], ['IOP663']]);
    });
  });

  describe('revisions', () => {
    it('shows versions, tags, keepers and users', async () => {
      const pod: K8sObject = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'user', namespace: 'default', annotations: { 'istio.io/rev': 'gone' } },
        spec: { nodeName: 'fake-node', containers: [{ name: 'app', image: 'app' }] },
      };
      await eventually('the pod is accepted', async () => (await apply(plane.api, pod)).status === 201);

      const { printed } = await run('revisions -o wide');
      const { printed: json } = await run('revisions -o json');
      await plane.api.request('DELETE', `${pathOf(pod)}?gracePeriodSeconds=0`);

      expect(printed).to.equal(
        [
          'REVISION   VERSION   NAMESPACE      TAGS   KEPT BY            PODS',
          'canary     1.30.3    istio-system   -      istio-system/new   0',
          'default    1.29.6    istio-system   -      istio-system/old   0',
          'gone       -         -              -      -                  1 (default 1)',
          '',
        ].join('\n'),
      );
      const names = listAt(JSON.parse(json) as JsonValue, 'revisions').map((row) => at(row, 'revision'));
      expect(names).to.deep.equal(['canary', 'default', 'gone']);
    });
  });

  describe('precheck', () => {
    it('finds nothing in the way of the next minor, and says what changes', async () => {
      const { exitCode, printed } = await run('precheck --to 1.30.3');

      expect(printed).to.include(
        'istio-system/old: 1.29.6 -> 1.30.3\n  nothing is in the way\n  new: ListenerSets',
      );
      expect(exitCode).to.equal(0);
    });

    it('refuses a skip and a way back', async () => {
      const { exitCode, printed } = await run('precheck --to 1.31.0-rc.0 -o json');

      const reports = listAt(JSON.parse(printed) as JsonValue, 'reports');
      const codes = reports.map((report) => listAt(report, 'findings').map((finding) => at(finding, 'code')));
      expect(codes).to.deep.equal([['IOP308'], ['IOP308', 'IOP214']]);
      expect(exitCode).to.equal(1);
    });

    it('finds values that the target does not have, and overlays that match nothing there', async () => {
      const path =
        'spec.template.spec.containers.[name:discovery].env.[name:GOMEMLIMIT].valueFrom.resourceFieldRef.divisor';
      const mesh = (tag: string): string => `
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: { name: next, namespace: istio-system }
spec:
  profile: minimal
  revision: next
  tag: ${tag}
  values: { pilot: { taint: { name: x } } }
  components:
    pilot:
      k8s:
        overlays: [{ kind: Deployment, name: istiod-next, patches: [{ path: "${path}", value: 1Mi }] }]
`;
      const codes = async (to: string): Promise<readonly string[]> => {
        const settings = { files: { 'mesh.yaml': mesh('1.28.10') } };
        const { printed } = await run(`precheck -f mesh.yaml --to ${to}`, settings);
        return [...new Set(printed.match(/IOP\d+/gu))];
      };

      expect(await codes('1.28.10')).to.deep.equal(['IOP213']);
      expect(await codes('1.30.3')).to.deep.equal(['IOP402']);
    });

    it('finds what nobody looks after, and tags that point to nothing', async () => {
      const labels = {
        'operator.istio.io/component': 'Pilot',
        'install.operator.istio.io/owning-resource': 'gone',
        'install.operator.istio.io/owning-resource-namespace': NAMESPACE,
        app: 'sidecar-injector',
        'istio.io/tag': 'lost',
        'istio.io/rev': 'gone',
      };
      const leftover: K8sObject = {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingWebhookConfiguration',
        metadata: { name: 'istio-revision-tag-lost', labels },
        webhooks: [
          {
            name: 'a.example.com',
            clientConfig: { service: { name: 'istiod-gone', namespace: NAMESPACE } },
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
            namespaceSelector: { matchLabels: { 'istio.io/rev': 'lost' } },
          },
        ],
      };
      await apply(plane.api, leftover);

      const { exitCode, printed } = await run('precheck');
      await plane.api.request('DELETE', pathOf(leftover));

      expect(printed).to.match(
        /IOP652 .*istio-revision-tag-lost belong to the installation istio-system\/gone/u,
      );
      expect(printed).to.match(/IOP653 .*"lost" points to istio-system\/istiod-gone/u);
      expect(exitCode).to.equal(0);
    });

    it('says that it could not check by an exit code of its own', async () => {
      const { error } = await run('precheck -f missing.yaml');

      expect(error).to.be.instanceOf(Trouble);
    });
  });
});

describe('moving the default without the operator', () => {
  let plane: ControlPlane;

  before(async function () {
    this.timeout(600_000);
    plane = await startControlPlane({ audit: false, verbose: false });
  });

  after(async () => {
    await plane.stop();
  });

  async function run(line: string): Promise<Run> {
    return runCommand(plane, line.split(' '));
  }

  async function injectors(): Promise<Readonly<Record<string, string>>> {
    const { body } = await plane.api.request('GET', WEBHOOKS);
    const entries = listAt(body, 'items').map((item) => {
      const isOff = at(item, 'webhooks', 0, 'namespaceSelector', 'matchLabels') !== undefined;
      const istiod = stringAt(item, 'webhooks', 0, 'clientConfig', 'service', 'name') ?? '';
      return [stringAt(item, 'metadata', 'name') ?? '', isOff ? 'off' : istiod] as const;
    });
    return Object.fromEntries(entries);
  }

  it('deactivates the old injector, and a later install leaves it so', async () => {
    const old = 'install -y --set profile=minimal --set tag=1.29.6';
    await run(old);
    await run('install -y --set profile=minimal --set tag=1.30.3 --revision canary');

    const { exitCode } = await run('tag set default -r canary -y');
    const moved = await injectors();
    const again = await run(`${old} --set meshConfig.accessLogFile=/dev/stdout`);

    const expected = {
      'istio-revision-tag-default': 'istiod-canary',
      'istio-sidecar-injector': 'off',
      'istio-sidecar-injector-canary': 'istiod-canary',
    };
    expect([exitCode, again.exitCode]).to.deep.equal([0, 0]);
    expect([moved, await injectors()]).to.deep.equal([expected, expected]);
  });
});
