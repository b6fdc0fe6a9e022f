/** `istio-operator status`: installations, their components, and the objects that need a look. */
import { printYaml } from '../core/yaml.ts';
import type { JsonValue } from '../model/json.ts';
import { displayRef } from '../model/object.ts';
import { EXIT } from './command-error.ts';
import type { ClusterChoice, CommandEnvironment, Connection } from './environment.ts';
import type { InspectedObject } from './inspection.ts';
import { inspect } from './inspection.ts';
import type { Installation } from './installation.ts';
import { displayOwner, listInstallations } from './installation.ts';
import type { InstallationHealth } from './installation-health.ts';
import { healthOf } from './installation-health.ts';
import { kubectlName } from './object-name.ts';
import { withConnection } from './session.ts';
import { displayAge, table } from './table.ts';

export interface StatusOptions extends ClusterChoice {
  readonly name?: string;
  /** All namespaces when absent. */
  readonly namespace?: string;
  readonly output: 'tree' | 'wide' | 'yaml' | 'json' | 'name';
  readonly watch: boolean;
}

const WATCH_INTERVAL_MS = 2_000;

/** Prints how everything is. With `watch` it prints again whenever that changes, until Ctrl-C. */
export async function status(environment: CommandEnvironment, options: StatusOptions): Promise<number> {
  const { clock, signal, terminal } = environment;
  return withConnection(environment, options, async (connection) => {
    let shown = '';
    for (;;) {
      const reports = await reportsOf(environment, connection, options);
      const state = JSON.stringify(reports);
      if (state !== shown) terminal.print(printed(reports, options, clock.nowMs()));
      shown = state;
      if (!options.watch) return EXIT.ok;
      await clock.sleep(WATCH_INTERVAL_MS, signal);
      if (signal.aborted) return EXIT.interrupted;
    }
  });
}

interface Report {
  readonly installation: Installation;
  readonly health: InstallationHealth;
  readonly objects: readonly InspectedObject[];
}

async function reportsOf(
  { signal }: CommandEnvironment,
  { cluster }: Connection,
  { name, namespace }: StatusOptions,
): Promise<readonly Report[]> {
  const all = await listInstallations(cluster, { signal, ...(namespace === undefined ? {} : { namespace }) });
  const chosen = all.filter(({ owner }) => name === undefined || owner.name === name);
  const reports: Report[] = [];
  for (const installation of chosen) {
    const objects = await inspect(cluster, installation.inventory, signal);
    reports.push({ installation, objects, health: healthOf(installation, objects) });
  }
  return reports;
}

function printed(reports: readonly Report[], { output }: StatusOptions, nowMs: number): string {
  if (output === 'json') return `${JSON.stringify(reports.map(asData), null, 2)}\n`;
  if (output === 'yaml') return printYaml(reports.map(asData));
  if (output === 'name') return reports.flatMap(({ objects }) => objects.map(nameLine)).join('');
  if (reports.length === 0) return 'Nothing is installed.\n';
  return reports.map((report) => tree(report, { isWide: output === 'wide', nowMs })).join('\n');
}

function nameLine({ ref }: InspectedObject): string {
  return `${kubectlName(ref)}\n`;
}

interface View {
  /** Shows all objects and conditions, not only what needs a look. */
  readonly isWide: boolean;
  readonly nowMs: number;
}

function tree({ installation, health, objects }: Report, view: View): string {
  const { owner, kind, profile, revision, version } = installation;
  const title = kind === 'resource' ? 'IstioOperator' : 'Installation';
  const release = [`profile ${profile}`, `revision ${revision}`, `Istio ${version}`].join(', ');
  const lines = [`${title} ${displayOwner(owner)}: ${health.status} (${release})`];
  if (health.message !== '') lines.push(`  ${health.message}`);
  const conditions = view.isWide ? conditionRows(health, view) : [];
  const components = componentNames(health, objects).flatMap((component) =>
    componentRows(component, { health, objects, view }),
  );
  return `${lines.join('\n')}\n${table(conditions, '  ')}${table(components, '  ')}`;
}

function conditionRows({ conditions }: InstallationHealth, { nowMs }: View): readonly (readonly string[])[] {
  return conditions.map(({ type, status: state, reason, lastTransitionTime }) => [
    `${type}=${state}`,
    reason,
    displayAge(nowMs - Date.parse(lastTransitionTime)),
  ]);
}

function componentNames(health: InstallationHealth, objects: readonly InspectedObject[]): readonly string[] {
  const seen = new Set([...Object.keys(health.components), ...objects.map(({ component }) => component)]);
  return [...seen].toSorted();
}

function componentRows(
  component: string,
  { health, objects, view }: { health: InstallationHealth; objects: readonly InspectedObject[]; view: View },
): readonly (readonly string[])[] {
  const own = objects.filter((object) => object.component === component);
  const ready = own.filter(({ state }) => state === 'ready').length;
  const state = health.components[component] ?? (ready === own.length ? 'HEALTHY' : 'ERROR');
  const shown = view.isWide ? own : own.filter((object) => object.state !== 'ready');
  return [
    [component, state, `${ready} of ${own.length} objects ready`],
    ...shown.map((object) => [
      `  ${displayRef(object.ref)}`,
      object.state,
      object.reason === '' ? displayAge(view.nowMs - Date.parse(object.createdAt)) : object.reason,
    ]),
  ];
}

function asData({ installation, health, objects }: Report): JsonValue {
  const { owner, kind, profile, revision, version } = installation;
  return {
    kind: kind === 'resource' ? 'IstioOperator' : 'Installation',
    name: owner.name,
    namespace: owner.namespace,
    profile,
    revision,
    version,
    status: health.status,
    message: health.message,
    conditions: health.conditions.map((condition) => ({ ...condition })),
    components: componentNames(health, objects).map((name) => ({
      name,
      objects: objects
        .filter(({ component }) => component === name)
        .map(({ ref, state, reason, createdAt }) => ({ ...ref, state, reason, createdAt })),
    })),
  };
}
