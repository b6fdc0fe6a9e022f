import { expect } from 'chai';
import type { JsonObject } from '../../model/json.ts';
import { autoscaler, disruptionBudget } from './availability.ts';
import { readValues } from './reader.ts';

const SCALED = { autoscaleEnabled: true, autoscaleMin: 2, autoscaleMax: 5 };

describe('autoscaler', () => {
  function limits(settings: JsonObject): unknown {
    return autoscaler(readValues({ gw: settings }), ['gw']);
  }

  it('has the limits that are given', () => {
    expect(limits(SCALED)).to.deep.equal([{ minReplicas: 2, maxReplicas: 5 }]);
  });

  it('is not there when it is off or a limit is missing', () => {
    const off = [
      { ...SCALED, autoscaleEnabled: false },
      { ...SCALED, autoscaleMin: 0 },
      { autoscaleEnabled: true },
    ];

    expect(off.map(limits)).to.deep.equal([[], [], []]);
  });
});

describe('disruptionBudget', () => {
  function isThere(settings: JsonObject, enabled = true): boolean {
    const global = { defaultPodDisruptionBudget: { enabled } };
    return disruptionBudget(readValues({ global, gw: settings }), ['gw']).length > 0;
  }

  it('is there when more than one pod always runs', () => {
    expect([isThere(SCALED), isThere({ replicaCount: 2 })]).to.deep.equal([true, true]);
  });

  it('is not there when it would block the drain of a node, or is not wanted', () => {
    expect([
      isThere({ ...SCALED, autoscaleMin: 1, replicaCount: 3 }),
      isThere({ replicaCount: 1 }),
      isThere({}),
      isThere(SCALED, false),
    ]).to.deep.equal([false, false, false, false]);
  });
});
