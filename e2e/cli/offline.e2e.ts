/** Commands that need no cluster, as processes: what they print where, and how they end. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { isAdministered } from '../../src/apply/administered.ts';
import { readManifests } from '../../src/core/manifests.ts';
import { labelsOf, namespaceOf } from '../../src/model/object.ts';
import { VERSION } from '../../src/version.ts';
import { run } from './program.ts';

const OWNER = 'install.operator.istio.io/owning-resource';

describe('the command line without a cluster', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'offline-'));
  });

  after(async () => rm(folder, { recursive: true }));

  describe('manifest generate', () => {
    it('writes one file a component, in apply order', async () => {
      const out = join(folder, 'demo');

      const { exitCode, stdout } = await run([
        'manifest',
        'generate',
        '--set',
        'profile=demo',
        '--output-dir',
        out,
      ]);

      expect([exitCode, stdout]).to.deep.equal([0, '']);
      expect((await readdir(out)).toSorted()).to.deep.equal([
        '01-base.yaml',
        '02-pilot.yaml',
        '03-ingress-gateways.yaml',
        '04-egress-gateways.yaml',
      ]);
      const whole = await run(['manifest', 'generate', '--set', 'profile=demo']);
      await writeFile(join(folder, 'demo.yaml'), whole.stdout);
      expect(await run(['manifest', 'diff', out, join(folder, 'demo.yaml')])).to.deep.equal({
        exitCode: 0,
        stdout: '',
        stderr: '',
      });
    });

    it('prints names for other programs', async () => {
      const { stdout } = await run(['manifest', 'generate', '--component', 'Pilot', '-o', 'name']);

      expect(stdout.split('\n')).to.include.members(['deployment.apps/istiod', 'service/istiod']);
    });

    it('lays a resource over the profiles of a folder, and names those when one is missing', async () => {
      const mesh = join(folder, 'mesh');
      await mkdir(join(mesh, 'profiles'), { recursive: true });
      const profile = 'kind: IstioOperator\nspec: { components: { base: { enabled: false } } }\n';
      await writeFile(join(mesh, 'profiles', 'corp.yaml'), profile);
      const generate = ['manifest', 'generate', '--set', 'components.pilot.enabled=false'];

      const good = await run([...generate, '-d', mesh, '--set', 'profile=corp', '--output', 'json']);
      const byFile = await run([
        ...generate,
        '--set',
        `profile=${join(mesh, 'profiles/corp.yaml')}`,
        '-o',
        'json',
      ]);
      const bad = await run([...generate, '--charts', mesh, '--set', 'profile=demo']);
      const none = await run([...generate, '-d', folder]);

      expect(good.stdout).to.include('"name": "istio-ingressgateway"').and.to.not.include('istio-reader');
      expect(byFile.stdout).to.equal(good.stdout);
      expect(bad.stderr).to.include('IOP203').and.to.include('Use one of corp, default.');
      expect(none.stderr).to.include(`IOP602 cannot read ${join(folder, 'profiles')}`);
      expect((await run(['profile', 'list', '-d', mesh])).stdout).to.equal('corp\ndefault\n');
      expect((await run(['profile', 'diff', 'default', 'corp', '-d', mesh])).stdout).to.include(
        'enabled: false',
      );
    });

    it('prints only objects of a scope', async () => {
      const { stdout } = await run(['manifest', 'generate', '--scope', 'cluster', '--component', 'Pilot']);

      const read = readManifests(stdout, 'stdout');
      const objects = read.kind === 'read' ? read.objects : [];
      expect(objects).to.have.length.above(0);
      expect(objects.filter((object) => namespaceOf(object) !== undefined)).to.deep.equal([]);
    });

    it('prints for an administrator what the resource of a file has, and needs its name for that', async () => {
      const args = ['manifest', 'generate', '--scope', 'admin', '-f', '-'];
      const mesh = 'kind: IstioOperator\nmetadata: { name: mesh, namespace: istio-system }\n';

      const { stdout } = await run(args, mesh);
      const nameless = await run(args, 'kind: IstioOperator\n');

      const read = readManifests(stdout, 'stdout');
      const objects = read.kind === 'read' ? read.objects : [];
      expect(objects.map(({ kind }) => kind)).to.include.members(['Role', 'ClusterRole']);
      expect(objects.every(isAdministered)).to.equal(true);
      expect(new Set(objects.map((object) => labelsOf(object)[OWNER]))).to.deep.equal(new Set(['mesh']));
      expect([nameless.exitCode, nameless.stdout]).to.deep.equal([1, '']);
      expect(nameless.stderr).to.contain('IOP637').and.contain('Set metadata.name and metadata.namespace');
    });

    it('keeps an administrator on the version that the resource of a cluster is on', async () => {
      const args = ['manifest', 'generate', '--scope', 'admin', '-f', '-'];
      const mesh = 'kind: IstioOperator\nmetadata: { name: mesh, namespace: istio-system }\n';

      const { stdout } = await run(args, `${mesh}status: { version: 1.29.0 }\n`);

      expect(stdout).to.contain('1.29.0');
    });

    it('takes the facts of a cluster from a file, and refuses facts that it does not know', async () => {
      const args = ['manifest', 'generate', '--component', 'Pilot', '--cluster-facts', '-'];

      const known = await run(args, 'kubernetesVersion: v1.34.0');
      const unknown = await run(args, 'kubernetesVersoin: v1.34.0');

      expect(known.exitCode).to.equal(0);
      expect(unknown.exitCode).to.equal(1);
      expect(unknown.stderr).to.contain('IOP634').and.contain('there is no fact "kubernetesVersoin"');
    });

    it('leaves out monitors that the file of facts says are not served', async () => {
      const monitors = [
        'addonComponents.prometheus.enabled=true',
        'addonComponents.prometheus.mode=monitors',
      ];
      const sets = monitors.flatMap((set) => ['--set', set]);
      const args = ['manifest', 'generate', ...sets, '--cluster-facts', '-'];

      const { stdout, stderr } = await run(args, 'servedKinds: [monitoring.coreos.com/v1/PodMonitor]');
      const unreadable = await run(args, 'servedKinds: PodMonitor');

      expect(stdout).to.contain('kind: PodMonitor').and.not.contain('kind: ServiceMonitor');
      expect(stderr).to.contain('IOP321').and.contain('ServiceMonitor, PrometheusRule');
      expect(unreadable.stderr).to.contain('IOP634').and.contain('servedKinds is no list of texts');
    });

    it('lists the images that are needed, one a line', async () => {
      const { stdout } = await run(['manifest', 'generate', '--set', 'profile=minimal', '-o', 'images']);

      expect(stdout).to.equal(
        'registry.istio.io/release/pilot:1.30.3\nregistry.istio.io/release/proxyv2:1.30.3\n',
      );
    });
  });

  describe('manifest translate', () => {
    it('writes values, a script and the patches of each chart, and tells what has no value', async () => {
      const out = join(folder, 'helm');
      const overlay = 'components.pilot.k8s.overlays[0]';

      const sets = ['kind=Deployment', 'name=istiod', 'patches[0].path=spec.paused', 'patches[0].value=true'];
      const flags = sets.flatMap((set) => ['--set', `${overlay}.${set}`]);
      const { exitCode, stdout, stderr } = await run([
        'manifest',
        'translate',
        '--output-dir',
        out,
        ...flags,
      ]);

      expect([exitCode, stdout]).to.deep.equal([0, '']);
      expect(stderr).to.include('note spec.components.pilot.k8s.overlays has no value in the chart');
      expect((await readdir(out)).toSorted()).to.deep.equal([
        'README.md',
        'install-istio-base.sh',
        'install-istio-ingressgateway.sh',
        'install-istiod.sh',
        'istio-base-values.yaml',
        'istio-ingressgateway-values.yaml',
        'istiod-patches',
        'istiod-values.yaml',
        'post-render-istiod.sh',
      ]);
      const script = join(out, 'install-istiod.sh');
      expect(spawnSync('sh', ['-n', script]).status).to.equal(0);
      expect(await readFile(script, 'utf8')).to.include('--post-renderer ./post-render-istiod.sh');
    });
  });

  describe('why', () => {
    it('names the flag that set a value, without a cluster', async () => {
      const field = 'spec.template.spec.containers[0].args[2]';
      const flags = ['--offline', '--set', 'values.global.logging.level=all:debug'];

      const { exitCode, stdout } = await run(['why', 'deploy/istiod', field, ...flags]);

      expect(exitCode).to.equal(0);
      expect(stdout).to.equal(
        [
          'Deployment istio-system/istiod spec.template.spec.containers.[name:discovery].args.[2]',
          '  value   --log_output_level=all:debug',
          '  from    --set values.global.logging.level=all:debug: spec.values.global.logging.level = all:debug',
          '',
        ].join('\n'),
      );
    });

    it('says so when there is no such object or field', async () => {
      const object = await run(['why', 'deploy/istoid', '--offline']);
      const field = await run(['why', 'deploy/istiod', 'spec.nothing', '--offline']);

      expect(object.stderr).to.include('IOP640').and.include('Did you mean deployment/istiod?');
      expect(field.stderr).to.include('IOP641');
    });
  });

  describe('manifest diff', () => {
    it('ends with 1 for differences and with 2 for trouble', async () => {
      const [left, right] = [join(folder, 'left.yaml'), join(folder, 'right.yaml')];
      await writeFile(left, 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: a}\n');
      await writeFile(right, 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: b}\n');

      const differences = await run(['manifest', 'diff', left, right]);
      const trouble = await run(['manifest', 'diff', left, join(folder, 'nowhere')]);

      expect(differences.exitCode).to.equal(1);
      expect(differences.stdout).to.contain('-  k: a\n+  k: b\n');
      expect([trouble.exitCode, trouble.stdout]).to.deep.equal([2, '']);
      expect(trouble.stderr).to.contain('IOP602');
    });
  });

  describe('profile', () => {
    it('dumps a part of a profile', async () => {
      const { stdout } = await run([
        'profile',
        'dump',
        'demo',
        '-p',
        'spec.components.egressGateways[0].name',
        '-o',
        'json',
      ]);

      expect(stdout).to.equal('"istio-egressgateway"\n');
    });

    it('names the neighbours of a path that is not there', async () => {
      const { exitCode, stderr } = await run(['profile', 'dump', 'demo', '-p', 'components.pliot']);

      expect(exitCode).to.equal(1);
      expect(stderr).to.contain('IOP635').and.contain('pilot');
    });

    it('shows how two profiles differ', async () => {
      const { exitCode, stdout } = await run(['profile', 'diff', 'default', 'ambient']);
      const same = await run(['profile', 'diff', 'demo', 'demo']);
      const trouble = await run(['profile', 'diff', 'default', 'dmeo']);

      expect(exitCode).to.equal(1);
      expect(stdout).to.contain('--- default\n+++ ambient\n').and.contain('+    ztunnel:\n');
      expect(same).to.deep.equal({ exitCode: 0, stdout: '', stderr: '' });
      expect(trouble.exitCode).to.equal(2);
    });
  });

  it('completes what shells and kubectl ask for', async () => {
    const words = await run(['__complete', 'profile', 'dump', '-o', 'j']);
    const asKubectl = await run(['__complete', 'manifest', 'generate', '--filename', '']);

    expect(words).to.deep.equal({ exitCode: 0, stdout: 'json\t\n:4\n', stderr: '' });
    expect(asKubectl).to.deep.equal({ exitCode: 0, stdout: ':0\n', stderr: '' });
  });

  // Where there is no kubectl, there is nothing to plug into.
  if (spawnSync('kubectl', ['version', '--client']).status === 0) {
    it('is found by kubectl under its second name, and completes there', async () => {
      const plugins = join(folder, 'plugins');
      await mkdir(plugins);
      const program = join(import.meta.dirname, '../../src/main.ts');
      for (const [name, words] of [
        ['kubectl-istio_operator', ''],
        ['kubectl_complete-istio_operator', '__complete'],
      ] as const) {
        const script = `#!/bin/sh\nexec '${process.execPath}' '${program}' ${words} "$@"\n`;
        await writeFile(join(plugins, name), script, { mode: 0o755 });
      }
      const env = { PATH: `${plugins}:${process.env['PATH']}`, HOME: folder };

      const list = spawnSync('kubectl', ['istio-operator', 'profile', 'list'], { encoding: 'utf8', env });
      const words = ['__complete', 'istio-operator', 'profile', 'du'];
      const completed = spawnSync('kubectl', words, { encoding: 'utf8', env });

      expect(list.stdout).to.include('ambient').and.include('demo');
      expect(completed.stdout).to.match(/^dump\t/u);
    });
  }

  it('teaches bash, which then completes', async () => {
    const { stdout: script } = await run(['completion', 'bash']);
    const istioOperator = `istio-operator() { printf 'json\\t\\n:4\\n'; }`;
    const ask = `COMP_LINE='istio-operator x -o '; COMP_POINT=20; _istio_operator; printf '%s' "\${COMPREPLY[*]}"`;

    const { stdout } = spawnSync('bash', ['-c', `${script}\n${istioOperator}\n${ask}`], { encoding: 'utf8' });

    expect(stdout).to.equal('json');
  });

  it('tells its version, also for programs', async () => {
    const { stdout } = await run(['version', '-o', 'json']);

    expect(JSON.parse(stdout)).to.include({ operator: VERSION, istio: '1.30.3' });
    expect(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8')).to.contain(
      `"${VERSION}"`,
    );
  });
});
