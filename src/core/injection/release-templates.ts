/** Which of the injection templates a release knows what to do with. */
import type { Feature, Release } from '../releases.ts';

/** Templates that istiod asks for only in some releases. */
const FEATURE_OF_TEMPLATE: Readonly<Record<string, Feature>> = {
  agentgateway: 'agentgateway',
  'agentgateway-waypoint': 'agentgatewayWaypoint',
};

/** Tells whether a template belongs to a release. */
export function isTemplateOf({ features }: Release, name: string): boolean {
  const feature = FEATURE_OF_TEMPLATE[name];
  return feature === undefined || features.has(feature);
}

/** The templates of a release, of all those that are composed. */
export function templatesOfRelease(
  templates: Readonly<Record<string, string>>,
  release: Release,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(templates).filter(([name]) => isTemplateOf(release, name)));
}
