/** What programs of others make of an IstioOperator's status. */
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../../src/model/json.ts';
import { stringAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { callGo } from '../control-plane/go-module.ts';

export type ArgoHealth = 'Healthy' | 'Progressing' | 'Degraded' | 'Unknown';

/** Argo CD's built-in health check for install.istio.io/IstioOperator reads `status.status` and nothing else. */
const ARGO_HEALTH: Readonly<Record<string, ArgoHealth>> = {
  NONE: 'Unknown',
  UPDATING: 'Progressing',
  RECONCILING: 'Progressing',
  HEALTHY: 'Healthy',
  ERROR: 'Degraded',
};

/** Any other word, and no status at all, is taken for work that goes on. */
export function argoHealthOf(resource: K8sObject): ArgoHealth {
  return ARGO_HEALTH[stringAt(resource, 'status', 'status') ?? ''] ?? 'Progressing';
}

export type Kstatus = 'Current' | 'InProgress' | 'Failed' | 'Terminating' | 'NotFound' | 'Unknown' | 'Error';

const MODULE = fileURLToPath(new URL('kstatus/', import.meta.url));

/**
 * The verdict of sigs.k8s.io/cli-utils on each object, in order: what Flux, kpt and `kubectl` plugins go by. The first
 * call builds the program in kstatus/, half a minute on a cold machine.
 */
export async function kstatusOf(objects: readonly K8sObject[]): Promise<readonly Kstatus[]> {
  const input = objects.map((object) => `${JSON.stringify(object)}\n`).join('');
  const answers = await callGo({ module: MODULE, args: ['run', '.'], input });
  const lines = answers.split('\n').filter((line) => line !== '');
  return lines.map((line) => (JSON.parse(line) as JsonObject)['status'] as Kstatus); // main.go: verdict
}
