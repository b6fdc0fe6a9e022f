/** `istio-operator export`: what is installed, as IstioOperators that can be kept in files and applied again. */
import { printYaml } from '../core/yaml.ts';
import type { JsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { annotationsOf, labelsOf } from '../model/object.ts';
import { EXIT, failure } from './command-error.ts';
import type { ClusterChoice, CommandEnvironment } from './environment.ts';
import type { Installation } from './installation.ts';
import { displayOwner, ISTIO_OPERATOR, listInstallations } from './installation.ts';
import { withConnection } from './session.ts';

export interface ExportOptions extends ClusterChoice {
  readonly name?: string;
  /** All namespaces when absent. */
  readonly namespace?: string;
  readonly output: 'yaml' | 'json';
}

/** Prints the chosen installations. What was recorded before specifications were written down is told, and left out. */
export async function exportInstallations(
  environment: CommandEnvironment,
  options: ExportOptions,
): Promise<number> {
  const { signal, terminal } = environment;
  const { name, namespace, output } = options;
  const installations = await withConnection(environment, options, async ({ cluster }) =>
    listInstallations(cluster, { signal, ...(namespace === undefined ? {} : { namespace }) }),
  );
  const chosen = installations.filter(({ owner }) => name === undefined || owner.name === name);
  const resources = chosen.flatMap((installation) => resourceOf(installation) ?? []);
  for (const { owner, spec } of chosen) {
    if (spec === undefined) terminal.say(`${displayOwner(owner)}: it is not written down what was asked for`);
  }
  if (resources.length === 0) {
    throw failure('noSuchInstallation', 'there is nothing to export', 'See istio-operator status.');
  }
  terminal.print(PRINTERS[output](resources));
  return EXIT.ok;
}

const PRINTERS: Readonly<Record<ExportOptions['output'], (resources: readonly K8sObject[]) => string>> = {
  yaml: (resources) => resources.map(printYaml).join('---\n'),
  json: (items) => `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2)}\n`,
};

/** Without status and without what the cluster and kubectl write; undefined when the specification is not known. */
export function resourceOf({ kind, owner, spec, object }: Installation): K8sObject | undefined {
  if (spec === undefined) return undefined;
  const own = kind === 'resource' ? ownMetadata(object) : {};
  return { ...ISTIO_OPERATOR, metadata: { name: owner.name, namespace: owner.namespace, ...own }, spec };
}

const WRITTEN_BY_KUBECTL = 'kubectl.kubernetes.io/last-applied-configuration';

function ownMetadata(object: K8sObject): JsonObject {
  const { [WRITTEN_BY_KUBECTL]: _written, ...annotations } = annotationsOf(object);
  const labels = labelsOf(object);
  return {
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}
