import { expect } from 'chai';
import fc from 'fast-check';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { Outcome, Release } from '../model/outcome.ts';
import { releaseOf } from '../model/outcome.ts';
import type { ComponentResult } from '../model/report.ts';
import { refOf } from '../model/object.ts';
import type { Condition, OperatorStatus, PendingPlan } from '../model/status.ts';
import { conditionOf } from './resource.ts';
import { rfc3339, statusOf } from './status.ts';
import { brokenInvariants, brokenTransitions } from './status-invariants.ts';
import type { Phase } from './verdict.ts';
import {
  GATEWAY,
  GATEWAY_SKIPPED,
  INVENTORY,
  ISTIOD,
  ISTIOD_WAITS,
  entryOf,
  planOf,
  reportOf,
} from './testing/builders.ts';

const RELEASE = releaseOf(planOf());
const NOON = '2026-01-01T12:00:00Z';
const LATER = '2026-01-01T13:00:00Z';

const UNKNOWN_PROFILE: Diagnostic = {
  code: 'IOP101',
  severity: 'error',
  path: 'spec.profile',
  cause: '"dmeo" is not a profile',
  remedy: 'Use "demo".',
};

const UNKNOWN_LINE: Diagnostic = {
  code: 'IOP212',
  severity: 'error',
  path: 'status.version',
  cause: 'this operator does not install Istio 1.27',
  remedy: 'Choose a release of 1.28.',
};

const SKIPPED_MINOR: Diagnostic = {
  code: 'IOP214',
  severity: 'error',
  path: 'spec.tag',
  cause: '1.28.10 is installed, and 1.30.3 skips a minor version',
  remedy: 'Go to 1.29 first.',
};

const REFUSED: ComponentResult = {
  kind: 'failed',
  ref: refOf(ISTIOD),
  message: 'Deployment istio-system/istiod: spec.replicas must not be negative. Correct it',
  retryable: false,
};

const BUSY: ComponentResult = { ...REFUSED, message: 'the API server is overloaded', retryable: true };

const ADMINISTERED: ComponentResult = {
  kind: 'failed',
  ref: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'istiod' },
  message: 'ClusterRole istiod: it is missing',
  retryable: false,
  administered: true,
};

const PENDING: PendingPlan = { hash: 'abcd', create: 3, configure: 1, prune: 0, unchanged: 40, refused: 1 };

const PHASES = {
  working: {
    kind: 'working',
    release: RELEASE,
    components: new Map([['Base', { kind: 'working' }]]),
    activity: 'Installing.',
  },
  ready: { kind: 'ready', release: RELEASE, report: reportOf() },
  progressing: {
    kind: 'progressing',
    remainingMs: 1_000,
    release: RELEASE,
    report: reportOf({ components: { Pilot: ISTIOD_WAITS, IngressGateways: GATEWAY_SKIPPED } }),
  },
  notReady: {
    kind: 'notReady',
    release: RELEASE,
    report: reportOf({ components: { Pilot: ISTIOD_WAITS, IngressGateways: GATEWAY_SKIPPED } }),
    timeoutMs: 300_000,
  },
  refused: {
    kind: 'failed',
    release: RELEASE,
    report: reportOf({ components: { Pilot: REFUSED, IngressGateways: GATEWAY_SKIPPED } }),
  },
  busy: {
    kind: 'failed',
    release: RELEASE,
    report: reportOf({ components: { Pilot: BUSY, IngressGateways: GATEWAY_SKIPPED } }),
  },
  awaitingAdministrator: {
    kind: 'awaitingAdministrator',
    release: RELEASE,
    report: reportOf({ components: { Pilot: ADMINISTERED, IngressGateways: GATEWAY_SKIPPED } }),
    owner: { name: 'demo', namespace: 'istio-system' },
  },
  pruneFailed: {
    kind: 'pruneFailed',
    release: RELEASE,
    report: reportOf({ pruneFailures: [{ ref: refOf(GATEWAY), message: 'forbidden' }] }),
  },
  disputed: {
    kind: 'disputed',
    release: RELEASE,
    report: reportOf(),
    disputes: [{ ref: refOf(ISTIOD), field: 'spec.replicas', managers: ['keda'], retryInMs: 60_000 }],
  },
  contested: {
    kind: 'contested',
    release: RELEASE,
    contested: [{ ref: refOf(ISTIOD), holder: 'istio-system/first' }],
  },
  invalid: { kind: 'invalid', diagnostics: [UNKNOWN_PROFILE] },
  unsupported: { kind: 'unsupported', line: '1.27', diagnostics: [UNKNOWN_LINE] },
  upgradeRefused: { kind: 'upgradeRefused', release: RELEASE, diagnostics: [SKIPPED_MINOR] },
  forbidden: { kind: 'interrupted', problem: { kind: 'forbidden', message: 'may not patch' }, changes: [] },
  unavailable: { kind: 'interrupted', problem: { kind: 'unavailable', message: 'no answer' }, changes: [] },
  dryRun: { kind: 'dryRun', release: RELEASE, plan: { ...PENDING, problem: 'forbidden' } },
  awaitingApproval: {
    kind: 'awaitingApproval',
    release: RELEASE,
    plan: { ...PENDING, configMap: 'istio-operator-plan-demo' },
    owner: { name: 'demo', namespace: 'istio-system' },
    approved: 'fedc',
  },
  paused: { kind: 'paused' },
  ignored: { kind: 'ignored', revision: '', operatorRevision: 'canary', attention: 'none' },
  deleting: { kind: 'deleting', remaining: [], inventory: INVENTORY },
  deletionBlocked: {
    kind: 'deletionBlocked',
    remaining: [{ ref: refOf(ISTIOD), reason: 'the finalizer example.com/hold keeps it' }],
    inventory: [entryOf(ISTIOD)],
  },
  inUse: {
    kind: 'inUse',
    usage: {
      kind: 'used',
      revision: 'canary',
      count: { pods: 3, namespaces: [{ name: 'shop', pods: 3 }], moreNamespaces: 2 },
      tags: ['prod'],
    },
    inventory: [entryOf(ISTIOD)],
  },
} as const satisfies Record<string, Phase>;

function statusAfter(phase: Phase, previous?: OperatorStatus, generation = 1, now = NOON): OperatorStatus {
  return statusOf({ generation, phase, previous, now });
}

/** `True Installed` for each condition. */
function claims(status: OperatorStatus): string[] {
  return status.conditions.map(({ status: value, reason }) => `${value} ${reason}`);
}

describe('statusOf', () => {
  /** Ready, Reconciling, Stalled, Valid, Applied. */
  const table: Record<keyof typeof PHASES, [string, string[]]> = {
    working: [
      'RECONCILING',
      ['False Progressing', 'True Progressing', 'False NotStalled', 'True Valid', 'Unknown Incomplete'],
    ],
    ready: [
      'HEALTHY',
      ['True Installed', 'False Settled', 'False NotStalled', 'True Valid', 'True AllApplied'],
    ],
    progressing: [
      'RECONCILING',
      ['False Progressing', 'True Progressing', 'False NotStalled', 'True Valid', 'False Incomplete'],
    ],
    notReady: [
      'ERROR',
      ['False NotReady', 'True NotReady', 'False NotStalled', 'True Valid', 'False Incomplete'],
    ],
    refused: [
      'ERROR',
      ['False ApplyFailed', 'False Settled', 'True ApplyFailed', 'True Valid', 'False ApplyFailed'],
    ],
    busy: [
      'ERROR',
      ['False ApplyFailed', 'True ApplyFailed', 'False NotStalled', 'True Valid', 'False ApplyFailed'],
    ],
    awaitingAdministrator: [
      'ACTION_REQUIRED',
      [
        'False AwaitingAdministrator',
        'False Settled',
        'True AwaitingAdministrator',
        'True Valid',
        'False AwaitingAdministrator',
      ],
    ],
    pruneFailed: [
      'ERROR',
      ['False PruneFailed', 'True PruneFailed', 'False NotStalled', 'True Valid', 'True AllApplied'],
    ],
    disputed: ['ERROR', ['False Disputed', 'False Settled', 'True Disputed', 'True Valid', 'False Disputed']],
    contested: [
      'ERROR',
      ['False Contested', 'False Settled', 'True Contested', 'True Valid', 'Unknown NotChecked'],
    ],
    invalid: [
      'ERROR',
      ['False InvalidSpec', 'False Settled', 'True InvalidSpec', 'False InvalidSpec', 'Unknown NotChecked'],
    ],
    unsupported: [
      'ERROR',
      [
        'False UnsupportedRelease',
        'False Settled',
        'True UnsupportedRelease',
        'False UnsupportedRelease',
        'Unknown NotChecked',
      ],
    ],
    upgradeRefused: [
      'ERROR',
      [
        'False UpgradeRefused',
        'False Settled',
        'True UpgradeRefused',
        'False UpgradeRefused',
        'Unknown NotChecked',
      ],
    ],
    forbidden: [
      'ERROR',
      [
        'False InsufficientPermissions',
        'False Settled',
        'True InsufficientPermissions',
        'Unknown NotChecked',
        'Unknown NotChecked',
      ],
    ],
    unavailable: [
      'ERROR',
      [
        'False ClusterUnavailable',
        'True ClusterUnavailable',
        'False NotStalled',
        'Unknown NotChecked',
        'Unknown NotChecked',
      ],
    ],
    dryRun: [
      'NONE',
      ['Unknown DryRun', 'False Settled', 'False NotStalled', 'True Valid', 'Unknown NotChecked'],
    ],
    awaitingApproval: [
      'ACTION_REQUIRED',
      [
        'False AwaitingApproval',
        'False Settled',
        'True AwaitingApproval',
        'True Valid',
        'Unknown NotChecked',
      ],
    ],
    paused: [
      'NONE',
      ['Unknown Paused', 'False Settled', 'False NotStalled', 'Unknown NotChecked', 'Unknown NotChecked'],
    ],
    ignored: [
      'NONE',
      [
        'Unknown IgnoredRevision',
        'False Settled',
        'False NotStalled',
        'Unknown NotChecked',
        'Unknown NotChecked',
      ],
    ],
    deleting: [
      'RECONCILING',
      ['False Deleting', 'True Deleting', 'False NotStalled', 'Unknown NotChecked', 'Unknown NotChecked'],
    ],
    deletionBlocked: [
      'ERROR',
      [
        'False DeletionBlocked',
        'True DeletionBlocked',
        'False NotStalled',
        'Unknown NotChecked',
        'Unknown NotChecked',
      ],
    ],
    inUse: [
      'ACTION_REQUIRED',
      [
        'False RevisionInUse',
        'True RevisionInUse',
        'False NotStalled',
        'Unknown NotChecked',
        'Unknown NotChecked',
      ],
    ],
  };

  for (const [cause, reason] of [
    ['object', 'ApplyFailed'],
    ['rights', 'InsufficientPermissions'],
    ['admission', 'AdmissionRefused'],
    ['webhook', 'WebhookUnavailable'],
    ['quota', 'QuotaExceeded'],
    ['server', 'ClusterUnavailable'],
  ] as const) {
    it(`gives ${reason} as the reason when the cause of a failure is: ${cause}`, () => {
      const failing: ComponentResult = { ...BUSY, cause };

      const status = statusAfter({ ...PHASES.busy, report: reportOf({ components: { Pilot: failing } }) });

      expect(conditionOf(status, 'Ready')?.reason).to.equal(reason);
      expect(conditionOf(status, 'Applied')?.reason).to.equal(reason);
    });
  }

  it('says first which pods are refused, early and late', () => {
    const waitingFor = [
      { ref: refOf(ISTIOD), reason: '0 of 1 pods are available' },
      { ref: refOf(GATEWAY), reason: 'exceeded quota', refused: true },
    ] as const;
    const report = reportOf({ components: { IngressGateways: { kind: 'notReady', waitingFor } } });

    const early = statusAfter({ ...PHASES.progressing, report });
    const late = statusAfter({ ...PHASES.notReady, report });

    expect(
      [early, late].map((status) => [status.status, conditionOf(status, 'Ready')?.reason]),
    ).to.deep.equal([
      ['RECONCILING', 'PodsRefused'],
      ['ERROR', 'PodsRefused'],
    ]);
    expect(early.message).to.match(/^Waiting for .*istio-ingressgateway: exceeded quota \(and 1 more\)\.$/);
    expect(late.message).to.contain('kubectl describe deployment istio-ingressgateway');
  });

  it('tells an injection conflict for as long as it lasts, and keeps it while nothing is known of it', () => {
    const faults = [
      { reason: 'DanglingTag', message: 'Tag "prod" points to nothing. Remove it.' },
      { reason: 'TagHeld', message: 'Tag "next" is held. Take it.' },
    ] as const;
    const ready = (injectionFaults: Release['injectionFaults'] = []): Phase => ({
      ...PHASES.ready,
      release: { ...RELEASE, injectionFaults },
    });
    const conflictOf = (status: OperatorStatus): string[] =>
      status.conditions
        .filter(({ type }) => type === 'InjectionConflict')
        .map(({ reason, message, observedGeneration }) => `${observedGeneration} ${reason}: ${message}`);

    const found = statusAfter(ready(faults));
    const meanwhile = statusAfter(PHASES.invalid, found, 2);
    const solved = statusAfter(ready(), meanwhile, 2);

    const text = 'DanglingTag: Tag "prod" points to nothing. Remove it. Tag "next" is held. Take it.';
    expect([conflictOf(found), conflictOf(meanwhile), conflictOf(solved)]).to.deep.equal([
      [`1 ${text}`],
      [`2 ${text}`],
      [],
    ]);
    expect(brokenInvariants(found, 1)).to.deep.equal([]);
  });

  it('says who uses which control plane until nobody asks any more', () => {
    const dataPlane = {
      revisions: [{ revision: 'default', pods: 1, namespaces: [{ name: 'shop', pods: 1 }] }],
    };
    const ready = (known: Release['dataPlane']): Phase => ({
      ...PHASES.ready,
      release: { ...RELEASE, ...(known === undefined ? {} : { dataPlane: known }) },
    });

    const counted = statusAfter(ready(dataPlane));
    const meanwhile = statusAfter(PHASES.working, counted);

    expect([counted.dataPlane, meanwhile.dataPlane]).to.deep.equal([dataPlane, dataPlane]);
    expect(statusAfter(ready('unasked'), meanwhile)).to.not.have.property('dataPlane');
  });

  for (const [name, [legacy, conditions]] of Object.entries(table)) {
    it(`gives ${legacy} and its conditions for ${name}`, () => {
      const status = statusAfter(PHASES[name as keyof typeof PHASES]);

      expect(status.status).to.equal(legacy);
      expect(claims(status)).to.deep.equal(conditions);
      expect(brokenInvariants(status, 1)).to.deep.equal([]);
    });
  }

  const messages: Partial<Record<keyof typeof PHASES, string>> = {
    ready: 'Istio 1.30.3 (profile demo) is installed; 3 components are ready.',
    progressing: 'Waiting for Pilot: Deployment istio-system/istiod: 0 of 1 pods are available.',
    notReady:
      'Not ready after 5m0s: Pilot: Deployment istio-system/istiod: 0 of 1 pods are available. See what keeps it with: kubectl describe deployment istiod -n istio-system',
    refused: 'Pilot: Deployment istio-system/istiod: spec.replicas must not be negative. Correct it.',
    contested:
      'Deployment istio-system/istiod belongs to IstioOperator istio-system/first. Remove it from one of the two resources, or give this one a revision of its own.',
    invalid: 'IOP101 spec.profile: "dmeo" is not a profile. Use "demo".',
    ignored:
      'This operator serves revision canary, the resource is of the default revision; run an operator for it, or change spec.revision.',
    deleting: 'Deleting 3 objects.',
    deletionBlocked:
      'Not deleted: Deployment istio-system/istiod: the finalizer example.com/hold keeps it. Remove what holds it, or annotate the resource with install.istio.io/deletion-policy: Orphan to leave everything.',
    inUse:
      'Not deleted: Revision canary is used by the revision tag "prod" and 3 pods: 3 in shop, and in 2 more namespaces. Move them to another revision and restart them, or annotate the resource with install.istio.io/force-removal: "true".',
  };
  for (const [name, message] of Object.entries(messages)) {
    it(`says in one sentence what ${name} means and what to do`, () => {
      expect(statusAfter(PHASES[name as keyof typeof PHASES]).message).to.equal(message);
    });
  }

  it('lists exactly the components of the plan, with the version that each is installed in', () => {
    const before = statusAfter(PHASES.ready);
    const next = { ...RELEASE, version: '1.31.0' };

    const status = statusAfter({ ...PHASES.notReady, release: next }, before, 2);

    expect(status.componentStatus).to.deep.equal({
      Base: { status: 'HEALTHY', version: '1.31.0' },
      Pilot: {
        status: 'ERROR',
        version: '1.30.3',
        error: 'Deployment istio-system/istiod: 0 of 1 pods are available',
      },
      IngressGateways: { status: 'HEALTHY', version: '1.30.3' },
    });
  });

  it('drops a component that the plan does not have any more', () => {
    const smaller = { ...RELEASE, components: ['Base', 'Pilot'] as const };

    const status = statusAfter({ ...PHASES.ready, release: smaller }, statusAfter(PHASES.ready), 2);

    expect(Object.keys(status.componentStatus)).to.deep.equal(['Base', 'Pilot']);
  });

  it('leaves an installation healthy that only another operator could plan', () => {
    const installed = { ...statusAfter(PHASES.ready), version: '1.27.3' };

    const status = statusAfter(PHASES.unsupported, installed);

    expect(status.status).to.equal('HEALTHY');
    expect(status.message).to.equal(
      'Istio 1.27.3 stays as it is, and nobody looks after it: IOP212 status.version: this operator does not install Istio 1.27. Choose a release of 1.28.',
    );
    expect(claims(status)).to.deep.equal([
      'True UnsupportedRelease',
      'False Settled',
      'False NotStalled',
      'Unknown UnsupportedRelease',
      'Unknown NotChecked',
    ]);
    expect(status.version).to.equal('1.27.3');
    expect(status.inventory).to.deep.equal(installed.inventory);
    expect(brokenInvariants(status, 1)).to.deep.equal([]);
  });

  it('is an error when a line is wanted that is neither known nor installed', () => {
    const status = statusAfter(PHASES.unsupported, statusAfter(PHASES.ready), 2);

    expect(status.status).to.equal('ERROR');
    expect(status.version).to.equal('1.30.3');
  });

  it('keeps the version that is installed until the next one is ready', () => {
    const installed = statusAfter(PHASES.ready);
    const next = { ...RELEASE, version: '1.31.0', profile: 'minimal', revision: 'canary' };

    const during = statusAfter({ ...PHASES.working, release: next }, installed, 2);
    const after = statusAfter({ ...PHASES.ready, release: next }, during, 2);

    expect([during.version, during.profile, during.revision]).to.deep.equal(['1.30.3', 'minimal', 'canary']);
    expect([after.version, after.profile, after.revision]).to.deep.equal(['1.31.0', 'minimal', 'canary']);
  });

  it('keeps components and inventory when the new specification is invalid', () => {
    const installed = statusAfter(PHASES.ready);

    const status = statusAfter(PHASES.invalid, installed, 2);

    expect(status.componentStatus).to.deep.equal(installed.componentStatus);
    expect(status.inventory).to.deep.equal(INVENTORY);
  });

  it('moves the time of a condition only when its status changes', () => {
    const installing = statusAfter(PHASES.progressing);
    const ready = statusAfter(PHASES.ready, installing, 1, LATER);

    const times = Object.fromEntries(
      ready.conditions.map((condition) => [condition.type, condition.lastTransitionTime]),
    );

    expect(times).to.deep.equal({
      Ready: LATER,
      Reconciling: LATER,
      Stalled: NOON,
      Valid: NOON,
      Applied: LATER,
    });
  });

  it('does not let a time go back when another replica had a clock that is ahead', () => {
    const ahead = statusAfter(PHASES.progressing, undefined, 1, LATER);

    const status = statusAfter(PHASES.ready, ahead, 1, NOON);

    expect(conditionOf(status, 'Ready')?.lastTransitionTime).to.equal(LATER);
  });

  it('tells restoring what was ready from rolling out', () => {
    const ready = statusAfter(PHASES.ready);

    const lost = statusAfter(PHASES.progressing, ready);
    const stillLost = statusAfter(PHASES.progressing, lost);
    const changed = statusAfter(PHASES.progressing, ready, 2);

    const reasons = [lost, stillLost, changed].map((status) => conditionOf(status, 'Ready')?.reason);
    expect(reasons).to.deep.equal(['Recovering', 'Recovering', 'Progressing']);
  });

  it('shows the warnings of a valid specification', () => {
    const warned = { ...RELEASE, warnings: [{ ...UNKNOWN_PROFILE, severity: 'warning' as const }] };

    const status = statusAfter({ ...PHASES.ready, release: warned });

    expect(conditionOf(status, 'Valid')?.message).to.equal(
      'The specification could be planned; IOP101 spec.profile: "dmeo" is not a profile. Use "demo".',
    );
  });

  it('tells that monitors are missing as long as the cluster does not serve their kinds', () => {
    const lacking = { ...RELEASE, missingKinds: ['PodMonitor'] };
    const told = statusAfter({ ...PHASES.ready, release: lacking });

    const unplanned = statusAfter(PHASES.unavailable, told, 2);
    const served = statusAfter(PHASES.ready, unplanned, 2);

    const present = [told, unplanned, served].map((status) => conditionOf(status, 'MonitoringCRDsMissing'));
    expect(present.map((condition) => condition?.observedGeneration)).to.deep.equal([1, 2, undefined]);
    expect(present[0]).to.deep.include({ status: 'True', reason: 'KindNotServed' });
    expect(present[0]?.message).to.contain('PodMonitor');
  });

  it('lists the images of what was planned last', () => {
    const planned = statusAfter({ ...PHASES.ready, release: { ...RELEASE, images: ['hub/pilot:1'] } });

    const interrupted = statusAfter(PHASES.unavailable, planned);

    expect([planned.images, interrupted.images]).to.deep.equal([['hub/pilot:1'], ['hub/pilot:1']]);
  });

  it('cuts what others may have made as long as they liked', () => {
    const endless: ComponentResult = { ...REFUSED, message: 'x'.repeat(100_000) };

    const status = statusAfter({ ...PHASES.refused, report: reportOf({ components: { Pilot: endless } }) });

    expect(JSON.stringify(status).length).to.be.lessThan(10_000);
  });
});

describe('status invariants', () => {
  it('hold after any sequence of outcomes and edits, and so do those of the transitions', () => {
    const phases: readonly Phase[] = Object.values(PHASES);
    const step = fc.record({
      phase: fc.constantFrom(...phases),
      isEdited: fc.boolean(),
      passedMs: fc.integer({ min: 0, max: 100_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
        let previous: OperatorStatus | undefined;
        let generation = 1;
        let nowMs = Date.UTC(2026, 0, 1);
        for (const { phase, isEdited, passedMs } of steps) {
          generation += isEdited ? 1 : 0;
          nowMs += passedMs;
          const status = statusOf({ generation, phase, previous, now: rfc3339(nowMs) });
          expect(brokenInvariants(status, generation)).to.deep.equal([]);
          if (previous !== undefined) expect(brokenTransitions(previous, status)).to.deep.equal([]);
          previous = status;
        }
      }),
    );
  });

  it('give an equal status for an equal phase, whatever the time: nothing is written at rest', () => {
    for (const phase of Object.values(PHASES)) {
      const once = statusAfter(phase);
      expect(statusAfter(phase, once, 1, LATER)).to.deep.equal(once);
    }
  });

  it('notice each kind of unsound status', () => {
    const ready = statusAfter(PHASES.ready);
    const invalid = statusAfter(PHASES.invalid);
    const paused = statusAfter(PHASES.paused);
    const unsound: Record<string, OperatorStatus> = {
      S001: { ...ready, conditions: ready.conditions.slice(1) },
      S002: withCondition(ready, 'Stalled', { status: 'True' }),
      S003: { ...ready, observedGeneration: 2 },
      S004: { ...ready, status: 'RECONCILING' },
      S005: withCondition(ready, 'Valid', { reason: 'not camel case' }),
      S006: withCondition(invalid, 'Reconciling', { status: 'True' }),
      S007: { ...ready, message: '' },
      S008: withCondition(invalid, 'Stalled', { status: 'False' }),
      S009: { ...ready, componentStatus: { Pilot: { status: 'ERROR' } } },
      S010: { ...ready, componentStatus: { Pilot: { status: 'HEALTHY', version: '1.0.0' } } },
      S011: withCondition(ready, 'Applied', { status: 'False' }),
      S012: withCondition(ready, 'Valid', { status: 'False' }),
      S013: { ...paused, status: 'ERROR' },
      S014: { ...ready, inventory: [entryOf(ISTIOD), entryOf(ISTIOD)] },
    };

    for (const [code, status] of Object.entries(unsound)) {
      const broken = brokenInvariants(status, 1).map((text) => text.slice(0, 4));
      expect(broken, code).to.include(code);
    }
  });

  it('notice unsound transitions', () => {
    const first = statusAfter(PHASES.ready, undefined, 2, LATER);
    const second = statusAfter(PHASES.ready, undefined, 1, NOON);

    const broken = new Set(brokenTransitions(first, second).map((text) => text.slice(0, 4)));

    expect([...broken]).to.deep.equal(['S101', 'S102', 'S103']);
  });

  function withCondition(
    status: OperatorStatus,
    type: Condition['type'],
    change: Partial<Condition>,
  ): OperatorStatus {
    const conditions = status.conditions.map((condition) =>
      condition.type === type ? { ...condition, ...change } : condition,
    );
    return { ...status, conditions };
  }
});

// Outcomes and phases must not drift apart: whatever can be told has a row in the table above.
type Untold = 'stopped' | 'absent' | 'deleted';
const covered: Record<Exclude<Outcome['kind'], Untold>, true> = {
  ready: true,
  progressing: true,
  notReady: true,
  failed: true,
  pruneFailed: true,
  disputed: true,
  contested: true,
  invalid: true,
  unsupported: true,
  upgradeRefused: true,
  interrupted: true,
  paused: true,
  dryRun: true,
  awaitingApproval: true,
  awaitingAdministrator: true,
  ignored: true,
  deleting: true,
  deletionBlocked: true,
  inUse: true,
};

describe('the table of phases', () => {
  it('covers every outcome that can be told', () => {
    const kinds = new Set<string>(Object.values(PHASES).map((phase) => phase.kind));

    expect(Object.keys(covered).filter((kind) => !kinds.has(kind))).to.deep.equal([]);
  });
});
