import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { JsonValue } from '../../src/model/json.ts';
import { listAt, mapAt, stringAt } from '../../src/model/json.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import type { OperatorUnderTest } from '../operator/operator-under-test.ts';
import { startOperator } from '../operator/operator-under-test.ts';
import { eventually } from '../operator/resources.ts';
import type { Run, RunSettings } from './command-line.ts';
import { codesOf, reasonOf, runCommand } from './command-line.ts';

const MESH = `
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata:
  name: mesh
  namespace: istio-system
spec:
  profile: demo
`;

const FILES = { 'mesh.yaml': MESH };
const ISTIOD = '/apis/apps/v1/namespaces/istio-system/deployments/istiod';
const GATEWAY = '/apis/apps/v1/namespaces/istio-system/deployments/istio-egressgateway';

describe('the command line against a cluster', () => {
  let plane: ControlPlane;

  const run = async (line: string, settings: RunSettings = {}): Promise<Run> =>
    runCommand(plane, line.split(' '), { files: FILES, ...settings });

  const statusOf = async (path: string): Promise<number> => (await plane.api.request('GET', path)).status;

  const istioDefinitions = async (): Promise<readonly string[]> => {
    const { body } = await plane.api.request(
      'GET',
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    );
    return listAt(body, 'items')
      .map((item) => stringAt(item, 'metadata', 'name') ?? '')
      .filter((name) => name.endsWith('.istio.io') && name !== 'istiooperators.install.istio.io');
  };

  /** Everything with a label of ours, of the kinds that an installation is made of. */
  const installedObjects = async (): Promise<readonly string[]> => {
    const paths = [
      '/apis/apps/v1/deployments',
      '/api/v1/services',
      '/api/v1/serviceaccounts',
      '/api/v1/configmaps',
      '/apis/autoscaling/v2/horizontalpodautoscalers',
      '/apis/policy/v1/poddisruptionbudgets',
      '/apis/rbac.authorization.k8s.io/v1/roles',
      '/apis/rbac.authorization.k8s.io/v1/rolebindings',
      '/apis/rbac.authorization.k8s.io/v1/clusterroles',
      '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
      '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
      '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
    ];
    const found: string[] = [];
    for (const path of paths) {
      const { body } = await plane.api.request('GET', path);
      for (const item of listAt(body, 'items')) {
        const labels = Object.keys(mapAt(item, 'metadata', 'labels'));
        const isOurs = labels.some((label) => /operator\.istio\.io\/|install\.istio\.io\//.test(label));
        if (isOurs) found.push(`${path} ${stringAt(item, 'metadata', 'name')}`);
      }
    }
    return found;
  };

  // A control plane of its own: the command line installs, removes and counts things of the whole cluster.
  before(async () => {
    plane = await startControlPlane();
  });

  after(async () => {
    await plane.stop();
  });

  describe('install', () => {
    it('changes nothing unless it is told yes', async () => {
      const outcome = await run('install -f mesh.yaml', { answers: ['perhaps', 'n'] });

      expect(codesOf(outcome)).to.deep.equal(['IOP611']);
      expect(outcome.said.match(/Proceed\?/g)).to.have.length(2);
      expect(await statusOf(ISTIOD)).to.equal(404);
    });

    it('tells what a dry run would do, and does not do it', async () => {
      const outcome = await run('install -f mesh.yaml --dry-run');

      expect(outcome.exitCode).to.equal(0);
      expect(outcome.printed).to.include('+ Deployment istio-system/istiod\n');
      expect(await statusOf(ISTIOD)).to.equal(404);
    });

    it('lists all objects without a cluster when only the client is to look', async () => {
      const outcome = await run('install -f mesh.yaml --dry-run=client');

      expect(outcome.exitCode).to.equal(0);
      expect(outcome.printed).to.include('Deployment istio-system/istiod\n');
      expect(outcome.said).to.equal('No cluster was asked: this was a dry run.');
    });

    it('installs, with a line for each step', async () => {
      const outcome = await run('install -f mesh.yaml -y');

      expect(reasonOf(outcome)).to.equal('');
      expect(outcome.exitCode).to.equal(0);
      expect(outcome.said.split('\n').toSorted()).to.include.members([
        'Istio 1.30.3 (profile demo) on SERVER',
        'as istio-system/mesh:',
        '  Base             ready after N s',
        '  Pilot            applying',
        '  IngressGateways  ready after N s',
        '  EgressGateways   ready after N s',
      ]);
      expect(outcome.said).to.match(/Istio 1\.30\.3 is installed and ready; \d+ objects changed\.$/);
      expect(await statusOf(ISTIOD)).to.equal(200);
    });

    it('asks nothing and changes nothing when all is there', async () => {
      const outcome = await run('apply -f mesh.yaml');

      expect(outcome.exitCode).to.equal(0);
      expect(outcome.said).to.include('Istio 1.30.3 is installed and ready; 0 objects changed.');
    });

    it('goes on after it was interrupted, and what it made before is known', async () => {
      const interruption = new AbortController();
      await plane.api.request('DELETE', GATEWAY);
      const interrupted = await run('install -f mesh.yaml -y', {
        signal: interruption.signal,
        onSay: (line) => (line.includes('applying') ? interruption.abort() : undefined),
      });

      const resumed = await run('install -f mesh.yaml -y');

      expect(interrupted.exitCode).to.equal(undefined);
      expect(resumed.exitCode).to.equal(0);
      expect(await statusOf(GATEWAY)).to.equal(200);
    });

    it('does not take the objects of another installation', async () => {
      const files = { 'other.yaml': MESH.replace('name: mesh', 'name: other') };

      const outcome = await run('install -f other.yaml -y', { files });

      expect(codesOf(outcome)).to.deep.equal(['IOP613']);
    });
  });

  describe('plan and diff', () => {
    it('count nothing to do after an installation', async () => {
      const outcome = await run('plan -f mesh.yaml');

      const counts = outcome.printed.split('\n').slice(1, -1);
      expect(outcome.exitCode).to.equal(0);
      expect(outcome.printed).to.match(/^COMPONENT +CREATE +CONFIGURE +PRUNE +UNCHANGED\n/);
      expect(counts.map((line) => line.split(/ +/).slice(0, 4).join(' '))).to.have.members([
        'Base 0 0 0',
        'Pilot 0 0 0',
        'IngressGateways 0 0 0',
        'EgressGateways 0 0 0',
        'total 0 0 0',
      ]);
    });

    it('find no difference after an installation', async () => {
      const outcome = await run('diff -f mesh.yaml');

      expect(outcome).to.include({ exitCode: 0, printed: '' });
    });

    it('name what would change, for other programs', async () => {
      const outcome = await run('plan -f mesh.yaml --set values.global.logging.level=all:debug -o name');

      expect(outcome.printed.split('\n')).to.include('deployment.apps/istiod');
      expect(outcome.printed).to.not.include('service/istiod');
    });

    it('show an edit as a patch of just that field', async () => {
      await plane.api.request(
        'PATCH',
        `${ISTIOD}?fieldManager=somebody`,
        { spec: { template: { spec: { dnsPolicy: 'Default' } }, revisionHistoryLimit: 3 } },
        'application/merge-patch+json',
      );
      await plane.api.request(
        'PATCH',
        '/api/v1/namespaces/istio-system/services/istiod?fieldManager=somebody',
        { metadata: { labels: { app: 'edited' } } },
        'application/merge-patch+json',
      );

      const difference = await run('diff -f mesh.yaml');
      const plan = await run('plan -f mesh.yaml -o wide');

      expect(difference.exitCode).to.equal(1);
      expect(difference.printed.split('\n').filter((line) => /^[-+]/.test(line))).to.deep.equal([
        '--- live Service istio-system/istiod',
        '+++ wanted Service istio-system/istiod',
        '-    app: edited',
        '+    app: istiod',
      ]);
      expect(plan.printed).to.include(
        '~ Service istio-system/istiod: metadata.labels.app (changed by somebody)\n',
      );
    });

    it('show what is missing as new and what is left over as gone', async () => {
      await plane.api.request('DELETE', GATEWAY);

      const outcome = await run('diff -f mesh.yaml --set components.ingressGateways[0].enabled=false');

      expect(outcome.exitCode).to.equal(1);
      expect(outcome.printed).to.include(
        '--- /dev/null\n+++ wanted Deployment istio-system/istio-egressgateway\n',
      );
      expect(outcome.printed).to.include(
        '--- live Deployment istio-system/istio-ingressgateway\n+++ /dev/null\n',
      );
    });

    it('tell trouble apart from differences', async () => {
      const outcome = await run('diff -f mesh.yaml --set profile=dmeo');

      expect(outcome.error).to.include({ exitCode: 2 });
      expect(codesOf(outcome)).to.deep.equal(['IOP203']);
    });
  });

  describe('status and verify', () => {
    it('show the object that is missing', async () => {
      const state = await run('status');
      const verified = await run('verify mesh');

      expect(state.printed).to.include(
        'Installation istio-system/mesh: ERROR (profile demo, revision default, Istio 1.30.3)\n' +
          '  Deployment istio-system/istio-egressgateway: it is not there\n',
      );
      expect(verified.exitCode).to.equal(1);
      expect(verified.printed).to.equal('Deployment istio-system/istio-egressgateway: it is not there\n');
    });

    it('show a whole installation in a line for each component', async () => {
      await run('install -f mesh.yaml -y');

      const state = await run('status -n istio-system');
      const verified = await run('verify');

      expect(state.printed.replaceAll(/\d+ of \d+/g, 'N of N')).to.equal(
        [
          'Installation istio-system/mesh: HEALTHY (profile demo, revision default, Istio 1.30.3)',
          '  Base              HEALTHY   N of N objects ready',
          '  EgressGateways    HEALTHY   N of N objects ready',
          '  IngressGateways   HEALTHY   N of N objects ready',
          '  Pilot             HEALTHY   N of N objects ready',
          '',
        ].join('\n'),
      );
      expect(verified).to.include({ exitCode: 0, printed: '' });
      expect(verified.said).to.match(/^istio-system\/mesh: verified, \d+ objects checked$/);
    });

    it('give the same as data', async () => {
      const state = await run('status mesh -o json');

      const [installation] = listAt(JSON.parse(state.printed) as JsonValue);
      expect(installation).to.include({ kind: 'Installation', name: 'mesh', status: 'HEALTHY', message: '' });
      expect(
        listAt(installation, 'components').map((component) => stringAt(component, 'name')),
      ).to.deep.equal(['Base', 'EgressGateways', 'IngressGateways', 'Pilot']);
    });

    it('have nothing to verify where there is no such installation', async () => {
      expect(codesOf(await run('verify nobody'))).to.deep.equal(['IOP614']);
    });
  });

  describe('uninstall', () => {
    it('wants to know what', async () => {
      expect(codesOf(await run('uninstall -y'))).to.deep.equal(['IOP618']);
      expect(codesOf(await run('uninstall -y --revision canary'))).to.deep.equal(['IOP614']);
    });

    it("leaves Istio's definitions and nothing else", async () => {
      const definitions = await istioDefinitions();

      const outcome = await run('uninstall -f mesh.yaml -y');

      expect(outcome.exitCode).to.equal(0);
      expect(await installedObjects()).to.deep.equal([]);
      expect(definitions).to.have.length.greaterThan(10);
      expect(await istioDefinitions()).to.deep.equal(definitions);
    });
  });

  describe('uninstall --purge', () => {
    it('leaves nothing at all', async () => {
      await run('install --set profile=minimal -y');

      const outcome = await run('uninstall --purge -y');

      expect(reasonOf(outcome)).to.equal('');
      expect(await installedObjects()).to.deep.equal([]);
      expect(await istioDefinitions()).to.deep.equal([]);
    });
  });

  describe('init and remove', () => {
    let operator: OperatorUnderTest | undefined;

    after(async () => operator?.stop());

    const DEPLOYMENT = '/apis/apps/v1/namespaces/istio-operator/deployments/istio-operator';
    const RESOURCE = '/apis/install.istio.io/v1alpha1/namespaces/istio-system/istiooperators/mesh';
    const DEFINITION =
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/istiooperators.install.istio.io';

    it('tell what init would make, and make nothing', async () => {
      const server = await run('init -f mesh.yaml --dry-run=server');
      const client = await run('init -f mesh.yaml --dry-run');

      expect(server.printed).to.include('+ Deployment istio-operator/istio-operator\n');
      expect(server.printed).to.include('+ IstioOperator istio-system/mesh\n');
      expect(client.printed).to.include('kind: Deployment\n');
      expect(await statusOf(DEPLOYMENT)).to.equal(404);
    });

    it('bring the operator and a resource, and change nothing the second time', async () => {
      const first = await run(
        'init --hub registry.example.com/mesh --watchedNamespaces istio-system -f mesh.yaml',
      );
      const second = await run(
        'init --hub registry.example.com/mesh --watchedNamespaces istio-system -f mesh.yaml',
      );

      const { body } = await plane.api.request('GET', DEPLOYMENT);
      const [container] = listAt(body, 'spec', 'template', 'spec', 'containers');
      expect(reasonOf(first)).to.equal('');
      expect(stringAt(container, 'image')).to.match(/^registry\.example\.com\/mesh\/istio-operator:/);
      expect(await statusOf(RESOURCE)).to.equal(200);
      expect(second.said.split('\n').filter((line) => /created|configured/.test(line))).to.deep.equal([]);
    });

    it('keep the command line off what the operator keeps', async () => {
      const installed = await run('install -f mesh.yaml -y');
      const uninstalled = await run('uninstall -f mesh.yaml -y');

      expect(codesOf(installed)).to.deep.equal(['IOP612']);
      expect(codesOf(uninstalled)).to.deep.equal(['IOP612']);
    });

    it('show a resource that nobody has looked at yet', async () => {
      const state = await run('status');

      expect(state.printed).to.include('IstioOperator istio-system/mesh: NONE');
    });

    it('take the operator away and leave the resource', async () => {
      const outcome = await run('remove');

      expect(reasonOf(outcome)).to.equal('');
      expect(await statusOf(DEPLOYMENT)).to.equal(404);
      expect(await statusOf('/api/v1/namespaces/istio-operator')).to.equal(404);
      expect(await statusOf(RESOURCE)).to.equal(200);
      expect(outcome.said).to.include('1 IstioOperator and what they installed stay');
    });

    describe('of a revision', () => {
      const CANARY = '/apis/apps/v1/namespaces/istio-operator/deployments/istio-operator-canary';
      const ROLE = '/apis/rbac.authorization.k8s.io/v1/clusterroles/istio-operator';
      const POLICY =
        '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/istiooperators.install.istio.io';

      it('bring no operator beside one that would serve the same resources', async () => {
        const everything = await run('init');
        const canary = await run('init --revision canary');

        expect(reasonOf(everything)).to.equal('');
        expect(codesOf(canary)).to.deep.equal(['IOP619']);
        expect(await statusOf(CANARY)).to.equal(404);
      });

      it('bring a second operator once the first serves the revision without a name', async () => {
        const narrowed = await run('init --revision default');
        const canary = await run('init --revision canary');
        const again = await run('init -r canary');

        const { body } = await plane.api.request('GET', CANARY);
        const [container] = listAt(body, 'spec', 'template', 'spec', 'containers');
        expect([reasonOf(narrowed), reasonOf(canary)]).to.deep.equal(['', '']);
        expect(listAt(container, 'env')).to.deep.include({ name: 'REVISION', value: 'canary' });
        expect(narrowed.said).to.include('Deployment istio-operator/istio-operator configured');
        expect(again.said.split('\n').filter((line) => /created|configured/.test(line))).to.deep.equal([]);
      });

      it('refuse a name that another operator has for its roles', async () => {
        expect(codesOf(await run('init --revision gateways'))).to.deep.equal(['IOP621']);
      });

      it('remove nothing where no operator has the revision, unless forced', async () => {
        const misspelt = await run('remove --revision canari');
        const forced = await run('remove --revision canari --force');

        expect(codesOf(misspelt)).to.deep.equal(['IOP620']);
        expect(reasonOf(misspelt)).to.include('Deployment istio-operator/istio-operator-canary');
        expect(reasonOf(forced)).to.equal('');
        expect(await statusOf(CANARY)).to.equal(200);
      });

      it('take all of them when they purge', async () => {
        const outcome = await run('remove --purge --revision canary --dry-run');

        expect(outcome.printed.split('\n')).to.include.members([
          '- Deployment istio-operator/istio-operator',
          '- Deployment istio-operator/istio-operator-canary',
          '- ClusterRole istio-operator-canary-gateways',
          '- Namespace istio-operator',
        ]);
        expect(await statusOf(CANARY)).to.equal(200);
      });

      it('take away the one, and leave the other with what both need', async () => {
        const outcome = await run('remove');

        expect(reasonOf(outcome)).to.equal('');
        expect(outcome.said).to.include('Others go on: Deployment istio-operator/istio-operator-canary.');
        expect(await Promise.all([DEPLOYMENT, ROLE].map(statusOf))).to.deep.equal([404, 404]);
        expect(await Promise.all([CANARY, `${ROLE}-canary`, POLICY].map(statusOf))).to.deep.equal([
          200, 200, 200,
        ]);
      });

      it('take away the last one with what all share, but never the definition', async () => {
        const outcome = await run('remove -r canary');

        expect(reasonOf(outcome)).to.equal('');
        const gone = [CANARY, `${ROLE}-canary`, POLICY, '/api/v1/namespaces/istio-operator'];
        expect(await Promise.all(gone.map(statusOf))).to.deep.equal([404, 404, 404, 404]);
        expect(await statusOf(DEFINITION)).to.equal(200);
      });
    });

    it('show what an operator says of its resource', async () => {
      operator = await startOperator(plane);
      await eventually('the mesh is healthy', async () => {
        const { body } = await plane.api.request('GET', RESOURCE);
        return stringAt(body, 'status', 'status') === 'HEALTHY';
      });

      const state = await run('status mesh -o wide');
      const verified = await run('verify mesh -n istio-system');

      expect(state.printed).to.match(
        /^IstioOperator istio-system\/mesh: HEALTHY \(profile demo, revision default, Istio 1\.30\.3\)\n/,
      );
      expect(state.printed).to.match(/\n {2}Ready=True +\w+ +\d+s\n/);
      expect(state.printed).to.match(/\n {4}Deployment istio-system\/istiod +ready +\d+s\n/);
      expect(verified).to.include({ exitCode: 0, printed: '' });
    });

    it('tell what a file would change in the mesh of an operator', async () => {
      const same = await run('diff -f mesh.yaml');
      const other = await run('plan -f mesh.yaml --set components.egressGateways[0].enabled=false -o wide');

      expect(same).to.include({ exitCode: 0, printed: '' });
      expect(other.printed).to.include('- Deployment istio-system/istio-egressgateway\n');
      expect(codesOf(await run('uninstall --purge -y --timeout 60s'))).to.deep.equal(['IOP612']);
    });

    it('take the resource with its mesh, and the definition, when they purge', async () => {
      const outcome = await run('remove --purge -y');

      expect(reasonOf(outcome)).to.equal('');
      expect(await statusOf(ISTIOD)).to.equal(404);
      expect(await statusOf(DEFINITION)).to.equal(404);
    });
  });

  it('ends with the exit codes that the help names', async () => {
    const main = async (...argv: readonly string[]): Promise<unknown> =>
      promisify(execFile)(process.execPath, ['src/main.ts', ...argv]).then(
        () => 0,
        (error: { readonly code: unknown }) => error.code,
      );

    const codes = await Promise.all([
      main('--help'),
      main('plan', '--kubeconfig', '/nowhere'),
      main('diff', '--kubeconfig', '/nowhere'),
      main('plan', '--no-such-flag'),
    ]);

    expect(codes).to.deep.equal([0, 1, 2, 2]);
  });
});
