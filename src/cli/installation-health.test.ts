import { expect } from 'chai';
import type { InspectedObject } from './inspection.ts';
import type { Installation } from './installation.ts';
import { healthOf } from './installation-health.ts';

function inspected(name: string, reason: string): InspectedObject {
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'istio-system', name };
  return { ref, component: 'Pilot', state: reason === '' ? 'ready' : 'not ready', reason, createdAt: '' };
}

function installation(kind: Installation['kind'], status?: Record<string, string>): Installation {
  const object = {
    apiVersion: 'v1',
    kind: 'Any',
    metadata: { name: 'mesh' },
    ...(status === undefined ? {} : { status }),
  };
  const owner = { name: 'mesh', namespace: 'istio-system' };
  const release = { profile: 'demo', revision: 'default', version: '1.30.3' };
  return { kind, owner, ...release, inventory: [], madeNamespaces: [], object };
}

describe('healthOf', () => {
  it('of a record is that of its objects, and names the first that does not work', () => {
    const objects = [
      inspected('a', ''),
      inspected('b', '0 of 1 pods are available'),
      inspected('c', 'it is late'),
    ];

    const health = healthOf(installation('record'), objects);

    expect(health).to.include({
      status: 'ERROR',
      message: 'Deployment istio-system/b: 0 of 1 pods are available (and 1 more)',
    });
  });

  it('of a record whose objects all work is healthy', () => {
    expect(healthOf(installation('record'), [inspected('a', '')])).to.include({
      status: 'HEALTHY',
      message: '',
    });
  });

  it('of a resource is what the operator says, whatever we see', () => {
    const resource = installation('resource', { status: 'RECONCILING', message: 'Installing.' });

    expect(healthOf(resource, [inspected('a', '')])).to.include({
      status: 'RECONCILING',
      message: 'Installing.',
    });
  });

  it('of a resource without status says that nobody has looked', () => {
    const health = healthOf(installation('resource'), []);

    expect(health).to.include({ status: 'NONE', message: 'no operator has looked at it yet' });
  });
});
