/** Admission by istiod: injection into pods, and checks of Istio's configuration. */
import type { Manifest, View } from '../manifest.ts';
import { RELEASE_NAME, revisionLabel, withRevision } from '../labels.ts';
import { configValidator, stableChannelPolicy } from '../validation.ts';
import { webhookClient } from '../webhook-client.ts';
import { injectionWebhooks } from './injection-webhooks.ts';
import type { Istiod } from './istiod.ts';
import { pilotManifest } from './istiod.ts';

/** Names outside istio-system carry the namespace, so that several control planes can stand side by side. */
function webhookName(name: string, namespace: string): string {
  return namespace === 'istio-system' ? name : `${name}-${namespace}`;
}

/** The webhook that injects into pods of this revision. */
export function injectorManifest(istiod: Istiod): Manifest {
  const { input, v, revision, own, standard } = istiod;
  return pilotManifest('mutating-webhook', {
    ...sharedWebhookView(istiod),
    name: webhookName(withRevision('istio-sidecar-injector', revision), input.namespace),
    labels: { ...own, app: 'sidecar-injector', release: RELEASE_NAME, ...standard },
    webhooks: injectionWebhooks({
      revision: revisionLabel(revision),
      isDefault: revision === '',
      everywhere: v.is('sidecarInjectorWebhook', 'enableNamespacesByDefault'),
    }),
  });
}

/** The webhook that injects into pods which name a tag of this revision. */
export function tagManifest(istiod: Istiod, tag: string): Manifest {
  const { input, v, own, standard } = istiod;
  return pilotManifest('mutating-webhook', {
    ...sharedWebhookView(istiod),
    name: webhookName(`istio-revision-tag-${tag}`, input.namespace),
    labels: { 'istio.io/tag': tag, ...own, app: 'sidecar-injector', release: RELEASE_NAME, ...standard },
    webhooks: injectionWebhooks({
      revision: tag,
      isDefault: tag === 'default',
      everywhere: v.is('sidecarInjectorWebhook', 'enableNamespacesByDefault'),
    }),
  });
}

function sharedWebhookView({ input, v, name }: Istiod): View {
  const service = {
    name,
    namespace: input.namespace,
    path: v.any('istiodRemote', 'injectionPath'),
    port: 443,
  };
  return {
    annotations: v.whenSet('sidecarInjectorWebhookAnnotations'),
    client: webhookClient({
      url: v.whenSet('istiodRemote', 'injectionURL'),
      service,
      caBundle: v.whenSet('istiodRemote', 'injectionCABundle'),
    }),
    reinvocationPolicy: v.any('sidecarInjectorWebhook', 'reinvocationPolicy'),
  };
}

/** The webhook that checks Istio's configuration of this revision. */
export function validatorManifest(istiod: Istiod): Manifest {
  const { v, name, revision, istioNamespace, standard } = istiod;
  return configValidator(v, {
    name: `${withRevision('istio-validator', revision)}-${istioNamespace}`,
    webhook: 'rev.validation.istio.io',
    labels: {
      app: 'istiod',
      release: RELEASE_NAME,
      istio: 'istiod',
      'istio.io/rev': revisionLabel(revision),
      ...standard,
    },
    service: { name, namespace: istioNamespace },
    revision: revisionLabel(revision),
  });
}

/** The policy of the stable channel for this revision. */
export function policyManifests({ input, revision, istioNamespace, standard }: Istiod): readonly Manifest[] {
  const suffix = `${withRevision('', revision)}-${istioNamespace}`;
  return stableChannelPolicy({
    name: `stable-channel-policy${suffix}.istio.io`,
    bindingName: `stable-channel-policy-binding${suffix}.istio.io`,
    labels: standard,
    revision: revisionLabel(revision),
    release: input.release,
  });
}
