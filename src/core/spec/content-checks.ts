/** What a schema cannot tell: names, image references, ports and ranges. One function a rule, one list of all. */
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { at, isJsonObject, listAt, mapAt, numberAt } from '../../model/json.ts';
import { COMPONENTS } from '../components.ts';
import type { ComponentDefinition } from '../components.ts';
import { diagnose } from '../diagnostics.ts';
import type { FieldPath } from '../field-path.ts';
import { firstTruthy, textOf, truthy } from '../go-values.ts';

/** Checks a merged specification. */
type Check = (spec: JsonObject) => readonly Diagnostic[];

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/u;
const GATEWAY_NAME = /^[a-z0-9]([-a-z0-9.]{0,252}[a-z0-9])?$/u;
// A registry with an optional port, then path components, as image references have them.
const HUB = /^[a-z0-9]+([._-]+[a-z0-9]+)*(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/iu;
const TAG = /^\w[\w.-]{0,127}$/u;

const GATEWAYS = COMPONENTS.filter((component) => component.entries === 'many');

/** Where the settings of the other components stand under `spec`. */
const SINGLE_ROOTS: readonly (readonly string[])[] = COMPONENTS.filter(
  ({ entries }) => entries === 'one',
).map((component: ComponentDefinition) => [component.specRoot ?? 'components', component.specKey]);

interface ComponentEntry {
  readonly entry: JsonObject;
  readonly path: FieldPath;
}

/** Every installation of every component: single ones, and each gateway. */
function entriesOf(spec: JsonObject): readonly ComponentEntry[] {
  const single = SINGLE_ROOTS.map((path) => ({ entry: mapAt(spec, ...path), path: ['spec', ...path] }));
  return [...single, ...gatewaysOf(spec).map(({ gateway, path }) => ({ entry: gateway, path }))];
}

interface GatewayEntry {
  readonly gateway: JsonObject;
  readonly path: FieldPath;
  readonly valuesKey: string;
}

function gatewaysOf(spec: JsonObject): readonly GatewayEntry[] {
  return GATEWAYS.flatMap(({ specKey, valuesRoot }) =>
    listAt(spec, 'components', specKey).flatMap((gateway, index) =>
      isJsonObject(gateway)
        ? [{ gateway, path: ['spec', 'components', specKey, index], valuesKey: valuesRoot[1] }]
        : [],
    ),
  );
}

const revision: Check = (spec) => {
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

const gatewayNames: Check = (spec) =>
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

const CONTROL_PLANE_NAMESPACE = ['values', 'global', 'istioNamespace'];

const namespaces: Check = (spec) => {
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

const duplicateGateways: Check = (spec) => {
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

interface ImagePart {
  readonly path: readonly string[];
  readonly part: 'hub' | 'tag';
}

const IMAGE_PARTS: readonly ImagePart[] = [
  { path: ['hub'], part: 'hub' },
  { path: ['tag'], part: 'tag' },
  { path: ['values', 'global', 'hub'], part: 'hub' },
  { path: ['values', 'global', 'tag'], part: 'tag' },
  ...SINGLE_ROOTS.flatMap((root) => [
    { path: [...root, 'hub'], part: 'hub' } as const,
    { path: [...root, 'tag'], part: 'tag' } as const,
  ]),
];

const images: Check = (spec) =>
  IMAGE_PARTS.flatMap(({ path, part }) => {
    const text = textOf(at(spec, ...path));
    if (text === '' || (part === 'hub' ? HUB : TAG).test(text)) return [];
    return [
      diagnose('invalidImage', {
        path: ['spec', ...path],
        cause: `"${text}" cannot be the ${part} of an image reference`,
        remedy:
          part === 'hub'
            ? 'Use registry/path, such as registry.istio.io/release.'
            : 'Use a tag such as 1.30.3.',
      }),
    ];
  });

/** The first port that any user may listen on. */
const FIRST_UNPRIVILEGED_PORT = 1024;

const gatewayPorts: Check = (spec) =>
  gatewaysOf(spec).flatMap(({ gateway, path, valuesKey }) => {
    if (truthy(at(spec, 'values', 'gateways', valuesKey, 'runAsRoot'))) return [];
    return listAt(gateway, 'k8s', 'service', 'ports').flatMap((port, index) => {
      if (!isJsonObject(port) || !needsRoot(port)) return [];
      return [
        diagnose('privilegedPort', {
          path: [...path, 'k8s', 'service', 'ports', index],
          cause: `port ${textOf(port['name'])}/${textOf(port['port'])} has targetPort ${textOf(port['targetPort'] ?? 0)}, which only root may open`,
          remedy: `Set targetPort above ${FIRST_UNPRIVILEGED_PORT}, or values.gateways.${valuesKey}.runAsRoot to true.`,
        }),
      ];
    });
  });

function needsRoot(port: JsonObject): boolean {
  const target = port['targetPort'] ?? 0;
  if (typeof target !== 'number') return false;
  if (target !== 0) return target < FIRST_UNPRIVILEGED_PORT;
  return (numberAt(port, 'port') ?? 0) <= FIRST_UNPRIVILEGED_PORT;
}

const IPV4_RANGE = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/u;
const IPV6_RANGE = /^(?=[^/]*:)[\da-fA-F:.]+\/(\d{1,3})$/u;

/** An address with the length of its prefix. The inside of an IPv6 address is left to istiod. */
function isAddressRange(text: string): boolean {
  const [, ...parts] = IPV4_RANGE.exec(text) ?? [];
  if (parts.length > 0) return parts.every((part, index) => Number(part) <= (index === 4 ? 32 : 255));
  const length = IPV6_RANGE.exec(text)?.[1];
  return length !== undefined && Number(length) <= 128;
}

const RANGES: readonly {
  readonly field: string;
  readonly isValid: (item: string) => boolean;
  readonly remedy: string;
}[] = [
  ...['includeIPRanges', 'excludeIPRanges'].map((field) => ({
    field,
    isValid: isAddressRange,
    remedy: 'Use "*", or ranges such as 10.0.0.0/8 separated by commas.',
  })),
  ...['includeInboundPorts', 'excludeInboundPorts'].map((field) => ({
    field,
    isValid: (item: string) => /^\d{1,5}$/u.test(item) && Number(item) <= 65_535,
    remedy: 'Use "*", or ports from 0 to 65535 separated by commas.',
  })),
];

const proxyRanges: Check = (spec) =>
  RANGES.flatMap(({ field, isValid, remedy }) => {
    const text = textOf(at(spec, 'values', 'global', 'proxy', field));
    if (text === '' || text === '*') return [];
    const wrong = text.split(',').find((item) => !isValid(item.trim()));
    if (wrong === undefined) return [];
    const path = ['spec', 'values', 'global', 'proxy', field];
    return [diagnose('invalidRange', { path, cause: `"${wrong}" is not acceptable here`, remedy })];
  });

const certificateProvider: Check = (spec) => {
  const given = ['values', 'unvalidatedValues'].filter(
    (root) => at(spec, root, 'global', 'pilotCertProvider') === 'kubernetes',
  );
  return given.map((root) =>
    diagnose('unsupportedValue', {
      path: ['spec', root, 'global', 'pilotCertProvider'],
      cause: 'Kubernetes no longer signs certificates for istiod',
      remedy: 'Use istiod (the default), or custom with your own signer.',
    }),
  );
};

/** Warnings: a fixed count and an autoscaler both want to decide. */
const replicaConflicts: Check = (spec) => {
  const pilot: readonly ReplicaChoice[] = [
    {
      settings: mapAt(spec, 'components', 'pilot', 'k8s'),
      root: ['pilot'],
      path: ['spec', 'components', 'pilot', 'k8s'],
    },
  ];
  const gateways = gatewaysOf(spec).map(({ gateway, path, valuesKey }) => ({
    settings: mapAt(gateway, 'k8s'),
    root: ['gateways', valuesKey],
    path: [...path, 'k8s'],
  }));
  return [...pilot, ...gateways].flatMap((choice) => replicaConflict(spec, choice));
};

interface ReplicaChoice {
  readonly settings: JsonObject;
  readonly root: readonly string[];
  readonly path: FieldPath;
}

function replicaConflict(spec: JsonObject, { settings, root, path }: ReplicaChoice): readonly Diagnostic[] {
  const replicas: JsonValue = settings['replicaCount'] ?? null;
  if (replicas === null || at(spec, 'values', ...root, 'autoscaleEnabled') !== true) return [];
  const cause = `the autoscaler will change the count of ${textOf(replicas)} again`;
  const remedy = `Set values.${root.join('.')}.autoscaleEnabled to false, or remove replicaCount.`;
  return [diagnose('conflictingReplicas', { path: [...path, 'replicaCount'], cause, remedy })];
}

/** Warnings: places that older releases read and current ones do not. */
const unreadFields: Check = (spec) => {
  const labels = GATEWAYS.flatMap(({ specKey, valuesRoot }) => {
    const path = ['values', ...valuesRoot, 'labels'];
    if (!truthy(at(spec, ...path))) return [];
    const remedy = `Set label of the entry under spec.components.${specKey}.`;
    return [
      diagnose('ignoredSetting', {
        path: ['spec', ...path],
        cause: 'the labels of a gateway are not read here',
        remedy,
      }),
    ];
  });
  const namespace = textOf(spec['namespace']);
  if (namespace === '' || namespace === textOf(at(spec, 'values', 'global', 'istioNamespace'))) return labels;
  const cause = `the control plane is installed in ${textOf(at(spec, 'values', 'global', 'istioNamespace'))}`;
  const remedy = 'Set spec.values.global.istioNamespace instead.';
  return [...labels, diagnose('ignoredSetting', { path: ['spec', 'namespace'], cause, remedy })];
};

/** Warning: only istiod's pods and configuration would move, its account and rights stay where the control plane is. */
const splitControlPlane: Check = (spec) => {
  const path = ['components', 'pilot', 'namespace'];
  const namespace = textOf(at(spec, ...path));
  const controlPlane = textOf(at(spec, ...CONTROL_PLANE_NAMESPACE));
  if (namespace === '' || namespace === controlPlane) return [];
  return [
    diagnose('splitControlPlane', {
      path: ['spec', ...path],
      cause: `istiod cannot start in ${namespace}: its account is in ${controlPlane}`,
      remedy: `Remove it, and set spec.values.global.istioNamespace to ${namespace} to move the control plane.`,
    }),
  ];
};

const CHECKS: readonly Check[] = [
  unreadFields,
  revision,
  gatewayNames,
  namespaces,
  duplicateGateways,
  images,
  gatewayPorts,
  proxyRanges,
  certificateProvider,
  replicaConflicts,
  splitControlPlane,
];

/** All findings about a merged specification, in the order of the rules. */
export function checkContent(spec: JsonObject): readonly Diagnostic[] {
  return CHECKS.flatMap((check) => check(spec));
}
