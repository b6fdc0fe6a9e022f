import { expect } from 'chai';
import type { JsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import type { ApplyReport } from '../model/report.ts';
import { differingFields } from './administered.ts';
import { deleteInstallation } from './delete-installation.ts';
import { previewPlan } from './preview-plan.ts';
import { actionsOf, EngineHarness, namesOf, resultsOf } from './testing/engine-harness.ts';
import { component, configMap, object, OWNER, planOf } from './testing/objects.ts';

const READ = { apiGroups: [''], resources: ['nodes'], verbs: ['get'] };
const ROLE = object('ClusterRole', 'istiod', { rules: [READ] });
const SUBJECT = { kind: 'User', name: 'a' };
const BINDING = object('ClusterRoleBinding', 'istiod', {
  roleRef: { kind: 'ClusterRole', name: 'a' },
  subjects: [SUBJECT],
});
const LOCAL_ROLE = object('Role', 'istiod-local', { rules: [READ] });
const CONFIG = configMap('istio');
const PLAN = planOf(component('Pilot', [ROLE, LOCAL_ROLE, CONFIG]));

describe('in hardened mode', () => {
  let engine: EngineHarness;
  beforeEach(() => {
    engine = new EngineHarness();
  });

  const run = async (plan: Plan = PLAN): Promise<ApplyReport> => engine.run(plan, { hardened: true });
  const administer = (...objects: readonly K8sObject[]): void => {
    for (const each of objects) engine.api.update('kubectl', each);
  };

  it('fails for what an administrator has not applied, and writes nothing that comes after it', async () => {
    const report = await run();

    expect(report.components.get('Pilot')).to.deep.equal({
      kind: 'failed',
      ref: refOf(ROLE),
      message: 'ClusterRole istiod: it is missing (and 1 more of its component)',
      retryable: false,
      cause: 'rights',
      administered: true,
    });
    expect(engine.api.callsOf('apply', 'dry-run', 'delete')).to.deep.equal([]);
  });

  it('finds what an administrator applied as planned, neither writes nor records it', async () => {
    administer(ROLE, LOCAL_ROLE);

    const report = await run();

    expect(resultsOf(report)).to.deep.equal({ Pilot: 'ready' });
    expect(actionsOf(report)).to.deep.equal({
      istiod: 'unchanged',
      'istiod-local': 'unchanged',
      istio: 'created',
    });
    expect(namesOf(report.inventory)).to.deep.equal(['istio']);
    expect(engine.recorded.map(namesOf)).to.deep.equal([['istio']]);
    expect(engine.applied()).to.deep.equal(['istio']);
    expect(engine.api.callsOf('dry-run')).to.deep.equal([]);
  });

  it('lets go of what it applied before it was hardened, and prunes none of it', async () => {
    await engine.run(PLAN);

    const report = await run(planOf(component('Pilot', [CONFIG])));

    expect(engine.api.callsOf('delete')).to.deep.equal([]);
    expect(namesOf(report.inventory)).to.deep.equal(['istio']);
  });

  it('deletes only what is its own', async () => {
    await engine.run(PLAN);
    const deps = { cluster: engine.api, clock: engine.clock, recordInventory: async () => undefined };
    const { signal } = engine.abort;

    const report = await deleteInstallation(deps, {
      signal,
      inventory: engine.inventory,
      timeoutMs: 1_000,
      owner: OWNER,
      hardened: true,
    });

    expect(report).to.deep.equal({ kind: 'deleted' });
    expect(engine.api.callsOf('delete')).to.deep.equal(['delete ConfigMap istio-system/istio']);
  });

  it('tells beforehand what would be missed, without asking for a right that it lacks', async () => {
    administer(ROLE);
    const deps = { cluster: engine.api, clock: engine.clock };
    const { signal } = engine.abort;

    const preview = await previewPlan(deps, PLAN, { signal, inventory: [], owner: OWNER, hardened: true });

    expect(preview.failures.map(({ message }) => message)).to.deep.equal([
      'Role istio-system/istiod-local: it is missing',
    ]);
    expect(preview.changes.map(({ change }) => `${change.action} ${change.ref.name}`)).to.deep.equal([
      'unchanged istiod',
      'created istio',
    ]);
    expect(engine.api.callsOf('dry-run')).to.deep.equal([]);
  });
});

describe('differingFields', () => {
  const webhook = (parts: JsonObject): K8sObject =>
    object('ValidatingWebhookConfiguration', 'validator', { webhooks: [{ name: 'v', ...parts }] });

  const cases: readonly [string, K8sObject, K8sObject, readonly string[]][] = [
    ['a right more', ROLE, { ...ROLE, rules: [READ, { ...READ, verbs: ['*'] }] }, ['rules']],
    ['a verb more', ROLE, { ...ROLE, rules: [{ ...READ, verbs: ['get', 'list'] }] }, ['rules']],
    ['a restriction more', ROLE, { ...ROLE, rules: [{ ...READ, resourceNames: ['a'] }] }, ['rules']],
    ['rules from elsewhere', ROLE, { ...ROLE, aggregationRule: {} }, ['aggregationRule']],
    [
      'nothing, where a role without rules has none',
      object('Role', 'a', { rules: [] }),
      object('Role', 'a'),
      [],
    ],
    ['a subject more', BINDING, { ...BINDING, subjects: [SUBJECT, { ...SUBJECT, name: 'b' }] }, ['subjects']],
    ['another role', BINDING, { ...BINDING, roleRef: { kind: 'ClusterRole', name: 'b' } }, ['roleRef.name']],
    [
      'nothing, where the API server filled in the group of a subject',
      BINDING,
      { ...BINDING, subjects: [{ ...SUBJECT, apiGroup: 'rbac.authorization.k8s.io' }] },
      [],
    ],
    ['a label less', ROLE, { ...ROLE, metadata: { name: 'istiod' } }, ['metadata.labels']],
    [
      'nothing, where others added labels and annotations',
      ROLE,
      object('ClusterRole', 'istiod', {
        rules: [READ],
        metadata: { labels: { team: 'a' }, annotations: { by: 'argocd' } },
      }),
      [],
    ],
    [
      'nothing, where the API server filled in defaults',
      webhook({ rules: [{ resources: ['*'] }] }),
      webhook({ rules: [{ resources: ['*'], scope: '*' }], matchPolicy: 'Equivalent', timeoutSeconds: 10 }),
      [],
    ],
    [
      'a field inside of a list',
      webhook({ sideEffects: 'None', clientConfig: { service: { name: 'istiod', port: 443 } } }),
      webhook({ sideEffects: 'None', clientConfig: { service: { name: 'istiod', port: 444 } } }),
      ['webhooks[0].clientConfig.service.port'],
    ],
    [
      'an item more',
      webhook({}),
      object('ValidatingWebhookConfiguration', 'validator', { webhooks: [{ name: 'v' }, { name: 'w' }] }),
      ['webhooks'],
    ],
  ];

  for (const [what, desired, live, fields] of cases) {
    it(`sees ${what}`, () => {
      expect(differingFields(desired, live)).to.deep.equal(fields);
    });
  }

  it('leaves it to istiod which certificate authority stands in its webhooks', () => {
    const webhooks = (caBundle: string): JsonObject => ({
      webhooks: [{ name: 'a', clientConfig: { caBundle } }],
    });

    const fields = differingFields(
      object('MutatingWebhookConfiguration', 'tag', webhooks('b3Vycw==')),
      object('MutatingWebhookConfiguration', 'tag', webhooks('')),
    );

    expect(fields).to.deep.equal([]);
  });
});
