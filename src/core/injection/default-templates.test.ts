import { expect } from 'chai';
import { loadAssets } from '../../assets/load.ts';
import { printDiagnostic } from '../../model/diagnostic.ts';
import type { JsonObject } from '../../model/json.ts';
import type { Planner } from '../plan.ts';
import { createPlanner } from '../plan.ts';

describe('the templates that pods get by default', () => {
  let planner: Planner;

  before(async () => {
    planner = createPlanner(await loadAssets());
  });

  function findingsOf(spec: JsonObject): readonly string[] {
    const result = planner({
      layers: [{ spec, source: 'mesh.yaml' }],
      facts: { kubernetesVersion: 'v1.34.4' },
    });
    return (result.kind === 'planned' ? result.plan.warnings : result.diagnostics).map(printDiagnostic);
  }

  const withTemplates = (sidecarInjectorWebhook: JsonObject): JsonObject => ({
    values: { sidecarInjectorWebhook },
  });

  it('may be built-in ones and those that the user adds', () => {
    const own = { templates: { logs: 'spec: {}' }, defaultTemplates: ['sidecar', 'logs'] };

    expect(findingsOf(withTemplates(own))).to.deep.equal([]);
  });

  it('are told by name when they do not exist', () => {
    expect(findingsOf(withTemplates({ defaultTemplates: ['sidecar', 'sidecra'] }))).to.deep.equal([
      'IOP311 spec.values.sidecarInjectorWebhook.defaultTemplates[1]: there is no injection template "sidecra". ' +
        'Use "sidecar", or add it to spec.values.sidecarInjectorWebhook.templates.',
    ]);
  });

  it('do not matter where nothing injects', () => {
    const spec = { profile: 'empty', ...withTemplates({ defaultTemplates: ['nothing'] }) };

    expect(findingsOf(spec)).to.deep.equal([]);
  });
});
