/**
 * The rights of deploy/ against the audit log of a whole life of the operator: it may do all that it tries to do, and it
 * tries to do all that it may.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { API_RESOURCES } from '../../scripts/rendered-kinds.ts';
import { isAdministered } from '../../src/apply/administered.ts';
import { OWNER_NAME_LABEL } from '../../src/controller/watch-table.ts';
import { listAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { userNameOf } from '../faults/service-accounts.ts';
import { OperatorProcess } from '../operator/operator-process.ts';
import { printedForAdministrator } from './administrator.ts';
import { AuditedLife, OPENED, OPERATOR, SECOND_CONTROL_PLANE } from './audited-life.ts';
import { describeGrant, grantsTo, resourceOf } from './granted-rights.ts';
import type { Grant } from './granted-rights.ts';
import { unprovenBy } from './handed-out.ts';
import { accept, deployedObjects, parseObjects } from './manifests.ts';
import { operatorKubeconfig } from './operator-kubeconfig.ts';
import { balanceOf } from './rights-balance.ts';
import type { Balance } from './rights-balance.ts';
import { describeUse, usesIn } from './used-rights.ts';

const PRINT_RIGHTS = fileURLToPath(new URL('../../scripts/print-rights.ts', import.meta.url));

/** Rights that the log does not show to be needed, and why they are held all the same. */
interface Reason {
  readonly why: string;
  readonly holds: readonly string[];
  /**
   * `handedOut`: without it a role or a binding is refused. `doubled`: it is used, where another right would do too.
   * `listed`: whoever holds it may list the same anyway.
   */
  readonly proof: 'handedOut' | 'doubled' | 'listed';
}

const LISTED_PODS: Reason = {
  why: 'the right to list pods in the whole cluster may be taken away: then this one still tells why pods do not run',
  holds: ['list pods'],
  proof: 'doubled',
};

const REASONS: readonly Reason[] = [
  {
    why: 'cluster roles of istiod, the agents and the addons hold more than the operator does',
    holds: ['escalate clusterroles.rbac.authorization.k8s.io', 'bind clusterroles.rbac.authorization.k8s.io'],
    proof: 'handedOut',
  },
  {
    why: 'a role is bound before the authorizer has seen it',
    holds: ['bind roles.rbac.authorization.k8s.io'],
    proof: 'handedOut',
  },
  {
    why: 'the Roles of istiod and of gateways hold it, and who writes a Role must hold what is in it',
    holds: [
      ...['create', 'delete', 'get', 'list', 'update', 'watch'].map((verb) => `${verb} secrets`),
      ...['create', 'get', 'patch', 'update'].map((verb) => `${verb} leases.coordination.k8s.io`),
      'create gateways.networking.istio.io',
    ],
    proof: 'handedOut',
  },
  LISTED_PODS,
];

/** Whether such an object is read one by one depends on whether the administrator comes before the operator looks. */
const ADMINISTERED: Reason = {
  why: 'tells an administrator what is missing; nothing can be read with it that the watches do not read',
  holds: Object.values(API_RESOURCES)
    .filter(({ group }) => isAdministered({ apiVersion: group === '' ? 'v1' : `${group}/v1` }))
    .map((resource) => `get ${resourceOf(resource)}`),
  proof: 'listed',
};

interface Mode {
  readonly name: string;
  readonly folder: string;
  /** For `npm run rights`. */
  readonly more: readonly string[];
  readonly flags: readonly string[];
  readonly reasons: readonly Reason[];
  readonly isHardened: boolean;
}

const MODES: readonly Mode[] = [
  {
    name: 'deploy/',
    folder: '.',
    more: [...SECOND_CONTROL_PLANE, ...OPENED],
    flags: [],
    reasons: REASONS,
    isHardened: false,
  },
  {
    name: 'deploy/hardened/',
    folder: 'hardened',
    more: ['--hardened', ...OPENED],
    flags: ['--hardened=true'],
    reasons: [LISTED_PODS, ADMINISTERED],
    isHardened: true,
  },
];

async function printedRights(args: readonly string[]): Promise<readonly K8sObject[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [PRINT_RIGHTS, ...args]);
  return parseObjects(stdout, `the rights for ${args.join(' ')}`);
}

/** A right as the table has it: whoever holds it, whatever the name. */
function kindOf(grant: Grant): string {
  return describeGrant({ ...grant, name: undefined }).slice(grant.role.length + 2);
}

for (const mode of MODES) {
  describe(`the rights of ${mode.name}, after a life of the operator,`, () => {
    let plane: ControlPlane;
    let grants: readonly Grant[];
    let written: readonly K8sObject[];
    let balance: Balance;

    before(async () => {
      plane = await startControlPlane({ audit: true });
      const deployed = await deployedObjects(mode.folder);
      const more = await printedRights(mode.more);
      grants = grantsTo(OPERATOR, [...deployed, ...more]);
      for (const object of deployed) await accept(plane.api, object);
      const life = mode.isHardened ? new AuditedLife(plane, administer) : new AuditedLife(plane);
      await life.prepare();
      for (const object of more) await accept(plane.api, object);
      await live(life);
      const log = await readFile(plane.auditLogPath ?? '', 'utf8');
      balance = balanceOf(grants, usesIn(log, userNameOf(OPERATOR)));
    });

    after(async () => {
      await plane.stop();
    });

    async function administer(resource: K8sObject): Promise<void> {
      for (const object of await printedForAdministrator(resource))
        await accept(plane.api, object, 'kubectl');
    }

    /** Two replicas, of which the first one ends before the other. */
    async function live(life: AuditedLife): Promise<void> {
      const kubeconfigPath = await operatorKubeconfig(plane);
      const flags = [`--operator-namespace=${OPERATOR.namespace}`, ...mode.flags];
      const first = await OperatorProcess.start({ kubeconfigPath, flags });
      const second = await OperatorProcess.start({ kubeconfigPath, flags });
      try {
        await life.install();
        written = await writtenRights();
        await life.disturb();
        await first.end('SIGTERM');
        await life.change();
        await life.remove();
      } finally {
        await Promise.all([first.end('SIGTERM'), second.end('SIGTERM')]);
      }
      expect(life.unsound).to.deep.equal([]);
    }

    /** Roles and bindings of the operator, as somebody could apply them anew. */
    async function writtenRights(): Promise<readonly K8sObject[]> {
      const kinds = ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'];
      const lists = kinds.map(async (kind) => {
        const path = `/apis/rbac.authorization.k8s.io/v1/${kind.toLowerCase()}s?labelSelector=${OWNER_NAME_LABEL}`;
        const { body } = await plane.api.request('GET', path);
        return listAt(body, 'items').map((item) => appliedForm(kind, item as K8sObject)); // what a list of objects holds
      });
      return (await Promise.all(lists)).flat();
    }

    it('have let it do all that it tried to do', () => {
      expect(balance.refused.map(describeUse)).to.deep.equal([]);
    });

    it('are all that it had', () => {
      expect(balance.unexplained.map(describeUse)).to.deep.equal([]);
    });

    it('have been needed, but for those that have another reason', () => {
      const reasons = new Set(mode.reasons.flatMap(({ holds }) => holds));

      const excess = balance.needless.filter((grant) => !reasons.has(kindOf(grant)));

      expect(excess.map(describeGrant)).to.deep.equal([]);
      expect(balance.idleBindings).to.deep.equal([]);
    });

    it('have no reason that nothing needs any more', () => {
      const needless = new Set(balance.needless.map(kindOf));

      const lasting = mode.reasons.filter(({ proof }) => proof !== 'listed').flatMap(({ holds }) => holds);
      const stale = lasting.filter((right) => !needless.has(right));

      expect(stale).to.deep.equal([]);
    });

    it('that are doubled have been used, or let nothing be read that is not listed anyway', () => {
      const listed = new Set(grants.map(describeGrant));

      const unused = needlessWith('doubled').filter((grant) => !balance.doubled.includes(grant));
      const unlisted = needlessWith('listed').filter(
        (grant) => !listed.has(describeGrant({ ...grant, verb: 'list' })),
      );

      expect([...unused, ...unlisted].map(describeGrant)).to.deep.equal([]);
    });

    it('that are handed out could not be taken away', async () => {
      const doubtful = needlessWith('handedOut');

      const unproven = await unprovenBy(plane, { grants, doubtful, written });

      expect(unproven.map(describeGrant)).to.deep.equal([]);
    });

    function needlessWith(proof: Reason['proof']): readonly Grant[] {
      const rights = mode.reasons.filter((reason) => reason.proof === proof).flatMap(({ holds }) => holds);
      return balance.needless.filter((grant) => rights.includes(kindOf(grant)));
    }
  });
}

/** An object as it would be applied anew. */
function appliedForm(kind: string, { metadata, rules, roleRef, subjects }: K8sObject): K8sObject {
  const { name, namespace } = metadata;
  const where = namespace === undefined ? {} : { namespace };
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: { name, ...where },
    ...(kind.endsWith('Role')
      ? { rules: rules ?? [] }
      : { roleRef: roleRef ?? null, subjects: subjects ?? [] }),
  };
}
