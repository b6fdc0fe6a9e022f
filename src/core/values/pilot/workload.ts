/** istiod's workload: the Deployment and what scales, protects and reaches its pods. */
import { autoscaler, disruptionBudget } from '../availability.ts';
import { RELEASE_NAME, revisionLabel, withRevision } from '../labels.ts';
import type { Manifest, View } from '../manifest.ts';
import { sharedManifest } from '../manifest.ts';
import { tcpPorts } from '../ports.ts';
import { orNull } from '../reader.ts';
import { deploymentView } from './deployment.ts';
import type { Istiod } from './istiod.ts';
import { pilotManifest } from './istiod.ts';

/** istiod itself: only where it runs. */
export function workloadManifests(istiod: Istiod): readonly Manifest[] {
  const { v } = istiod;
  return [
    pilotManifest('deployment', deploymentView(istiod)),
    pilotManifest('service', serviceView(istiod)),
    ...autoscaler(v, []).map((settings) => sharedManifest('autoscaler', autoscalerView(istiod, settings))),
    ...disruptionBudget(v, []).map(() => sharedManifest('disruption-budget', disruptionBudgetView(istiod))),
    ...(v.is('jwksResolverExtraRootCA') ? [pilotManifest('configmap-jwks', jwksView(istiod))] : []),
  ];
}

function serviceView(istiod: Istiod): View {
  const { name, own, standard } = istiod;
  return {
    ...sharedServiceView(istiod),
    name,
    labels: { ...own, app: 'istiod', istio: 'pilot', release: RELEASE_NAME, ...standard },
    trafficDistribution: istiod.v.whenSet('trafficDistribution'),
  };
}

/** A tag's Service leads to the revision that the tag stands for. */
export function tagServiceManifest(istiod: Istiod, tag: string): Manifest {
  const { own, standard } = istiod;
  return pilotManifest('service', {
    ...sharedServiceView(istiod),
    name: `istiod-revision-tag-${tag}`,
    labels: {
      ...own,
      'istio.io/tag': tag,
      app: 'istiod',
      istio: 'pilot',
      release: RELEASE_NAME,
      ...standard,
    },
    trafficDistribution: null,
  });
}

function sharedServiceView({ input, v, selector }: Istiod): View {
  return {
    namespace: input.namespace,
    annotations: v.whenSet('serviceAnnotations'),
    selector: { app: 'istiod', ...selector },
    ipFamilyPolicy: v.whenSet('ipFamilyPolicy'),
    ipFamilies: v.whenSet('ipFamilies'),
  };
}

function autoscalerView({ input, v, name, own, standard }: Istiod, settings: View): View {
  return {
    ...settings,
    name,
    namespace: input.namespace,
    labels: { app: 'istiod', release: RELEASE_NAME, ...own, ...standard },
    cpu: v.any('cpu', 'targetAverageUtilization'),
    memory: v.whenSet('memory', 'targetAverageUtilization'),
    behavior: v.whenSet('autoscaleBehavior'),
  };
}

function disruptionBudgetView({ input, v, name, own, standard, selector }: Istiod): View {
  const budget = v.map('pdb');
  // The mere presence of maxUnavailable switches minAvailable off, whatever its value: so does upstream.
  const [field, value] = Object.hasOwn(budget, 'maxUnavailable')
    ? (['maxUnavailable', budget['maxUnavailable']] as const)
    : (['minAvailable', budget['minAvailable']] as const);
  return {
    name,
    namespace: input.namespace,
    labels: { app: 'istiod', ...own, release: RELEASE_NAME, istio: 'pilot', ...standard },
    minAvailable: field === 'minAvailable' ? orNull(value ?? null) : null,
    maxUnavailable: field === 'maxUnavailable' ? orNull(value ?? null) : null,
    unhealthyPodEvictionPolicy: v.whenSet('pdb', 'unhealthyPodEvictionPolicy'),
    selector: { app: 'istiod', ...selector },
  };
}

function jwksView({ input, v, revision, own, standard }: Istiod): View {
  return {
    name: withRevision('pilot-jwks-extra-cacerts', revision),
    namespace: input.namespace,
    labels: { release: RELEASE_NAME, ...own, ...standard },
    authority: v.text('jwksResolverExtraRootCA'),
  };
}

/** Also rendered where istiod does not run, as upstream has it. */
export function networkPolicyManifest({ input, name, own, standard, revision }: Istiod): Manifest {
  return sharedManifest('network-policy', {
    name,
    namespace: input.namespace,
    labels: { app: 'istiod', ...own, istio: 'pilot', release: RELEASE_NAME, ...standard },
    podSelector: { app: 'istiod', 'istio.io/rev': revisionLabel(revision) },
    // The API server calls the webhooks; proxies and whoever looks at istiod use the rest.
    spellsOutFrom: input.release.features.has('policiesWithEmptyFrom'),
    ingress: [tcpPorts([15017]), tcpPorts([15010, 15011, 15012, 8080, 15014])],
  });
}
