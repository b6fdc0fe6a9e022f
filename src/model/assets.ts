/** The distribution: templates, profiles and schemas that ship with the operator, read once and checked on load. */
import type { JsonObject } from './json.ts';
import type { K8sObject } from './object.ts';

/** A template as text (from the source tree) or as made by `Handlebars.precompile` (in the bundle). */
export type TemplateSource =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'precompiled'; readonly spec: unknown };

/**
 * How every template is compiled, at start from the source tree and at build time for the bundle. Strict: a misspelt
 * value is an error instead of an empty string. No escaping: the output is YAML, not HTML.
 */
export const TEMPLATE_OPTIONS = { strict: true, noEscape: true } as const;

/** One breach of a JSON schema. */
export interface SchemaError {
  /** Steps from the checked value to the faulty one; numbers are list indexes. Empty for the value itself. */
  readonly path: readonly (string | number)[];
  /** The JSON schema keyword that failed, such as `type`, `enum` or `additionalProperties`. */
  readonly keyword: string;
  /** Details by keyword: `additionalProperty` names the unknown field, `type` and `allowedValues` what was expected. */
  readonly params: Readonly<Record<string, unknown>>;
  /** What was expected, such as `must be integer`. */
  readonly message: string;
}

/** Checks a value against one schema and returns every breach; empty when the value is valid. */
export type Validate = (value: unknown) => readonly SchemaError[];

/** A map of release lines whose definitions are parsed when they are first asked for: they are large. */
export type CrdsByLine = Pick<ReadonlyMap<string, readonly K8sObject[]>, 'get' | 'has' | 'keys'>;

/**
 * The YAML of a definition's `spec`, printed beforehand, when the object is one of `crds` with its own schema still in
 * place; undefined otherwise.
 */
export type PrintedSpecs = (object: K8sObject) => string | undefined;

export interface AssetBundle {
  /** Handlebars templates by path under templates/ without the ending, such as `pilot/deployment`. */
  readonly templates: ReadonlyMap<string, TemplateSource>;
  /** Default values of a component (templates/<component>/values.yaml) by component folder. */
  readonly defaults: ReadonlyMap<string, JsonObject>;
  /** Specifications of IstioOperator profiles (profiles/*.yaml) by name. */
  readonly profiles: ReadonlyMap<string, JsonObject>;
  /** Value presets (profiles/presets/) by path, such as `platform/gke` or `compatibility/1.29`. */
  readonly presets: ReadonlyMap<string, JsonObject>;
  /** JSON schema of `spec` from crds/istiooperators.yaml, for hints; `validateSpec` says what is wrong. */
  readonly specSchema: JsonObject;
  /** JSON schema of `spec.values`, for hints; `validateValues` says what is wrong. */
  readonly valuesSchema: JsonObject;
  /** Checks `spec`. Stricter than the API server: a field that the schema does not describe is an error. */
  readonly validateSpec: Validate;
  /** Checks `spec.values`. */
  readonly validateValues: Validate;
  /** Istio's own CustomResourceDefinitions by release line, such as `1.30`. */
  readonly crds: CrdsByLine;
  /**
   * Loads what makes printing the definitions of a release line fast: printing them takes half of the time of `manifest
   * generate`.
   */
  readonly printedSpecs: (line: string) => Promise<PrintedSpecs>;
  /** The operator's own installation (deploy/), in the order in which it is applied. */
  readonly deployment: readonly K8sObject[];
  /** The rights of an operator that serves one revision, whose name stands as `REVISION` in them. */
  readonly revisionRights: readonly K8sObject[];
  /** Plain files under templates/<component>/files/ that are copied, not rendered, by path under templates/. */
  readonly files: ReadonlyMap<string, string>;
}
