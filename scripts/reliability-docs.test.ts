import { expect } from 'chai';
import { PROOFS } from '../e2e/faults/proofs.ts';
import { reliabilityPage } from './reliability-docs.ts';

describe('reliabilityPage', () => {
  const { crashes } = PROOFS;

  it('puts what was counted beside the target, and says when it was missed', () => {
    const figure = {
      counts: { plans: 40, differences: 0 },
      isMet: false,
      tier: 1,
      seed: 7,
      date: '2026-11-21',
      machine: '2 cores',
    } as const;

    expect(reliabilityPage({ crashes }, { crashes: figure })).to.contain(
      `| ${crashes.title} | plans 40, differences 0 | ${crashes.target} | no | 1 | 7 | 2026-11-21 | 2 cores |`,
    );
  });

  it('does not pass a proof over in silence that was never recorded', () => {
    expect(reliabilityPage({ crashes }, {})).to.contain(`| ${crashes.title} | not recorded |`);
  });
});
