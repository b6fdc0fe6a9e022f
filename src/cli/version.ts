/** `istio-operator version`: this program's version, and that of Istio which it installs unless told otherwise. */
import { DEFAULT_RELEASE } from '../core/releases.ts';
import { printYaml } from '../core/yaml.ts';
import { EXIT } from './command-error.ts';
import type { CommandEnvironment } from './environment.ts';

export type VersionFormat = 'text' | 'yaml' | 'json';

export function printVersion({ terminal, version }: CommandEnvironment, output: VersionFormat): number {
  const versions = { operator: version, istio: DEFAULT_RELEASE.defaultTag, node: process.versions.node };
  terminal.print(FORMATS[output](versions));
  return EXIT.ok;
}

type Versions = Readonly<Record<'operator' | 'istio' | 'node', string>>;

const FORMATS: Readonly<Record<VersionFormat, (versions: Versions) => string>> = {
  text: ({ operator, istio, node }) => `operator: ${operator}\nistio: ${istio}\nnode: ${node}\n`,
  yaml: (versions) => printYaml({ ...versions }),
  json: (versions) => `${JSON.stringify(versions, null, 2)}\n`,
};
