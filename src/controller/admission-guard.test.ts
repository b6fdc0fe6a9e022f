import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { loadAll } from 'js-yaml';
import type { ClusterErrorKind } from '../model/cluster-error.ts';
import type { Logger } from '../model/logger.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { identityOf, refOf } from '../model/object.ts';
import { ADMISSION_POLICIES, UNGUARDED, reportAdmissionGuard } from './admission-guard.ts';
import { clusterError } from './testing/in-memory-cluster.ts';

const [WRITERS, STATUS] = ADMISSION_POLICIES;

/** As they are installed. */
async function deployed(): Promise<readonly K8sObject[]> {
  const text = await readFile(new URL('../../deploy/admission.yaml', import.meta.url), 'utf8');
  return loadAll(text) as K8sObject[]; // what deploy/ holds are objects
}

interface Seen {
  readonly logged: readonly string[];
  readonly inForce: Readonly<Record<string, boolean>>;
}

async function report(objects: readonly K8sObject[], failure?: ClusterErrorKind): Promise<Seen> {
  const byIdentity = new Map(objects.map((object) => [identityOf(refOf(object)), object]));
  const logged: string[] = [];
  const inForce: Record<string, boolean> = {};
  const log = (level: keyof Logger) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
    void logged.push(`${level} ${message} ${JSON.stringify(fields?.['missing'] ?? [])}`);
  const get = async (ref: ObjectRef): Promise<K8sObject | undefined> => {
    if (failure !== undefined) throw clusterError(failure, 'get', ref);
    return byIdentity.get(identityOf(ref));
  };
  await reportAdmissionGuard(
    {
      cluster: { get },
      logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
      metrics: { admissionPolicy: (policy, isThere) => void (inForce[policy] = isThere) },
    },
    new AbortController().signal,
  );
  return { logged, inForce };
}

function isBinding({ kind }: K8sObject): boolean {
  return kind === 'ValidatingAdmissionPolicyBinding';
}

describe('reportAdmissionGuard', () => {
  let objects: readonly K8sObject[];

  before(async () => {
    objects = await deployed();
  });

  it('looks at every policy that is deployed', () => {
    const names = objects.filter((object) => !isBinding(object)).map(({ metadata }) => metadata.name);

    expect(names).to.have.members([...ADMISSION_POLICIES]);
  });

  it('says nothing when what is deployed is there', async () => {
    expect(await report(objects)).to.deep.equal({ logged: [], inForce: { [WRITERS]: true, [STATUS]: true } });
  });

  it('warns once, with the names, when there is none', async () => {
    expect(await report([])).to.deep.equal({
      logged: [`warn ${UNGUARDED} ["${WRITERS}","${STATUS}"]`],
      inForce: { [WRITERS]: false, [STATUS]: false },
    });
  });

  const edits: Readonly<Record<string, (binding: K8sObject) => readonly K8sObject[]>> = {
    'is not bound': () => [],
    'is bound only to warn': (binding) => [
      { ...binding, spec: { policyName: WRITERS, validationActions: ['Warn', 'Audit'] } },
    ],
    'has a binding that binds another one': (binding) => [
      { ...binding, spec: { policyName: 'another', validationActions: ['Deny'] } },
    ],
  };
  for (const [what, edit] of Object.entries(edits)) {
    it(`warns of a policy that ${what}`, async () => {
      const edited = objects.flatMap((object) =>
        isBinding(object) && object.metadata.name === WRITERS ? edit(object) : [object],
      );

      expect(await report(edited)).to.deep.equal({
        logged: [`warn ${UNGUARDED} ["${WRITERS}"]`],
        inForce: { [WRITERS]: false, [STATUS]: true },
      });
    });
  }

  it('warns of nothing that it cannot see, and counts it neither as there nor as missing', async () => {
    expect(await report(objects, 'forbidden')).to.deep.equal({
      logged: ['info admission policies cannot be looked at []'],
      inForce: {},
    });
  });
});
