/** The injector's ConfigMap as the operator would install it for given values. */
import { createPlanner } from '../../src/core/plan.ts';
import type { AssetBundle } from '../../src/model/assets.ts';
import { printDiagnostic } from '../../src/model/diagnostic.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { stringAt } from '../../src/model/json.ts';
import { objectsOf } from '../../src/model/plan.ts';

/** The payloads of ConfigMap istio-sidecar-injector. */
export interface RenderedInjector {
  readonly config: string;
  readonly values: string;
}

/** Renders the ConfigMap of a specification. Throws when it cannot be planned or renders none. */
export type InjectorRenderer = (spec: JsonObject) => RenderedInjector;

const CONFIG_MAP = /^istio-sidecar-injector(-|$)/;

export function createInjectorRenderer(assets: AssetBundle): InjectorRenderer {
  const plan = createPlanner(assets);
  return (spec) => {
    const result = plan({ layers: [{ spec, source: 'case' }], facts: { kubernetesVersion: 'v1.34.4' } });
    if (result.kind === 'invalid') throw new Error(result.diagnostics.map(printDiagnostic).join('\n'));
    const configMap = objectsOf(result.plan).find(
      ({ kind, metadata }) => kind === 'ConfigMap' && CONFIG_MAP.test(metadata.name),
    );
    const config = stringAt(configMap, 'data', 'config');
    const values = stringAt(configMap, 'data', 'values');
    if (config === undefined || values === undefined)
      throw new Error('the plan has no ConfigMap of an injector');
    return { config, values };
  };
}

/**
 * The specification whose injector sees these values. They are not validated: some cases set keys that no chart
 * declares, as users do.
 */
export function specOf(values: JsonObject, revision: string): JsonObject {
  return { profile: 'minimal', ...(revision === '' ? {} : { revision }), unvalidatedValues: values };
}
