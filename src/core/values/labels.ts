/** Label sets that many objects share. Upstream's names, because istioctl, Kiali and dashboards select by them. */
import type { JsonObject } from '../../model/json.ts';
import type { Release } from '../releases.ts';

/** Upstream's charts are always rendered under this release name. */
export const RELEASE_NAME = 'istio';

/** What stands in the owner label until a resource in a cluster owns the object. */
export const UNKNOWN_OWNER = 'unknown';

/** The recommended labels of an object. */
export function standardLabels(release: Release): JsonObject {
  return {
    'app.kubernetes.io/managed-by': 'istio-operator',
    'app.kubernetes.io/instance': RELEASE_NAME,
    'app.kubernetes.io/part-of': 'istio',
    'app.kubernetes.io/version': release.chartVersion,
  };
}

/**
 * The recommended labels of a pod template. They name Helm and its chart, as every upstream installer does: another
 * text here would restart all pods when an installation is adopted.
 */
export function standardPodLabels(release: Release, chart: string): JsonObject {
  return {
    ...standardLabels(release),
    'app.kubernetes.io/managed-by': 'Helm',
    'helm.sh/chart': `${chart}-${release.chartVersion}`,
  };
}

/** Which revision and component an object belongs to. */
export function componentLabels(options: {
  readonly revision: string;
  readonly owner: string;
  readonly component: string;
}): JsonObject {
  return {
    'istio.io/rev': revisionLabel(options.revision),
    'install.operator.istio.io/owning-resource': options.owner === '' ? UNKNOWN_OWNER : options.owner,
    'operator.istio.io/component': options.component,
  };
}

/** The revision as labels show it. */
export function revisionLabel(revision: string): string {
  return revision === '' ? 'default' : revision;
}

/** `name`, or `name-revision`. */
export function withRevision(name: string, revision: string): string {
  return revision === '' ? name : `${name}-${revision}`;
}
