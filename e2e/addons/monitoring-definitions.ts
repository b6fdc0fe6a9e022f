/** Definitions of the Prometheus operator's kinds, as much of them as the tests need. */
import { MONITORING_KINDS } from '../../src/core/values/addons/monitors.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';

const TEXT = { type: 'string' };
const TEXTS = { type: 'object', additionalProperties: TEXT };
const LIST_OF_TEXTS = { type: 'array', items: TEXT };
const SELECTOR = {
  type: 'object',
  properties: {
    matchLabels: TEXTS,
    matchExpressions: {
      type: 'array',
      items: { type: 'object', properties: { key: TEXT, operator: TEXT, values: LIST_OF_TEXTS } },
    },
  },
};
const ENDPOINTS = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      port: TEXT,
      path: TEXT,
      interval: TEXT,
      honorLabels: { type: 'boolean' },
      relabelings: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            action: { type: 'string', enum: ['replace', 'keep', 'drop', 'labelmap', 'labeldrop'] },
            sourceLabels: LIST_OF_TEXTS,
            targetLabel: TEXT,
            regex: TEXT,
            replacement: TEXT,
          },
        },
      },
    },
  },
};
const SELECTION = {
  selector: SELECTOR,
  namespaceSelector: { type: 'object', properties: { any: { type: 'boolean' } } },
};
const RULE = { alert: TEXT, expr: TEXT, for: TEXT, labels: TEXTS, annotations: TEXTS };

/** The documented fields that are in use, for each kind: the API server refuses all others in strict validation. */
const FIELDS: Readonly<Record<(typeof MONITORING_KINDS)[number]['kind'], JsonObject>> = {
  ServiceMonitor: { ...SELECTION, endpoints: ENDPOINTS },
  PodMonitor: { ...SELECTION, podMetricsEndpoints: ENDPOINTS },
  PrometheusRule: {
    groups: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name'],
        properties: {
          name: TEXT,
          rules: { type: 'array', items: { type: 'object', required: ['expr'], properties: RULE } },
        },
      },
    },
  },
};

/** Written for these tests, after the documentation of the Prometheus operator. */
export const MONITORING_DEFINITIONS: readonly K8sObject[] = MONITORING_KINDS.map(({ kind, definition }) => {
  const plural = definition.slice(0, definition.indexOf('.'));
  const spec = { type: 'object', properties: FIELDS[kind] };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: definition },
    spec: {
      group: 'monitoring.coreos.com',
      scope: 'Namespaced',
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
        },
      ],
    },
  };
});
