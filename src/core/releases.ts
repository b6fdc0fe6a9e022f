/** The Istio release lines that this operator installs, and every difference between them, as data. */

export interface Release {
  /** `major.minor`; names the CRD file and the conformance folder. */
  readonly line: string;
  /** What is installed when the resource names no tag. */
  readonly defaultTag: string;
  /** Registry prefix of the images when the resource names no hub. */
  readonly hub: string;
  /** Version written into labels and chart names; upstream stamps the release's version there, whatever the tag. */
  readonly chartVersion: string;
  /** Kubernetes version that is assumed without a cluster, as upstream does. */
  readonly assumedKubernetes: string;
}

const ISTIO_1_30: Release = {
  line: '1.30',
  defaultTag: '1.30.3',
  hub: 'registry.istio.io/release',
  chartVersion: '1.30.3',
  assumedKubernetes: 'v1.32.0',
};

export const RELEASES: readonly Release[] = [ISTIO_1_30];

export const DEFAULT_RELEASE: Release = ISTIO_1_30;
