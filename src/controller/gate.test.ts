import { expect } from 'chai';
import { FINALIZER } from './finalizer.ts';
import type { Gate } from './gate.ts';
import { gateOf } from './gate.ts';
import { istioOperator } from './testing/builders.ts';
import type { ResourceParts } from './testing/builders.ts';

const PAUSED = { 'install.istio.io/ignoreReconcile': 'true' };
const DRY_RUN = { 'install.istio.io/dry-run': 'true' };
const ORPHAN = { 'install.istio.io/deletion-policy': 'Orphan' };
const HELD = { finalizers: ['example.com/other', FINALIZER], deletionTimestamp: '2026-01-01T00:00:00Z' };
const CANARY = { spec: { revision: 'canary' } };

describe('gateOf', () => {
  const cases: readonly [string, ResourceParts, string, Gate['kind']][] = [
    ['installs an ordinary resource', {}, '', 'install'],
    ['installs a resource of any revision when the operator has none', CANARY, '', 'install'],
    ['installs a resource of its own revision', CANARY, 'canary', 'install'],
    ['ignores a resource of another revision', CANARY, 'stable', 'ignored'],
    ['installs a resource without a revision when that is its own', {}, 'default', 'install'],
    ['ignores a resource of a revision when its own has no name', CANARY, 'default', 'ignored'],
    ['ignores a resource of the default revision when it has another', {}, 'stable', 'ignored'],
    ['leaves the deletion of another revision to its operator', { ...CANARY, ...HELD }, 'stable', 'ignored'],
    ['pauses on request', { annotations: PAUSED }, '', 'paused'],
    [
      'does not pause for another value',
      { annotations: { 'install.istio.io/ignoreReconcile': 'false' } },
      '',
      'install',
    ],
    ['uninstalls a deleted resource', HELD, '', 'uninstall'],
    ['lets a deleted resource go on request', { ...HELD, annotations: ORPHAN }, '', 'letGo'],
    ['leaves everything of a dry run', { ...HELD, annotations: DRY_RUN }, '', 'letGo'],
    ['lets a paused resource go when it is deleted', { ...HELD, annotations: PAUSED }, '', 'letGo'],
    [
      'does nothing about a deleted resource that it does not hold',
      { ...HELD, finalizers: ['example.com/other'] },
      '',
      'gone',
    ],
    ['keeps the orphan policy for the deletion', { annotations: ORPHAN }, '', 'install'],
  ];
  for (const [behaviour, parts, revision, kind] of cases) {
    it(behaviour, () => {
      expect(gateOf(istioOperator(parts), revision).kind).to.equal(kind);
    });
  }
});
