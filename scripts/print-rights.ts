/**
 * Prints what an administrator applies to let the operator install another revision, or into another namespace:
 *
 *   npm run --silent rights -- --revision canary --namespace edge=gateways | kubectl apply -f -
 */
import { parseArgs } from 'node:util';
import { printObjects } from './rbac.ts';
import { grantedRights, isPart, openedNamespaces } from './rights.ts';
import type { Grants, Part } from './rights.ts';

const USAGE = `usage: npm run --silent rights -- [--revision NAME]... [--tag NAME]... [--istio-namespace NAME]
                                  [--namespace NAME=PART[,PART]]... [--hardened]
  --revision         a revision of the control plane; "default" for the one without a name
  --tag              a revision tag
  --istio-namespace  namespace of the control plane, istio-system when not given
  --namespace        a namespace and what may be installed there: control-plane, gateways,
                     node-agents, addons, reports, network-attachments
  --hardened         for an operator of deploy/hardened, which needs nothing but namespaces`;

try {
  const { grants, isHardened } = requestFrom(process.argv.slice(2));
  const objects = isHardened ? openedNamespaces(grants.namespaces) : grantedRights(grants);
  if (objects.length === 0) throw new Error('nothing to grant');
  process.stdout.write(printObjects(objects));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  process.exitCode = 1;
}

function requestFrom(args: readonly string[]): { readonly grants: Grants; readonly isHardened: boolean } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      revision: { type: 'string', multiple: true, default: [] },
      tag: { type: 'string', multiple: true, default: [] },
      namespace: { type: 'string', multiple: true, default: [] },
      hardened: { type: 'boolean', default: false },
      'istio-namespace': { type: 'string', default: 'istio-system' },
    },
  });
  const namespace = values['istio-namespace'];
  const grants: Grants = {
    controlPlanes: values.revision.map((name) => ({ namespace, revision: name === 'default' ? '' : name })),
    tags: values.tag.map((tag) => ({ namespace, tag })),
    namespaces: values.namespace.map(namespaceGrant),
  };
  return { grants, isHardened: values.hardened };
}

function namespaceGrant(text: string): Grants['namespaces'][number] {
  const [namespace = '', parts = ''] = text.split('=', 2);
  return { namespace, parts: parts.split(',').map(partOf) };
}

function partOf(text: string): Part {
  if (!isPart(text)) throw new Error(`"${text}" is not a part of Istio`);
  return text;
}
