/**
 * Prints what an administrator applies to let the operator install another revision, or into another namespace:
 *
 *   npm run --silent rights -- --revision canary --namespace edge=gateways | kubectl apply -f -
 */
import { parseArgs } from 'node:util';
import { namedAfterRevision, printObjects } from './rbac.ts';
import { grantedRights, isPart, openedNamespaces } from './rights.ts';
import type { Grants, Part } from './rights.ts';

const USAGE = `usage: npm run --silent rights -- [--revision NAME]... [--tag NAME]... [--istio-namespace NAME]
                                  [--namespace NAME=PART[,PART]]... [--operator NAME] [--hardened]
  --revision         a revision of the control plane; "default" for the one without a name
  --tag              a revision tag
  --istio-namespace  namespace of the control plane, istio-system when not given
  --namespace        a namespace and what may be installed there: control-plane, gateways,
                     node-agents, addons, reports, network-attachments
  --operator         the revision of the operator that gets the rights, when it has one in its name
  --hardened         for an operator of deploy/hardened, which needs nothing but namespaces`;

try {
  const { grants, operator, isHardened } = requestFrom(process.argv.slice(2));
  const objects = isHardened ? openedNamespaces(grants.namespaces) : grantedRights(grants);
  const { controlPlanes, tags, namespaces } = grants;
  const asked = isHardened ? namespaces : [...controlPlanes, ...tags, ...namespaces];
  if (asked.length === 0) throw new Error('nothing to grant');
  const rights = printObjects(objects);
  process.stdout.write(operator === undefined ? rights : namedAfterRevision(rights, operator));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  process.exitCode = 1;
}

interface Request {
  readonly grants: Grants;
  /** The revision in the name of the operator. */
  readonly operator: string | undefined;
  readonly isHardened: boolean;
}

function requestFrom(args: readonly string[]): Request {
  const { values } = parseArgs({
    args: [...args],
    options: {
      revision: { type: 'string', multiple: true, default: [] },
      tag: { type: 'string', multiple: true, default: [] },
      namespace: { type: 'string', multiple: true, default: [] },
      hardened: { type: 'boolean', default: false },
      'istio-namespace': { type: 'string', default: 'istio-system' },
      operator: { type: 'string' },
    },
  });
  const namespace = values['istio-namespace'];
  const grants: Grants = {
    controlPlanes: values.revision.map((name) => ({ namespace, revision: name === 'default' ? '' : name })),
    tags: values.tag.map((tag) => ({ namespace, tag })),
    namespaces: values.namespace.map(namespaceGrant),
  };
  return { grants, operator: values.operator, isHardened: values.hardened };
}

function namespaceGrant(text: string): Grants['namespaces'][number] {
  const [namespace = '', parts = ''] = text.split('=', 2);
  return { namespace, parts: parts.split(',').map(partOf) };
}

function partOf(text: string): Part {
  if (!isPart(text)) throw new Error(`"${text}" is not a part of Istio`);
  return text;
}
