/** Injection webhooks: which pods reach which istiod. */
import type { JsonObject } from '../../../model/json.ts';

interface Requirement extends JsonObject {
  readonly key: string;
  readonly operator: string;
}

const exists = (key: string, values: readonly string[]): Requirement => ({ key, operator: 'In', values });
const notIn = (key: string, values: readonly string[]): Requirement => ({ key, operator: 'NotIn', values });
const absent = (key: string): Requirement => ({ key, operator: 'DoesNotExist' });

const REVISION = 'istio.io/rev';
const NAMESPACE_SWITCH = 'istio-injection';
const POD_SWITCH = 'sidecar.istio.io/inject';

/** Namespaces of the cluster itself, which no default may reach. */
const SYSTEM_NAMESPACES = ['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage'];

interface Selection {
  /** Prefix of the webhook's name. */
  readonly prefix: string;
  readonly namespaces: readonly Requirement[];
  readonly pods: readonly Requirement[];
}

/** Pods that ask for one revision (or tag) by its label, on the namespace or on themselves. */
function selectionsOfRevision(revision: string): readonly Selection[] {
  return [
    {
      prefix: 'rev.namespace.',
      namespaces: [exists(REVISION, [revision]), absent(NAMESPACE_SWITCH)],
      pods: [notIn(POD_SWITCH, ['false'])],
    },
    {
      prefix: 'rev.object.',
      namespaces: [absent(REVISION), absent(NAMESPACE_SWITCH)],
      pods: [notIn(POD_SWITCH, ['false']), exists(REVISION, [revision])],
    },
  ];
}

/** Pods that ask for injection without naming a revision: the default revision's. */
const DEFAULT_SELECTIONS: readonly Selection[] = [
  {
    prefix: 'namespace.',
    namespaces: [exists(NAMESPACE_SWITCH, ['enabled'])],
    pods: [notIn(POD_SWITCH, ['false'])],
  },
  {
    prefix: 'object.',
    namespaces: [absent(NAMESPACE_SWITCH), absent(REVISION)],
    pods: [exists(POD_SWITCH, ['true']), absent(REVISION)],
  },
];

/** Pods that ask for nothing, when injection is on everywhere by default. */
const EVERYWHERE: Selection = {
  prefix: 'auto.',
  namespaces: [
    absent(NAMESPACE_SWITCH),
    absent(REVISION),
    notIn('kubernetes.io/metadata.name', SYSTEM_NAMESPACES),
  ],
  pods: [absent(POD_SWITCH), absent(REVISION)],
};

export interface InjectionScope {
  /** The revision or tag that pods name. */
  readonly revision: string;
  /** Also serves pods that name no revision. */
  readonly isDefault: boolean;
  /** Also serves pods that ask for nothing; only together with isDefault. */
  readonly everywhere: boolean;
}

/** The selectors of the webhooks of one MutatingWebhookConfiguration, in upstream's order. */
export function injectionWebhooks(scope: InjectionScope): readonly JsonObject[] {
  const selections = [
    ...selectionsOfRevision(scope.revision),
    ...(scope.isDefault ? DEFAULT_SELECTIONS : []),
    ...(scope.isDefault && scope.everywhere ? [EVERYWHERE] : []),
  ];
  return selections.map(({ prefix, namespaces, pods }) => ({
    name: `${prefix}sidecar-injector.istio.io`,
    namespaceSelector: { matchExpressions: namespaces },
    objectSelector: { matchExpressions: pods },
  }));
}
