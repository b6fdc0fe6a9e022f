/** What was installed, and what to do with it. */
import { isJsonObject, listAt, stringAt } from '../../src/model/json.ts';
import type { K8sObject, ObjectRef } from '../../src/model/object.ts';
import { displayRef } from '../../src/model/object.ts';
import type { Playground } from './playground.ts';
import type { Talk } from './talk.ts';

export function summarise(
  talk: Talk,
  { resource, tookMs }: { readonly resource: K8sObject; readonly tookMs: number },
): void {
  const status = stringAt(resource, 'status', 'status') ?? '';
  const message = stringAt(resource, 'status', 'message') ?? '';
  talk.say('');
  talk.say(`${talk.style('green', status)} after ${(tookMs / 1000).toFixed(1)} s: ${message}`);
  talk.say(`Installed: ${countsByKind(resource)}`);
}

function countsByKind(resource: K8sObject): string {
  const counts = new Map<string, number>();
  for (const entry of listAt(resource, 'status', 'inventory').filter(isJsonObject)) {
    const kind = stringAt(entry, 'kind') ?? '';
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
}

export function sayWhatToTry(talk: Talk, { kubeconfigPath }: Playground, ref: ObjectRef): void {
  const name = `-n ${ref.namespace ?? 'default'} iop ${ref.name}`;
  const lines = [
    '',
    ...(kubeconfigPath === undefined ? [] : [talk.style('bold', `export KUBECONFIG=${kubeconfigPath}`), '']),
    'Things to try in another terminal:',
    `  kubectl edit ${name}`,
    '      change a field, such as components.ingressGateways[0].k8s.replicaCount, and watch kubectl get iop -A',
    '  kubectl delete -n istio-system deployment istiod',
    '      it comes back',
    `  kubectl delete ${name}`,
    "      removes what it installed; Istio's own resource definitions stay",
    '',
    `${displayRef(ref)} is kept as its file says until you press Ctrl-C here.`,
  ];
  for (const line of lines) talk.say(line);
}
