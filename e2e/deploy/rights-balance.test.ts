import { expect } from 'chai';
import { listAt } from '../../src/model/json.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { describeGrant, grantsTo } from './granted-rights.ts';
import { readObjects } from './manifests.ts';
import { balanceOf } from './rights-balance.ts';
import type { Balance } from './rights-balance.ts';
import { describeUse, usesIn } from './used-rights.ts';

const ACCOUNT = { namespace: 'op', name: 'op' };
const USER = 'system:serviceaccount:op:op';
const SERVICES = rule('', ['services'], ['patch', 'create']);

function rule(group: string, resources: readonly string[], verbs: readonly string[]): JsonObject {
  return { apiGroups: [group], resources, verbs };
}

function role(name: string, rules: readonly JsonObject[]): K8sObject {
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules };
}

/** Binds a cluster role in a namespace, or in the whole cluster when it is empty. */
function binding(name: string, namespace: string, account = ACCOUNT): K8sObject {
  const kind = namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding';
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: namespace === '' ? { name } : { name, namespace },
    roleRef: { kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  };
}

interface Request {
  readonly verb: string;
  readonly objectRef: JsonObject;
  readonly code?: number;
  readonly user?: string;
}

function logOf(requests: readonly Request[]): string {
  const lines = requests.map(({ verb, objectRef, code = 200, user = USER }) =>
    JSON.stringify({ verb, objectRef, user: { username: user }, responseStatus: { code } }),
  );
  return `${lines.join('\n')}\n`;
}

function service(namespace: string, name = 'a'): JsonObject {
  return { resource: 'services', namespace, name };
}

const APPLIED: Request = { verb: 'patch', objectRef: service('mesh'), code: 201 };

function balance(objects: readonly K8sObject[], requests: readonly Request[]): Balance {
  return balanceOf(grantsTo(ACCOUNT, objects), usesIn(logOf(requests), USER));
}

describe('grantsTo', () => {
  it('takes the rights of deploy/ apart', async () => {
    const operator = { namespace: 'istio-operator', name: 'istio-operator' };
    const grants = grantsTo(operator, await readObjects('rbac.yaml'));

    const addons = grants.filter((grant) => grant.role === 'ClusterRole istio-operator-addons');
    expect(grants.map(describeGrant)).to.include.members([
      'Role istio-operator/istio-operator-election: update leases.coordination.k8s.io',
      'ClusterRole istio-operator: escalate clusterroles.rbac.authorization.k8s.io ztunnel',
      'ClusterRole istio-operator: patch istiooperators/status.install.istio.io',
    ]);
    expect(addons[0]?.places).to.deep.equal([
      { namespace: 'istio-system', binding: 'RoleBinding istio-system/istio-operator-addons' },
    ]);
  });

  it('gives nothing to others, and in no place what is not bound', () => {
    const other = binding('services', 'mesh', { namespace: 'op', name: 'other' });

    const [grant] = grantsTo(ACCOUNT, [role('services', [SERVICES]), other]);

    expect(grant?.places).to.deep.equal([]);
  });

  it('refuses what it cannot compare', () => {
    const everything = role('all', [rule('', ['*'], ['get'])]);
    const noResource = role('urls', [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }]);

    expect(() => grantsTo(ACCOUNT, [everything])).to.throw("can't be compared");
    expect(() => grantsTo(ACCOUNT, [noResource])).to.throw("can't be compared");
  });
});

describe('usesIn', () => {
  it('takes an apply that creates for both, by name, and an ordinary create for one without a name', () => {
    const event = { apiGroup: 'events.k8s.io', resource: 'events', namespace: 'mesh', name: 'a.1' };

    const uses = usesIn(logOf([APPLIED, { verb: 'create', objectRef: event, code: 201 }]), USER);

    expect(uses.map(describeUse)).to.deep.equal([
      'patch services mesh/a',
      'create services mesh/a',
      'create events.events.k8s.io mesh',
    ]);
  });

  it('tells subresources apart, and takes no account of others and of what is no resource', () => {
    const status = { resource: 'services', subresource: 'status', namespace: 'mesh', name: 'a' };
    const requests: readonly Request[] = [
      { verb: 'patch', objectRef: status },
      { verb: 'delete', objectRef: service('mesh'), user: `${USER}-2` },
      { verb: 'get', objectRef: {} },
    ];

    expect(usesIn(logOf(requests), USER).map(describeUse)).to.deep.equal(['patch services/status mesh/a']);
  });
});

describe('balanceOf', () => {
  const bound = [role('services', [SERVICES]), binding('services', 'mesh')];

  it('is even when each right was taken', () => {
    expect(balance(bound, [APPLIED])).to.deep.equal({
      refused: [],
      unexplained: [],
      needless: [],
      doubled: [],
      idleBindings: [],
    });
  });

  it('names a right that was added without need', () => {
    const objects = [
      role('services', [SERVICES, rule('', ['secrets'], ['get'])]),
      binding('services', 'mesh'),
    ];

    const { needless } = balance(objects, [APPLIED]);

    expect(needless.map(describeGrant)).to.deep.equal(['ClusterRole services: get secrets']);
  });

  it('names what is refused when a right is missing, and what comes from elsewhere', () => {
    const objects = [role('services', [rule('', ['services'], ['patch'])]), binding('services', 'mesh')];
    const refused: Request = { ...APPLIED, verb: 'delete', code: 403 };

    const { refused: lacking, unexplained } = balance(objects, [APPLIED, refused]);

    expect(lacking.map(describeUse)).to.deep.equal(['delete services mesh/a']);
    expect(unexplained.map(describeUse)).to.deep.equal(['create services mesh/a']);
  });

  it('takes a right for needless where the name, the namespace or the verb is another', () => {
    const named = { ...rule('', ['services'], ['patch']), resourceNames: ['a', 'b'] };
    const objects = [role('named', [named]), binding('named', 'mesh'), binding('named', 'edge')];

    const { needless, idleBindings } = balance(objects, [{ ...APPLIED, code: 200 }]);

    expect(needless.map(describeGrant)).to.deep.equal(['ClusterRole named: patch services b']);
    expect(idleBindings).to.deep.equal(['RoleBinding edge/named']);
  });

  it('takes a right that two roles give for needless in both, until one is used where the other is not', () => {
    const twice = [role('more', [SERVICES]), binding('more', ''), ...bound];
    const elsewhere = { ...APPLIED, objectRef: service('edge') };

    const before = balance(twice, [APPLIED]);
    const after = balance(twice, [APPLIED, elsewhere]);

    expect(before.needless).to.have.lengthOf(4);
    expect(before.doubled).to.have.lengthOf(4);
    expect(new Set(after.needless.map((grant) => grant.role))).to.deep.equal(
      new Set(['ClusterRole services']),
    );
  });

  it('does not let a right in one namespace allow anything beyond', () => {
    const objectRef = { resource: 'services' };

    const { unexplained } = balance(bound, [APPLIED, { verb: 'patch', objectRef }]);

    expect(unexplained.map(describeUse)).to.deep.equal(['patch services']);
  });

  it('sees each single right of deploy/ missing, when nothing was done', async () => {
    const operator = { namespace: 'istio-operator', name: 'istio-operator' };
    const objects = await readObjects('rbac.yaml');
    const grants = grantsTo(operator, objects);

    const { needless, idleBindings } = balanceOf(grants, []);

    expect(needless).to.have.lengthOf(grants.length);
    expect(grants.length).to.be.greaterThan(objects.flatMap((object) => listAt(object, 'rules')).length);
    expect(idleBindings.length).to.be.greaterThan(3);
  });
});
