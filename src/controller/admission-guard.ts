/**
 * Whether the admission policies of deploy/admission.yaml are there. The operator works the same without them, but
 * nobody else notices: then whoever may write an IstioOperator decides, through overlays, the rules of istiod's cluster
 * role.
 */
import type { ClusterPort } from '../apply/cluster.port.ts';
import { listAt, stringAt } from '../model/json.ts';
import type { Logger } from '../model/logger.ts';
import type { K8sObject } from '../model/object.ts';

const ADMISSION = 'admissionregistration.k8s.io/v1';

/** Each has a binding of the same name. A test compares them with deploy/admission.yaml. */
export const ADMISSION_POLICIES = [
  'istiooperators.install.istio.io',
  'istiooperators-status.install.istio.io',
] as const;

export type AdmissionPolicy = (typeof ADMISSION_POLICIES)[number];

/** The message of the warning. */
export const UNGUARDED = 'admission policies are missing: who may write IstioOperators can gain more rights';

const REMEDY = 'Apply deploy/admission.yaml; docs/security.md says what it keeps from happening.';

export interface AdmissionGuardDeps {
  readonly cluster: Pick<ClusterPort, 'get'>;
  readonly logger: Logger;
  readonly metrics: { admissionPolicy(policy: AdmissionPolicy, isInForce: boolean): void };
}

/**
 * Looks once, and warns once if anything is missing. What cannot be told is no cause for a warning, and has no metric.
 * Never rejects.
 */
export async function reportAdmissionGuard(deps: AdmissionGuardDeps, signal: AbortSignal): Promise<void> {
  const { logger, metrics } = deps;
  try {
    const missing: AdmissionPolicy[] = [];
    for (const policy of ADMISSION_POLICIES) {
      const isThere = await isInForce(deps, policy, signal);
      metrics.admissionPolicy(policy, isThere);
      if (!isThere) missing.push(policy);
    }
    if (missing.length > 0) logger.warn(UNGUARDED, { missing, remedy: REMEDY });
  } catch (error) {
    if (!signal.aborted) logger.info('admission policies cannot be looked at', { error });
  }
}

async function isInForce(
  { cluster }: AdmissionGuardDeps,
  name: AdmissionPolicy,
  signal: AbortSignal,
): Promise<boolean> {
  const refOf = (kind: string) => ({ apiVersion: ADMISSION, kind, name });
  const policy = await cluster.get(refOf('ValidatingAdmissionPolicy'), { signal });
  const binding = await cluster.get(refOf('ValidatingAdmissionPolicyBinding'), { signal });
  return policy !== undefined && binding !== undefined && denies(binding, name);
}

/** A binding may also only warn, or be one of another policy. */
function denies(binding: K8sObject, policy: AdmissionPolicy): boolean {
  const actions = listAt(binding, 'spec', 'validationActions');
  return stringAt(binding, 'spec', 'policyName') === policy && actions.includes('Deny');
}
