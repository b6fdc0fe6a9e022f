import { expect } from 'chai';
import { printDiagnostic } from '../model/diagnostic.ts';
import { RUN_OPTIONS } from './options.ts';
import type { Settings, SettingsSource } from './settings.ts';
import { readSettings } from './settings.ts';

function settingsOf(source: Partial<SettingsSource> = {}): Settings {
  const result = readSettings({ flags: {}, env: {}, ...source });
  if (result.kind === 'invalid') throw new Error(result.problems.map(printDiagnostic).join('\n'));
  return result.settings;
}

function problemsOf(source: Partial<SettingsSource>): readonly string[] {
  const result = readSettings({ flags: {}, env: {}, ...source });
  return result.kind === 'invalid' ? result.problems.map(printDiagnostic) : [];
}

describe('readSettings', () => {
  it('has a default for everything', () => {
    expect(settingsOf()).to.deep.equal({
      watchedNamespaces: [],
      operatorNamespace: '',
      podName: undefined,
      profilesDir: undefined,
      revision: '',
      readinessTimeoutMs: 300_000,
      maxConcurrentReconciles: 4,
      hardened: 'false',
      leaderElection: 'auto',
      leaseMs: 15_000,
      leaseRenewDeadlineMs: 10_000,
      leaseRetryMs: 2_000,
      monitoringHost: '0.0.0.0',
      monitoringPort: 8_383,
      healthHost: '0.0.0.0',
      healthPort: 8_383,
      logLevel: 'info',
      kubeconfig: undefined,
      context: undefined,
      leaseName: 'istio-operator-lock',
      leaseNamespace: undefined,
    });
  });

  for (const [what, flags] of [
    ['renews its lease only after it has run out', { 'leader-elect-lease-duration': '10s' }],
    ['tries again only after its time is over', { 'leader-elect-retry-period': '10s' }],
  ] as const) {
    it(`refuses a leader that ${what}`, () => {
      expect(problemsOf({ flags })).to.deep.equal([
        'IOP601 --leader-elect-renew-deadline: a leader with these times could act after another one took over. ' +
          'The retry period must be shorter than the renew deadline, and that shorter than the lease duration.',
      ]);
    });
  }

  it('reads the variables of the old operator', () => {
    const env = {
      WATCH_NAMESPACE: 'a,b',
      LEADER_ELECTION_NAMESPACE: 'istio-operator',
      POD_NAME: 'istio-operator-0',
      REVISION: '1-30-3',
      WAIT_FOR_RESOURCES_TIMEOUT: '5m',
    };

    expect(settingsOf({ env })).to.deep.include({
      watchedNamespaces: ['a', 'b'],
      operatorNamespace: 'istio-operator',
      podName: 'istio-operator-0',
      revision: '1-30-3',
      readinessTimeoutMs: 300_000,
      leaseNamespace: 'istio-operator',
      leaseName: 'istio-operator-lock-1-30-3',
    });
  });

  it('lets a flag win over variables, and the first variable over the next', () => {
    const env = { LEADER_ELECTION_NAMESPACE: 'first', POD_NAMESPACE: 'second', LOG_LEVEL: 'warn' };

    const settings = settingsOf({ env, flags: { 'log-level': 'debug' } });

    expect([settings.operatorNamespace, settings.logLevel]).to.deep.equal(['first', 'debug']);
  });

  it('takes an empty variable for none, but an empty flag for what it says', () => {
    const env = { LEADER_ELECTION_NAMESPACE: '', POD_NAMESPACE: 'pod', WATCH_NAMESPACE: 'a' };

    const settings = settingsOf({ env, flags: { 'watched-namespaces': '' } });

    expect([settings.operatorNamespace, settings.watchedNamespaces]).to.deep.equal(['pod', []]);
  });

  it('reports every value that cannot be read, with where it stands', () => {
    const problems = problemsOf({
      env: { WAIT_FOR_RESOURCES_TIMEOUT: '300', LOG_LEVEL: 'loud' },
      flags: { 'monitoring-port': '99999' },
    });

    expect(problems).to.deep.equal([
      'IOP601 WAIT_FOR_RESOURCES_TIMEOUT: "300" cannot be read. Expected a duration such as 300s, 5m or 1h30m.',
      'IOP601 --monitoring-port: "99999" cannot be read. Expected a whole number from 0 to 65535.',
      'IOP601 LOG_LEVEL: "loud" cannot be read. Expected one of error, warn, info, debug.',
    ]);
  });

  it('reports flags that do not exist', () => {
    expect(problemsOf({ flags: { 'watch-namespaces': 'a' } })).to.deep.equal([
      'IOP601 --watch-namespaces: there is no such flag. See istio-operator run --help.',
    ]);
  });

  it('elects no leader when told so', () => {
    const settings = settingsOf({ env: { POD_NAMESPACE: 'a' }, flags: { 'leader-elect': 'false' } });

    expect(settings.leaseNamespace).to.equal(undefined);
  });

  it('cannot elect a leader without a namespace for the lease', () => {
    expect(problemsOf({ flags: { 'leader-elect': 'true' } })).to.deep.equal([
      'IOP601 --leader-elect: a leader cannot be elected without the namespace of the operator. ' +
        'Set POD_NAMESPACE or --operator-namespace, or use --leader-elect=false.',
    ]);
  });

  it('gives settings that cannot be changed', () => {
    expect(Object.isFrozen(settingsOf())).to.equal(true);
  });
});

describe('RUN_OPTIONS', () => {
  it('names each flag and each variable once, and describes it', () => {
    const options = Object.values(RUN_OPTIONS);
    const names = options.flatMap(({ flag, env }) => [flag, ...env]);

    expect(new Set(names)).to.have.property('size', names.length);
    for (const { description } of options) expect(description).to.match(/^[A-Z].*[^.]$/);
  });
});
