import { expect } from 'chai';
import { releaseOf } from '../model/outcome.ts';
import type { OperatorStatus } from '../model/status.ts';
import { Progress } from './progress.ts';
import { statusOf } from './status.ts';
import type { Phase, Working } from './verdict.ts';
import { GATEWAY, ISTIOD, ISTIOD_WAITS, changeOf, planOf, reportOf } from './testing/builders.ts';

const RELEASE = releaseOf(planOf());
const READY = status({ kind: 'ready', release: RELEASE, report: reportOf() });
const HALF_WAY = status({
  kind: 'progressing',
  release: RELEASE,
  report: reportOf({ components: { Pilot: ISTIOD_WAITS } }),
  remainingMs: 1_000,
});

function status(phase: Phase): OperatorStatus {
  return statusOf({ generation: 1, phase, previous: undefined, now: '2026-01-01T00:00:00Z' });
}

/** What a run shows, as `activity [components that it says something about]`. */
function following(
  previous: OperatorStatus | undefined,
  generation = 1,
): { progress: Progress; shown: string[] } {
  const shown: string[] = [];
  const show = ({ activity, components }: Working): void => {
    const known = [...components].map(([name, { kind }]) => `${name} ${kind}`);
    shown.push(`${activity} [${known.join(', ')}]`);
  };
  const progress = new Progress(
    { show, changed: () => undefined },
    { plan: planOf(), release: releaseOf(planOf()) },
    { generation, previous },
  );
  return { progress, shown };
}

describe('Progress', () => {
  it('shows each step of a new specification', () => {
    const { progress, shown } = following(READY, 2);

    progress.announce();
    progress.componentStarted('Base');
    progress.componentFinished('Base', { kind: 'ready' });

    expect(shown).to.deep.equal([
      'Installing Istio 1.30.3 (profile demo): 0 of 3 components ready. []',
      'Installing Istio 1.30.3 (profile demo): 0 of 3 components ready. [Base working]',
      'Installing Istio 1.30.3 (profile demo): 1 of 3 components ready. [Base ready]',
    ]);
  });

  it('shows nothing of a look that finds nothing to do', () => {
    const { progress, shown } = following(READY);

    progress.announce();
    progress.componentStarted('Base');
    progress.changed(changeOf(ISTIOD, { action: 'unchanged' }));
    progress.componentFinished('Base', { kind: 'ready' });

    expect(shown).to.deep.equal([]);
  });

  it('shows what it restores, from the first change on', () => {
    const { progress, shown } = following(READY);

    progress.changed(changeOf(ISTIOD));
    progress.componentFinished('Pilot', { kind: 'ready' });

    expect(shown).to.deep.equal([
      'Restoring: created Deployment istio-system/istiod. [Pilot working]',
      'Restoring: created Deployment istio-system/istiod. [Pilot ready]',
    ]);
  });

  it('goes on installing, not restoring, in a later look at what is being rolled out', () => {
    const { progress, shown } = following(HALF_WAY);

    progress.announce();
    progress.componentStarted('Base');
    progress.changed(changeOf(GATEWAY));

    expect(shown).to.deep.equal([
      'Installing Istio 1.30.3 (profile demo): 0 of 3 components ready. [IngressGateways working]',
    ]);
  });

  it('tells at once that a component came ready, and does not repeat what waits', () => {
    const { progress, shown } = following(HALF_WAY);

    progress.componentFinished('Base', { kind: 'ready' });
    progress.componentFinished('Pilot', ISTIOD_WAITS);
    progress.componentFinished('Pilot', { kind: 'ready' });

    expect(shown).to.deep.equal([
      'Installing Istio 1.30.3 (profile demo): 2 of 3 components ready. [Base ready, Pilot ready]',
    ]);
  });

  it('says what will be ours even when it shows nothing', () => {
    const { progress } = following(READY);

    expect(progress.withInventory([]).inventory).to.deep.equal([]);
  });
});
