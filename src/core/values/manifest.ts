/** What a component hands to the renderer: which template, with which view. Whether an object exists is decided here. */
import type { Release } from '../releases.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';

/** Everything a template may print, each field decided. A field that is to be left out is null, never missing. */
export type View = Readonly<Record<string, JsonValue>>;

export interface Manifest {
  /** Path under templates/ without the ending, such as `pilot/deployment`. */
  readonly template: string;
  readonly view: View;
}

/** What the values of a component are computed from, beside the values themselves. */
export interface ComponentInput {
  /** The component's values: defaults, presets and the user's, merged. */
  readonly values: JsonObject;
  /** The values as given, without defaults and presets. */
  readonly givenValues: JsonObject;
  /** Where the component is installed. */
  readonly namespace: string;
  readonly release: Release;
  readonly kubernetesVersion: string;
  /** See ClusterFacts. */
  readonly servedKinds?: readonly string[] | undefined;
  /** Texts of the built-in injection templates by name. */
  readonly injectionTemplates: Readonly<Record<string, string>>;
  /** Plain files that ship with the operator, by path under templates/. */
  readonly files: ReadonlyMap<string, string>;
}

/** A manifest from the templates that several components use. */
export function sharedManifest(template: string, view: View): Manifest {
  return { template: `shared/${template}`, view };
}
