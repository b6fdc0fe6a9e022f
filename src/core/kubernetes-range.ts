/** Whether a release of Istio supports the Kubernetes that it would run on. */
import type { Diagnostic } from '../model/diagnostic.ts';
import type { ClusterFacts } from '../model/plan.ts';
import { diagnose } from './diagnostics.ts';
import type { Release } from './releases.ts';
import { compareLines, versionOf } from './version.ts';

/** Finds fault with an older minor than the oldest that the line supports; what is newer is not known to be bad. */
export function checkKubernetes(
  { kubernetesVersion }: ClusterFacts,
  release: Release,
): readonly Diagnostic[] {
  const [present, oldest] = [kubernetesVersion, release.assumedKubernetes].map(minorOf);
  if (present === undefined || oldest === undefined || compareLines(present, oldest) >= 0) return [];
  return [
    diagnose('oldKubernetes', {
      path: ['spec', 'tag'],
      cause: `the cluster runs Kubernetes ${kubernetesVersion}, and Istio ${release.line} supports ${oldest} and newer`,
      remedy: 'Upgrade Kubernetes first, or stay on an older line of Istio.',
    }),
  ];
}

/** Versions of Kubernetes begin with a v, and vendors append their own. */
function minorOf(version: string): string | undefined {
  return versionOf(version.replace(/^v/u, '').replace(/\+.*$/u, ''))?.line;
}
