/** Admission of Istio's own configuration: the webhook that asks istiod, and the policy of the stable channel. */
import type { JsonObject, JsonValue } from '../../model/json.ts';
import type { Release } from '../releases.ts';
import type { Manifest } from './manifest.ts';
import type { ValuesReader } from './reader.ts';
import { webhookClient } from './webhook-client.ts';

export interface ValidatorOptions {
  readonly name: string;
  readonly webhook: string;
  readonly labels: JsonObject;
  readonly service: { readonly name: string; readonly namespace: string };
  /** Only objects of this revision are checked; all objects when null. */
  readonly revision: string | null;
}

export function configValidator(v: ValuesReader, options: ValidatorOptions): Manifest {
  const caBundle = v.whenSet('base', 'validationCABundle');
  return {
    template: 'shared/validating-webhook',
    view: {
      name: options.name,
      labels: options.labels,
      webhook: options.webhook,
      client: webhookClient({
        url: v.whenSet('base', 'validationURL'),
        service: { ...options.service, path: '/validate' },
        caBundle,
      }),
      failurePolicy: failurePolicy(v, caBundle),
      objectSelector: options.revision === null ? null : revisionSelector(options.revision),
    },
  };
}

/** istiod sets Fail itself once it can answer; only with a known authority can that be so from the start. */
function failurePolicy(v: ValuesReader, caBundle: JsonValue): JsonValue {
  if (caBundle !== null) return 'Fail';
  return v.any('base', 'validationFailurePolicy') ?? 'Ignore';
}

function revisionSelector(revision: string): JsonObject {
  return { matchExpressions: [{ key: 'istio.io/rev', operator: 'In', values: [revision] }] };
}

export interface PolicyOptions {
  readonly name: string;
  readonly bindingName: string;
  readonly labels: JsonObject;
  /** Only objects of this revision are checked; all objects when null. */
  readonly revision: string | null;
  readonly release: Release;
}

/** A policy and its binding that admit only stable fields and kinds of Istio's API. */
export function stableChannelPolicy(options: PolicyOptions): readonly Manifest[] {
  const objectSelector = options.revision === null ? null : revisionSelector(options.revision);
  return [
    {
      template: 'shared/stable-policy',
      view: {
        name: options.name,
        labels: options.labels,
        objectSelector,
        checksTrustDomains: options.release.features.has('stablePolicyOnTrustDomains'),
      },
    },
    {
      template: 'shared/stable-policy-binding',
      view: { name: options.bindingName, policyName: options.name },
    },
  ];
}
