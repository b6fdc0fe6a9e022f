import { expect } from 'chai';
import { administratorDeletion } from '../apply/administered.ts';
import { refOf } from '../model/object.ts';
import { releaseOf } from '../model/outcome.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Change } from '../model/report.ts';
import type { OperatorStatus } from '../model/status.ts';
import { driftOf, eventsOf } from './outcome-events.ts';
import { statusOf } from './status.ts';
import type { Phase } from './verdict.ts';
import {
  GATEWAY,
  INVENTORY,
  ISTIOD,
  ISTIOD_WAITS,
  READER,
  changeOf,
  entryOf,
  owned,
  planOf,
  reportOf,
} from './testing/builders.ts';

const RELEASE = releaseOf(planOf());

function readyAfter(changes: readonly Change[]): Extract<Outcome, { kind: 'ready' }> {
  return { kind: 'ready', release: RELEASE, report: reportOf({ changes }) };
}

function status(phase: Phase, previous?: OperatorStatus, generation = 1): OperatorStatus {
  return statusOf({ generation, phase, previous, now: '2026-01-01T00:00:00Z' });
}

const READY = status(readyAfter([]));
const LOST = status(
  {
    kind: 'progressing',
    remainingMs: 1_000,
    release: RELEASE,
    report: reportOf({ components: { Pilot: ISTIOD_WAITS } }),
  },
  READY,
);
const NEW_SPEC = status(
  { kind: 'working', release: RELEASE, components: new Map(), activity: 'Installing.' },
  READY,
  2,
);

function notes(outcome: Outcome, previous?: OperatorStatus, generation = 1): string[] {
  return eventsOf(outcome, { generation, previous }).map(
    ({ type, reason, note }) => `${type} ${reason}: ${note}`,
  );
}

describe('eventsOf', () => {
  const edited = changeOf(ISTIOD, {
    action: 'configured',
    fields: ['spec.replicas'],
    changedBy: ['kubectl-scale'],
  });

  it('tells of the first installation, once it is ready', () => {
    expect(notes(readyAfter([changeOf(ISTIOD)]))).to.deep.equal([
      'Normal Installed: Istio 1.30.3 (profile demo) is installed and ready',
    ]);
  });

  it('tells of a change that took several looks to become ready', () => {
    expect(notes(readyAfter([]), NEW_SPEC, 2)).to.deep.equal([
      'Normal Updated: Istio 1.30.3 (profile demo) is up to date and ready',
    ]);
  });

  it('says nothing about an edit that changes nothing', () => {
    expect(notes(readyAfter([]), READY, 2)).to.deep.equal([]);
  });

  it('says nothing when everything was ready and is', () => {
    expect(notes(readyAfter([changeOf(ISTIOD, { action: 'unchanged' })]), READY)).to.deep.equal([]);
  });

  it('tells which field drifted and who had changed it', () => {
    expect(notes(readyAfter([edited]), READY)).to.deep.equal([
      'Normal DriftRepaired: configured Deployment istio-system/istiod: spec.replicas (changed by kubectl-scale)',
    ]);
  });

  it('tells of a field that was taken away, which has no owner to name', () => {
    const stripped = changeOf(ISTIOD, { action: 'configured', fields: ['spec.ports'], drifted: true });

    expect(notes(readyAfter([stripped]), READY)).to.deep.equal([
      'Normal DriftRepaired: configured Deployment istio-system/istiod: spec.ports (changed by somebody)',
    ]);
    expect(notes(readyAfter([{ ...stripped, suspect: 'lens' }]), READY)).to.deep.equal([
      'Normal DriftRepaired: configured Deployment istio-system/istiod: spec.ports (changed by somebody, perhaps lens)',
    ]);
  });

  it('tells of a definition that was deleted, although no inventory has it', () => {
    const definition = { ...ISTIOD, apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };
    const back = (drifted?: true): Change => changeOf(definition, { ...(drifted && { drifted }) });

    expect(notes(readyAfter([back(true)]), READY)).to.deep.equal([
      'Normal DriftRepaired: created CustomResourceDefinition istio-system/istiod',
    ]);
    expect(notes(readyAfter([back()]), READY)).to.deep.equal([]);
  });

  it('says nothing about what a newer operator wants otherwise', () => {
    const newer = changeOf(ISTIOD, { action: 'configured', fields: ['spec.ports'] });

    expect(notes(readyAfter([newer]), READY)).to.deep.equal([]);
  });

  it('tells of a deleted object that came back although what depends on it is not ready yet', () => {
    const outcome: Outcome = {
      kind: 'progressing',
      remainingMs: 1_000,
      release: RELEASE,
      report: reportOf({ changes: [changeOf(ISTIOD)], components: { Pilot: ISTIOD_WAITS } }),
    };

    expect(notes(outcome, READY)).to.deep.equal([
      'Normal DriftRepaired: created Deployment istio-system/istiod',
    ]);
  });

  it('takes nothing for drift that was refused so far and never there', () => {
    const { uid: _uid, ...neverThere } = entryOf(ISTIOD);
    const refused = { ...READY, inventory: [neverThere] };

    expect(notes(readyAfter([changeOf(ISTIOD)]), refused)).to.deep.equal([]);
  });

  it('tells when what was lost is ready again', () => {
    expect(notes(readyAfter([]), LOST)).to.deep.equal([
      'Normal Recovered: Istio 1.30.3 (profile demo) is ready again',
    ]);
  });

  it('tells what was pruned', () => {
    const changes = [changeOf(GATEWAY, { action: 'pruned' }), changeOf(READER, { action: 'pruned' })];

    expect(notes(readyAfter(changes), NEW_SPEC, 2)).to.deep.equal([
      'Normal Pruned: Deleted 2 objects: pruned Deployment istio-system/istio-ingressgateway (and 1 more)',
      'Normal Updated: Istio 1.30.3 (profile demo) is up to date and ready',
    ]);
  });

  it('warns of a refused object, and does not forget what was changed before', () => {
    const outcome: Outcome = {
      kind: 'failed',
      release: RELEASE,
      report: reportOf({
        changes: [edited],
        components: { Pilot: { kind: 'failed', ref: refOf(ISTIOD), message: 'refused', retryable: false } },
      }),
    };

    expect(eventsOf(outcome, { generation: 1, previous: READY }).map(({ reason }) => reason)).to.deep.equal([
      'DriftRepaired',
      'ApplyFailed',
    ]);
  });

  it('keeps quiet about a conflict, which the next look settles', () => {
    const outcome: Outcome = {
      kind: 'interrupted',
      problem: { kind: 'conflict', message: 'changed' },
      changes: [],
    };

    expect(notes(outcome, READY)).to.deep.equal([]);
  });

  it('says how an administrator deletes what the operator may not', () => {
    const administeredFor = { name: 'mesh', namespace: 'istio-system' };

    expect(notes({ kind: 'deleted', left: 0, administeredFor }, READY)).to.deep.equal([
      `Normal Deleted: What the operator applied is deleted; what an administrator applied stays, its webhooks too. Delete it with: ${administratorDeletion(administeredFor)}`,
    ]);
  });

  it('says what was left behind on purpose', () => {
    expect(notes({ kind: 'deleted', left: 3 }, READY)).to.deep.equal([
      'Normal Deleted: 3 objects stay as they are, and nobody looks after them any more',
    ]);
  });
});

describe('driftOf', () => {
  const before = { generation: 1, previous: READY };

  it('counts no change of a new specification as drift', () => {
    expect(driftOf([changeOf(ISTIOD)], { generation: 2, previous: READY })).to.deep.equal([]);
  });

  it('counts no object as drift that was not ours', () => {
    expect(driftOf([changeOf(owned('Service', 'new'))], before)).to.deep.equal([]);
  });

  it('counts no change as drift that nobody else made: the operator itself is newer', () => {
    expect(
      driftOf([changeOf(ISTIOD, { action: 'configured', fields: ['spec.template'] })], before),
    ).to.deep.equal([]);
  });

  it('counts objects of the inventory that had to be created again', () => {
    expect(driftOf([changeOf(ISTIOD), changeOf(GATEWAY, { action: 'pruned' })], before)).to.have.length(1);
    expect(INVENTORY).to.have.length(3);
  });
});
