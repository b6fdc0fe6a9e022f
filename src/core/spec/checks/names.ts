/** Rules about names: what Kubernetes refuses, and what would be the same object twice. */
import { at } from '../../../model/json.ts';
import { diagnose } from '../../diagnostics.ts';
import { firstTruthy, textOf, truthy } from '../../go-values.ts';
import type { Check } from './check.ts';
import { CONTROL_PLANE_NAMESPACE } from './check.ts';
import { entriesOf, gatewaysOf } from './entries.ts';

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/u;
const GATEWAY_NAME = /^[a-z0-9]([-a-z0-9.]{0,252}[a-z0-9])?$/u;

/** The revision becomes part of many names. */
export const revision: Check = (spec) => {
  const name = textOf(spec['revision']);
  if (name === '' || DNS_LABEL.test(name)) return [];
  return [
    diagnose('invalidName', {
      path: ['spec', 'revision'],
      cause: `"${name}" is not a DNS label`,
      remedy: 'Use at most 63 lower-case letters, digits and dashes, such as 1-30-3.',
    }),
  ];
};

/** A gateway needs a name that a Service can have. */
export const gatewayNames: Check = (spec) =>
  gatewaysOf(spec).flatMap(({ gateway, path }) => {
    const name = textOf(gateway['name']);
    if (name === '') {
      return [
        diagnose('gatewayWithoutName', {
          path,
          cause: 'the gateway has no name',
          remedy:
            'Add name: it becomes the name of its Deployment and Service; istio-ingressgateway is usual.',
        }),
      ];
    }
    if (GATEWAY_NAME.test(name)) return [];
    const remedy = 'Use lower-case letters, digits, dashes and dots.';
    return [
      diagnose('invalidName', {
        path: [...path, 'name'],
        cause: `"${name}" cannot be the name of a Service`,
        remedy,
      }),
    ];
  });

/** Namespaces of the control plane and of its components. */
export const namespaces: Check = (spec) => {
  const controlPlane = at(spec, ...CONTROL_PLANE_NAMESPACE) ?? null;
  const places = [
    ...(controlPlane === null
      ? []
      : [{ path: ['spec', ...CONTROL_PLANE_NAMESPACE], namespace: controlPlane }]),
    ...entriesOf(spec)
      .filter(({ entry }) => truthy(entry['namespace']))
      .map(({ entry, path }) => ({ path: [...path, 'namespace'], namespace: entry['namespace'] })),
  ];
  return places
    .filter(({ namespace }) => !DNS_LABEL.test(textOf(namespace)))
    .map(({ path, namespace }) =>
      diagnose('invalidName', {
        path,
        cause: `"${textOf(namespace)}" cannot be the name of a namespace`,
        remedy: 'Use at most 63 lower-case letters, digits and dashes, such as istio-system.',
      }),
    );
};

/** Gateways of both kinds that would be the same objects. */
export const duplicateGateways: Check = (spec) => {
  const seen = new Set<string>();
  return gatewaysOf(spec).flatMap(({ gateway, path }) => {
    const name = textOf(gateway['name']);
    const namespace = firstTruthy(gateway['namespace'], at(spec, ...CONTROL_PLANE_NAMESPACE));
    const key = `${textOf(namespace)}/${name}`;
    if (name === '' || gateway['enabled'] === false) return [];
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    const cause = `another gateway is called "${name}" in the same namespace`;
    return [diagnose('duplicateGateway', { path, cause, remedy: 'Give it another name or namespace.' })];
  });
};
