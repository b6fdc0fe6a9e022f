import { expect } from 'chai';
import type { JsonValue } from '../model/json.ts';
import type { Likeness } from './equal-value.ts';
import { likeness } from './equal-value.ts';

interface Case {
  readonly what: string;
  readonly at: string;
  readonly desired: JsonValue;
  readonly live: JsonValue | undefined;
  readonly expected: Likeness;
}

const CASES: readonly Case[] = [
  {
    what: 'the same text',
    at: 'ConfigMap data.key',
    desired: 'a',
    live: 'a',
    expected: 'equal',
  },
  { what: 'another text', at: 'ConfigMap data.key', desired: 'a', live: 'b', expected: 'different' },
  { what: 'a missing text', at: 'ConfigMap data.key', desired: 'a', live: undefined, expected: 'different' },
  {
    what: 'a number and its text',
    at: 'Service spec.ports.targetPort',
    desired: 80,
    live: '80',
    expected: 'different',
  },
  {
    what: 'a limit in another unit',
    at: 'Deployment spec.template.spec.containers.resources.limits.memory',
    desired: '1024Mi',
    live: '1Gi',
    expected: 'equal',
  },
  {
    what: 'a limit that is a number',
    at: 'DaemonSet spec.template.spec.containers.resources.requests.cpu',
    desired: 2,
    live: '2',
    expected: 'equal',
  },
  {
    what: 'another limit',
    at: 'Deployment spec.template.spec.containers.resources.limits.memory',
    desired: '1024Mi',
    live: '1G',
    expected: 'different',
  },
  {
    what: 'texts that only look like quantities',
    at: 'ConfigMap data.limits',
    desired: '1024Mi',
    live: '1Gi',
    expected: 'different',
  },
  { what: 'a quota', at: 'ResourceQuota spec.hard.pods', desired: 5000, live: '5k', expected: 'equal' },
  {
    what: 'a metric inside of a list that has one owner',
    at: 'HorizontalPodAutoscaler spec.metrics',
    desired: [{ resource: { target: { averageValue: '1000m' } } }],
    live: [{ resource: { target: { averageValue: '1' } } }],
    expected: 'equal',
  },
  {
    what: 'base64 with a line break',
    at: 'Secret data.key',
    desired: 'YWJj\n',
    live: 'YWJj',
    expected: 'equal',
  },
  { what: 'other base64', at: 'Secret data.key', desired: 'YWJj', live: 'YWJk', expected: 'different' },
  {
    what: 'a number where base64 belongs',
    at: 'Secret data.key',
    desired: 5,
    live: 6,
    expected: 'different',
  },
  ...['', 0, false, null, [], {}].map((desired) => ({
    what: `an empty value (${JSON.stringify(desired)}) that the server dropped`,
    at: 'Deployment spec.paused',
    desired,
    live: undefined,
    expected: 'equal' as const,
  })),
  {
    what: 'true that is gone',
    at: 'Deployment spec.paused',
    desired: true,
    live: undefined,
    expected: 'different',
  },
  {
    what: 'an empty map that is filled',
    at: 'Deployment spec.strategy',
    desired: {},
    live: { type: 'RollingUpdate' },
    expected: 'unsure',
  },
  { what: 'an empty map', at: 'Deployment spec.strategy', desired: {}, live: {}, expected: 'equal' },
  {
    what: 'a list where a map belongs',
    at: 'Deployment spec.strategy',
    desired: {},
    live: [],
    expected: 'different',
  },
  {
    what: 'a known default inside of a value with one owner',
    at: 'Deployment spec.template.spec.containers.env.valueFrom.fieldRef',
    desired: { fieldPath: 'metadata.name' },
    live: { apiVersion: 'v1', fieldPath: 'metadata.name' },
    expected: 'equal',
  },
  {
    what: 'another value than the default',
    at: 'Deployment spec.template.spec.containers.env.valueFrom.fieldRef',
    desired: { fieldPath: 'metadata.name' },
    live: { apiVersion: 'v2', fieldPath: 'metadata.name' },
    expected: 'unsure',
  },
  {
    what: 'a field that may be an unknown default',
    at: 'NetworkPolicy spec.ingress',
    desired: [{ from: [] }],
    live: [{ from: [], more: 1 }],
    expected: 'unsure',
  },
  {
    what: 'an empty field that is gone from a value with one owner',
    at: 'Deployment spec.template.spec.volumes.projected.sources',
    desired: [{ configMap: { name: 'a', optional: false } }],
    live: [{ configMap: { name: 'a' } }],
    expected: 'unsure',
  },
  {
    what: 'a certain difference beside an uncertain one',
    at: 'NetworkPolicy spec.ingress',
    desired: [{ a: 1 }, { b: 2 }],
    live: [{ a: 1, more: 1 }, { b: 3 }],
    expected: 'different',
  },
  { what: 'a longer list', at: 'ClusterRole rules', desired: [1], live: [1, 2], expected: 'different' },
  {
    what: 'a list in another order',
    at: 'ClusterRole rules',
    desired: [1, 2],
    live: [2, 1],
    expected: 'different',
  },
];

describe('likeness', () => {
  for (const { what, at, desired, live, expected } of CASES) {
    it(`takes ${what} for ${expected}`, () => {
      const [kind = '', path = ''] = at.split(' ');

      expect(likeness(desired, live, { kind, trail: path.split('.') })).to.equal(expected);
    });
  }
});
