import { expect } from 'chai';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { at, listAt, mapAt } from '../../model/json.ts';
import type { TestPlanner } from '../testing/planning.ts';
import { testPlanner } from '../testing/planning.ts';

const ROLES = ['istio-cni', 'istio-cni-repair-role'].map((name) => `ClusterRole ${name}`);
const BINDINGS = ['istio-cni', 'istio-cni-repair-rolebinding'].map((name) => `ClusterRoleBinding ${name}`);
const AGENT = ['ServiceAccount', 'ConfigMap', 'DaemonSet'].map(
  (kind) =>
    `${kind} istio-system/${{ ServiceAccount: 'istio-cni', ConfigMap: 'istio-cni-config', DaemonSet: 'istio-cni-node' }[kind]}`,
);

describe('cniManifests', () => {
  let planner: TestPlanner;

  before(async () => {
    planner = await testPlanner();
  });

  /** Only the CNI component, with these values of its own and others. */
  function spec(cni: JsonObject, others: JsonObject = {}): JsonObject {
    return { profile: 'empty', components: { cni: { enabled: true } }, values: { cni, ...others } };
  }

  function added(cni: JsonObject, others: JsonObject = {}): readonly string[] {
    const usual = new Set(planner.names(spec({})));
    return planner.names(spec(cni, others)).filter((name) => !usual.has(name));
  }

  function daemonSet(cni: JsonObject, ...path: readonly (string | number)[]): JsonValue | undefined {
    return planner.field(spec(cni), 'DaemonSet istio-system/istio-cni-node', 'spec', 'template', ...path);
  }

  function setting(cni: JsonObject, name: string): JsonValue | undefined {
    return planner.field(spec(cni), 'ConfigMap istio-system/istio-cni-config', 'data', name);
  }

  it('renders the agent with its rights and settings', () => {
    expect(planner.names(spec({}))).to.have.members([...ROLES, ...BINDINGS, ...AGENT]);
  });

  it('renders optional objects when they are asked for', () => {
    expect(added({ ambient: { enabled: true } })).to.deep.equal([
      'ClusterRole istio-cni-ambient',
      'ClusterRoleBinding istio-cni-ambient',
    ]);
    expect(added({ resourceQuotas: { enabled: true } })).to.deep.equal([
      'ResourceQuota istio-system/istio-cni-resource-quota',
    ]);
    expect(added({ provider: 'multus' })).to.deep.equal(['NetworkAttachmentDefinition default/istio-cni']);
    expect(added({}, { global: { networkPolicy: { enabled: true } } })).to.deep.equal([
      'NetworkPolicy istio-system/istio-cni',
    ]);
  });

  it('grants no repair when it is off', () => {
    const names = planner.names(spec({ repair: { enabled: false } }));

    expect(names.filter((name) => name.includes('repair'))).to.deep.equal([]);
  });

  it('grants only what the first way of repair needs', () => {
    const rules = (repair: JsonObject) => {
      const granted = planner.field(spec({ repair }), 'ClusterRole istio-cni-repair-role', 'rules');
      return listAt(granted)
        .slice(2)
        .map((rule) => [at(rule, 'resources', 0), listAt(rule, 'verbs')]);
    };
    const ways = { deletePods: true, labelPods: true };

    expect([
      rules({ ...ways, repairPods: true }),
      rules({ ...ways, repairPods: false }),
      rules({ repairPods: false, labelPods: true }),
    ]).to.deep.equal([[], [['pods', ['delete']]], [['pods/status', ['patch', 'update']]]]);
  });

  it('may use the privileged constraint on OpenShift alone', () => {
    const resources = (values: JsonObject) =>
      listAt(planner.field(spec({}, values), 'ClusterRole istio-cni', 'rules')).map((rule) =>
        at(rule, 'resources', 0),
      );

    expect([resources({}), resources({ global: { platform: 'openshift' } })]).to.deep.equal([
      ['pods'],
      ['pods', 'securitycontextconstraints'],
    ]);
  });

  it('tells the agent its settings as texts', () => {
    expect([
      setting({}, 'AMBIENT_ENABLED'),
      setting({ excludeNamespaces: ['a', 'b'] }, 'EXCLUDE_NAMESPACES'),
      setting({ tag: 't' }, 'CURRENT_AGENT_VERSION'),
      setting({ env: { MINE: 5 } }, 'MINE'),
    ]).to.deep.equal(['false', 'a,b', 't', '5']);
  });

  it('names files only when they are named', () => {
    const owned = { istioOwnedCNIConfig: true, istioOwnedCNIConfigFileName: 'own.conf' };

    expect([
      setting({}, 'CNI_CONF_NAME'),
      setting({ cniConfFileName: 'x.conf' }, 'CNI_CONF_NAME'),
      setting({}, 'ISTIO_OWNED_CNI_CONF_FILENAME'),
      setting(owned, 'ISTIO_OWNED_CNI_CONF_FILENAME'),
    ]).to.deep.equal([undefined, 'x.conf', undefined, 'own.conf']);
  });

  it('looks for binaries where GKE has them when the user leaves it open', () => {
    const directory = (cniBinDir: string, kubernetesVersion: string) => {
      const set = planner
        .objects(spec({ cniBinDir }), { facts: { kubernetesVersion } })
        .find(({ kind }) => kind === 'DaemonSet');
      const volumes = listAt(set, 'spec', 'template', 'spec', 'volumes');
      return at(
        volumes.find((volume) => at(volume, 'name') === 'cni-bin-dir'),
        'hostPath',
        'path',
      );
    };

    expect([
      directory('', 'v1.33.5-gke.1200'),
      directory('', 'v1.33.5'),
      directory('/mine', 'v1.33.5-gke.1200'),
    ]).to.deep.equal(['/home/kubernetes/bin', '/opt/cni/bin', '/mine']);
  });

  it('shares the network of the host only for ambient, and only if asked to', () => {
    const hostNetwork = (ambient: JsonObject) => {
      const planned = planner.field(
        { ...spec({}), unvalidatedValues: { cni: { ambient } } },
        'DaemonSet istio-system/istio-cni-node',
        'spec',
        'template',
        'spec',
      );
      return [at(planned, 'hostNetwork'), at(planned, 'dnsPolicy')];
    };

    expect([
      hostNetwork({ enabled: true, shareHostNetworkNamespace: true }),
      hostNetwork({ enabled: false, shareHostNetworkNamespace: true }),
      hostNetwork({ enabled: true }),
    ]).to.deep.equal([
      [true, 'ClusterFirstWithHostNet'],
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });

  it('is unconfined by an annotation, or by a field when that is not wanted', () => {
    const annotation = 'container.apparmor.security.beta.kubernetes.io/install-cni';
    const field = ['spec', 'containers', 0, 'securityContext', 'appArmorProfile'] as const;

    expect([daemonSet({}, 'metadata', 'annotations', annotation), daemonSet({}, ...field)]).to.deep.equal([
      'unconfined',
      undefined,
    ]);
    expect([
      daemonSet({ useAppArmorAnnotation: false }, 'metadata', 'annotations', annotation),
      daemonSet({ useAppArmorAnnotation: false }, ...field),
    ]).to.deep.equal([undefined, { type: 'Unconfined' }]);
  });

  it('adds the type to SELinux options that name none', () => {
    const options = (seLinuxOptions: JsonObject) =>
      mapAt(daemonSet({ seLinuxOptions }, 'spec', 'containers', 0, 'securityContext'))['seLinuxOptions'];

    expect([options({ level: 's0' }), options({ type: 'own' }), options({})]).to.deep.equal([
      { type: 'spc_t', level: 's0' },
      { type: 'own' },
      undefined,
    ]);
  });
});
