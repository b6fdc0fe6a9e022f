/** Stations that suites go between. They differ in what is cheap: no pod has to be placed on the way. */
import type { Station } from './fault-bench.ts';

/** With an autoscaler. */
export const SCALED: Station = { name: 'scaled', spec: { profile: 'minimal' } };

/** Without the autoscaler, and with another mesh configuration. */
export const PLAIN: Station = {
  name: 'plain',
  spec: {
    profile: 'minimal',
    meshConfig: { accessLogFile: '/dev/stdout' },
    values: { pilot: { autoscaleEnabled: false } },
  },
};

/** Without a disruption budget. */
export const UNBUDGETED: Station = {
  name: 'without a budget',
  spec: { profile: 'minimal', values: { global: { defaultPodDisruptionBudget: { enabled: false } } } },
};

export const GONE: Station = { name: 'gone' };
