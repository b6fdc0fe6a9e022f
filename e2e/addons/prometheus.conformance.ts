/**
 * Prometheus' own judgement of what we configure for it, by the promtool of the version that is installed. Left out, and
 * said so, where it cannot be built.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { loadAssets } from '../../src/assets/load.ts';
import { createPlanner } from '../../src/core/plan.ts';
import { printYaml } from '../../src/core/yaml.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { stringAt } from '../../src/model/json.ts';
import { objectsOf } from '../../src/model/plan.ts';
import { panelQueries } from './dashboard-queries.ts';
import { prometheusPrograms } from './prometheus-programs.ts';

const run = promisify(execFile);

const search = await prometheusPrograms();
// Not a skipped test: a run with pending tests counts as failed.
if (search.kind === 'found') {
  describe('the bundled Prometheus', () => checkPrometheus(search.programs.promtool));
} else {
  console.log(`promtool cannot be built, so the addons are not checked with it: ${search.reason}`);
}

function checkPrometheus(promtool: string): void {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
    for (const [name, text] of Object.entries(await renderedFiles()))
      await writeFile(join(folder, name), text);
  });

  after(async () => {
    await rm(folder, { recursive: true });
  });

  it('can be configured as rendered', async () => {
    const file = join(folder, 'prometheus.yml');

    // The files that it names are in its pod.
    const { stdout } = await run(promtool, ['check', 'config', '--syntax-only', file]);

    expect(stdout).to.contain('SUCCESS');
  });

  it('accepts the rules', async () => {
    const { stdout } = await run(promtool, ['check', 'rules', join(folder, 'rules.yml')]);

    expect(stdout).to.contain('SUCCESS: 6 rules found');
  });

  it('fires each alert on its fault, and none while all is well', async () => {
    const file = join(folder, 'faults.yml');
    await writeFile(file, printYaml(ALERT_TESTS));

    const { stdout } = await run(promtool, ['test', 'rules', file]);

    expect(stdout).to.contain('SUCCESS');
  });

  it('understands every query of the dashboards', async () => {
    const file = join(folder, 'queries.yml');
    await writeFile(file, printYaml({ groups: [{ name: 'dashboards', rules: dashboardQueries() }] }));

    const { stdout } = await run(promtool, ['check', 'rules', file]);

    expect(stdout).to.contain('SUCCESS');
  });
}

async function renderedFiles(): Promise<Readonly<Record<string, string>>> {
  const result = createPlanner(await loadAssets())({
    layers: [{ spec: { addonComponents: { prometheus: { enabled: true } } }, source: 'test' }],
    facts: { kubernetesVersion: 'v1.34.4' },
  });
  if (result.kind === 'invalid') throw new Error(JSON.stringify(result.diagnostics));
  const config = objectsOf(result.plan).find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'prometheus',
  );
  const names = ['prometheus.yml', 'rules.yml'];
  return Object.fromEntries(names.map((name) => [name, stringAt(config, 'data', name) ?? '']));
}

/** Queries as rules: promtool has no other way to read them. */
function dashboardQueries(): readonly JsonObject[] {
  const queries = panelQueries('1m').map(({ expression }) => expression);
  return [...new Set(queries)].map((expr, index) => ({ record: `query:${index}`, expr }));
}

interface Fault {
  readonly alert: string;
  readonly afterMinutes: number;
  /** What is to be seen then, over what is seen of a healthy mesh. */
  readonly series: Readonly<Record<string, string>>;
}

const HEALTHY = {
  'up{job="istiod",pod="a"}': '1x200',
  'pilot_total_xds_internal_errors{pod="a"}': '7x200',
  'pilot_total_xds_rejects{pod="a",type="lds"}': '7x200',
  'citadel_server_root_cert_expiry_timestamp{pod="a"}': '99999999x200',
  'istio_build{component="proxy",tag="1.30.3"}': '1x200',
  'istio_operator_resource_ready{namespace="istio-system",name="demo"}': '1x200',
};

const FAULTS: readonly Fault[] = [
  { alert: 'IstiodDown', afterMinutes: 10, series: { 'up{job="istiod",pod="a"}': '0x200' } },
  {
    alert: 'IstioPushErrors',
    afterMinutes: 20,
    series: { 'pilot_total_xds_internal_errors{pod="a"}': '0+1x200' },
  },
  {
    alert: 'IstioConfigRejected',
    afterMinutes: 20,
    series: { 'pilot_total_xds_rejects{pod="a",type="lds"}': '0+1x200' },
  },
  {
    alert: 'IstioRootCertificateExpires',
    afterMinutes: 20,
    series: { 'citadel_server_root_cert_expiry_timestamp{pod="a"}': '86400x200' },
  },
  {
    alert: 'IstioVersionSkew',
    afterMinutes: 90,
    series: Object.fromEntries(
      ['1.28.0', '1.29.0'].map((tag) => [`istio_build{component="proxy",tag="${tag}"}`, '1x200']),
    ),
  },
  {
    alert: 'IstioOperatorNotReady',
    afterMinutes: 20,
    series: { 'istio_operator_resource_ready{namespace="istio-system",name="demo"}': '0x200' },
  },
];

const ALERT_TESTS: JsonObject = {
  rule_files: ['rules.yml'],
  tests: [alertTest(), ...FAULTS.map((fault) => alertTest(fault))],
};

/** Exactly the alert of the fault fires; without a fault none does. */
function alertTest(fault?: Fault): JsonObject {
  const series = Object.entries({ ...HEALTHY, ...fault?.series });
  const firing = fault === undefined ? [] : [{ labels: `{alertname="${fault.alert}"}`, value: 1 }];
  return {
    interval: '1m',
    input_series: series.map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [
      {
        expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: `${fault?.afterMinutes ?? 120}m`,
        exp_samples: firing,
      },
    ],
  };
}
