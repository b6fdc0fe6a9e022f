import { expect } from 'chai';
import { performancePage } from './performance-docs.ts';

describe('performancePage', () => {
  const recorded = { date: '2026-11-21', machine: '2 cores' };

  it('puts what was measured beside the target and the old operator, and says when it was missed', () => {
    const page = performancePage({
      install: {
        ...recorded,
        figures: [
          { what: 'first apply', value: 6, unit: 's', target: 5, former: '10.2 s' },
          { what: 'memory', value: 100, unit: 'MiB', target: 110 },
          { what: 'time', value: 7, unit: 'ms' },
        ],
      },
    });

    expect(page).to.contain('`install`, 2026-11-21, 2 cores.');
    expect(page).to.contain('| first apply | 6.0 s | ≤ 5 s | no | 10.2 s |');
    expect(page).to.contain('| memory | 100 MiB | ≤ 110 MiB | yes |  |');
    expect(page).to.contain('| time | 7.0 ms |  |  |  |');
  });

  it('does not pass a bench over in silence that was never recorded', () => {
    expect(performancePage({})).to.contain('`drift`: not recorded.');
  });
});
