/** Where the project's templates differ from upstream's on purpose, so that these cases of theirs cannot match. */

export interface Deviation {
  /** As a user may read it. */
  readonly reason: string;
  /** What is at these places is different, and nothing else. */
  readonly places: readonly string[];
}

export const DEVIATIONS: Readonly<Record<string, Deviation>> = {
  'x-grpc-agent-status-port-zero': {
    reason:
      'Without a status port there is no readiness probe. Upstream then also leaves out the mounts and resources of the ' +
      'agent, which so never gets its certificates to the application; ours keeps them.',
    places: [
      'Deployment/grpc spec.template.spec.containers[1].resources',
      'Deployment/grpc spec.template.spec.containers[1].volumeMounts',
    ],
  },
};
