/** Makes requests to the harness from cases and from the templates of the source tree. */
import { readAssets } from '../../src/assets/source.ts';
import { composeWithOrigins } from '../../src/core/injection/compose.ts';
import type { ComposedTemplate } from '../../src/core/injection/compose.ts';
import { isTemplateOf } from '../../src/core/injection/release-templates.ts';
import { overlay } from '../../src/core/merge.ts';
import { DEFAULT_RELEASE } from '../../src/core/releases.ts';
import type { AssetBundle } from '../../src/model/assets.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { InjectionCase } from './cases.ts';
import type { HarnessCase, RunRequest } from './harness-process.ts';
import type { RenderedInjector } from './rendered-injector.ts';
import { createInjectorRenderer, specOf } from './rendered-injector.ts';

/** The mesh configuration that cases change. */
const DEFAULT_MESH: JsonObject = {
  defaultConfig: { discoveryAddress: 'istiod.istio-system.svc:15012' },
  defaultProviders: { metrics: ['prometheus'] },
  enablePrometheusMerge: true,
  rootNamespace: 'istio-system',
  trustDomain: 'cluster.local',
};

/** The distribution of the source tree, with its injection templates composed. */
export interface Distribution {
  readonly assets: AssetBundle;
  readonly templates: readonly ComposedTemplate[];
  /** Files of the templates that none of them includes. */
  readonly unusedParts: readonly string[];
}

export async function readDistribution(): Promise<Distribution> {
  const assets = await readAssets();
  const composition = composeWithOrigins(assets.files);
  if (composition.kind === 'faulty') {
    throw new Error(composition.faults.map(({ place, message }) => `${place}: ${message}`).join('\n'));
  }
  return { assets, templates: composition.templates, unusedParts: composition.unused };
}

/** One injector for each set of values among the cases. */
export function requestFor({ assets, templates }: Distribution, cases: readonly InjectionCase[]): RunRequest {
  const render = createInjectorRenderer(assets);
  const injectors: Record<string, RenderedInjector> = {};
  const asked = cases.map((given): HarnessCase => {
    const { values, mesh, ...rest } = given;
    const injector = JSON.stringify([values, given.revision]);
    injectors[injector] ??= render(specOf(values, given.revision));
    return { ...rest, injector, mesh: JSON.stringify(overlay(DEFAULT_MESH, mesh)) };
  });
  // The real injector that the cases were made with is of this release: others cannot be run.
  const executed = templates.filter(({ name }) => isTemplateOf(DEFAULT_RELEASE, name));
  return { templates: executed, injectors, cases: asked };
}
